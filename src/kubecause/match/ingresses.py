"""What an Ingress names against what exists: its class, the Services and ports behind its paths, its TLS Secrets.

Nothing is called missing unless every object of its kind was read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubecause.facts.joins import Joins
from kubecause.facts.records_network import Ingress, IngressBackend, Service
from kubecause.facts.store import Store, Thing
from kubecause.model import Fact, Proof

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"  # before 1.18; such classes need no IngressClass
_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"


def ingress_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``ingress.broken`` for each thing an Ingress names in vain."""
    del joins
    for thing, ingress in store.records("Ingress", Ingress):
        if not thing.live:
            continue
        store.saw("ingress.broken")
        for fields, place in (
            *_class(thing, ingress, store),
            *_backends(thing, ingress, store),
            *_secrets(thing, ingress, store),
        ):
            proofs = _proofs(thing, fields, place, store)
            yield Fact("ingress.broken", thing.entity, {k: v for k, v in fields.items() if v is not None}, proofs)


_Found = tuple[dict[str, Any], str]


def _class(thing: Thing, ingress: Ingress, store: Store) -> Iterator[_Found]:
    if not store.was_listed("IngressClass", None) or thing.metadata.annotations.get(_CLASS_ANNOTATION):
        return
    classes = {c.entity.name or "": c for c in store.of_kind("IngressClass")}
    name = ingress.spec.ingress_class_name
    default = any(c.metadata.annotations.get(_DEFAULT_CLASS) == "true" for c in classes.values())
    if name in classes or (name is None and default):
        return
    yield {"wrong": "class", "class": name, "offered": ", ".join(sorted(classes)) or None}, "spec.ingressClassName"


def _backends(thing: Thing, ingress: Ingress, store: Store) -> Iterator[_Found]:
    here = thing.entity.namespace
    told = set()
    for path, backend in _named(ingress):
        service = backend.service
        if service is None or not service.name:
            continue
        found = store.named("Service", service.name, here)
        fields: dict[str, Any] | None = None
        if found is None and store.was_listed("Service", here):
            offered = sorted(t.entity.name or "" for t in store.of_kind("Service") if t.entity.namespace == here)
            fields = {"wrong": "service", "offered": ", ".join(offered) or None}
        elif found and isinstance(found.record, Service) and found.record.spec.ports:
            ports = found.record.spec.ports
            known: set[str | int | None] = {p.port for p in ports} | {p.name for p in ports}
            wanted = service.port.number if service.port.number is not None else service.port.name
            if wanted is not None and wanted not in known:
                offered = [f"{p.port} ({p.name})" if p.name else str(p.port) for p in ports]
                fields = {"wrong": "port", "port": str(wanted), "offered": ", ".join(offered)}
        if fields and (service.name, fields.get("port")) not in told:
            told.add((service.name, fields.get("port")))
            yield {**fields, "service": service.name, "path": path}, "spec.rules"


def _named(ingress: Ingress) -> Iterator[tuple[str, IngressBackend]]:
    """Every backend with the host and path that lead there."""
    if ingress.spec.default_backend:
        yield "everything else", ingress.spec.default_backend
    for rule in ingress.spec.rules:
        for path in rule.http.paths if rule.http else ():
            yield f"{rule.host or '*'}{path.path or '/'}", path.backend


def _secrets(thing: Thing, ingress: Ingress, store: Store) -> Iterator[_Found]:
    """Secrets are known by name only, from a table; where no table was read, nothing is said."""
    here = thing.entity.namespace
    if not store.was_listed("Secret", here):
        return
    for tls in ingress.spec.tls:
        if tls.secret_name and store.named("Secret", tls.secret_name, here) is None:
            yield {"wrong": "secret", "secret": tls.secret_name, "host": ", ".join(tls.hosts) or None}, "spec.tls"


def _proofs(thing: Thing, fields: dict[str, Any], place: str, store: Store) -> tuple[Proof, ...]:
    service = store.named("Service", fields.get("service"), thing.entity.namespace) if fields["wrong"] == "port" else None
    return thing.proof(place, "row") + (service.proof("spec.ports", "row") if service else ())
