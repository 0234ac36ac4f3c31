"""What changed, and when: rollouts, scaling, edits, nodes, certificates; as ``change`` facts.

Every time is one that the API server, or a component that reports to it, wrote: ages that kubectl printed tell no time.
Sources: a Deployment numbers its ReplicaSets with the annotation ``deployment.kubernetes.io/revision``;
``metadata.managedFields`` keeps who wrote an object last, and when (Server-Side Apply, "Field management"); controllers
and kubelets send events.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec

from kubecause.facts.joins import Joins
from kubecause.facts.records import Node, Workload
from kubecause.facts.records_pod import EditedMetadata
from kubecause.facts.restarts import parse_time
from kubecause.facts.store import Store, Thing, worked_out_once
from kubecause.facts.template_differences import Differences
from kubecause.model import Channel, Entity, Fact, Proof
from kubecause.vocabulary import TEXT_FACT

_NUMBERED_BY = ("deployment.kubernetes.io/revision", "rollout.argoproj.io/revision")  # Deployments, Argo Rollouts
_HISTORY = "-history"  # appended: numbers a ReplicaSet had before it was rolled back to
_REVISIONS = 3  # latest revisions of a Deployment that are compared each with the one before
_SAME_ACT = timedelta(seconds=5)  # a controller acts on an edit within this time
_ROLLOUT = timedelta(minutes=10)  # a rollout moves replicas for at most so long (progressDeadlineSeconds)
_AT_ONCE = timedelta(seconds=2)  # replica sets of one Deployment are scaled together within this time
_OLDER = timedelta(hours=1)  # a node this much younger than the first has joined a running cluster
_STARTED_UP = timedelta(minutes=5)  # a kubelet that starts on a node this old has started again

EDITABLE = (
    *("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Rollout", "ConfigMap", "Service", "Ingress", "NetworkPolicy"),
    *("ResourceQuota", "LimitRange", "HorizontalPodAutoscaler", "PodDisruptionBudget", "PersistentVolumeClaim", "Node"),
    *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
)
_COMPONENTS = frozenset(  # whose writes are no decision of anybody
    {"kube-controller-manager", "kube-scheduler", "kube-apiserver", "kubelet", "cloud-controller-manager", "before-first-apply"}
)
_OF_NODES = ("kubectl", "oc", "k9s", "cluster-autoscaler", "karpenter")  # agents write to nodes all the time, these decide
_EVERYWHERE = frozenset({"kube-root-ca.crt", "openshift-service-ca.crt"})  # made by controllers in every namespace
_NUMBER = re.compile(r"\d{1,9}")
_SCALED = re.compile(
    r"Scaled (?:up|down) replica set (?P<set>\S+) (?:from (?P<was>\d+) to (?P<now>\d+)|to (?P<to>\d+)(?: from (?P<of>\d+))?)"
)


def change_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """A ``change`` fact for everything whose time is known; unknown times give none."""
    store.saw("change")
    sets = _replica_sets(store, joins)
    rollouts = [fact for owner, revisions in sets.items() for fact in _rollouts(owner, store.things.get(owner), revisions)]
    yield from rollouts
    reported = _reported(store)
    yield from _scalings(reported["ScalingReplicaSet"], sets)
    told: dict[Entity, list[datetime]] = defaultdict(list)
    for fact in rollouts:
        told[fact.entity].append(datetime.fromisoformat(str(fact["at"])))
    yield from _edits(store, told)
    yield from _nodes(store, reported)
    yield from _certificates(store)


def _reported(store: Store) -> dict[str, list[Fact]]:
    """The events that report a change, by their reason."""
    found: dict[str, list[Fact]] = {"ScalingReplicaSet": [], "Rebooted": [], "Starting": []}
    for fact in store.facts[TEXT_FACT]:
        reason = fact.fields.get("reason")
        if reason in found and event_times(fact):
            found[reason].append(fact)
    return found


def _change(what: str, entity: Entity, at: datetime, proofs: Iterable[Proof], **more: Any) -> Fact:
    fields = {"what": what, "at": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", **more}
    return Fact("change", entity, {key: value for key, value in fields.items() if value is not None}, tuple(proofs))


# --- who wrote an object ------------------------------------------------------------------------------------


class _Write(msgspec.Struct, frozen=True):
    """One write that somebody decided on."""

    at: datetime
    by: str


def _writes(thing: Thing) -> list[_Write]:
    """What people and their tools wrote of an object (not its status, not its scale), oldest first."""
    metadata = thing.metadata
    if not isinstance(metadata, EditedMetadata):
        return []
    found = []
    for entry in metadata.managed_fields:
        at = parse_time(entry.time)
        decided = entry.manager not in _COMPONENTS and (thing.entity.kind != "Node" or entry.manager.startswith(_OF_NODES))
        if at and not entry.subresource and entry.manager and decided:
            found.append(_Write(at, entry.manager))
    return sorted(found, key=lambda write: (write.at, write.by))


def _edits(store: Store, told: dict[Entity, list[datetime]]) -> Iterator[Fact]:
    """Objects that were made, or edited after that; ``told`` are times of rollouts, which need not be told twice."""
    for thing in store.of_kind(*EDITABLE):
        edit = _edit(thing)
        if edit and not (edit.at and any(abs(edit.at - at) <= _SAME_ACT for at in told.get(thing.entity, ()))):
            yield edit.fact


class _Edit(msgspec.Struct, frozen=True):
    """The last thing that somebody did to an object.

    :param at: when it was edited; None where it was made.
    """

    fact: Fact
    at: datetime | None


@worked_out_once
def _edit(thing: Thing) -> _Edit | None:
    if not thing.live or thing.entity.name in _EVERYWHERE:
        return None
    writes = _writes(thing)
    created = parse_time(thing.metadata.creation_timestamp)
    latest = writes[-1] if writes else None
    if latest and (created is None or latest.at > created + _AT_ONCE):
        what = "rollout" if _rolls_out(thing) else "edited"
        return _Edit(_change(what, thing.entity, latest.at, thing.proof("metadata.managedFields"), by=latest.by), latest.at)
    if created is None or thing.entity.kind == "Node":
        return None
    by = next((write.by for write in writes if abs(write.at - created) <= _AT_ONCE), None)
    return _Edit(_change("created", thing.entity, created, thing.proof("metadata.creationTimestamp"), by=by), None)


def _rolls_out(thing: Thing) -> bool:
    """Whether a StatefulSet or DaemonSet brings a new template to its pods; their earlier templates are not read."""
    if not isinstance(thing.record, Workload):
        return False
    status = thing.record.status
    if thing.entity.kind == "StatefulSet":
        return status.update_revision is not None and status.update_revision != status.current_revision
    wanted, updated = status.desired_number_scheduled, status.updated_number_scheduled
    return thing.entity.kind == "DaemonSet" and wanted is not None and updated is not None and updated < wanted


# --- rollouts and scaling of Deployments --------------------------------------------------------------------


class _Revision(msgspec.Struct, frozen=True):
    """One revision of a Deployment's template; a rollback gives an old ReplicaSet a new number.

    :param made: when its ReplicaSet was made for it; None for a revision that was rolled back to.
    """

    number: int
    thing: Thing
    record: Workload
    made: datetime | None


def _replica_sets(store: Store, joins: Joins) -> dict[Entity, list[_Revision]]:
    """The ReplicaSets of each Deployment by revision, oldest first."""
    found: dict[Entity, list[_Revision]] = defaultdict(list)
    for thing, record in store.records("ReplicaSet", Workload):
        annotations = thing.metadata.annotations
        texts = [text for key in _NUMBERED_BY for end in ("", _HISTORY) for text in (annotations.get(key + end) or "").split(",")]
        numbers = sorted({int(text) for text in texts if _NUMBER.fullmatch(text.strip())})
        owner = joins.owner(thing.entity) if numbers and thing.live else None
        if owner:
            created = parse_time(thing.metadata.creation_timestamp)
            found[owner] += [_Revision(each, thing, record, created if each == numbers[0] else None) for each in numbers]
    for revisions in found.values():
        revisions.sort(key=lambda each: (each.number, each.thing.entity.sort_key))
    return found


def _rollouts(owner: Entity, thing: Thing | None, revisions: list[_Revision]) -> Iterator[Fact]:
    """The latest revisions, each against the one before."""
    writes = _writes(thing) if thing else []
    pairs = list(pairwise(revisions))
    for before, after in pairs[-_REVISIONS:]:
        latest = after is revisions[-1]
        at = after.made or (writes[-1].at if latest and writes else None)  # what was rolled back to is older than that
        if at is None:
            continue
        by = next((write.by for write in reversed(writes) if latest and abs(write.at - at) <= _SAME_ACT), None)
        known = before.record.spec.template.spec.containers and after.record.spec.template.spec.containers
        differences = Differences(before.record.spec.template, after.record.spec.template) if known else None
        proofs = after.thing.proof(f"metadata.annotations.{_NUMBERED_BY[0]}")
        versions = {"before": str(before.number), "after": str(after.number)}
        yield _change("rollout", owner, at, proofs, by=by, detail=differences, **versions)


class _Scaling(msgspec.Struct, frozen=True):
    """One ReplicaSet got another number of replicas, as its Deployment's controller reports it."""

    name: str
    was: int | None
    now: int
    at: datetime
    fact: Fact


