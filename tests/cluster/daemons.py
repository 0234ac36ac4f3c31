"""Programs that keep running: each is a small script below ``run/`` that anybody can start again, also by hand."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class RangeError(Exception):
    """The range cannot be started or used; one line says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """One program of the range. ``folder`` is the range's own; ``netns`` the network namespace it runs in."""

    folder: Path
    name: str
    command: Sequence[str] = ()
    netns: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def script(self) -> Path:
        """The script that starts the program; it replaces itself by the program, so its process id stays."""
        return self.folder / "run" / self.name

    @property
    def log(self) -> Path:
        """Where the program's standard output and error go."""
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        """Holds the process id of the last start."""
        return self.folder / "pids" / self.name

    def write(self) -> None:
        """Write the script. ``nsenter`` enters nothing but the network: /sys keeps its cgroup mounts."""
        for path in (self.script, self.log, self.pid_file):
            path.parent.mkdir(parents=True, exist_ok=True)
        words = [f"--net=/run/netns/{self.netns}"] if self.netns else []
        command = [*(["nsenter", *words] if words else []), *self.command]
        settings = {"PATH": SYSTEM_PATH, "HOME": str(self.folder), "LANG": "C.UTF-8", **self.environment}
        lines = [
            "#!/bin/bash",
            f"echo $$ >{shlex.quote(str(self.pid_file))}",
            f"exec >>{shlex.quote(str(self.log))} 2>&1 </dev/null",
            "ulimit -n 65536 2>/dev/null || true",
            f"cd {shlex.quote(str(self.folder))}",
            "exec env -i " + " ".join(f"{key}={shlex.quote(value)}" for key, value in settings.items()) + " \\",
            " \\\n  ".join(["  " + shlex.quote(command[0]), *(shlex.quote(word) for word in command[1:]), '"$@"']),
        ]
        self.script.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.script.chmod(0o755)

    def start(self, *more: str) -> None:
        """Start it with further arguments, unless it runs already."""
        if not self.alive():
            self.pid_file.unlink(missing_ok=True)
            subprocess.run(["setsid", "--fork", str(self.script), *more], check=True)
            wait_for(lambda: self.pid() is not None, 5, f"{self.name} did not start")

    def stop(self, within: float = 10) -> None:
        """End it, by force after ``within`` seconds."""
        pid = self.pid()
        if pid is None:
            return
        for number in (signal.SIGTERM, signal.SIGCONT, signal.SIGKILL):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return
            if number != signal.SIGTERM and self.gone(within):
                return

    def gone(self, within: float) -> bool:
        """Whether it ends within so many seconds."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if not self.alive():
                return True
            time.sleep(0.05)
        return False

    def pid(self) -> int | None:
        """The process id, None when it does not run."""
        try:
            pid = int(self.pid_file.read_text(encoding="utf-8"))
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except (OSError, ValueError, IndexError):
            return None
        # The number may be another program's by now; between fork and exec it is still the script or nsenter.
        mine = not self.command or Path(self.command[0]).name in words or str(self.script) in words
        return pid if mine and state not in "ZX" else None

    def resume(self) -> None:
        """Let it go on if it was frozen."""
        if pid := self.pid():
            os.kill(pid, signal.SIGCONT)

    def arguments_added(self) -> bool:
        """Whether the running program was started with more arguments than its command has."""
        pid = self.pid()
        if pid is None:
            return False
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        return len(words) > len(self.command)

    def alive(self) -> bool:
        """Whether it runs."""
        return self.pid() is not None

    def last_lines(self, count: int = 3) -> str:
        """The end of its log, for an error message."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return "no log"
        return " | ".join(lines[-count:])[-600:]


def wait_for(condition: Callable[[], bool], within: float, otherwise: str, every: float = 0.1) -> None:
    """Wait until the condition holds; raise RangeError with ``otherwise`` when it does not in time."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            raise RangeError(f"{otherwise} (waited {within:g} s)")
        time.sleep(every)


def run(*command: str, check: bool = True, stdin: str | None = None, within: float = 120) -> str:
    """Run a command and give its output; raise RangeError with what it said when it fails."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=within)
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip().replace("\n", " | ")
        raise RangeError(f"{shlex.join(command)[:300]}: {said[-800:]}")
    return done.stdout
