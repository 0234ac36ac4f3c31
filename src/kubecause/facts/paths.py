"""The ways a cause may reach its effects: ``leads_to … via`` of a case, and the check behind each name."""

from __future__ import annotations

from collections.abc import Callable

from kubecause.facts.joins import Joins
from kubecause.facts.records import Claim, Workload
from kubecause.facts.records_network import Ingress
from kubecause.facts.records_pod import Pod
from kubecause.model import Entity

PATHS: dict[str, str] = {
    "self": "the same container, pod or workload, or the same object",
    "pod.node": "between a node and the containers, pods and workloads on it",
    "pod.candidates": "between a node and the waiting pods that only it (or nodes like it) could take",
    "pod.workload": "between a workload and its pods and containers",
    "pod.namespace": "between a namespace and everything in it",
    "pod.claims": "between a claim and the pods and workloads that mount it",
    "claim.volume": "between a claim and its volume",
    "service.pods": "between a service and the pods and workloads behind it, or the claims these mount",
    "ingress.service": "between an ingress and the services it names",
    "workload.dependencies": "from a workload (or its service) to the workloads that call it",
    "node.components": "between a node and its kubelet, runtime, proxy and network plugin",
    "registry.images": "between a registry and the containers whose image lives there",
    "cluster": "everything in the cluster",
}

_DNS = ("coredns", "kube-dns")


def connected(joins: Joins, cause: Entity, effect: Entity, via: str) -> bool:
    """True when an effect can be reached from a cause along a path of :data:`PATHS`."""
    return _CHECKS[via](joins, cause, effect)


def _nodes_of_dns(joins: Joins) -> set[str]:
    """The nodes that the cluster's names depend on: those of its DNS pods."""
    return {node for thing in joins.store.of_kind("Pod") if _serves_names(thing.entity) for node in joins.nodes_of(thing.entity)}


def _serves_names(entity: Entity) -> bool:
    """True for the cluster's own DNS: a part of the cluster rather than of a namespace."""
    return entity.namespace == "kube-system" and (entity.pod or entity.name or "").startswith(_DNS)


def _by_workload(joins: Joins, cause: Entity, effect: Entity) -> bool:
    return _serves_names(cause) if effect.kind == "Cluster" else joins.same(cause, effect)


def _by_node(joins: Joins, cause: Entity, effect: Entity) -> bool:
    if cause.kind == "Node" and effect.kind == "Cluster":
        return cause.name in _nodes_of_dns(joins)
    if cause.kind == "Node":
        return bool(cause.name) and cause.name in joins.nodes_of(effect)
    if effect.kind == "Node":
        return bool(effect.name) and effect.name in joins.nodes_of(cause)
    return bool(joins.nodes_of(cause) & joins.nodes_of(effect))


def _by_namespace(joins: Joins, cause: Entity, effect: Entity) -> bool:
    del joins
    a = cause.name if cause.kind == "Namespace" else cause.namespace
    b = effect.name if effect.kind == "Namespace" else effect.namespace
    return a is not None and a == b


def _by_claim(joins: Joins, cause: Entity, effect: Entity) -> bool:
    claim, user = (cause, effect) if cause.kind == "PersistentVolumeClaim" else (effect, cause)
    if claim.kind != "PersistentVolumeClaim":
        return joins.same(cause, effect)
    return claim.namespace == user.namespace and claim.name in joins.claims_of(user)


def _by_service(joins: Joins, cause: Entity, effect: Entity) -> bool:
    service, other = (cause, effect) if cause.kind == "Service" else (effect, cause)
    if service.kind != "Service":
        return False
    behind = joins.workloads_of_service.get(service, set())
    if other.kind == "PersistentVolumeClaim":
        return bool(behind & joins.workloads_behind(other))
    return any(joins.same(workload, other) for workload in behind)


