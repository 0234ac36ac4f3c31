"""What changed, and when: rollouts, scaling, nodes, certificates; as ``change`` facts. Edits: ``edits.py``.

Every time is one that the API server, or a component that reports to it, wrote: ages that kubectl printed tell no time.
Sources: a Deployment numbers its ReplicaSets with the annotation ``deployment.kubernetes.io/revision``; controllers and kubelets
send events.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

import msgspec

from kubecause.facts.edits import AT_ONCE, SAME_ACT, change, writes_of
from kubecause.facts.joins import Joins
from kubecause.facts.records import Node, Workload
from kubecause.facts.restarts import parse_time
from kubecause.facts.store import Store, Thing
from kubecause.facts.template_differences import template_differences
from kubecause.later import Later
from kubecause.model import Channel, Entity, Fact
from kubecause.vocabulary import TEXT_FACT

_NUMBERED_BY = ("deployment.kubernetes.io/revision", "rollout.argoproj.io/revision")  # Deployments, Argo Rollouts
_HISTORY = "-history"  # appended: numbers a ReplicaSet had before it was rolled back to
_REVISIONS = 3  # latest revisions of a Deployment that are compared each with the one before
_ROLLOUT = timedelta(minutes=10)  # a rollout moves replicas for at most so long (progressDeadlineSeconds)
_OLDER = timedelta(hours=1)  # a node this much younger than the first has joined a running cluster
_STARTED_UP = timedelta(minutes=5)  # a kubelet that starts on a node this old has started again
_NUMBER = re.compile(r"\d{1,9}")
_SCALED = re.compile(
    r"Scaled (?:up|down) replica set (?P<set>\S+) (?:from (?P<was>\d+) to (?P<now>\d+)|to (?P<to>\d+)(?: from (?P<of>\d+))?)"
)


def change_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """A ``change`` fact for everything but edits whose time is known; unknown times give none."""
    store.saw("change")
    sets = _replica_sets(store, joins)
    for owner, revisions in sets.items():
        yield from _rollouts(owner, store.things.get(owner), revisions)
    reported = _reported(store)
    yield from _scalings(reported["ScalingReplicaSet"], sets)
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
    writes = writes_of(thing) if thing else []
    pairs = list(pairwise(revisions))
    for before, after in pairs[-_REVISIONS:]:
        latest = after is revisions[-1]
        at = after.made or (writes[-1].at if latest and writes else None)  # what was rolled back to is older than that
        if at is None:
            continue
        by = next((write.by for write in reversed(writes) if latest and abs(write.at - at) <= SAME_ACT), None)
        known = before.record.spec.template.spec.containers and after.record.spec.template.spec.containers
        templates = (before.record.spec.template, after.record.spec.template)
        differences = Later(partial(template_differences, *templates)) if known else None  # most rollouts broke nothing
        proofs = after.thing.proof(f"metadata.annotations.{_NUMBERED_BY[0]}")
        versions = {"before": str(before.number), "after": str(after.number)}
        yield change("rollout", owner, at, proofs, by=by, detail=differences, **versions)


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
            together = [each for each in others if abs(each.at - latest.at) <= AT_ONCE]
            was = None if latest.was is None else latest.was + sum(each.was or 0 for each in together)
            after = latest.now + sum(each.now for each in together)
            yield change(
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
            yield change("node-joined", entity, at, store.things[entity].proof("metadata.creationTimestamp"))
    rebooted = _latest(reported["Rebooted"])
    for entity, (at, fact) in rebooted.items():
        yield change("node-rebooted", entity, at, fact.proofs)
    versions = {thing.entity: node.status.node_info.kubelet_version for thing, node in store.records("Node", Node)}
    for entity, (at, fact) in _latest(each for each in reported["Starting"] if "kubelet" in str(each["text"])).items():
        joined = created.get(entity)
        if entity not in rebooted and joined and at > joined + _STARTED_UP:
            yield change("kubelet-started", entity, at, fact.proofs, **_skew(entity, versions))


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
            yield change("certificate-expired", fact.entity, at, fact.proofs, after=fact["subject"])
