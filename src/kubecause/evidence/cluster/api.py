"""Ask the API server for objects, lists, tables and logs; what is refused comes back as a value, never as an exception.

Rules: "Kubernetes API Concepts" (large lists in chunks, ``410 Expired`` and its inconsistent continuation, Tables,
``PartialObjectMetadataList``, ``resourceVersion=0``). Secrets are never asked for as objects or metadata: both carry values
or copies of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlencode

import msgspec

from kubecause.errors import UnreachableError
from kubecause.evidence.cluster.answers import (
    UNREACHABLE,
    Listing,
    Refused,
    Table,
    TablePage,
    decoded,
    refusal,
    status_of,
)
from kubecause.evidence.cluster.connection import Connection, Reply
from kubecause.evidence.cluster.kinds import Kind, kind_of_object, kind_of_word, segment
from kubecause.evidence.cluster.pages import PAGE, WHOLE, Pages, Query

if TYPE_CHECKING:
    from kubecause.evidence.cluster.discovery import Discovery

__all__ = ["Api", "Listing", "Query", "Refused", "Table"]

T = TypeVar("T")

_JSON = "application/json"
_TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
_LOG_REFUSED = 65536  # bytes of an answer that says why there is no log
_LOG_TRIES = 4
_EVERYTHING = Query()
_objects = msgspec.json.Decoder(dict[str, Any])


class Api:
    """Typed questions to one API server. Safe to use from several threads.

    Every method raises UnreachableError only while the server has never answered; once it has, no answer is a refusal
    with status 0 and the reason ``Unreachable``.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> dict[str, Any] | Refused:
        """One object.

        :raises UsageError: a name that no object can have.
        """
        return self.get_as(_objects.decode, kind, name, namespace)

    def get_as(self, take: Callable[[msgspec.Raw], T], kind: Kind, name: str, namespace: str | None = None) -> T | Refused:
        """One object, as ``take`` makes it of its JSON.

        :raises UsageError: a name that no object can have.
        """
        _not_a_secret(kind)
        reply = self._ask(kind.path(namespace, name), _JSON)
        if isinstance(reply, UnreachableError):
            return _no_answer("get", kind.resource, namespace, name, reply)
        raw = decoded(reply, msgspec.Raw) if reply.status == 200 and not reply.cut else None
        if raw is not None:
            with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return take(raw)
        return refusal("get", kind, namespace, name, reply)

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        most: int | None = None,
        only_metadata: bool = False,
        page: int = PAGE,
        whole: int = WHOLE,
    ) -> Listing[dict[str, Any]]:
        """All objects of a kind, or of one namespace.

        :param labels: a label selector.
        :param fields: a field selector.
        :param most: no more objects than these.
        :param only_metadata: the objects carry only their metadata.
        :param page: no more objects at once than these, where they come in pages.
        :param whole: bytes up to which the list is taken in one piece.
        """
        query = Query(labels, fields, most, only_metadata, page, whole)
        return self.list_as(lambda raws: [_object(raw, kind) for raw in raws], _uid, kind, namespace, query)

    def list_as(
        self,
        take: Callable[[Sequence[msgspec.Raw]], Sequence[T]],
        uid: Callable[[T], str],
        kind: Kind,
        namespace: str | None = None,
        query: Query = _EVERYTHING,
    ) -> Listing[T]:
        """The same of large lists, which are better not decoded, and of which little is kept.

        :param take: makes of the objects of a page, as JSON, what is kept of each, while the next page is waited for. The
            server leaves ``apiVersion`` and ``kind`` out of them, and lists of metadata name their own.
        :param uid: tells an object from others.
        """
        _not_a_secret(kind)
        return Pages(self._list_page, kind, namespace, query).read(take, uid)

    def table(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        objects: Literal["None", "Metadata"] = "None",
    ) -> Table:
        """What ``kubectl get -o wide`` prints, made by the server, from its cache.

        :param objects: ``Metadata`` brings each object's metadata along; without it a table tells no namespaces.
        """
        if objects != "None":
            _not_a_secret(kind)
        query = {**Query(labels, fields).selectors, "includeObject": objects, "resourceVersion": "0"}
        reply = self._ask(f"{kind.path(namespace)}?{urlencode(query)}", _TABLE)
        if isinstance(reply, UnreachableError):
            return Table([], [], refused=_no_answer("list", kind.resource, namespace, None, reply), complete=False)
        page = decoded(reply, TablePage) if reply.status == 200 and not reply.cut else None
        if page is None or page.kind != "Table":
            return Table([], [], refused=refusal("list", kind, namespace, None, reply), complete=False)
        return _table(page, reply.headers.get("date"), with_metadata=objects == "Metadata")

    def log(
        self,
        namespace: str,
        pod: str,
        container: str | None,
        *,
        previous: bool = False,
        tail: int = 400,
        most_bytes: int = 262144,
        since: int | None = None,
    ) -> str | Refused:
        """The last lines of a container's log.

        :param container: None or empty where the pod has only one.
        :param previous: the log of the run before.
        :param tail: no more lines than these.
        :param most_bytes: no more bytes than these; where the lines are too long, there are fewer, down to a cut one.
        :param since: only lines that the runtime wrote in the last so many seconds.
        :raises UsageError: a name that no object can have.
        """
        query = {"tailLines": str(tail), "limitBytes": str(most_bytes)}
        query.update({"container": container} if container else {})
        query.update({"previous": "true"} if previous else {})
        query.update({} if since is None else {"sinceSeconds": str(since)})
        path = f"/api/v1/namespaces/{segment(namespace)}/pods/{segment(pod)}/log"
        name = f"{pod}/{container}" if container else pod
        body = b""
        for _ in range(_LOG_TRIES):
            reply = self._ask(f"{path}?{urlencode(query)}", "*/*", limit_bytes=max(most_bytes, _LOG_REFUSED), retry=False)
            if isinstance(reply, UnreachableError):
                return _no_answer("get", "pods/log", namespace, name, reply)
            if reply.status != 200:
                status = status_of(reply)
                return Refused("get", "pods/log", namespace, name, reply.status, status.reason, status.message)
            body = reply.body
            lines = body.count(b"\n")
            if len(body) < most_bytes or lines < 2:
                break
            query["tailLines"] = str(max(1, lines * 3 // 4))  # the server cuts the end, which matters most: ask for fewer lines
        return body[:most_bytes].decode("utf-8", "replace")

    def discover(self, word: str) -> Kind | None:
        """The kind that kubectl means by a word; asks the cluster only for words that are not built in."""
        return kind_of_word(word) or self.discovery.of_word(word)

    def discover_object(self, api_version: str, kind: str) -> Kind | None:
        """The kind of an object or owner reference; asks the cluster only for kinds that are not built in."""
        return kind_of_object(api_version, kind) or self.discovery.of_object(api_version, kind)

    @cached_property
    def discovery(self) -> Discovery:
        """What the cluster serves; asked for when it is first needed."""
        from kubecause.evidence.cluster.discovery import Discovery

        return Discovery(self.connection)

    def text(self, path: str) -> tuple[int, str]:
        """The answer to ``/readyz?verbose`` or ``/version``, whatever its status; status 0 and the error where there is none."""
        reply = self._ask(path, "*/*", limit_bytes=1024 * 1024, retry=False)
        if isinstance(reply, UnreachableError):
            return 0, str(reply)
        return reply.status, reply.body.decode("utf-8", "replace")

    def _list_page(self, path: str, accept: str, limit_bytes: int | None) -> Reply | UnreachableError:
        return self._ask(path, accept, limit_bytes=limit_bytes)

    def _ask(self, path: str, accept: str, *, limit_bytes: int | None = None, retry: bool = True) -> Reply | UnreachableError:
        try:
            return self.connection.get(path, accept=accept, limit_bytes=limit_bytes, retry=retry)
        except UnreachableError as error:
            if not self.connection.answered:
                raise
            return error


def _table(page: TablePage, collected: str | None, *, with_metadata: bool) -> Table:
    columns = page.columns or []
    rows = page.rows or []
    cells = [row.cells for row in rows]
    metadata = [row.object.metadata if row.object else {} for row in rows] if with_metadata else []
    at = next((at for at, column in enumerate(columns) if column.format == "name"), None)
    names = None
    if with_metadata:
        names = [str(item.get("name", "")) for item in metadata]
    elif at is not None:
        names = [str(row[at]) for row in cells]
    return Table(
        columns=[column.name.upper() for column in columns],
        rows=cells,
        names=names,
        complete=not page.metadata.continue_,
        metadata=metadata,
        narrow=tuple(at for at, column in enumerate(columns) if column.priority == 0),
        collected=collected,
    )


def _object(raw: msgspec.Raw, kind: Kind) -> dict[str, Any]:
    """An object of a list; the server leaves out what all have in common."""
    return {**_objects.decode(raw), "apiVersion": kind.api_version, "kind": kind.kind}


def _uid(item: Mapping[str, Any]) -> str:
    metadata = item.get("metadata")
    if not isinstance(metadata, dict):
        return ""
    return str(metadata.get("uid") or (metadata.get("namespace"), metadata.get("name")))


def _no_answer(verb: str, resource: str, namespace: str | None, name: str | None, error: UnreachableError) -> Refused:
    return Refused(verb, resource, namespace, name, 0, UNREACHABLE, str(error))


def _not_a_secret(kind: Kind) -> None:
    if kind.plural == "secrets" and not kind.group:
        raise ValueError("Secrets are never read as objects or metadata")
