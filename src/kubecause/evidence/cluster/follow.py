"""What an object refers to: owner, node, claim → volume → class, service → pods, logs; and what is worth following."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from kubecause.evidence.cluster.listed import Listed, record_of
from kubecause.evidence.cluster.requests import (
    SYSTEM_NAMESPACE,
    Item,
    Request,
    behind_claim,
    claims,
    every,
    history,
    logs,
    owners,
    pods_of,
    settings,
)
from kubecause.evidence.cluster.screen import RECENT

_SYSTEM = ("system:", "kubeadm:")  # names that only Kubernetes and kubeadm give
_LOGS_OF_SELECTED = 2  # pods of a component whose logs are read although they are healthy
_SINCE = int(RECENT)
_OF_NODES = re.compile(r"\b0/(\d{1,6}) nodes are available")


def of_object(item: Item) -> list[Request]:
    """The requests for what an object read by name refers to."""
    more = _FOLLOWED.get(str(item.get("kind")), ())
    return every([owners(item), *(follow(item) for follow in more)])


def of_listed(request: Request, objects: Sequence[Listed]) -> list[Request]:
    """The requests for what broken objects of a list refer to."""
    if request.kind == "Pod":
        return every(any_log(each.item(), since=_SINCE) for each in objects[:_LOGS_OF_SELECTED])
    if request.kind == "Ingress":
        items = [each.item() for each in objects]
        secured = {item["metadata"].get("namespace") for item in items if (item.get("spec") or {}).get("tls")}
        wanted = [Request("list", "IngressClass")] if items else []
        return wanted + [Request("table", "Secret", namespace) for namespace in sorted(secured)]
    if request.kind in ("ClusterRoleBinding", "RoleBinding"):
        return every(_role(each.item()) for each in objects)
    if request.kind == "PodDisruptionBudget":
        tight = [item for each in objects if _holds(item := each.item())]
        return every([iter([Request("table", "Node")] if tight else []), *map(pods_of, tight)])
    judge = _SUFFERS.get(request.kind)
    return [wanted for each in objects if judge and judge(_state(each)) for wanted in of_object(each.item())]


class _Metadata(msgspec.Struct, rename="camel"):
    deletion_timestamp: str | None = None


class _Spec(msgspec.Struct, omit_defaults=True):
    replicas: int | None = None


class _State(msgspec.Struct):
    """What tells whether a listed object is worth decoding."""

    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    spec: _Spec | None = None
    status: dict[str, Any] | None = None


def _state(listed: Listed) -> Item:
    """The state of an object; all of it where it has another form than others of its kind."""
    try:
        return dict(msgspec.to_builtins(record_of(listed, _State)))
    except msgspec.ValidationError:
        return listed.item()


def _node(item: Item) -> Iterator[Request]:
    """The node of a pod that is not ready; all nodes for one that waits for a node."""
    spec, status = item.get("spec") or {}, item.get("status") or {}
    if spec.get("nodeName"):
        if not _pod_ready(status) and status.get("phase") != "Succeeded":
            yield Request("get", "Node", name=spec["nodeName"])
        if status.get("phase") == "Pending" and not status.get("startTime"):  # no kubelet has seen it: is there such a node?
            yield Request("list", "Node")
    elif status.get("phase") in (None, "Pending"):
        yield Request("list", "Node")


def nodes_told_of(item: Item) -> int:
    """The number of nodes that the scheduler has looked at for a pod, as it says; 0 where it says nothing."""
    conditions = (item.get("status") or {}).get("conditions") or () if item.get("kind") == "Pod" else ()
    told = (_OF_NODES.search(str(each.get("message") or "")) for each in conditions if each.get("type") == "PodScheduled")
    return max((int(found[1]) for found in told if found), default=0)


def _settings(item: Item) -> Iterator[Request]:
    """The ConfigMaps that a pod in trouble reads."""
    if not _pod_ready(item.get("status") or {}):
        yield from settings(item)


def _pod_ready(status: Item) -> bool:
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or ())


def _slices(item: Item) -> Iterator[Request]:
    meta = item["metadata"]
    yield Request("list", "EndpointSlice", meta.get("namespace"), labels=f"kubernetes.io/service-name={meta.get('name')}")


def _target(item: Item) -> Iterator[Request]:
    reference = (item.get("spec") or {}).get("scaleTargetRef") or {}
    if reference.get("kind") and reference.get("name"):
        yield Request("get", reference["kind"], item["metadata"].get("namespace"), reference["name"])


def _backends(item: Item) -> Iterator[Request]:
    """The services that an Ingress names."""
    spec = item.get("spec") or {}
    paths = [path for rule in spec.get("rules") or () for path in ((rule.get("http") or {}).get("paths") or ())]
    for backend in [spec.get("defaultBackend"), *(path.get("backend") for path in paths)]:
        name = ((backend or {}).get("service") or {}).get("name")
        if name:
            yield Request("get", "Service", item["metadata"].get("namespace"), name)
    yield Request("list", "IngressClass")


def _role(item: Item) -> Iterator[Request]:
    """The role that a binding outside the system gives."""
    role = item.get("roleRef") or {}
    name = str(role.get("name") or "")
    if name and not name.startswith(_SYSTEM) and not str(item["metadata"].get("name")).startswith(_SYSTEM):
        yield Request(
            "get", str(role.get("kind")), item["metadata"].get("namespace") if role.get("kind") == "Role" else None, name
        )


def any_log(item: Item, *, since: int | None = None) -> Iterator[Request]:
    """The logs of a pod, healthy or not.

    :param since: what containers that run well wrote before so many seconds is not read: it may be over for days.
    """
    meta, of_trouble = item["metadata"], list(logs(item))
    read = {request.container for request in of_trouble if not request.previous}
    for container in (item.get("spec") or {}).get("containers") or ():
        if container.get("name") not in read:
            yield Request("log", "Pod", meta.get("namespace"), meta.get("name"), container=container.get("name"), since=since)
    yield from of_trouble


def _on_node(item: Item) -> Iterator[Request]:
    """The system's pods on a node."""
    yield Request("table", "Pod", SYSTEM_NAMESPACE, fields=f"spec.nodeName={item['metadata'].get('name')}")


