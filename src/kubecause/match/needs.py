"""What would settle what was found: ``leads_to`` of the cases read backwards, along joins that exist (design.md, "Rounds")."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Protocol

from kubecause.facts.joins import Joins
from kubecause.facts.records import Claim
from kubecause.facts.records_network import Ingress
from kubecause.knowledge.schema import Case, Signal
from kubecause.model import Entity, Finding, Need, Status

_ASKING = ("client.address-wrong", "name.unresolved")  # facts that tell themselves what would settle them
_Along = Callable[[Joins, Entity], Iterable[Entity]]


class Asked(Protocol):
    """What a source that can be asked says of needs before it is given any."""

    def is_left_alone(self, entity: Entity) -> bool:
        """Whether no more is asked about a pod or container; what is found on such ones only needs nothing."""

    def settled_by(self, entity_kind: str, fact_kind: str) -> Hashable:
        """The same for all kinds of facts about which the same is asked of a kind of entity: one of them stands for all."""


def needs_of(findings: Sequence[Finding], cases: Mapping[str, Case], joins: Joins, source: Asked) -> list[Need]:
    """Facts that may explain the symptoms and settle the doubts among the findings.

    Those that may settle most findings come first. Only cases that lead to something found are asked for, and only on
    entities that its joins reach.
    """
    read = {case.id: tuple(_read_by(case.signals.values())) for case in cases.values()}
    along: dict[str, dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))  # effect → path → what its causes read
    for case in cases.values():
        for link in case.leads_to:
            along[link.fault][link.via].update(dict.fromkeys(read[case.id]))
    standing: dict[tuple[str, Hashable], str] = {}  # one kind for all that are settled alike

    @cache
    def kinds(fault: str, via: str, entity_kind: str) -> Iterable[str]:
        """The kinds of facts that may settle a fault, looked at along a path, or by its own case where that is empty."""
        looked_at = along[fault][via] if via else read[fault]
        return {standing.setdefault((entity_kind, source.settled_by(entity_kind, kind)), kind) for kind in looked_at}

    wanted: Counter[Need] = Counter()
    for finding in findings:
        if not _is_left_alone(finding, source):
            doubtful = finding.status != Status.CONFIRMED or cases[finding.fault].symptom
            vias = [*along[finding.fault], *([""] if doubtful else [])]
            wanted.update(set(_of_finding(finding, vias, kinds, joins)))
    for kind in _ASKING:
        for fact in joins.store.facts[kind]:
            wanted.update(fact["asks"] or ())
    return sorted(wanted, key=lambda need: (-wanted[need], need.fact_kind, need.entity.sort_key))


def _is_left_alone(finding: Finding, source: Asked) -> bool:
    pods = [entity for entity in (finding.entity, *finding.subjects) if entity.kind in ("Pod", "Container")]
    return bool(pods) and all(map(source.is_left_alone, pods))


def _of_finding(
    finding: Finding, vias: Iterable[str], kinds: Callable[[str, str, str], Iterable[str]], joins: Joins
) -> Iterator[Need]:
    """What may settle one finding.

    :param vias: paths from it to its causes; empty for itself.
    :param kinds: by fault, path and kind of entity, the kinds of facts that tell.
    """
    places = dict.fromkeys((finding.entity, *finding.subjects))
    for via in vias:
        for reached in {reached for entity in places for reached in (_ALONG[via](joins, entity) if via else (entity,))}:
            for kind in kinds(finding.fault, via, reached.kind):
                yield Need(kind, reached)


def _read_by(signals: Iterable[Signal]) -> Iterator[str]:
    """The fact kinds and channels that signals look at."""
    for signal in signals:
        if signal.fact:
            yield signal.fact
        else:
            yield from (str(channel) for channel in signal.channels)


# --- paths, from the effect back to where its cause may live ------------------------------------------------


def _family(joins: Joins, entity: Entity) -> Iterable[Entity]:
    return dict.fromkeys((entity, joins.top_owner(entity), *(pod.entity for pod in joins.pods(entity)[:2])))


def _nodes(joins: Joins, entity: Entity) -> Iterable[Entity]:
    return [Entity("Node", name) for name in sorted(joins.nodes_of(entity))]


def _candidates(joins: Joins, entity: Entity) -> Iterable[Entity]:
    del joins, entity
    return [Entity("Node", None)]


def _namespace(joins: Joins, entity: Entity) -> Iterable[Entity]:
    del joins
    return [Entity("Namespace", entity.namespace)] if entity.namespace else []


def _claims(joins: Joins, entity: Entity) -> Iterable[Entity]:
    return [Entity("PersistentVolumeClaim", name, entity.namespace) for name in sorted(joins.claims_of(entity))]


def _volume(joins: Joins, entity: Entity) -> Iterable[Entity]:
    thing = joins.store.things.get(entity)
    record = thing.record if thing else None
    return [Entity("PersistentVolume", record.spec.volume_name)] if isinstance(record, Claim) and record.spec.volume_name else []


def _behind(joins: Joins, entity: Entity) -> Iterable[Entity]:
    """The pods behind a service, or the services in front of a pod."""
    if entity.kind == "Service":
        return [entity, *sorted(joins.workloads_of_service.get(entity, ()), key=lambda e: e.sort_key)]
    top = joins.top_owner(entity)
    return joins.services_of.get(top, ())


def _backends(joins: Joins, entity: Entity) -> Iterable[Entity]:
    thing = joins.store.things.get(entity)
    if thing is None or not isinstance(thing.record, Ingress):
        return []
    paths = [path for rule in thing.record.spec.rules for path in (rule.http.paths if rule.http else [])]
    names = {path.backend.service.name for path in paths if path.backend.service}
    return [Entity("Service", name, entity.namespace) for name in sorted(names)]


def _called(joins: Joins, entity: Entity) -> Iterable[Entity]:
    """The services that a workload calls."""
    callers = joins.workloads_behind(entity)
    return dict.fromkeys(service for caller in callers for service in joins.services_called.get(caller, ()))


def _cluster(joins: Joins, entity: Entity) -> Iterable[Entity]:
    del joins, entity
    return [Entity("Cluster", None)]


def _nowhere(joins: Joins, entity: Entity) -> Iterable[Entity]:
    """A registry answers no API request."""
    del joins, entity
    return []


_ALONG: Mapping[str, _Along] = {
    "self": _family,
    "pod.workload": _family,
    "pod.node": _nodes,
    "node.components": _nodes,
    "pod.candidates": _candidates,
    "pod.namespace": _namespace,
    "pod.claims": _claims,
    "claim.volume": _volume,
    "service.pods": _behind,
    "ingress.service": _backends,
    "workload.dependencies": _called,
    "registry.images": _nowhere,
    "cluster": _cluster,
}
