"""Containers of one pod that want the same port: they share one network namespace, so the second cannot bind."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from kubecause.facts.joins import Joins
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
        if not thing.live or pod.spec.host_network or len(pod.spec.containers) < 2:
            continue
        declared: dict[tuple[int, str], list[str]] = defaultdict(list)
        for container in pod.spec.containers:
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
                names = ", ".join(c.name for c in pod.spec.containers)
                yield _fact(thing.entity, port_text, names, (lines[0][1],))


def _fact(entity: Entity, port: str, containers: str, proofs: tuple[Proof, ...]) -> Fact:
    return Fact("pod.ports-clash", entity, {"port": port, "containers": containers}, proofs)


def _only(declared: Mapping[tuple[int, str], list[str]]) -> str | None:
    """The one port the pod declares: programs such as busybox do not say which port they found taken."""
    return str(next(iter(declared))[0]) if len(declared) == 1 else None


def _loops(thing: Thing, store: Store) -> bool:
    return any(s["looping"] and s.entity.pod == thing.entity.name for s in store.facts["container.state"])


def _taken(store: Store, joins: Joins) -> dict[Entity, list[tuple[str, Proof]]]:
    found: dict[Entity, list[tuple[str, Proof]]] = defaultdict(list)
    for fact in store.facts["line"]:
        if fact["channel"] not in ("app-log", "paste") or not _IN_USE.search(str(fact["text"])) or not fact.proofs:
            continue
        port = _PORT.search(str(fact["text"]))
        number = port["a"] or port["b"] or port["c"] if port else ""
        found[joins.top_owner(fact.entity)].append((number, fact.proofs[0]))
    return found