def _scalings(events: Iterable[Fact], sets: dict[Entity, list[_Revision]]) -> Iterator[Fact]:
    """Deployments that got another number of replicas outside a rollout.

    A rollout moves replicas between ReplicaSets. The newest one alone, or going down, is somebody else's decision.
    """
    of: dict[Entity, list[_Scaling]] = defaultdict(list)
    for fact in events:
        scaling = _scaling(fact)
        of[fact.entity] += [scaling] if scaling else []
    for deployment, scalings in of.items():
        revisions = sets.get(deployment)
        if not revisions:
            continue
        newest = revisions[-1].thing.entity.name
        mine = [each for each in scalings if each.name == newest]
        others = [each for each in scalings if each.name != newest]
        latest = max(mine, key=lambda each: each.at, default=None)
        if latest and latest.was != 0 and _alone(latest, others):
            together = [each for each in others if abs(each.at - latest.at) <= _AT_ONCE]
            was = None if latest.was is None else latest.was + sum(each.was or 0 for each in together)
            after = latest.now + sum(each.now for each in together)
            yield _change(
                "scaled",
                deployment,
                latest.at,
                latest.fact.proofs,
                before=None if was is None else str(was),
                after=str(after),
            )


def _alone(latest: _Scaling, others: list[_Scaling]) -> bool:
    """Whether nothing but a decision on the number of replicas can have scaled the newest ReplicaSet."""
    if latest.now == 0 or (latest.was is not None and latest.now < latest.was):
        return True
    return not any(-_ROLLOUT < other.at - latest.at < _ROLLOUT for other in others) and latest.was is not None


