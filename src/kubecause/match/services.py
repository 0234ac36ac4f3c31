"""The path of a service, hop by hop (rule 5): selector, endpoints, target port, protocol; the first broken hop counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubecause.facts.joins import Joins
from kubecause.facts.records import Node, Workload
from kubecause.facts.records_network import Service, ServicePort
from kubecause.facts.records_pod import Pod
from kubecause.facts.restarts import pod_ready
from kubecause.facts.store import Store, Thing
from kubecause.match.listening import Listening, listening_ports, template_ports
from kubecause.match.selectors import selector_text
from kubecause.model import Entity, Fact, Proof

_API_SERVER = Entity("Service", "kubernetes", "default")


def service_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``service.broken`` of every service whose own definition breaks the path."""
    if not any(True for _ in store.of_kind("Pod", "Deployment", "StatefulSet")):
        return
    for thing, service in store.records("Service", Service):
        if not thing.live or service.spec.type == "ExternalName":
            continue
        store.saw("service.broken")
        if not service.spec.selector:
            yield from _by_hand(thing, service, store, joins)
            continue
        fact = _selector(thing, service, store, joins) or _ports(thing, service, store, joins)
        fact = fact or _external_local(thing, service, store, joins)
        if fact:
            yield fact


def _fact(thing: Thing, fields: dict[str, Any], proofs: tuple[Proof, ...]) -> Fact:
    return Fact("service.broken", thing.entity, {k: v for k, v in fields.items() if v is not None}, proofs)


# --- selector ---------------------------------------------------------------------------------------------


def _selector(thing: Thing, service: Service, store: Store, joins: Joins) -> Fact | None:
    """No pod and no template carries the labels, although pods exist that the service was most likely meant for."""
    if joins.workloads_of_service.get(thing.entity) or joins.ready_endpoints(thing):
        return None
    if not _labels_seen(thing, store):
        return None
    selector = service.spec.selector
    meant = _meant(thing, service, store)
    if meant is None:
        return None
    workload, labels = meant
    owner = joins.top_owner(workload.entity)
    near = {key: value for key, value in labels.items() if key != "pod-template-hash"}
    fields = {
        "hop": "selector",
        "selector": selector_text(selector),
        "near": selector_text(near),
        "workload": owner.name,
    }
    proofs = (
        thing.proof("spec.selector", "row")
        + thing.proof("status.endpoints")
        + workload.proof("spec.template.metadata.labels", "metadata.labels", "row")
    )
    return _fact(thing, fields, tuple(dict.fromkeys(proofs)))


def _labels_seen(thing: Thing, store: Store) -> bool:
    """True when labels of pods or templates in the namespace were read, so that none that fits is missing."""
    here = thing.entity.namespace
    if any(pod.metadata.labels for pod in store.of_kind("Pod") if pod.entity.namespace == here):
        return True
    workloads = (record for kind in ("Deployment", "StatefulSet", "DaemonSet") for record in store.records(kind, Workload))
    return store.was_listed("Deployment", here) and any(
        workload.entity.namespace == here and record.spec.template.metadata.labels for workload, record in workloads
    )


def _meant(thing: Thing, service: Service, store: Store) -> tuple[Thing, dict[str, str | None]] | None:
    """The workload or pod a service was most likely meant for: shared labels, then the same name, then the same port."""
    best: tuple[tuple[int, bool, bool, str], Thing, dict[str, str | None]] | None = None
    wanted = {port.target_port if port.target_port is not None else port.port for port in service.spec.ports}
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "Pod"):
        for candidate in store.of_kind(kind):
            if candidate.entity.namespace != thing.entity.namespace or not candidate.live:
                continue
            record = candidate.record
            labels = record.spec.template.metadata.labels if isinstance(record, Workload) else candidate.metadata.labels
            spec = record.spec.template.spec if isinstance(record, Workload) else record.spec if isinstance(record, Pod) else None
            values = set(service.spec.selector.values())
            shared = sum(1 for key, value in service.spec.selector.items() if labels.get(key) == value) + len(
                values & set(labels.values())
            )
            same_name = candidate.entity.name == thing.entity.name or thing.entity.name in labels.values()
            same_port = bool(spec and wanted & {p.container_port for c in spec.containers for p in c.ports})
            if not labels or not (shared or same_name):
                continue  # labels that were not seen cannot differ
            score = (shared, same_name, same_port, candidate.entity.name or "")
            if best is None or score > best[0]:
                best = (score, candidate, labels)
    return (best[1], best[2]) if best else None


