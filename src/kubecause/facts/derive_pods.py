"""Facts about pods and containers, from their merged objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from kubecause.facts.joins import Joins
from kubecause.facts.quantities import quantity
from kubecause.facts.records import Node
from kubecause.facts.records_pod import Container, ContainerStatus, Pod, Terminated
from kubecause.facts.restarts import looping, parse_time, pod_ready, settled
from kubecause.facts.store import Store, Thing
from kubecause.model import Entity, Fact

_UNTOLD = frozenset(  # words that say nothing of a container
    {"Running", "Completed", "Pending", "Terminating", "ContainerCreating", "PodInitializing", "", "Evicted", "Unknown"}
)
_STARTING = frozenset({"Pending", "ContainerCreating", "PodInitializing", "Running"})
_PATIENCE = 15.0  # seconds
_FINE = frozenset({"Running", "Completed", "Succeeded", ""})
# The kubelet's event of a kill; of a sidecar among the init containers it says no more (kuberuntime_manager.go, since 1.28).
_ENDED_BY_PROBE = re.compile(
    r"failed (?:liveness|startup) probe, will be restarted|^Init container \S+ failed (?:liveness|startup) probe"
)


def pod_facts(store: Store, joins: Joins, now: datetime | None) -> Iterator[Fact]:
    """``pod.status`` and ``container.state`` of every pod in trouble."""
    killed = _killed_by_probe(store)
    for thing, pod in store.records("Pod", Pod):
        store.saw("pod.status", "container.state")
        if not thing.live:
            continue
        status = _pod_status(thing, pod, store)
        if status:
            yield status
        yield from _containers(thing, pod, joins, now, killed)


def printed_status(pod: Pod) -> str:
    """The word kubectl prints under STATUS, also for pods that only a describe output or an object tells of."""
    if pod.status.printed:
        return pod.status.printed
    if pod.metadata.deletion_timestamp:
        return "Terminating"
    for prefix, statuses in (("Init:", pod.status.init_container_statuses), ("", pod.status.container_statuses)):
        for status in statuses:
            waiting, ended = status.state.waiting, status.state.terminated
            if waiting and waiting.reason and (prefix == "" or waiting.reason != "PodInitializing"):
                return f"{prefix}{waiting.reason}"
            if prefix and ended and ended.exit_code:
                return f"Init:{ended.reason or 'Error'}"
    if pod.status.reason:
        return pod.status.reason
    ended = next((s.state.terminated for s in pod.status.container_statuses if s.state.terminated), None)
    if ended and ended.reason:
        return ended.reason
    return pod.status.phase or ""


def _pod_status(thing: Thing, pod: Pod, store: Store) -> Fact | None:
    word = printed_status(pod)
    if word in _FINE and not pod.metadata.deletion_timestamp and (pod_ready(pod) is not False or word != "Running"):
        return None
    if _just_begun(word, pod, store.clock):
        return None
    if word == "ContainerCreating" and pod.status.phase is None:
        pod.status.phase = "Pending"
    scheduled: bool | None = True if pod.spec.node_name else None
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.status.strip() == "False":
            scheduled = False
    if scheduled is None and word == "Pending":
        scheduled = False
    fields: dict[str, Any] = {
        "status": word,
        "phase": pod.status.phase,
        "reason": pod.status.reason,
        "message": pod.status.message,
        "node": pod.spec.node_name,
        "scheduled": scheduled,
        "age": pod.status.age,
        "ready": pod_ready(pod),
        "finalizers": ",".join(pod.metadata.finalizers) or None,
        "scheduler": pod.spec.scheduler_name,
        "host_network": pod.spec.host_network or None,
        "node_ready": _node_ready(pod, store),
    }
    proofs = thing.proof("status.message", "row", "status.phase", "status")
    return Fact("pod.status", thing.entity, {k: v for k, v in fields.items() if v is not None}, proofs)


def _just_begun(word: str, pod: Pod, clock: datetime | None) -> bool:
    """True while starting or ending a pod takes no longer than it does in a healthy cluster."""
    if word == "Terminating":
        end = parse_time(pod.metadata.deletion_timestamp)  # the API writes when the grace period ends
        return bool(end and clock and (clock - end).total_seconds() < _PATIENCE)
    return word in _STARTING and pod.status.age is not None and pod.status.age < _PATIENCE and clock is not None


def _node_ready(pod: Pod, store: Store) -> bool | None:
    """Whether the pod's node is Ready; None when nothing tells."""
    thing = store.named("Node", pod.spec.node_name) if pod.spec.node_name else None
    if thing is None or not isinstance(thing.record, Node):
        return None
    return next((c.status.strip() == "True" for c in thing.record.status.conditions if c.type == "Ready"), None)


