"""Needs become requests."""

from __future__ import annotations

from kubecause.evidence.cluster.follow import any_log
from kubecause.evidence.cluster.requests import Item, every, requests_for, settled_by
from kubecause.model import Channel, Entity, Need
from kubecause.vocabulary import FACT_KINDS

ENTITIES = (
    Entity("Cluster"),
    Entity("Namespace", "shop"),
    Entity("Node", "n1"),
    Entity("Pod", "web-0", "shop"),
    Entity("Container", "app", "shop", pod="web-0"),
    Entity("Deployment", "web", "shop"),
    Entity("Service", "web", "shop"),
    Entity("PersistentVolumeClaim", "data", "shop"),
)


def test_needs_that_the_same_requests_settle_are_turned_into_requests_once() -> None:
    """Nothing is lost by it, whatever kind of fact is wanted."""
    needs = [Need(str(kind), entity) for entity in ENTITIES for kind in (*FACT_KINDS, *Channel)]
    fewer = list({(need.entity, settled_by(need.entity.kind, need.fact_kind)): need for need in reversed(needs)}.values())

    assert set(every(map(requests_for, fewer))) == set(every(map(requests_for, needs)))
    assert len(fewer) < len(needs) / 2


def dns_pod(state: Item) -> Item:
    """A pod of the cluster's DNS whose one container is in a state."""
    meta = {"name": "coredns-0", "namespace": "kube-system"}
    spec = {"containers": [{"name": "coredns"}]}
    return {"kind": "Pod", "metadata": meta, "spec": spec, "status": {"containerStatuses": [{"name": "coredns", **state}]}}


def test_of_a_component_that_runs_well_only_what_it_said_lately_is_read() -> None:
    """Its last lines may be of yesterday, and over; what a broken one wrote last is why it broke."""
    well = dns_pod({"ready": True, "state": {"running": {"startedAt": "2026-11-28T10:00:00Z"}}})
    unready = dns_pod({"ready": False, "state": {"running": {"startedAt": "2026-11-28T10:00:00Z"}}})

    assert ["kubectl logs coredns-0 -c coredns -n kube-system --since=1800s"] == commands(well, since=1800)
    assert ["kubectl logs coredns-0 -c coredns -n kube-system"] == commands(well) == commands(unready, since=1800)


def commands(pod: Item, since: int | None = None) -> list[str]:
    """What kubectl would be asked for the pod's logs."""
    return [request.command for request in any_log(pod, since=since)]