def _scaling(fact: Fact) -> _Scaling | None:
    found = _SCALED.search(str(fact["text"]))
    times = event_times(fact)
    if not found or not times:
        return None
    was = found["was"] or found["of"]
    return _Scaling(found["set"], int(was) if was else None, int(found["now"] or found["to"]), times[1], fact)


def event_times(fact: Fact) -> tuple[datetime, datetime] | None:
    """When an event was first and last seen; None when only its age was printed."""
    last = next((proof.time for proof in fact.proofs if proof.time), None)
    if fact["channel"] != Channel.EVENT or last is None:
        return None
    span = fact["span"]
    return last - timedelta(seconds=float(span)) if isinstance(span, int | float) else last, last


# --- nodes, certificates ------------------------------------------------------------------------------------


def _nodes(store: Store, reported: dict[str, list[Fact]]) -> Iterator[Fact]:
    created = {thing.entity: parse_time(thing.metadata.creation_timestamp) for thing in store.of_kind("Node")}
    first = min((at for at in created.values() if at), default=None)
    for entity, at in created.items():
        if at and first and at > first + _OLDER:
            yield _change("node-joined", entity, at, store.things[entity].proof("metadata.creationTimestamp"))
    rebooted = _latest(reported["Rebooted"])
    for entity, (at, fact) in rebooted.items():
        yield _change("node-rebooted", entity, at, fact.proofs)
    versions = {thing.entity: node.status.node_info.kubelet_version for thing, node in store.records("Node", Node)}
    for entity, (at, fact) in _latest(each for each in reported["Starting"] if "kubelet" in str(each["text"])).items():
        joined = created.get(entity)
        if entity not in rebooted and joined and at > joined + _STARTED_UP:
            yield _change("kubelet-started", entity, at, fact.proofs, **_skew(entity, versions))


def _latest(events: Iterable[Fact]) -> dict[Entity, tuple[datetime, Fact]]:
    """The last time each entity was reported on, and by which event."""
    found: dict[Entity, tuple[datetime, Fact]] = {}
    for fact in events:
        times = event_times(fact)
        if times and (fact.entity not in found or times[1] > found[fact.entity][0]):
            found[fact.entity] = (times[1], fact)
    return found


def _skew(entity: Entity, versions: dict[Entity, str | None]) -> dict[str, str]:
    """The version of a node after the one that most others run, where they differ."""
    others = Counter(version for other, version in versions.items() if other != entity and version)
    own, usual = versions.get(entity), others.most_common(1)[0][0] if others else None
    return {"before": usual, "after": own} if own and usual and own != usual else {}


def _certificates(store: Store) -> Iterator[Fact]:
    for fact in store.facts["certificate"]:
        at = parse_time(str(fact["not_after"])) if fact["expired"] is True else None
        if at:
            yield _change("certificate-expired", fact.entity, at, fact.proofs, after=fact["subject"])
