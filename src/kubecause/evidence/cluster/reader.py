"""Sends requests, each once, follows the references in the answers, and hands everything over as documents and gaps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec

from kubecause.evidence.cluster import documents, health
from kubecause.evidence.cluster.answers import Listing, Refused, Table
from kubecause.evidence.cluster.api import Api, Query
from kubecause.evidence.cluster.connection import Connection
from kubecause.evidence.cluster.coverage import Coverage, SilentKubelets
from kubecause.evidence.cluster.crew import Crew, Turn
from kubecause.evidence.cluster.follow import nodes_told_of, of_listed
from kubecause.evidence.cluster.inventory import Inventory
from kubecause.evidence.cluster.kinds import KINDS, Kind, kind_of_word
from kubecause.evidence.cluster.listed import Listed, listed
from kubecause.evidence.cluster.pages import WHOLE
from kubecause.evidence.cluster.permissions import gap_of
from kubecause.evidence.cluster.requests import WARNINGS, Item, Request
from kubecause.evidence.cluster.screen import (
    POD_COLUMNS,
    cells_of,
    last_seen,
    neighbour_of,
    screen_of,
    telling_events,
)
from kubecause.evidence.cluster.triage import Triage
from kubecause.evidence.cluster.unreachable import unwell
from kubecause.evidence.layout import log_channel
from kubecause.model import Channel, Document, Entity, Gap

Answer = Document | Gap

_NOT_FOUND = 404
_SERVER_ERROR = 500
_ENOUGH_FAILURES = 3  # requests that a server could not answer; an aggregated API that is down fails one or two
_FEW_NODES = 200  # so many are read in full; of larger clusters only the broken ones
_SECRET_COLUMNS = ("NAME", "TYPE", "DATA", "AGE")


class Bounds(msgspec.Struct, frozen=True):
    """How much one diagnosis may ask.

    :param requests: requests in all, for the worst of clusters; what is not asked any more becomes a gap.
    :param events: warnings read of one namespace or of the cluster.
    :param nodes: nodes read in full.
    :param pods: broken pods read in full, besides those that are named; each stands for its like.
    :param list_bytes: of a list, inflated, up to which it is taken in one piece.
    :param seconds: after so long nothing more is asked.
    """

    requests: int = 3000
    events: int = 5000
    nodes: int = 500
    pods: int = 100
    list_bytes: int = WHOLE
    seconds: float = 40.0


class Reader:
    """Reads a cluster piece by piece and remembers what it has asked."""

    def __init__(self, connection: Connection, collected: Callable[[], datetime], bounds: Bounds | None = None) -> None:
        self._parallel = connection.parallel
        self._api = Api(connection)
        self._collected = collected
        self._bounds = bounds or Bounds()
        self._done: set[Request] = set()
        self.inventory = Inventory()
        self._events: list[tuple[Request, list[Item]]] = []
        self._kinds: dict[str, Kind | None] = {}
        self._missing: set[Request] = set()
        self._coverage = Coverage(self._bounds.nodes)
        self._triage = Triage(self.inventory, self._coverage, self._bounds.pods)
        self._kubelets = SilentKubelets()
        self._behind: dict[Request, list[Request]] = {}  # what is asked once a first request was granted
        self._foreseen: list[Request] = []
        self._exhausted = False
        self._failures = 0
        self._left_out = 0
        self._until = time.monotonic() + self._bounds.seconds
        self.troubled = False  # the server knows no such user, or is unwell

    def is_missing(self, kind: str, namespace: str | None, name: str) -> bool:
        """True when the server said that there is no such object."""
        return Request("get", kind, namespace, name) in self._missing

    def is_represented(self, entity: Entity) -> bool:
        """True for a broken pod, or its container, that another one stands for: what that one needs settles both."""
        return self._coverage.is_represented(entity)

    # --- asking -------------------------------------------------------------------------------------------------

    def read(self, requests: Sequence[Request]) -> Iterator[Answer | None]:
        """Answers to requests not sent before, and to those that the answers refer to, until nothing is new.

        What is given is asked for at once; what follows, while the answers are taken. None stands where there is time to do
        something else, since what comes next takes long; what is foreseen then comes before it.
        """
        found: list[Answer] = []
        crew: Crew[tuple[Request, object]] = Crew(self._parallel)
        self._submit(crew, requests, found)
        return self._answers(crew, found)

    def foresee(self, requests: Sequence[Request]) -> None:
        """Ask for more in the time that a None gave; but not for events, since it is warnings that are waited for then."""
        self._foreseen += [request for request in requests if request.kind != "Event"]

    def _answers(self, crew: Crew[tuple[Request, object]], found: list[Answer]) -> Iterator[Answer | None]:
        yield from found  # the caller works on it while others are waited for
        found.clear()
        for result in crew.results():
            if result is None:
                if not self._triage.many:
                    yield None
                self._submit(crew, self._foreseen, found)
                self._foreseen.clear()
            else:
                wanted = self._take(*result, found)
                self._submit(crew, wanted + self._triage.answered(result[0]), found)
            yield from found
            found.clear()
        if self._left_out:
            why = f"{self._left_out} requests were left out: the server answers too slowly or fails"
            found.append(Gap("what else is broken", why))
            self._left_out = 0
        found += self._coverage.gaps() + self._kubelets.gaps()
        for request, events in self._events:  # last: which of them matter is known once the pods are
            subjects = set(self._triage.broken.rows) | set(self.inventory.pods())
            latest = sorted(events, key=last_seen, reverse=True)  # of those alike, they say what holds now
            items = [dict(item) for item in telling_events(latest, subjects)]
            if items:
                found.append(documents.objects(request.command, items, self._collected(), _hints(request)))
        self._events.clear()
        yield from found

    def _submit(self, crew: Crew[tuple[Request, object]], requests: Iterable[Request], found: list[Answer]) -> None:
        """Have requests sent that were not before; warnings, which take the server longest, before the others."""
        fresh = self._fresh(requests, found)
        for request in sorted(fresh, key=lambda request: request.fields != WARNINGS):
            crew.submit(self._sending(request), _turn(request))

    def _fresh(self, requests: Iterable[Request], found: list[Answer]) -> list[Request]:
        fresh: list[Request] = []
        for request in dict.fromkeys(requests):
            if request in self._done or self._covered(request):
                continue
            if len(self._done) >= self._bounds.requests:
                if not self._exhausted:
                    self._exhausted = True
                    found.append(Gap("what else is broken", f"the bound of {self._bounds.requests} requests was reached"))
                break
            self._done.add(request)
            self._triage.asked(request)
            if request.verb == "neighbour":
                pods, others = neighbour_of(request.name or "")
                self._behind[pods] = others
                fresh += self._fresh([pods], found)
            elif request.verb == "screen":
                fresh += self._fresh(screen_of(request.name), found)
            else:
                fresh.append(request)
        return fresh

    def _covered(self, request: Request) -> bool:
        """True when what was read before has told what a request would: an object, a part of a list, or warnings."""
        if request.verb == "get" and self.inventory.has(request.kind, request.namespace, request.name):
            return True
        return self._coverage.told(request) or self._triage.shows_broken_pods(request)

    def _sending(self, request: Request) -> Callable[[], tuple[Request, object]]:
        def send() -> tuple[Request, object]:
            answer = self._send(request)
            refused = answer if isinstance(answer, Refused) else getattr(answer, "refused", None)
            if isinstance(answer, str):
                self._kubelets.gave_one()
            elif isinstance(refused, Refused) and _is_from_kubelet(refused):
                node = self._node_of(request)
                self._kubelets.gave_nothing(node, hanging=refused.status == 0, ready=self._coverage.is_ready(node))
            elif isinstance(refused, Refused) and (refused.status == 0 or refused.status >= _SERVER_ERROR):
                self._failures += 1
            return request, answer

        return send

    def _node_of(self, request: Request) -> str:
        """The node of the pod whose log is asked for; empty where the pod was not read."""
        pod = self.inventory.item("Pod", request.namespace, request.name or "")
        return str((pod.get("spec") or {}).get("nodeName") or "") if pod else ""

    def _send(self, request: Request) -> object:
        if self._failures >= _ENOUGH_FAILURES or time.monotonic() > self._until:
            self._left_out += 1  # each further one would wait as long; what is wrong with the server is looked at instead
            return None
        if request.verb == "log" and not self._kubelets.is_asked(self._node_of(request)):
            return None
        if request.verb == "ready":
            return list(unwell(self._api))
        kind = self._kind(request.kind)
        if kind is None:
            return None
        namespace = request.namespace if kind.namespaced else None
        if request.verb == "get":
            return self._api.get_as(lambda raw: listed([raw], kind)[0], kind, request.name or "", namespace)
        if request.verb == "table":
            return self._api.table(kind, namespace, labels=request.labels, fields=request.fields)
        if request.verb == "log":
            place = (namespace or "default", request.name or "", request.container or "")
            return self._api.log(*place, previous=request.previous, since=request.since)
        return self._list(request, kind, namespace)

    def _list(self, request: Request, kind: Kind, namespace: str | None) -> Listing[Item] | Listing[Listed]:
        labels, fields = request.labels, request.fields
        if kind.kind == "Event":  # which matter is known once the pods are; one page costs the server as much as all
            most = self._bounds.events
            return self._api.list(kind, namespace, labels=labels, fields=fields, most=most, page=most)
        most_nodes = self._bounds.nodes if kind.kind == "Node" else None
        only_metadata = request.verb == "metadata"
        query = Query(labels, fields, most_nodes, only_metadata=only_metadata, whole=self._bounds.list_bytes)
        return self._api.list_as(lambda raws: listed(raws, kind), attrgetter("uid"), kind, namespace, query)

    def _kind(self, word: str) -> Kind | None:
        """A built-in kind, or one that the server knows."""
        if word in KINDS:
            return KINDS[word]
        if word not in self._kinds:
            self._kinds[word] = self._api.discover(word)
        return self._kinds[word]

    def kind(self, word: str) -> Kind | None:
        """The kind that a user's word means: ``deploy``, ``pods``, ``certificates.cert-manager.io``."""
        return kind_of_word(word) or self._kind(word)

    # --- answers ------------------------------------------------------------------------------------------------

    def _take(self, request: Request, answer: object, found: list[Answer]) -> list[Request]:
        """Turn an answer into documents or gaps; returns what it refers to."""
        if isinstance(answer, Refused):
            found += self._gaps(answer)
            if answer.status == _NOT_FOUND:
                self._missing.add(request)
            if request.verb == "log" and _is_from_kubelet(answer):
                hints = _log_hints(request)
                found.append(
                    documents.log(
                        request.command,
                        health.as_kubectl(500, answer.reason, answer.message),
                        Channel.CLIENT,
                        self._collected(),
                        hints,
                    )
                )
        elif isinstance(answer, str):
            found.append(self._log(request, answer))
        elif isinstance(answer, Listing):
            return self._listing(request, answer, found)
        elif isinstance(answer, Table):
            return self._table(request, answer, found)
        elif isinstance(answer, Listed):
            item = answer.item()
            self.inventory.add(request.kind, item, (answer.namespace, answer.name))
            self._coverage.has_nodes(nodes_told_of(item))
            found.append(documents.of_lines(request.command, [answer.line], self._collected(), _hints(request)))
            return self._triage.referred_to(item)
        elif isinstance(answer, list):
            found += answer
        return []

    def _listing(self, request: Request, listing: Listing[Any], found: list[Answer]) -> list[Request]:
        if listing.refused:
            found += self._gaps(listing.refused)
        elif not listing.complete:
            found.append(Gap(request.command, f"only the first {len(listing.items)} were read"))
        if listing.complete and not listing.refused and not request.labels and request.fields in (None, WARNINGS):
            self._coverage.listed(request.kind, request.namespace)
        if request.kind == "Event":
            self._events.append((request, listing.items))
            return []
        objects: list[Listed] = listing.items
        for each in objects:
            self.inventory.add(request.kind, each, (each.namespace, each.name))
        whole = listing.complete and not listing.refused and not request.labels and not request.fields
        if objects or whole:
            hints = _hints(request, {"lists": request.kind} if whole else {})
            found.append(documents.of_lines(request.command, [each.line for each in objects], self._collected(), hints))
        if request.kind == "Deployment":
            self._triage.deployments(request, objects)
            return []
        return of_listed(request, objects)

    def _log(self, request: Request, text: str) -> Document:
        hints = _log_hints(request)
        return documents.log(request.command, text, log_channel(hints), self._collected(), hints)

    def _gaps(self, refused: Refused) -> list[Gap]:
        """A gap for what was refused; what does not exist, or has no log yet, hides nothing."""
        if (refused.status in (401, 0) or refused.status >= 500) and not _is_from_kubelet(refused):
            self.troubled = True
        return [] if refused.status in (204, 400, 404, 405, 406, 410) else [gap_of(refused)]

    # --- tables -------------------------------------------------------------------------------------------------

    def _table(self, request: Request, table: Table, found: list[Answer]) -> list[Request]:
        if table.refused:
            found += self._gaps(table.refused)
            return []
        if request.kind == "Pod":
            return self._pods(request, table, found) + self._behind.pop(request, [])
        rows = [cells_of(table.columns, row) for row in table.rows]
        if request.kind == "Secret":  # names only, see api.py: which of those that others name are not there
            cells = [[row.get(column, "") for column in _SECRET_COLUMNS] for row in rows]
            hints = {"namespace": request.namespace or "", **({"lists": "Secret"} if table.complete else {})}
            found.append(documents.table(request.command, _SECRET_COLUMNS, cells, self._collected(), hints))
            return []
        if request.kind == "Namespace":
            return _namespaces(rows)
        if request.kind == "Node":
            self._coverage.has_nodes(len(rows))
            broken = [row["NAME"] for row in rows if row.get("STATUS") != "Ready"]
            self._coverage.ready_nodes(row["NAME"] for row in rows if row.get("STATUS") == "Ready")
            few = len(rows) <= _FEW_NODES
            return (
                [Request("list", "Node")] if few else [Request("get", "Node", name=name) for name in broken[: self._bounds.nodes]]
            )
        return [
            Request("get", request.kind, name=row["NAME"]) for row in rows if row.get("AVAILABLE", "True") not in ("True", "")
        ]

    def _pods(self, request: Request, table: Table, found: list[Answer]) -> list[Request]:
        """Hand over the rows of broken pods; returns what is to be read whatever other tables show."""
        namespace = request.namespace or ""
        broken, wanted = self._triage.pods(request, table)
        whole = table.complete and not request.labels and not request.fields
        if whole:
            self._coverage.screened(namespace)
        if broken or whole:
            cells = [[row.cells.get(column, "") for column in POD_COLUMNS] for row in broken]
            command = f"{request.command} -o wide"
            hints = {"namespace": namespace, **({"screens": "Pod"} if whole else {})}
            found.append(documents.table(command, POD_COLUMNS, cells, self._collected(), hints))
        return wanted


