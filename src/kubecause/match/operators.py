"""The operators of ``where: {field|operator: value}``, in one table."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

_pattern = lru_cache(maxsize=4096)(re.compile)


def _matches(have: Any, want: Any) -> bool:
    return have is not None and bool(_pattern(str(want), re.IGNORECASE).search(str(have)[:10_000]))


def _contains(have: Any, want: Any) -> bool:
    wanted = want if isinstance(want, list) else [want]
    return have is not None and any(str(part).lower() in str(have).lower() for part in wanted)


def _compared(compare: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    def check(have: Any, want: Any) -> bool:
        return isinstance(have, (int, float)) and not isinstance(have, bool) and compare(float(have), float(want))

    return check


def _outside(have: Any, want: Any) -> bool:
    try:
        network = ipaddress.ip_network(str(want), strict=False)
        return ipaddress.ip_interface(str(have)).ip not in network
    except ValueError:
        return False


def _equals(have: Any, want: Any) -> bool:
    if isinstance(want, list):
        return any(_equals(have, part) for part in want)
    if isinstance(want, bool) or isinstance(have, bool):
        return (str(have).lower() if have is not None else None) == str(want).lower()
    if isinstance(want, str):
        return have is not None and str(have).lower() == want.lower()
    return bool(have == want)


def _edge(check: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def run(have: Any, want: Any) -> bool:
        wanted = want if isinstance(want, list) else [want]
        return have is not None and any(check(str(have), str(part)) for part in wanted)

    return run


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "": _equals,
    "in": _equals,
    "not": lambda have, want: not _equals(have, want),
    "contains": _contains,
    "matches": _matches,
    "gt": _compared(lambda a, b: a > b),
    "gte": _compared(lambda a, b: a >= b),
    "lt": _compared(lambda a, b: a < b),
    "lte": _compared(lambda a, b: a <= b),
    "exists": lambda have, want: (have is not None) == bool(want),
    "starts": _edge(str.startswith),
    "ends": _edge(str.endswith),
    "outside": _outside,
}


class Where:
    """The conditions of a ``where``, made ready: thousands of facts are held against hundreds of them."""

    def __init__(self, where: Mapping[str, Any]) -> None:
        self._conditions = [
            (name, OPERATORS[operator], want) for key, want in where.items() for name, _, operator in [key.partition("|")]
        ]

    def telling(self) -> tuple[str, frozenset[str]] | None:
        """A field and its values (lower case), without one of which the conditions do not hold; None where no field is so."""
        for name, check, want in self._conditions:
            wanted = want if isinstance(want, list) else [want]
            if check is _equals and all(isinstance(part, (str, bool)) for part in wanted):
                return name, frozenset(str(part).lower() for part in wanted)
        return None

    def holds(self, fields: Mapping[str, Any]) -> bool:
        """True when every condition holds for the fields of a fact."""
        for name, check, want in self._conditions:  # noqa: SIM110 - a generator takes 1.4 to 2.3 times as long
            if not check(fields.get(name), want):
                return False
        return True
