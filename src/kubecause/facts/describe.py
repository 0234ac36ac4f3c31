"""``kubectl describe`` of any kind as drafts and event rows (kubectl 1.12 to 1.35).

One call handles one object's output, whole or cut at either end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kubecause.facts.describe_pod import pod_fields, template_fields
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
    "ingress": "Ingress", "ingresse": "Ingress", "cm": "ConfigMap", "configmap": "ConfigMap", "ns": "Namespace", "namespace": "Namespace",
    "quota": "ResourceQuota", "resourcequota": "ResourceQuota", "sa": "ServiceAccount", "serviceaccount": "ServiceAccount",
    "secret": "Secret", "job": "Job", "cj": "CronJob", "cronjob": "CronJob", "hpa": "HorizontalPodAutoscaler",
    "horizontalpodautoscaler": "HorizontalPodAutoscaler", "pdb": "PodDisruptionBudget", "poddisruptionbudget": "PodDisruptionBudget",
    "netpol": "NetworkPolicy", "networkpolicy": "NetworkPolicy", "networkpolicie": "NetworkPolicy", "rc": "ReplicationController",
    "replicationcontroller": "ReplicationController", "limitrange": "LimitRange", "limits": "LimitRange", "event": "Event", "ev": "Event",
    "role": "Role", "rolebinding": "RoleBinding", "endpointslice": "EndpointSlice", "cs": "ComponentStatus",
    "componentstatuse": "ComponentStatus", "componentstatus": "ComponentStatus", "crd": "CustomResourceDefinition",
}  # fmt: skip


def kind_of_word(word: str) -> str | None:
    """The kind behind a word of kubectl's command line: ``pods`` and ``po`` are ``Pod``."""
    word = word.lower().split(".")[0]
    return _KIND_WORDS.get(word) or _KIND_WORDS.get(word.removesuffix("s"))


# Keys that only one kind prints, most telling first.
_TELLS: tuple[tuple[str, frozenset[str]], ...] = (
    ("Node", frozenset({"PodCIDR", "Non-terminated Pods", "Allocatable", "Unschedulable", "System Info"})),
    ("Pod", frozenset({"QoS Class", "Node-Selectors", "IPs", "Controlled By", "Start Time", "Init Containers"})),
    ("Service", frozenset({"TargetPort", "Session Affinity", "IP Family Policy"})),
    ("PersistentVolumeClaim", frozenset({"Used By", "Mounted By"})),
    ("PersistentVolume", frozenset({"Reclaim Policy"})),
    ("StorageClass", frozenset({"Provisioner"})),
    ("Ingress", frozenset({"Default backend", "Ingress Class", "Rules"})),
    ("Deployment", frozenset({"StrategyType", "NewReplicaSet", "OldReplicaSets", "RollingUpdateStrategy"})),
    ("StatefulSet", frozenset({"Update Strategy", "Volume Claims"})),
    ("DaemonSet", frozenset({"Desired Number of Nodes Scheduled"})),
    ("CronJob", frozenset({"Schedule", "Concurrency Policy"})),
    ("Job", frozenset({"Parallelism", "Completions"})),
    ("HorizontalPodAutoscaler", frozenset({"Metrics", "Reference", "Min replicas"})),
    ("PodDisruptionBudget", frozenset({"Min available", "Max unavailable", "Allowed disruptions"})),
    ("Endpoints", frozenset({"Subsets"})),
    ("ServiceAccount", frozenset({"Mountable secrets", "Image pull secrets"})),
    ("ReplicaSet", frozenset({"Pods Status"})),
    ("PersistentVolumeClaim", frozenset({"StorageClass", "Access Modes"})),
    ("Pod", frozenset({"Containers", "Node"})),
)


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
            yield from _namespace_quotas(top, document)
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
        meta["labels"] = _pairs(node.items())
        draft.prove("metadata.labels", node.line, node.text)
    elif node.key == "Annotations":
        meta["annotations"] = {k.strip(): v.strip() for k, _, v in (text.partition(": ") for text, _ in node.items()) if v}
    elif node.key == "Finalizers":
        meta["finalizers"] = re.findall(r"[\w./-]+", node.value)
    elif node.key in ("CreationTimestamp", "Created"):
        meta["creationTimestamp"] = node.value
    elif node.key == "Controlled By" and "/" in node.value:
        kind, _, owner = node.value.partition("/")
        meta["ownerReferences"] = [{"kind": kind, "name": owner, "controller": True}]
        draft.prove("metadata.ownerReferences", node.line, node.text)


