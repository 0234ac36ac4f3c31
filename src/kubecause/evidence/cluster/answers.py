"""What the API server answers, as typed values: objects in pages, tables, refusals.

Shapes: apimachinery ``meta/v1`` (``Status``, ``ListMeta``, ``Table``). Only the parts that are used are decoded into
records; the objects themselves stay plain dictionaries, as nothing is known yet about what is in them.
"""

from __future__ import annotations

import threading
from typing import Any, Generic, TypeVar

import msgspec

from kubecause.evidence.cluster.connection import Reply
from kubecause.evidence.cluster.kinds import Kind

T = TypeVar("T")

UNREACHABLE = "Unreachable"
TOO_LARGE = "TooLarge"
NOT_UNDERSTOOD = "NotUnderstood"
_REASONS = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    410: "Expired",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
}
_MESSAGE = 600  # characters of a message that are kept


class Refused(msgspec.Struct, frozen=True):
    """A request that gave nothing, and why.

    :ivar verb: the verb of the permission it needs: ``get`` or ``list``.
    :ivar resource: as permissions name it: ``pods``, ``pods/log``, ``deployments.apps``.
    :ivar status: the HTTP status; 0 when the server, which had answered before, gave no answer any more.
    :ivar reason: ``Forbidden``, ``NotFound``, ``Unauthorized``, ``TooManyRequests``, ... as the server says; ``Unreachable``,
        ``TooLarge`` and ``NotUnderstood`` are our own.
    """

    verb: str
    resource: str
    namespace: str | None
    name: str | None
    status: int
    reason: str
    message: str


class Listing(msgspec.Struct, Generic[T], frozen=True):
    """A list of objects.

    :ivar items: the objects, or what was kept of each.
    :ivar complete: False when the bound was reached or a later page was refused.
    :ivar collected: the server's own time of the (first) answer, if it sent one (the ``Date`` header).
    """

    items: list[T]
    refused: Refused | None = None
    complete: bool = True
    collected: str | None = None


class Table(msgspec.Struct, frozen=True):
    """A table as the server prints it for ``kubectl get -o wide``.

    :ivar columns: names, upper-case as kubectl prints them.
    :ivar rows: the cells of each row.
    :ivar names: the objects' names, where a column or the metadata tells them.
    :ivar metadata: each object's metadata, where it was asked for.
    :ivar narrow: how many columns kubectl prints without ``-o wide``; they are the columns of ``priority`` 0.
    """

    columns: list[str]
    rows: list[list[Any]]
    names: list[str] | None = None
    refused: Refused | None = None
    complete: bool = True
    metadata: list[dict[str, Any]] = msgspec.field(default_factory=list)
    narrow: tuple[int, ...] = ()
    collected: str | None = None


class ListMeta(msgspec.Struct, frozen=True):
    """The part of a list's metadata that paging needs."""

    continue_: str = msgspec.field(default="", name="continue")
    resource_version: str = msgspec.field(default="", name="resourceVersion")


class Page(msgspec.Struct, frozen=True):
    """One page of a list."""

    metadata: ListMeta = ListMeta()
    items: list[msgspec.Raw] | None = None
    kind: str = ""


class TableColumn(msgspec.Struct, frozen=True):
    """One column of a table."""

    name: str
    format: str = ""
    priority: int = 0


class PartialObject(msgspec.Struct, frozen=True):
    """An object of which only the metadata came along."""

    metadata: dict[str, Any] = {}


class TableRow(msgspec.Struct, frozen=True):
    """One row of a table."""

    cells: list[Any]
    object: PartialObject | None = None


class TablePage(msgspec.Struct, frozen=True):
    """One page of a table."""

    metadata: ListMeta = ListMeta()
    columns: list[TableColumn] | None = msgspec.field(default=None, name="columnDefinitions")
    rows: list[TableRow] | None = None
    kind: str = ""


class Status(msgspec.Struct, frozen=True):
    """Why a request failed."""

    metadata: ListMeta = ListMeta()
    reason: str = ""
    message: str = ""
    kind: str = ""


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_decoders_lock = threading.Lock()


def _decoder(shape: type[T]) -> msgspec.json.Decoder[T]:
    """The decoder of a record, made by one thread at a time: msgspec crashes when several prepare the same type at once."""
    with _decoders_lock:
        if shape not in _decoders:
            _decoders[shape] = msgspec.json.Decoder(shape)
        return _decoders[shape]


def decoded(reply: Reply, shape: type[T]) -> T | None:
    """The body as a record; None where it is not one."""
    try:
        return _decoder(shape).decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def status_of(reply: Reply) -> Status:
    """The ``Status`` object of an answer that failed; what is not one becomes one."""
    found = decoded(reply, Status) if reply.body[:1] == b"{" else None
    if found is not None and found.kind == "Status":
        return Status(found.metadata, found.reason or reason_of(reply.status), one_line(found.message))
    return Status(ListMeta(), reason_of(reply.status), one_line(reply.body[:2000].decode("utf-8", "replace")))


def reason_of(status: int) -> str:
    """The reason that an HTTP status stands for."""
    return _REASONS.get(status) or ("InternalError" if status >= 500 else f"HTTP {status}")


def one_line(text: str) -> str:
    """A message on one line, without control characters, not too long."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(line.split())
    return line if len(line) <= _MESSAGE else line[: _MESSAGE - 1] + "…"


def refusal(verb: str, kind: Kind, namespace: str | None, name: str | None, reply: Reply) -> Refused:
    """What an answer that is not the object means."""
    if reply.status < 300:
        reason = TOO_LARGE if reply.cut else NOT_UNDERSTOOD
        message = "the answer is too large" if reply.cut else "the answer is not what Kubernetes sends"
        return Refused(verb, kind.resource, namespace, name, reply.status, reason, message)
    status = status_of(reply)
    return Refused(verb, kind.resource, namespace, name, reply.status, status.reason, status.message)
