"""What may be wrong with a regular expression of a case: it does not compile, or a hostile line makes it run forever.

A pattern is read with a small scanner of its own, since Python's parse tree is not public.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_TOKEN = re.compile(
    r"(?P<open>\((?:\?(?:P<\w*>|P=\w+\)|[:=!>]|<[=!]|#[^)]*\)|[a-zA-Z-]*\)|[a-zA-Z-]+:))?)"
    r"|(?P<close>\))"
    r"|(?P<repeat>(?:[*+?]|\{(?:[0-9]+(?:,[0-9]*)?|,[0-9]*)\})[?+]?)"
    r"|(?P<one>\\.|\[\^?\]?(?:\\.|[^]\\])*\]|.)",
    re.DOTALL,
)
_GROUP = re.compile(r"\(\?P<(\w+)>")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
MANY = 10  # a part repeated this often counts as repeated without end
MAX_OPEN_WILDCARDS = 2


class _Group(msgspec.Struct):
    risky: bool = False  # holds a part that repeats without end, or alternatives


def pattern_problems(pattern: str) -> Iterator[str]:
    """What makes a pattern unfit for text nobody controls, one sentence each."""
    try:
        re.compile(pattern)
    except re.error as error:
        yield f"does not compile: {error}"
        return
    except (OverflowError, RecursionError):
        yield "does not compile: too large"
        return
    for name in _GROUP.findall(pattern):
        if not _NAME.fullmatch(name):
            yield f"group name {name}: use a to z, 0 to 9 and _, so that <{name.lower()}> can stand in texts"
    nested, wildcards = _scan(pattern)
    if nested:
        yield f"repeats a part that itself repeats or has alternatives (`{nested}`); a hostile line makes it run forever"
    if wildcards > MAX_OPEN_WILDCARDS:
        yield f"has {wildcards} open wildcards (.* or .+), at most {MAX_OPEN_WILDCARDS}; bound them, as in .{{0,200}}"


def _scan(pattern: str) -> tuple[str | None, int]:
    """The first repetition inside a repetition, and the number of ``.*`` and ``.+``."""
    stack = [(_Group(), 0)]
    nested = None
    wildcards = 0
    last = _Group()  # what a repetition would repeat
    last_at = 0
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if token["open"] and not (text.endswith(")") and len(text) > 1):
            stack.append((_Group(), token.start()))
        elif token["close"] and len(stack) > 1:
            last, last_at = stack.pop()
            stack[-1][0].risky |= last.risky
        elif token["repeat"] and _endless(text):
            if last.risky and nested is None:
                nested = pattern[last_at : token.end()]
            wildcards += pattern[last_at : token.start()] == "."
            stack[-1][0].risky = True
        elif text == "|":
            stack[-1][0].risky = True
        elif token["one"]:
            last, last_at = _Group(), token.start()
    return nested, wildcards


def _endless(repeat: str) -> bool:
    if repeat[0] in "*+":
        return True
    if repeat[0] == "?":
        return False
    low, comma, high = repeat.rstrip("?+").strip("{}").partition(",")
    most = high if comma else low
    return not most or int(most) >= MANY
