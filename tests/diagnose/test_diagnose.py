"""From findings to ranked diagnoses, over the cases kubecause ships."""

from collections.abc import Callable, Mapping

import pytest

from kubecause.evidence.files import RawText
from kubecause.evidence.targets import documents_of
from kubecause.knowledge import load_cases
from kubecause.model import Diagnosis, Result
from kubecause.pipeline import diagnose_documents

Diagnose = Callable[..., Result]

EVENT = "Warning  {reason}  {age}  {source}  {message}"
PODS = "NAME  READY  STATUS  RESTARTS  AGE\n"


@pytest.fixture(scope="module")
def diagnosed() -> Diagnose:
    """A function from texts to a result."""
    knowledge = load_cases()

    def run(text: str, **more: str) -> Result:
        texts: Mapping[str, str] = {"paste.txt": text, **more}
        documents = [d for source, t in texts.items() for d in documents_of(RawText(source, t.split("\n"), 1, last=True))]
        return diagnose_documents(documents, knowledge, source=("text", "paste.txt"))

    return run


def faults(result: Result) -> list[str]:
    """Ids of the diagnoses, in order."""
    return [diagnosis.finding.fault for diagnosis in result.diagnoses]


def first(result: Result) -> Diagnosis:
    """The first diagnosis."""
    return result.diagnoses[0]


CORDONED = """\
$ kubectl get nodes
NAME  STATUS                     ROLES          AGE  VERSION
m1    Ready                      control-plane  9d   v1.31.2
w1    Ready,SchedulingDisabled   <none>         9d   v1.31.2
$ kubectl get pods -n shop
NAME                    READY   STATUS    RESTARTS   AGE
cart-6c9d7b8f54-q8xkz   0/1     Pending   0          8m
$ kubectl describe pod cart-6c9d7b8f54-q8xkz -n shop
Name:         cart-6c9d7b8f54-q8xkz
Namespace:    shop
Labels:       app=cart
              pod-template-hash=6c9d7b8f54
Status:       Pending
Controlled By:  ReplicaSet/cart-6c9d7b8f54
Events:
  Type     Reason            Age   From               Message
  ----     ------            ----  ----               -------
  Warning  FailedScheduling  8m    default-scheduler  0/2 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 1 node(s) were unschedulable. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.
"""


def test_a_cause_takes_its_symptoms_into_its_chain(diagnosed: Diagnose) -> None:
    """What a cause explains is told below it, not beside it."""
    result = diagnosed(CORDONED)

    assert faults(result) == ["scheduling/node-cordoned"]
    assert [link.fault for link in first(result).chain] == ["scheduling/node-cordoned", "pod/stuck-pending"]
    assert [entity.name for entity in first(result).affected] == ["cart-6c9d7b8f54-q8xkz"]


def test_a_fault_of_the_template_is_told_of_the_workload(diagnosed: Diagnose) -> None:
    """A finding on a pod is lifted to the Deployment that its labels prove."""
    entity = first(diagnosed(CORDONED)).entity

    assert (entity.kind, entity.namespace, entity.name) == ("Deployment", "shop", "cart")


def test_a_symptom_without_a_cause_is_told_as_a_symptom(diagnosed: Diagnose) -> None:
    """Nothing but CrashLoopBackOff gives a symptom, never a cause."""
    result = diagnosed(f"{PODS}web-5d9c7b8f54-x2x4x  0/1  CrashLoopBackOff  7 (30s ago)  12m\n")

    assert result.diagnoses
    assert all(diagnosis.symptom for diagnosis in result.diagnoses)


def test_causes_stand_before_symptoms(diagnosed: Diagnose) -> None:
    """A symptom of another pod never ranks above a cause."""
    result = diagnosed(
        CORDONED + f"$ kubectl get pods -n other\n{PODS}web-5d9c7b8f54-x2x4x  0/1  CrashLoopBackOff  7 (30s ago)  12m\n"
    )

    assert faults(result)[0] == "scheduling/node-cordoned"
    assert [diagnosis.symptom for diagnosis in result.diagnoses] == sorted(diagnosis.symptom for diagnosis in result.diagnoses)


