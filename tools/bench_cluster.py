#!/usr/bin/env python3
"""Measure `kubecause why` on a live API server of any size, beside kubectl and other tools (`make bench-cluster`).

Starts etcd and kube-apiserver alone (no controllers, no kubelets, no root), fills them, and runs everything in turn within
one round; medians of seconds, peak memory, requests and bytes are printed. Logs cannot be read there: nothing listens on the
nodes' addresses, so such requests are refused at once and become gaps.

K8sGPT and Popeye are measured where they are found on PATH or in the cache of built programs (`…/kubecause/programs/peers/`).
Whatever runs is ended when it takes too long or too much memory.
"""

from __future__ import annotations

import argparse
import compileall
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from cluster.control_plane import ControlPlane, bare_control_plane  # noqa: E402 - the tests' own control plane
from cluster.daemons import RangeError  # noqa: E402
from cluster.programs import cache_folder  # noqa: E402

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")  # a second
_RESTING = 0.1  # seconds of CPU in half a second: a server that nobody asks anything
_MB = 1_000_000
_BYTES = re.compile(r"\(([\d,]+) bytes\)")
_REQUESTS = re.compile(r"^kubecause: (\d+) requests to the API server$", re.MULTILINE)
_FOUND = re.compile(r"(\d+) (?:diagnoses|causes?)\b")


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run took.

    :param peak: MB. :param failed: why its figures mean little, empty when it ended well.
    """

    seconds: float
    peak: float
    output: str
    errors: str
    failed: str = ""


def run(command: Sequence[str], environment: Mapping[str, str], *, seconds: float, megabytes: float) -> Taken:
    """Run a command, ended by force when it is over one of the limits."""
    stopped: list[str] = []
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=errors, stdin=subprocess.DEVNULL, env=dict(environment))
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(0.05):
                if time.perf_counter() - began > seconds:
                    stopped.append(f"ended after {seconds:g} s")
                elif _resident(process.pid) > megabytes:
                    stopped.append(f"ended at {megabytes:g} MB")
                if stopped:
                    process.kill()
                    return

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        ended.set()
        watcher.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    failed = stopped[0] if stopped else f"exit {process.returncode}" if process.returncode else ""
    return Taken(took, usage.ru_maxrss * 1024 / _MB, *texts, failed)


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE / _MB
    except (OSError, ValueError, IndexError):
        return 0.0


# --- contestants ------------------------------------------------------------------------------------------


def contestants(plane: ControlPlane, pod: tuple[str, str], *, peers: bool) -> dict[str, list[str]]:
    """The commands that are compared."""
    config = ["--kubeconfig", str(plane.kubeconfig("admin"))]
    kubectl, name, namespace = plane.programs["kubectl"], *pod
    ours = [sys.executable, "-m", "kubecause", "why", *config, "-v"]
    found = {
        "kubecause why -A": [*ours, "-A"],
        "kubecause why POD": [*ours, f"pod/{name}", "-n", namespace],
        "kubectl get pods -A": [kubectl, *config, "get", "pods", "-A"],
        "kubectl describe pod": [kubectl, *config, "describe", "pod", name, "-n", namespace],
    }
    if peers:
        for program, arguments in (("k8sgpt", ["analyze"]), ("popeye", ["-A"])):
            path = _peer(program)
            if path:
                found[f"{program} {' '.join(arguments)}"] = [path, *arguments, *config]
            else:
                print(f"{program}: not on PATH and not in {_peers_folder()}; not measured", flush=True)
    return found


def _peers_folder() -> Path:
    return cache_folder().parent / "peers"


def _peer(name: str) -> str | None:
    built = _peers_folder() / name
    return shutil.which(name) or (str(built) if os.access(built, os.X_OK) else None)


# --- measuring --------------------------------------------------------------------------------------------


def measure(
    commands: Mapping[str, Sequence[str]], plane: ControlPlane, folder: Path, *, rounds: int, seconds: float, megabytes: float
) -> None:
    """Run all in turn, round after round, and print a line for each; what was ended once is not run again.

    Each begins once the server has collected its garbage and rests: what one command leaves behind is not the next one's.
    """
    environment = {**os.environ, "HOME": str(folder), "NO_COLOR": "1", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT / "src")}
    compileall.compile_dir(ROOT / "src", quiet=1)  # as pip leaves a package
    run([sys.executable, "-m", "kubecause", "explain", "137"], environment, seconds=seconds, megabytes=megabytes)  # its cache
    taken: dict[str, list[Taken]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            if not (taken[name] and taken[name][-1].failed.startswith("ended")):
                rest(plane)
                taken[name].append(run(command, environment, seconds=seconds, megabytes=megabytes))
    for name, runs in taken.items():
        took, peak = median(each.seconds for each in runs), median(each.peak for each in runs)
        notes = [each.failed for each in runs if each.failed][:1]
        if name.startswith("kubecause"):
            notes += list(_told(runs[-1]))
        print(f"  {name:<24} {took:8.2f} s {peak:8.0f} MB   {'; '.join(notes)}".rstrip(), flush=True)


def rest(plane: ControlPlane) -> None:
    """Have the server collect its garbage, and wait until it has nothing to do any more, at most half a minute.

    Its heap of gigabytes fills over several commands; in the time of which of them it is collected would be chance.
    """
    kubectl = [plane.programs["kubectl"], "--kubeconfig", str(plane.kubeconfig("admin"))]
    # Nobody reads what it prints: a child's peak is never told smaller than this process was when it began the child.
    subprocess.run([*kubectl, "get", "--raw", "/debug/pprof/heap?gc=1"], stdout=subprocess.DEVNULL, check=False)
    pids = [pid for name in ("kube-apiserver", "etcd") if (pid := plane.daemon(name).pid())]
    until, before = time.monotonic() + 30, sum(map(_worked, pids))
    while time.monotonic() < until:
        time.sleep(0.5)
        now = sum(map(_worked, pids))
        if now - before < _RESTING:
            return
        before = now


def _worked(pid: int) -> float:
    """Seconds of CPU that a process has used (``/proc/PID/stat``, proc(5): the 14th and 15th field)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _told(run_of_ours: Taken) -> Iterator[str]:
    """Requests, bytes and causes of one of our runs."""
    size, requests = _BYTES.search(run_of_ours.errors), _REQUESTS.search(run_of_ours.errors)
    if size and requests:
        yield f"{requests[1]} requests, {int(size[1].replace(',', '')) / _MB:.2f} MB read"
    found = _FOUND.search(run_of_ours.errors)
    if found:
        yield f"{found[1]} diagnoses"


