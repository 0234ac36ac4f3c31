"""What changed, and when: over objects a real API server returned (v1.34), and over what older ones wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubecause.facts.edits import edit_of
from kubecause.facts.joins import Joins
from kubecause.facts.store import Store
from kubecause.model import Entity, Fact

Reading = Callable[..., tuple[Store, Joins]]

SAMPLES = Path(__file__).parent.parent / "samples" / "changes"
HOST_SAMPLES = Path(__file__).parent.parent / "samples" / "host"
CART = Entity("Deployment", "cart", "shop")


def told(facts: list[Fact], *, what: str | None = None) -> list[dict[str, Any]]:
    """The fields of changes, without the differences of templates."""
    return [
        {"entity": str(fact.entity), **{key: value for key, value in fact.fields.items() if key != "detail"}}
        for fact in facts
        if what in (None, fact["what"])
    ]


def changes(read: Reading, text: str) -> list[Fact]:
    """The changes in a text, and who wrote each object last."""
    store, _ = read(text)
    found = store.facts["change"]
    edits = [edit_of(thing, (fact for fact in found if fact.entity == thing.entity)) for thing in store.things.values()]
    return [*found, *(edit for edit in edits if edit)]


def sample(name: str) -> str:
    """What the API server returned, without fields nobody reads."""
    return (SAMPLES / name).read_text(encoding="utf-8")


def listed(*objects: dict[str, Any]) -> str:
    """A list as ``kubectl get -o json`` prints it."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=1)


def stored(kind: str, name: str, created: str, *managers: str, namespace: str | None = "shop", **more: Any) -> dict[str, Any]:
    """An object made at a time of day, written by managers: ``helm 10:20``, ``kubelet 10:30 status``."""
    entries = []
    for manager in managers:
        who, at, *subresource = manager.split()
        entries.append(
            {"manager": who, "operation": "Update", "time": moment(at), **({"subresource": "status"} if subresource else {})}
        )
    metadata = {"name": name, "namespace": namespace, "uid": name, "creationTimestamp": moment(created), "managedFields": entries}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def moment(time: str) -> str:
    """``10:20`` on the day of these tests, as the API writes it."""
    return f"2026-11-28T{time}:00Z"


def event(kind: str, name: str, reason: str, message: str, at: str, namespace: str | None = "shop") -> dict[str, Any]:
    """An event that was seen once."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{reason}.{at}", "namespace": namespace or "default"},
        "involvedObject": {"kind": kind, "name": name, "namespace": namespace},
        "reason": reason,
        "message": message,
        "type": "Normal",
        "firstTimestamp": moment(at),
        "lastTimestamp": moment(at),
        "count": 1,
    }


# --- rollouts -----------------------------------------------------------------------------------------------


def test_every_revision_is_a_rollout_with_its_time_and_author(read: Reading) -> None:
    """The ReplicaSet tells when, the Deployment's managed fields tell who, where they still hold it."""
    assert told(changes(read, sample("rollout.json")), what="rollout") == [
        {"entity": "Deployment shop/cart", "what": "rollout", "at": "2026-11-28T15:47:05Z", "before": "1", "after": "2"},
        {
            "entity": "Deployment shop/cart",
            "what": "rollout",
            "at": "2026-11-28T15:47:11Z",
            "by": "kubectl-patch",
            "before": "2",
            "after": "3",
        },
    ]


def test_a_rollout_tells_what_it_brought_and_never_a_secret(read: Reading) -> None:
    """Fields by their path; the password's new value is not even in the fact."""
    facts = changes(read, sample("rollout.json"))
    differences = {each.field: (each.before, each.after) for each in facts[1]["detail"]}

    assert differences["containers[web].image"] == ("registry.test/cart:1.5", "registry.test/cart:1.6")
    assert differences["containers[web].env[FEATURE_X]"] == (None, "on")
    assert differences["containers[web].env[DATABASE_URL]"] == ("postgres://db:5432/cart", None)
    assert differences["containers[web].resources.limits.memory"] == ("256Mi", "64Mi")
    assert differences["containers[web].readinessProbe.httpGet.path"] == ("/healthz", "/ready")
    assert differences["nodeSelector.disk"] == (None, "ssd")
    assert "unreal" not in repr(facts)


def test_a_rollback_is_a_rollout_from_the_revision_before_it(read: Reading) -> None:
    """Revision 2 was rolled back to and became 5: both numbers are known, and 5 came when the Deployment was written."""
    facts = changes(read, sample("undo.json"))

    assert [(fact["before"], fact["after"], fact["at"], fact["by"]) for fact in facts] == [
        ("2", "3", "2026-11-28T15:47:11Z", None),
        ("3", "4", "2026-11-28T15:47:17Z", None),
        ("4", "5", "2026-11-28T15:47:20Z", "kubectl"),
    ]
    (restart,) = facts[1]["detail"]
    assert (restart.field, restart.after) == ("metadata.annotations[kubectl.kubernetes.io/restartedAt]", "2026-11-28T15:47:17Z")


