#!/usr/bin/env python3
"""Measure kubecause against its budgets: start-up, the example, a large log, scanning speed (`make bench`).

Everything that is compared runs in turn within one round, so that a busy machine slows all of it alike; medians and
ratios are printed. The anchors are `rg` and `grep` counting the lines that hold any literal of the case files.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

from kubecause.knowledge import load_cases

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "broken-cluster"
MEGABYTE = 1_000_000
Key = TypeVar("Key", bound=Hashable)


class BenchError(Exception):
    """A measured command did not end well; its figure would mean nothing."""


def run(command: Sequence[str], good: Sequence[int] = (0,)) -> tuple[float, float]:
    """Run a command: seconds it took and its peak memory in MB (of the process itself)."""
    began = time.perf_counter()
    with (
        tempfile.TemporaryFile() as output,  # not /dev/null: grep stops at the first match when it sees that
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=output, stderr=errors) as process,
    ):
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in good:
            errors.seek(0)
            said = errors.read()[-300:].decode(errors="replace").strip()
            raise BenchError(f"{' '.join(command[:6])}: exit {process.returncode}: {said}")
    return took, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MEGABYTE


def in_turn(contestants: Mapping[Key, Callable[[], tuple[float, float]]], rounds: int) -> dict[Key, tuple[float, float]]:
    """Medians of seconds and of peak MB; every round runs each contestant once."""
    taken: dict[Key, list[tuple[float, float]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, measure in contestants.items():
            taken[name].append(measure())
    return {name: (median([took for took, _ in pairs]), median([peak for _, peak in pairs])) for name, pairs in taken.items()}


# --- the log ----------------------------------------------------------------------------------------------

_WORDS = (
    "sync",
    "volume",
    "pod",
    "container",
    "image",
    "pulled",
    "mount",
    "probe",
    "lease",
    "watch",
    "node",
    "handler",
    "endpoint",
)


def write_log(path: Path, size: int, literals: Sequence[str], rate: float = 0.001) -> None:
    """A log of ``size`` bytes as kubelets, runtimes, proxies and applications write it; always the same.

    A share ``rate`` of the lines carries one of the literals.
    """
    chance = random.Random(1)
    written = 0
    with path.open("w", encoding="utf-8") as log:
        while written < size:
            block = "".join(_line(chance, literals, rate) for _ in range(2000))
            log.write(block)
            written += len(block)


def _line(chance: random.Random, literals: Sequence[str], rate: float) -> str:
    second, pid, node = chance.randrange(86_400), chance.randrange(300, 90_000), chance.randrange(40)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{chance.randrange(1_000_000):06}"
    said = " ".join(chance.choices(_WORDS, k=chance.randrange(6, 24)))
    if literals and chance.random() < rate:
        said += " " + chance.choice(literals)
    form = chance.choices(_FORMS, weights=(35, 20, 20, 25))[0]
    return form.format(
        clock=clock, time=clock[:8], node=node, pid=pid, said=said, path=said.replace(" ", "/"), id=chance.getrandbits(160)
    )


_FORMS = (
    'Nov 20 {time} node-{node} kubelet[{pid}]: I1120 {clock} {pid:7} kubelet.go:{pid}] "{said}" pod="shop/web-{pid:x}"\n',
    'time="2026-11-20T{clock}Z" level=info msg="{said}" id={id:040x}\n',
    '{{"level":"info","ts":"2026-11-20T{clock}Z","caller":"app/{pid}.go:17","msg":"{said}","latency_us":{pid}}}\n',
    '10.244.{node}.7 - - [20/Nov/2026:{time} +0000] "GET /api/v1/{path} HTTP/1.1" 200 {pid}\n',
)


def literals_of_cases() -> list[str]:
    """Every literal the signals of the cases look for."""
    signals = [signal for case in load_cases().cases.values() for signal in case.signals.values()]
    return sorted({literal for signal in signals for literal in signal.contains if "\n" not in literal})


# --- measurements -----------------------------------------------------------------------------------------


def show(title: str, figure: str, budget: str = "") -> None:
    """One line of the result."""
    print(f"{title:<40} {figure:<36} {budget}".rstrip(), flush=True)


def start_up(rounds: int) -> None:
    """How long the commands take that read no evidence, beside an interpreter that does nothing."""
    python = [sys.executable]
    medians = in_turn(
        {
            "python -c pass": lambda: run([*python, "-c", "pass"]),
            "kubecause --help": lambda: run([*python, "-m", "kubecause", "--help"]),
            "kubecause explain 137": lambda: run([*python, "-m", "kubecause", "explain", "137"]),
        },
        rounds,
    )
    floor = medians["python -c pass"][0]
    for name, (seconds, _) in medians.items():
        show(
            f"start-up: {name}",
            f"{seconds * 1000:.0f} ms, {seconds / floor:.1f} x python",
            "budget 150 ms" if "help" in name else "",
        )


def reading(path: Path, rounds: int) -> None:
    """How long ``kubecause read`` takes, and its peak memory."""
    command = [sys.executable, "-m", "kubecause", "read", str(path), "-q", "-o", "json"]
    seconds, memory = in_turn({"read": lambda: run(command)}, rounds)["read"]
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    megabytes = sum(file.stat().st_size for file in files) / MEGABYTE
    show(f"read {path.name} ({megabytes:.1f} MB)", f"{seconds:.2f} s, {megabytes / seconds:.1f} MB/s, peak {memory:.0f} MB")


def scanning(log: Path, head: Path, literals: Sequence[str], rounds: int) -> None:
    """How fast a log is read for every literal, beside ripgrep and grep where they are installed.

    The time of ``head``, a small log, is taken off the time of the large one: what is left is the speed on logs of any
    size, without start-up.
    """
    patterns = log.with_suffix(".literals")
    patterns.write_text("\n".join(literals) + "\n", encoding="utf-8")
    search = ["-i", "-c", "-F", "-f", str(patterns)]
    commands = {
        "kubecause read": [sys.executable, "-m", "kubecause", "read", "-q", "-o", "json"],
        "rg -j1": ["rg", "-j1", *search],
        "grep (LC_ALL=C)": ["env", "LC_ALL=C", "grep", *search],
    }
    present = {name: command for name, command in commands.items() if name.startswith("kube") or shutil.which(name.split()[0])}
    contestants = {
        (name, path): partial(run, [*command, str(path)], good=(0, 1) if "grep" in name or "rg" in name else (0,))
        for name, command in present.items()
        for path in (log, head)
    }
    medians = in_turn(contestants, rounds)
    megabytes = (log.stat().st_size - head.stat().st_size) / MEGABYTE
    taken = {name: max(medians[name, log][0] - medians[name, head][0], 1e-6) for name in present}
    for name, seconds in taken.items():
        budget = "budget: at least the speed of rg" if name.startswith("kube") else ""
        ratio = seconds / taken["kubecause read"]
        show(f"{len(literals)} literals: {name}", f"{megabytes / seconds:.0f} MB/s, {ratio:.2f} x the time of kubecause", budget)


def main() -> int:
    """Run all measurements; 1 when one of them could not be made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=100, help="size of the generated log")
    parser.add_argument("--rounds", type=int, default=5, help="how often each thing is measured")
    options = parser.parse_args()
    try:
        start_up(max(options.rounds, 9))
        if EXAMPLE.is_dir():
            reading(EXAMPLE, options.rounds)
        with tempfile.TemporaryDirectory() as folder:
            log, literals = Path(folder) / "node.log", literals_of_cases()
            head = log.with_name("head.log")
            write_log(log, options.megabytes * MEGABYTE, literals)
            write_log(head, MEGABYTE, literals)
            reading(log, min(options.rounds, 3))
            scanning(log, head, literals, options.rounds)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
