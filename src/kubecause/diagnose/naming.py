"""The entity a diagnosis names, and the names that fill the placeholders of its texts."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from kubecause.facts.joins import Joins
from kubecause.knowledge.schema import Case
from kubecause.model import WORKLOAD_KINDS, Diagnosis, Entity, Finding

_LIFTED_LEVELS = frozenset({"container", "pod", "workload"})


def lifted(finding: Finding, case: Case, joins: Joins) -> Entity:
    """The entity as high as the evidence proves: the owner of the template, unless the fault is of one pod alone."""
    if case.entity in _LIFTED_LEVELS and not case.instance:
        return joins.top_owner(finding.entity)
    if finding.entity.kind == "Container" and case.instance:
        return joins.pod_of(finding.entity) or finding.entity
    return finding.entity


def with_cluster(diagnosis: Diagnosis, name: str) -> Diagnosis:
    """The diagnosis with the cluster called by its name wherever it stands without one."""

    def named(entity: Entity) -> Entity:
        return replace(entity, name=name, scope=None) if entity.kind == "Cluster" and entity.name is None else entity

    return replace(
        diagnosis,
        entity=named(diagnosis.entity),
        chain=tuple(replace(link, entity=named(link.entity)) for link in diagnosis.chain),
        affected=tuple(map(named, diagnosis.affected)),
    )


def names_of(entity: Entity, findings: Iterable[Finding], joins: Joins) -> dict[str, str]:
    """Values for ``<placeholders>``: what the signals bound, then what the entity and its family are called.

    ``<kind>/<name>`` is the diagnosed entity as kubectl takes it, ``<owner>`` the same in one word.
    """
    names: dict[str, str | None] = {}
    for finding in findings:
        for key, value in finding.names.items():
            names.setdefault(key, value)
    subjects = [entity, *(subject for finding in findings for subject in (finding.entity, *finding.subjects))]
    names.setdefault("entity", str(entity.name or entity.pod) if entity.name or entity.pod else None)
    if entity.name:
        names.setdefault("kind", entity.kind.lower())
        names.setdefault("name", entity.name)
        names.setdefault("owner", f"{entity.kind.lower()}/{entity.name}")
    for subject in subjects:
        _one(names, subject, joins)
    return {key: value for key, value in names.items() if value}


def _one(names: dict[str, str | None], entity: Entity, joins: Joins) -> None:
    def offer(key: str, value: str | None) -> None:
        if value and not names.get(key):
            names[key] = value

    offer("namespace", entity.name if entity.kind == "Namespace" else entity.namespace)
    if entity.kind == "Container":
        offer("container", entity.name)
        offer("pod", entity.pod)
    elif entity.kind == "Pod":
        offer("pod", entity.name)
    elif entity.kind == "Service":
        offer("service", entity.name)
    elif entity.kind == "Ingress":
        offer("ingress", entity.name)
    elif entity.kind == "PersistentVolumeClaim":
        offer("claim", entity.name)
    elif entity.kind == "Registry":
        offer("registry", entity.name)
    if entity.kind in ("Container", "Pod", *WORKLOAD_KINDS):
        owner = joins.top_owner(entity)
        offer("workload", owner.name)
        pods = joins.pods(entity)
        offer("pod", pods[0].entity.name if len(pods) == 1 else None)
    offer("node", joins.node_of(entity))
