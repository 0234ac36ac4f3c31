"""Where slowness or loss starts: alerts walked along the service graph to the deepest service that shows them.

A service is slow because what it calls is slow, so the origin is a slow service none of whose callees is slow. Two or
more independent origins that share a node, while services elsewhere are not origins, mean the node (rule 6).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from kubecause.facts.joins import Joins
from kubecause.facts.store import Store
from kubecause.model import Entity, Fact, Proof

_SLOW = 2.0  # times the usual latency
_BUSY = 1.5  # times the usual CPU use
_LOSSY = 10.0  # times the usual retransmissions
_LOSSY_RATE = 2.0  # retransmissions a second; fewer are the noise of any slow network
_COMPARABLE = 0.5  # share of the largest factor that still makes an origin of its own


def traffic_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``traffic.origin`` of workloads and ``node.traffic-origin`` of nodes."""
    alerts = store.facts["alert"]
    if "alert" in store.seen:
        store.saw("traffic.origin", "node.traffic-origin")
    busy = _by_workload(alerts, "cpu", _BUSY, joins)
    slow = _by_workload(alerts, "latency", _SLOW, joins)
    yield from _cpu(busy, alerts, slow, joins)
    slow = {e: f for e, f in slow.items() if e not in busy and not any(joins.depends(e, b) for b in busy)}
    lossy = [f for f in alerts if f["measure"] == "loss" and f.entity.kind == "Node" and (f["factor"] or 0) >= _LOSSY]
    lossy = [f for f in lossy if (f["current"] or 0) >= _LOSSY_RATE]
    if lossy:
        yield from _loss(lossy, slow)
        return
    yield from _latency(slow, alerts, joins)


def _by_workload(alerts: list[Fact], measure: str, threshold: float, joins: Joins) -> dict[Entity, Fact]:
    """The alert with the largest change for each workload."""
    found: dict[Entity, Fact] = {}
    for fact in alerts:
        if fact["measure"] != measure or fact.entity.kind == "Node" or (fact["factor"] or 0) < threshold:
            continue
        entity = _workload(fact.entity, joins)
        if entity not in found or fact["factor"] > found[entity]["factor"]:
            found[entity] = fact
    return found


def _workload(entity: Entity, joins: Joins) -> Entity:
    if entity.kind == "Service":
        behind = sorted(joins.workloads_of_service.get(entity, ()), key=lambda e: e.sort_key)
        return behind[0] if len(behind) == 1 else entity
    return joins.top_owner(entity)


def _cpu(busy: Mapping[Entity, Fact], alerts: list[Fact], slow: Mapping[Entity, Fact], joins: Joins) -> Iterator[Fact]:
    """Workloads that need much more CPU than usual and are throttled or slow."""
    throttled = {_workload(f.entity, joins): f for f in alerts if f["measure"] == "throttle" and f.entity.kind != "Node"}
    for entity, fact in sorted(busy.items(), key=lambda item: item[0].sort_key):
        more = throttled.get(entity) or slow.get(entity)
        if more:
            yield _origin(entity, "cpu", fact, fact.proofs + more.proofs)


def _origin(entity: Entity, what: str, fact: Fact, proofs: tuple[Proof, ...]) -> Fact:
    fields = {
        "what": what,
        "factor": round(fact["factor"], 1),
        "service": fact["service"],
        "current": _number(fact["current"]),
        "normal": _number(fact["normal"]),
    }
    return Fact("traffic.origin", entity, {k: v for k, v in fields.items() if v is not None}, proofs)


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _loss(lossy: list[Fact], slow: Mapping[Entity, Fact]) -> Iterator[Fact]:
    worst = max(lossy, key=lambda f: (f["current"], f.entity.name or ""))
    services = ", ".join(sorted(e.name or "" for e in slow))
    fields = {"what": "loss", "services": services or None, "factor": round(worst["factor"], 1), "metric": worst["name"]}
    proofs = worst.proofs + tuple(p for f in slow.values() for p in f.proofs)[:3]
    yield Fact("node.traffic-origin", worst.entity, {k: v for k, v in fields.items() if v is not None}, proofs)


def _latency(slow: Mapping[Entity, Fact], alerts: list[Fact], joins: Joins) -> Iterator[Fact]:
    origins = {e: f for e, f in slow.items() if not any(other != e and joins.depends(e, other) for other in slow)}
    if not origins:
        return
    nodes = Counter(node for entity in origins for node in joins.nodes_of(entity))
    shared = [node for node, count in nodes.items() if count == len(origins)]
    if len(origins) > 1 and len(shared) == 1:
        yield _node_latency(shared[0], origins, alerts)
        return
    largest = max(f["factor"] for f in origins.values())
    for entity, fact in sorted(origins.items(), key=lambda item: item[0].sort_key):
        if fact["factor"] >= _COMPARABLE * largest:
            yield _origin(
                entity, "latency", fact, fact.proofs + tuple(p for e, f in slow.items() if e != entity for p in f.proofs)[:3]
            )


def _node_latency(node: str, origins: Mapping[Entity, Fact], alerts: list[Fact]) -> Fact:
    factor = max(f["factor"] for f in origins.values())
    services = ", ".join(sorted(e.name or "" for e in origins))
    hints = [f for f in alerts if f["measure"] == "loss"]
    proofs = tuple(p for f in [*origins.values(), *hints] for p in f.proofs)
    fields = {"what": "latency", "services": services, "factor": round(factor, 1), "metric": "latency"}
    return Fact("node.traffic-origin", Entity("Node", node), fields, proofs)
