"""Facts about nodes, workloads, claims, services and namespaces, from their merged objects; messages they carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kubecause.facts.drafts import Detail
from kubecause.facts.joins import Joins
from kubecause.facts.paths import connected
from kubecause.facts.records import Anything, Claim, Node, Workload
from kubecause.facts.records_network import Service
from kubecause.facts.records_pod import Condition, Pod
from kubecause.facts.restarts import parse_time
from kubecause.facts.roles import is_control_plane
from kubecause.facts.store import Store, Thing
from kubecause.model import Channel, Entity, Fact
from kubecause.vocabulary import TEXT_FACT

_GOOD = {
    "Ready": "True",
    "Available": "True",
    "Healthy": "True",
    "ScalingActive": "True",
    "AbleToScale": "True",
    "Progressing": "True",
}
_CONTROLLER_PATIENCE = 20.0  # seconds; a running controller needs a fraction of one
_NEUTRAL = frozenset(
    {"ScalingLimited", "Initialized", "PodScheduled", "ContainersReady", "PodReadyToStartContainers", "Complete", "Bound"}
)


def is_bad(condition: Condition) -> bool:
    """True when a condition means trouble: ``Ready=False``, ``DiskPressure=True``, anything Unknown."""
    status = condition.status.strip()
    if condition.type in _NEUTRAL:
        return False
    if condition.type in _GOOD:
        return status != _GOOD[condition.type]
    return status in ("True", "Unknown") and condition.type != "SuccessCriteriaMet"


def object_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """Facts of every object that is not a pod."""
    yield from _nodes(store)
    yield from _workloads(store, joins)
    yield from _claims(store, joins)
    yield from _services(store, joins)
    yield from _others(store)
    yield from _pod_messages(store)


def _message(entity: Entity, thing: Thing, text: str | None, path: str, **more: Any) -> Iterator[Fact]:
    """A message of an object as a ``line`` fact."""
    if text:
        yield Fact(TEXT_FACT, entity, {"text": text, "channel": Channel.STATUS, "count": 1, **more}, thing.proof(path, "status"))


def _conditions(entity: Entity, thing: Thing, conditions: Iterable[Condition]) -> Iterator[Fact]:
    for condition in conditions:
        if is_bad(condition):
            yield from _message(entity, thing, condition.message, f"status.conditions.{condition.type}", reason=condition.reason)


def _nodes(store: Store) -> Iterator[Fact]:
    for thing, node in store.records("Node", Node):
        store.saw("node.state")
        ready = "unknown"
        for condition in node.status.conditions:
            store.saw("node.condition")
            bad = is_bad(condition)
            if condition.type == "Ready":
                ready = {"True": "true", "False": "false"}.get(condition.status.strip(), "unknown")
            fields = {
                "type": condition.type,
                "status": condition.status.strip(),
                "reason": condition.reason,
                "message": condition.message,
                "bad": bad,
            }
            proofs = thing.proof(f"status.conditions.{condition.type}", "row", "status")
            yield Fact("node.condition", thing.entity, {k: v for k, v in fields.items() if v is not None}, proofs)
        yield from _conditions(thing.entity, thing, node.status.conditions)
        state = {
            "ready": ready,
            "unschedulable": node.spec.unschedulable,
            "control_plane": is_control_plane(node),
            "version": node.status.node_info.kubelet_version,
            "runtime": node.status.node_info.container_runtime_version,
            "taints": ", ".join(f"{t.key}{'=' + t.value if t.value else ''}:{t.effect}" for t in node.spec.taints) or None,
        }
        proofs = thing.proof("spec.unschedulable", "row", "spec") if node.spec.unschedulable else thing.proof("row", "status")
        yield Fact("node.state", thing.entity, {k: v for k, v in state.items() if v is not None}, proofs)


def _workloads(store: Store, joins: Joins) -> Iterator[Fact]:
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "ReplicationController"):
        for thing, workload in store.records(kind, Workload):
            if not thing.live:
                continue
            store.saw("workload.replicas")
            yield from _conditions(thing.entity, thing, workload.status.conditions)
            if kind in ("Deployment", "StatefulSet", "DaemonSet"):
                yield from _replicas(thing, workload, store, joins)


def _replicas(thing: Thing, workload: Workload, store: Store, joins: Joins) -> Iterator[Fact]:
    status, spec = workload.status, workload.spec
    daemon = thing.entity.kind == "DaemonSet"
    desired = status.desired_number_scheduled if daemon else spec.replicas
    ready = status.number_ready if daemon else status.ready_replicas
    if ready is None and Detail.OBJECT in thing.details:
        ready = 0  # the API leaves zeros out
    failed = next((c for c in status.conditions if c.type == "ReplicaFailure" and c.status.strip() == "True"), None)
    stuck = failed or next(
        (c for c in status.conditions if c.type in ("Progressing", "Available") and c.status.strip() == "False"), None
    )
    if desired is None or (desired > 0 and (ready is None or ready >= desired) and not failed):
        return
    zero = desired == 0 and not daemon
    if desired == 0 and daemon:
        return
    fields: dict[str, Any] = {
        "desired": desired,
        "current": status.replicas,
        "ready": ready or 0,
        "zero": zero,
        "used": (zero or spec.paused) and _is_used(thing, joins),
        "paused": spec.paused or None,
        "unseen": _is_unseen(workload, store),
        "reason": stuck.reason if stuck else None,
        "message": stuck.message if stuck else None,
    }
    proofs = thing.proof("spec.replicas", "row", "spec.replicas")
    yield Fact("workload.replicas", thing.entity, {k: v for k, v in fields.items() if v is not None}, proofs)


def _is_unseen(workload: Workload, store: Store) -> bool | None:
    """True when the controller has not taken note of the latest edit, although it had time to."""
    generation, seen = workload.metadata.generation, workload.status.observed_generation or 0
    written = [parse_time(entry.time) for entry in workload.metadata.managed_fields if entry.subresource is None]
    latest = max((time for time in written if time), default=parse_time(workload.metadata.creation_timestamp))
    if not generation or seen >= generation or latest is None or store.clock is None:
        return None
    return True if (store.clock - latest).total_seconds() > _CONTROLLER_PATIENCE else None


def _is_used(thing: Thing, joins: Joins) -> bool:
    return bool(joins.callers.get(thing.entity)) or thing.entity in joins.services_of


def _claims(store: Store, joins: Joins) -> Iterator[Fact]:
    for thing, claim in store.records("PersistentVolumeClaim", Claim):
        if not thing.live:
            continue
        store.saw("claim.state")
        phase = "Terminating" if thing.metadata.deletion_timestamp else claim.status.phase
        if phase in (None, "Bound"):
            continue
        fields = {
            "phase": phase,
            "storage_class": claim.spec.storage_class_name or "",
            "request": claim.spec.resources.requests.get("storage"),
            "access_modes": ",".join(claim.spec.access_modes) or None,
            "unused": _is_unused(thing, store, joins),
        }
        yield Fact(
            "claim.state",
            thing.entity,
            {k: v for k, v in fields.items() if v is not None},
            thing.proof("status.phase", "row", "status.phase"),
        )


def _is_unused(claim: Thing, store: Store, joins: Joins) -> bool | None:
    """True when every workload of the namespace was read and none mounts the claim, nor does a pod that was read."""
    here = claim.entity.namespace
    if not all(store.was_listed(kind, here) for kind in ("Deployment", "StatefulSet", "DaemonSet", "Job")):
        return None
    return None if (here, claim.entity.name) in joins.mounted_claims else True


def _services(store: Store, joins: Joins) -> Iterator[Fact]:
    for thing, service in store.records("Service", Service):
        if not thing.live:
            continue
        store.saw("service.state")
        endpoints = joins.ready_endpoints(thing)
        external = _external(service)
        pending = service.spec.type == "LoadBalancer" and external == "<pending>"
        if service.spec.type == "ExternalName" or not (pending or (service.spec.selector and endpoints == 0)):
            continue
        fields = {
            "type": service.spec.type,
            "endpoints": endpoints,
            "external": external,
            "used": _is_called(thing, store, joins),
        }
        yield Fact(
            "service.state",
            thing.entity,
            {k: v for k, v in fields.items() if v is not None},
            thing.proof("status.endpoints", "row", "status"),
        )


def _external(service: Service) -> str | None:
    """The external address as kubectl prints it: ``<pending>`` until a load balancer has given one."""
    given = service.status.load_balancer
    if service.status.external or given is None or service.spec.type != "LoadBalancer":
        return service.status.external
    return None if given.ingress else "<pending>"


def _is_called(thing: Thing, store: Store, joins: Joins) -> bool:
    """False when nobody calls the service, and it selects nothing that should run, as far as the evidence shows."""
    if joins.service_callers.get(thing.entity):
        return True
    ingresses = (i for i in store.of_kind("Ingress") if i.entity.namespace == thing.entity.namespace)
    if any(connected(joins, ingress.entity, thing.entity, "ingress.service") for ingress in ingresses):
        return True
    behind = [
        store.things[entity].record for entity in joins.workloads_of_service.get(thing.entity, ()) if entity in store.things
    ]
    if behind:
        return not all(isinstance(record, Workload) and record.spec.replicas == 0 for record in behind)
    seen = [
        w
        for kind in ("Deployment", "StatefulSet")
        for w in store.of_kind(kind)
        if w.full and w.entity.namespace == thing.entity.namespace
    ]
    return len(seen) <= 1


def _others(store: Store) -> Iterator[Fact]:
    for thing in list(store.things.values()):
        record = thing.record
        if not isinstance(record, Anything):
            continue
        yield from _conditions(thing.entity, thing, record.status.conditions)
        if thing.entity.kind == "APIService":
            yield from _api_service(thing, record, store)
        if thing.entity.kind == "Namespace" and record.status.phase:
            store.saw("namespace.state")
            if record.status.phase == "Terminating":
                message = next((c.message for c in record.status.conditions if c.status == "True" and c.message), "")
                yield Fact(
                    "namespace.state",
                    thing.entity,
                    {"phase": "Terminating", "message": message},
                    thing.proof("status.phase", "row", "status.phase"),
                )


def _api_service(thing: Thing, record: Anything, store: Store) -> Iterator[Fact]:
    """An API group that another server serves: whether the API server reaches that one."""
    for condition in record.status.conditions:
        if condition.type != "Available":
            continue
        store.saw("api-service.state")
        if is_bad(condition):
            fields = {"name": thing.entity.name, "reason": condition.reason, "message": condition.message}
            known = {key: value for key, value in fields.items() if value}
            yield Fact("api-service.state", thing.entity, known, thing.proof("status.conditions.Available", "row", "status"))


def _pod_messages(store: Store) -> Iterator[Fact]:
    for thing, pod in store.records("Pod", Pod):
        if not thing.live:
            continue
        yield from _message(thing.entity, thing, pod.status.message, "status.message", reason=pod.status.reason)
        yield from _conditions(thing.entity, thing, (c for c in pod.status.conditions if c.type == "DisruptionTarget"))
        yield from (
            fact
            for condition in pod.status.conditions
            if condition.type == "PodScheduled" and condition.status.strip() == "False"
            for fact in _message(
                thing.entity, thing, condition.message, "status.conditions.PodScheduled", reason=condition.reason
            )
        )
        for status in [*pod.status.init_container_statuses, *pod.status.container_statuses]:
            entity = Entity("Container", status.name, thing.entity.namespace, pod=thing.entity.name)
            place = f"status.containerStatuses.{status.name}"
            waiting = status.state.waiting
            if waiting:
                yield from _message(entity, thing, waiting.message, f"{place}.state", reason=waiting.reason)
            for ended in (status.state.terminated, status.last_state.terminated):
                if ended and (not status.ready or ended is status.state.terminated):
                    yield from _message(entity, thing, ended.message, f"{place}.lastState", reason=ended.reason)
