"""``kubectl describe`` of several versions and kinds."""

from pathlib import Path
from typing import Any

import pytest

from kubecause.evidence.files import RawText
from kubecause.evidence.targets import documents_of
from kubecause.facts.describe import kind_of_word, parse_described
from kubecause.facts.drafts import Draft
from kubecause.facts.event_rows import EventRow

SAMPLES = Path(__file__).parents[1] / "samples" / "kubectl"
VERSIONS = sorted(path.name for path in SAMPLES.iterdir())


def described(path: Path) -> tuple[Draft, list[EventRow]]:
    """The draft and the events of one describe output, without any command to help."""
    [document] = documents_of(RawText(path.name, path.read_text().split("\n"), 1, last=True))
    draft, *events = parse_described(document)
    assert isinstance(draft, Draft)
    return draft, [event for event in events if isinstance(event, EventRow)]


@pytest.mark.parametrize("name", sorted(path.name for path in (SAMPLES / "1.32").iterdir()))
def test_every_version_tells_the_same_of_an_object(name: str) -> None:
    """Kubectl 1.27, 1.31 and 1.32 print the same object differently; the draft is the same."""
    drafts = [described(SAMPLES / version / name)[0] for version in VERSIONS if (SAMPLES / version / name).exists()]
    for draft in drafts:
        draft.data.get("status", {}).pop("age", None)
        draft.data.get("status", {}).pop("endpoints", None)  # 1.31 lists addresses that are not ready
        template = draft.data.get("spec", {}).get("template", {}).get("spec", {})
        for newer in ("nodeSelector", "tolerations"):  # not printed for templates by 1.27
            template.pop(newer, None)

    assert all(draft.data == drafts[0].data for draft in drafts)
    assert len({draft.kind for draft in drafts}) == 1


def test_crashing_pod_tells_state_limits_probe_and_owner() -> None:
    """A pod's describe output gives what reasoning needs, each with its line."""
    draft, events = described(SAMPLES / "1.32" / "pod_web-7db9fccd9b-2j6dh.describe")
    [status] = draft.data["status"]["containerStatuses"]
    [container] = draft.data["spec"]["containers"]

    assert ("Pod", "web-7db9fccd9b-2j6dh", "shop") == (draft.kind, draft.name, draft.namespace)
    assert "CrashLoopBackOff" == status["state"]["waiting"]["reason"]
    assert {"reason": "OOMKilled", "exitCode": 137} == {k: status["lastState"]["terminated"][k] for k in ("reason", "exitCode")}
    assert {"cpu": "500m", "memory": "128Mi"} == container["resources"]["limits"]
    assert (8080, "/healthz", 3) == (
        container["livenessProbe"]["httpGet"]["port"],
        container["livenessProbe"]["httpGet"]["path"],
        container["livenessProbe"]["initialDelaySeconds"],
    )
    assert {"key": "pw", "name": "db", "optional": False} == container["env"][0]["valueFrom"]["secretKeyRef"]
    assert [{"kind": "ReplicaSet", "name": "web-7db9fccd9b", "controller": True}] == draft.data["metadata"]["ownerReferences"]
    assert draft.proofs["status.containerStatuses.web.state"].line is not None
    assert [("BackOff", 33), ("Unhealthy", 5)] == [(event.reason, event.count) for event in events if event.type == "Warning"]


def test_evicted_pod_keeps_reason_and_message() -> None:
    """A pod-level reason and its message are read; the node of ``n1/`` is n1."""
    draft, _ = described(SAMPLES / "1.32" / "pod_web-evicted.describe")

    assert ("Evicted", "n1") == (draft.data["status"]["reason"], draft.data["spec"]["nodeName"])
    assert draft.data["status"]["message"].startswith("The node was low on resource")


def test_node_tells_conditions_taints_and_room() -> None:
    """A node's describe output gives conditions with messages, taints, allocatable and requested amounts."""
    draft, _ = described(SAMPLES / "1.32" / "node_n1.describe")
    conditions = {condition["type"]: condition for condition in draft.data["status"]["conditions"]}

    assert ("False", "KubeletNotReady") == (conditions["Ready"]["status"], conditions["Ready"]["reason"])
    assert "cni plugin not initialized" in conditions["Ready"]["message"]
    assert [{"key": "node.kubernetes.io/disk-pressure", "value": None, "effect": "NoSchedule"}] == draft.data["spec"]["taints"]
    assert {"cpu": "1", "memory": "256Mi", "ephemeral-storage": "0"} == draft.data["status"]["requested"]
    assert draft.data["spec"]["unschedulable"] is True


def test_namespace_gives_its_quotas_as_objects() -> None:
    """``describe namespace`` prints quotas; each becomes a draft of its own."""
    path = SAMPLES / "1.32" / "ns_shop.describe"
    [document] = documents_of(RawText(path.name, path.read_text().split("\n"), 1, last=True))
    quotas = [item for item in parse_described(document) if isinstance(item, Draft) and item.kind == "ResourceQuota"]

    assert [("q", {"pods": "4", "requests.cpu": "750m"})] == [(q.name, q.data["status"]["used"]) for q in quotas]


def test_service_tells_selector_ports_and_policy() -> None:
    """A service's ports keep their target and node ports."""
    draft, _ = described(SAMPLES / "1.32" / "svc_web.describe")

    assert [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080, "nodePort": 31325}] == draft.data["spec"]["ports"]
    assert ({"app": "web"}, "Local", []) == (
        draft.data["spec"]["selector"],
        draft.data["spec"]["externalTrafficPolicy"],
        draft.data["status"]["endpoints"],
    )


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("po", "Pod"),
        ("pods", "Pod"),
        ("deploy", "Deployment"),
        ("services", "Service"),
        ("ingresses", "Ingress"),
        ("pvc", "PersistentVolumeClaim"),
        ("nonsense", None),
    ],
)
def test_words_of_the_command_line_name_kinds(word: str, kind: str | None) -> None:
    """Short names, singular and plural are known; other words are not."""
    assert kind == kind_of_word(word)


STATES = """
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          False
    Restart Count:  7
"""


@pytest.mark.parametrize("text", [STATES.strip("\n"), STATES.strip(), STATES[STATES.index("    Last") :]])
def test_states_of_a_container_are_read_without_what_stands_above_them(read: Any, text: str) -> None:
    """As people paste them: with the indent of the first line cut off, or from the last state on."""
    store, _ = read(text)

    assert [("OOMKilled", 137, 7)] == [(f["last_reason"], f["exit_code"], f["restarts"]) for f in store.facts["container.state"]]


@pytest.mark.parametrize("kind", ["Reclaim Policy:  Delete", "Used By:       <none>"])
def test_what_is_printed_as_terminating_is_held_by_its_finalizers(read: Any, kind: str) -> None:
    """Of a volume or claim kubectl prints how long it lasts, and no time."""
    store, _ = read(f"Name:          data\nFinalizers:    [example.com/held]\nStatus:        Terminating (lasts 2h)\n{kind}\n")

    assert ["example.com/held"] == [fact["finalizers"] for fact in store.facts["object.terminating"]]
