"""How entities belong together: owners, nodes, claims, services, dependencies; computed from the things of a store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property

from kubecause.facts.label_index import LabelIndex
from kubecause.facts.records import Claim, Workload
from kubecause.facts.records_network import Endpoints, EndpointSubset, Service
from kubecause.facts.records_pod import Pod
from kubecause.facts.store import Store, Thing
from kubecause.facts.words_told import words_told
from kubecause.model import WORKLOAD_KINDS, Entity, Fact

_POD_LIKE = frozenset({"Container", "Pod", *WORKLOAD_KINDS})
SERVICE_NAME_LABEL = "kubernetes.io/service-name"  # on every EndpointSlice of a service
_HASHED = re.compile(r"^(?P<workload>.+)-[a-z0-9]{6,10}$")


class Joins:
    """The joins of one store; computed once, on first use."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._tops: dict[Entity, Entity] = {}
        self._nodes: dict[Entity, set[str]] = {}
        self._ready: dict[Entity, int | None] = {}
        self._called: dict[tuple[str, str | None], Thing | None] = {}
        self._dependents: dict[Entity, set[Entity]] = {}
        self._facts_of: dict[str, tuple[int, dict[Entity, list[Fact]]]] = {}
        self._kept_off: dict[tuple[str, ...], frozenset[str]] = {}

    # --- families ---------------------------------------------------------------------------------------------

    def pod_of(self, entity: Entity) -> Entity | None:
        """The pod a container belongs to, or the pod itself."""
        if entity.kind == "Pod":
            return entity
        if entity.kind != "Container" or not entity.pod:
            return None
        thing = self.store.named("Pod", entity.pod, entity.namespace)
        return thing.entity if thing else Entity("Pod", entity.pod, entity.namespace)

    def owner(self, entity: Entity) -> Entity | None:
        """The direct owner that the evidence proves."""
        thing = self.store.things.get(entity)
        if thing is None:  # only an event tells of it
            return self._owner_by_labels(entity, {})
        for reference in thing.metadata.owner_references:
            found = self.store.named(reference.kind, reference.name, entity.namespace)
            if found:
                return found.entity
            deployment = self._deployment_behind(reference.name, thing) if reference.kind == "ReplicaSet" else None
            return deployment or Entity(reference.kind, reference.name, entity.namespace)
        return self._owner_by_labels(entity, thing.metadata.labels)

    def _deployment_behind(self, replica_set: str, pod: Thing) -> Entity | None:
        """The Deployment of a ReplicaSet that no document shows: only Deployments write ``pod-template-hash``."""
        template_hash = pod.metadata.labels.get("pod-template-hash")
        if not template_hash or not replica_set.endswith(f"-{template_hash}"):
            return None
        name = replica_set.removesuffix(f"-{template_hash}")
        found = self.store.named("Deployment", name, pod.entity.namespace)
        return found.entity if found else Entity("Deployment", name, pod.entity.namespace)

    def _owner_by_labels(self, entity: Entity, labels: Mapping[str, str | None]) -> Entity | None:
        """Only Deployments write ``pod-template-hash``; a workload with a fitting name owns a pod it selects."""
        name, namespace = entity.name or "", entity.namespace
        if entity.kind == "ReplicaSet":
            return self._deployment_of_set(name, namespace, "pod-template-hash" in labels)
        if entity.kind != "Pod":
            return None
        hashed = re.match(r"(?P<set>.+-[a-z0-9]{6,10})-[a-z0-9]{5}$", name)
        if hashed:
            replica_set = self.store.named("ReplicaSet", hashed["set"], namespace)
            if replica_set:
                return replica_set.entity
            deployment = self._deployment_of_set(hashed["set"], namespace, "pod-template-hash" in labels)
            if deployment:
                return deployment
        for kind, pattern in (("StatefulSet", r"(.+)-\d+$"), ("DaemonSet", r"(.+)-[a-z0-9]{5}$"), ("Job", r"(.+)-[a-z0-9]{5}$")):
            found = re.match(pattern, name)
            owner = self.store.named(kind, found[1], namespace) if found else None
            if owner:
                return owner.entity
        return None

    def _deployment_of_set(self, name: str, namespace: str | None, sure: bool) -> Entity | None:
        found = _HASHED.match(name)
        if not found:
            return None
        thing = self.store.named("Deployment", found["workload"], namespace)
        if thing:
            return thing.entity
        return Entity("Deployment", found["workload"], namespace) if sure else None

    def top_owner(self, entity: Entity) -> Entity:
        """The highest owner the evidence proves; the entity itself when there is none."""
        if entity not in self._tops:
            self._tops[entity] = self._climb(entity)
        return self._tops[entity]

    def _climb(self, entity: Entity) -> Entity:
        if entity.kind == "Container":
            entity = self.pod_of(entity) or entity
        for _ in range(5):
            above = self.owner(entity)
            if above is None or above == entity or (entity.kind in WORKLOAD_KINDS and above.kind not in WORKLOAD_KINDS):
                break  # a custom resource may own several workloads, which have their faults each for itself
            entity = above
        return entity

    @cached_property
    def pods_of_workload(self) -> dict[Entity, list[Thing]]:
        """Pods by their top owner."""
        found: dict[Entity, list[Thing]] = {}
        for thing in self.store.of_kind("Pod"):
            found.setdefault(self.top_owner(thing.entity), []).append(thing)
        return found

    def pods(self, entity: Entity) -> list[Thing]:
        """Pods of a workload, or the one pod of a pod or container."""
        if entity.kind in ("Pod", "Container"):
            pod = self.pod_of(entity)
            thing = self.store.things.get(pod) if pod else None
            return [thing] if thing else []
        return self.pods_of_workload.get(self.top_owner(entity), [])

    def facts_of(self, kind: str, entity: Entity) -> list[Fact]:
        """Facts of a kind about a workload, its pods and their containers, named by any of these."""
        facts = self.store.facts[kind]
        count, found = self._facts_of.get(kind, (-1, {}))
        if count != len(facts):  # analyses may still add some
            found = {}
            for fact in facts:
                found.setdefault(self.top_owner(fact.entity), []).append(fact)
            self._facts_of[kind] = (len(facts), found)
        return found.get(self.top_owner(entity), [])

    # --- placement ----------------------------------------------------------------------------------------------

    def node_of(self, entity: Entity) -> str | None:
        """Name of the node a pod or container is bound to."""
        if entity.kind == "Node":
            return entity.name
        for thing in self.pods(entity) if entity.kind in ("Pod", "Container") else []:
            if isinstance(thing.record, Pod) and thing.record.spec.node_name:
                return thing.record.spec.node_name
        return None

    def nodes_of(self, entity: Entity) -> set[str]:
        """Names of the nodes that the pods of an entity (or behind a service) are bound to."""
        if entity not in self._nodes:
            self._nodes[entity] = self._bound_to(entity)
        return self._nodes[entity]

    def _bound_to(self, entity: Entity) -> set[str]:
        if entity.kind == "Node":
            return {entity.name} if entity.name else set()
        if entity.kind == "Service":
            records = [pod.record for pod in self.pods_of_service.get(entity, [])]
            return {record.spec.node_name for record in records if isinstance(record, Pod) and record.spec.node_name}
        return {
            thing.record.spec.node_name
            for thing in self.pods(entity)
            if isinstance(thing.record, Pod) and thing.record.spec.node_name
        }

    def kept_off(self, entity: Entity) -> frozenset[str]:
        """Nodes that could take a pod, or the pods of a workload, were it not for what keeps the scheduler off them."""
        told = tuple(dict.fromkeys(str(fact["nodes"] or "") for fact in self.facts_of("scheduling.blocked", entity)))
        if told not in self._kept_off:  # thousands of pods may be kept off the same thousands of nodes
            self._kept_off[told] = frozenset(name for names in told for name in names.split(", ") if name)
        return self._kept_off[told]

    # --- services -----------------------------------------------------------------------------------------------

    @cached_property
    def pods_of_service(self) -> dict[Entity, list[Thing]]:
        """Pods that a service selects, by service."""
        index = LabelIndex((pod, pod.metadata.labels) for pod in self.store.of_kind("Pod"))
        return {
            thing.entity: index.selected(thing.entity.namespace, service.spec.selector)
            for thing, service in self.store.records("Service", Service)
        }

    @cached_property
    def workloads_of_service(self) -> dict[Entity, set[Entity]]:
        """Top owners of the pods a service selects; workloads without pods are found by their template's labels."""
        found = {service: {self.top_owner(pod.entity) for pod in pods} for service, pods in self.pods_of_service.items()}
        templates = LabelIndex(
            (thing, record.spec.template.metadata.labels or (record.spec.selector.match_labels if record.spec.selector else {}))
            for kind in ("Deployment", "StatefulSet", "DaemonSet")
            for thing, record in self.store.records(kind, Workload)
        )
        for thing, service in self.store.records("Service", Service):
            selected = templates.selected(thing.entity.namespace, service.spec.selector)
            found[thing.entity].update(workload.entity for workload in selected)
        return found

    def service_called(self, host: str, namespace: str | None) -> Thing | None:
        """The service a DNS name means: ``db``, ``db.shop``, ``db.shop.svc.cluster.local``, or a cluster IP."""
        called = (host, namespace)
        if called not in self._called:
            self._called[called] = self._find_called(host, namespace)
        return self._called[called]

    def _find_called(self, host: str, namespace: str | None) -> Thing | None:
        parts = host.lower().rstrip(".").split(".")
        if len(parts) == 1 or not parts[-1].isdigit():
            wanted = parts[1] if len(parts) > 1 and (len(parts) == 2 or parts[2] == "svc") else namespace
            return self.store.named("Service", parts[0], wanted)
        return next((t for t, s in self.store.records("Service", Service) if s.spec.cluster_ip == host), None)

    @cached_property
    def _slices(self) -> dict[tuple[str | None, str], list[Endpoints]]:
        """EndpointSlices by namespace and name of the service they belong to."""
        found: dict[tuple[str | None, str], list[Endpoints]] = {}
        for thing, record in self.store.records("EndpointSlice", Endpoints):
            owner = thing.metadata.labels.get(SERVICE_NAME_LABEL)
            if owner and thing.full:
                found.setdefault((thing.entity.namespace, owner), []).append(record)
        return found

    def endpoints_of(self, service: Thing) -> list[EndpointSubset] | None:
        """What the Endpoints object or the EndpointSlices of a service hold; None when no document tells."""
        endpoints = self.store.named("Endpoints", service.entity.name, service.entity.namespace)
        if endpoints and isinstance(endpoints.record, Endpoints) and (endpoints.full or endpoints.record.subsets):
            return endpoints.record.subsets
        slices = self._slices.get((service.entity.namespace, service.entity.name or ""))
        if slices is None and not self.store.was_listed("EndpointSlice", service.entity.namespace):
            return None
        return [subset for record in slices or () for subset in record.subsets]

    def ready_endpoints(self, service: Thing) -> int | None:
        """Number of ready endpoints; None when no document tells."""
        if service.entity not in self._ready:
            self._ready[service.entity] = self._count_ready(service)
        return self._ready[service.entity]

    def _count_ready(self, service: Thing) -> int | None:
        subsets = self.endpoints_of(service)
        if subsets is not None:
            return sum(len(subset.addresses) for subset in subsets)
        if isinstance(service.record, Service) and service.record.status.endpoints is not None:
            return len(service.record.status.endpoints)
        return None

    # --- dependencies -------------------------------------------------------------------------------------------

    @cached_property
    def service_callers(self) -> dict[Entity, set[Entity]]:
        """Workloads that call a service, directly: by the service graph, or by its name in a variable."""
        found: dict[Entity, set[Entity]] = {thing.entity: set() for thing in self.store.of_kind("Service")}
        by_name: dict[str, list[Entity]] = {}
        for entity in found:
            by_name.setdefault(entity.name or "", []).append(entity)
        for client, server in self.store.edges:
            caller = self.store.workload_named(client)
            if caller:
                for entity in by_name.get(server, []):
                    found[entity].add(caller.entity)
        for kind in ("Deployment", "StatefulSet", "DaemonSet"):
            for thing in self.store.of_kind(kind):
                for entity in (e for name in words_told(thing) & by_name.keys() for e in by_name[name]):
                    found[entity].add(thing.entity)
        return found

    @cached_property
    def services_called(self) -> dict[Entity, list[Entity]]:
        """The services that each workload calls, directly."""
        return _reversed(self.service_callers)

    @cached_property
    def services_of(self) -> dict[Entity, list[Entity]]:
        """The services in front of each workload."""
        return _reversed(self.workloads_of_service)

    @cached_property
    def callers(self) -> dict[Entity, set[Entity]]:
        """Workloads that call a workload, directly: through its services, or by the service graph."""
        found: dict[Entity, set[Entity]] = {}
        for client, server in self.store.edges:
            a, b = self.store.workload_named(client), self.store.workload_named(server)
            if a and b:
                found.setdefault(b.entity, set()).add(a.entity)
        for service, clients in self.service_callers.items():
            for behind in self.workloads_of_service.get(service, set()):
                found.setdefault(behind, set()).update(clients - {behind})
        return found

    def dependents(self, callee: Entity) -> AbstractSet[Entity]:
        """Workloads that call a workload, directly or through others; itself where calls go in a circle."""
        if callee not in self._dependents:
            found: set[Entity] = set()
            waiting = [callee]
            while waiting:
                fresh = self.callers.get(waiting.pop(), set()) - found
                found |= fresh
                waiting += fresh
            self._dependents[callee] = found
        return self._dependents[callee]

    def depends(self, caller: Entity, callee: Entity) -> bool:
        """True when one workload calls another, directly or through others."""
        return caller in self.dependents(callee)

    # --- identity -----------------------------------------------------------------------------------------------

    def same(self, a: Entity, b: Entity) -> bool:
        """The same object, or one family of container, pod and workload."""
        if a == b:
            return True
        if a.kind not in _POD_LIKE or b.kind not in _POD_LIKE:
            return False
        if a.kind == b.kind == "Container":
            return a.pod == b.pod and a.namespace == b.namespace and (a.name == b.name or not a.name or not b.name)
        if a.kind == b.kind == "Pod":
            return False
        return (
            self.top_owner(a) == self.top_owner(b)
            or self.pod_of(a) == (self.pod_of(b) or b)
            or self.pod_of(b) == (self.pod_of(a) or a)
        )

    def workloads_behind(self, entity: Entity) -> AbstractSet[Entity]:
        """The workloads an entity stands for: its owner, those behind a service, those that mount a claim."""
        if entity.kind == "Service":
            return self.workloads_of_service.get(entity, set())
        if entity.kind == "PersistentVolumeClaim":
            return self._claim_users.get((entity.namespace, entity.name or ""), set())
        return {self.top_owner(entity)}

    @cached_property
    def _claim_users(self) -> dict[tuple[str | None, str], set[Entity]]:
        """Owners of the pods that mount a claim, by its namespace and name."""
        found: dict[tuple[str | None, str], set[Entity]] = {}
        for pod in self.store.of_kind("Pod"):
            for claim in self.claims_of(pod.entity):
                found.setdefault((pod.entity.namespace, claim), set()).add(self.top_owner(pod.entity))
        return found

    @cached_property
    def mounted_claims(self) -> set[tuple[str | None, str]]:
        """Namespace and name of every claim that a pod or a template mounts."""
        found: set[tuple[str | None, str]] = set()
        for kind in ("Pod", *WORKLOAD_KINDS):
            for thing in self.store.of_kind(kind):
                record = thing.record
                spec = (
                    record.spec.template.spec
                    if isinstance(record, Workload)
                    else record.spec
                    if isinstance(record, Pod)
                    else None
                )
                claims = [v.persistent_volume_claim.claim_name for v in spec.volumes if v.persistent_volume_claim] if spec else []
                found.update((thing.entity.namespace, claim) for claim in claims)
        for thing, claim in self.store.records("PersistentVolumeClaim", Claim):
            if claim.status.used_by:
                found.add((thing.entity.namespace, thing.entity.name or ""))
        return found

    def claims_of(self, entity: Entity) -> set[str]:
        """Names of the claims that an entity's pods or template mount."""
        records = [thing.record for thing in self.pods(entity)]
        top = self.store.things.get(self.top_owner(entity))
        specs = [record.spec for record in records if isinstance(record, Pod)]
        if top and isinstance(top.record, Workload):
            specs.append(top.record.spec.template.spec)
        names = {v.persistent_volume_claim.claim_name for spec in specs for v in spec.volumes if v.persistent_volume_claim}
        return names.union(*(self._claims_said_of.get(pod.entity.name or "", ()) for pod in self.pods(entity)))

    @cached_property
    def _claims_said_of(self) -> dict[str, set[str]]:
        """Claims that say themselves which pods use them (describe does), by the name of the pod."""
        found: dict[str, set[str]] = {}
        for thing, claim in self.store.records("PersistentVolumeClaim", Claim):
            for pod in claim.status.used_by:
                found.setdefault(pod, set()).add(thing.entity.name or "")
        return found


def _reversed(related: Mapping[Entity, set[Entity]]) -> dict[Entity, list[Entity]]:
    """The keys by what they are related to, in their order."""
    found: dict[Entity, list[Entity]] = {}
    for key, others in related.items():
        for other in others:
            found.setdefault(other, []).append(key)
    return found
