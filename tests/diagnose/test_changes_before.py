"""What changed shortly before a diagnosis showed first: over objects a real API server returned (v1.34)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubecause.diagnose.changes import MAX_CHANGES, Changes
from kubecause.evidence.files import RawText
from kubecause.evidence.targets import documents_of
from kubecause.facts.joins import Joins
from kubecause.facts.store import Store
from kubecause.knowledge import load_cases
from kubecause.model import Change, Entity, Fact, Finding, Proof, Result, Status
from kubecause.pipeline import diagnose_documents

Reading = Callable[..., tuple[Store, Joins]]

ROLLOUT = (Path(__file__).parent.parent / "samples" / "changes" / "rollout.json").read_text(encoding="utf-8")
CART = Entity("Deployment", "cart", "shop")
POD = Entity("Pod", "cart-b79965d95-qg6hj", "shop")  # of the third revision, made at 15:47:11
CONFIG = Entity("ConfigMap", "cart-config", "shop")  # edited at 15:46:55, made at 15:45:50
NODE_MESSAGE = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."


def moment(time: str) -> str:
    """``15:47:11`` on the day of the sample, as the API writes it."""
    return f"2026-11-28T{time}Z"


def event(first: str, reason: str = "FailedScheduling", message: str = NODE_MESSAGE, about: Entity = POD) -> dict[str, Any]:
    """A warning about an object, first seen at a time of day."""
    return {
        "kind": "Event",
        "metadata": {"name": f"{about.name}.{reason}", "namespace": about.namespace or "default"},
        "involvedObject": {"kind": about.kind, "name": about.name, "namespace": about.namespace},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "firstTimestamp": moment(first),
        "lastTimestamp": moment(first),
        "count": 1,
    }


def evidence(*more: dict[str, Any], without: tuple[str, ...] = ()) -> str:
    """The sample as if its earlier revisions had run: its pods never did, as there were no nodes."""
    objects = [item for item in json.loads(ROLLOUT)["items"] if item["kind"] not in without]
    for item in objects:
        if item["kind"] == "Deployment":
            item["status"]["conditions"] = []
    return json.dumps({"kind": "List", "items": [*objects, *more]}, indent=1)


def finding(fault: str, entity: Entity = CART, *subjects: Entity, facts: tuple[Fact, ...] = ()) -> Finding:
    """Something found, on the failing pod unless told otherwise."""
    return Finding(fault, entity, Status.CONFIRMED, facts=facts, subjects=subjects or (POD,))


def before(
    joins: Joins,
    fault: str,
    *explained: Finding,
    entity: Entity = CART,
    subjects: tuple[Entity, ...] = (),
    proofs: tuple[Proof, ...] = (),
) -> tuple[Change, ...]:
    """What changed before a fault on an entity."""
    return Changes(joins).before(entity, [finding(fault, entity, *subjects)], explained, proofs)


def told(changes: tuple[Change, ...]) -> list[tuple[str, str, float]]:
    """What, whom, and how many seconds before the first sign."""
    return [(change.what, str(change.entity), change.lead) for change in changes]


def test_what_changed_before_the_first_sign_is_told(read: Reading) -> None:
    """Both rollouts and the edit of what the pod reads, each with its distance; the making of the Service is beside the point."""
    _, joins = read(evidence(event("15:47:12")))
    assert told(before(joins, "container/exit-general-error")) == [
        ("rollout", "Deployment shop/cart", 1.0),
        ("rollout", "Deployment shop/cart", 7.0),
        ("edited", "ConfigMap shop/cart-config", 17.0),
    ]


def test_nothing_is_told_that_came_after_the_first_sign(read: Reading) -> None:
    """The pod was ill before the second and third revision, which may be attempts to mend it."""
    _, joins = read(evidence(event("15:47:00")))
    assert told(before(joins, "container/exit-general-error")) == [("edited", "ConfigMap shop/cart-config", 5.0)]


@pytest.mark.parametrize(("first", "expected"), [("16:46:00", 2), ("16:47:12", 0), ("23:00:00", 0)])
def test_what_changed_long_before_is_not_told(read: Reading, first: str, expected: int) -> None:
    """An hour is the window."""
    _, joins = read(evidence(event(first)))
    assert sum(change.what == "rollout" for change in before(joins, "app/out-of-memory")) == expected


def test_without_a_first_sign_nothing_is_claimed(read: Reading) -> None:
    """No event, no condition, no end of a container: who knows when it began."""
    _, joins = read(evidence())
    assert before(joins, "container/exit-general-error") == ()


def test_ages_are_no_times(read: Reading) -> None:
    """A table says five minutes ago, and not of which clock."""
    table = "$ kubectl get events -n shop\nLAST SEEN   TYPE      REASON             OBJECT                         MESSAGE\n"
    row = f"5m          Warning   FailedScheduling   pod/{POD.name}   {NODE_MESSAGE}\n"
    _, joins = read(objects=evidence(), events=table + row)
    assert before(joins, "scheduling/node-selector-mismatch") == ()


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ("scheduling/node-selector-mismatch", "nodeSelector.disk"),
        ("container/memory-limit-too-small", "containers[web].resources.limits.memory"),
        ("image/not-found", "containers[web].image"),
        ("probe/readiness-wrong-path", "containers[web].readinessProbe.httpGet.path"),
        ("config/variable-missing", "containers[web].env[DATABASE_URL]"),
    ],
)
def test_a_difference_that_the_fault_is_about_stands_first(read: Reading, fault: str, field: str) -> None:
    """Of ten differences the one that a person would look at."""
    _, joins = read(evidence(event("15:47:12")))
    first = before(joins, fault)[0]

    assert (first.what, first.after) == ("rollout", "3")
    assert first.differences[0].field == field


def test_a_value_that_the_proof_shows_is_the_most_telling(read: Reading) -> None:
    """The image that cannot be pulled came with the rollout, whatever the group of the fault is."""
    _, joins = read(evidence(event("15:47:12")))
    proof = Proof("events.json", 'Failed to pull image "registry.test/cart:1.5"', line=1)
    first = before(joins, "registry/unreachable", proofs=(proof,))[0]

    assert (first.after, first.differences[0].after) == ("2", "registry.test/cart:1.5")


def test_a_change_that_is_the_proof_is_not_told_twice(read: Reading) -> None:
    """A diagnosis that shows the reboot itself does not add that the node rebooted."""
    node = {"kind": "Node", "metadata": {"name": "w1", "uid": "1", "creationTimestamp": moment("01:00:00")}, "spec": {}}
    w1 = Entity("Node", "w1")
    text = evidence(node, event("15:40:00", "Rebooted", "Node w1 has been rebooted, boot id: 1", w1), event("15:47:12"))
    store, joins = read(text)
    (reboot,) = [fact for fact in store.facts["change"] if fact["what"] == "node-rebooted"]

    other = before(joins, "node/not-ready", entity=w1, subjects=(w1, POD))
    own = before(joins, "node/not-ready", entity=w1, subjects=(w1, POD), proofs=reboot.proofs)

    assert "node-rebooted" in {change.what for change in other}
    assert "node-rebooted" not in {change.what for change in own}


def test_what_acts_on_all_counts_for_faults_it_can_cause(read: Reading) -> None:
    """A policy made just before matters to traffic, not to an image."""
    metadata = {"name": "deny", "namespace": "shop", "uid": "7", "creationTimestamp": moment("15:46:00")}
    _, joins = read(evidence(event("15:47:12"), {"kind": "NetworkPolicy", "metadata": metadata, "spec": {"podSelector": {}}}))
    policy = ("created", "NetworkPolicy shop/deny", 72.0)

    assert policy in told(before(joins, "network/policy-blocks-traffic"))
    assert policy not in told(before(joins, "image/not-found"))


def test_a_new_workload_is_told_without_what_came_along(read: Reading) -> None:
    """Everything of a first installation is new; one line says so."""
    deployment = json.loads(ROLLOUT)["items"][0]
    deployment["metadata"] |= {"creationTimestamp": moment("15:47:10"), "managedFields": []}
    deployment["status"]["conditions"] = []
    config = {
        "kind": "ConfigMap",
        "metadata": {"name": "cart-config", "namespace": "shop", "uid": "2", "creationTimestamp": moment("15:47:10")},
    }
    text = evidence(deployment, config, event("15:47:12"), without=("Deployment", "ReplicaSet", "ConfigMap"))
    _, joins = read(text)

    assert told(before(joins, "container/exit-general-error")) == [("created", "Deployment shop/cart", 2.0)]
    assert before(joins, "node/not-ready", entity=Entity("Node", "w1")) == ()  # which is not the fault of what is new


def test_the_node_of_a_pod_counts(read: Reading) -> None:
    """A pod that fails on a node that joined ten minutes before."""
    nodes = [
        {"kind": "Node", "metadata": {"name": name, "uid": name, "creationTimestamp": moment(at)}, "spec": {}}
        for name, at in (("w1", "01:00:00"), ("w2", "15:37:12"))
    ]
    objects = json.loads(evidence(*nodes, event("15:47:12", "FailedCreatePodSandBox", "network is not ready")))
    for item in objects["items"]:
        if item["kind"] == "Pod":
            item["spec"]["nodeName"] = "w2"
    _, joins = read(json.dumps(objects, indent=1))

    assert ("node-joined", "Node w2", 600.0) in told(before(joins, "cni/plugin-missing"))


def test_at_most_five_are_told(read: Reading) -> None:
    """Six quotas of one evening are a list, not an answer."""
    quotas = [
        {
            "kind": "ResourceQuota",
            "metadata": {"name": f"q{n}", "namespace": "shop", "uid": f"q{n}", "creationTimestamp": moment("15:40:00")},
        }
        for n in range(MAX_CHANGES + 3)
    ]
    _, joins = read(evidence(*quotas, event("15:47:12")))
    assert len(before(joins, "admission/quota-pods")) == MAX_CHANGES


def test_the_order_of_the_evidence_does_not_matter(read: Reading) -> None:
    """The same objects the other way round give the same changes in the same order."""
    objects = json.loads(evidence(event("15:47:12")))
    _, one = read(json.dumps(objects, indent=1))
    objects["items"].reverse()
    _, two = read(json.dumps(objects, indent=1))

    assert before(one, "container/exit-general-error") == before(two, "container/exit-general-error")


def diagnosed(text: str) -> Result:
    """The whole way, with the cases kubecause ships."""
    documents = documents_of(RawText("cluster.json", text.split("\n"), 1, last=True))
    return diagnose_documents(documents, load_cases(), source=("capture", "cluster.json"))


def test_a_diagnosis_carries_what_changed() -> None:
    """A rollout brought a selector that no node satisfies; the secret that came with it stays out of the result."""
    node = {
        "kind": "Node",
        "metadata": {
            "name": "w1",
            "uid": "1",
            "creationTimestamp": moment("01:00:00"),
            "labels": {"kubernetes.io/hostname": "w1"},
        },
        "spec": {},
        "status": {
            "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": moment("01:00:00")}],
        },
    }
    result = diagnosed(evidence(node, event("15:47:12")))
    first = result.diagnoses[0]

    assert (first.finding.fault, first.entity) == ("scheduling/node-selector-mismatch", CART)
    assert (first.changes[0].what, first.changes[0].by) == ("rollout", "kubectl-patch")
    assert (first.changes[0].differences[0].field, first.changes[0].differences[0].after) == ("nodeSelector.disk", "ssd")
    assert "unreal" not in repr(result)


def test_changes_alone_are_no_fault() -> None:
    """A rollout that went well, an edit, a new policy: a healthy cluster stays silent."""
    objects = json.loads(evidence(without=("Pod", "Event")))["items"]
    for item in objects:
        if item["kind"] == "Deployment":
            item["status"] = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}
    assert diagnosed(json.dumps({"kind": "List", "items": objects}, indent=1)).diagnoses == ()
