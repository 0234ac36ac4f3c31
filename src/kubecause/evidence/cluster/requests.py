"""What is asked of the API server: one request, the kubectl command that shows the same, and which need it answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Literal

import msgspec

from kubecause.evidence.cluster.kinds import KINDS
from kubecause.model import WORKLOAD_KINDS, Channel, Entity, Need

Verb = Literal["get", "list", "table", "metadata", "log", "screen", "neighbour", "ready"]
Item = dict[str, Any]  # a decoded object of the API

SYSTEM_NAMESPACE = "kube-system"
DNS_LABEL = "k8s-app=kube-dns"  # CoreDNS keeps the label of its predecessor, everywhere
WARNINGS = "type=Warning"
_REVISION = "deployment.kubernetes.io/revision"  # set by the Deployment controller, counted up with every new template


class Request(msgspec.Struct, frozen=True, cache_hash=True):
    """One request; equal requests are sent once.

    ``screen`` stands for the handful of requests that triage a namespace, ``neighbour`` for those of a namespace that nobody
    asked about, which is left alone when its pods may not be listed, and ``ready`` for the server's own health checks.
    """

    verb: Verb
    kind: str
    namespace: str | None = None
    name: str | None = None
    labels: str | None = None
    fields: str | None = None
    container: str | None = None
    previous: bool = False
    since: int | None = None  # seconds of a log

    @property
    def command(self) -> str:
        """The kubectl command that shows a person the same."""
        where = f" -n {self.namespace}" if self.namespace else " -A" if _everywhere(self) else ""
        if self.verb == "log":
            since = "" if self.since is None else f" --since={self.since}s"
            return f"kubectl logs {self.name} -c {self.container}{where}{' --previous' if self.previous else since}"
        if self.verb == "ready":
            return "kubectl get --raw /readyz?verbose"
        kind = KINDS.get(self.kind)
        word = kind.plural if kind else self.kind.lower()
        parts = ["kubectl get", f"{word} {self.name}" if self.name else word]
        parts += [f"-l {self.labels}"] if self.labels else []
        parts += [f"--field-selector {self.fields}"] if self.fields else []
        return " ".join(parts) + where


def _everywhere(request: Request) -> bool:
    kind = KINDS.get(request.kind)
    return request.name is None and (kind is None or kind.namespaced)


def events_about(entity: Entity) -> Request:
    """The events about one object."""
    name = f"involvedObject.kind={entity.kind},involvedObject.name={entity.name}"
    return Request("list", "Event", entity.namespace or ("default" if entity.kind == "Node" else None), fields=name)


def selector_text(labels: Any) -> str | None:
    """``matchLabels`` as a query; None when there are none."""
    if not isinstance(labels, dict) or not labels:
        return None
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def labels_of_text(selector: str) -> dict[str, str]:
    """The labels that ``selector_text`` made a query of."""
    return dict(label.split("=", 1) for label in selector.split(",") if "=" in label)


OF_MANY = (Request("list", "Pod", SYSTEM_NAMESPACE, labels=DNS_LABEL), Request("ready", "Cluster"))
"""Asked for where very much is broken, before anything tells that it is needed."""


# --- needs ------------------------------------------------------------------------------------------------

ADDRESS = "client.address-wrong"  # its analysis tells which namespace, log or list would settle it
_LOGS = frozenset({Channel.APP_LOG, Channel.COMPONENT_LOG})
_STATES = frozenset({Channel.STATUS, "container.state", "pod.status", "workload.replicas", "probe.wrong", "pod.ports-clash"})
_SERVICES = frozenset(
    {"policy.blocks", "service.broken", "service.state", "client.address-wrong", "database.rejects", "connection"}
)
_SYSTEM_PODS = frozenset({"component.down", "workload.replicas", "container.state", "pod.status"})
_OF_QUOTAS = frozenset({"quota.exceeded", Channel.EVENT})
_OF_SCHEDULERS = frozenset({"component.down", "scheduler.absent"})
_OF_NODES = frozenset({Channel.COMPONENT_LOG, "component.down", "container.state", "pod.status"})
_LOOKED_AT: Mapping[str, tuple[frozenset[str], ...]] = {  # by kind of entity: what the functions below tell apart
    "Cluster": (
        frozenset({ADDRESS}),
        _SYSTEM_PODS,
        frozenset({Channel.COMPONENT_LOG}),
        frozenset({Channel.EVENT}),
        _OF_SCHEDULERS,
    ),
    "Namespace": (_OF_QUOTAS, frozenset({ADDRESS})),
    "Node": (frozenset({Channel.EVENT}), _OF_NODES),
    "Service": (_SERVICES, frozenset({ADDRESS}), frozenset({"policy.blocks"}), frozenset({Channel.EVENT}), _LOGS, _STATES),
}
_OF_OBJECTS = (_SERVICES, frozenset({ADDRESS}), frozenset({"policy.blocks"}), frozenset({Channel.EVENT}))


@cache
def settled_by(entity_kind: str, wanted: str) -> tuple[bool, ...]:
    """The same for all kinds of facts about which the same is asked of a kind of entity."""
    return tuple(wanted in kinds for kinds in _LOOKED_AT.get(entity_kind, _OF_OBJECTS))


def requests_for(need: Need) -> Iterator[Request]:
    """The requests that may settle a need; nothing for what no API server knows (a node's own logs and files)."""
    entity, wanted = need.entity, need.fact_kind
    if entity.kind == "Cluster":
        yield from _of_cluster(wanted)
    elif entity.kind == "Namespace" and entity.name:
        if wanted in _OF_QUOTAS:
            yield Request("list", "ResourceQuota", entity.name)
            yield Request("list", "LimitRange", entity.name)
        if wanted == ADDRESS:
            yield Request("list", "Service", entity.name)
    elif entity.kind == "Node":
        yield from _of_node(entity, wanted)
    elif entity.name or entity.pod:
        yield from _of_object(entity, wanted)


def _of_cluster(wanted: str) -> Iterator[Request]:
    if wanted == ADDRESS:
        yield Request("list", "Service")
    if wanted in _SYSTEM_PODS or wanted in (Channel.COMPONENT_LOG, Channel.EVENT):
        yield Request("neighbour", "Namespace", name=SYSTEM_NAMESPACE)
    if wanted == Channel.COMPONENT_LOG:
        yield Request("list", "Pod", SYSTEM_NAMESPACE, labels=DNS_LABEL)
    if wanted in _OF_SCHEDULERS:
        yield Request("list", "Lease", SYSTEM_NAMESPACE)
        yield Request("ready", "Cluster")


def _of_node(node: Entity, wanted: str) -> Iterator[Request]:
    if node.name is None:
        yield Request("list", "Node")
        return
    yield Request("get", "Node", name=node.name)
    if wanted == Channel.EVENT:
        yield events_about(node)
    if wanted in _OF_NODES:
        yield Request("table", "Pod", SYSTEM_NAMESPACE, fields=f"spec.nodeName={node.name}")


def _of_object(entity: Entity, wanted: str) -> Iterator[Request]:
    pod = entity.pod if entity.kind == "Container" else entity.name
    if wanted in _SERVICES and entity.kind != "Service":
        for kind in ("Service", "EndpointSlice", "Deployment", "StatefulSet"):
            yield Request("list", kind, entity.namespace)
    if wanted == "policy.blocks":
        yield Request("list", "NetworkPolicy", entity.namespace)
    if entity.kind in ("Pod", "Container"):
        yield Request("get", "Pod", entity.namespace, pod)
        if wanted == Channel.EVENT:
            yield events_about(Entity("Pod", pod, entity.namespace))
        return
    if entity.kind in KINDS:
        yield Request("get", entity.kind, entity.namespace, entity.name)
    if wanted == Channel.EVENT and entity.kind in (*WORKLOAD_KINDS, "PersistentVolumeClaim", "Service", "Ingress"):
        yield events_about(entity)
    if entity.kind == "Service" and (wanted in _SERVICES or wanted in _LOGS or wanted in _STATES):
        yield Request("list", "EndpointSlice", entity.namespace, labels=f"kubernetes.io/service-name={entity.name}")


# --- references -------------------------------------------------------------------------------------------


def owners(item: Item) -> Iterator[Request]:
    """The direct owner of an object."""
    meta = item["metadata"]
    for reference in meta.get("ownerReferences") or ():
        kind, name = reference.get("kind"), reference.get("name")
        if isinstance(kind, str) and isinstance(name, str) and kind != "Node":  # static pods are owned by their node
            known = KINDS.get(kind)
            yield Request("get", kind, meta.get("namespace") if known is None or known.namespaced else None, name)


def claims(item: Item) -> Iterator[Request]:
    """The claims that a pod mounts."""
    meta = item["metadata"]
    for volume in (item.get("spec") or {}).get("volumes") or ():
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim is None and volume.get("ephemeral") is not None:
            claim = f"{meta.get('name')}-{volume.get('name')}"
        if claim:
            yield Request("get", "PersistentVolumeClaim", meta.get("namespace"), claim)


def settings(item: Item) -> Iterator[Request]:
    """Who changed the ConfigMaps of a namespace and when, for a pod that reads some; what stands in them is not read."""
    spec = item.get("spec") or {}
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    mounted = any(v.get("configMap") for v in spec.get("volumes") or ()) or _own_projection(spec)
    sources = [source for c in containers for source in (*(c.get("envFrom") or ()), *(c.get("env") or ()))]
    named = any(s.get("configMapRef") or (s.get("valueFrom") or {}).get("configMapKeyRef") for s in sources)
    if mounted or named:
        yield Request("metadata", "ConfigMap", item["metadata"].get("namespace"))


def _own_projection(spec: Item) -> bool:
    """True when a projected volume holds a ConfigMap besides the one every pod is given with the cluster's CA."""
    sources = [
        s.get("configMap") or {} for v in spec.get("volumes") or () for s in (v.get("projected") or {}).get("sources") or ()
    ]
    return any(source.get("name") not in (None, "kube-root-ca.crt") for source in sources)


def behind_claim(item: Item) -> Iterator[Request]:
    """Volume, class and events of a claim."""
    meta, spec = item["metadata"], item.get("spec") or {}
    if spec.get("volumeName"):
        yield Request("get", "PersistentVolume", name=spec["volumeName"])
    if (item.get("status") or {}).get("phase") != "Bound":
        yield Request("list", "StorageClass")
        yield Request("list", "PersistentVolume")
        yield events_about(Entity("PersistentVolumeClaim", meta.get("name"), meta.get("namespace")))


def history(item: Item) -> Iterator[Request]:
    """The ReplicaSets of a Deployment whose template was ever changed: what it was before."""
    if (item["metadata"].get("annotations") or {}).get(_REVISION) == "1":
        return
    labels = selector_text(((item.get("spec") or {}).get("selector") or {}).get("matchLabels"))
    if labels:
        yield Request("list", "ReplicaSet", item["metadata"].get("namespace"), labels=labels)


def pods_of(item: Item) -> Iterator[Request]:
    """The pods that a workload or Service selects."""
    selector = (item.get("spec") or {}).get("selector") or {}
    labels = selector_text(selector.get("matchLabels") if item["kind"] != "Service" else selector)
    if item["kind"] == "ReplicationController":
        labels = selector_text(selector)
    if labels:
        yield Request("table", "Pod", item["metadata"].get("namespace"), labels=labels)


def logs(item: Item) -> Iterator[Request]:
    """The logs worth reading of a pod: containers that ended, keep ending, or run without being ready."""
    meta, status = item["metadata"], item.get("status") or {}
    for place in ("initContainerStatuses", "containerStatuses"):
        for each in status.get(place) or ():
            yield from _container_logs(meta, each, init=place.startswith("init"))


def _container_logs(meta: Item, status: Item, *, init: bool) -> Iterator[Request]:
    state, last = status.get("state") or {}, status.get("lastState") or {}
    ended = state.get("terminated")
    if ended and ended.get("exitCode") == 0 and init:
        return
    waiting = (state.get("waiting") or {}).get("reason")
    crashed = bool(last.get("terminated"))
    # While a container waits for its next start, its log is that of its last run; once it runs, that one is the previous.
    current = bool(ended or (state.get("running") and not (status.get("ready") and not crashed)) or (waiting and crashed))
    for previous, wanted in ((False, current), (True, crashed and bool(state.get("running")))):
        if wanted:
            yield Request(
                "log", "Pod", meta.get("namespace"), meta.get("name"), container=str(status.get("name")), previous=previous
            )


def every(makers: Iterable[Iterable[Request]]) -> list[Request]:
    """Several kinds of references as one list, each once, in order."""
    return list(dict.fromkeys(request for maker in makers for request in maker))