def test_surer_statuses_rank_first(diagnosed: Diagnose) -> None:
    """Within the causes, confirmed stands before probable before possible."""
    order = ["confirmed", "probable", "possible"]
    texts = [
        EVENT.format(reason="Failed", age="1m", source="kubelet, w1", message='Error: secret "db" not found'),
        EVENT.format(
            reason="FailedScheduling",
            age="1m",
            source="default-scheduler",
            message="0/3 nodes are available: 3 Insufficient cpu.",
        ),
        "E0526 23:05:37.260316  1 main.go:289] Failed to check br_netfilter: stat /proc/sys/net/bridge: no such file or directory",
    ]

    statuses = [str(d.status) for d in diagnosed("\n".join(texts)).diagnoses if not d.symptom]

    assert len(statuses) >= 2
    assert statuses == sorted(statuses, key=order.index)


def test_the_order_of_the_evidence_does_not_matter(diagnosed: Diagnose) -> None:
    """The same texts in another order of files give the same diagnoses in the same order."""
    crash = f"{PODS}web-5d9c7b8f54-x2x4x  0/1  ImagePullBackOff  0  12m\n"
    one = diagnosed(CORDONED, other=crash)
    two = diagnosed(crash, other=CORDONED)

    assert faults(one) == faults(two)


def test_every_diagnosis_shows_a_line(diagnosed: Diagnose) -> None:
    """A diagnosis without a proof would ask to be believed."""
    for diagnosis in diagnosed(CORDONED).diagnoses:
        assert diagnosis.proofs
        assert all(proof.text for proof in diagnosis.proofs)


def test_a_healthy_cluster_gives_nothing(diagnosed: Diagnose) -> None:
    """Ready nodes, running pods and an old, finished restart are no fault."""
    result = diagnosed(
        "$ kubectl get nodes\nNAME  STATUS  ROLES  AGE  VERSION\nw1    Ready   <none>  9d  v1.31.2\n"
        f"$ kubectl get pods -n shop\n{PODS}web-5d9c7b8f54-x2x4x  1/1  Running  1 (8d ago)  9d\njob-1-abcde  0/1  Completed  0  2d\n"
    )

    assert faults(result) == []


def test_a_restarted_pod_that_is_ready_again_voids_its_events(diagnosed: Diagnose) -> None:
    """A warning about a pod that has been Ready since tells of the past."""
    pod = """\
Name:         web-0
Namespace:    shop
Status:       Running
Containers:
  web:
    State:          Running
      Started:      Tue, 03 Nov 2026 10:00:00 +0000
    Ready:          True
    Restart Count:  0
Conditions:
  Type    Status
  Ready   True
Events:
  Type     Reason   Age  From     Message
  ----     ------   ---- ----     -------
  Warning  Failed   40m  kubelet  Error: secret "db" not found
"""

    assert "config/secret-missing" not in faults(diagnosed(f"$ kubectl describe pod web-0 -n shop\n{pod}"))
    broken = pod.replace("Running", "Pending").replace("True", "False").replace("40m", "4s")
    assert faults(diagnosed(f"$ kubectl describe pod web-0 -n shop\n{broken}"))[0] == "config/secret-missing"


MOUNT = 'Warning  FailedMount  {age}  kubelet  MountVolume.SetUp failed for volume "cfg" : configmap "settings" not found'
STARTED = "Normal   Started      {age}  kubelet  Started container web"


def test_what_comes_before_a_start_is_over_once_a_container_started(diagnosed: Diagnose) -> None:
    """A mount that failed before a container of the pod started has succeeded since; one that fails later has not."""
    assert faults(diagnosed("\n".join([MOUNT.format(age="40s"), STARTED.format(age="20s")]))) == []
    later = diagnosed("\n".join([STARTED.format(age="40s"), MOUNT.format(age="20s")]))
    assert faults(later)[0] == "config/configmap-missing"
