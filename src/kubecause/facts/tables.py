"""``kubectl get`` tables of any kind, wide or not, with ``-A``, ``--show-labels``, old and new columns.

::

    NAME      READY   STATUS    RESTARTS       AGE    IP             NODE
    web-0     1/2     Running   4 (75s ago)    5m5s   172.20.2.121   worker-02

Cells are found by the columns of the header, because cells may hold blanks or be empty; rows that do not follow the
header (pasted without it, re-wrapped) fall back to splitting at two or more blanks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kubecause.facts.describe import kind_of_word
from kubecause.facts.describe_storage import access_modes
from kubecause.facts.drafts import Detail, Draft, put
from kubecause.facts.event_rows import EventRow, event_row
from kubecause.facts.quantities import duration
from kubecause.model import Document

Row = dict[str, str]

HEADER = re.compile(r"\s{0,40}(?:NAMESPACE|NAME|LAST SEEN|CONTAINER ID|POD ID|CLASS)\s{1,200}[A-Z].*$")
_COLUMN = re.compile(r"\S+(?: \S+)*")

# Columns that only one kind prints.
_KIND_BY_COLUMNS: tuple[tuple[str, frozenset[str]], ...] = (
    ("Pod", frozenset({"READY", "STATUS", "RESTARTS"})),
    ("Node", frozenset({"STATUS", "ROLES", "VERSION"})),
    ("Service", frozenset({"TYPE", "CLUSTER-IP"})),
    ("DaemonSet", frozenset({"DESIRED", "NODE SELECTOR"})),
    ("Deployment", frozenset({"UP-TO-DATE", "AVAILABLE"})),
    ("ReplicaSet", frozenset({"DESIRED", "CURRENT", "READY"})),
    ("PersistentVolume", frozenset({"RECLAIM POLICY"})),
    ("PersistentVolumeClaim", frozenset({"STATUS", "VOLUME", "CAPACITY"})),
    ("StorageClass", frozenset({"PROVISIONER"})),
    ("Endpoints", frozenset({"ENDPOINTS"})),
    ("Ingress", frozenset({"HOSTS", "PORTS"})),
    ("CronJob", frozenset({"SCHEDULE", "SUSPEND"})),
    ("Job", frozenset({"COMPLETIONS", "DURATION"})),
    ("HorizontalPodAutoscaler", frozenset({"REFERENCE", "TARGETS"})),
    ("ComponentStatus", frozenset({"MESSAGE", "ERROR", "STATUS"})),
    ("ResourceQuota", frozenset({"REQUEST"})),
    ("StatefulSet", frozenset({"READY", "CONTAINERS"})),
)


def header_columns(line: str) -> list[tuple[str, int]] | None:
    """Names and start positions of a table header; None when the line is none."""
    if not HEADER.match(line):
        return None
    columns = [(found[0], found.start()) for found in re.finditer(r"\S+(?: [A-Z(]\S*)*", line)]
    upper = [name for name, _ in columns if re.fullmatch(r"[A-Z][A-Z0-9 ()/%_.:-]*", name)]
    return columns if len(upper) == len(columns) and len(columns) > 1 else None


def split_row(line: str, columns: Sequence[tuple[str, int]]) -> Row:
    """Cells of a row by the header's columns, or by runs of blanks when the row does not follow them."""
    if all(start == 0 or line[start - 1 : start] in ("", " ") for _, start in columns):
        ends = [start for _, start in columns[1:]] + [len(line) + 1]
        return {name: line[start:end].strip() for (name, start), end in zip(columns, ends, strict=True)}
    cells = re.split(r"\s{2,}", line.strip())
    return dict(zip((name for name, _ in columns), cells, strict=False))


def parse_table(document: Document) -> Iterator[Draft | EventRow]:
    """Drafts of the rows of one or several tables, and events of ``get events``."""
    columns: list[tuple[str, int]] | None = None
    default_kind = _kind_of_command(document.command)
    names: set[str] = set()
    for offset, line in enumerate(document.lines):
        number = document.first_line + offset
        event = event_row(line, number)
        if event:
            yield event
            continue
        found = header_columns(line)
        if found:
            columns, names = found, {name for name, _ in found}
            continue
        if not line.strip():
            columns = None
            continue
        row = split_row(line, columns) if columns else _bare_row(line)
        draft = _draft(row, names if columns else set(), default_kind, document)
        if draft:
            draft.prove("row", number, line)
            yield draft


