"""Kubernetes quantities and durations as numbers.

>>> quantity("100m"), quantity("1Gi"), quantity("1024m")
(0.1, 1073741824.0, 1.024)
>>> duration("4h17m"), duration("3m5.3s"), duration("2d21h")
(15420.0, 185.3, 248400.0)
"""

from __future__ import annotations

import re

_SUFFIX = {
    "": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip
_QUANTITY = re.compile(r"\s*([+-]?\d{1,30}(?:\.\d{0,30})?(?:[eE][+-]?\d{1,3})?)\s*([A-Za-z]{0,2})\s*$")
_DURATION_PART = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ms|us|µs|ns|y|d|h|m|s)")
_SECONDS = {"y": 365 * 86400.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def quantity(text: str | float | None) -> float | None:
    """A quantity as a number of cores, bytes or pieces; None when it is none.

    Format: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    if text is None:
        return None
    if isinstance(text, (int, float)):
        return float(text)
    found = _QUANTITY.match(text)
    if not found or found[2] not in _SUFFIX:
        return None
    return float(found[1]) * _SUFFIX[found[2]]


def duration(text: str | None) -> float | None:
    """An age as kubectl prints it (``5m``, ``4h17m``, ``2d``) in seconds; None when it is none."""
    if not text:
        return None
    text = text.strip()
    total, end = 0.0, 0
    for part in _DURATION_PART.finditer(text):
        if part.start() != end:
            return None
        total += float(part[1]) * _SECONDS[part[2]]
        end = part.end()
    return total if end and end == len(text) else None
