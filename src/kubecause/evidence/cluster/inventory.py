"""The objects that were read of a cluster, found by their names and by their labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress

import msgspec

from kubecause.evidence.cluster.listed import Found, item_of, record_of
from kubecause.evidence.cluster.requests import Item

Place = tuple[str | None, str]  # namespace and name
_WITH_PODS = ("Deployment", "StatefulSet", "DaemonSet")


class _SliceMetadata(msgspec.Struct):
    namespace: str | None = None
    labels: dict[str, str] | None = None


class _Conditions(msgspec.Struct):
    ready: bool | None = None


class _Endpoint(msgspec.Struct):
    conditions: _Conditions | None = None


class _Slice(msgspec.Struct):
    """The part of an EndpointSlice that tells whether its Service has an endpoint."""

    metadata: _SliceMetadata = msgspec.field(default_factory=_SliceMetadata)
    endpoints: list[_Endpoint] | None = None


class _TemplateMetadata(msgspec.Struct):
    labels: dict[str, str] | None = None


class _Template(msgspec.Struct):
    metadata: _TemplateMetadata | None = None


class _TemplateSpec(msgspec.Struct):
    template: _Template | None = None


class _Workload(msgspec.Struct):
    """The part of a workload that tells which labels its pods carry."""

    spec: _TemplateSpec | None = None


class Inventory:
    """Objects by kind, namespace and name."""

    def __init__(self) -> None:
        self._items: dict[str, dict[Place, Found]] = defaultdict(dict)
        self._with_pods: dict[str | None, dict[tuple[str, str], Found]] = defaultdict(dict)  # by namespace: kind and name
        self._pods: dict[str | None, dict[str, Found]] = defaultdict(dict)  # by namespace
        self._labels: dict[tuple[str | None, str, str], Mapping[str, str]] = {}

    def add(self, kind: str, found: Found, place: Place) -> None:
        """Keep an object; a later one of the same name takes its place."""
        self._items[kind][place] = found
        if kind in _WITH_PODS:
            self._with_pods[place[0]][kind, place[1]] = found
        if kind == "Pod":
            self._pods[place[0]][place[1]] = found

    def has(self, kind: str, namespace: str | None, name: str | None) -> bool:
        """True when such an object was read."""
        return (namespace, name) in self._items[kind]

    def item(self, kind: str, namespace: str | None, name: str) -> Item | None:
        """An object that was read, as a document holds it."""
        found = self._items[kind].get((namespace, name))
        return None if found is None else item_of(found)

    def pods(self) -> Iterator[tuple[str, str]]:
        """Namespace and name of every pod read in full."""
        return ((namespace or "", name) for namespace, name in self._items["Pod"])

    def selected(self, workload: Item) -> list[Item]:
        """The pods read so far that a workload selects."""
        labels = ((workload.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
        namespace = workload["metadata"].get("namespace")
        pods = self._pods[namespace].items() if labels else ()
        return [item_of(found) for name, found in pods if labels.items() <= self._labels_of_pod(namespace, name, found).items()]

    def _labels_of_pod(self, namespace: str | None, name: str, found: Found) -> Mapping[str, str]:
        key = (namespace, "Pod", name)
        if key not in self._labels:
            self._labels[key] = item_of(found)["metadata"].get("labels") or {}
        return self._labels[key]

    def services_without_endpoints(self) -> list[Item]:
        """Services that select pods, none of which is ready."""
        served = self._served()
        items = [item_of(found) for place, found in self._items["Service"].items() if place not in served]
        return [item for item in items if (item.get("spec") or {}).get("selector")]

    def owners_of_labels(self, namespace: str | None, labels: Mapping[str, str]) -> Iterator[str]:
        """The names of the workloads of a namespace whose pods carry some labels."""
        for (kind, name), found in self._with_pods[namespace].items():
            key = (namespace, kind, name)
            if key not in self._labels:
                self._labels[key] = _labels_of_pods(found)
            if labels.items() <= self._labels[key].items():
                yield name

    def _served(self) -> set[Place]:
        """The Services with a ready endpoint; what nobody states counts as ready (discovery/v1)."""
        served: set[Place] = set()
        for found in self._items["EndpointSlice"].values():
            with suppress(msgspec.ValidationError):
                each = record_of(found, _Slice)
                endpoints = each.endpoints or ()
                if any(endpoint.conditions is None or endpoint.conditions.ready is not False for endpoint in endpoints):
                    served.add((each.metadata.namespace, (each.metadata.labels or {}).get("kubernetes.io/service-name", "")))
        return served


def _labels_of_pods(workload: Found) -> Mapping[str, str]:
    with suppress(msgspec.ValidationError):
        spec = record_of(workload, _Workload).spec
        if spec and spec.template and spec.template.metadata:
            return spec.template.metadata.labels or {}
    return {}
