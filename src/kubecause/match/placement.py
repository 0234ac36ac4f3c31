"""Pods that no scheduler considers: held by a scheduling gate, or bound by their own manifest to a node that is not there.

Sources: a pod with ``spec.schedulingGates`` stays out of the queue of kube-scheduler until the list is empty (KEP-3521);
a pod with ``spec.nodeName`` is never seen by it, and the pod garbage collector deletes it after a while when no such node
exists (``pkg/controller/podgc``).
"""

from __future__ import annotations

from collections.abc import Iterator

from kubecause.facts.joins import Joins
from kubecause.facts.records import Node
from kubecause.facts.records_pod import Pod
from kubecause.facts.store import Store
from kubecause.model import Fact


def placement_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``scheduling.blocked`` by ``gates`` or ``node-missing``."""
    del joins
    nodes = sorted(thing.entity.name or "" for thing, _ in store.records("Node", Node))
    for thing, pod in store.records("Pod", Pod):
        if not thing.live or pod.metadata.deletion_timestamp:
            continue
        gates = [gate.name for gate in pod.spec.scheduling_gates]
        if gates and not pod.spec.node_name:
            fields = {"by": "gates", "wanted": ", ".join(gates), "certain": True}
            yield Fact("scheduling.blocked", thing.entity, fields, thing.proof("spec.schedulingGates", "row"))
        node = pod.spec.node_name
        if node and pod.status.phase == "Pending" and not pod.status.start_time and _is_missing(node, nodes, store):
            fields = {"by": "node-missing", "wanted": node, "offered": ", ".join(nodes[:8]), "certain": True}
            yield Fact("scheduling.blocked", thing.entity, fields, thing.proof("spec.nodeName", "row"))


def _is_missing(node: str, nodes: list[str], store: Store) -> bool:
    """True when all nodes were listed and this one is none of them; one node alone proves nothing about the others."""
    return bool(nodes) and node not in nodes and store.was_listed("Node", None)
