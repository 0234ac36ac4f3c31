"""Objects as YAML and JSON."""

import json
from typing import Any

from kubecause.facts.records import Workload
from kubecause.facts.records_pod import Pod


def test_json_documents_without_a_separator(read: Any) -> None:
    """``cluster-info dump`` prints lists one after the other, items without a kind."""
    pods = {"kind": "PodList", "items": [{"metadata": {"name": "a", "namespace": "x"}, "status": {"phase": "Running"}}]}
    nodes = {
        "kind": "NodeList",
        "items": [{"metadata": {"name": "n1"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}],
    }
    store, _ = read(json.dumps(nodes, indent=4) + json.dumps(pods, indent=4))

    assert [("Node", "n1"), ("Pod", "a")] == sorted((e.kind, e.name) for e in store.things)


def test_cut_yaml_keeps_its_head(read: Any) -> None:
    """An object whose tail is damaged is read as far as it goes."""
    store, _ = read(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: x\nspec:\n  nodeName: n1\n  containers:\n  - name: 'broken\n"
    )

    assert ["n1"] == [pod.spec.node_name for _, pod in store.records("Pod", Pod)]


def test_field_of_a_wrong_type_is_left_out(read: Any) -> None:
    """A field that does not fit the API is dropped and noted; the rest stays."""
    store, _ = read(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: x}\nspec:\n  replicas: many\n  paused: true\n"
    )
    [(_, workload)] = store.records("Deployment", Workload)

    assert (None, True, 1) == (workload.spec.replicas, workload.spec.paused, len(store.gaps))


def test_manifest_fills_what_describe_does_not_print(read: Any) -> None:
    """Affinity comes from the manifest, state from the cluster; the object is one."""
    store, _ = read(
        "$ kubectl describe deployment web -n shop\nName: web\nNamespace: shop\nReplicas: 1 desired | 1 updated | 1 total | 0 available | 1 unavailable\nStrategyType: RollingUpdate\n",
        manifests__web="apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {template: {spec: {nodeSelector: {disk: ssd}}}}\n",
    )
    [(thing, workload)] = store.records("Deployment", Workload)

    assert ({"disk": "ssd"}, 0, True) == (
        workload.spec.template.spec.node_selector,
        workload.status.available_replicas,
        thing.live,
    )


def test_json_event_knows_its_object(read: Any) -> None:
    """Events of the API join the object they are about."""
    event = {
        "kind": "Event",
        "type": "Warning",
        "reason": "FailedMount",
        "message": "MountVolume.SetUp failed",
        "involvedObject": {"kind": "Pod", "name": "a", "namespace": "x"},
        "count": 4,
    }
    store, _ = read(json.dumps({"kind": "List", "items": [event]}))
    [line] = [fact for fact in store.facts["line"] if fact["reason"] == "FailedMount"]

    assert ("Pod", "x", "a", 4) == (line.entity.kind, line.entity.namespace, line.entity.name, line["count"])


def test_what_the_server_has_marked_for_deletion_is_no_mere_manifest(read: Any) -> None:
    """Nobody writes a time of deletion into a file; the status may have been left out of the paste."""
    store, _ = read(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: x\n"
        "  deletionTimestamp: '2026-01-02T03:04:05Z'\n  finalizers: [example.com/held]\nspec: {}\n"
    )

    assert ["example.com/held"] == [fact["finalizers"] for fact in store.facts["pod.status"]]
