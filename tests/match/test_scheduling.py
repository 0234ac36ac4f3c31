"""Counterfactual scheduling (rule 4): every filter for every node, intent before blockers."""

from typing import Any

import pytest

from kubecause.facts.records_pod import Container, PodSpec, Resources
from kubecause.match.scheduling_filters import requests_of
from kubecause.match.scheduling_sentence import read_sentence
from kubecause.model import Fact

POD = """
$ kubectl describe pod cart-0 -n shop
Name:             cart-0
Namespace:        shop
Node:             <none>
Status:           Pending
Containers:
  cart:
    Image:      cart:1
    Requests:
      cpu:     {cpu}
      memory:  {memory}
Node-Selectors:  {selector}
Tolerations:     <none>
Events:
  Type     Reason            Age   From               Message
  ----     ------            ----  ----               -------
  Warning  FailedScheduling  71s   default-scheduler  {message}
"""

NODE = """
$ kubectl describe node {name}
Name:               {name}
Labels:             {labels}
Taints:             {taints}
Unschedulable:      {cordoned}
Allocatable:
  cpu:                4
  memory:             8Gi
  pods:               110
PodCIDR:            10.244.1.0/24
Allocated resources:
  Resource           Requests    Limits
  --------           --------    ------
  cpu                {used} (10%)  0 (0%)
  memory             1Gi (12%)   0 (0%)
"""


def node(name: str, labels: str = "a=b", taints: str = "<none>", cordoned: bool = False, used: str = "500m") -> str:
    """A node's describe output."""
    return NODE.format(name=name, labels=labels, taints=taints, cordoned=str(cordoned).lower(), used=used)


MASTER = node("m1", "node-role.kubernetes.io/control-plane=", "node.kubernetes.io/unschedulable:NoSchedule", cordoned=True)


def blocked(reason: Any, *nodes: str, selector: str = "<none>", message: str, cpu: str = "200m", memory: str = "128Mi") -> Fact:
    """The verdict on the one pending pod."""
    store, _ = reason(POD.format(cpu=cpu, memory=memory, selector=selector, message=message) + "".join(nodes))
    [fact] = store.facts["scheduling.blocked"]
    assert isinstance(fact, Fact)
    return fact


def test_cordoned_node_that_carries_the_label_is_a_cordon(reason: Any) -> None:
    """Two nodes do not match the selector, one was unschedulable: the cordoned one carries the label."""
    fact = blocked(
        reason,
        node("w1"),
        node("w2"),
        node("w3", "disk=ssd", cordoned=True),
        selector="disk=ssd",
        message="0/3 nodes are available: 2 node(s) didn't match Pod's node affinity/selector, 1 node(s) were unschedulable.",
    )

    assert ("cordon", "w3", True) == (fact["by"], fact["nodes"], fact["certain"])


def test_label_that_no_node_carries_is_a_selector_fault(reason: Any) -> None:
    """The same sentence, but no node has the label."""
    fact = blocked(
        reason,
        node("w1"),
        node("w2"),
        node("w3", cordoned=True),
        selector="disk=ssd",
        message="0/3 nodes are available: 2 node(s) didn't match Pod's node affinity/selector, 1 node(s) were unschedulable.",
    )

    assert ("node-selector", "disk=ssd") == (fact["by"], fact["wanted"])


def test_cordoned_control_plane_is_no_candidate_beside_workers(reason: Any) -> None:
    """The cordon of a control-plane node is normal; the workers lack CPU."""
    fact = blocked(
        reason,
        MASTER,
        node("w1"),
        node("w2"),
        cpu="16",
        message="0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.",
    )

    assert ("cpu", "w1, w2", "16", "3.5") == (fact["by"], fact["nodes"], fact["wanted"], fact["offered"])


def test_taint_blocks_the_only_node_that_is_meant(reason: Any) -> None:
    """The selector leaves one node, and that one is tainted."""
    fact = blocked(
        reason,
        MASTER,
        node("w1", "disk=ssd", "dedicated=db:NoSchedule"),
        node("w2"),
        selector="disk=ssd",
        message="0/3 nodes are available: 1 node(s) had untolerated taint {dedicated: db}, 1 node(s) were unschedulable, 1 node(s) didn't match Pod's node affinity/selector.",
    )

    assert ("taint", "dedicated=db:NoSchedule") == (fact["by"], fact["taint"])


def test_taint_of_a_condition_is_the_condition(reason: Any) -> None:
    """The node controller taints a node that is unreachable: the taint is an effect."""
    fact = blocked(
        reason,
        node("w1", "disk=ssd", "node.kubernetes.io/unreachable:NoSchedule"),
        node("w2"),
        selector="disk=ssd",
        message="0/2 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 1 node(s) didn't match Pod's node affinity/selector.",
    )

    assert "node-condition" == fact["by"]


@pytest.mark.parametrize(
    ("why", "by"), [("cannot allocate all claims", "device-claim"), ("the pod has no licence for this node", "other")]
)
def test_what_no_node_object_shows_blocks_the_node_that_the_selector_fits(reason: Any, why: str, by: str) -> None:
    """Also when a plugin says it whose words nobody here knows: the selector is not to blame for it."""
    fact = blocked(
        reason,
        node("w1", "disk=ssd"),
        node("w2", "disk=hdd"),
        selector="disk=ssd",
        message=f"0/2 nodes are available: 1 {why}, 1 node(s) didn't match Pod's node affinity/selector. preemption: none.",
    )

    assert (fact["by"], fact["nodes"]) == (by, "w1")


