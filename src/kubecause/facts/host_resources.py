"""Disk and memory of a machine: ``df``, ``df -i`` and ``free``, in any language; joins in ``top``, ``iotop`` and ``atop``.

Rows are read by their shape and headers only tell units, for headers are translated, cut or filtered away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubecause.facts import host_processes
from kubecause.facts.host_output import FieldValue, Parser, fact_at, lines_of, node_of, number, percent_of, size_bytes
from kubecause.model import Document, Fact

ROW_LIMIT = 2000

# --- df ---------------------------------------------------------------------------------------------------

_DF_HEAD_WORDS = (
    r"(?:Filesystem|File system|文件系统|檔案系統|ファイルシス|파일 ?시스템|Файл"
    r"|Dateisystem|Sys\. de fichiers|S\.ficheros|Sist\. Arq\.)"
)
_DF_HEAD = re.compile(rf"\s*{_DF_HEAD_WORDS}\S*\s.{{0,200}}?(?:%|Capacity)")
_INODE_WORDS = r"(?:\b[Ii]-?[Nn]odes?\b|\bIUse%|\(I\)|iノード|아이노드)"
_INODE_HEAD = re.compile(_INODE_WORDS)
_BLOCK_SIZE = re.compile(r"(?<![\w.])(\d{1,4})([KMG]?)B?-[^\W\d]|de (\d{1,4})([KMG]?)(?:\s|$)")
_PERCENT = re.compile(r"\d{1,3}%")
_INODES_ASKED = re.compile(r"\bdf\s(?:.{0,60}\s)?-(?:[a-zA-Z]*i[a-zA-Z]*\b|-inodes\b)")
_SI_ASKED = re.compile(r"\bdf\s(?:.{0,60}\s)?-(?:[a-zA-Z]*H|-si\b)")
_SNAPS = ("/snap/", "/var/lib/snapd/")  # read-only images: always full
_REPEATS = re.compile(
    r"/(?:overlay2?|aufs|devicemapper)/.{0,200}/merged$|/run/(?:k3s/)?containerd/.{0,200}/(?:rootfs|shm)$|/containers/.{0,200}/(?:shm|merged)$"
    r"|/var/lib/kubelet/.{0,200}/kubernetes\.io~(?:projected|secret|configmap|empty-dir|downward-api)/",
)  # container roots and tmpfs volumes: they repeat the disk below them


def parse_df(document: Document) -> Iterator[Fact]:
    """``filesystem`` of each row of ``df`` or ``df -i``: used percent, free bytes or inodes used percent.

    Rows may be wrapped (the device alone on its line). Read-only images (snaps, CDs), and container roots that repeat
    the file system below them, give no fact.
    """
    inodes = document.kind == "df-inodes" or bool(_INODES_ASKED.search(document.command or ""))
    base = 1000 if _SI_ASKED.search(document.command or "") else 1024
    plain_unit: int | None = None
    device, count = "", 0
    for index, line in lines_of(document):
        if _DF_HEAD.match(line):
            inodes, plain_unit = bool(_INODE_HEAD.search(line)), _plain_unit(line)
            continue
        words = line.split()
        place = _percent_place(words)
        if place is None:
            device = words[0] if len(words) == 1 else ""
            continue
        device = words[0] if place > 3 else device
        mount = line.split(None, place + 1)[place + 1] if len(words) > place + 1 else ""
        used = number(words[place])
        if not mount.startswith("/") or used is None or _uninteresting(device, mount):
            continue
        if inodes:
            fields: dict[str, FieldValue | None] = {"mount": mount, "inodes_percent": used}
        else:
            sizes = words[place - 3 : place]
            unit = plain_unit or (1 if any(size[-1].isalpha() for size in sizes) else 1024)
            fields = {"mount": mount, "used_percent": used, "available_bytes": size_bytes(sizes[2], plain_unit=unit, base=base)}
        yield fact_at(document, "filesystem", node_of(document), fields, index)
        count += 1
        if count == ROW_LIMIT:
            return


def _percent_place(words: list[str]) -> int | None:
    """Position of the percentage in a row: the first one with three sizes before it."""
    for place in range(3, min(len(words), 40)):
        if _PERCENT.fullmatch(words[place]) and all(size_bytes(word) is not None for word in words[place - 3 : place]):
            return place
    return None


def _plain_unit(header: str) -> int:
    """Bytes of a number without a unit: ``1K-blocks`` says 1024, ``Size`` (human readable) says 1."""
    found = _BLOCK_SIZE.search(header)
    if not found:
        return 1
    power = " KMG".index(found[2] or found[4] or " ")
    return int(found[1] or found[3]) << (10 * power)


def _uninteresting(device: str, mount: str) -> bool:
    return mount.startswith(_SNAPS) or device.startswith("/dev/sr") or bool(_REPEATS.search(mount))


# --- free -------------------------------------------------------------------------------------------------

_MEMORY_ROW = re.compile(r"\s*(?:Mem|Speicher|内存|記憶體|Память|メモリ|메모리|Memória|Memoria) ?\.? ?[:：]\s*(?P<rest>\d.*)")
_SWAP_ROW = re.compile(
    r"\s*(?:Swap|交换|交換|置換|スワップ|스왑|Auslager|Подкачка|Échange|Partition d'échange|Intercambio) ?\.? ?[:：]"
    r"\s*(?P<rest>\d.*)",
)
_CACHE_ROW = re.compile(r"\s*-/\+[^:：]{0,40}[:：]\s*(?P<rest>\d.*)")
_FREE_COMMAND = re.compile(r"\bfree\b(?P<options>[^|;&]{0,100})")
_FREE_UNITS = (
    (re.compile(r"\s-\w*b|--bytes"), 1),
    (re.compile(r"\s-\w*m|--mebi"), 1024**2),
    (re.compile(r"\s-\w*g|--gibi"), 1024**3),
    (re.compile(r"--tebi"), 1024**4),
    (re.compile(r"--kilo"), 1000),
    (re.compile(r"--mega"), 1000**2),
    (re.compile(r"--giga"), 1000**3),
)
_SMALLEST_NODE = 256  # a machine with less than 256 MiB runs no kubelet: smaller totals are in a larger unit


def parse_free(document: Document) -> Iterator[Fact]:
    """``memory`` from ``free``: total, available (old format: free without buffers and cache) and swap, in bytes.

    Without the command the unit of plain numbers is taken from their size: KiB unless that is too small for a node.
    """
    numbers: dict[str, list[str]] = {}
    places: dict[str, int] = {}
    for index, line in lines_of(document):
        for name, pattern in (("memory", _MEMORY_ROW), ("swap", _SWAP_ROW), ("cache", _CACHE_ROW)):
            if name not in numbers and (found := pattern.match(line)):
                numbers[name], places[name] = found["rest"].split(), index
    if "memory" not in numbers:
        return
    memory, swap, cache = numbers["memory"], numbers.get("swap", []), numbers.get("cache", [])
    unit = _free_unit(document, memory[0])
    total = size_bytes(memory[0], plain_unit=unit)
    if len(cache) > 1:
        available = size_bytes(cache[1], plain_unit=unit)
    elif len(memory) >= 6:
        available = size_bytes(memory[-1], plain_unit=unit)
    else:
        available = None
    fields: dict[str, FieldValue | None] = {
        "total_bytes": total,
        "available_bytes": available,
        "available_percent": percent_of(available, total),
        "swap_total_bytes": size_bytes(swap[0], plain_unit=unit) if swap else None,
        "swap_used_bytes": size_bytes(swap[1], plain_unit=unit) if len(swap) > 1 else None,
    }
    order = [places[name] for name in ("memory", "cache", "swap") if name in places]
    yield fact_at(document, "memory", node_of(document), fields, *order)


def _free_unit(document: Document, total: str) -> int:
    """Bytes of a number without a unit."""
    if command := _FREE_COMMAND.search(document.command or ""):
        return next((unit for pattern, unit in _FREE_UNITS if pattern.search(command["options"])), 1024)
    size = number(total) or 0
    if size < _SMALLEST_NODE:
        return 1024**3
    return 1024**2 if size < _SMALLEST_NODE * 1024 else 1024


PARSERS: dict[str, Parser] = {
    "df": parse_df,
    "df-inodes": parse_df,
    "free": parse_free,
    **host_processes.PARSERS,
}
RECOGNISERS: list[tuple[str, re.Pattern[str]]] = [
    *host_processes.RECOGNISERS,
    ("df-inodes", re.compile(rf"(?m)^{_DF_HEAD_WORDS}(?=[^\n]{{0,80}}{_INODE_WORDS})[^\n%]{{0,120}}%")),
    ("df", re.compile(rf"(?m)^{_DF_HEAD_WORDS}(?![^\n]{{0,80}}{_INODE_WORDS})[^\n%]{{0,120}}(?:%|Capacity[ \t]+Mounted)")),
    ("free", re.compile(r"(?m)^[ \t]+total[ \t]+used[ \t]+free[ \t]+shared[ \t]+buff")),
    (
        "free",
        re.compile(r"(?m)^(?:Mem|Speicher|内存|記憶體|Память|メモリ) ?[:：](?:[ \t]+\d[\d.,]{0,15}[KMGTPi]{0,2}B?){6,7}[ \t]*$"),
    ),
]
