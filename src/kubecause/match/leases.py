"""Components that no longer renew their lease in kube-system: scheduler and controller manager, and the API server itself.

Sources: client-go ``tools/leaderelection`` (a leader renews every 2 s, its lease lasts 15 s); ``pkg/controlplane`` of the API
server (its identity lease, from 1.26 on, is renewed every 10 s and lasts an hour). An API server that answers and yet cannot
renew its own lease writes nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kubecause.facts.joins import Joins
from kubecause.facts.records import Anything
from kubecause.facts.restarts import parse_time
from kubecause.facts.store import Store, Thing
from kubecause.model import Entity, Fact

LEADERS = ("kube-scheduler", "kube-controller-manager")
_SERVER = "apiserver.kubernetes.io/identity"  # the label of an API server's own lease
_SERVER_SILENT = 60.0  # seconds: six renewals
_TOGETHER = 60.0  # seconds between the last renewals of those that were stopped by the same thing
_LASTS = 15.0  # seconds, where the lease does not say
_SLACK = 3.0  # times its duration; one missed renewal is no outage


class _Lease(msgspec.Struct, frozen=True):
    """A lease and how many seconds ago it was renewed."""

    thing: Thing
    renewed: datetime
    age: float
    lasts: float

    @property
    def is_lost(self) -> bool:
        """Whether several renewals are missing."""
        return self.age > (_SERVER_SILENT if _SERVER in self.thing.metadata.labels else _SLACK * self.lasts)

    def fact(self, kind: str, **fields: Any) -> Fact:
        """A fact that this lease proves."""
        return Fact(kind, Entity("Cluster", None), fields, self.thing.proof("spec.renewTime"))


def lease_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``component.down`` with ``how: lease`` of leaders whose lease ran out and that nobody took over; else ``component.up``.

    Where no API server renews its lease either, none of them can: ``leases.frozen`` instead.
    """
    del joins
    if store.clock is None:
        return
    leases = list(_leases(store, store.clock))
    leaders = [each for each in leases if each.thing.entity.name in LEADERS]
    servers = [each for each in leases if _SERVER in each.thing.metadata.labels]
    if leaders and servers:
        store.saw("leases.frozen")
        last = max(servers, key=lambda each: each.renewed)
        if _stopped_together(leaders, last):
            yield last.fact("leases.frozen", since=last.renewed.isoformat(timespec="seconds"))
            return  # who leads is not known
    if leaders:
        store.saw("component.down")
    for each in leaders:
        if each.is_lost:
            detail = f"its lease was renewed last at {each.renewed.isoformat(timespec='seconds')}"
            yield each.fact("component.down", component=each.thing.entity.name, how="lease", detail=detail)
        elif each.age <= each.lasts:
            yield each.fact("component.up", component=each.thing.entity.name, how="lease")


def _stopped_together(leaders: Sequence[_Lease], last: _Lease) -> bool:
    """Whether the API server that renewed last is silent, and no leader went on, while one stopped when it did.

    A lease of a server that is gone stays for a while, and a leader may have died before.
    """
    beside = any(abs((each.renewed - last.renewed).total_seconds()) <= _TOGETHER for each in leaders)
    return last.is_lost and all(each.is_lost for each in leaders) and beside


def _leases(store: Store, clock: datetime) -> Iterator[_Lease]:
    for thing, lease in store.records("Lease", Anything):
        renewed = parse_time(str(lease.spec.get("renewTime") or ""))
        if thing.entity.namespace != "kube-system" or renewed is None:
            continue
        lasts = lease.spec.get("leaseDurationSeconds")
        lasts = float(lasts) if isinstance(lasts, int) and lasts > 0 else _LASTS
        yield _Lease(thing, renewed, (clock - renewed).total_seconds(), lasts)


def leads(component: str, store: Store) -> bool | None:
    """Whether a component renews its lease; None when nothing tells, or when it is late but not lost yet."""
    for kind, answer in (("component.up", True), ("component.down", False)):
        if any(fact["component"] == component and fact["how"] == "lease" for fact in store.facts[kind]):
            return answer
    return None
