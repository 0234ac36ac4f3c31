"""The entity a finding is recognised on: the level the case names, reached from the fact's entity by the joins."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

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
_OF_ONE_OBJECT = frozenset(
    {"object.terminating", "claim.state"}
)  # the fault lives on an object of any kind, which has no level of its own
_POD_LIKE = frozenset({"Container", "Pod", "Workload", *WORKLOAD_KINDS})


class _View(msgspec.Struct, frozen=True):
    """What a hit tells of its entity: the fact's own entity, the pod its text names, the names it bound."""

    entity: Entity
    about: Entity | None
    names: Mapping[str, str]
    fact: Fact
    store: Store
    joins: Joins

    @property
    def pod_like(self) -> Entity | None:
        """The container, pod or workload it is about."""
        if self.entity.kind in _POD_LIKE and (self.entity.name or self.entity.pod):
            return self.entity
        return self.about

    @property
    def namespace(self) -> str | None:
        """The namespace it speaks of."""
        return self.names.get("namespace") or self.entity.namespace

    def object(self, kind: str, name: str) -> Entity:
        """An object by name, as the store knows it."""
        thing = self.store.named(kind, name, self.namespace)
        return thing.entity if thing else Entity(kind, name, None if kind == "Node" else self.namespace)


def entity_at(level: str, fact: Fact, names: Mapping[str, str], store: Store, joins: Joins) -> Entity:
    """The entity of a fact on the level of a case; nameless (told apart by its document) when nothing proves more.

    :param names: what the signal bound; ``node``, ``namespace``, ``claim``, ``registry`` … may name the entity.
    """
    about = fact["about"]
    if not isinstance(about, Entity):
        about = None
    elif fact.entity.kind not in ("Container", "Pod"):
        thing = store.named("Pod", about.name, about.namespace)
        about = thing.entity if thing else about
    found = _READERS[level](_View(fact.entity, about, names, fact, store, joins))
    return found or Entity(KIND_OF_LEVEL[level], None, fact.entity.namespace, scope=_scope(fact))


def _scope(fact: Fact) -> str | None:
    return fact.entity.scope or fact.scope or (fact.proofs[0].source if fact.proofs else None)


def _container(view: _View) -> Entity | None:
    found, container = view.pod_like, view.names.get("container")
    if found and found.kind == "Pod" and container:
        return Entity("Container", container, found.namespace, pod=found.name)
    return found


def _pod(view: _View) -> Entity | None:
    found = view.pod_like
    return (view.joins.pod_of(found) or found) if found else None


def _workload(view: _View) -> Entity | None:
    if view.pod_like:
        return view.joins.top_owner(view.pod_like)
    if view.entity.kind == "Service" and view.entity.name:
        behind = view.joins.workloads_of_service.get(view.entity, set())
        return min(behind, key=lambda e: e.sort_key) if behind else view.entity
    if view.entity.kind == "PersistentVolumeClaim" and view.entity.name:
        users = view.joins.workloads_behind(view.entity)
        return next(iter(users)) if len(users) == 1 else view.entity
    return view.entity if view.entity.name and view.entity.kind not in ("Node", "Unknown") else None


def _service(view: _View) -> Entity | None:
    if view.entity.kind == "Service" and view.entity.name:
        return view.entity
    return view.object("Service", view.names["service"]) if view.names.get("service") else None


def _ingress(view: _View) -> Entity | None:
    if view.entity.kind == "Ingress" and view.entity.name:
        return view.entity
    return view.object("Ingress", view.names["ingress"]) if view.names.get("ingress") else None


def _namespace(view: _View) -> Entity | None:
    name = (
        view.entity.name if view.entity.kind == "Namespace" else view.namespace or (view.about.namespace if view.about else None)
    )
    return Entity("Namespace", name) if name else None


def _claim(view: _View) -> Entity | None:
    if view.entity.kind == "PersistentVolumeClaim" and view.entity.name:
        return view.entity
    found = view.pod_like
    claims = [view.names["claim"]] if view.names.get("claim") else sorted(view.joins.claims_of(found)) if found else []
    return Entity("PersistentVolumeClaim", claims[0], (found or view.entity).namespace) if len(claims) == 1 else None


def _node(view: _View) -> Entity | None:
    name = view.entity.name if view.entity.kind == "Node" else view.names.get("node") or view.fact["node"]
    if not name and view.entity.kind == "Cluster":
        return view.entity  # a part of the control plane, on a node that the cluster does not show
    if not name and view.pod_like:
        name = view.joins.node_of(view.pod_like)
    return view.object("Node", str(name)) if name else None


def _cluster(view: _View) -> Entity | None:
    if view.fact.kind in _OF_ONE_OBJECT:
        return view.entity
    return Entity("Cluster", None, cluster=view.entity.cluster)


def _registry(view: _View) -> Entity | None:
    return Entity("Registry", view.names["registry"]) if view.names.get("registry") else None


def _client(view: _View) -> Entity | None:
    return Entity("Client", view.entity.name if view.entity.kind == "Client" else None)


_READERS: Mapping[str, Callable[[_View], Entity | None]] = {
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
