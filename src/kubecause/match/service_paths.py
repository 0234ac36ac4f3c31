"""Service addresses that lead nowhere from one node, although the same service answers elsewhere (rule 5, the last hop).

kube-proxy, or what stands in for it, writes on every node the rules that lead a service's address to its pods
("Virtual IPs and Service Proxies"). A service with ready endpoints that only the pods of one node cannot reach has lost
its rules there, or that node's pod network is broken.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from kubecause.facts.joins import Joins
from kubecause.facts.records import Workload
from kubecause.facts.records_network import Service
from kubecause.facts.store import Store, Thing
from kubecause.model import Channel, Entity, Fact, Proof

_FAILED = re.compile(
    r"(?:dial (?:tcp|udp)|read udp \S{3,60}->|Get \"?https?://|connect(?:ing)? to|connection to) ?"
    r"(?P<host>\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?\S{0,200}.{0,80}?"
    r"(?:i/o timeout|timed out|connection refused|no route to host|network is unreachable|deadline exceeded)",
    re.IGNORECASE,
)
_ADDRESSES = 20  # of services that one node cannot reach; more say nothing new


def service_path_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``service.dead-from-node``: a node from which services with ready endpoints are not reached."""
    services = {
        service.spec.cluster_ip: thing
        for thing, service in store.records("Service", Service)
        if service.spec.cluster_ip and joins.ready_endpoints(thing)
    }
    if not services:
        return
    store.saw("service.dead-from-node")
    broken: dict[str, dict[Entity, tuple[Entity, tuple[Proof, ...]]]] = defaultdict(dict)
    for fact in store.facts["line"]:
        if fact["channel"] not in (Channel.APP_LOG, Channel.EVENT, Channel.STATUS) or fact["healed"]:
            continue
        found = _FAILED.search(str(fact["text"] or ""))
        service = services.get(found["host"]) if found else None
        node = joins.node_of(joins.pod_of(fact.entity) or fact.entity) if service else None
        if service and node and len(broken[node]) < _ADDRESSES:
            broken[node].setdefault(service.entity, (fact.entity, fact.proofs))
    for node, dead in sorted(broken.items()):
        yield from _of_node(node, dead, {s for other, seen in broken.items() if other != node for s in seen}, store, joins)


def _of_node(
    node: str,
    dead: dict[Entity, tuple[Entity, tuple[Proof, ...]]],
    elsewhere: set[Entity],
    store: Store,
    joins: Joins,
) -> Iterator[Fact]:
    thing = store.named("Node", node)
    entity = thing.entity if thing else Entity("Node", node)
    for service, (client, proofs) in sorted(dead.items(), key=lambda item: item[0].sort_key):
        if service in elsewhere:
            continue  # from several nodes: the service itself, or the network between
        owner = store.things.get(joins.top_owner(client))
        fields = {"service": service.name, "elsewhere": _works_elsewhere(owner, node, joins)}
        yield Fact("service.dead-from-node", entity, fields, proofs)


def _works_elsewhere(owner: Thing | None, node: str, joins: Joins) -> bool:
    """True when the client's workload has ready pods, and none of those that fail is on another node."""
    if owner is None or not isinstance(owner.record, Workload):
        return False
    status = owner.record.status
    ready = status.number_ready if owner.entity.kind == "DaemonSet" else status.ready_replicas
    return bool(ready) and joins.nodes_of(owner.entity) <= {node}
