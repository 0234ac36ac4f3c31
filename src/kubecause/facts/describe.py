"""``kubectl describe`` of any kind as drafts and event rows (kubectl 1.12 to 1.35).

One call handles one object's output, whole or cut at either end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kubecause.facts.describe_network import endpoints_fields, ingress_fields, service_fields
from kubecause.facts.describe_node import node_fields
from kubecause.facts.describe_parts import conditions_of, pairs
from kubecause.facts.describe_pod import pod_fields
from kubecause.facts.describe_storage import claim_fields, namespace_quotas, quota_fields, storage_class_fields, volume_fields
from kubecause.facts.describe_workload import workload_fields
from kubecause.facts.drafts import Detail, Draft, put
from kubecause.facts.event_rows import EventRow, event_rows
from kubecause.facts.outline import Node, outline
from kubecause.facts.quantities import duration
from kubecause.model import Document

_KIND_WORDS = {
    "po": "Pod", "pod": "Pod", "svc": "Service", "service": "Service", "deploy": "Deployment", "deployment": "Deployment",
    "rs": "ReplicaSet", "replicaset": "ReplicaSet", "sts": "StatefulSet", "statefulset": "StatefulSet", "ds": "DaemonSet",
    "daemonset": "DaemonSet", "no": "Node", "node": "Node", "pvc": "PersistentVolumeClaim", "pv": "PersistentVolume",
    "persistentvolumeclaim": "PersistentVolumeClaim", "persistentvolume": "PersistentVolume", "sc": "StorageClass",
    "storageclass": "StorageClass", "ep": "Endpoints", "endpoint": "Endpoints", "endpoints": "Endpoints", "ing": "Ingress",
    "ingress": "Ingress", "ingresse": "Ingress", "cm": "ConfigMap", "configmap": "ConfigMap", "ns": "Namespace",
    "namespace": "Namespace", "quota": "ResourceQuota", "resourcequota": "ResourceQuota", "sa": "ServiceAccount",
    "serviceaccount": "ServiceAccount", "secret": "Secret", "job": "Job", "cj": "CronJob", "cronjob": "CronJob",
    "hpa": "HorizontalPodAutoscaler", "horizontalpodautoscaler": "HorizontalPodAutoscaler", "pdb": "PodDisruptionBudget",
    "poddisruptionbudget": "PodDisruptionBudget", "netpol": "NetworkPolicy", "networkpolicy": "NetworkPolicy",
    "networkpolicie": "NetworkPolicy", "rc": "ReplicationController", "replicationcontroller": "ReplicationController",
    "limitrange": "LimitRange", "limits": "LimitRange", "event": "Event", "ev": "Event", "role": "Role",
    "rolebinding": "RoleBinding", "endpointslice": "EndpointSlice", "cs": "ComponentStatus",
    "componentstatuse": "ComponentStatus", "componentstatus": "ComponentStatus", "crd": "CustomResourceDefinition",
}  # fmt: skip


def kind_of_word(word: str) -> str | None:
    """The kind behind a word of kubectl's command line: ``pods`` and ``po`` are ``Pod``."""
    word = word.lower().split(".")[0]
    return _KIND_WORDS.get(word) or _KIND_WORDS.get(word.removesuffix("s"))


# Keys that only one kind prints, most telling first.
_TELLS: tuple[tuple[str, frozenset[str]], ...] = (
    ("Node", frozenset({"PodCIDR", "Non-terminated Pods", "Allocatable", "Unschedulable", "System Info"})),
    ("Service", frozenset({"TargetPort", "Session Affinity", "IP Family Policy"})),
    ("StatefulSet", frozenset({"Update Strategy", "Volume Claims"})),
    ("DaemonSet", frozenset({"Desired Number of Nodes Scheduled"})),
    ("CronJob", frozenset({"Schedule", "Concurrency Policy"})),
    ("Job", frozenset({"Parallelism", "Completions"})),
    ("ReplicaSet", frozenset({"Pods Status"})),
    ("Deployment", frozenset({"StrategyType", "NewReplicaSet", "OldReplicaSets", "RollingUpdateStrategy"})),
    ("Pod", frozenset({"QoS Class", "Node-Selectors", "IPs", "Controlled By", "Start Time", "Init Containers"})),
    ("PersistentVolumeClaim", frozenset({"Used By", "Mounted By"})),
    ("PersistentVolume", frozenset({"Reclaim Policy", "Claim", "Node Affinity"})),
    ("StorageClass", frozenset({"Provisioner"})),
    ("Ingress", frozenset({"Default backend", "Ingress Class", "Rules"})),
    ("HorizontalPodAutoscaler", frozenset({"Metrics", "Reference", "Min replicas"})),
    ("PodDisruptionBudget", frozenset({"Min available", "Max unavailable", "Allowed disruptions"})),
    ("Endpoints", frozenset({"Subsets"})),
    ("ServiceAccount", frozenset({"Mountable secrets", "Image pull secrets"})),
    ("PersistentVolumeClaim", frozenset({"StorageClass", "Access Modes"})),
    ("Pod", frozenset({"Containers", "Node"})),
)
_CONTAINER_STATES = frozenset({"Waiting", "Running", "Terminated"})
_NODE_CONDITION = re.compile(r"(?:DiskPressure|MemoryPressure|PIDPressure)\s+(?:True|False|Unknown)\s")


