"""Whether a text says what a text signal looks for: the one definition of literals and patterns in texts.

Letters' case, escaped quotes and runs of blanks do not count in literals; patterns ignore case and see the text as it is.
"""

from __future__ import annotations

import functools
import re

from kubecause.knowledge.schema import Signal

_ESCAPED_QUOTE = re.compile(r"\\{1,20}([\"'])")
_BLANKS = re.compile(r"\s+")


def normal(text: str) -> str:
    """A text as literals see it: lower case, quotes without backslashes, one blank for a run of them."""
    return _BLANKS.sub(" ", _ESCAPED_QUOTE.sub(r"\1", text)).lower()


def has_literals(signal: Signal, normal_text: str) -> bool:
    """Whether one of ``contains``, all of ``with`` and none of ``without`` stand in a text that :func:`normal` made."""
    if signal.contains and not any(_literal(part) in normal_text for part in signal.contains):
        return False
    return all(_literal(part) in normal_text for part in signal.with_) and not any(
        _literal(part) in normal_text for part in signal.without
    )


def says(signal: Signal, text: str, normal_text: str | None = None) -> dict[str, str] | None:
    """The names a text signal binds in a text, or none when the text does not say it.

    :param normal_text: ``normal(text)``, when the caller has it.
    """
    if not has_literals(signal, normal(text) if normal_text is None else normal_text):
        return None
    names: dict[str, str] = {}
    if signal.regex is not None:
        found = _pattern(signal.regex).search(text)
        if found is None:
            return None
        names.update(_groups(found))
    for pattern in signal.capture:
        found = _pattern(pattern).search(text)
        if found is not None:
            names.update(_groups(found))
    return names


def _groups(found: re.Match[str]) -> dict[str, str]:
    return {name: value for name, value in found.groupdict().items() if value}


@functools.lru_cache(maxsize=4096)
def _literal(text: str) -> str:
    return normal(text)


@functools.lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)
