"""Ports that two want: containers of one pod, which share a network, or a pod on the host network and a process of its node."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from kubecause.facts.joins import Joins
from kubecause.facts.records import Workload
from kubecause.facts.records_pod import Pod
from kubecause.facts.store import Store, Thing
from kubecause.model import Entity, Fact, Proof

IN_USE_LITERALS = (
    "address already in use",
    "already in use",
    "eaddrinuse",
    "only one usage of each socket address",
    "failed to bind",
)
_PORT = re.compile(
    r"[Pp]ort[ :]{1,3}(?P<a>\d{2,5}) (?:was|is) already|"
    r"(?:listen|bind|address)\w*(?:\(\))?[^\n]{0,40}?[\]\d.*]?:(?P<b>\d{2,5})\b[^\n]{0,60}?(?:in use|EADDRINUSE)|"
    r"(?:EADDRINUSE|in use)[^\n]{0,60}?:(?P<c>\d{2,5})\b"
)
_IN_USE = re.compile(r"already in use|EADDRINUSE|only one usage of each socket|failed to bind|BindException", re.IGNORECASE)


def port_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``pod.ports-clash``: declared twice, or a container that finds its port taken while another container serves it."""
    taken = _taken(store, joins)
    for thing, pod in store.records("Pod", Pod):
        store.saw("pod.ports-clash")
        if not thing.live or pod.spec.host_network or len(pod.spec.lasting) < 2:
            continue
        declared: dict[tuple[int, str], list[str]] = defaultdict(list)
        for container in pod.spec.lasting:
            for port in container.ports:
                if container.name not in declared[port.container_port, port.protocol]:
                    declared[port.container_port, port.protocol].append(container.name)
        lines = taken.get(joins.top_owner(thing.entity), [])
        for (port_number, _), containers in sorted(declared.items()):
            if len(containers) > 1:
                proofs = tuple(p for name in containers for p in thing.proof(f"spec.containers.{name}.ports"))
                yield _fact(thing.entity, str(port_number), ", ".join(containers), proofs + tuple(p for _, p in lines[:1]))
                break
        else:
            port_text = (lines[0][0] or _only(declared)) if lines and _loops(thing, store) else None
            if port_text:
                names = ", ".join(c.name for c in pod.spec.lasting)
                yield _fact(thing.entity, port_text, names, (lines[0][1],))


def host_port_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``node.port-taken``: a pod on the host network finds a port taken that it declares.

    The scheduler puts no two pods with the same declared port on a node (NodePorts; on the host network every declared port
    is a host port), so that the holder is no pod, or one that hides its port.
    """
    told: set[tuple[Entity, str]] = set()
    for entity, number, proof in _ports_in_use(store):
        place = joins.pod_of(entity)
        thing = store.things.get(place) if place else None
        if thing is None or not isinstance(thing.record, Pod) or not thing.record.spec.host_network:
            continue
        store.saw("node.port-taken")
        if _is_placed_by_hand(thing, store, joins):
            continue
        node = store.named("Node", thing.record.spec.node_name or "")
        declared = {str(port.host_port or port.container_port) for each in thing.record.spec.lasting for port in each.ports}
        where = node.entity if node else Entity("Node", thing.record.spec.node_name)
        if number in declared and where.name and (where, number) not in told:
            told.add((where, number))
            proofs = (proof, *thing.proof("spec.containers", "object"))
            yield Fact("node.port-taken", where, {"port": number, "pod": thing.entity.name, "suffers": (entity,)}, proofs)


def _is_placed_by_hand(thing: Thing, store: Store, joins: Joins) -> bool:
    """Whether no scheduler looked at the ports of the node: a static pod, or a template that names its node."""
    if any(reference.kind == "Node" for reference in thing.metadata.owner_references):
        return True
    owner = store.things.get(joins.top_owner(thing.entity))
    return bool(owner and isinstance(owner.record, Workload) and owner.record.spec.template.spec.node_name)


def _fact(entity: Entity, port: str, containers: str, proofs: tuple[Proof, ...]) -> Fact:
    return Fact("pod.ports-clash", entity, {"port": port, "containers": containers}, proofs)


def _only(declared: Mapping[tuple[int, str], list[str]]) -> str | None:
    """The one port the pod declares: programs such as busybox do not say which port they found taken."""
    return str(next(iter(declared))[0]) if len(declared) == 1 else None


def _loops(thing: Thing, store: Store) -> bool:
    return any(s["looping"] and s.entity.pod == thing.entity.name for s in store.facts["container.state"])


def _taken(store: Store, joins: Joins) -> dict[Entity, list[tuple[str, Proof]]]:
    """The ports that containers find taken, by their workload; empty where a line does not name the port."""
    found: dict[Entity, list[tuple[str, Proof]]] = defaultdict(list)
    for entity, number, proof in _ports_in_use(store):
        found[joins.top_owner(entity)].append((number, proof))
    return found


def _ports_in_use(store: Store) -> Iterator[tuple[Entity, str, Proof]]:
    for fact in store.facts["line"]:
        if (
            fact["healed"]
            or fact["channel"] not in ("app-log", "paste")
            or not _IN_USE.search(str(fact["text"]))
            or not fact.proofs
        ):
            continue
        port = _PORT.search(str(fact["text"]))
        yield fact.entity, (port["a"] or port["b"] or port["c"] if port else ""), fact.proofs[0]
