"""The form of a bundle that kubecause saved: a marker, an index of documents and gaps, and one text for each document.

::

    kubecause-bundle.json                                     who saved what of which source, when
    index.jsonl                                               one line for each document and gap, in order
    documents/0007-kubectl_get_pod_web-0_-n_shop.txt          its lines, each with a line end

People can look inside; a program reads back exactly what the source said. A bundle may come from anybody, so nothing
in it is believed before it has the expected type and size, and secrets are cut again when it is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from kubecause.evidence.redact import REDACTED, Redactor, redact_line
from kubecause.evidence.secret_candidates import candidates
from kubecause.model import Channel, Document, Gap

MARKER = "kubecause-bundle.json"
INDEX = "index.jsonl"
VERSION = 1  # grows when an older kubecause could no longer read what is written
DOCUMENTS = "documents"
SOURCE_KINDS = frozenset({"cluster", "node", "capture", "bundle", "text"})
MARKER_BYTES = 1024 * 1024
INDEX_BYTES = 64 * 1024 * 1024
DOCUMENT_BYTES = 100 * 1024 * 1024
_OBJECTS = "objects"  # one JSON object a line; see evidence/cluster/documents.py
_NO_TIME = datetime.fromtimestamp(0, UTC)  # of documents that are thrown away
_UNSAFE = re.compile(r"[^A-Za-z0-9._=-]+")


class Origin(msgspec.Struct):
    """What was diagnosed, as the report names it."""

    kind: str
    name: str


class Marker(msgspec.Struct):
    """What ``kubecause-bundle.json`` says; further fields may be added."""

    format: str
    version: int
    kubecause: str
    source: Origin
    clock: datetime
    documents: int
    gaps: int
    scope: dict[str, Any] = msgspec.field(default_factory=dict)


class DocumentEntry(msgspec.Struct):
    """One document in the index; the fields are those of :class:`kubecause.model.Document`."""

    file: str
    source: str
    kind: str
    channel: Channel
    lines: int
    first_line: int = 1
    command: str | None = None
    host: str | None = None
    hints: dict[str, str] = msgspec.field(default_factory=dict)
    collected: datetime | None = None

    def document(self, lines: Sequence[str]) -> Document:
        """The document, once its lines are read."""
        return Document(
            self.source, self.kind, self.channel, lines, self.first_line, self.command, self.host, self.hints, self.collected
        )


class _GapEntry(msgspec.Struct):
    what: str
    why: str
    verb: str | None = None
    resource: str | None = None
    hides: list[str] = msgspec.field(default_factory=list)


class _Entry(msgspec.Struct):
    document: DocumentEntry | None = None
    gap: _GapEntry | None = None


class SavedText(msgspec.Struct, frozen=True):
    """A document ready to be written: its entry, and its lines."""

    entry: DocumentEntry
    data: bytes


# --- writing ----------------------------------------------------------------------------------------------


def marker_bytes(marker: Marker) -> bytes:
    """The marker as a person reads it."""
    return _json(msgspec.to_builtins(marker), indent=2)


def index_bytes(entries: Iterable[DocumentEntry | Gap]) -> bytes:
    """The index: one line an entry."""
    return b"".join(_json(_as_entry(entry)) for entry in entries)


def _as_entry(entry: DocumentEntry | Gap) -> dict[str, Any]:
    if isinstance(entry, DocumentEntry):
        return {"document": _known(msgspec.to_builtins(entry))}
    return {"gap": _known(msgspec.to_builtins(entry))}


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None and value not in ({}, [], ())}


def _json(value: Any, indent: int | None = None) -> bytes:
    """JSON in which everything but ASCII is escaped: halves of surrogate pairs, as JSON of others may hold, survive."""
    return json.dumps(value, indent=indent, separators=None if indent else (",", ":")).encode("ascii") + b"\n"


def saved_text(document: Document, number: int, width: int) -> SavedText:
    """What a bundle keeps of a document, without any secret.

    :param number: its place among the documents, from 1. :param width: digits of the largest number.
    """
    lines = without_secrets(document.kind, [part for line in document.lines for part in line.split("\n")])
    words = _UNSAFE.sub("_", document.source)[:80].strip("._") or "document"
    entry = DocumentEntry(
        file=f"{DOCUMENTS}/{number:0{width}}-{words}.txt",
        source=document.source,
        kind=document.kind,
        channel=document.channel,
        lines=len(lines),
        first_line=document.first_line,
        command=document.command,
        host=document.host,
        hints=dict(document.hints),
        collected=document.collected,
    )
    return SavedText(entry, "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass"))


# --- reading ----------------------------------------------------------------------------------------------


def read_marker(data: bytes) -> Marker | None:
    """The marker, or None when it is damaged or not one of kubecause."""
    try:
        marker = msgspec.convert(json.loads(data), Marker)
    except (ValueError, RecursionError, msgspec.ValidationError):
        return None
    sound = marker.format == MARKER.removesuffix(".json") and marker.source.kind in SOURCE_KINDS and marker.clock.tzinfo
    return marker if sound else None


def read_entry(line: bytes) -> DocumentEntry | Gap | None:
    """One line of the index; None when it is damaged."""
    try:
        entry = msgspec.convert(json.loads(line), _Entry)
    except (ValueError, RecursionError, msgspec.ValidationError):
        return None
    if entry.gap is not None:
        return Gap(entry.gap.what, entry.gap.why, entry.gap.verb, entry.gap.resource, tuple(entry.gap.hides))
    return entry.document


def lines_of_saved(data: bytes, kind: str) -> list[str]:
    """The lines of a saved document; what stands behind its last line end was cut."""
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    return without_secrets(kind, text.split("\n")[:-1])


# --- secrets ----------------------------------------------------------------------------------------------


def without_secrets(kind: str, lines: Sequence[str]) -> list[str]:
    """Lines without secrets; those that have none, or lost them before, stay as they are.

    A text is cut until nothing changes any more. An object is cut value by value, so that it stays an object.
    """
    if kind == _OBJECTS:
        return _objects_without_secrets(lines)
    before = list(lines)
    for _ in range(3):
        after = Redactor().feed(before)
        if after == before:
            return after
        before = after
    return [line if redact_line(line) == line else REDACTED for line in before]


def _objects_without_secrets(lines: Sequence[str]) -> list[str]:
    kept = list(lines)
    suspects = candidates(kept)
    if not suspects:
        return kept
    from kubecause.evidence.cluster.documents import objects  # with it comes what speaks to clusters; most texts need none

    for at in suspects:
        line = kept[at]
        try:
            item = json.loads(line)
            if isinstance(item, dict):
                again = objects("", [item], _NO_TIME).lines[0]  # cuts within the item
                kept[at] = line if item == json.loads(line) else again
            else:
                kept[at] = redact_line(line)
        except (ValueError, RecursionError):
            kept[at] = redact_line(line)
    return kept