def _pairs(items: Sequence[tuple[str, int]]) -> dict[str, str]:
    pairs = {}
    for text, _ in items:
        for part in text.split(",") if "," in text and "=" in text.partition(",")[2] else [text]:
            key, eq, value = part.strip().partition("=")
            if eq:
                pairs[key] = value
    return pairs


def _selector(text: str) -> dict[str, Any]:
    """``app=web,tier in (a,b)`` as a label selector."""
    labels, expressions = {}, []
    for key, operator, values in re.findall(r"([\w./-]+)\s+(in|notin)\s+\(([^)]*)\)", text):
        expressions.append(
            {"key": key, "operator": "In" if operator == "in" else "NotIn", "values": [v.strip() for v in values.split(",")]}
        )
    for part in re.sub(r"[\w./-]+\s+(?:in|notin)\s+\([^)]*\),?", "", text).split(","):
        key, eq, value = part.strip().partition("=")
        if eq:
            labels[key] = value
    return {"matchLabels": labels, "matchExpressions": expressions}


def conditions_of(node: Node | None, draft: Draft) -> list[dict[str, str]]:
    """The ``Conditions:`` table with any set of columns, each proved as ``status.conditions.TYPE``."""
    if node is None:
        return []
    rows = []
    columns: list[str] = []
    for row in node.children:
        cells = re.split(r"\s{2,}", row.text)
        if cells[0] == "Type":
            columns = cells
        elif row.text.startswith("---"):
            continue
        elif len(cells) >= 2:
            rows.append(_condition(cells, columns))
            draft.prove(f"status.conditions.{cells[0]}", row.line, row.text)
    return rows


def _condition(cells: list[str], columns: list[str]) -> dict[str, str]:
    named = dict(zip(columns, cells, strict=False))
    condition = {"type": cells[0], "status": cells[1].strip()}
    if named.get("Reason"):
        condition["reason"] = named["Reason"]
    if "Message" in columns and len(cells) >= len(columns):
        condition["message"] = "  ".join(cells[columns.index("Message") :])
    if named.get("LastTransitionTime"):
        condition["lastTransitionTime"] = named["LastTransitionTime"]
    return condition


# --- readers of one kind each -----------------------------------------------------------------------------


def _anything(root: Node, draft: Draft) -> None:
    status = root.value_of("Status", "Phase")
    if status:
        put(draft.data, "status.phase", status)
        draft.prove("status.phase", draft.document.first_line, f"Status: {status}")
    found = conditions_of(root.child("Conditions"), draft)
    if found:
        put(draft.data, "status.conditions", found)


def _workload(root: Node, draft: Draft) -> None:
    data = draft.data
    selector = root.child("Selector")
    if selector and selector.value not in ("", "<unset>"):
        put(data, "spec.selector", _selector(selector.value))
        draft.prove("spec.selector", selector.line, selector.text)
    replicas = root.child("Replicas")
    if replicas:
        draft.prove("spec.replicas", replicas.line, replicas.text)
        _replicas(replicas.value, data)
    for key, path in (
        ("Desired Number of Nodes Scheduled", "status.desiredNumberScheduled"),
        ("Parallelism", "spec.replicas"),
    ):
        if root.value_of(key).isdigit():
            put(data, path, int(root.value_of(key)))
    ready = re.search(r"(\d+) Running", root.value_of("Pods Status"))
    if ready and draft.kind == "DaemonSet":
        put(data, "status.numberReady", int(ready[1]))
    if draft.kind == "CronJob":
        put(data, "spec.suspend", root.value_of("Suspend") == "True")
        put(data, "spec.schedule", root.value_of("Schedule"))
    found = conditions_of(root.child("Conditions"), draft)
    if found:
        put(data, "status.conditions", found)
    template = root.child("Pod Template")
    if template:
        put(data, "spec.template", template_fields(template, draft))
        labels = template.child("Labels")
        if labels:
            put(data, "spec.template.metadata", {"labels": _pairs(labels.items())})
            draft.prove("spec.template.metadata.labels", labels.line, labels.text)


