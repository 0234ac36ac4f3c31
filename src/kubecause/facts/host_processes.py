"""Load of a machine and the processes that cause it: ``top`` (procps 3.2 to 4), ``iotop``, ``atop``.

Only processes that stand out become facts: above ``NOTABLE_PERCENT`` of a CPU, of memory or of I/O, or the first five.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from kubecause.facts.host_output import FieldValue, Parser, fact_at, lines_of, node_of, number, percent_of, size_bytes
from kubecause.model import Document, Entity, Fact

NOTABLE_PERCENT = 10
TOP_COUNT = 5
PROCESS_LIMIT = 100  # of one screen
SCREEN_LIMIT = 10

Fields = dict[str, FieldValue | None]


class _Process(msgspec.Struct, frozen=True):
    index: int
    fields: Fields

    def share(self) -> float:
        """The largest share it has of anything, in percent."""
        shares = (self.fields.get(name) for name in ("cpu_percent", "memory_percent", "io_percent"))
        return max((float(share) for share in shares if isinstance(share, (int, float))), default=0.0)


def _notable(document: Document, node: Entity, processes: Sequence[_Process]) -> Iterator[Fact]:
    """Facts of the processes that stand out, in the order printed."""
    ranked = sorted(processes, key=lambda process: -process.share())
    count = max(TOP_COUNT, sum(process.share() > NOTABLE_PERCENT for process in ranked))
    chosen = {process.index for process in ranked[: min(count, PROCESS_LIMIT)]}
    for process in processes:
        if process.index in chosen:
            yield fact_at(document, "process", node, process.fields, process.index)


# --- top --------------------------------------------------------------------------------------------------

_TOP_HEAD = re.compile(r"\s*top - \d")
_LOAD = re.compile(r"(?:load average|平均负载)\s*[:：]\s*(\d{1,6}[.,]\d{1,2})")
_CPU_LINE = re.compile(r"\s*%?Cpu(?P<core>\(s\)|\s{0,3}\w{0,4})\s*:(?P<rest>.*)")
_CPU_SHARE = re.compile(r"(\d{1,3}(?:[.,]\d{1,2})?)\s*%?\s*(us|sy|id|wa|st)\b")
_MEMORY_LINE = re.compile(r"\s*(?:(?P<unit>[KMGTPE])i?B\s+)?(?P<what>Mem|Swap)\s*:(?P<rest>.*)")
_MEMORY_PART = re.compile(r"(\d{1,18}(?:[.,]\d{1,3})?)([kKmMgGtT]?)(\+?)\s*(total|used|free|buff/cache|buffers|cached|avail)\b")
_SHARES = {"us": "user", "sy": "system", "id": "idle", "wa": "iowait", "st": "steal"}
_TOP_COLUMNS = ["PID", "USER", "PR", "NI", "VIRT", "RES", "SHR", "S", "%CPU", "%MEM", "TIME+", "COMMAND"]


class _Screen(msgspec.Struct):
    """What one refresh of top shows."""

    load: float | int | None = None
    load_at: int | None = None
    cores: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)
    cpu_at: int | None = None
    memory: dict[str, int] = msgspec.field(default_factory=dict)
    memory_at: list[int] = msgspec.field(default_factory=list)
    columns: list[str] = msgspec.field(default_factory=lambda: list(_TOP_COLUMNS))
    processes: list[_Process] = msgspec.field(default_factory=list)


def parse_top(document: Document) -> Iterator[Fact]:
    """``cpu``, ``memory`` and the notable ``process`` rows of each refresh of ``top``."""
    node = node_of(document)
    screens = [_Screen()]
    for index, line in lines_of(document):
        if _TOP_HEAD.match(line) and screens[-1].load_at is not None:
            if len(screens) == SCREEN_LIMIT:
                break
            screens.append(_Screen())
        _read_top_line(screens[-1], index, line)
    for screen in screens:
        yield from _screen_facts(document, node, screen)


def _read_top_line(screen: _Screen, index: int, line: str) -> None:
    if load := _LOAD.search(line):
        screen.load, screen.load_at = number(load[1]), index
    elif cpu := _CPU_LINE.match(line):
        shares = {_SHARES[name]: float(value.replace(",", ".")) for value, name in _CPU_SHARE.findall(cpu["rest"])}
        if shares:
            screen.cores[cpu["core"].strip()] = shares
            screen.cpu_at = index if screen.cpu_at is None else screen.cpu_at
    elif memory := _MEMORY_LINE.match(line):
        _read_top_memory(screen, index, memory)
    elif "%CPU" in line and "PID" in line.split()[:3]:
        screen.columns = line.split()
    elif row := _top_row(screen.columns, line):
        screen.processes.append(_Process(index, row))


def _read_top_memory(screen: _Screen, index: int, memory: re.Match[str]) -> None:
    """``KiB Mem : 8043956 total, …``; a ``+`` stands for digits that did not fit. The Swap line ends with cache or avail."""
    unit = 1024 ** " KMGTPE".index(memory["unit"]) if memory["unit"] else 1024
    for value, suffix, more, name in _MEMORY_PART.findall(memory["rest"]):
        size = size_bytes(value + suffix, plain_unit=unit)
        if size is not None:
            own = name in {"cached", "avail"} or memory["what"] == "Mem"
            screen.memory[name if own else f"swap {name}"] = size * 10 if more else size
    screen.memory_at.append(index)


def _top_row(columns: Sequence[str], line: str) -> Fields | None:
    """A process row; the columns are those of the header, which a translation may name otherwise."""
    words = line.split(None, len(columns) - 1)
    if len(words) < len(columns) or not words[0].isdecimal():
        return None
    row = dict(zip(columns, words, strict=False))
    cpu, memory = number(row.get("%CPU", "")), number(row.get("%MEM", ""))
    if cpu is None and memory is None:
        return None
    state = row.get("S", "")
    return {
        "pid": _pid(words[0]),
        "command": words[-1],
        "cpu_percent": cpu,
        "memory_percent": memory,
        "state": state if state in {"R", "S", "D", "T", "t", "Z", "I", "X"} else None,
    }


def _pid(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else None


def _screen_facts(document: Document, node: Entity, screen: _Screen) -> Iterator[Fact]:
    places = [place for place in (screen.cpu_at, screen.load_at) if place is not None]
    if places:
        fields: Fields = {"load1": screen.load, **_mean_shares(screen)}
        yield fact_at(document, "cpu", node, fields, *places)
    if "total" in screen.memory:
        yield fact_at(document, "memory", node, _memory_fields(screen.memory), *screen.memory_at)
    yield from _notable(document, node, screen.processes)


def _mean_shares(screen: _Screen) -> Fields:
    """Shares of all cores together; with one line a core (key ``1`` in top) their mean."""
    whole = screen.cores.get("(s)")
    lines = [whole] if whole else list(screen.cores.values())
    fields: Fields = {"cores": None if whole or not lines else len(lines)}
    for name in _SHARES.values():
        values = [shares[name] for shares in lines if name in shares]
        fields[name] = round(sum(values) / len(values), 2) if values else None
    return fields


def _memory_fields(memory: dict[str, int]) -> Fields:
    """Available memory as the kernel says, else (before procps 3.3.10) free, buffers and cache together."""
    total = memory["total"]
    available = memory.get("avail")
    if available is None and "free" in memory:
        parts = ("free", "buffers", "cached", "buff/cache")
        available = min(total, sum(memory.get(name, 0) for name in parts))
    return {
        "total_bytes": total,
        "available_bytes": available,
        "available_percent": percent_of(available, total),
        "swap_total_bytes": memory.get("swap total"),
        "swap_used_bytes": memory.get("swap used"),
    }


# --- iotop ------------------------------------------------------------------------------------------------

_IOTOP_ROW = re.compile(
    r"\s*(?:\d\d:\d\d:\d\d\s+)?(?P<pid>\d{1,10})\s+(?:be|rt|idle|\?\w{1,8})(?:/\w{1,3})?\s+\S{1,64}\s+"
    r"(?P<read>\d[\d.,]{0,15} [BKMGT](?:/s)?)\s+(?P<write>\d[\d.,]{0,15} [BKMGT](?:/s)?)\s+"
    r"(?:[\d.,]{1,7} ?%\s+(?P<io>[\d.,]{1,7}) ?%\s+|\?unavailable\?\s+)?(?P<command>\S.*)",
)


def parse_iotop(document: Document) -> Iterator[Fact]:
    """The notable ``process`` rows of ``iotop``; ``read`` and ``write`` as printed (a rate, or a sum with ``-a``)."""
    processes = [
        _Process(
            index,
            {
                "pid": int(row["pid"]),
                "command": row["command"],
                "io_percent": number(row["io"]) if row["io"] else None,
                "read": row["read"],
                "write": row["write"],
            },
        )
        for index, line in lines_of(document)
        if (row := _IOTOP_ROW.match(line))
    ]
    yield from _notable(document, node_of(document), processes)


# --- atop -------------------------------------------------------------------------------------------------

_ATOP_HEAD = re.compile(r"\s*ATOP - (?P<host>[\w.-]{1,253})\s+\d{4}[/-]\d\d[/-]\d\d")
_ATOP_LABELS = frozenset(("PRC", "CPU", "CPL", "MEM", "SWP", "DSK", "LVM", "MDD"))
_ATOP_SHARES = {"user": "user", "sys": "system", "idle": "idle", "wait": "iowait", "steal": "steal"}
_ATOP_FIELDS = {
    "CPU": "cpu_percent", "MEM": "memory_percent", "DSK": "io_percent", "RDDSK": "read", "WRDSK": "write", "S": "state",
}  # fmt: skip


class _Sample(msgspec.Struct):
    """What one interval of atop shows: cells of the system lines by label, with the line that shows them."""

    cells: dict[str, tuple[int, dict[str, str]]] = msgspec.field(default_factory=dict)
    disks: dict[str, tuple[int, str]] = msgspec.field(default_factory=dict)
    columns: list[str] = msgspec.field(default_factory=list)
    processes: list[_Process] = msgspec.field(default_factory=list)


def parse_atop(document: Document) -> Iterator[Fact]:
    """``cpu``, ``memory``, each ``disk`` and the notable ``process`` rows of each interval of ``atop``.

    atop sums shares over all cores; they are divided by the number of cores. The header names the host.
    """
    host: str | None = None
    samples = [_Sample()]
    for index, line in lines_of(document):
        if head := _ATOP_HEAD.match(line):
            host = host or head["host"]
            if samples[-1].cells and len(samples) == SCREEN_LIMIT:
                break
            if samples[-1].cells:
                samples.append(_Sample())
        else:
            _read_atop_line(samples[-1], index, line)
    node = node_of(document, host)
    for sample in samples:
        yield from _sample_facts(document, node, sample)


def _read_atop_line(sample: _Sample, index: int, line: str) -> None:
    cells = [cell.strip() for cell in line.split("|")[:40]]
    if len(cells) > 2 and cells[0] in _ATOP_LABELS:
        pairs = dict(pair for cell in cells[1:] if len(pair := cell.split(None, 1)) == 2)
        if cells[0] in {"DSK", "LVM", "MDD"}:
            sample.disks.setdefault(cells[1], (index, pairs.get("busy", "")))
        else:
            sample.cells.setdefault(cells[0], (index, pairs))
        return
    words = line.split()
    if "PID" in words[:2] and "CMD" in words:
        sample.columns = words[: words.index("CMD") + 1]
    elif sample.columns and (row := _atop_row(sample.columns, line)):
        sample.processes.append(_Process(index, row))


def _atop_row(columns: Sequence[str], line: str) -> Fields | None:
    words = line.split(None, len(columns) - 1)
    if len(words) < len(columns) or not words[0].isdecimal():
        return None
    fields: Fields = {"pid": _pid(words[0]), "command": words[-1]}
    for column, word in zip(columns[:-1], words, strict=False):
        if name := _ATOP_FIELDS.get(column):
            fields[name] = number(word) if name.endswith("_percent") else word
    return fields


def _sample_facts(document: Document, node: Entity, sample: _Sample) -> Iterator[Fact]:
    yield from _atop_cpu(document, node, sample)
    if "MEM" in sample.cells:
        index, cells = sample.cells["MEM"]
        swap_at, swap = sample.cells.get("SWP", (index, {}))
        yield fact_at(document, "memory", node, _atop_memory(cells, swap), index, swap_at)
    for device, (index, busy) in list(sample.disks.items())[:PROCESS_LIMIT]:
        if (percent := number(busy)) is not None:
            yield fact_at(document, "disk", node, {"device": device, "busy_percent": percent}, index)
    yield from _notable(document, node, sample.processes)


def _atop_cpu(document: Document, node: Entity, sample: _Sample) -> Iterator[Fact]:
    index, cells = sample.cells.get("CPU", (None, {}))
    load_at, load = sample.cells.get("CPL", (None, {}))
    places = [place for place in (index, load_at) if place is not None]
    if not places:
        return
    shares = {name: float(share) for cell, name in _ATOP_SHARES.items() if (share := number(cells.get(cell, ""))) is not None}
    cores = number(load.get("numcpu", "")) or round(sum(shares.values()) / 100)
    fields: Fields = {"load1": number(load.get("avg1", "")), "cores": int(cores) or None}
    fields.update({name: round(share / max(1, cores), 2) for name, share in shares.items()})
    yield fact_at(document, "cpu", node, fields, *places)


def _atop_memory(cells: dict[str, str], swap: dict[str, str]) -> Fields:
    total = size_bytes(cells.get("tot", ""))
    swap_total, swap_free = size_bytes(swap.get("tot", "")), size_bytes(swap.get("free", ""))
    available = size_bytes(cells.get("avail", ""))
    if available is None and "free" in cells:
        available = sum(size_bytes(cells.get(name, "")) or 0 for name in ("free", "cache", "buff"))
    return {
        "total_bytes": total,
        "available_bytes": available,
        "available_percent": percent_of(available, total),
        "swap_total_bytes": swap_total,
        "swap_used_bytes": None if swap_total is None or swap_free is None else max(0, swap_total - swap_free),
    }


PARSERS: dict[str, Parser] = {"top": parse_top, "iotop": parse_iotop, "atop": parse_atop}
RECOGNISERS: list[tuple[str, re.Pattern[str]]] = [
    ("atop", re.compile(r"(?m)^[ \t]*ATOP - [\w.-]+[ \t]+\d{4}[/-]\d\d[/-]\d\d")),
    ("atop", re.compile(r"(?m)^(?:DSK|CPL|PRC) \|[^|\n]{1,40}\|[^|\n]{1,40}\|")),
    ("iotop", re.compile(r"(?m)^[ \t]*Total DISK READ ?:")),
    ("iotop", re.compile(r"(?m)^[ \t]*[TP]ID[ \t]+PRIO[ \t]+USER[ \t]+DISK READ")),
    ("top", re.compile(r"(?m)^[ \t]*top - \d\d:\d\d:\d\d")),
    ("top", re.compile(r"(?m)^[ \t]*%?Cpu(?:\(s\)|\d{1,3} {0,2}) ?: {0,3}\d{1,3}[.,]\d ?%?[ \t]?us\b")),
    ("top", re.compile(r"(?m)^[ \t]*PID[ \t]+USER[ \t]+PR[ \t]+NI[ \t]+VIRT\b")),
]
