"""Facts about what guards other objects: finalizers that hold a deletion, budgets that hold an eviction, grants of all rights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from kubecause.facts.derive_grants import grant_facts
from kubecause.facts.records import Anything, Claim, Node, PersistentVolume
from kubecause.facts.records_budget import Budget
from kubecause.facts.records_pod import Pod
from kubecause.facts.restarts import parse_time
from kubecause.facts.store import Store, Thing
from kubecause.model import Fact

_OWN_CASES = frozenset({"Pod", "Namespace"})  # their deletion has faults of its own
_COLLECTOR = frozenset({"foregroundDeletion", "orphan"})  # the garbage collector's; it clears them itself
_PATIENCE = 10.0  # seconds that a controller may take to clear its finalizer


def guard_facts(store: Store, now: datetime | None) -> Iterator[Fact]:
    """``object.terminating``, ``budget.blocked``, ``grant.standing``."""
    yield from _terminating(store, now)
    yield from _budgets(store)
    yield from grant_facts(store)


def _terminating(store: Store, now: datetime | None) -> Iterator[Fact]:
    if store.things:
        store.saw("object.terminating")
    for thing in store.things.values():
        if thing.entity.kind in _OWN_CASES:
            continue
        deleted = parse_time(thing.metadata.deletion_timestamp)
        if deleted is None and not _is_printed_terminating(thing):
            continue
        finalizers = [name for name in thing.metadata.finalizers if name not in _COLLECTOR]
        if not finalizers:
            continue
        if now is not None and deleted is not None and (now - deleted).total_seconds() < _PATIENCE:
            continue
        fields = {
            "kind": thing.entity.kind.lower(),
            "finalizers": ", ".join(finalizers),
            "since": str(thing.metadata.deletion_timestamp) if deleted else None,
        }
        proofs = thing.proof("metadata.finalizers")
        yield Fact("object.terminating", thing.entity, {k: v for k, v in fields.items() if v is not None}, proofs)


def _is_printed_terminating(thing: Thing) -> bool:
    """Whether kubectl describe says so, which gives no time."""
    return isinstance(thing.record, Claim | PersistentVolume | Anything) and thing.record.status.phase == "Terminating"


def _budgets(store: Store) -> Iterator[Fact]:
    """Budgets that let no pod go, and why; a tight one matters once something wants to evict."""
    leaving = _leaving(store)
    for thing, budget in store.records("PodDisruptionBudget", Budget):
        store.saw("budget.blocked")
        status = budget.status
        if not thing.live or status.disruptions_allowed:
            continue
        refused = next((c for c in status.conditions if c.type == "DisruptionAllowed" and c.reason == "SyncFailed"), None)
        if refused:
            fields = {"why": "sync-failed", "message": refused.message or "", "draining": None}
        elif not status.expected_pods:
            continue
        else:
            nodes = _drained(thing, budget, leaving)
            why = "unhealthy" if status.current_healthy < status.desired_healthy else "tight"
            counts = f"{status.current_healthy} healthy, {status.desired_healthy} must stay"
            fields = {"why": why, "message": counts, "draining": ", ".join(nodes) or None}
        proofs = thing.proof("status.conditions.DisruptionAllowed" if refused else "status.disruptionsAllowed", "row")
        yield Fact("budget.blocked", thing.entity, {k: v for k, v in fields.items() if v is not None}, proofs)


def _drained(thing: Thing, budget: Budget, leaving: Sequence[tuple[Thing, str]]) -> list[str]:
    """Cordoned nodes that still run pods of a budget."""
    labels = budget.spec.selector.match_labels if budget.spec.selector else {}
    mine = [(pod, node) for pod, node in leaving if pod.entity.namespace == thing.entity.namespace]
    return sorted({node for pod, node in mine if labels and labels.items() <= pod.metadata.labels.items()})


def _leaving(store: Store) -> list[tuple[Thing, str]]:
    """Pods on cordoned nodes, with their node."""
    cordoned = {node.entity.name for node, record in store.records("Node", Node) if record.spec.unschedulable}
    if not cordoned:
        return []
    pods = [(pod, record.spec.node_name) for pod, record in store.records("Pod", Pod)]
    return [(pod, node) for pod, node in pods if node and node in cordoned]
