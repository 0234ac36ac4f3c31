"""When things first went bad, on the clock of the API: what a change must precede to have anything to do with it.

A time is only given where nothing bad can have been earlier. Where that cannot be told, as for a container that has
restarted often and whose first crash nobody recorded, the earliest time possible is taken: the birth of its pod.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property

from kubecause.facts.changes import event_times
from kubecause.facts.derive_objects import is_bad
from kubecause.facts.joins import SERVICE_NAME_LABEL, Joins
from kubecause.facts.records import Anything, Node, Workload
from kubecause.facts.records_network import Endpoints
from kubecause.facts.records_pod import Condition, ContainerStatus, Pod
from kubecause.facts.restarts import parse_time
from kubecause.facts.store import Thing
from kubecause.model import Entity, Fact
from kubecause.vocabulary import TEXT_FACT

_BACK_OFF = "BackOff"  # the kubelet keeps counting this event for as long as a container loops
_OF_READINESS = ("Ready", "ContainersReady")


class Signs:
    """The first bad signs of the objects of one store."""

    def __init__(self, joins: Joins) -> None:
        self._joins = joins
        self._known: dict[Entity, datetime | None] = {}

    def first(self, entities: Iterable[Entity], facts: Iterable[Fact] = ()) -> datetime | None:
        """The earliest bad sign of some entities, or among some facts; None when nothing tells."""
        times = [at for fact in facts if (at := _of_event(fact))]
        times += [at for entity in dict.fromkeys(entities) if (at := self._of(entity))]
        return min(times, default=None)

    @cached_property
    def _events(self) -> dict[Entity, dict[str, datetime]]:
        """By entity: the first time of each reason that an event warned of and that is not over."""
        found: dict[Entity, dict[str, datetime]] = {}
        for fact in self._joins.store.facts[TEXT_FACT]:
            at = _of_event(fact)
            if at:
                reasons = found.setdefault(fact.entity, {})
                reason = str(fact["reason"])
                reasons[reason] = min(at, reasons.get(reason, at))
        return found

    def _of(self, entity: Entity) -> datetime | None:
        entity = self._joins.pod_of(entity) or entity
        if entity not in self._known:
            self._known[entity] = self._look_at(entity)
        return self._known[entity]

    def _look_at(self, entity: Entity) -> datetime | None:
        reasons = self._events.get(entity, {})
        thing = self._joins.store.things.get(entity)
        times = [*reasons.values(), *(self._of_object(thing, reasons) if thing else ())]
        return min(times, default=None)

    def _of_object(self, thing: Thing, reasons: dict[str, datetime]) -> list[datetime]:
        record = thing.record
        if isinstance(record, Pod):
            return _of_pod(record, reasons.get(_BACK_OFF))
        if isinstance(record, Node | Workload | Anything):
            return _of_conditions(record.status.conditions)
        emptied = self._emptied.get((thing.entity.namespace, thing.entity.name or ""))
        return [emptied] if emptied and thing.entity.kind == "Service" else []

    @cached_property
    def _emptied(self) -> dict[tuple[str | None, str], datetime]:
        """By namespace and service: when its endpoints were written last, for those without a ready address."""
        written: dict[tuple[str | None, str], list[Endpoints]] = {}
        full: set[tuple[str | None, str]] = set()
        for kind in ("Endpoints", "EndpointSlice"):
            for thing, record in self._joins.store.records(kind, Endpoints):
                name = thing.metadata.labels.get(SERVICE_NAME_LABEL) if kind == "EndpointSlice" else thing.entity.name
                key = (thing.entity.namespace, name or "")
                if any(subset.addresses for subset in record.subsets):
                    full.add(key)
                else:
                    written.setdefault(key, []).append(record)
        times = {
            key: _times(entry.time for record in records for entry in record.metadata.managed_fields)
            for key, records in written.items()
            if key not in full
        }
        return {key: each[-1] for key, each in times.items() if each}


def _of_event(fact: Fact) -> datetime | None:
    """When an event that still holds was first seen."""
    times = event_times(fact) if fact["type"] == "Warning" and not fact["healed"] else None
    return times[0] if times else None


def _of_conditions(conditions: Iterable[Condition]) -> list[datetime]:
    return _times(each.last_transition_time for each in conditions if is_bad(each))


def _times(texts: Iterable[str | None]) -> list[datetime]:
    return sorted(at for text in texts if (at := parse_time(text)))


def _of_pod(pod: Pod, backed_off: datetime | None) -> list[datetime]:
    """Signs of a pod that is not well.

    :param backed_off: when the kubelet first waited before a restart, which it does from the second crash on.
    """
    statuses = [*pod.status.init_container_statuses, *pod.status.container_statuses]
    restarts = max((status.restart_count for status in statuses), default=0)
    found = _times(
        condition.last_transition_time
        for condition in pod.status.conditions
        if condition.status.strip() == "False"
        and (condition.type == "PodScheduled" or (condition.type in _OF_READINESS and not restarts))
    )
    for status in statuses:
        found += _of_container(status)
    if restarts > 1:
        born = _times([pod.metadata.creation_timestamp])
        found += [max(backed_off - _longest_run(statuses), *born) for _ in born] if backed_off else born
    return found


def _longest_run(statuses: Iterable[ContainerStatus]) -> timedelta:
    """How long a container ran before it ended, for want of better as long as the one before."""
    runs = [timedelta(0)]
    for status in statuses:
        for ended in (status.last_state.terminated, status.state.terminated):
            times = _times([ended.started_at, ended.finished_at]) if ended else []
            runs += [times[-1] - times[0]] if times else []
    return max(runs)


def _of_container(status: ContainerStatus) -> list[datetime]:
    """When a container ended badly for the first time, or the latest time by which it had."""
    for ended in (status.last_state.terminated, status.state.terminated):
        if ended and (ended.exit_code or ended.reason not in (None, "Completed")):
            earlier = status.restart_count > 0 and not status.state.running
            return _times([ended.started_at if earlier and ended.started_at else ended.finished_at])
    return []
