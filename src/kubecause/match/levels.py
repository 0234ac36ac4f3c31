"""The entity a finding is recognised on: the level the case names, reached from the fact's entity by the joins."""

from __future__ import annotations

from collections.abc import Mapping

from kubecause.facts.joins import Joins
from kubecause.facts.store import Store
from kubecause.model import WORKLOAD_KINDS, Entity, Fact

KIND_OF_LEVEL = {
    "container": "Container",
    "pod": "Pod",
    "workload": "Workload",
    "service": "Service",
    "ingress": "Ingress",
    "namespace": "Namespace",
    "pvc": "PersistentVolumeClaim",
    "node": "Node",
    "cluster": "Cluster",
    "registry": "Registry",
    "client": "Client",
}
_POD_LIKE = frozenset({"Container", "Pod", "Workload", *WORKLOAD_KINDS})


def entity_at(level: str, fact: Fact, names: Mapping[str, str], store: Store, joins: Joins) -> Entity:
    """The entity of a fact on the level of a case; nameless (told apart by its document) when nothing proves more.

    :param names: what the signal bound; ``node``, ``namespace``, ``claim``, ``registry`` … may name the entity.
    """
    entity = fact.entity
    about = fact["about"] if isinstance(fact["about"], Entity) else None
    if about and entity.kind not in ("Container", "Pod"):
        thing = store.named("Pod", about.name, about.namespace)
        about = thing.entity if thing else about
    found = _READERS[level](entity, about, names, fact, store, joins)
    return found or Entity(KIND_OF_LEVEL[level], None, entity.namespace, scope=_scope(fact))


def _scope(fact: Fact) -> str | None:
    return fact.entity.scope or fact.scope or (fact.proofs[0].source if fact.proofs else None)


def _named_pod(entity: Entity, about: Entity | None) -> Entity | None:
    if entity.kind in _POD_LIKE and (entity.name or entity.pod):
        return entity
    return about


def _container(
    entity: Entity, about: Entity | None, names: Mapping[str, str], fact: Fact, store: Store, joins: Joins
) -> Entity | None:
    found = _named_pod(entity, about)
    container = names.get("container")
    if found and found.kind == "Pod" and container:
        return Entity("Container", container, found.namespace, pod=found.name)
    return found


def _pod(entity: Entity, about: Entity | None, names: Mapping[str, str], fact: Fact, store: Store, joins: Joins) -> Entity | None:
    found = _named_pod(entity, about)
    return (joins.pod_of(found) or found) if found else None


def _workload(
    entity: Entity, about: Entity | None, names: Mapping[str, str], fact: Fact, store: Store, joins: Joins
) -> Entity | None:
    found = _named_pod(entity, about)
    if found:
        return joins.top_owner(found)
    if entity.kind == "Service" and entity.name:
        behind = joins.workloads_of_service.get(entity, set())
        return min(behind, key=lambda e: e.sort_key) if behind else entity
    if entity.name and entity.kind not in ("Node", "Unknown"):
        return entity
    return None


def _service(
    entity: Entity, about: Entity | None, names: Mapping[str, str], fact: Fact, store: Store, joins: Joins
) -> Entity | None:
    if entity.kind == "Service" and entity.name:
        return entity
    if names.get("service"):
        thing = store.named("Service", names["service"], names.get("namespace") or entity.namespace)
        return thing.entity if thing else Entity("Service", names["service"], names.get("namespace") or entity.namespace)
    return None


def _ingress(
    entity: Entity, about: Entity | None, names: Mapping[str, str], fact: Fact, store: Store, joins: Joins
) -> Entity | None:
    if entity.kind == "Ingress" and entity.name:
        return entity
    return Entity("Ingress", names["ingress"], names.get("namespace") or entity.namespace) if names.get("ingress") else None


def _namespace(
    entity: Entity, about: Entity | None, names: Mapping[str, str], fact: Fact, store: Store, joins: Joins
) -> Entity | None:
    name = (
        entity.name
        if entity.kind == "Namespace"
        else names.get("namespace") or entity.namespace or (about.namespace if about else None)
    )
    return Entity("Namespace", name) if name else None


def _claim(
    entity: Entity, about: Entity | None, names: Mapping[str, str], fact: Fact, store: Store, joins: Joins
) -> Entity | None:
    if entity.kind == "PersistentVolumeClaim" and entity.name:
        return entity
    found = _named_pod(entity, about)
    namespace = (found or entity).namespace
    claims = [names["claim"]] if names.get("claim") else sorted(joins.claims_of(found)) if found else []
    return Entity("PersistentVolumeClaim", claims[0], namespace) if len(claims) == 1 else None


def _node(
    entity: Entity, about: Entity | None, names: Mapping[str, str], fact: Fact, store: Store, joins: Joins
) -> Entity | None:
    name = entity.name if entity.kind == "Node" else names.get("node") or fact["node"]
    if not name:
        found = _named_pod(entity, about)
        name = joins.node_of(found) if found else None
    if not name:
        return None
    thing = store.named("Node", str(name))
    return thing.entity if thing else Entity("Node", str(name))


def _cluster(
    entity: Entity, about: Entity | None, names: Mapping[str, str], fact: Fact, store: Store, joins: Joins
) -> Entity | None:
    return Entity("Cluster", None)


def _registry(
    entity: Entity, about: Entity | None, names: Mapping[str, str], fact: Fact, store: Store, joins: Joins
) -> Entity | None:
    return Entity("Registry", names["registry"]) if names.get("registry") else None


def _client(
    entity: Entity, about: Entity | None, names: Mapping[str, str], fact: Fact, store: Store, joins: Joins
) -> Entity | None:
    return Entity("Client", entity.name if entity.kind == "Client" else None)


_READERS = {
    "container": _container,
    "pod": _pod,
    "workload": _workload,
    "service": _service,
    "ingress": _ingress,
    "namespace": _namespace,
    "pvc": _claim,
    "node": _node,
    "cluster": _cluster,
    "registry": _registry,
    "client": _client,
}
