"""What the API server answered, as documents: objects, tables and logs, without secrets and without ballast.

``source`` of every document is the kubectl command that shows a person the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kubecause.evidence.decode import clean
from kubecause.evidence.redact import REDACTED, redact_lines
from kubecause.evidence.secret_candidates import candidates
from kubecause.evidence.secret_names import is_secret_key
from kubecause.evidence.secret_shapes import is_harmless
from kubecause.model import Channel, Document

OBJECTS = "objects"  # kind of a document that holds one object of the API a line, as JSON
TABLE = "table"
LOG = "log"

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # a second copy of the object, values included
IMAGES = "images"  # of a node's status: up to 50 names; nine tenths of a real node
_MANAGED = ("manager", "operation", "subresource", "time")
# Maps whose keys people choose freely and whose values select or name; a label called `auth` is no secret.
_LABELS = frozenset(
    {"labels", "matchLabels", "selector", "nodeSelector", "limits", "requests", "allocatable", "capacity", "hard", "used"}
)

_SHORT = 5  # characters; a name and a value do not fit into fewer, and most values are True, TCP, http
_encoder = msgspec.json.Encoder(order="sorted")

_Place = tuple[Any, Any]  # container and key (or index) of a text


def objects(
    command: str, items: Iterable[Mapping[str, Any]], collected: datetime, hints: Mapping[str, str] | None = None
) -> Document:
    """One object of the API a line; see :func:`lines_of`.

    :param command: the kubectl command that shows the same.
    """
    return of_lines(command, lines_of(items), collected, hints)


def of_lines(command: str, lines: Sequence[str], collected: datetime, hints: Mapping[str, str] | None = None) -> Document:
    """The same of lines that were made before."""
    return Document(command, OBJECTS, Channel.STATUS, lines, command=command, hints=dict(hints or {}), collected=collected)


def lines_of(items: Iterable[Mapping[str, Any]]) -> list[str]:
    """Objects as lines, without secrets; managed fields are reduced to who changed what when.

    :param items: decoded objects with their ``kind``; they are changed in place.
    """
    kept = [item if isinstance(item, dict) else dict(item) for item in items]
    texts: list[tuple[_Place, str]] = []
    for item in kept:
        _prune(item)
        _walk(item, texts, labels=False)
    _redact(texts)
    return [_line(item) for item in kept]


def table(
    command: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    collected: datetime,
    hints: Mapping[str, str] | None = None,
) -> Document:
    """A table as kubectl prints it; columns three blanks apart."""
    cells = [list(map(str.upper, columns)), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[at]) if at < len(row) else 0 for row in cells) for at in range(len(columns))]
    lines = ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in cells]
    return Document(
        command, TABLE, Channel.COMMAND, redact_lines(lines), command=command, hints=dict(hints or {}), collected=collected
    )


def log(command: str, text: str, channel: Channel, collected: datetime, hints: Mapping[str, str]) -> Document:
    """The log of one container."""
    lines = redact_lines(clean(text).splitlines())
    return Document(command, LOG, channel, lines, command=command, hints=dict(hints), collected=collected)


def _line(item: Mapping[str, Any]) -> str:
    """An object as one line of JSON, keys sorted."""
    try:
        return _encoder.encode(item).decode()
    except (msgspec.EncodeError, TypeError, UnicodeEncodeError):  # half a surrogate pair in a text
        return json.dumps(item, separators=(",", ":"), sort_keys=True)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return " ".join(text.split()) or "<none>"


# --- objects without ballast and secrets ------------------------------------------------------------------


def _prune(item: Mapping[str, Any]) -> None:
    meta = item.get("metadata")
    if not isinstance(meta, dict):
        return
    managed = meta.get("managedFields")
    if isinstance(managed, list):
        meta["managedFields"] = [
            {key: entry[key] for key in _MANAGED if key in entry} for entry in managed if isinstance(entry, dict)
        ]
    annotations = meta.get("annotations")
    if isinstance(annotations, dict):
        annotations.pop(LAST_APPLIED, None)
    status = item.get("status")
    if item.get("kind") == "Node" and isinstance(status, dict):
        status.pop(IMAGES, None)


def _walk(value: dict[str, Any] | list[Any], texts: list[tuple[_Place, str]], *, labels: bool) -> None:
    """Collect every text with its place; values whose key names a secret are cut at once.

    Tens of thousands of objects pass here, each with hundreds of values: what is looked at first is what they mostly are.
    """
    if type(value) is dict:
        if "value" in value:
            _cut_variable(value)
        for key, below in value.items():
            kind = type(below)
            if kind is str:
                if not labels and is_secret_key(key) and not is_harmless(below):
                    value[key] = REDACTED
                elif len(below) > _SHORT:
                    texts.append(((value, key), below))
            elif kind is dict or kind is list:
                _walk(below, texts, labels=key in _LABELS)
        return
    flags = False
    for at, below in enumerate(value):
        kind = type(below)
        if kind is str:
            texts.append(((value, at), below))
            flags = flags or below.startswith("-")
        elif kind is dict or kind is list:
            _walk(below, texts, labels=False)
    if flags and type(value) is list:
        _cut_flags(value)


def _cut_variable(value: dict[str, Any]) -> None:
    """An environment variable whose name says that it holds a secret."""
    name, text = value.get("name"), value["value"]
    if isinstance(name, str) and isinstance(text, str) and text and is_secret_key(name) and not is_harmless(text):
        value["value"] = REDACTED


def _cut_flags(words: list[Any]) -> None:
    """``--password``, ``value`` as two arguments."""
    for at in range(1, len(words)):
        flag = words[at - 1]
        if (
            isinstance(flag, str)
            and isinstance(words[at], str)
            and flag.startswith("-")
            and "=" not in flag
            and is_secret_key(flag)
        ):
            words[at] = REDACTED


def _redact(texts: Sequence[tuple[_Place, str]]) -> None:
    """Cut what looks like a secret within texts; one search over all of them finds the few to look at."""
    single = [text.replace("\n", " ") if "\n" in text else text for _, text in texts]
    cut: dict[str, str] = {}  # many objects say the same
    for at in candidates(single):
        (container, key), text = texts[at]
        if container[key] is text:
            if text not in cut:
                cut[text] = "\n".join(redact_lines(text.split("\n")))
            container[key] = cut[text]
