"""Standing grants of all rights: told for outsiders, silent for the system, for operators and for a namespace's own people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kubecause.evidence.cluster.documents import objects
from kubecause.knowledge import load_cases
from kubecause.model import Diagnosis, Status
from kubecause.pipeline import diagnose_documents

FRESH = Path(__file__).parent.parent / "samples" / "kubectl" / "rbac-fresh-1.34.jsonl"
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
FAULT = "access/ops-grant-present"
Item = dict[str, Any]


def fresh() -> list[Item]:
    """What an API server 1.34 makes itself (a part of it)."""
    return [json.loads(line) for line in FRESH.read_text("utf-8").splitlines()]


def binding(name: str, subject: Item, role: str = "cluster-admin", namespace: str | None = None, **meta: Any) -> Item:
    """A binding as the API stores it."""
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    place = {"namespace": namespace} if namespace else {}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    return {
        "kind": kind,
        "metadata": {"name": name, "uid": f"uid-{name}", **place, **meta},
        "roleRef": reference,
        "subjects": [subject],
    }


def user(name: str) -> Item:
    """A user as a subject."""
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}


def group(name: str) -> Item:
    """A group as a subject."""
    return {**user(name), "kind": "Group"}


def account(namespace: str, name: str) -> Item:
    """A ServiceAccount as a subject."""
    return {"kind": "ServiceAccount", "namespace": namespace, "name": name}


def deployment(namespace: str, name: str, runs_as: str) -> Item:
    """A workload that runs as an account."""
    spec = {"replicas": 1, "template": {"spec": {"serviceAccountName": runs_as, "containers": [{"name": "a", "image": "a"}]}}}
    meta = {"name": name, "namespace": namespace, "uid": f"uid-{name}"}
    return {"kind": "Deployment", "metadata": meta, "spec": spec, "status": {"replicas": 1, "readyReplicas": 1}}


def role(name: str, verbs: Sequence[str], resources: Sequence[str], groups: Sequence[str]) -> Item:
    """A ClusterRole."""
    rules = [{"verbs": verbs, "resources": resources, "apiGroups": groups}]
    return {"kind": "ClusterRole", "metadata": {"name": name, "uid": f"uid-{name}"}, "rules": rules}


def told(*items: Item) -> list[Diagnosis]:
    """The diagnoses of a cluster with some objects beside what is always there."""
    by_kind: dict[str, list[Item]] = {}
    for item in [*fresh(), *items]:
        by_kind.setdefault(item["kind"], []).append(item)
    documents = [objects(f"kubectl get {kind} -A", some, NOW, {"lists": kind}) for kind, some in by_kind.items()]
    return list(diagnose_documents(documents, load_cases(), source=("cluster", "dev")).diagnoses)


def test_a_fresh_cluster_is_silent() -> None:
    """The bindings that every cluster has are part of it."""
    documents = [objects("kubectl get clusterrolebindings", fresh(), NOW)]

    result = diagnose_documents(documents, load_cases(), source=("cluster", "dev"))

    assert ((), ()) == (result.diagnoses, result.gaps)


@pytest.mark.parametrize(
    "subject",
    [user("support@vendor.example.test"), group("vendor:ops"), account("kube-system", "tkeopsaccount"), account("tools", "sre")],
)
def test_outsiders_are_confirmed(subject: Item) -> None:
    """A name that says operations, support or vendor leaves no doubt, in kube-system too."""
    (found,) = told(binding("outside", subject))

    assert (FAULT, "Cluster", "dev", Status.CONFIRMED) == (
        found.finding.fault,
        found.entity.kind,
        found.entity.name,
        found.status,
    )
    assert "outside" == found.names["binding"]


def test_a_label_of_an_operations_account_is_enough() -> None:
    """Vendors' consoles mark what they make."""
    marks = {"cloud.tencent.com/tke-ops-account": "tkeops"}

    (found,) = told(binding("b", account("kube-system", "x"), labels=marks))

    assert Status.CONFIRMED == found.status


@pytest.mark.parametrize(
    "subject",
    [user("me"), group("developers"), account("tools", "robot"), group("system:authenticated"), group("system:serviceaccounts:shop"),
     user("system:anonymous")],
)  # fmt: skip
def test_others_outside_the_system_are_probable(subject: Item) -> None:
    """Anybody with all rights is worth a remark, groups that everybody is in above all."""
    (found,) = told(binding("b", subject))

    assert Status.PROBABLE == found.status


@pytest.mark.parametrize(
    "subject",
    [
        group("system:masters"),
        group("kubeadm:cluster-admins"),
        user("system:kube-controller-manager"),
        account("kube-system", "addon-manager"),
    ],
)
def test_the_system_is_not_told(subject: Item) -> None:
    """Accounts of Kubernetes, of its installer and of its add-ons work with all rights by design."""
    assert [] == told(binding("b", subject))


def test_an_account_that_a_workload_runs_as_is_not_told() -> None:
    """An operator works with its rights; an account beside it that nothing runs as is told."""
    operator = deployment("tools", "operator", "operator")

    assert [] == told(operator, binding("b", account("tools", "operator")))
    (found,) = told(operator, binding("b", account("tools", "robot")))
    assert "ServiceAccount tools/robot" == found.names["holder"]


def test_a_role_of_stars_counts_as_well() -> None:
    """Every verb on every resource of every group is all rights; less is not."""
    everything = role("all", ["*"], ["*"], ["*"])
    less = role("less", ["*"], ["*"], ["apps"])
    reads = role("reads", ["get", "list"], ["*"], ["*"])

    assert 1 == len(told(everything, binding("b", user("me"), "all")))
    assert [] == told(
        less, reads, binding("b", user("me"), "less"), binding("c", user("me"), "reads"), binding("d", user("me"), "gone")
    )


def test_a_namespace_may_belong_to_its_people() -> None:
    """Within a namespace only outsiders and accounts of other namespaces are told."""
    assert [] == told(binding("b", user("me"), namespace="shop"), binding("c", account("shop", "deployer"), namespace="shop"))
    assert 1 == len(told(binding("b", account("tools", "deployer"), namespace="shop")))
    assert 1 == len(told(binding("b", user("vendor-support"), namespace="shop")))


def test_several_grants_are_one_remark_behind_what_is_broken() -> None:
    """All grants of a cluster are one diagnosis, and no real fault stands behind it."""
    broken = deployment("shop", "web", "web")
    broken["status"] = {"replicas": 0, "conditions": [{
        "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
        "message": 'pods "web-5d4f8c7b9-" is forbidden: error looking up service account shop/web: serviceaccount "web" not found',
    }]}  # fmt: skip

    found = told(broken, *(binding(f"b{n}", user(f"support-{n}")) for n in range(4)))

    assert FAULT == found[-1].finding.fault
    assert len(found) > 1
    assert ["b0", "b1", "b2", "b3"] == [entity.name for entity in found[-1].affected]


def test_tokens_without_an_end_are_told_by_the_account_itself() -> None:
    """What an account lists is enough; no Secret is read."""
    holder = {"kind": "ServiceAccount", "metadata": {"name": "sre", "namespace": "tools", "uid": "u"},
              "secrets": [{"name": "sre-token-x7k2p"}, {"name": "sre-dockercfg"}]}  # fmt: skip

    (found,) = told(holder, binding("b", account("tools", "sre")))

    assert "sre-token-x7k2p" == found.finding.facts[0]["tokens"]


def test_a_manifest_nobody_applied_is_no_grant() -> None:
    """Only what the cluster holds counts."""
    planned = binding("b", user("vendor"))
    del planned["metadata"]["uid"]

    assert [] == told(planned)
