"""Triage: which rows of a table are broken, and which of many alike stand for the others.

Tables are computed by the server and cost a fiftieth of the objects; what is healthy leaves no document.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from kubecause.evidence.cluster.requests import SYSTEM_NAMESPACE, WARNINGS, Request

Cells = Mapping[str, str]  # column, upper case → cell

# Kinds whose faults leave everything green, or that are few: read in full. Sources: design.md "Rounds".
FULL_KINDS = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "Service",
    "EndpointSlice",
    "Ingress",
    "NetworkPolicy",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "PersistentVolumeClaim",
    "ResourceQuota",
    "LimitRange",
)

# Of a namespace that nobody asked about: what keeps its pods from others although all that run are well, or keeps them away.
NEIGHBOUR_KINDS = ("Deployment", "DaemonSet", "Service", "EndpointSlice", "NetworkPolicy")

POD_COLUMNS = ("NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE")  # of what is handed over as rows

_FINE = frozenset({"Running", "Completed", "Succeeded"})
_RESTARTS = re.compile(r"(\d+)(?:\s+\((\S+) ago\))?")
_AGE = re.compile(r"(\d+)([smhdy])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 31_536_000}
RECENT = 1800.0  # seconds; older restarts have healed
_BY_PLACE = frozenset({"ContainerCreating", "PodInitializing", "Unknown", "Terminating", "ContainerStatusUnknown", "NodeLost"})
_PLACES = 3  # nodes looked at for one state of one owner
_POD_SUFFIX = re.compile(r"-(?:[bcdfghjklmnpqrstvwxz2456789]{5}|\d+)$")  # the API server's safe alphabet, or an ordinal
_VARIES = re.compile(r"[0-9a-f]{8}[0-9a-f-]*|\d+|\"[^\"]*\"")
_ALIKE = 4  # warnings kept of the same reason and wording in one namespace


class PodRow(msgspec.Struct, frozen=True):
    """A row of ``kubectl get pods -o wide`` that is not healthy."""

    namespace: str
    name: str
    cells: Cells

    @property
    def status(self) -> str:
        """What kubectl prints under STATUS."""
        return self.cells.get("STATUS", "")

    @property
    def node(self) -> str:
        """Name of its node, or ``<none>``."""
        return self.cells.get("NODE", "")

    @property
    def owner(self) -> str:
        """The name its siblings share: that of its ReplicaSet, StatefulSet, DaemonSet or Job."""
        return _POD_SUFFIX.sub("", self.name)


def cells_of(columns: Sequence[str], row: Sequence[Any]) -> dict[str, str]:
    """A row of a table of the server's, as text by column."""
    return {column: "" if cell is None else str(cell) for column, cell in zip(columns, row, strict=False)}


