"""Half an object as one document tells it, before all documents about it are put together."""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from kubecause.model import Document, Proof


class Detail(enum.IntEnum):
    """How much a document knows of an object; what knows more wins over what knows less."""

    NAME = 0  # only mentioned
    MANIFEST = 1  # what somebody asked for
    TABLE = 2
    DESCRIBE = 3
    OBJECT = 4  # the API's own object with a status


class Draft(msgspec.Struct):
    """Half an object.

    :param data: in the API's shape (camelCase), as far as known.
    :param proofs: dotted field path → where it can be read.
    :param json: the whole object as the API wrote it; then ``data`` is empty. Of thousands, few are ever put together with
        what other documents tell, and as text they take a fifth of the memory.
    """

    kind: str
    name: str
    namespace: str | None
    detail: Detail
    data: dict[str, Any]
    document: Document
    proofs: dict[str, Proof] = msgspec.field(default_factory=dict)
    json: str | None = None

    def prove(self, path: str, line: int, text: str) -> None:
        """Remember the line that shows a field."""
        self.proofs.setdefault(path, Proof(self.document.source, text.strip(), line=line))


def put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set a dotted path, making the objects on the way.

    >>> d = {}; put(d, "spec.replicas", 2); d
    {'spec': {'replicas': 2}}
    """
    *parents, last = path.split(".")
    for parent in parents:
        below = data.setdefault(parent, {})
        data = below if isinstance(below, dict) else {}
    data[last] = value
