"""What the parsers of host commands share: whose machine a text speaks of, which line shows it, what its numbers mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from kubecause.model import Document, Entity, Fact, Proof

LINE_LIMIT = 4096  # characters of a line that are read: a hostile line must not cost more than a long honest one

PROOF_LIMIT = 10  # lines shown for one fact

FieldValue = str | int | float | bool
Parser = Callable[[Document], Iterator[Fact]]

_NUMBER = re.compile(r"[+-]?\d{1,18}(?:[.,]\d{1,9})?")
_SIZE = re.compile(r"(\d{1,18}(?:[.,]\d{1,9})?) ?([kKMGTPE]?)i?B?")
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}


def lines_of(document: Document) -> Iterator[tuple[int, str]]:
    """The lines of a document with their index, cut to ``LINE_LIMIT`` and without blanks at the end."""
    for index, line in enumerate(document.lines):
        yield index, line[:LINE_LIMIT].rstrip()


def node_of(document: Document, printed: str | None = None) -> Entity:
    """The machine a document was printed on.

    :param printed: host name that the text itself shows; used when nothing else names the machine. In lower case,
        as the kubelet registers host names.
    """
    name = document.host or document.hints.get("node") or (printed.lower() if printed else None)
    return Entity("Node", name=name, scope=None if name else document.scope)


def unnamed(document: Document, kind: str) -> Entity:
    """An entity that the document does not name."""
    return Entity(kind, name=None, scope=document.scope)


def fact_at(document: Document, kind: str, entity: Entity, fields: Mapping[str, FieldValue | None], *indexes: int) -> Fact:
    """A fact proved by lines of a document.

    :param fields: values by name; ``None`` means unknown and leaves the field out.
    :param indexes: positions in ``document.lines``, the most telling first.
    """
    proofs = tuple(
        Proof(source=document.source, line=document.first_line + index, text=document.lines[index][:LINE_LIMIT].strip())
        for index in list(dict.fromkeys(indexes))[:PROOF_LIMIT]
    )
    known = {name: value for name, value in fields.items() if value is not None}
    return Fact(kind, entity, known, proofs, document.scope)


def number(text: str) -> int | float | None:
    """A number as tools print it: ``7``, ``7.5``, ``7,5`` (decimal comma), ``7.5%``; ``None`` for anything else."""
    text = text.strip().removesuffix("%").strip()
    if not _NUMBER.fullmatch(text):
        return None
    text = text.replace(",", ".")
    return float(text) if "." in text else int(text)


def size_bytes(text: str, *, plain_unit: int = 1, base: int = 1024) -> int | None:
    """A size in bytes: ``3.7G``, ``32865032k``, ``16Gi``, ``0B``; ``None`` when it is not a size.

    :param plain_unit: bytes that a number without a unit counts.
    :param base: 1024 for procps and coreutils, 1000 for tools that print SI units.
    """
    found = _SIZE.fullmatch(text.strip())
    if not found:
        return None
    value = float(found[1].replace(",", "."))
    unit = found[2].upper()
    plain = not unit and not text.strip().endswith("B")
    return round(value * (plain_unit if plain else base ** _POWERS[unit]))


def percent_of(part: int | None, whole: int | None) -> float | None:
    """``part`` of ``whole`` in percent with one digit, where both are known."""
    if part is None or not whole:
        return None
    return round(100 * part / whole, 1)
