"""Text on lines of a given width: breaking (Chinese too) and shortening around what matters. Widths are terminal cells."""

from __future__ import annotations

import re

from rich.cells import cell_len, chop_cells

_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003ffff"
_ATOM = re.compile(rf"\s+|[{_WIDE}]|[^\s{_WIDE}]+")
# Chinese line breaking (GB/T 15834): these open no line, those close none.
_NO_START = frozenset("，。；：！？、）】》」』”’…％·")
_NO_END = frozenset("（【《「『“‘")

# Words that stand where a log line says what went wrong.
_TROUBLE = re.compile(
    r"error|fail|denied|refused|forbidden|unauthorized|cannot|can't|unable|not found|no such|timed? ?out|exceed|invalid|"
    r"unknown|unreachable|no space|pressure|insufficient|didn't|already|mismatch|missing|expired|killed|evict|"
    r"unschedulable|no route|x509",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z0-9][\w.:/-]{2,60}")
_SEARCHED = 20_000  # of a longer line only this much is searched for what matters


def wrap(text: str, width: int) -> list[str]:
    """Break text into lines of at most ``width`` cells: at blanks, and between Chinese characters."""
    lines: list[str] = []
    line, used = "", 0
    for blank, atom in _atoms(text):
        size = cell_len(atom)
        if line and used + blank + size <= width:
            line += " " * blank + atom
            used += blank + size
            continue
        if line:
            lines.append(line)
        *full, line = chop_cells(atom, width) if size > width else [atom]
        lines += full
        used = cell_len(line)
    return [*lines, line] if line else lines


def _atoms(text: str) -> list[tuple[int, str]]:
    """What must stay together, each with the number of blanks before it (0 or 1)."""
    atoms: list[tuple[int, str]] = []
    blank = 0
    for atom in _ATOM.findall(text):
        if atom.isspace():
            blank = 1
        elif not blank and atoms and (atom[0] in _NO_START or atoms[-1][1][-1] in _NO_END):
            atoms[-1] = (atoms[-1][0], atoms[-1][1] + atom)
        else:
            atoms.append((blank, atom))
            blank = 0
    return atoms


def shorten(text: str, width: int, about: str, mark: str) -> str:
    """At most ``width`` cells of a line: the stretch that says most about ``about``, with ``mark`` where text is left out.

    Words of ``about`` (title, meaning) and words of trouble count for a stretch. The last of the best ones is taken: errors
    of Kubernetes wrap one another, and the cause comes last.
    """
    if cell_len(text) <= width:
        return text
    room = max(width - 2 * cell_len(mark), 8)
    start = _best_start(text[:_SEARCHED], room, {word.casefold() for word in _WORD.findall(about)})
    head = mark if start else ""
    kept = fit(text[start:], width - cell_len(head))
    if start + len(kept) == len(text):
        return head + kept
    kept = fit(text[start:], width - cell_len(head) - cell_len(mark))
    at_blank = kept.rfind(" ", max(len(kept) - 15, 1))
    return head + kept[: at_blank if at_blank > 0 else None].rstrip(" .,;:") + mark


def _best_start(text: str, room: int, wanted: set[str]) -> int:
    """Where a stretch of ``room`` characters holds the most telling words; 0 when the beginning holds as many."""
    hits = [(found.start(), found.end(), found[0].casefold()) for found in _TROUBLE.finditer(text)]
    hits += [(found.start(), found.end(), word) for found in _WORD.finditer(text) if (word := found[0].casefold()) in wanted]
    hits.sort()
    at_head = len({word for _, end, word in hits if end <= room})
    best, best_start, best_end = at_head, 0, 0
    first = 0
    counts: dict[str, int] = {}
    for begin, end, word in hits:
        counts[word] = counts.get(word, 0) + 1
        while end - hits[first][0] > room and hits[first][0] < begin:
            gone = hits[first][2]
            counts[gone] -= 1
            if not counts[gone]:
                del counts[gone]
            first += 1
        if len(counts) >= best:
            best, best_start, best_end = len(counts), hits[first][0], end
    if best == at_head or not best_start:
        return 0
    spare = room - (best_end - best_start)
    return _lead_in(text, best_start, max(0, min(best_start - spare // 3, len(text) - room)))


def _lead_in(text: str, start: int, earliest: int) -> int:
    """The first beginning of a word from ``earliest`` on, at most ``start``."""
    if not earliest or text[earliest - 1] == " ":
        return earliest
    blank = text.find(" ", earliest, start)
    return blank + 1 if blank >= 0 else min(earliest, start)


def fit(text: str, width: int) -> str:
    """The longest beginning of a text that fits into so many cells."""
    if cell_len(text[: width + 1]) <= width:
        return text[:width]
    low, high = 0, width
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if cell_len(text[:middle]) <= width else (low, middle - 1)
    return text[:low]