def _bare_row(line: str) -> Row:
    """A pod row without its header, as ``grep`` leaves it: ``web-0  0/1  Pending  0  5m``."""
    found = re.match(
        r"\s*(?:(?P<NAMESPACE>[a-z0-9-]+)\s+)?(?P<NAME>[a-z0-9][a-z0-9.-]*)\s+(?P<READY>\d+/\d+)\s+(?P<STATUS>[A-Z]\S*)\s+"
        r"(?P<RESTARTS>\d+(?: \([^)]*\))?)\s+(?P<AGE>\d\S*)(?:\s+(?P<IP>\S+)\s+(?P<NODE>\S+))?",
        line,
    )
    return {key: value for key, value in found.groupdict().items() if value} if found else {}


def bare_pod_row(line: str) -> bool:
    """True when a line looks like a row of ``kubectl get pods``."""
    return bool(_bare_row(line))


def _kind_of_command(command: str | None) -> str | None:
    found = re.search(r"\b(?:get|top)\s+(?:-\S+\s+(?:\S+\s+)?)*([A-Za-z.,/]+)", command or "")
    return kind_of_word(found[1].split("/")[0].split(",")[0]) if found else None


def _draft(row: Row, names: set[str], default_kind: str | None, document: Document) -> Draft | None:
    name = row.get("NAME", "")
    if not name or not re.fullmatch(r"[A-Za-z0-9][\w.:/@-]*", name):
        return None
    kind = default_kind
    if "/" in name:
        prefix, _, name = name.partition("/")
        kind = kind_of_word(prefix) or kind
    if names and (kind is None or kind not in _READERS):
        kind = next((k for k, columns in _KIND_BY_COLUMNS if columns <= names), kind)
    if not names and row.get("READY"):
        kind = "Pod"
    if kind is None:
        return None
    namespace = row.get("NAMESPACE") or document.hints.get("namespace")
    data: dict[str, Any] = {"metadata": {}}
    if row.get("LABELS") and row["LABELS"] != "<none>":
        data["metadata"]["labels"] = dict(part.partition("=")[::2] for part in row["LABELS"].split(",") if "=" in part)
    reader = _READERS.get(kind)
    if reader:
        reader({key: value for key, value in row.items() if value not in ("", "<none>", "<unset>")}, data)
    return Draft(kind, name, namespace, Detail.TABLE, data, document)


def _pod(row: Row, data: dict[str, Any]) -> None:
    status = row.get("STATUS", "")
    put(data, "status.printed", status)
    put(data, "status.readyText", row.get("READY"))
    phase = {
        "Completed": "Succeeded",
        "Running": "Running",
        "Error": "Failed",
        "Evicted": "Failed",
        "Unknown": "Unknown",
        "Pending": "Pending",
    }
    if status in phase:
        put(data, "status.phase", phase[status])
    if status in ("Evicted", "NodeLost"):
        put(data, "status.reason", status)
    if status == "Terminating":
        put(data, "metadata.deletionTimestamp", "set")
    found = re.match(r"(\d+)(?:\s+\(([^)]+?)(?: ago)?\))?", row.get("RESTARTS", ""))
    if found:
        put(data, "status.restarts", int(found[1]))
        put(data, "status.lastRestartAge", duration(found[2]))
    put(data, "status.age", duration(row.get("AGE")))
    if row.get("NODE"):
        put(data, "spec.nodeName", row["NODE"])
    if row.get("IP"):
        put(data, "status.podIP", row["IP"])


def _node(row: Row, data: dict[str, Any]) -> None:
    status = row.get("STATUS", "")
    put(data, "status.printed", status)
    put(data, "spec.unschedulable", "SchedulingDisabled" in status)
    ready = "False" if "NotReady" in status else "True" if "Ready" in status else "Unknown"
    put(data, "status.conditions", [{"type": "Ready", "status": ready}])
    for role in row.get("ROLES", "").split(","):
        if role in ("master", "control-plane"):
            data["metadata"].setdefault("labels", {})[f"node-role.kubernetes.io/{role}"] = ""
    put(data, "status.nodeInfo", {"kubeletVersion": row.get("VERSION"), "containerRuntimeVersion": row.get("CONTAINER-RUNTIME")})
    if row.get("INTERNAL-IP"):
        put(data, "status.addresses", [{"type": "InternalIP", "address": row["INTERNAL-IP"]}])


