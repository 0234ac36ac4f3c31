"""Components that no longer renew their lease: scheduler and controller manager in kube-system, kubelets in kube-node-lease.

Sources: client-go ``tools/leaderelection`` (a leader renews every 2 s, its lease lasts 15 s) and the kubelet's
``pkg/kubelet/util`` node lease (renewed every 10 s, lasts 40 s by default).
"""

from __future__ import annotations

from collections.abc import Iterator

from kubecause.facts.joins import Joins
from kubecause.facts.records import Anything
from kubecause.facts.restarts import parse_time
from kubecause.facts.store import Store
from kubecause.model import Entity, Fact

LEADERS = ("kube-scheduler", "kube-controller-manager")
_LASTS = 15.0  # seconds, where the lease does not say
_SLACK = 3.0  # times its duration; one missed renewal is no outage


def lease_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``component.down`` with ``how: lease`` of leaders whose lease ran out and that nobody took over; else ``component.up``."""
    del joins
    if store.clock is None:
        return
    for thing, lease in store.records("Lease", Anything):
        if thing.entity.namespace != "kube-system" or thing.entity.name not in LEADERS:
            continue
        store.saw("component.down")
        renewed = parse_time(str(lease.spec.get("renewTime") or ""))
        lasts = lease.spec.get("leaseDurationSeconds")
        if renewed is None:
            continue
        late = (store.clock - renewed).total_seconds()
        if not isinstance(lasts, int) or lasts <= 0:
            lasts = _LASTS
        if late <= _SLACK * lasts:
            if late <= lasts:
                up = {"component": thing.entity.name, "how": "lease"}
                yield Fact("component.up", Entity("Cluster", None), up, thing.proof("spec.renewTime"))
            continue
        fields = {
            "component": thing.entity.name,
            "how": "lease",
            "detail": f"its lease was renewed last at {renewed.isoformat(timespec='seconds')}",
        }
        yield Fact("component.down", Entity("Cluster", None), fields, thing.proof("spec.renewTime"))


def leads(component: str, store: Store) -> bool | None:
    """Whether a component renews its lease; None when nothing tells, or when it is late but not lost yet."""
    for kind, answer in (("component.up", True), ("component.down", False)):
        if any(fact["component"] == component and fact["how"] == "lease" for fact in store.facts[kind]):
            return answer
    return None
