"""Leaders that no longer renew their lease, and pods that wait meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubecause.facts import Extraction
from kubecause.facts.store import Store
from kubecause.match import SignalIndex
from kubecause.match.analyses import run_analyses
from kubecause.model import Channel, Document

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
WAITING = {
    "kind": "Pod",
    "metadata": {"name": "web-0", "namespace": "shop", "uid": "u", "creationTimestamp": "2026-11-28T11:58:00Z"},
    "spec": {"containers": [{"name": "app", "image": "web:1"}], "schedulerName": "default-scheduler"},
    "status": {"phase": "Pending"},
}


def lease(seconds: float, name: str = "kube-scheduler", labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A lease that was renewed some seconds ago."""
    renewed = (NOW - timedelta(seconds=seconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    spec = {"holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": renewed}
    return {
        "kind": "Lease",
        "metadata": {"name": name, "namespace": "kube-system", "uid": name, "labels": labels or {}},
        "spec": spec,
    }


def reasoned(index: SignalIndex, *items: dict[str, Any]) -> Store:
    """The store after all analyses over objects read from an API server."""
    extraction = Extraction(index.filter)
    extraction.read(Document("kubectl get", "objects", Channel.STATUS, [json.dumps(item) for item in items], collected=NOW))
    store, joins = extraction.finish()
    run_analyses(store, joins)
    return store


@pytest.mark.parametrize(("ago", "down"), [(2, False), (30, False), (120, True)])
def test_a_lease_that_ran_out_long_ago_means_nobody_leads(index: SignalIndex, ago: float, *, down: bool) -> None:
    """One missed renewal is no outage; several are."""
    assert down == bool(reasoned(index, lease(ago)).facts["component.down"])


def server_lease(seconds: float, name: str = "apiserver-abc") -> dict[str, Any]:
    """The lease by which an API server is known."""
    return lease(seconds, name, {"apiserver.kubernetes.io/identity": "kube-apiserver"})


@pytest.mark.parametrize(
    ("leases", "frozen", "down"),
    [
        ([lease(120), lease(120, "kube-controller-manager"), server_lease(115)], True, 0),
        ([lease(120), lease(2, "kube-controller-manager"), server_lease(115)], False, 1),
        ([lease(120), server_lease(5)], False, 1),
        ([lease(120), server_lease(7000, "apiserver-gone"), server_lease(5)], False, 1),
        ([lease(120)], False, 1),
        ([lease(2), server_lease(120)], False, 0),
        ([lease(9000), server_lease(3600, "apiserver-gone")], False, 1),
        ([lease(9000), lease(120, "kube-controller-manager"), server_lease(115)], True, 0),
    ],
    ids=["nobody", "one leader", "the server", "another server", "no server", "only the server", "long apart", "one died before"],
)
def test_where_the_server_cannot_renew_its_own_lease_no_leader_is_blamed(
    index: SignalIndex, leases: list[dict[str, Any]], down: int, *, frozen: bool
) -> None:
    """Nothing is written then, and who leads is not known; anybody who renews a lease shows that writing works."""
    store = reasoned(index, *leases)

    assert frozen == bool(store.facts["leases.frozen"])
    assert down == len(store.facts["component.down"])


def test_a_scheduler_that_renews_its_lease_is_not_absent(index: SignalIndex) -> None:
    """Pods that wait in silence prove no absence while the scheduler is seen alive."""
    assert not reasoned(index, WAITING, lease(2)).facts["scheduler.absent"]
    assert reasoned(index, WAITING).facts["scheduler.absent"]


def test_a_pod_that_has_just_been_made_waits_for_nobody(index: SignalIndex) -> None:
    """A pod of some seconds is not stuck."""
    young = {**WAITING, "metadata": {**WAITING["metadata"], "creationTimestamp": "2026-11-28T11:59:55Z"}}  # type: ignore[dict-item]

    assert not reasoned(index, young).facts["pod.status"]
    assert reasoned(index, WAITING).facts["pod.status"]


def test_where_nothing_is_written_it_is_not_known_who_is_down(index: SignalIndex) -> None:
    """A dead scheduler is neither told nor ruled out."""
    assert "component.down" not in reasoned(index, lease(120), server_lease(115)).seen
    assert "component.down" in reasoned(index, lease(2), server_lease(5)).seen