# --- filling ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Size:
    """How large the cluster is.

    :param workloads: whether the healthy pods have Deployments and Services, which are read in full.
    """

    nodes: int
    pods: int
    events: int
    workloads: bool = True

    def fill(self, plane: ControlPlane) -> None:
        """Make all that is healthy."""
        sizes = ["--nodes", self.nodes, "--pods", self.pods, "--events", self.events]
        _fill(plane, *sizes, "--places", *([] if self.workloads else ["--no-workloads"]))

    def broken(self, plane: ControlPlane, broken: int, causes: int, now: str, *, delete: bool = False) -> None:
        """Add broken workloads, or take them away again: as many pods, with two warnings each."""
        sizes = ["--nodes", self.nodes, "--pods", broken, "--events", 2 * broken, "--broken", broken, "--causes", causes]
        _fill(plane, *sizes, "--tag", _tag(broken, causes), "--now", now, *(["--delete"] if delete else []))


def _tag(broken: int, causes: int) -> str:
    """Part of the names of one mix: without controllers a Deployment that was taken away keeps its name for ever."""
    return f"x{broken}-{causes}-"


def _fill(plane: ControlPlane, *arguments: object) -> None:
    """Run the filler as a process of its own."""
    command = [sys.executable, str(ROOT / "tools" / "fill_cluster.py"), str(plane.kubeconfig("admin")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RangeError(f"cannot fill the server: {done.stderr.strip()[-500:]}")
    print(f"  {done.stdout.strip()}", flush=True)


@contextmanager
def control_plane(folder: Path) -> Iterator[ControlPlane]:
    """A bare control plane that ends with the measurement."""
    plane = bare_control_plane(folder, build=True)
    try:
        yield plane
    finally:
        plane.stop()


def one_broken_pod(plane: ControlPlane, broken: int, causes: int) -> tuple[str, str]:
    """Name and namespace of a pod that the filler broke."""
    listed = plane.kubectl("get", "pods", "-A", "--no-headers", "--field-selector=status.phase=Pending", "-o=wide")
    for line in listed.splitlines():
        namespace, name = line.split()[:2]
        if f"-{_tag(broken, causes)}" in name:
            return name, namespace
    raise RangeError("no broken pod on the server; the filler did not work")


def measure_all(plane: ControlPlane, size: Size, mixes: Sequence[tuple[int, int]], options: argparse.Namespace) -> None:
    """Fill the server, and measure it with each number of broken pods and causes."""
    print(f"{size.nodes} nodes, {size.pods} pods, {size.events} events: filling", flush=True)
    size.fill(plane)
    for broken, causes in mixes:
        now = datetime.now(UTC).isoformat()
        size.broken(plane, broken, causes, now)
        load = os.getloadavg()[0]
        print(
            f"{broken} broken, {causes} causes; medians of {options.rounds}, load {load:.1f} on {os.cpu_count()} cores",
            flush=True,
        )
        commands = contestants(plane, one_broken_pod(plane, broken, causes), peers=options.peers and (broken, causes) == mixes[0])
        measure(commands, plane, plane.folder, rounds=options.rounds, seconds=options.seconds, megabytes=options.megabytes)
        size.broken(plane, broken, causes, now, delete=True)


def main() -> int:
    """Run all measurements; 1 when the server cannot be started or filled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=2000)
    parser.add_argument("--pods", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument(
        "--no-workloads", dest="workloads", action="store_false", help="healthy pods without Deployments and Services"
    )
    parser.add_argument("--mix", action="append", metavar="BROKEN:CAUSES", help="default: 100:5 100:50 10:5 1000:5 1000:500")
    parser.add_argument("--rounds", type=int, default=5, help="how often each thing is measured")
    parser.add_argument("--seconds", type=float, default=120, help="limit for one run")
    parser.add_argument("--megabytes", type=float, default=4000, help="limit for one run")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="without K8sGPT and Popeye")
    options = parser.parse_args()
    wanted = options.mix or ["100:5", "100:50", "10:5", "1000:5", "1000:500"]
    try:
        mixes = [(int(broken), int(causes)) for broken, _, causes in (text.partition(":") for text in wanted)]
    except ValueError:
        parser.error("--mix takes two numbers: 100:5 is 100 broken pods with 5 causes")
    with tempfile.TemporaryDirectory(prefix="kubecause-bench-") as folder:
        try:
            with control_plane(Path(folder)) as plane:
                measure_all(plane, Size(options.nodes, options.pods, options.events, options.workloads), mixes, options)
        except RangeError as error:
            print(f"bench-cluster: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