def _turn(request: Request) -> Turn:
    """When an answer is worked on: from tables most follows, and Deployments are the longest list."""
    if request.verb == "table":
        return Turn.FIRST
    if request.fields == WARNINGS:
        return Turn.LAST  # which of them matter is known once the pods are
    if request.verb == "list":
        return Turn.FOURTH if request.kind == "Deployment" else Turn.SECOND
    return Turn.THIRD


def _hints(request: Request, more: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**({"namespace": request.namespace} if request.namespace else {}), **(more or {})}


def _log_hints(request: Request) -> dict[str, str]:
    hints = {"namespace": request.namespace or "", "pod": request.name or "", "container": request.container or ""}
    return {**hints, "which": "previous" if request.previous else "current"}


def _is_from_kubelet(refused: Refused) -> bool:
    """True for a log that the API server could not get from the kubelet of the pod's node; how, tells about that node."""
    return refused.resource == "pods/log" and (refused.status >= 500 or refused.status == 0)


def _namespaces(rows: Iterable[dict[str, str]]) -> list[Request]:
    wanted = []
    for row in rows:
        wanted.append(Request("table", "Pod", row["NAME"]))
        if row.get("STATUS") != "Active":
            wanted.append(Request("get", "Namespace", name=row["NAME"]))
    return wanted
