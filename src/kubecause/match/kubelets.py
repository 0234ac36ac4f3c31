"""Kubelets that were asked for a log: whoever hands one out is alive and can be reached; who does not may be cut off.

The API server asks the kubelet of a pod's node for its log (``/containerLogs``, "Communication between Nodes and the
Control Plane"), the other way round than heartbeats go: the two together tell a dead kubelet from one that is cut off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubecause.facts.joins import Joins
from kubecause.facts.records import Node
from kubecause.facts.records_pod import Pod
from kubecause.facts.store import Store
from kubecause.model import Channel, Entity, Fact
from kubecause.vocabulary import TEXT_FACT

_REFUSED = re.compile(
    r"(?P<address>[\da-fA-F.]{3,60}|\[[\da-fA-F:.]{3,60}\]):10250: (?:connect: |i/o timeout)"
    r"|error dialing backend: (?:No agent|EOF|rpc|dial unix)"
)
_SEVERAL = 2  # kubelets; one alone has its own trouble
_NAMED = 3  # of them in the report


def kubelet_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``kubelet.answer`` of each node from which a log was read just then; ``kubelets.unreachable`` when none gave one."""
    answers = list(_answers(store, joins))
    yield from answers
    if answers or Channel.CLIENT in store.seen:
        store.saw("kubelets.unreachable")
    if not answers:
        yield from _out_of_reach(store, joins)


def _out_of_reach(store: Store, joins: Joins) -> Iterator[Fact]:
    """Several kubelets, and no other, to which the API server gets no connection although their nodes are ready."""
    cut_off: dict[str, Fact] = {}
    for fact in store.facts[TEXT_FACT]:
        found = _REFUSED.search(str(fact["text"])) if fact["channel"] == Channel.CLIENT else None
        node = joins.node_of(joins.pod_of(fact.entity) or fact.entity) if found else None
        if found and (node or found["address"]) and not (node and _is_down(node, store)):
            cut_off.setdefault(node or found["address"], fact)
    if len(cut_off) >= _SEVERAL:
        told = sorted(cut_off)[:_NAMED]
        more = f" … ({len(cut_off)})" if len(cut_off) > _NAMED else ""
        fields = {"count": len(cut_off), "nodes": ", ".join(told) + more, "several": len(cut_off) > _SEVERAL}
        yield Fact("kubelets.unreachable", Entity("Cluster"), fields, tuple(cut_off[node].proofs[0] for node in told))


def _is_down(node: str, store: Store) -> bool:
    """True for a node that is known not to be ready: then its kubelet is silent for a reason of its own."""
    thing = store.named("Node", node)
    conditions = thing.record.status.conditions if thing and isinstance(thing.record, Node) else []
    return any(each.type == "Ready" and each.status.strip() != "True" for each in conditions)


def _answers(store: Store, joins: Joins) -> Iterator[Fact]:
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
