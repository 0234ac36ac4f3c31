"""What need not be asked for, and that it is told."""

from __future__ import annotations

from kubecause.evidence.cluster.coverage import Coverage, SilentKubelets
from kubecause.evidence.cluster.follow import nodes_told_of
from kubecause.evidence.cluster.requests import Request, events_about
from kubecause.evidence.cluster.screen import PodRow
from kubecause.model import Entity


def test_a_pod_that_another_stands_for_is_not_read() -> None:
    """Neither the pod nor its events; its neighbour is."""
    coverage = Coverage()
    coverage.represented([PodRow("shop", "web-b", {})])

    assert coverage.told(Request("get", "Pod", "shop", "web-b"))
    assert coverage.told(events_about(Entity("Pod", "web-b", "shop")))
    assert not coverage.told(Request("get", "Pod", "shop", "web-a"))


def test_few_of_many_ready_nodes_are_read_and_the_rest_is_told_once() -> None:
    """The first 20 that are asked for; nodes that are not ready always."""
    coverage = Coverage()
    coverage.ready_nodes(f"n{number}" for number in range(30))
    told = [coverage.told(Request("get", "Node", name=f"n{number}")) for number in range(30)]

    assert [False] * 20 + [True] * 10 == told
    assert not coverage.told(Request("get", "Node", name="broken"))
    assert ["10 more nodes in full"] == [gap.what for gap in coverage.gaps()]
    assert coverage.told(Request("get", "Node", name="n29"))
    assert [] == coverage.gaps()


def test_nodes_are_not_listed_where_they_are_too_many() -> None:
    """A part of them would not decide where a pod can go; that they were not read is told once."""
    coverage = Coverage(most_nodes=500)
    coverage.has_nodes(500)
    before = coverage.told(Request("list", "Node"))
    coverage.has_nodes(2000)

    assert [False, True] == [before, coverage.told(Request("list", "Node"))]
    assert not coverage.told(Request("get", "Node", name="n1"))
    assert ["2000 nodes in full"] == [gap.what for gap in coverage.gaps()]
    assert [] == coverage.gaps()


def test_the_scheduler_tells_how_many_nodes_there_are() -> None:
    """In the condition of a pod that waits."""
    message = "0/2000 nodes are available: 2000 Insufficient cpu. preemption: 0/2000 nodes are available."
    waiting = {"kind": "Pod", "status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": message}]}}

    assert [2000, 0, 0] == [nodes_told_of(item) for item in (waiting, {"kind": "Pod", "status": None}, {"kind": "Service"})]


def test_a_kubelet_that_gave_no_log_is_not_asked_again() -> None:
    """What was left out becomes a gap for its node, once; other nodes are asked on."""
    kubelets = SilentKubelets()
    kubelets.gave_nothing("n1", hanging=False)

    assert [False, False, True] == [kubelets.is_asked(node) for node in ("n1", "n1", "n2")]
    assert ["logs of 2 more containers on node n1"] == [gap.what for gap in kubelets.gaps()]
    assert [] == kubelets.gaps()


def test_after_three_logs_that_hang_none_is_asked_for() -> None:
    """Each would be waited for as long."""
    kubelets = SilentKubelets()
    for node in ("n1", "n2", "n3"):
        kubelets.gave_nothing(node, hanging=True)

    assert not kubelets.is_asked("n4")


def silent(*, ready: bool) -> SilentKubelets:
    """A dozen nodes gave no log."""
    kubelets = SilentKubelets()
    for number in range(12):
        kubelets.gave_nothing(f"n{number}", hanging=False, ready=ready)
    return kubelets


def test_where_no_kubelet_of_many_ready_nodes_gave_a_log_no_other_is_asked() -> None:
    """The way from the API server to all of them is cut; one gap tells of all logs that were not asked for."""
    cut_off, dead, some = silent(ready=True), silent(ready=False), silent(ready=True)
    some.gave_one()

    assert [False, False] == [cut_off.is_asked(node) for node in ("other", "another")]
    assert [("logs of 2 more containers", ("app-log",))] == [(gap.what, gap.hides) for gap in cut_off.gaps()]
    assert [] == cut_off.gaps()
    assert dead.is_asked("other")
    assert some.is_asked("other")


def test_broken_pods_that_are_not_read_in_full_are_told_once() -> None:
    """Nothing more is asked about them, and the report says how many they are."""
    coverage = Coverage()
    coverage.left_at_rows([PodRow("shop", "web-a", {}), PodRow("shop", "web-b", {})])

    assert coverage.is_represented(Entity("Container", "app", "shop", pod="web-a"))
    assert [("2 more broken pods in full", ("container.state", "app-log"))] == [(gap.what, gap.hides) for gap in coverage.gaps()]
    assert [] == coverage.gaps()