def _replicas(text: str, data: dict[str, Any]) -> None:
    """``3 desired | 2 updated | 3 total | 1 available | 2 unavailable`` or ``3 current / 3 desired``."""
    counts = {
        word: int(number) for number, word in re.findall(r"(\d+) (desired|updated|total|available|unavailable|current)", text)
    }
    for word, path in (
        ("desired", "spec.replicas"),
        ("total", "status.replicas"),
        ("current", "status.replicas"),
        ("available", "status.availableReplicas"),
        ("updated", "status.updatedReplicas"),
    ):
        if word in counts:
            put(data, path, counts[word])
    if "available" in counts:
        put(data, "status.readyReplicas", counts["available"])


def _service(root: Node, draft: Draft) -> None:
    data = draft.data
    for key, path in (("Type", "spec.type"), ("IP", "spec.clusterIP"), ("External Traffic Policy", "spec.externalTrafficPolicy")):
        if root.value_of(key):
            put(data, path, root.value_of(key))
    selector = root.child("Selector")
    if selector:
        put(data, "spec.selector", _pairs(selector.items()))
        draft.prove("spec.selector", selector.line, selector.text)
    put(data, "spec.ports", _service_ports(root, draft))
    endpoints = [node for node in root.children if node.key == "Endpoints"]
    if endpoints:
        put(data, "status.endpoints", sorted({a for node in endpoints for a in re.findall(r"[\w.:\[\]]+:\d+", node.value)}))
        draft.prove("status.endpoints", endpoints[0].line, endpoints[0].text)


def _service_ports(root: Node, draft: Draft) -> list[dict[str, Any]]:
    """``Port: grpc  80/TCP``, each followed by ``TargetPort: 8080/TCP`` and ``NodePort: …``."""
    ports: list[dict[str, Any]] = []
    for node in root.children:
        found = re.search(r"(?:(\S+)\s+)?(\d+)/(TCP|UDP|SCTP)", node.value) if node.key in ("Port", "NodePort") else None
        if node.key == "Port" and found:
            name = found[1] if found[1] not in (None, "<unset>", "<unnamed>") else None
            ports.append({"name": name, "port": int(found[2]), "protocol": found[3]})
            draft.prove(f"spec.ports.{found[2]}", node.line, node.text)
        elif node.key == "NodePort" and found and ports:
            ports[-1]["nodePort"] = int(found[2])
        elif node.key == "TargetPort" and ports:
            target = node.value.partition("/")[0]
            ports[-1]["targetPort"] = int(target) if target.isdigit() else target
            draft.prove(f"spec.ports.{ports[-1]['port']}.targetPort", node.line, node.text)
    return ports


def _endpoints(root: Node, draft: Draft) -> None:
    subsets: list[dict[str, Any]] = []
    for node in (child for section in root.children if section.key == "Subsets" for child in section.children):
        if node.key == "Addresses":
            subsets.append({"addresses": _addresses(node.value), "ports": []})
            draft.prove("subsets", node.line, node.text)
        elif subsets and node.key == "NotReadyAddresses":
            subsets[-1]["notReadyAddresses"] = _addresses(node.value)
        elif subsets and node.key == "Ports":
            for row in node.children:
                found = re.match(r"(\S+)\s+(\d+)\s+(TCP|UDP|SCTP)", row.text)
                if found:
                    subsets[-1]["ports"].append({"name": found[1], "port": int(found[2]), "protocol": found[3]})
    draft.data["subsets"] = subsets


def _addresses(text: str) -> list[dict[str, str]]:
    return [{"ip": part.strip()} for part in text.split(",") if part.strip() and part.strip() != "<none>"]


def _claim(root: Node, draft: Draft) -> None:
    data = draft.data
    storage_class = root.child("StorageClass")
    if storage_class:
        put(data, "spec.storageClassName", storage_class.value)
        draft.prove("spec.storageClassName", storage_class.line, storage_class.text)
    status = root.child("Status")
    if status:
        put(data, "status.phase", status.value.split()[0] if status.value else None)
        draft.prove("status.phase", status.line, status.text)
    if root.value_of("Volume"):
        put(data, "spec.volumeName", root.value_of("Volume"))
    if root.value_of("Capacity"):
        put(data, "status.capacity", {"storage": root.value_of("Capacity")})
    used = root.child("Used By", "Mounted By")
    if used:
        put(data, "status.usedBy", [text for text, _ in used.items()])