def pod_rows(namespace: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[PodRow]:
    """The rows of a table of pods without those that plainly run, which in a large cluster are nearly all.

    :param columns: in upper case.
    """
    places = [columns.index(name) if name in columns else None for name in ("STATUS", "RESTARTS", "READY")]
    if None not in places:
        status, restarts, ready = (place or 0 for place in places)
        rows = [row for row in rows if len(row) < len(columns) or not _plainly_runs(row, status, restarts, ready)]
    found = [cells_of(columns, row) for row in rows]
    return [PodRow(namespace, cells.get("NAME", ""), cells) for cells in found]


def _plainly_runs(row: Sequence[Any], status: int, restarts: int, ready: int) -> bool:
    return row[status] == "Running" and row[restarts] in ("0", 0) and _all_ready(str(row[ready]))


@lru_cache(maxsize=64)
def _all_ready(cell: str) -> bool:
    are, _, wanted = cell.partition("/")
    return are == wanted


def is_broken(cells: Cells) -> bool:
    """True when a pod's row shows trouble: a bad status, not all ready, or restarts in the last half hour.

    >>> is_broken({"READY": "1/1", "STATUS": "Running", "RESTARTS": "0"})
    False
    >>> is_broken({"READY": "1/1", "STATUS": "Running", "RESTARTS": "3 (2m ago)"})
    True
    """
    status = cells.get("STATUS", "")
    if status not in _FINE:
        return True
    if status == "Running":
        ready, _, wanted = cells.get("READY", "").partition("/")
        if ready != wanted:
            return True
    found = _RESTARTS.match(cells.get("RESTARTS", ""))
    if not found or found[1] == "0" or status != "Running":
        return False
    quiet = seconds(found[2])
    return quiet is None or quiet < RECENT


def seconds(age: str | None) -> float | None:
    """An age as kubectl prints it, in seconds.

    >>> seconds("4m5s")
    245.0
    """
    parts = _AGE.findall(age or "")
    return float(sum(int(number) * _SECONDS[unit] for number, unit in parts)) if parts else None


def representatives(rows: Iterable[PodRow]) -> list[PodRow]:
    """One pod for each owner and state; where the node may be the reason, one for each of a few nodes."""
    return [row for chosen, _ in representatives_by_width(rows) for row in chosen]


def representatives_by_width(rows: Iterable[PodRow]) -> list[tuple[list[PodRow], int]]:
    """The representatives of each owner and state, and how many pods they stand for."""
    groups: dict[tuple[str, str, str, str], list[PodRow]] = defaultdict(list)
    for row in rows:
        groups[row.namespace, row.owner, row.status, row.cells.get("READY", "")].append(row)
    found: list[tuple[list[PodRow], int]] = []
    for (_, _, status, _), members in sorted(groups.items()):
        members.sort(key=lambda row: row.name)
        if status in _BY_PLACE:
            nodes = {row.node: row for row in reversed(members)}
            found.append(([nodes[node] for node in sorted(nodes)][:_PLACES], len(members)))
        else:
            found.append((members[:1], len(members)))
    return found


def telling_events(items: Iterable[Mapping[str, Any]], subjects: set[tuple[str, str]]) -> Iterator[Mapping[str, Any]]:
    """Warnings about the given pods, and the first few of each wording about everything else.

    :param subjects: namespace and name of the pods that are looked at.
    """
    kept: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for item in items:
        about = item.get("involvedObject") or item.get("regarding") or {}
        namespace, name = str(about.get("namespace") or ""), str(about.get("name") or "")
        if (namespace, name) in subjects:
            yield item
            continue
        text = str(item.get("message") or item.get("note") or "")
        message = _VARIES.sub("#", text.replace(name, "#") if name else text)[:200]
        key = (namespace, str(about.get("kind") or ""), str(item.get("reason") or ""), message)
        kept[key] += 1
        if kept[key] <= _ALIKE:
            yield item


def last_seen(event: Mapping[str, Any]) -> str:
    """When an event was last seen; times of the API sort as text."""
    series = event.get("series") or {}
    return str(event.get("lastTimestamp") or series.get("lastObservedTime") or event.get("eventTime") or "")


def neighbour_of(namespace: str) -> tuple[Request, list[Request]]:
    """The triage of a namespace that nobody asked about: its pods, then what is asked once these may be listed."""
    lists = [Request("list", kind, namespace) for kind in NEIGHBOUR_KINDS]
    return Request("table", "Pod", namespace), [*lists, Request("list", "Event", namespace, fields=WARNINGS)]


def screen_of(namespace: str | None) -> list[Request]:
    """The triage of a namespace; of the whole cluster with None, where pods are then asked for in each namespace."""
    lists = [*(Request("list", kind, namespace) for kind in FULL_KINDS), Request("list", "Event", namespace, fields=WARNINGS)]
    if namespace:
        return [Request("get", "Namespace", name=namespace), *lists, Request("table", "Pod", namespace)]
    grants = [Request("list", kind) for kind in ("ClusterRoleBinding", "RoleBinding")]
    system = [Request("list", "Lease", SYSTEM_NAMESPACE), *grants]
    return [Request("table", kind) for kind in ("Namespace", "Node", "APIService")] + lists + system
