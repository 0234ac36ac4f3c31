"""A meaning: one sentence in two languages and the faults it points at; states and exit codes have one each."""

from __future__ import annotations

import msgspec

from kubecause.text import Text


class Meaning(msgspec.Struct, frozen=True):
    """What a state or exit code means.

    :param faults: ids of the faults it points at: symptoms whose causes are computed, or causes themselves.
    """

    text: Text
    faults: tuple[str, ...] = ()


def means(en: str, zh: str, *faults: str) -> Meaning:
    """Write a meaning in one call."""
    return Meaning(Text(en=en, zh=zh), faults)
