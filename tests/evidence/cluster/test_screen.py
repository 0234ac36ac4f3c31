"""Triage: broken rows are found, healthy ones leave nothing, and few stand for many."""

from __future__ import annotations

import pytest

from kubecause.evidence.cluster.screen import PodRow, is_broken, representatives, seconds, telling_events


def row(name: str, status: str = "CrashLoopBackOff", ready: str = "0/1", node: str = "n1", restarts: str = "0") -> PodRow:
    """A row of a namespace called shop."""
    return PodRow("shop", name, {"NAME": name, "STATUS": status, "READY": ready, "NODE": node, "RESTARTS": restarts})


@pytest.mark.parametrize(
    ("status", "ready", "restarts", "broken"),
    [
        ("Running", "1/1", "0", False),
        ("Running", "0/1", "0", True),
        ("Running", "2/2", "1 (4h ago)", False),
        ("Running", "2/2", "4 (75s ago)", True),
        ("Completed", "0/1", "0", False),
        ("Pending", "0/1", "0", True),
        ("Init:0/1", "0/1", "0", True),
        ("Terminating", "1/1", "0", True),
        ("Error", "0/1", "0", True),
    ],
)
def test_what_is_broken(status: str, ready: str, restarts: str, *, broken: bool) -> None:
    """A bad status, a container that is not ready, or a fresh restart is trouble; nothing else is."""
    assert broken == is_broken(row("web-0", status, ready, restarts=restarts).cells)


def test_one_pod_stands_for_its_siblings_in_the_same_state() -> None:
    """Of the pods of one ReplicaSet in one state, one is read in full; another state counts apart."""
    rows = [row("web-79b49f5555-rl2kp"), row("web-79b49f5555-bcd5f", node="n2"), row("web-79b49f5555-zz9xk", "ImagePullBackOff")]

    assert ["web-79b49f5555-bcd5f", "web-79b49f5555-zz9xk"] == sorted(each.name for each in representatives(rows))


def test_pods_that_may_suffer_from_their_node_are_looked_at_on_several() -> None:
    """A pod that cannot start may do so because of its node: one each of up to three nodes is read."""
    rows = [row(f"web-79b49f5555-rl2k{n}", "ContainerCreating", node=f"n{n}") for n in "245678"]

    assert 3 == len(representatives(rows))


def test_ordinals_and_hashes_name_the_owner() -> None:
    """Pods of StatefulSets and ReplicaSets carry their owner's name."""
    assert ("db", "web-79b49f5555") == (row("db-0").owner, row("web-79b49f5555-rl2kp").owner)


def test_many_alike_warnings_are_thinned_and_those_about_broken_pods_kept() -> None:
    """A storm of the same warning leaves a few lines; what concerns a pod that is looked at is never lost."""
    storm = [
        {"reason": "Failed", "message": f"no space {n}", "involvedObject": {"kind": "Pod", "namespace": "shop", "name": f"p-{n}"}}
        for n in range(1000)
    ]
    kept = list(telling_events(storm, {("shop", "p-777")}))

    assert 5 == len(kept)
    assert any(event["involvedObject"] == storm[777]["involvedObject"] for event in kept)


@pytest.mark.parametrize(("age", "expected"), [("75s", 75.0), ("4m5s", 245.0), ("2d3h", 183600.0), ("", None), (None, None)])
def test_ages(age: str | None, expected: float | None) -> None:
    """Ages are read as kubectl prints them."""
    assert expected == seconds(age)
