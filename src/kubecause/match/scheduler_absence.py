"""Pods that wait although nobody decides where they go: no scheduler acts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubecause.facts.records import Node
from kubecause.facts.records_pod import Pod
from kubecause.facts.roles import is_control_plane
from kubecause.facts.store import Store, Thing
from kubecause.match.leases import leads
from kubecause.match.placement import has_waited, is_held_by_claim
from kubecause.model import Entity, Fact


def absence(waiting: Sequence[Thing], others_decided: bool, store: Store) -> Iterator[Fact]:
    """Pods that wait although no scheduler ever said a word about them."""
    silent = [
        thing
        for thing in waiting
        if thing.full and isinstance(thing.record, Pod) and has_waited(thing.record)
        if not _judged(thing.record) and not is_held_by_claim(thing.record)
    ]
    if not silent or others_decided or _recently_scheduled(store, silent) or leads("kube-scheduler", store):
        return
    node = next((thing.entity for thing, record in store.records("Node", Node) if is_control_plane(record)), None)
    proofs = tuple(proof for thing in silent[:3] for proof in thing.proof("status.phase", "row"))
    entity = node or Entity("Cluster", None)  # managed clusters show no node of their control plane
    yield Fact("scheduler.absent", entity, {"pods": len(silent)}, proofs)


def _judged(pod: Pod) -> bool:
    """True when the scheduler has said that it finds no node: it wrote the condition."""
    return any(c.type == "PodScheduled" and c.status.strip() == "False" and c.message for c in pod.status.conditions)


def _recently_scheduled(store: Store, silent: Sequence[Thing]) -> bool:
    """True when a scheduler placed another pod after these began to wait."""
    youngest = min(
        (t.record.status.age for t in silent if isinstance(t.record, Pod) and t.record.status.age is not None), default=None
    )
    for fact in store.facts["line"]:
        if fact["reason"] == "Scheduled" and fact["age"] is not None and youngest is not None and fact["age"] < youngest:
            return True
    return False
