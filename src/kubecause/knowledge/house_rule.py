"""What every house rule for case files gets and gives; the rules themselves stand in the ``lint_*`` modules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal

import msgspec

from kubecause.knowledge.catalogue import Fault
from kubecause.knowledge.schema import Case
from kubecause.text import Text

KeyPath = tuple[str | int, ...]
Weight = Literal["error", "warning"]


class House(msgspec.Struct, frozen=True):
    """What a rule may compare a case with.

    :param paths: the paths between entities that ``via`` may name.
    """

    faults: Mapping[str, Fault]
    paths: Collection[str]


class Breach(msgspec.Struct, frozen=True):
    """One broken rule.

    :param at: the key it is about, as ``("fixes", 0, "harm")``.
    """

    at: KeyPath
    message: str
    severity: Weight = "error"


Rule = Callable[[Case, House], Iterator[Breach]]


def texts(record: msgspec.Struct, at: KeyPath = ()) -> Iterator[tuple[KeyPath, Text]]:
    """Every bilingual text of a record and where it stands."""
    for field in msgspec.structs.fields(record):
        below = (*at, field.encode_name)
        value = getattr(record, field.name)
        if isinstance(value, Text):
            yield below, value
        elif isinstance(value, msgspec.Struct):
            yield from texts(value, below)
        elif isinstance(value, (list, dict)):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for key, item in items:
                if isinstance(item, msgspec.Struct):
                    yield from texts(item, (*below, key))