def described_kind(top: Sequence[Node], command: str | None) -> str | None:
    """Which kind a describe output is about: the command says, else keys that only one kind prints."""
    if command:
        words = re.findall(r"\bdescribe\s+(?:-\S+\s+\S+\s+)*([A-Za-z]+)", command)
        kind = kind_of_word(words[0]) if words else None
        if kind:
            return kind
    keys = {node.key for node in top}
    for kind, tells in _TELLS:
        if keys & tells:
            return kind
    if any(node.key == "Conditions" and any(_NODE_CONDITION.match(row.text) for row in node.children) for node in top):
        return "Node"
    if any(node.key in ("State", "Last State") and node.value in _CONTAINER_STATES for node in top):
        return "Pod"  # of which the states of one container are left
    if any(re.match(r"(?:No )?[Rr]esource [Qq]uotas?|No LimitRange resource", node.text) for node in top):
        return "Namespace"
    quota = any(re.match(r"Resource\s+Used\s+Hard", node.text) for node in top)
    return "ResourceQuota" if quota else None


def parse_described(document: Document) -> Iterator[Draft | EventRow]:
    """Drafts and events of one described object.

    The first item is the draft of the object itself, when its kind can be told.
    """
    lines = document.lines
    cut = next((i for i, line in enumerate(lines) if re.match(r"\s{0,20}Events:", line)), len(lines))
    top = outline(lines[:cut], document.first_line)
    kind = described_kind(top, document.command)
    if kind:
        yield _draft(kind, top, document)
        if kind == "Namespace":
            yield from namespace_quotas(top, document)
    yield from event_rows(lines[cut:], document.first_line + cut)


def _draft(kind: str, top: list[Node], document: Document) -> Draft:
    root = Node("", "", "", document.first_line, -1, top)
    data: dict[str, Any] = {"metadata": {}}
    name = root.value_of("Name") or document.hints.get("name", "")
    namespace = root.value_of("Namespace") or document.hints.get("namespace")
    draft = Draft(kind, name, namespace or None, Detail.DESCRIBE, data, document)
    for node in top:
        _metadata(node, draft)
    reader = _READERS.get(kind)
    if reader:
        reader(root, draft)
    else:
        _anything(root, draft)
    return draft


def _metadata(node: Node, draft: Draft) -> None:
    meta = draft.data["metadata"]
    if node.key == "Labels":
        meta["labels"] = pairs(node.items())
        draft.prove("metadata.labels", node.line, node.text)
    elif node.key == "Annotations":
        meta["annotations"] = {k.strip(): v.strip() for k, _, v in (text.partition(": ") for text, _ in node.items()) if v}
    elif node.key == "Finalizers":
        meta["finalizers"] = re.findall(r"[\w./-]+", node.value)
        draft.prove("metadata.finalizers", node.line, node.text)
    elif node.key in ("CreationTimestamp", "Created"):
        meta["creationTimestamp"] = node.value
    elif node.key == "Controlled By" and "/" in node.value:
        kind, _, owner = node.value.partition("/")
        meta["ownerReferences"] = [{"kind": kind, "name": owner, "controller": True}]
        draft.prove("metadata.ownerReferences", node.line, node.text)


# --- readers of one kind each -----------------------------------------------------------------------------


def _anything(root: Node, draft: Draft) -> None:
    status = root.value_of("Status", "Phase")
    if status:
        put(draft.data, "status.phase", status.partition(" (lasts ")[0])
        draft.prove("status.phase", draft.document.first_line, f"Status: {status}")
    found = conditions_of(root.child("Conditions"), draft)
    if found:
        put(draft.data, "status.conditions", found)


def _pod(root: Node, draft: Draft) -> None:
    pod_fields(root, draft)
    found = conditions_of(root.child("Conditions"), draft)
    if found:
        put(draft.data, "status.conditions", found)
    lasts = re.search(r"Terminating \(lasts ([^)]+)\)", root.value_of("Status"))
    if lasts:
        put(draft.data, "status.age", duration(lasts[1]))


def _secret(root: Node, draft: Draft) -> None:
    del root
    draft.data.pop("data", None)  # the names of the keys would do no harm, but nothing needs them


_READERS: dict[str, Callable[[Node, Draft], None]] = {
    "Pod": _pod,
    "Deployment": workload_fields,
    "ReplicaSet": workload_fields,
    "StatefulSet": workload_fields,
    "DaemonSet": workload_fields,
    "ReplicationController": workload_fields,
    "Job": workload_fields,
    "CronJob": workload_fields,
    "Service": service_fields,
    "Endpoints": endpoints_fields,
    "PersistentVolumeClaim": claim_fields,
    "PersistentVolume": volume_fields,
    "StorageClass": storage_class_fields,
    "ResourceQuota": quota_fields,
    "Node": node_fields,
    "Ingress": ingress_fields,
    "Secret": _secret,
}