def _by_hand(thing: Thing, service: Service, store: Store, joins: Joins) -> Iterator[Fact]:
    """A service whose endpoints somebody wrote: they are there, and yet its clients are refused."""
    if thing.entity == _API_SERVER:
        return  # the API server writes its own
    subsets = [subset for subset in joins.endpoints_of(thing) or () if subset.addresses]
    for port in service.spec.ports if subsets else ():
        addresses = (f"{service.spec.cluster_ip}:{port.port}", f"{thing.entity.name}:{port.port}")
        lines = [
            fact
            for fact in store.facts["line"]
            if fact["channel"] == "app-log" and "refused" in str(fact["text"]) and any(a in str(fact["text"]) for a in addresses)
        ]
        targets = [str(p.port) for subset in subsets for p in subset.ports if len(service.spec.ports) == 1 or p.name == port.name]
        if lines and targets:
            fields = {
                "hop": "target-port",
                "port": str(port.port),
                "target_port": targets[0],
                "protocol": port.protocol,
                "tested": True,
            }
            yield _fact(thing, fields, thing.proof("spec.ports", "row") + lines[0].proofs[:1])


# --- ports and protocols ----------------------------------------------------------------------------------


def _ports(thing: Thing, service: Service, store: Store, joins: Joins) -> Fact | None:
    pods = [pod for pod in joins.pods_of_service.get(thing.entity, []) if isinstance(pod.record, Pod) and pod.live]
    running = [
        pod for pod in pods if isinstance(pod.record, Pod) and pod.record.spec.containers and pod_ready(pod.record) is not False
    ]
    known = listening_ports(running[0], joins) if running else _of_template(thing, store, joins)
    if known is None:
        return None
    refused = _refused(thing, store)
    subsets = joins.endpoints_of(thing)
    unresolved = subsets is not None and not any(subset.ports for subset in subsets if subset.addresses)
    for port in service.spec.ports:
        fact = _target_port(thing, service, port, known, refused, unresolved) or _protocol(thing, port, known)
        if fact:
            return fact
    return None


def _of_template(thing: Thing, store: Store, joins: Joins) -> Listening | None:
    """The ports of the one workload behind a service that has ready pods, as its template declares them."""
    behind = [store.things[entity] for entity in joins.workloads_of_service.get(thing.entity, ()) if entity in store.things]
    ready = [
        w for w in behind if isinstance(w.record, Workload) and (w.record.status.ready_replicas or w.record.status.number_ready)
    ]
    if len(behind) != 1 or not ready:
        return None
    return template_ports(ready[0])


def _refused(thing: Thing, store: Store) -> tuple[Proof, ...]:
    """Connection tests of the service that failed from everywhere they were tried."""
    tests = [fact for fact in store.facts["connection"] if fact.entity == thing.entity]
    return tests[0].proofs if tests and not any(fact["open"] for fact in tests) else ()


def _target_port(
    thing: Thing, service: Service, port: ServicePort, known: Listening, refused: tuple[Proof, ...], unresolved: bool
) -> Fact | None:
    target = port.target_port if port.target_port is not None else port.port
    named = isinstance(target, str) and not target.isdigit()
    if named:
        if target in known.names or (not known.names and service.status.endpoints != []):
            return None
    elif not known.lacks(int(target)):
        return None
    fields = {
        "hop": "target-port",
        "port": str(port.port),
        "target_port": str(target),
        "listening": ", ".join(str(p) for p in sorted(known.tcp | known.udp)) or None,
        "listening_port": str(next(iter(known.tcp | known.udp))) if len(known.tcp | known.udp) == 1 else None,
        "protocol": port.protocol,
        "tested": known.told or bool(refused) or (named and unresolved) or None,
    }
    proofs = thing.proof(f"spec.ports.{port.port}.targetPort", f"spec.ports.{port.port}", "row")
    return _fact(thing, fields, tuple(dict.fromkeys(proofs + refused + known.proofs[:2])))


def _protocol(thing: Thing, port: ServicePort, known: Listening) -> Fact | None:
    target = port.target_port if port.target_port is not None else port.port
    number = int(target) if str(target).isdigit() else known.names.get(str(target))
    if number is None:
        return None
    speaks = {p for p, ports in (("TCP", known.tcp), ("UDP", known.udp)) if number in ports}
    if not speaks or port.protocol in speaks or port.protocol == "SCTP":
        return None
    fields = {
        "hop": "protocol",
        "port": str(port.port),
        "target_port": str(target),
        "protocol": port.protocol,
        "app_protocol": ", ".join(sorted(speaks)),
    }
    return _fact(thing, fields, thing.proof(f"spec.ports.{port.port}", "row") + known.proofs[:2])


# --- traffic from outside -----------------------------------------------------------------------------------


def _external_local(thing: Thing, service: Service, store: Store, joins: Joins) -> Fact | None:
    """``externalTrafficPolicy: Local`` and a node that was asked in vain and runs none of the pods."""
    here = joins.nodes_of(thing.entity)
    if service.spec.external_traffic_policy != "Local" or not here:
        return None
    node_ports = {port.node_port for port in service.spec.ports if port.node_port}
    nodes = {a.address: node.entity.name for node, record in store.records("Node", Node) for a in record.status.addresses}
    for test in store.facts["connection"]:
        node = nodes.get(test["host"])
        if not test["open"] and test["port"] in node_ports and node and node not in here:
            fields = {"hop": "external-local", "port": str(test["port"]), "node": node}
            return _fact(thing, fields, thing.proof("spec.externalTrafficPolicy", "object", "row") + test.proofs)
    return None