def _by_ingress(joins: Joins, cause: Entity, effect: Entity) -> bool:
    ingress, other = (cause, effect) if cause.kind == "Ingress" else (effect, cause)
    thing = joins.store.things.get(ingress)
    if thing is None or not isinstance(thing.record, Ingress) or other.namespace != ingress.namespace:
        return False
    names = {
        (path.backend.service.name if path.backend.service else path.backend.service_name)
        for rule in thing.record.spec.rules
        for path in (rule.http.paths if rule.http else [])
    }
    if other.kind == "Service":
        return other.name in names
    services = [joins.store.named("Service", name, ingress.namespace) for name in names]
    return any(_by_service(joins, service.entity, other) for service in services if service)


def read_by(joins: Joins, entity: Entity) -> set[Entity]:
    """The ConfigMaps and claims that a pod, or the template of a workload, names."""
    thing = joins.store.things.get(joins.pod_of(entity) or entity)
    record = thing.record if thing else None
    spec = record.spec if isinstance(record, Pod) else record.spec.template.spec if isinstance(record, Workload) else None
    if spec is None:
        return set()
    containers = [*spec.init_containers, *spec.containers]
    maps = {volume.config_map.name for volume in spec.volumes if volume.config_map}
    maps |= {source.config_map_ref.name for each in containers for source in each.env_from if source.config_map_ref}
    sources = [variable.value_from for each in containers for variable in each.env if variable.value_from]
    maps |= {source.config_map_key_ref.name for source in sources if source.config_map_key_ref}
    claims = {each.persistent_volume_claim.claim_name for each in spec.volumes if each.persistent_volume_claim}
    named = [("ConfigMap", name) for name in maps] + [("PersistentVolumeClaim", name) for name in claims]
    return {Entity(kind, name, entity.namespace) for kind, name in named if name}


def dependents(joins: Joins, entity: Entity) -> set[Entity]:
    """Workloads that call a workload, or a Service, directly or through others."""
    clients = joins.service_callers.get(entity, set()) if entity.kind == "Service" else set()
    found = clients.union(*map(joins.dependents, clients))
    return found.union(*(joins.dependents(callee) - {callee} for callee in joins.workloads_behind(entity)))


def _by_dependency(joins: Joins, cause: Entity, effect: Entity) -> bool:
    return not dependents(joins, cause).isdisjoint(joins.workloads_behind(effect))


def _by_volume(joins: Joins, cause: Entity, effect: Entity) -> bool:
    for claim, volume in ((cause, effect), (effect, cause)):
        thing = joins.store.things.get(claim)
        if claim.kind == "PersistentVolumeClaim" and thing and isinstance(thing.record, Claim):
            return thing.record.spec.volume_name == volume.name
    return False


def _by_registry(joins: Joins, cause: Entity, effect: Entity) -> bool:
    registry, other = (cause, effect) if cause.kind == "Registry" else (effect, cause)
    images = [c.image for thing in joins.pods(other) if isinstance(thing.record, Pod) for c in thing.record.spec.containers]
    return bool(registry.name) and any(image.startswith(f"{registry.name}/") for image in images)


def _components(joins: Joins, cause: Entity, effect: Entity) -> bool:
    return cause == effect or _by_node(joins, cause, effect)


def _always(joins: Joins, cause: Entity, effect: Entity) -> bool:
    del joins, cause, effect
    return True


def _by_candidates(joins: Joins, cause: Entity, effect: Entity) -> bool:
    node, waiting = (cause, effect) if cause.kind == "Node" else (effect, cause)
    return bool(node.name) and node.name in joins.kept_off(waiting)


_CHECKS: dict[str, Callable[[Joins, Entity, Entity], bool]] = {
    "self": Joins.same,
    "pod.workload": _by_workload,
    "pod.node": _by_node,
    "pod.candidates": _by_candidates,
    "node.components": _components,
    "pod.namespace": _by_namespace,
    "pod.claims": _by_claim,
    "claim.volume": _by_volume,
    "service.pods": _by_service,
    "ingress.service": _by_ingress,
    "workload.dependencies": _by_dependency,
    "registry.images": _by_registry,
    "cluster": _always,
}