_MODES = {"RWO": "ReadWriteOnce", "ROX": "ReadOnlyMany", "RWX": "ReadWriteMany", "RWOP": "ReadWriteOncePod"}


def access_modes(text: str) -> list[str]:
    """``RWO,RWX`` or full names as the API's names."""
    return [_MODES.get(part.strip(), part.strip()) for part in re.split(r"[,\s]+", text.strip("[]")) if part.strip()]


def _volume(root: Node, draft: Draft) -> None:
    data = draft.data
    claim = root.value_of("Claim")
    if "/" in claim:
        namespace, _, name = claim.partition("/")
        put(data, "spec.claimRef", {"name": name, "namespace": namespace})
    for key, path in (("StorageClass", "spec.storageClassName"), ("Status", "status.phase"), ("Message", "status.message")):
        node = root.child(key)
        if node:
            put(data, path, node.value)
            draft.prove(path, node.line, node.text)
    if root.value_of("Capacity"):
        put(data, "spec.capacity", {"storage": root.value_of("Capacity")})
    if root.value_of("Access Modes"):
        put(data, "spec.accessModes", access_modes(root.value_of("Access Modes")))
    terms = [
        {
            "key": key,
            "operator": {"in": "In", "notin": "NotIn"}[op.replace(" ", "")],
            "values": re.split(r"[,\s]+", values.strip()),
        }
        for node in root.walk()
        for key, op, values in re.findall(r"([\w./-]+) (in|not in) \[([^\]]*)\]", node.text)
    ]
    if terms:
        put(data, "spec.nodeAffinity.required.nodeSelectorTerms", [{"matchExpressions": terms}])


def _storage_class(root: Node, draft: Draft) -> None:
    draft.data["provisioner"] = root.value_of("Provisioner")
    draft.data["volumeBindingMode"] = root.value_of("VolumeBindingMode") or None


def _quota(root: Node, draft: Draft) -> None:
    hard, used = _quota_rows(root.children, draft)
    put(draft.data, "status.hard", hard)
    put(draft.data, "status.used", used)


def _quota_rows(nodes: Sequence[Node], draft: Draft) -> tuple[dict[str, str], dict[str, str]]:
    hard, used = {}, {}
    for node in nodes:
        found = re.match(r"([a-z][\w./-]*)\s+(\d\S*)\s+(\d\S*)$", node.text)
        if found:
            used[found[1]], hard[found[1]] = found[2], found[3]
            draft.prove(f"status.used.{found[1]}", node.line, node.text)
    return hard, used


def _namespace_quotas(top: list[Node], document: Document) -> Iterator[Draft]:
    """``Resource Quotas`` inside ``describe namespace``, one draft each."""
    root = Node("", "", "", document.first_line, -1, top)
    section = next((node for node in top if node.text.rstrip(":") == "Resource Quotas"), None)
    rows: list[Node] = []
    name = ""
    for node in [*(section.children if section else []), Node("", "Name", "", 0, 0)]:
        if node.key == "Name":
            if name:
                draft = Draft("ResourceQuota", name, root.value_of("Name") or None, Detail.DESCRIBE, {"metadata": {}}, document)
                hard, used = _quota_rows(rows, draft)
                put(draft.data, "status", {"hard": hard, "used": used})
                yield draft
            name, rows = node.value, []
        else:
            rows.append(node)


