"""Entities named as far as the whole evidence allows, once all documents are read."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from kubecause.facts.joins import Joins
from kubecause.facts.records import Node
from kubecause.facts.records_pod import Pod
from kubecause.facts.restarts import settled
from kubecause.facts.store import Store
from kubecause.model import Entity, Fact
from kubecause.vocabulary import TEXT_FACT


def settle_fact(fact: Fact, store: Store, joins: Joins, now: datetime | None) -> Fact:
    """A fact on the object it means; lines about a pod that has healed since are marked as past."""
    entity = settle_entity(fact.entity, store)
    if fact.kind == TEXT_FACT and _is_past(fact, entity, store, joins, now):
        return replace(fact, entity=entity, fields={**fact.fields, "healed": True})
    return replace(fact, entity=entity)


def _is_past(fact: Fact, entity: Entity, store: Store, joins: Joins, now: datetime | None) -> bool:
    """Lines of an earlier container, or of a node about a pod: the pods they are about are ready and calm."""
    about = fact["about"] if isinstance(fact["about"], Entity) else None
    if fact["previous"]:
        pods = joins.pods(entity)
    elif about and entity.kind == "Node":
        thing = store.named("Pod", about.name, about.namespace)
        pods = [thing] if thing else []
    else:
        return False
    return bool(pods) and all(isinstance(pod.record, Pod) and settled(pod.record, now) for pod in pods)


def settle_entity(entity: Entity, store: Store) -> Entity:
    """The object an entity means: its real kind, its namespace, a host as the node it is."""
    if entity.name is None and entity.pod is None:
        return entity
    if entity.kind == "Workload":
        return _workload(entity, store)
    if entity.kind == "Node":
        return _node(entity, store)
    if entity.kind == "Container":
        return _container(entity, store)
    if entity.kind in ("Pod", "Service", "PersistentVolumeClaim"):
        thing = store.named(entity.kind, entity.name, entity.namespace)
        return thing.entity if thing else entity
    return entity


def _workload(entity: Entity, store: Store) -> Entity:
    name = entity.name or ""
    thing = store.workload_named(name, entity.namespace) or store.named("Pod", name, entity.namespace)
    if thing:
        return thing.entity
    service = store.named("Service", name, entity.namespace)
    return service.entity if service else entity


def _node(entity: Entity, store: Store) -> Entity:
    """A host is a node when its name, short name, hostname label or an address matches."""
    name = (entity.name or "").lower()
    for thing, node in store.records("Node", Node):
        names = {
            thing.entity.name or "",
            node.metadata.labels.get("kubernetes.io/hostname") or "",
            *(a.address for a in node.status.addresses),
        }
        if name in {known.lower() for known in names} or name.split(".")[0] == (thing.entity.name or "").lower().split(".")[0]:
            return thing.entity
    return entity


def _container(entity: Entity, store: Store) -> Entity:
    """A container's log names its pod; its only container is the one that speaks."""
    thing = store.named("Pod", entity.pod, entity.namespace)
    if thing is None or not isinstance(thing.record, Pod):
        return entity
    containers = thing.record.spec.containers or thing.record.status.container_statuses
    name = entity.name or (containers[0].name if len(containers) == 1 else None)
    return replace(entity, name=name, namespace=thing.entity.namespace)
