"""Whether a pasted message says what a text signal looks for: for ``explain`` and for the lint of examples.

Letters' case, escaped quotes, typographic quotes and runs of blanks do not count in literals. Patterns ignore case and
see the text without the backslashes before quotes. ``match/signals.py`` does the same for the lines of documents.
"""

from __future__ import annotations

import functools
import re

from kubecause.knowledge.schema import Case, Signal

_ESCAPES = re.compile(r"(?<!\\)\\++(?=[\"'])")  # tried once a run of backslashes, however long it is
_BLANKS = re.compile(r"\s+")
_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "`": "'"})


def normal(text: str) -> str:
    """A text as literals see it: lower case, plain quotes without backslashes, one blank for a run of them."""
    return _BLANKS.sub(" ", _unescaped(text).translate(_QUOTES)).lower()


def _unescaped(text: str) -> str:
    """A text without the backslashes before its quotes."""
    return _ESCAPES.sub("", text) if "\\" in text else text


def says(case: Case, signal: Signal, text: str, normal_text: str | None = None) -> dict[str, str] | None:
    """The names a text signal of a case binds in a text, or none when the text does not say it.

    :param normal_text: ``normal(text)``, when the caller has it.
    :raises re.error: for a pattern that does not compile; lint reports it.
    """
    heard = normal(text) if normal_text is None else normal_text
    if not _has_literals(signal, heard) or any(_literal(other.tell) in heard for other in case.not_this):
        return None
    text = _unescaped(text)
    names: dict[str, str] = {}
    if signal.regex is not None:
        found = _pattern(signal.regex).search(text)
        if found is None:
            return None
        names.update(_groups(found))
    for pattern in signal.capture:
        found = _pattern(pattern).search(text)
        if found is not None:
            names = _groups(found) | names
    return names


def _has_literals(signal: Signal, heard: str) -> bool:
    """Whether one of ``contains``, all of ``with`` and none of ``without`` stand in a text that :func:`normal` made."""
    if signal.contains and not any(_literal(part) in heard for part in signal.contains):
        return False
    return all(_literal(part) in heard for part in signal.with_) and not any(_literal(part) in heard for part in signal.without)


def _groups(found: re.Match[str]) -> dict[str, str]:
    return {name: value for name, value in found.groupdict().items() if value}


@functools.lru_cache(maxsize=4096)
def _literal(text: str) -> str:
    return normal(text)


@functools.lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)
