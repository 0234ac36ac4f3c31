"""Screens nodes, events and other objects of saved lists as they pass; what is kept is kept small."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kubecause.evidence.screened_pods import Clock, Kept

_KEPT_BYTES = 192 * 1024 * 1024  # of events, and of all other objects
# Taints that the cluster sets where something is wrong: kubernetes.io "Taints and Tolerations".
_TROUBLE = re.compile(rb'"key"\s*:\s*"node\.(?:kubernetes\.io|cloudprovider\.kubernetes\.io)/')


# --- nodes ------------------------------------------------------------------------------------------------


class _NodeSpec(msgspec.Struct, omit_defaults=True, frozen=True, gc=False, rename="camel"):
    pod_cidr: str | None = msgspec.field(default=None, name="podCIDR")
    provider_id: str | None = msgspec.field(default=None, name="providerID")
    unschedulable: bool = False
    taints: msgspec.Raw = msgspec.Raw()


class _NodeStatus(msgspec.Struct, omit_defaults=True, frozen=True, gc=False, rename="camel"):
    capacity: msgspec.Raw = msgspec.Raw()
    allocatable: msgspec.Raw = msgspec.Raw()
    conditions: msgspec.Raw = msgspec.Raw()
    addresses: msgspec.Raw = msgspec.Raw()
    node_info: msgspec.Raw = msgspec.Raw()
    volumes_in_use: msgspec.Raw = msgspec.Raw()
    volumes_attached: msgspec.Raw = msgspec.Raw()


class _NodeMeta(msgspec.Struct, omit_defaults=True, frozen=True, gc=False, rename="camel"):
    name: str = ""
    uid: str = ""
    labels: msgspec.Raw = msgspec.Raw()
    annotations: msgspec.Raw = msgspec.Raw()
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None


class _Node(msgspec.Struct, omit_defaults=True, frozen=True, gc=False, rename="camel"):
    """A node without the list of its images, which is nine tenths of it."""

    kind: str = ""
    metadata: _NodeMeta = _NodeMeta()
    spec: _NodeSpec = _NodeSpec()
    status: _NodeStatus = _NodeStatus()


class _NodeCondition(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    type: str = ""
    status: str = ""
    last_heartbeat_time: str | None = None


_node = msgspec.json.Decoder(_Node)
_node_conditions = msgspec.json.Decoder(list[_NodeCondition])


class NodeScreen:
    """All nodes, small; which of them are broken."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.nodes: dict[str, Kept] = {}
        self.broken: set[str] = set()

    def take(self, raw: msgspec.Raw, source: str, line: int) -> str | None:
        """Keep a node."""
        node = _node.decode(raw)
        if node.kind not in ("", "Node"):
            return node.kind
        conditions = _node_conditions.decode(node.status.conditions) if bytes(node.status.conditions) else []
        for condition in conditions:
            self._clock.saw(condition.last_heartbeat_time)
        fine = all((each.status == "True") == (each.type == "Ready") for each in conditions)
        if not fine or node.spec.unschedulable or _TROUBLE.search(bytes(node.spec.taints)):
            self.broken.add(node.metadata.name)
        self.nodes[node.metadata.name] = Kept(source, line, msgspec.json.encode(node))
        return None


# --- events -----------------------------------------------------------------------------------------------


class _EventMeta(msgspec.Struct, omit_defaults=True, frozen=True, gc=False, rename="camel"):
    name: str = ""
    namespace: str | None = None
    creation_timestamp: str | None = None


class _Event(msgspec.Struct, omit_defaults=True, frozen=True, gc=False, rename="camel"):
    """An event of either group (v1, events.k8s.io/v1), without what nobody reads."""

    kind: str = ""
    type: str = ""
    metadata: _EventMeta = _EventMeta()
    reason: str | None = None
    message: str | None = None
    note: str | None = None
    involved_object: msgspec.Raw = msgspec.Raw()
    regarding: msgspec.Raw = msgspec.Raw()
    source: msgspec.Raw = msgspec.Raw()
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    count: int | None = None
    deprecated_count: int | None = None
    series: msgspec.Raw = msgspec.Raw()
    reporting_component: str | None = None
    reporting_controller: str | None = None


_event = msgspec.json.Decoder(_Event)


class EventScreen(msgspec.Struct):
    """Warnings, small; whether they matter is known once the pods are."""

    clock: Clock
    warnings: list[Kept] = msgspec.field(default_factory=list)
    dropped: int = 0
    _size: int = 0

    def take(self, raw: msgspec.Raw, source: str, line: int) -> str | None:
        """Keep a warning."""
        event = _event.decode(raw)
        if event.kind not in ("", "Event"):
            return event.kind
        self.clock.saw(event.last_timestamp or event.event_time or event.metadata.creation_timestamp)
        if event.type == "Warning":
            data = msgspec.json.encode(event)
            self._size += len(data)
            if self._size > _KEPT_BYTES:
                self.dropped += 1
            else:
                self.warnings.append(Kept(source, line, data))
        return None


# --- other kinds ------------------------------------------------------------------------------------------


class _Named(msgspec.Struct):
    kind: str = ""


_named = msgspec.json.Decoder(_Named)


class OtherObjects(msgspec.Struct):
    """Objects of other kinds, as they are, by kind; few as a rule."""

    kept: dict[str, list[Kept]] = msgspec.field(default_factory=dict)
    dropped: dict[str, int] = msgspec.field(default_factory=dict)
    _size: int = 0

    def take(self, raw: msgspec.Raw, kind: str, source: str, line: int) -> str | None:
        """Keep an object; returns the kind it names, where that is another."""
        named = _named.decode(raw).kind
        if named not in ("", kind):
            return named
        self.keep(kind, Kept(source, line, bytes(raw)))
        return None

    def keep(self, kind: str, kept: Kept) -> None:
        """Keep the bytes of an object, while there is room."""
        self._size += len(kept.data)
        if self._size > _KEPT_BYTES:
            self.dropped[kind] = self.dropped.get(kind, 0) + 1
        else:
            self.kept.setdefault(kind, []).append(kept)

    def rename(self, before: str, kind: str, source: str) -> None:
        """Give the objects of a list its kind, which stood behind them."""
        waiting = [each for each in self.kept.get(before, ()) if each.source == source]
        self.kept[before] = [each for each in self.kept.get(before, ()) if each.source != source]
        self.kept.setdefault(kind, []).extend(waiting)

    def __iter__(self) -> Iterator[tuple[str, list[Kept]]]:
        return iter(sorted(self.kept.items()))
