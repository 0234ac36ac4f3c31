"""Events as facts: merged when several documents show the same one, marked when what they report is over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from kubecause.facts.describe import kind_of_word
from kubecause.facts.event_rows import EventRow
from kubecause.facts.lines import about_of
from kubecause.facts.records import CLUSTER_KINDS, Claim, Node, Workload
from kubecause.facts.records_pod import Pod
from kubecause.facts.restarts import parse_time, pod_ready, settled
from kubecause.facts.store import Store, Thing
from kubecause.model import Channel, Document, Entity, Fact, Proof
from kubecause.vocabulary import TEXT_FACT

_Family = tuple[str | None, str]
_PULL_FAILED = re.compile(r'Failed to pull image "([^"\s]{1,300})": ')
_MISSING = re.compile(
    r"(?P<kind>serviceaccount|secret|configmap|persistentvolumeclaim) \"(?P<name>[\w.-]+)\" not found", re.IGNORECASE
)
_HASHED = re.compile(r"(?P<owner>.+)-[a-z0-9]{6,10}$")  # a ReplicaSet carries its Deployment's name and a hash
_STALE = 1500.0  # seconds; controllers and kubelets repeat a failing action at least every 17 minutes
_WHOLE = 5  # live objects that make a capture rather than a paste
_BEFORE_START = frozenset(  # what a pod has behind it once a container of it starts
    {"FailedScheduling", "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "NetworkNotReady"}
)
_UNDOES = {  # events of the node controller and the kubelet, which come in pairs; for who may not read the node itself
    "NodeReady": "NodeNotReady",
    "NodeHasSufficientMemory": "NodeHasInsufficientMemory",
    "NodeHasNoDiskPressure": "NodeHasDiskPressure",
    "NodeHasSufficientPID": "NodeHasInsufficientPID",
    "NodeSchedulable": "NodeNotSchedulable",
}
_RETRIED = 150.0  # seconds; the kubelet tries a failing mount again after two minutes at most
_RECENT = 120.0  # seconds; an event this fresh on a ready pod may still be going on when it keeps coming


class SeenEvent(msgspec.Struct, frozen=True):
    """An event row with the document and the object it belongs to."""

    row: EventRow
    document: Document
    entity: Entity | None  # the described object


_Events = Mapping[tuple[Entity, str, str], tuple[EventRow, Document]]


def event_facts(events: Iterable[SeenEvent], store: Store, now: datetime | None) -> Iterator[Fact]:
    """One fact an event; the row with the highest count stands for its repeats in other documents."""
    best: dict[tuple[Entity, str, str], tuple[EventRow, Document]] = {}
    undone: dict[tuple[Entity, str], float] = {}
    for seen in events:
        entity = _entity(seen, store)
        key = (entity, seen.row.reason, seen.row.message)
        if key not in best or _tells_more(seen.row, best[key][0], now):
            best[key] = (seen.row, seen.document)
        age = _age(seen.row, now) if seen.row.reason in _UNDOES else None
        if age is not None:  # a kubelet that restarts begins a new event: the latest counts
            undoes = (entity, _UNDOES[seen.row.reason])
            undone[undoes] = min(age, undone.get(undoes, age))
    started, pulls, unwell = _started(best, now), _last_pulls(best, now), _unwell_families(store, now)
    for (entity, _, _), (row, document) in best.items():
        fact = _fact(entity, row, document, store, now, unwell)
        begun = row.reason in _BEFORE_START and (_is_later(started.get(entity), row, now) or _started_since(entity, row, store))
        age, repeats = pulls.get((entity, _pulled(row)), (None, 0))
        tried_again = row.count <= repeats and _is_later(age, row, now)
        if begun or tried_again or _is_later(undone.get((entity, _aspect(row))), row, now):
            fact = replace(fact, fields={**fact.fields, "healed": True})
        yield fact


def _last_pulls(events: _Events, now: datetime | None) -> dict[tuple[Entity, str], tuple[float, int]]:
    """By pod and image, how long ago a pull last failed, and how often in that way.

    What failed in another way before, and not more often, is over.
    """
    last: dict[tuple[Entity, str], tuple[float, int]] = {}
    for (entity, _, _), (row, _) in events.items():
        image, age = _pulled(row), _age(row, now)
        if image and age is not None:
            last[entity, image] = min((age, row.count), last.get((entity, image), (age, row.count)))
    return last


def _pulled(row: EventRow) -> str:
    """The image that the kubelet could not pull, as it stands in the message; empty for other events."""
    found = _PULL_FAILED.match(row.message) if row.reason == "Failed" else None
    return found[1] if found else ""


def _aspect(row: EventRow) -> str:
    """The reason under which an event is undone: that the kubelet begins to evict, is over with the pressure."""
    if row.reason != "EvictionThresholdMet":
        return row.reason
    return "NodeHasInsufficientMemory" if "memory" in row.message else "NodeHasDiskPressure"


def _tells_more(row: EventRow, other: EventRow, now: datetime | None) -> bool:
    """True when a row stands for its repeats: it counts more, or, where another event may undo it, it is later."""
    ages = _age(row, now), _age(other, now)
    if row.reason in _UNDOES.values() and ages[0] is not None and ages[1] is not None:
        return ages[0] < ages[1]
    return row.count > other.count


def _started(events: _Events, now: datetime | None) -> dict[Entity, float]:
    """Seconds since a container of each pod was last seen to start."""
    found: dict[Entity, float] = {}
    for (entity, reason, _), (row, _) in events.items():
        age = _age(row, now) if reason == "Started" else None
        if age is not None:
            found[entity] = min(age, found.get(entity, age))
    return found


def _started_since(entity: Entity, row: EventRow, store: Store) -> bool:
    """True when a container of the pod started, or failed to, after the event: its status tells where no event does."""
    thing, seen = store.things.get(entity), parse_time(row.seen)
    if seen is None or thing is None or not isinstance(thing.record, Pod):
        return False
    status = thing.record.status
    for each in (*status.init_container_statuses, *status.container_statuses):
        for run in (each.state.running, each.state.terminated, each.last_state.terminated):
            times = (run.started_at, getattr(run, "finished_at", None)) if run else ()
            if any(moment and moment > seen for moment in map(parse_time, times)):
                return True
    return False


def _is_later(other: float | None, row: EventRow, now: datetime | None) -> bool:
    """True when something happened after an event, going by the seconds since."""
    age = _age(row, now)
    return other is not None and age is not None and other < age


def _age(row: EventRow, now: datetime | None) -> float | None:
    """Seconds since an event, as printed or by the clock of the collection."""
    seen = parse_time(row.seen)
    return max((now - seen).total_seconds(), 0.0) if row.age is None and seen and now else row.age


def _entity(seen: SeenEvent, store: Store) -> Entity:
    row = seen.row
    if row.kind and row.name:
        kind = kind_of_word(row.kind) or row.kind
        namespace = row.namespace or seen.document.hints.get("namespace")
        thing = store.named(kind, row.name, namespace)
        return thing.entity if thing else Entity(kind, row.name, None if kind in CLUSTER_KINDS else namespace)
    if seen.entity:
        return seen.entity
    about = about_of(row.message)
    if about:
        thing = store.named("Pod", about.name, about.namespace)
        return thing.entity if thing else about
    return Entity(_kind_of_reason(row), None, row.namespace, scope=seen.document.source)


def _kind_of_reason(row: EventRow) -> str:
    """What an event without an object is most likely about, from who sent it."""
    source = row.source or ""
    if source.startswith(("node-controller", "kubelet")) and row.reason.startswith(
        ("Node", "EvictionThreshold", "ImageGC", "ContainerGC", "FreeDisk", "Rebooted", "InvalidDisk")
    ):
        return "Node"
    if source.startswith(("replicaset-controller", "deployment", "statefulset", "daemonset", "job-controller")):
        return "Workload"
    if source.startswith("persistentvolume-controller"):
        return "PersistentVolumeClaim"
    if source.startswith("service"):
        return "Service"
    return "Node" if row.reason in ("NodeNotReady", "ContainerGCFailed", "ImageGCFailed") else "Pod"


def _fact(
    entity: Entity, row: EventRow, document: Document, store: Store, now: datetime | None, unwell: AbstractSet[_Family]
) -> Fact:
    age, seen = _age(row, now), parse_time(row.seen)
    span = row.span
    first = parse_time(row.first)
    if span is None and seen and first:
        span = (seen - first).total_seconds()
    fields: dict[str, Any] = {
        "text": row.message,
        "channel": Channel.EVENT,
        "reason": row.reason,
        "type": row.type,
        "count": row.count,
        "age": age,
        "span": span,
        "source": row.source,
        "node": row.node,
        "healed": _is_over(entity, row, age, now, store, unwell),
    }
    about = about_of(row.message)
    if about and entity.kind != "Pod":
        fields["about"] = about
    proof = Proof(document.source, row.raw[:1500], line=row.line, time=seen, count=row.count if row.count > 1 else None)
    return Fact(TEXT_FACT, entity, {k: v for k, v in fields.items() if v is not None}, (proof,), document.source)


def _is_over(
    entity: Entity, row: EventRow, age: float | None, now: datetime | None, store: Store, unwell: AbstractSet[_Family]
) -> bool:
    thing = store.things.get(entity)
    if thing is None and _is_healthy_unseen(entity, row, age, now, store):
        return True
    if thing is None and age is not None and age > _STALE and _is_whole(store):
        return True
    if thing is not None and _node_recovered(thing, row, now, store):
        return True
    if _is_there_now(row.message, entity.namespace, store):
        return True
    return is_over(thing, row, age, now, gone=thing is None and _is_gone(entity, store, unwell))


def _is_whole(store: Store) -> bool:
    return sum(1 for _ in islice((thing for thing in store.things.values() if thing.live), _WHOLE)) == _WHOLE


def _is_healthy_unseen(entity: Entity, row: EventRow, age: float | None, now: datetime | None, store: Store) -> bool:
    """True when an object that nothing shows was looked at and found healthy, or is gone; for a ReplicaSet its owner tells."""
    if store.was_screened(entity.kind, entity.namespace) or store.was_listed(entity.kind, entity.namespace):
        return True
    hashed = _HASHED.match(entity.name or "") if entity.kind == "ReplicaSet" else None
    if hashed is None or not store.was_listed("Deployment", entity.namespace):
        return False
    deployment = store.named("Deployment", hashed["owner"], entity.namespace)
    return deployment is None or is_over(deployment, row, age, now)


def _node_recovered(thing: Thing, row: EventRow, now: datetime | None, store: Store) -> bool:
    """True for what the kubelet said of a pod before its node became Ready (again): it has tried everything anew since."""
    pod = thing.record
    node = store.named("Node", pod.spec.node_name) if isinstance(pod, Pod) and pod.spec.node_name else None
    if node is None or not isinstance(node.record, Node):
        return False
    ready = next((c for c in node.record.status.conditions if c.type == "Ready" and c.status.strip() == "True"), None)
    if ready is None:
        return False
    since, seen = parse_time(ready.last_transition_time), parse_time(row.seen)
    if since and seen and now and (row.source or "").startswith("kubelet"):
        return seen < since and (now - since).total_seconds() > _RETRIED
    return row.reason == "NetworkNotReady"


def _is_there_now(message: str, namespace: str | None, store: Store) -> bool:
    """True when an event misses an object that exists by now."""
    found = _MISSING.search(message)
    kind = kind_of_word(found["kind"]) if found else None
    thing = store.named(kind, found["name"], namespace) if found and kind else None
    return thing is not None and thing.live


def _is_gone(entity: Entity, store: Store, unwell: AbstractSet[_Family]) -> bool:
    """True when the objects of this kind and namespace were listed and this one is not among them.

    A pod whose successor is not well either has left its trouble to it.
    """
    if entity.kind not in ("Pod", "ReplicaSet", "Deployment", "StatefulSet") or not entity.name:
        return False
    if store.rows(entity.kind, entity.namespace) <= 1:
        return False
    return entity.kind != "Pod" or _family(entity) not in unwell


def _family(pod: Entity) -> _Family:
    """What pods made of the same version of a template share: their names differ in the last part."""
    return pod.namespace, (pod.name or "").rpartition("-")[0]


def _unwell_families(store: Store, now: datetime | None) -> set[_Family]:
    """The families that have a pod which is not well."""
    pods = store.records("Pod", Pod)
    return {_family(thing.entity) for thing, pod in pods if pod_ready(pod) is False and not settled(pod, now)}


def is_over(thing: Thing | None, row: EventRow, age: float | None, now: datetime | None, *, gone: bool = False) -> bool:
    """True when the object of an event is healthy again or gone, so that the event tells of the past."""
    if thing is None:
        return gone
    record = thing.record
    if isinstance(record, Pod):
        return settled(record, now) or (row.reason == "FailedScheduling" and _scheduler_said_more(record, row))
    if isinstance(record, Workload):
        spec, status = record.spec, record.status
        desired = status.desired_number_scheduled if thing.entity.kind == "DaemonSet" else spec.replicas
        have = status.replicas if status.replicas is not None else status.number_ready
        failing = any(c.type == "ReplicaFailure" and c.status.strip() == "True" for c in status.conditions)
        return desired is not None and have is not None and have >= desired and not failing
    if isinstance(record, Claim):
        return record.status.phase == "Bound"
    if isinstance(record, Node):
        return _node_event_over(record, row, age)
    return False


def _scheduler_said_more(pod: Pod, row: EventRow) -> bool:
    """True when the pod has a node by now, or its condition holds a later word of the scheduler."""
    if pod.spec.node_name:
        return True
    words = [c.message for c in pod.status.conditions if c.type == "PodScheduled" and c.status.strip() == "False" and c.message]
    return bool(words) and all(" ".join(word.split())[:200] != " ".join(row.message.split())[:200] for word in words)


def _node_event_over(node: Node, row: EventRow, age: float | None) -> bool:
    ready = next((c.status.strip() for c in node.status.conditions if c.type == "Ready"), None)
    return ready == "True" and (
        (age is not None and age > _RECENT) or row.reason in ("Rebooted", "InvalidDiskCapacity", "NodeNotReady")
    )
