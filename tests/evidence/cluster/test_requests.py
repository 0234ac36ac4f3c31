"""Needs become requests."""

from __future__ import annotations

from kubecause.evidence.cluster.requests import distinct, every, requests_for
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
    fewer = list(distinct(needs))

    assert every(map(requests_for, fewer)) == every(map(requests_for, needs))
    assert len(fewer) < len(needs) / 2
