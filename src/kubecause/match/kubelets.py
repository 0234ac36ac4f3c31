"""Kubelets that answer although their node may be given up: whoever hands out a log is alive and can be reached.

The API server asks the kubelet of a pod's node for its log (``/containerLogs``, "Communication between Nodes and the
Control Plane"), the other way round than heartbeats go: the two together tell a dead kubelet from one that is cut off.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubecause.facts.joins import Joins
from kubecause.facts.records_pod import Pod
from kubecause.facts.store import Store
from kubecause.model import Entity, Fact


def kubelet_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``kubelet.answer`` of each node from which a log was read just then."""
    done: set[str] = set()
    for namespace, name in sorted(store.heard, key=lambda pod: (pod[0] or "", pod[1])):
        thing = store.named("Pod", name, namespace)
        node = joins.node_of(thing.entity) if thing and isinstance(thing.record, Pod) else None
        if thing is None or node is None or node in done:
            continue
        done.add(node)
        found = store.named("Node", node)
        entity = found.entity if found else Entity("Node", node)
        yield Fact("kubelet.answer", entity, {"answer": "log"}, thing.proof("spec.nodeName", "row"))