def _replicas(row: Row, data: dict[str, Any]) -> None:
    for column, path in (
        ("DESIRED", "spec.replicas"),
        ("CURRENT", "status.replicas"),
        ("AVAILABLE", "status.availableReplicas"),
        ("UP-TO-DATE", "status.updatedReplicas"),
    ):
        if row.get(column, "").isdigit():
            put(data, path, int(row[column]))
    ready = row.get("READY", "")
    if "/" in ready:
        have, _, want = ready.partition("/")
        if have.isdigit() and want.isdigit():
            put(data, "status.readyReplicas", int(have))
            put(data, "spec.replicas", int(want))
    elif ready.isdigit():
        put(data, "status.readyReplicas", int(ready))


def _daemon_set(row: Row, data: dict[str, Any]) -> None:
    if row.get("DESIRED", "").isdigit():
        put(data, "status.desiredNumberScheduled", int(row["DESIRED"]))
    if row.get("READY", "").isdigit():
        put(data, "status.numberReady", int(row["READY"]))


def _service(row: Row, data: dict[str, Any]) -> None:
    put(data, "spec.type", row.get("TYPE", "ClusterIP"))
    if row.get("CLUSTER-IP"):
        put(data, "spec.clusterIP", row["CLUSTER-IP"])
    put(data, "status.external", row.get("EXTERNAL-IP"))
    ports = []
    for port, node_port, protocol in re.findall(r"(\d+)(?::(\d+))?/(TCP|UDP|SCTP)", row.get("PORT(S)", "")):
        ports.append({"port": int(port), "protocol": protocol} | ({"nodePort": int(node_port)} if node_port else {}))
    put(data, "spec.ports", ports)
    if "SELECTOR" in row:
        put(data, "spec.selector", dict(part.partition("=")[::2] for part in row["SELECTOR"].split(",")))


def _claim(row: Row, data: dict[str, Any]) -> None:
    put(data, "status.phase", row.get("STATUS"))
    if row.get("VOLUME"):
        put(data, "spec.volumeName", row["VOLUME"])
    if row.get("CAPACITY"):
        put(data, "status.capacity", {"storage": row["CAPACITY"]})
    if row.get("STORAGECLASS"):
        put(data, "spec.storageClassName", row["STORAGECLASS"])


def _volume(row: Row, data: dict[str, Any]) -> None:
    put(data, "status.phase", row.get("STATUS"))
    put(data, "spec.capacity", {"storage": row.get("CAPACITY", "")})
    put(data, "spec.accessModes", access_modes(row.get("ACCESS MODES", "")))
    put(data, "spec.storageClassName", row.get("STORAGECLASS", ""))
    namespace, slash, name = row.get("CLAIM", "").partition("/")
    if slash:
        put(data, "spec.claimRef", {"name": name, "namespace": namespace})


def _storage_class(row: Row, data: dict[str, Any]) -> None:
    data["provisioner"] = row.get("PROVISIONER", "")
    data["volumeBindingMode"] = row.get("VOLUMEBINDINGMODE")


def _component_status(row: Row, data: dict[str, Any]) -> None:
    put(data, "status.phase", row.get("STATUS"))
    put(
        data,
        "status.conditions",
        [{"type": "Healthy", "status": str(row.get("STATUS") == "Healthy"), "message": row.get("MESSAGE", "")}],
    )


def _quota(row: Row, data: dict[str, Any]) -> None:
    """REQUEST and LIMIT columns: ``pods: 4/4, requests.cpu: 750m/1``."""
    hard, used = {}, {}
    for name, has, most in re.findall(r"([\w./-]+): (\w[\w.]*)/(\w[\w.]*)", f"{row.get('REQUEST', '')}, {row.get('LIMIT', '')}"):
        hard[name], used[name] = most, has
    put(data, "status", {"hard": hard, "used": used})


def _phase(row: Row, data: dict[str, Any]) -> None:
    put(data, "status.phase", row.get("STATUS"))


def _cron_job(row: Row, data: dict[str, Any]) -> None:
    put(data, "spec.suspend", row.get("SUSPEND") == "True")
    put(data, "spec.schedule", row.get("SCHEDULE"))


_READERS: dict[str, Callable[[Row, dict[str, Any]], None]] = {
    "Pod": _pod,
    "Node": _node,
    "Deployment": _replicas,
    "ReplicaSet": _replicas,
    "StatefulSet": _replicas,
    "ReplicationController": _replicas,
    "DaemonSet": _daemon_set,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _volume,
    "StorageClass": _storage_class,
    "ComponentStatus": _component_status,
    "ResourceQuota": _quota,
    "Namespace": _phase,
    "CronJob": _cron_job,
}
