"""What tells a dead node from one that is cut off, kubelets out of reach, and service addresses that lead nowhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kubecause.facts import Extraction
from kubecause.facts.joins import Joins
from kubecause.facts.paths import connected
from kubecause.facts.store import Store
from kubecause.knowledge import load_cases
from kubecause.match import SignalIndex
from kubecause.match.analyses import run_analyses
from kubecause.model import Channel, Document, Entity
from kubecause.pipeline import diagnose_documents

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
OLD = "2026-11-28T10:00:00Z"
DEAD = "2026/11/28 11:59:58 cannot connect: dial tcp 10.96.77.77:80: i/o timeout"


def pod(name: str, node: str, *, ready: bool = True, namespace: str = "shop") -> dict[str, Any]:
    """A pod of the DaemonSet ``agent``."""
    state = {"name": "app", "ready": ready, "restartCount": 0, "state": {"running": {"startedAt": OLD}}}
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": name,
            "creationTimestamp": OLD,
            "ownerReferences": [{"kind": "DaemonSet", "name": "agent"}],
        },
        "spec": {"nodeName": node, "containers": [{"name": "app", "image": "agent:1"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [state],
        },
    }


def agent(ready: int) -> dict[str, Any]:
    """A DaemonSet on two nodes."""
    return {
        "kind": "DaemonSet",
        "metadata": {"name": "agent", "namespace": "shop", "uid": "a"},
        "spec": {},
        "status": {"desiredNumberScheduled": 2, "numberReady": ready},
    }


def backend(*addresses: str) -> list[dict[str, Any]]:
    """A service and its ready endpoints."""
    spec = {"clusterIP": "10.96.77.77", "selector": {"app": "backend"}, "ports": [{"port": 80}]}
    labels = {"kubernetes.io/service-name": "backend"}
    slices = {
        "kind": "EndpointSlice",
        "metadata": {"name": "backend-x", "namespace": "shop", "uid": "x", "labels": labels},
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in addresses],
        "ports": [{"port": 8080}],
    }
    return [{"kind": "Service", "metadata": {"name": "backend", "namespace": "shop", "uid": "b"}, "spec": spec}, slices]


def log(name: str, *lines: str, channel: Channel = Channel.APP_LOG) -> Document:
    """The log of a pod's only container, read just then."""
    hints = {"namespace": "shop", "pod": name, "container": "app"}
    return Document(f"kubectl logs {name} -c app -n shop", "log", channel, list(lines), hints=hints, collected=NOW)


def reasoned(index: SignalIndex, items: list[dict[str, Any]], *documents: Document) -> tuple[Store, Joins]:
    """Store and joins after all analyses."""
    extraction = Extraction(index.filter)
    extraction.read(Document("kubectl get", "objects", Channel.STATUS, [json.dumps(item) for item in items], collected=NOW))
    for document in documents:
        extraction.read(document)
    store, joins = extraction.finish()
    run_analyses(store, joins)
    return store, joins


def test_a_kubelet_that_hands_out_a_log_is_alive(index: SignalIndex) -> None:
    """A log proves it, even an empty one; the error that stands for a log does not."""
    alive, _ = reasoned(index, [pod("agent-1", "n1")], log("agent-1"))
    silent, _ = reasoned(index, [pod("agent-1", "n1")], log("agent-1", "Error from server", channel=Channel.CLIENT))

    assert [fact.entity for fact in alive.facts["kubelet.answer"]] == [Entity("Node", "n1")]
    assert not silent.facts["kubelet.answer"]


def refused(name: str, address: str) -> Document:
    """What stands for a log that the API server could not get from the kubelet."""
    said = f'Error from server: Get "https://{address}:10250/containerLogs/shop/{name}/app": dial tcp {address}:10250: '
    return log(name, f"{said}connect: connection refused", channel=Channel.CLIENT)


def test_several_kubelets_out_of_reach_have_one_cause(index: SignalIndex) -> None:
    """Two make it likely and three sure; one alone, and one that answers, say nothing about the cluster."""
    pods = [pod(f"agent-{number}", f"n{number}") for number in range(4)]
    logs = [refused(f"agent-{number}", f"10.0.0.{number}") for number in range(4)]
    found = []
    for documents in (logs[:1], logs[:2], logs, [*logs[:3], log("agent-3", "fine")]):
        store, _ = reasoned(index, pods, *documents)
        found.append([(fact["count"], fact["several"], fact["nodes"]) for fact in store.facts["kubelets.unreachable"]])

    assert [[], [(2, False, "n0, n1")], [(4, True, "n0, n1, n2 … (4)")], []] == found


