"""A meaning: one sentence in two languages and the faults it points at; states and exit codes have one each."""

from __future__ import annotations

from dataclasses import dataclass

from kubecause.text import Text


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a state or exit code means.

    :param faults: ids of the faults it points at: symptoms whose causes are computed, or causes themselves.
    """

    text: Text
    faults: tuple[str, ...] = ()


def means(en: str, zh: str, *faults: str) -> Meaning:
    """Write a meaning in one call."""
    return Meaning(Text(en=en, zh=zh), faults)
