"""Which lines of a text could hold a secret: one pass over all of it for words without which there is none.

The words are a superset: every rule of ``secret_shapes.py`` and ``redact.py`` needs one of them in its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from kubecause.evidence.secret_names import NAME_LITERALS
from kubecause.evidence.secret_shapes import MAKER_LITERALS
from kubecause.literal_search import LiteralScanner

LONG = 16_384  # characters; longer lines are JSON as a rule and are looked at piece by piece

_LITERALS = tuple(
    literal.encode()
    for literal in (
        *NAME_LITERALS, *MAKER_LITERALS, "bearer", "@tcp(", "@unix(", "@udp(", "jdbc:oracle", "identified", " -p", '"-p', "'-p",
        "curl", "redis-cli", "ldap", "hooks.slack", "/open-apis/bot", "密码", "口令", "密钥", "令牌", "密匙",
    )
)  # fmt: skip
_BOOTSTRAP = re.compile(rb"\.[a-z0-9]{16}(?![a-z0-9])")


def candidates(lines: Sequence[str]) -> list[int]:
    """Numbers of the lines that could hold or start a secret, ascending."""
    text = "\n".join(lines).encode("utf-8", "surrogatepass")
    hits: list[int] = []
    number = position = 0
    for start in sorted(places(text)):
        number += text.count(b"\n", position, start)
        position = start
        if not hits or hits[-1] != number:
            hits.append(number)
    return hits


def places(text: bytes) -> list[int]:
    """Places within the words without which a line holds no secret, in no order."""
    found = [end - 1 for end, _ in _scanner().scan(text)]
    found.extend(_with_user(text))
    found.extend(match.start() for match in _BOOTSTRAP.finditer(text))
    return found


@cache
def _scanner() -> LiteralScanner:
    return LiteralScanner(_LITERALS)


def _with_user(text: bytes) -> Iterator[int]:
    """Places of URLs in lines where an ``@`` follows."""
    at = text.find(b"://")
    while at >= 0:
        end = text.find(b"\n", at)
        end = len(text) if end < 0 else end
        if text.find(b"@", at, end) >= 0:
            yield at
        at = text.find(b"://", end)


def pieces_of(line: str) -> Iterator[str]:
    """A very long line cut between JSON objects, where no secret can be split."""
    start = 0
    while start < len(line):
        end = line.find('},{"', start + LONG)
        if end < 0 or end > start + 16 * LONG:
            near = line.find(',"', start + 8 * LONG)
            end = near if near >= 0 and (end < 0 or near < end) else end
        stop = len(line) if end < 0 else end + 1
        yield line[start:stop]
        start = stop
