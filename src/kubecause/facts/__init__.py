"""Facts: documents in, a store of objects and facts out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from kubecause.facts.alerts import parse_alerts, parse_connection, parse_service_graph
from kubecause.facts.api_access import PARSERS as ACCESS_PARSERS
from kubecause.facts.changes import change_facts
from kubecause.facts.derive_guards import guard_facts
from kubecause.facts.derive_objects import object_facts
from kubecause.facts.derive_pods import pod_facts
from kubecause.facts.describe import parse_described
from kubecause.facts.drafts import Draft
from kubecause.facts.event_rows import EventRow, event_rows
from kubecause.facts.events import SeenEvent, event_facts
from kubecause.facts.fragments import parse_fragment
from kubecause.facts.host_output import Parser
from kubecause.facts.joins import Joins
from kubecause.facts.lines import LineFilter, line_facts
from kubecause.facts.manifests import parse_manifest, parse_objects
from kubecause.facts.recognise import recognise
from kubecause.facts.records import CLUSTER_KINDS, Node
from kubecause.facts.records_pod import Pod
from kubecause.facts.restarts import parse_time
from kubecause.facts.settle import settle_fact
from kubecause.facts.store import Merger, Store
from kubecause.facts.tables import parse_table
from kubecause.model import Channel, Document, Entity, Fact, Gap

_UNKNOWN_KIND = "Unknown"

_TEXTS = frozenset({"log", "text", "connection"})
_COMMENT = "<error:"  # kubectl describe found that something an object names does not exist


class Extraction:
    """Reads documents one by one; :meth:`finish` puts together what they told."""

    def __init__(self, keep: LineFilter) -> None:
        self._keep = keep
        self._store = Store()
        self._merger = Merger()
        self._events: list[SeenEvent] = []
        self._loose: list[Fact] = []
        self._collected: datetime | None = None

    def read(self, document: Document) -> None:
        """Take the facts of one document; a parser that trips over damage leaves a gap and the text search."""
        self._store.sources.add(document.source)
        if document.kind == "objects":  # read from an API server just then
            self._collected = _later(self._collected, document.collected)
        if document.kind == "log" and document.collected and document.channel != Channel.CLIENT and "pod" in document.hints:
            self._store.heard.add((document.hints.get("namespace"), document.hints["pod"]))
        for part in recognise(document):
            try:
                self._read_part(part)
            except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, OverflowError) as error:
                where = f"{part.source}:{part.first_line}"
                self._store.gaps.append(Gap(where, f"{part.kind} could not be read whole ({type(error).__name__})"))
                self._text(part, None)

    def note(self, gap: Gap) -> None:
        """Remember evidence that was not looked at."""
        self._store.gaps.append(gap)

    def finish(self) -> tuple[Store, Joins]:
        """The store, with every entity named as far as the whole evidence allows.

        More documents may be read afterwards, and the whole be put together again.
        """
        store = self._store.begun()
        self._merger.build(store)
        joins = Joins(store)
        now = store.clock = self._collected or _clock(store)
        _set_ages(store)
        if self._events or any(str(kind).startswith("object:") for kind in store.seen):
            store.saw(Channel.EVENT, Channel.STATUS)
        for fact in event_facts(self._events, store, now):
            store.add_fact(fact)
        for fact in self._loose:
            store.add_fact(settle_fact(fact, store, joins, now))
        for fact in object_facts(store, joins):
            store.add_fact(fact)
        for fact in pod_facts(store, joins, now):
            store.add_fact(fact)
        for fact in guard_facts(store, now):
            store.add_fact(fact)
        for fact in change_facts(store, joins):
            store.add_fact(fact)
        return store, joins

    # --- one document ------------------------------------------------------------------------------------------

    def _read_part(self, part: Document) -> None:
        self._listed(part)
        if part.kind == "table":
            self._objects(part, parse_table(part))
        elif part.kind == "events":
            self._objects(part, event_rows(part.lines, part.first_line, mixed=True))
        elif part.kind == "describe":
            self._objects(part, parse_described(part))
        elif part.kind == "fragment":
            self._objects(part, parse_fragment(part))
        elif part.kind == "manifest":
            if not self._objects(part, parse_manifest(part)):
                self._text(part, None)
        elif part.kind == "objects":
            self._objects(part, parse_objects(part))
        elif part.kind == "alerts":
            self._loose.extend(parse_alerts(part, self._store))
        elif part.kind == "service-graph":
            parse_service_graph(part, self._store)
        elif part.kind in _TEXTS or not self._host(part):
            self._loose.extend(parse_connection(part, self._store))
            self._text(part, None)

    def _listed(self, part: Document) -> None:
        """A list that was read whole: what is not in it does not exist; a screened one: what is not in it is healthy."""
        for hint, known in (("lists", self._store.listed), ("screens", self._store.screened)):
            if hint in part.hints:
                known.add((part.hints[hint], part.hints.get("namespace")))
                self._store.saw(f"object:{part.hints[hint]}")

    def _host(self, part: Document) -> bool:
        """Take the output of a command on a host; False when it is none."""
        parser = ACCESS_PARSERS.get(part.kind) or _host_parser(part.kind)
        if parser is None:
            return False
        found = list(parser(part))
        for fact in found:
            self._store.saw(fact.kind)
        self._loose.extend(found)
        named = next((fact.entity for fact in found if fact.entity.name), None)
        self._text(part, named)
        return True

    def _objects(self, part: Document, items: Iterable[Draft | EventRow | Gap]) -> int:
        """Keep drafts and events; returns how many there were. Lines that are neither are searched as text."""
        described: Entity | None = None
        used: set[int] = set()
        total = 0
        for item in items:
            if isinstance(item, Gap):
                self.note(item)
                continue
            total += 1
            if isinstance(item, Draft):
                self._merger.add(item)
                if part.kind == "describe" and described is None:
                    described = _described_entity(item)
                used.update(proof.line - part.first_line for proof in item.proofs.values() if proof.line is not None)
            else:
                self._events.append(SeenEvent(item, part, described))
                used.add(item.line - part.first_line)
        if part.kind not in ("manifest", "objects") and part.collected is None:
            rest = ["" if i in used else line for i, line in enumerate(part.lines)]
            channel = Channel.STATUS if part.kind == "describe" and described is None else part.channel
            if part.kind == "describe" and described is not None and not described.name:  # a piece of one: its words tell more
                self._text(part, None)
            elif part.kind != "describe" or described is None:
                self._text(replace(part, lines=rest, channel=channel), described)
            elif any(_COMMENT in line for line in part.lines):
                comments = [line if _COMMENT in line else "" for line in part.lines]
                self._text(replace(part, lines=comments, channel=Channel.CLIENT), described)
        return total

    def _text(self, part: Document, entity: Entity | None) -> None:
        self._store.saw(part.channel)
        wrapped = part.channel in (Channel.PASTE, Channel.CLIENT, Channel.COMMAND, Channel.STATUS)
        wrapped = wrapped and not (part.kind == "log" and part.collected)  # as the API server sent it
        self._loose.extend(line_facts(part, self._keep, entity or _entity_of_hints(part), wrapped=wrapped))


def _host_parser(kind: str) -> Parser | None:
    """What reads a command's output on a host."""
    from kubecause.facts.hosts import HOST_PARSERS  # heavy, and a live cluster shows no host

    return HOST_PARSERS.get(kind)