@pytest.mark.parametrize(
    ("kind", "status", "what"),
    [
        ("StatefulSet", {"currentRevision": "db-1", "updateRevision": "db-2"}, "rollout"),
        ("StatefulSet", {"currentRevision": "db-2", "updateRevision": "db-2"}, "edited"),
        ("DaemonSet", {"desiredNumberScheduled": 3, "updatedNumberScheduled": 1}, "rollout"),
        ("DaemonSet", {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3}, "edited"),
    ],
)
def test_a_half_updated_set_is_rolled_out(read: Reading, kind: str, status: dict[str, Any], what: str) -> None:
    """A StatefulSet or DaemonSet that still has pods of its earlier template is in a rollout."""
    (fact,) = changes(read, listed(stored(kind, "db", "09:00", "kubectl-set 10:20", status=status)))
    assert (fact["what"], fact["at"], fact["by"]) == (what, moment("10:20"), "kubectl-set")


# --- scaling ------------------------------------------------------------------------------------------------


def test_scaling_down_is_told_over_all_replica_sets(read: Reading) -> None:
    """In the middle of a rollout three ReplicaSets went to zero at once: that is one decision, from 3 to 0."""
    (scaled,) = told(changes(read, sample("zero.json")), what="scaled")
    assert (scaled["at"], scaled["before"], scaled["after"]) == ("2026-11-28T15:47:23Z", "3", "0")


def test_a_rollout_is_no_scaling(read: Reading) -> None:
    """Replicas that move from one ReplicaSet to the next are not scaled by anybody."""
    assert told(changes(read, sample("rollout.json")), what="scaled") == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Scaled up replica set web-5d9c7b8f54 from 2 to 5", [("2", "5")]),
        ("Scaled up replica set web-5d9c7b8f54 to 5 from 2", [("2", "5")]),
        ("Scaled down replica set web-5d9c7b8f54 to 0", [(None, "0")]),
        ("(combined from similar events): Scaled down replica set web-5d9c7b8f54 from 2 to 1", [("2", "1")]),
        ("Scaled up replica set web-5d9c7b8f54 to 5", []),  # nothing tells from how many: it may have begun to exist
        ("Scaled up replica set web-5d9c7b8f54 from 0 to 2", []),  # it began to exist
    ],
)
def test_the_wordings_of_several_versions(read: Reading, message: str, expected: list[tuple[str | None, str]]) -> None:
    """1.24 and before say ``to N``, 1.25 to 1.29 ``to N from M``, later ones ``from M to N``."""
    owner = {"kind": "Deployment", "name": "web", "controller": True}
    replica_set = stored("ReplicaSet", "web-5d9c7b8f54", "09:00", spec={"replicas": 1})
    replica_set["metadata"] |= {"ownerReferences": [owner], "annotations": {"deployment.kubernetes.io/revision": "1"}}
    web = stored("Deployment", "web", "09:00", status={"replicas": 1})
    text = listed(web, replica_set, event("Deployment", "web", "ScalingReplicaSet", message, "10:20"))

    assert [(fact.get("before"), fact["after"]) for fact in told(changes(read, text), what="scaled")] == expected


# --- edits --------------------------------------------------------------------------------------------------


def test_an_edit_tells_when_and_by_whom(read: Reading) -> None:
    """What ``kubectl edit`` wrote is told with its time; an object nobody touched since tells when it was made."""
    facts = told(changes(read, sample("rollout.json")))

    assert {"entity": "ConfigMap shop/cart-config", "what": "edited", "at": "2026-11-28T15:46:55Z", "by": "kubectl-edit"} in facts
    assert {
        "entity": "Service shop/cart",
        "what": "created",
        "at": "2026-11-28T15:45:50Z",
        "by": "kubectl-client-side-apply",
    } in facts


def test_a_rollout_is_told_once(read: Reading) -> None:
    """The write that began a rollout is not told again as an edit of the Deployment."""
    assert [fact["what"] for fact in changes(read, sample("undo.json")) if fact.entity == CART] == ["rollout"] * 3


def test_writes_of_components_and_of_status_are_no_edits(read: Reading) -> None:
    """Controllers write all the time; only what somebody decided is a change."""
    text = listed(
        stored("Service", "web", "09:00", "kubectl-create 09:00", "kube-controller-manager 10:20"),
        stored("ResourceQuota", "team", "09:00", "helm 09:00", "argocd-controller 10:30 status"),
    )
    assert [(fact["what"], fact["at"]) for fact in changes(read, text)] == [("created", moment("09:00"))] * 2


