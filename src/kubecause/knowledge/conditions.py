"""The little language of ``match``, ``confirmed`` and ``possible``: names of signals joined by and, or, not, ( )."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

import msgspec

MAX_LENGTH = 1000
MAX_DEPTH = 30

_Test = Callable[[Collection[str]], bool]
_TOKEN = re.compile(r"\s*(?:(?P<word>[A-Za-z_][\w-]*)|(?P<mark>[()]))", re.ASCII)
_WORDS = ("and", "or", "not")


class Condition(msgspec.Struct, frozen=True, eq=False):
    """A compiled condition.

    :param names: every signal it speaks of.
    :param wanted: those that can help to make it true (not only behind a ``not``).
    """

    text: str
    names: frozenset[str]
    wanted: frozenset[str]
    _test: _Test

    def holds(self, found: Collection[str]) -> bool:
        """Whether it is true when exactly the signals ``found`` hold."""
        return self._test(found)


def compile_condition(text: str) -> Condition:
    """Compile ``(a or b) and not c``; ``not`` binds tighter than ``and``, ``and`` tighter than ``or``.

    :raises ValueError: with the column (from 1) of what cannot be understood.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"longer than {MAX_LENGTH} characters")
    parser = _Parser(text)
    test = parser.any_of(0, wanted=True)
    parser.end()
    return Condition(text, frozenset(parser.names), frozenset(parser.wanted), test)


class _Parser:
    """Recursive descent, one method a level of precedence."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.names: set[str] = set()
        self.wanted: set[str] = set()

    def any_of(self, depth: int, *, wanted: bool) -> _Test:
        parts = [self._all_of(depth, wanted=wanted)]
        while self._take("or"):
            parts.append(self._all_of(depth, wanted=wanted))
        return parts[0] if len(parts) == 1 else lambda found: any(part(found) for part in parts)

    def end(self) -> None:
        word, column = self.tokens[self.at]
        if word:
            raise ValueError(f"column {column}: expected and, or or the end, found `{word}`")

    def _all_of(self, depth: int, *, wanted: bool) -> _Test:
        parts = [self._one(depth, wanted=wanted)]
        while self._take("and"):
            parts.append(self._one(depth, wanted=wanted))
        return parts[0] if len(parts) == 1 else lambda found: all(part(found) for part in parts)

    def _one(self, depth: int, *, wanted: bool) -> _Test:
        word, column = self.tokens[self.at]
        if depth > MAX_DEPTH:
            raise ValueError(f"column {column}: nested deeper than {MAX_DEPTH} levels")
        if self._take("not"):
            inner = self._one(depth + 1, wanted=not wanted)
            return lambda found: not inner(found)
        if self._take("("):
            group = self.any_of(depth + 1, wanted=wanted)
            if not self._take(")"):
                raise ValueError(f"column {column}: this parenthesis is never closed")
            return group
        if not word or word in _WORDS or word == ")":
            raise ValueError(f"column {column}: expected the name of a signal, found {f'`{word}`' if word else 'the end'}")
        self.at += 1
        self.names.add(word)
        if wanted:
            self.wanted.add(word)
        return lambda found: word in found

    def _take(self, word: str) -> bool:
        if self.tokens[self.at][0] != word:
            return False
        self.at += 1
        return True


def _tokens(text: str) -> list[tuple[str, int]]:
    """Words and parentheses with their columns; an empty word marks the end."""
    tokens = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            raise ValueError(f"column {start + 1}: `{text[start]}` is not allowed; join names by and, or, not, ( )")
        kind = found.lastgroup or "word"
        tokens.append((found[kind], found.start(kind) + 1))
        position = found.end()
    return [*tokens, ("", end + 1)]