def _replicas_short(item: Item) -> bool:
    spec, status = item.get("spec") or {}, item.get("status") or {}
    wanted = status.get("desiredNumberScheduled", spec.get("replicas", 1))
    have = status.get("numberReady", status.get("readyReplicas", 0))
    bad = bool(status.get("unavailableReplicas") or status.get("numberUnavailable")) or any(
        _failing(condition) for condition in status.get("conditions") or ()
    )
    return bad or (isinstance(wanted, int) and isinstance(have, int) and have < wanted)


def _failing(condition: Item) -> bool:
    kind, status = condition.get("type"), condition.get("status")
    return (kind == "ReplicaFailure" and status == "True") or (kind in ("Progressing", "Available") and status == "False")


def _holds(budget: Item) -> bool:
    """True when a budget lets no pod go now; that matters once a node is emptied."""
    status = budget.get("status") or {}
    return not status.get("disruptionsAllowed") and bool(status.get("expectedPods"))


def _unbound(item: Item) -> bool:
    return (item.get("status") or {}).get("phase") != "Bound" or bool(item["metadata"].get("deletionTimestamp"))


_SUFFERS: Mapping[str, Callable[[Item], bool]] = {
    "Deployment": _replicas_short,
    "StatefulSet": _replicas_short,
    "DaemonSet": _replicas_short,
    "PersistentVolumeClaim": _unbound,
    "HorizontalPodAutoscaler": lambda item: any(
        c.get("status") == "False" for c in (item.get("status") or {}).get("conditions") or ()
    ),
}

_FOLLOWED: Mapping[str, Sequence[Callable[[Item], Iterator[Request]]]] = {
    "Pod": (claims, logs, _node, _settings),
    "Deployment": (history,),
    "PersistentVolumeClaim": (behind_claim,),
    "HorizontalPodAutoscaler": (_target,),
    "Service": (_slices, pods_of),
    "Ingress": (_backends,),
}
NAMED: Mapping[str, Sequence[Callable[[Item], Iterator[Request]]]] = {
    "Deployment": (pods_of,),
    "StatefulSet": (pods_of,),
    "DaemonSet": (pods_of,),
    "ReplicaSet": (pods_of,),
    "Job": (pods_of,),
    "ReplicationController": (pods_of,),
    "Node": (_on_node,),
}
"""What is followed besides when the user named the object."""
