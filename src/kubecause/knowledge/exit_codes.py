"""What the exit codes of processes mean, and which faults they point at.

Sources: POSIX shells (126 to 128+n), sysexits.h (64 to 78), signal numbers of Linux on x86 and arm (signal(7)).
"""

from __future__ import annotations

from kubecause.knowledge.meanings import Meaning, means

_SIGNALS = (
    "HUP",
    "INT",
    "QUIT",
    "ILL",
    "TRAP",
    "ABRT",
    "BUS",
    "FPE",
    "KILL",
    "USR1",
    "SEGV",
    "USR2",
    "PIPE",
    "ALRM",
    "TERM",
    "STKFLT",
    "CHLD",
    "CONT",
    "STOP",
    "TSTP",
    "TTIN",
    "TTOU",
    "URG",
    "XCPU",
    "XFSZ",
    "VTALRM",
    "PROF",
    "WINCH",
    "IO",
    "PWR",
    "SYS",
)
_SYSEXITS = (
    "USAGE",
    "DATAERR",
    "NOINPUT",
    "NOUSER",
    "NOHOST",
    "UNAVAILABLE",
    "SOFTWARE",
    "OSERR",
    "OSFILE",
    "CANTCREAT",
    "IOERR",
    "TEMPFAIL",
    "PROTOCOL",
    "NOPERM",
    "CONFIG",
)

_OWN = ("container/exit-general-error", "app/config-invalid")
_KILLED = (
    "container/oom-killed",
    "container/killed-by-node-oom",
    "container/jvm-heap-exceeds-limit",
    "probe/liveness-too-aggressive",
    "probe/liveness-wrong-port",
    "probe/liveness-wrong-protocol",
    "container/killed-by-external-process",
    "pod/evicted",
    "node/shutdown",
)
_PROBED = ("probe/liveness-too-aggressive", "probe/liveness-wrong-port", "probe/liveness-wrong-protocol")

_EXIT_CODES: dict[int, Meaning] = {
    0: means(
        "Success. With restartPolicy Always the container is started again all the same.",
        "正常结束。如果 restartPolicy 为 Always，容器仍会被再次启动。",
        "container/completed-but-restarted",
    ),
    1: means("The application reports a general error; its log says which.", "应用报告一般错误，具体原因见应用日志。", *_OWN),
    2: means(
        "Wrong use of a shell command, a Go panic, or the application's own error.",
        "shell 命令用法错误、Go 程序 panic，或应用自定义的错误。",
        *_OWN,
    ),
    124: means(
        "The timeout command ended the process, or the application's own error.",
        "被 timeout 命令终止，或应用自定义的错误。",
        *_OWN,
    ),
    125: means("docker run itself failed.", "docker run 命令本身失败。", "runtime/oci-create-failed"),
    126: means(
        "The command was found but cannot be executed: permission, a directory, or the wrong CPU architecture.",
        "找到了命令但无法执行：权限不足、是目录，或 CPU 架构不符。",
        "container/command-not-executable",
        "image/arch-mismatch",
    ),
    127: means(
        "The command, its interpreter or a shared library was not found.",
        "找不到命令、解释器或共享库。",
        "container/command-not-found",
    ),
    128: means(
        "The container never started (containerd: StartError), or a shell was given an invalid exit code.",
        "容器从未启动（containerd：StartError），或 shell 收到无效的退出码。",
        "container/command-not-found",
        "container/command-not-executable",
        "runtime/oci-create-failed",
    ),
    132: means(
        "Ended by SIGILL: an instruction this CPU does not have.",
        "被 SIGILL 终止：CPU 不支持的指令。",
        "container/exit-signal",
        "image/arch-mismatch",
    ),
    134: means(
        "Ended by SIGABRT: the process gave up by itself (assertion, allocator, JVM).",
        "被 SIGABRT 终止：进程主动中止（断言、内存分配器、JVM）。",
        "container/segfault",
    ),
    137: means(
        "Ended by SIGKILL: out of memory, a failed liveness probe, a slow stop, an eviction, or somebody's kill -9.",
        "被 SIGKILL 终止：内存不足、存活探针失败、停止超时、被驱逐，或有人执行了 kill -9。",
        *_KILLED,
    ),
    139: means(
        "Ended by SIGSEGV: the process touched memory it may not.", "被 SIGSEGV 终止：进程访问了非法内存。", "container/segfault"
    ),
    143: means(
        "Ended by SIGTERM: a normal stop (rollout, drain, deletion) or a failed liveness probe.",
        "被 SIGTERM 终止：正常停止（滚动更新、排空、删除）或存活探针失败。",
        "container/exit-signal",
        *_PROBED,
    ),
    159: means(
        "Ended by SIGSYS: a system call that seccomp forbids.",
        "被 SIGSYS 终止：系统调用被 seccomp 禁止。",
        "container/exit-signal",
    ),
    255: means(
        "The application returned -1, ssh failed, or the runtime lost the status (reason Unknown, after a restart of the node).",
        "应用返回 -1、ssh 失败，或运行时丢失了状态（节点重启后 reason 为 Unknown）。",
        *_OWN,
        "node/shutdown",
    ),
}


def exit_code_meaning(code: int) -> Meaning:
    """What a code from 0 to 255 means on Linux."""
    if code in _EXIT_CODES:
        return _EXIT_CODES[code]
    if 64 <= code < 64 + len(_SYSEXITS):
        name = f"EX_{_SYSEXITS[code - 64]}"
        return means(
            f"{name} of sysexits.h, if the application follows that list.", f"如果应用遵循 sysexits.h，则为 {name}。", *_OWN
        )
    if 128 < code <= 128 + len(_SIGNALS):
        name = f"SIG{_SIGNALS[code - 129]}"
        return means(f"Ended by {name} (128 + {code - 128}).", f"被 {name} 终止（128 + {code - 128}）。", "container/exit-signal")
    if 162 <= code <= 192:
        return means(f"Ended by real-time signal {code - 128}.", f"被实时信号 {code - 128} 终止。", "container/exit-signal")
    return means("The application's own code; its log or manual says more.", "应用自定义的退出码，详见其日志或文档。", *_OWN)
