"""What is read in full: the widest of the broken pods, completed pods of nobody, histories of what changed."""

from __future__ import annotations

import json
from typing import Any

from kubecause.evidence.cluster.answers import Table
from kubecause.evidence.cluster.broken_pods import BrokenPods
from kubecause.evidence.cluster.coverage import Coverage
from kubecause.evidence.cluster.inventory import Inventory
from kubecause.evidence.cluster.listed import Listed
from kubecause.evidence.cluster.requests import Request
from kubecause.evidence.cluster.screen import PodRow
from kubecause.evidence.cluster.triage import Triage

COLUMNS = ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
WEB = "web-79b49f5555"
CART = "cart-5d69bb4556"


def row(name: str, status: str = "CrashLoopBackOff", namespace: str = "shop") -> PodRow:
    """A pod that does not run."""
    return PodRow(namespace, name, {"NAME": name, "STATUS": status, "READY": "0/1", "RESTARTS": "0", "NODE": "n1"})


def table(*pods: tuple[str, str]) -> Table:
    """Names and states of pods as the server prints them."""
    ready = {"Running": "1/1"}
    return Table(COLUMNS, [[name, ready.get(status, "0/1"), status, "0", "5m", "10.0.0.1", "n1"] for name, status in pods])


def deployment(name: str, revision: str = "2", unavailable: int = 1) -> dict[str, Any]:
    """A Deployment whose pods carry its name as a label."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "annotations": {"deployment.kubernetes.io/revision": revision}},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name, "tier": "x"}}}},
        "status": {"unavailableReplicas": unavailable, "readyReplicas": 1 - unavailable},
    }


def pod_of(replica_set: str, template_hash: str | None = "of its name") -> dict[str, Any]:
    """A healthy pod of a ReplicaSet; without a hash, of one that no Deployment made."""
    labels = {"pod-template-hash": replica_set.rpartition("-")[2]} if template_hash else {}
    meta = {"name": f"{replica_set}-bbbbb", "namespace": "shop", "labels": labels}
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    owner = {"kind": "ReplicaSet", "name": replica_set}
    return {"kind": "Pod", "metadata": {**meta, "ownerReferences": [owner]}, "spec": {"nodeName": "n1"}, "status": ready}


def listed(item: dict[str, Any]) -> Listed:
    """The same as an object of a list."""
    return Listed("shop", item["metadata"]["name"], item["metadata"]["name"], json.dumps(item))


def asked_for(chooser: Triage, pod: dict[str, Any]) -> list[Request]:
    """What is asked for once a pod was read."""
    request = Request("get", "Pod", "shop", pod["metadata"]["name"])
    return chooser.referred_to(pod) + chooser.answered(request)


def triage(*items: dict[str, Any], most: int = 100) -> Triage:
    """A triage that knows some Deployments."""
    inventory = Inventory()
    for item in items:
        inventory.add("Deployment", listed(item), ("shop", item["metadata"]["name"]))
    return Triage(inventory, Coverage(), most)


PODS = Request("table", "Pod", "shop")
JOBS = Request("list", "Job", "shop")


def test_the_widest_are_read_and_the_system_before_them() -> None:
    """Each stands for its owner and state; what is left is told, and nothing is given twice."""
    broken = BrokenPods(2)
    siblings = broken.add([row(f"{WEB}-{end}") for end in ("bbbbb", "ccccc", "ddddd")] + [row(f"{CART}-bbbbb")])
    broken.add([row("coredns-7db6d8ff4d-bbbbb", namespace="kube-system")])

    assert [f"{WEB}-ccccc", f"{WEB}-ddddd"] == sorted(each.name for each in siblings)
    chosen, left = broken.choose()
    assert ["coredns-7db6d8ff4d-bbbbb", f"{WEB}-bbbbb"] == [each.name for each in chosen]
    assert [f"{CART}-bbbbb"] == [each.name for each in left]
    assert ([], []) == broken.choose()
    assert [] == broken.add([row(f"{CART}-bbbbb")])
    assert ([], []) == broken.choose()


def test_names_of_broken_pods_tell_their_workload() -> None:
    """By the hash of a ReplicaSet or an ordinal; a name that only begins alike is another workload's."""
    broken = BrokenPods(2)
    broken.add([row(f"{WEB}-bbbbb"), row("my-db-0")])

    assert broken.is_of("shop", "web")
    assert broken.is_of("shop", "my-db")
    assert not broken.is_of("shop", "my")
    assert not broken.is_of("other", "web")