def test_the_certificate_bundle_of_every_namespace_is_nobodys_edit(read: Reading) -> None:
    """``kube-root-ca.crt`` is made by a controller wherever there is a namespace."""
    assert changes(read, listed(stored("ConfigMap", "kube-root-ca.crt", "10:00"))) == []


def test_what_a_manifest_asks_for_has_not_happened(read: Reading) -> None:
    """A file on somebody's disk is no object of the cluster."""
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "creationTimestamp": moment("10:00")}}
    assert changes(read, listed(manifest)) == []


# --- nodes --------------------------------------------------------------------------------------------------


def node(name: str, created: str, *managers: str, version: str = "v1.34.4") -> dict[str, Any]:
    """A node of a version."""
    return stored("Node", name, created, *managers, namespace=None, status={"nodeInfo": {"kubeletVersion": version}})


def test_a_node_that_is_much_younger_has_joined(read: Reading) -> None:
    """Nodes that came with the cluster have not joined it."""
    text = listed(node("w1", "06:00"), node("w2", "06:10"), node("w3", "10:20"))
    assert told(changes(read, text)) == [{"entity": "Node w3", "what": "node-joined", "at": moment("10:20")}]


def test_a_reboot_is_told_and_not_the_kubelet_that_it_started(read: Reading) -> None:
    """The kubelet says that its node has another boot id."""
    reboot = "Node w1 has been rebooted, boot id: 4abeb0e1-b48b-402c-b01f-b9f707f96363"
    events = [
        event("Node", "w1", "Starting", "Starting kubelet.", "10:20", None),
        event("Node", "w1", "Rebooted", reboot, "10:20", None),
    ]
    assert told(changes(read, listed(node("w1", "06:00"), *events))) == [
        {"entity": "Node w1", "what": "node-rebooted", "at": moment("10:20")}
    ]


def test_a_kubelet_that_started_again_in_another_version_was_upgraded(read: Reading) -> None:
    """Versions that differ are told with the start that brought them; kube-proxy's start is not the kubelet's."""
    nodes = [node("w1", "06:00", version="v1.35.0"), node("w2", "06:00"), node("w3", "06:00")]
    events = [
        event("Node", "w1", "Starting", "Starting kubelet.", "10:20", None),
        event("Node", "w2", "Starting", "", "10:30", None),
    ]
    assert told(changes(read, listed(*nodes, *events))) == [
        {"entity": "Node w1", "what": "kubelet-started", "at": moment("10:20"), "before": "v1.34.4", "after": "v1.35.0"}
    ]


def test_a_kubelet_starts_once_on_a_new_node(read: Reading) -> None:
    """The first start is part of joining."""
    started = event("Node", "w1", "Starting", "Starting kubelet.", "06:01", None)
    assert changes(read, listed(node("w1", "06:00"), started)) == []


def test_agents_write_to_nodes_people_decide(read: Reading) -> None:
    """A cordon is an edit, an agent's annotation is none."""
    nodes = [node("w1", "06:00", "flanneld 10:20", "kubelet 10:30"), node("w2", "06:00", "kubectl 10:10", "calico-node 10:20")]
    assert told(changes(read, listed(*nodes))) == [
        {"entity": "Node w2", "what": "edited", "at": moment("10:10"), "by": "kubectl"}
    ]


# --- the rest -----------------------------------------------------------------------------------------------


def test_a_certificate_that_expired_changed_at_its_end(read: Reading) -> None:
    """What ``kubeadm certs check-expiration`` calls invalid ended at a time like any other; the rest still holds."""
    text = "$ kubeadm certs check-expiration\n" + (HOST_SAMPLES / "certs-expiration.txt").read_text(encoding="utf-8")
    facts = [fact for fact in changes(read, text) if fact["what"] == "certificate-expired"]

    assert [fact["at"] for fact in facts] == ["2020-12-30T23:36:00Z"]


def test_printed_ages_tell_no_time(read: Reading) -> None:
    """``kubectl describe`` prints ages: without the clock of the reader they are no times."""
    text = (
        "Name: w1\nRoles: <none>\nConditions:\n  Type  Status\n  ----  ------\n  Ready True\nEvents:\n"
        "  Type     Reason    Age  From     Message\n  ----     ------    ---  ----     -------\n"
        "  Warning  Rebooted  5m   kubelet  Node w1 has been rebooted, boot id: 4abeb0e1\n"
    )
    assert changes(read, text) == []


@pytest.mark.parametrize("name", ["rollout.json", "undo.json", "zero.json"])
def test_every_change_can_be_read_somewhere(read: Reading, name: str) -> None:
    """No fact without a place, and only the fields of the vocabulary."""
    for fact in changes(read, sample(name)):
        assert fact.proofs
        assert set(fact.fields) <= {"what", "at", "by", "before", "after", "detail"}
