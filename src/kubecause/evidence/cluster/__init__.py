"""Evidence from a live cluster: what the API server tells, asked for in rounds (design.md, "Rounds").

The first round screens a namespace or cluster, or reads the named objects; later rounds fetch what would settle the
symptoms found. Nothing is ever written, and only the permissions of :mod:`kubecause.evidence.cluster.permissions` are used.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from kubecause.errors import EvidenceError, UnreachableError
from kubecause.evidence.cluster.connection import Connection
from kubecause.evidence.cluster.follow import NAMED, any_log
from kubecause.evidence.cluster.kinds import kind_of_word
from kubecause.evidence.cluster.kubeconfig import ConnectionSettings
from kubecause.evidence.cluster.reader import Answer, Bounds, Reader
from kubecause.evidence.cluster.requests import ADDRESS, Item, Request, events_about, every, pods_of, requests_for, settled_by
from kubecause.evidence.cluster.scope import Scope
from kubecause.evidence.cluster.unreachable import examine
from kubecause.model import WORKLOAD_KINDS, Entity, Need

__all__ = ["ClusterSource", "Scope"]


class ClusterSource:
    """A cluster that can be asked again.

    :param now: the clock of the machine, used where the server tells none.
    """

    kind = "cluster"

    def __init__(
        self,
        settings: ConnectionSettings,
        scope: Scope,
        *,
        timeout: float = 10.0,
        bounds: Bounds | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._scope = scope
        self._timeout = timeout
        self._connection = Connection(settings, timeout=timeout)
        self._now = now().replace(microsecond=0)
        self._reader = Reader(self._connection, lambda: self.clock, bounds)
        self._reached = True
        self._first: Iterator[Answer | None] | None = None

    @property
    def name(self) -> str:
        """The context, or the server where there is none."""
        return self._settings.context or self._settings.server

    @property
    def clock(self) -> datetime:
        """When the evidence was collected: by the server's clock, which also wrote the times in it, once it has told it."""
        try:
            told = parsedate_to_datetime(self._connection.date or "")
        except ValueError:
            return self._now
        return told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)

    @property
    def cost(self) -> tuple[int, int]:
        """Requests sent and bytes read so far."""
        return self._connection.requests, self._connection.bytes_read

    def start(self) -> None:
        """Ask for the first answers, which come while the caller loads what reasons about them."""
        if self._first is not None:
            return
        if not self._scope.targets:
            self._first = self._reader.read(self._screen())
        elif all(kind_of_word(word) for word, _ in self._scope.targets):  # the server is not asked what they mean
            self._first = self._reader.read(_of_named(self._wanted()))

    def begin(self) -> Iterator[Answer | None]:
        """The first round: each answer as soon as it is there; None where the next one takes long.

        :raises EvidenceError: when a named object does not exist.
        """
        try:
            yield from self._named() if self._scope.targets else self._screened()
            if self._reader.troubled:
                yield from self._examined(None)
        except UnreachableError as error:
            yield from self._examined(error)

    def foresee(self, needs: Sequence[Need]) -> None:
        """Ask, while the first round waits for an answer that takes long, for what will be needed after it."""
        self._reader.foresee(self._settling(needs))

    def is_left_alone(self, entity: Entity) -> bool:
        """Whether no more is asked about a pod or container: another one stands for it, or wider ones were read instead."""
        return self._reader.is_represented(entity)

    def settled_by(self, entity_kind: str, fact_kind: str) -> Hashable:
        """The same for all kinds of facts about which the same is asked of a kind of entity."""
        return settled_by(entity_kind, fact_kind)

    def ask(self, needs: Sequence[Need]) -> Iterator[Answer | None]:
        """What may settle the needs and was not fetched before; nothing when there is nothing new."""
        if not self._reached:
            return
        try:
            yield from self._reader.read(self._settling(needs))
            yield from self._heard([need.entity for need in needs if need.fact_kind == ADDRESS])
        except UnreachableError as error:
            yield from self._examined(error)

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()

    def _examined(self, error: UnreachableError | None) -> Iterator[Answer | None]:
        """The way to a server that gives no answers, or none that help; it is not asked again."""
        self._reached = False
        yield from examine(self._settings, error, timeout=self._timeout)

    # --- rounds -------------------------------------------------------------------------------------------------

    def _screen(self) -> list[Request]:
        scope = self._scope
        if scope.selector:
            return [Request("table", "Pod", scope.namespace, labels=scope.selector)]
        return [Request("screen", "Namespace", name=scope.namespace)]

    def _screened(self) -> Iterator[Answer | None]:
        scope = self._scope
        self.start()
        yield from self._first or ()
        if scope.selector:
            return
        if scope.namespace and self._reader.is_missing("Namespace", None, scope.namespace):
            raise EvidenceError(f"there is no namespace {scope.namespace}; `kubectl get namespaces` lists them")
        yield from self._reader.read(every(pods_of(service) for service in self._reader.inventory.services_without_endpoints()))

    def _named(self) -> Iterator[Answer | None]:
        wanted = self._wanted()
        found = list(self._first or self._reader.read(_of_named(wanted)))
        for entity in wanted:
            if self._reader.is_missing(entity.kind, entity.namespace, entity.name or ""):
                where = f" in namespace {entity.namespace}" if entity.namespace else ""
                raise EvidenceError(f"there is no {entity.kind} {entity.name}{where}; check the name, or give -n NAMESPACE")
        yield from found
        items = [item for entity in wanted if (item := self._item(entity))]
        yield from self._reader.read(every(follow(item) for item in items for follow in NAMED.get(item["kind"], ())))
        yield from self._heard(wanted)

    def _wanted(self) -> list[Entity]:
        """The objects that are named."""
        wanted: list[Entity] = []
        for word, name in self._scope.targets:
            kind = self._reader.kind(word)
            if kind is None:
                raise EvidenceError(f"the server knows no kind {word!r}; `kubectl api-resources` lists those it knows")
            wanted.append(Entity(kind.kind, name, self._scope.namespace if kind.namespaced else None))
        return wanted

    def _item(self, entity: Entity) -> Item | None:
        return self._reader.inventory.item(entity.kind, entity.namespace, entity.name or "")

    def _heard(self, entities: Sequence[Entity]) -> Iterator[Answer | None]:
        """The log of one pod of each workload, and of each pod, even when all are healthy: what it complains of."""
        items = [item for entity in entities if (item := self._item(entity))]
        yield from self._reader.read(every(pods_of(item) for item in items if item["kind"] in WORKLOAD_KINDS))
        pods = [pod for item in items for pod in ([item] if item["kind"] == "Pod" else self._reader.inventory.selected(item)[:1])]
        running = [pod for pod in pods if (pod.get("status") or {}).get("phase") != "Pending"]
        yield from self._reader.read(every(map(any_log, running)))

    def _settling(self, needs: Sequence[Need]) -> list[Request]:
        wanted = [need for need in needs if not self._reader.is_represented(need.entity)]
        services = dict.fromkeys(need.entity for need in wanted if need.entity.kind == "Service")
        return every([*map(requests_for, wanted), *map(self._behind, services)])

    def _behind(self, service: Entity) -> list[Request]:
        """The pods behind a Service that needs name: its selector is known by now."""
        item = self._item(service)
        return every([pods_of(item)]) if item else []


def _of_named(entities: Sequence[Entity]) -> list[Request]:
    """What is asked first about objects that are named."""
    return [
        request
        for entity in entities
        for request in (Request("get", entity.kind, entity.namespace, entity.name), events_about(entity))
    ]