def test_no_pod_is_chosen_before_all_tables_are_there() -> None:
    """The widest of all namespaces are known then."""
    chooser, other = triage(), Request("table", "Pod", "pay")
    for request in (PODS, other):
        chooser.asked(request)
    chooser.pods(PODS, table((f"{WEB}-bbbbb", "Error")))

    assert [] == chooser.answered(PODS)
    assert [Request("get", "Pod", "shop", f"{WEB}-bbbbb")] == chooser.answered(other)
    assert not chooser.many


def test_where_very_much_is_broken_the_names_of_the_cluster_and_the_server_are_looked_at_at_once() -> None:
    """Hardly anything of that size has not to do with them."""
    chooser = triage(most=1)
    chooser.asked(PODS)
    chooser.pods(PODS, table((f"{WEB}-bbbbb", "Error"), (f"{CART}-bbbbb", "Error")))
    wanted = chooser.answered(PODS)

    assert ["get", "list", "ready"] == [request.verb for request in wanted]
    assert chooser.many


def test_completed_pods_wait_for_the_jobs() -> None:
    """Only those of no Job are read, and which those are is known once the Jobs are."""
    inventory = Inventory()
    chooser = Triage(inventory, Coverage(), 100)
    for request in (PODS, JOBS):
        chooser.asked(request)
    chooser.pods(PODS, table(("backup-x7x7x", "Completed"), ("stray", "Completed")))
    before = chooser.answered(PODS)
    inventory.add("Job", {"metadata": {"name": "backup"}}, ("shop", "backup"))

    assert [] == before
    assert [Request("get", "Pod", "shop", "stray")] == chooser.answered(JOBS)


def test_a_healthy_pod_is_read_where_a_selector_finds_no_broken_one() -> None:
    """And none where it finds broken ones: those are chosen from among all."""
    selected = Request("table", "Pod", "shop", labels="app=web")

    assert triage().pods(selected, table(("web-0", "Running")))[1] == [Request("get", "Pod", "shop", "web-0")]
    assert triage().pods(selected, table(("web-0", "Running"), ("web-1", "Error")))[1] == []


def test_a_deployment_with_broken_pods_is_followed_from_them() -> None:
    """One that lacks pods without any being broken (a quota) is followed itself."""
    items = [deployment("web"), deployment("cart"), deployment("fine", unavailable=0)]
    chooser = triage(*items)
    chooser.asked(PODS)
    chooser.pods(PODS, table((f"{WEB}-bbbbb", "Error")))
    chooser.deployments(Request("list", "Deployment", "shop"), [listed(item) for item in items])
    wanted = chooser.answered(PODS)

    assert [None, "app=cart"] == [request.labels for request in wanted]
    assert asked_for(chooser, pod_of(WEB)) == [Request("list", "ReplicaSet", "shop", labels="app=web")]


def test_the_history_of_a_pod_waits_for_the_deployments() -> None:
    """Before they are read, nobody knows which one its ReplicaSet belongs to."""
    deployments = Request("list", "Deployment")
    chooser = triage(deployment("web"))
    chooser.asked(deployments)

    assert asked_for(chooser, pod_of(WEB)) == []
    assert chooser.answered(deployments) == [Request("list", "ReplicaSet", "shop", labels="app=web")]


def test_a_template_that_never_changed_has_no_history() -> None:
    """Revision 1: there is one ReplicaSet, and its name and the pod's hash tell whose it is."""
    once = triage(deployment("web", revision="1"))

    assert [] == asked_for(once, pod_of(WEB))
    assert [Request("get", "ReplicaSet", "shop", CART)] == asked_for(once, pod_of(CART))


def test_a_replica_set_of_no_deployment_is_read_itself() -> None:
    """Also where its name begins like that of a Deployment."""
    assert [Request("get", "ReplicaSet", "shop", WEB)] == asked_for(triage(deployment("web")), pod_of(WEB, template_hash=None))


def test_pods_of_a_service_are_not_asked_for_where_they_were_seen_broken() -> None:
    """The table of the whole namespace has shown them; a selector that no such workload has is asked about."""
    inventory, coverage = Inventory(), Coverage()
    inventory.add("Deployment", listed(deployment("web")), ("shop", "web"))
    chooser = Triage(inventory, coverage, 100)
    chooser.pods(PODS, table((f"{WEB}-bbbbb", "Error")))
    seen, unknown = (Request("table", "Pod", "shop", labels=labels) for labels in ("app=web", "app=webb"))

    assert not chooser.shows_broken_pods(seen)
    coverage.screened("shop")
    assert chooser.shows_broken_pods(seen)
    assert not chooser.shows_broken_pods(unknown)