def _killed_by_probe(store: Store) -> set[tuple[str | None, str | None]]:
    """Pods of which the kubelet said that a failed probe ends a container."""
    killed = set()
    for fact in store.facts["line"]:
        text = str(fact["text"])
        if _ENDED_BY_PROBE.search(text) or (fact["reason"] == "Unhealthy" and text.startswith(("Liveness", "Startup"))):
            killed.add((fact.entity.namespace, fact.entity.name))
    return killed


def _containers(
    thing: Thing, pod: Pod, joins: Joins, now: datetime | None, killed: set[tuple[str | None, str | None]]
) -> Iterator[Fact]:
    owner = joins.top_owner(thing.entity).kind
    specs = {c.name: c for c in [*pod.spec.init_containers, *pod.spec.containers]}
    for init, statuses in ((True, pod.status.init_container_statuses), (False, pod.status.container_statuses)):
        for status in statuses:
            fact = _container_state(thing, pod, status, specs.get(status.name), init, now)
            if fact:
                extra = {"owner_kind": owner, "killed_by_probe": (thing.entity.namespace, thing.entity.name) in killed}
                yield Fact(fact.kind, fact.entity, {**fact.fields, **extra}, fact.proofs)
    if not pod.status.container_statuses:
        fact = _from_table(thing, pod, now)
        if fact:
            yield fact


def _container_state(
    thing: Thing, pod: Pod, status: ContainerStatus, spec: Container | None, init: bool, now: datetime | None
) -> Fact | None:
    last = status.state.terminated or status.last_state.terminated
    present = status.state.terminated or status.state.waiting or status.state.running or last  # a paste may begin below it
    waiting = status.state.waiting
    troubled = waiting or status.restart_count or (last and (last.exit_code or last.reason not in (None, "Completed")))
    if present is None or not troubled or (waiting and waiting.reason == "PodInitializing" and not status.restart_count):
        return None
    kind = "waiting" if waiting else "running" if status.state.running else "terminated"
    limits = spec.resources.limits if spec else {}
    fields: dict[str, Any] = {
        "state": kind,
        "reason": (waiting or status.state.terminated or Terminated()).reason,
        "message": (waiting or status.state.terminated or Terminated()).message,
        "exit_code": last.exit_code if last else None,
        "last_reason": last.reason if last else None,
        "last_message": last.message if last else None,
        "restarts": status.restart_count,
        "ready": status.ready,
        "init": init,
        "looping": looping(pod, status, now) and not settled(pod, now),
        "restart_policy": pod.spec.restart_policy,
        "deleted": pod.metadata.deletion_timestamp is not None,
        "memory_limit": quantity(limits.get("memory")),
        "memory_limit_text": limits.get("memory"),
        "cpu_limit_text": limits.get("cpu"),
        "image": spec.image if spec else None,
    }
    place = f"status.containerStatuses.{status.name}"
    first = thing.proof(
        f"{place}.lastState" if last and last is status.last_state.terminated else f"{place}.state", "status.containerStatuses"
    )
    proofs = first + tuple(p for p in thing.proof(f"{place}.state", "status.containerStatuses") if p not in first)
    entity = Entity("Container", status.name, thing.entity.namespace, pod=thing.entity.name)
    return Fact("container.state", entity, {k: v for k, v in fields.items() if v is not None}, proofs)


def _from_table(thing: Thing, pod: Pod, now: datetime | None) -> Fact | None:
    """A container nobody described: what the row of its pod says."""
    word = pod.status.printed or ""
    init = word.startswith("Init:")
    reason = word.removeprefix("Init:")
    loops = reason == "Running" and looping(pod, None, now) and not settled(pod, now)
    if reason in _UNTOLD and not loops:
        return None
    fields: dict[str, Any] = {
        "state": "terminated" if reason in ("Error", "OOMKilled") else "running" if reason == "Running" else "waiting",
        "reason": reason,
        "restarts": pod.status.restarts or 0,
        "init": init,
        "looping": looping(pod, None, now),
        "ready": False,
    }
    if reason == "OOMKilled":
        fields["last_reason"] = reason
    entity = Entity("Container", None, thing.entity.namespace, pod=thing.entity.name)
    return Fact("container.state", entity, fields, thing.proof("row", "status"))
