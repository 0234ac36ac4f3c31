"""All literals of all text signals at once: which lines could interest any case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate

from kubecause.literal_search import LiteralScanner

_SQUEEZE = re.compile(r"[^0-9a-z]+")
_PIECE = re.compile(r"[^\"'\\`“”‘’\s]+(?:[ ][^\"'\\`“”‘’\s]+)*")
MIN_SQUEEZED = 14  # characters; shorter ones turn up by chance once blanks are gone


def squeezed(text: str) -> str:
    """Lower-case letters and digits only: what survives wrapping, quoting, escaping and copying out of a PDF."""
    return _SQUEEZE.sub("", text.lower())


def searchable(literal: str) -> str:
    """The longest piece of a literal without quotes and escapes, which logs write in many ways."""
    return max(_PIECE.findall(literal), key=len, default=literal).strip()


class LiteralFilter:
    """Finds the lines that hold a literal.

    :param literals: as case files write them; letters' case does not count.
    """

    def __init__(self, literals: Iterable[str]) -> None:
        self.literals_list = sorted({literal for literal in literals if literal})
        self._pieces = [searchable(literal).lower() for literal in self.literals_list]
        self._squeezed = [squeezed(literal) for literal in self.literals_list]
        self._scanner = LiteralScanner([piece.encode() for piece in self._pieces])

    def literals(self, lines: Sequence[str]) -> dict[int, frozenset[int]]:
        """Index of each interesting line → the literals in it."""
        if not lines or not self.literals_list:
            return {}
        data = "\n".join(lines).encode("utf-8", "replace")
        found = self._scanner.scan(data)
        if not found:
            return {}
        ends = list(accumulate(len(line.encode("utf-8", "replace")) + 1 for line in lines))
        hits: dict[int, set[int]] = {}
        line = 0
        for position, literal in sorted(found):
            while position > ends[line]:
                line += 1
            hits.setdefault(line, set()).add(literal)
        return {index: frozenset(ids) for index, ids in hits.items()}

    def squeezed(self, lines: Sequence[str]) -> list[tuple[int, int, int]]:
        """Long literals found after all blanks, quotes and punctuation are dropped: literal, first and last line."""
        parts = [squeezed(line) for line in lines]
        text = "".join(parts)
        ends = list(accumulate(len(part) for part in parts))
        found = []
        for number, literal in enumerate(self._squeezed):
            start = text.find(literal) if len(literal) >= MIN_SQUEEZED else -1
            if start >= 0:
                found.append((number, _line_at(ends, start), _line_at(ends, start + len(literal) - 1)))
        return found


def _line_at(ends: list[int], position: int) -> int:
    return next(index for index, end in enumerate(ends) if position < end)