def test_affinity_between_pods_is_taken_from_the_sentence(reason: Any) -> None:
    """What node objects do not show is what the scheduler says of the remaining candidates."""
    fact = blocked(
        reason,
        MASTER,
        node("w1"),
        node("w2"),
        message="0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match pod anti-affinity rules.",
    )

    assert ("pod-anti-affinity", "w1, w2") == (fact["by"], fact["nodes"])


def test_without_nodes_the_largest_reason_is_only_probable(reason: Any) -> None:
    """The sentence alone never makes a verdict certain."""
    fact = blocked(
        reason, message="0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match pod affinity rules."
    )

    assert ("pod-affinity", False) == (fact["by"], fact["certain"])


@pytest.mark.parametrize(
    ("message", "by"),
    [
        ("0/9 nodes are available: 2 Insufficient cpu, 7 node(s) didn't match Pod's node affinity/selector.", "cpu"),
        ("0/9 nodes are available: 3 Insufficient cpu, 9 node(s) didn't match node selector.", "node-selector"),
        (
            "0/9 nodes are available: 2 node(s) had untolerated taint {a: b}, 7 node(s) didn't match node selector.",
            "node-selector",
        ),
    ],
    ids=["passed the selector", "told at once, before 1.19", "not known to have passed"],
)
def test_without_nodes_those_that_passed_the_selector_tell(reason: Any, message: str, by: str) -> None:
    """A node is told for the first filter that it fails."""
    assert blocked(reason, selector="disk=ssd", message=message)["by"] == by


def test_pending_pod_without_a_word_means_no_scheduler(reason: Any) -> None:
    """No event after a minute: nobody decides."""
    store, _ = reason(
        "$ kubectl get pods -n shop\nNAME     READY   STATUS    RESTARTS   AGE\ncart-0   0/1     Pending   0          82s\n"
        "\n$ kubectl describe pod cart-0 -n shop\nName: cart-0\nNamespace: shop\nNode: <none>\nStatus: Pending\nQoS Class: Burstable\nEvents: <none>\n"
    )

    assert [1] == [fact["pods"] for fact in store.facts["scheduler.absent"]]


@pytest.mark.parametrize(
    ("message", "reasons"),
    [
        ("0/4 nodes are available: 4 node(s) had taints that the pod didn't tolerate.", {"taint": 4}),
        (
            "0/4 nodes are available: 1 node(s) had taint {a: b}, that the pod didn't tolerate, 3 Insufficient memory.",
            {"taint": 1, "memory": 3},
        ),
        ("0/2 nodes are available: 2 node(s) didn't match node selector.", {"selector": 2}),
        (
            "0/2 nodes are available: 2 node(s) didn't match pod affinity/anti-affinity, 2 node(s) didn't satisfy existing pods anti-affinity rules.",
            {"pod-anti-affinity": 4},
        ),
        (
            "0/9 nodes are available: 9 Too many pods. preemption: 0/9 nodes are available: 9 No preemption victims found for incoming pod.",
            {"pods": 9},
        ),
        ("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", {"extended-resource": 3}),
        ("No nodes are available that match all of the following predicates:: PodToleratesNodeTaints (1).", {"taint": 1}),
        ("0/2 nodes are available: 2 node(s) had volume node affinity conflict.", {"volume-zone": 2}),
        (
            "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/2 nodes are available",
            {"claim-unbound": 2},
        ),
        ('0/4 nodes are available: persistentvolumeclaim "data" not found.', {"claim-missing": 4}),
        ("0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints.", {"topology-spread": 3}),
        (
            "0/60 nodes are available: 60 ExistingPodsAntiAffinityRulesNotMatch, 60 MatchInterPodAffinity.",
            {"pod-anti-affinity": 60},
        ),
        ("0/2 nodes are available: 2 Insufficient attachable-volumes-aws-ebs.", {"volume-count": 2}),
        ("fit failure summary on nodes : Insufficient pods (2), PodToleratesNodeTaints (1)", {"pods": 2, "taint": 1}),
        (
            "pod didn't trigger scale-up (it wouldn't fit if a new node is added): 1 node(s) didn't match node selector",
            {"selector": 1},
        ),
    ],
)
def test_sentence_of_every_version_is_understood(message: str, reasons: dict[str, int]) -> None:
    """Reasons are counted in old and new wordings; the preemption part never is."""
    sentence = read_sentence(message)

    assert sentence is not None
    assert reasons == sentence.reasons


def test_sidecars_request_beside_the_containers() -> None:
    """And beside the init containers behind them; an ordinary init container counts where it needs more than the rest."""

    def container(cpu: str, **more: Any) -> Container:
        return Container(name="x", resources=Resources(requests={"cpu": cpu}), **more)

    sidecar = container("1", restart_policy="Always")
    small, large = container("2"), container("5")

    assert requests_of(PodSpec(containers=[container("3")], init_containers=[sidecar, small])) == {"cpu": 4.0}
    assert requests_of(PodSpec(containers=[container("3")], init_containers=[sidecar, large])) == {"cpu": 6.0}
    assert requests_of(PodSpec(containers=[container("3")], init_containers=[large, sidecar])) == {"cpu": 5.0}
