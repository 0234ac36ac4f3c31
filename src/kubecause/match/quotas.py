"""Quota arithmetic: refusals the API server spoke of, and full quotas that explain why something is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubecause.facts.joins import Joins
from kubecause.facts.quantities import quantity
from kubecause.facts.records import Claim, Quota
from kubecause.facts.store import Store, Thing
from kubecause.match.addresses import missing_services
from kubecause.model import Entity, Fact, Proof

_REFUSED = re.compile(
    r"exceeded quota: (?P<quota>[\w.-]+), requested: (?P<requested>[^:]+?), used: (?P<used>.+?), "
    r"limited: (?P<limited>[\w./=,-]+)",
    re.IGNORECASE,
)
_FAMILIES = (
    ("cpu", re.compile(r"(?:requests\.|limits\.)?cpu$")),
    ("memory", re.compile(r"(?:requests\.|limits\.)?memory$")),
    ("pods", re.compile(r"(?:count/)?pods$")),
    ("services", re.compile(r"(?:count/)?services(?:\.\w+)?$")),
    ("storage", re.compile(r".*(?:storage|persistentvolumeclaims)$")),
)


def family_of(resource: str) -> str:
    """cpu, memory, pods, services, storage or other, from a quota's name of a resource."""
    return next((family for family, pattern in _FAMILIES if pattern.match(resource)), "other")


def quota_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``quota.exceeded`` for each quota and family."""
    if "object:ResourceQuota" in store.seen or "event" in store.seen:
        store.saw("quota.exceeded")
    seen: set[tuple[str | None, str, str]] = set()
    for fact in _refusals(store):
        key = (fact.entity.name, fact["quota"], fact["family"])
        if key not in seen:
            seen.add(key)
            yield fact
    for thing, quota in store.records("ResourceQuota", Quota):
        for fact in _full(thing, quota, store, joins):
            if (fact.entity.name, fact["quota"], fact["family"]) not in seen:
                yield fact


def _refusals(store: Store) -> Iterator[Fact]:
    for line in store.facts["line"]:
        found = _REFUSED.search(str(line["text"])) if "exceeded quota" in str(line["text"]) and not line["healed"] else None
        if not found:
            continue
        requested, used, limited = (_amounts(found[part]) for part in ("requested", "used", "limited"))
        for resource in requested:
            namespace = line.entity.name if line.entity.kind == "Namespace" else line.entity.namespace
            entity = Entity("Namespace", namespace, scope=None if namespace else line.scope)
            fields = {
                "resource": resource,
                "family": family_of(resource),
                "quota": found["quota"],
                "requested": requested.get(resource),
                "used": used.get(resource),
                "limited": limited.get(resource),
                "refused": True,
            }
            yield Fact("quota.exceeded", entity, {k: v for k, v in fields.items() if v is not None}, line.proofs, line.scope)


def _amounts(text: str) -> dict[str, str]:
    return {key.strip(): value.strip() for key, _, value in (part.partition("=") for part in text.split(",")) if value}


def _full(thing: Thing, quota: Quota, store: Store, joins: Joins) -> Iterator[Fact]:
    """A quota with no room for something that should exist and does not."""
    hard = quota.status.hard or quota.spec.hard
    for resource, most in hard.items():
        used, limit = quantity(quota.status.used.get(resource)), quantity(most)
        if used is None or limit is None:
            continue
        missing = _missing(family_of(resource), thing.entity.namespace, limit - used, store, joins)
        if missing is None:
            continue
        text, proofs = missing
        fields: dict[str, Any] = {
            "resource": resource,
            "family": family_of(resource),
            "quota": thing.entity.name,
            "requested": text,
            "used": str(quota.status.used.get(resource)),
            "limited": str(most),
            "refused": False,
        }
        entity = Entity(
            "Namespace", thing.entity.namespace, scope=None if thing.entity.namespace else next(iter(thing.sources), None)
        )
        yield Fact("quota.exceeded", entity, fields, thing.proof(f"status.used.{resource}", "row") + proofs)


def _missing(family: str, namespace: str | None, room: float, store: Store, joins: Joins) -> tuple[str, tuple[Proof, ...]] | None:
    """Something of a family that is wanted, not there, and larger than the room left."""
    if family == "services" and room < 1:
        return next(((name, proofs) for name, proofs in missing_services(namespace, store, joins)), None)
    if family == "storage":
        for thing, claim in store.records("PersistentVolumeClaim", Claim):
            size = quantity(claim.spec.resources.requests.get("storage"))
            if not thing.live and size is not None and size > room and thing.entity.namespace in (namespace, None):
                return str(claim.spec.resources.requests["storage"]), thing.proof("spec.resources")
    return None