def _described_entity(draft: Draft) -> Entity:
    namespace = None if draft.kind in CLUSTER_KINDS else draft.namespace
    return Entity(draft.kind, draft.name or None, namespace, scope=None if draft.name else draft.document.source)


def _entity_of_hints(document: Document) -> Entity:
    """What a document is about as far as its path, command and prompt tell."""
    hints = document.hints
    namespace = hints.get("namespace")
    if "pod" in hints:
        return Entity("Container", hints.get("container"), namespace, pod=hints["pod"])
    if "workload" in hints:
        return Entity("Workload", hints["workload"], namespace)
    if "name" in hints and document.kind == "describe":
        return Entity(_UNKNOWN_KIND, hints["name"], namespace)
    if document.channel in (Channel.KUBELET_LOG, Channel.RUNTIME_LOG, Channel.KERNEL_LOG) or document.host:
        return Entity(
            "Node", document.host or hints.get("node"), scope=None if document.host or hints.get("node") else document.source
        )
    return Entity(_UNKNOWN_KIND, None, namespace, scope=document.source)


def _clock(store: Store) -> datetime | None:
    """The time of the collection as far as objects show it: the latest heartbeat or start they carry."""
    latest: datetime | None = None
    for _, node in store.records("Node", Node):
        for condition in node.status.conditions:
            latest = _later(latest, parse_time(condition.last_transition_time))
    for _, pod in store.records("Pod", Pod):
        for status in pod.status.container_statuses:
            for text in (
                status.state.running.started_at if status.state.running else None,
                status.last_state.terminated.finished_at if status.last_state.terminated else None,
            ):
                latest = _later(latest, parse_time(text))
        started = parse_time(pod.status.start_time)
        if started and pod.status.age:
            latest = _later(latest, datetime.fromtimestamp(started.timestamp() + pod.status.age, tz=started.tzinfo))
    return latest


def _set_ages(store: Store) -> None:
    """The age of pods that an API object tells of: kubectl prints it, the API gives the time of creation."""
    for _, pod in store.records("Pod", Pod):
        created = parse_time(pod.metadata.creation_timestamp)
        if pod.status.age is None and created and store.clock:
            pod.status.age = max((store.clock - created).total_seconds(), 0.0)


def _later(a: datetime | None, b: datetime | None) -> datetime | None:
    return b if a is None or (b is not None and b > a) else a