def _node(root: Node, draft: Draft) -> None:
    data = draft.data
    unschedulable = root.child("Unschedulable")
    if unschedulable:
        put(data, "spec.unschedulable", unschedulable.value == "true")
        draft.prove("spec.unschedulable", unschedulable.line, unschedulable.text)
    taints = root.child("Taints")
    if taints:
        put(data, "spec.taints", [taint_of(text) for text, _ in taints.items()])
        draft.prove("spec.taints", taints.line, taints.text)
    put(data, "status.conditions", conditions_of(root.child("Conditions"), draft))
    for section, path in (("Allocatable", "status.allocatable"), ("Capacity", "status.capacity")):
        node = root.child(section)
        if node:
            put(data, path, {row.key: row.value for row in node.children})
            draft.prove(path, node.line, " ".join([node.text, *(row.text for row in node.children[:6])]))
    addresses = root.child("Addresses")
    if addresses:
        put(data, "status.addresses", [{"type": row.key, "address": row.value} for row in addresses.children])
    info = root.child("System Info")
    if info:
        put(data, "status.nodeInfo", {
            "kubeletVersion": info.value_of("Kubelet Version"),
            "containerRuntimeVersion": info.value_of("Container Runtime Version"),
            "kernelVersion": info.value_of("Kernel Version"),
        })  # fmt: skip
    if root.value_of("PodCIDR"):
        put(data, "spec.podCIDR", root.value_of("PodCIDR"))
    _node_usage(root, draft)


def _node_usage(root: Node, draft: Draft) -> None:
    bound = re.search(r"\((\d+) in total\)", root.value_of("Non-terminated Pods"))
    if bound:
        put(draft.data, "status.podsBound", int(bound[1]))
    requested = {}
    allocated = root.child("Allocated resources")
    for row in allocated.children if allocated else []:
        found = re.match(r"([a-z][\w./-]*)\s+(\d\w*)\s+\(\d+%\)|([a-z][\w./-]*)\s+(\d\w*)\s+\d", row.text)
        if found:
            requested[found[1] or found[3]] = found[2] or found[4]
            draft.prove(f"status.requested.{found[1] or found[3]}", row.line, row.text)
    if requested:
        put(draft.data, "status.requested", requested)


def taint_of(text: str) -> dict[str, str | None]:
    """``key=value:NoSchedule`` or ``key:NoSchedule`` as a taint."""
    body, _, effect = text.strip().rpartition(":")
    key, _, value = body.partition("=")
    return {"key": key, "value": value or None, "effect": effect}


def _ingress(root: Node, draft: Draft) -> None:
    put(
        draft.data,
        "spec.ingressClassName",
        root.value_of("Ingress Class") if root.value_of("Ingress Class") != "<none>" else None,
    )
    rules: list[dict[str, Any]] = []
    section = root.child("Rules")
    for node in section.walk() if section else []:
        found = re.match(r"(?:(\S+)\s+)?(/\S*)\s+([\w.-]+):(\S+)\s*\((.*)\)$", node.text)
        if found:
            port: dict[str, Any] = {"number": int(found[4])} if found[4].isdigit() else {"name": found[4]}
            backend = {"service": {"name": found[3], "port": port}}
            rules.append({"host": found[1], "http": {"paths": [{"path": found[2], "backend": backend}]}})
            draft.prove(f"spec.rules.{found[3]}", node.line, node.text)
    put(draft.data, "spec.rules", rules)
    tls = root.child("TLS")
    names = [row.text.split()[0] for row in tls.children if " terminates " in f"{row.text} "] if tls else []
    put(draft.data, "spec.tls", [{"secretName": name} for name in names])


def _pod(root: Node, draft: Draft) -> None:
    pod_fields(root, draft)
    found = conditions_of(root.child("Conditions"), draft)
    if found:
        put(draft.data, "status.conditions", found)
    lasts = re.search(r"Terminating \(lasts ([^)]+)\)", root.value_of("Status"))
    if lasts:
        put(draft.data, "status.age", duration(lasts[1]))


def _secret(root: Node, draft: Draft) -> None:
    draft.data.pop("data", None)  # the names of the keys would do no harm, but nothing needs them


_READERS: dict[str, Callable[[Node, Draft], None]] = {
    "Pod": _pod,
    "Deployment": _workload,
    "ReplicaSet": _workload,
    "StatefulSet": _workload,
    "DaemonSet": _workload,
    "ReplicationController": _workload,
    "Job": _workload,
    "CronJob": _workload,
    "Service": _service,
    "Endpoints": _endpoints,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _volume,
    "StorageClass": _storage_class,
    "ResourceQuota": _quota,
    "Node": _node,
    "Ingress": _ingress,
    "Secret": _secret,
}