def test_kubelets_of_nodes_that_are_down_are_silent_for_their_own_reason(index: SignalIndex) -> None:
    """A node that is not ready does not count."""
    down = {
        "kind": "Node",
        "metadata": {"name": "n1", "uid": "n1"},
        "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]},
    }
    pods = [pod("agent-0", "n0"), pod("agent-1", "n1")]
    store, _ = reasoned(index, [*pods, down], refused("agent-0", "10.0.0.0"), refused("agent-1", "10.0.0.1"))

    assert not store.facts["kubelets.unreachable"]


def test_the_common_cause_heads_the_nodes() -> None:
    """Three kubelets out of reach are one diagnosis."""
    pods = [json.dumps(pod(f"agent-{number}", f"n{number}")) for number in range(3)]
    items = Document("kubectl get pods", "objects", Channel.STATUS, pods, collected=NOW)
    logs = [refused(f"agent-{number}", f"10.0.0.{number}") for number in range(3)]

    result = diagnose_documents([items, *logs], load_cases(), source=("cluster", "prod"))

    assert ["control-plane/kubelets-unreachable"] == [each.finding.fault for each in result.diagnoses]


@pytest.mark.parametrize(
    ("items", "elsewhere"),
    [
        ([agent(1), pod("agent-1", "n1", ready=False), *backend("10.244.2.3")], True),
        ([agent(0), pod("agent-1", "n1", ready=False), *backend("10.244.2.3")], False),
    ],
)
def test_a_service_that_one_node_does_not_reach(index: SignalIndex, items: list[dict[str, Any]], *, elsewhere: bool) -> None:
    """It counts when the same client is well on other nodes."""
    store, _ = reasoned(index, items, log("agent-1", DEAD))

    assert [(fact.entity.name, fact["service"], fact["elsewhere"]) for fact in store.facts["service.dead-from-node"]] == [
        ("n1", "backend", elsewhere)
    ]


def test_a_service_that_nobody_reaches_is_no_fault_of_a_node(index: SignalIndex) -> None:
    """Complaints from two nodes, or a service without endpoints, say nothing about one node."""
    two = [agent(0), pod("agent-1", "n1", ready=False), pod("agent-2", "n2", ready=False), *backend("10.244.2.3")]
    store, _ = reasoned(index, two, log("agent-1", DEAD), log("agent-2", DEAD))
    empty, _ = reasoned(index, [agent(1), pod("agent-1", "n1", ready=False), *backend()], log("agent-1", DEAD))

    assert not store.facts["service.dead-from-node"]
    assert not empty.facts["service.dead-from-node"]


def test_the_cluster_has_no_names_without_the_nodes_of_its_dns(index: SignalIndex) -> None:
    """A node is joined to the cluster where its DNS runs; so is whatever breaks the DNS pods themselves."""
    store, joins = reasoned(index, [pod("coredns-5d78c9869d-abcde", "n1", namespace="kube-system"), pod("agent-2", "n2")])
    cluster = Entity("Cluster", None)

    assert store.things
    assert connected(joins, Entity("Node", "n1"), cluster, "pod.node")
    assert not connected(joins, Entity("Node", "n2"), cluster, "pod.node")
    assert connected(joins, Entity("Deployment", "coredns", "kube-system"), cluster, "pod.workload")
    assert not connected(joins, Entity("Deployment", "coredns", "shop"), cluster, "pod.workload")


def event(reason: str, seen: str, message: str, count: int = 1) -> dict[str, Any]:
    """An event about node n1."""
    return {
        "kind": "Event",
        "metadata": {"name": f"n1.{seen}", "namespace": "default"},
        "involvedObject": {"kind": "Node", "name": "n1"},
        "reason": reason,
        "message": message,
        "type": "Normal",
        "count": count,
        "lastTimestamp": seen,
        "source": {"component": "node-controller"},
    }


def test_an_event_of_a_node_is_over_when_a_later_one_undoes_it(index: SignalIndex) -> None:
    """Whoever may not read nodes has only their events; a kubelet that restarts begins new ones of the same words."""
    down = event("NodeNotReady", "2026-11-28T11:58:00Z", "Node n1 status is now: NodeNotReady")
    early = event("NodeReady", "2026-11-28T11:50:00Z", "Node n1 status is now: NodeReady", count=3)
    late = event("NodeReady", "2026-11-28T11:59:00Z", "Node n1 status is now: NodeReady")

    def is_over(*items: dict[str, Any]) -> bool:
        store, _ = reasoned(index, list(items))
        return next(bool(fact["healed"]) for fact in store.facts["line"] if fact["reason"] == "NodeNotReady")

    assert not is_over(down, early)
    assert is_over(down, early, late)
