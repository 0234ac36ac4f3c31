"""Pods that no scheduler considers: held by a scheduling gate or a missing claim, or bound by their manifest to no node there is.

Sources: a pod with ``spec.schedulingGates`` stays out of the queue of kube-scheduler until the list is empty (KEP-3521), and so
does, without a word, one whose ResourceClaim does not exist (1.34); a pod with ``spec.nodeName`` is never seen by it, and the
pod garbage collector deletes it after a while when no such node exists (``pkg/controller/podgc``).
"""

from __future__ import annotations

from collections.abc import Iterator

from kubecause.facts.joins import Joins
from kubecause.facts.records import Node
from kubecause.facts.records_pod import Pod
from kubecause.facts.store import Store
from kubecause.model import Fact

_PATIENCE = 10.0  # seconds that a healthy scheduler never needs for a first decision


def placement_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``scheduling.blocked`` by ``gates``, ``device-claim`` or ``node-missing``."""
    del joins
    nodes = sorted(thing.entity.name or "" for thing, _ in store.records("Node", Node))
    for thing, pod in store.records("Pod", Pod):
        if not thing.live or pod.metadata.deletion_timestamp:
            continue
        gates = [gate.name for gate in pod.spec.scheduling_gates]
        if gates and not pod.spec.node_name:
            fields = {"by": "gates", "wanted": ", ".join(gates), "certain": True}
            yield Fact("scheduling.blocked", thing.entity, fields, thing.proof("spec.schedulingGates", "row"))
        elif is_held_by_claim(pod):
            claims = [
                each.resource_claim_name or each.resource_claim_template_name or each.name for each in pod.spec.resource_claims
            ]
            fields = {"by": "device-claim", "wanted": ", ".join(claims), "certain": False}
            yield Fact("scheduling.blocked", thing.entity, fields, thing.proof("spec.resourceClaims", "row"))
        node = pod.spec.node_name
        if node and pod.status.phase == "Pending" and not pod.status.start_time and _is_missing(node, nodes, store):
            fields = {"by": "node-missing", "wanted": node, "offered": ", ".join(nodes[:8]), "certain": True}
            yield Fact("scheduling.blocked", thing.entity, fields, thing.proof("spec.nodeName", "row"))


def is_held_by_claim(pod: Pod) -> bool:
    """True when a pod claims devices and, long after it was made, no scheduler has said a word about it."""
    if pod.spec.node_name or not pod.spec.resource_claims or pod.status.phase != "Pending":
        return False
    return has_waited(pod) and not any(each.type == "PodScheduled" for each in pod.status.conditions)


def has_waited(pod: Pod) -> bool:
    """True for a pod that a healthy scheduler would have judged by now, or whose age nothing tells."""
    return pod.status.age is None or pod.status.age >= _PATIENCE


def _is_missing(node: str, nodes: list[str], store: Store) -> bool:
    """True when all nodes were listed and this one is none of them; one node alone proves nothing about the others."""
    return bool(nodes) and node not in nodes and store.was_listed("Node", None)
