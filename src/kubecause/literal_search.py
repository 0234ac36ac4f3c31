"""Many literals searched for at once, whatever the case of their letters.

``hyperscan`` does it in one pass (about 1 GB/s a core). Where no wheel of it exists ``bytes.find`` gives the same answer
slowly; for the first bytes it is faster, since hyperscan takes 5 ms to load, and 50 ms to get ready for 1,800 literals, unless
that was kept in the user's cache.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from typing import Any

from kubecause import user_cache

PLAIN_WORK = 10_000_000  # bytes times literals: about 8 ms of ``bytes.find``
_MANY = 200  # literals that take longer to get ready for than to read what was made ready before
_KEPT = "literals.hyperscan"

Places = list[tuple[int, int]]
"""Where matches end (the position behind the last byte), and the number of the literal."""


class LiteralScanner:
    """Finds literals in blocks of bytes; overlapping ones and those within others too."""

    def __init__(self, literals: Sequence[bytes]) -> None:
        self._literals = [literal.lower() for literal in literals]
        self._search = plain_search(self._literals)
        self._left = PLAIN_WORK / len(literals) if literals else inf
        self._turn = threading.Lock()  # hyperscan's scratch space is for one search at a time

    def scan(self, data: bytes) -> Places:
        """All places, in no order. Safe to call from several threads."""
        with self._turn:
            self._left -= len(data)
            if self._left < 0:
                self._left = inf
                with suppress(ImportError):
                    self._search = hyperscan_search(self._literals)
            return self._search(data)


def plain_search(literals: Sequence[bytes]) -> Callable[[bytes], Places]:
    """What finds literals in lower case one after the other."""

    def scan(data: bytes) -> Places:
        found = []
        lowered = data.lower()
        for number, literal in enumerate(literals):
            at = lowered.find(literal)
            while at >= 0:
                found.append((at + len(literal), number))
                at = lowered.find(literal, at + 1)
        return found

    return scan


def hyperscan_search(literals: Sequence[bytes]) -> Callable[[bytes], Places]:
    """What finds literals in lower case in one pass.

    :raises ImportError: hyperscan is not installed.
    """
    database = _database(literals)

    def scan(data: bytes) -> Places:
        found: Places = []

        def note(literal: int, _start: int, end: int, _flags: int, _context: Any) -> None:
            found.append((end, literal))

        database.scan(data, match_event_handler=note)
        return found

    return scan


def _database(literals: Sequence[bytes]) -> Any:
    """What hyperscan searches with: made now, or by an earlier run.

    :raises ImportError: hyperscan is not installed.
    """
    import hyperscan

    if len(literals) < _MANY:
        return _compiled(literals)
    made_of = _digest(b"\0".join([str(getattr(hyperscan, "__version__", "")).encode(), *literals]))
    kept = user_cache.read(_KEPT) or b""
    data = kept[2 * len(made_of) :]
    if kept.startswith(made_of + _digest(data)):  # hyperscan itself may take damaged data, and fall over it later
        with suppress(hyperscan.error, TypeError, AttributeError):  # of another processor; an older hyperscan
            database = hyperscan.loadb(data, hyperscan.HS_MODE_BLOCK)
            database.scratch = hyperscan.Scratch(database)
            return database
    database = _compiled(literals)
    with suppress(hyperscan.error, TypeError, AttributeError):
        data = hyperscan.dumpb(database)
        user_cache.write(_KEPT, made_of + _digest(data) + data)
    return database


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _compiled(literals: Sequence[bytes]) -> Any:
    import hyperscan

    database = hyperscan.Database()
    database.compile(
        expressions=list(literals),
        ids=list(range(len(literals))),
        elements=len(literals),
        flags=[hyperscan.HS_FLAG_CASELESS] * len(literals),
        literal=True,
    )
    return database
