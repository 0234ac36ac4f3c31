"""The view object has the shape of the public contract and says nothing the evidence does not hold."""

from __future__ import annotations

import msgspec
import pytest

import samples
from kubecause import model
from kubecause.report import build
from kubecause.report.view import Report
from kubecause.text import Text

_DIAGNOSIS_KEYS = [
    "rank",
    "fault",
    "title",
    "what",
    "why",
    "status",
    "confidence",
    "severity",
    "entity",
    "affected",
    "affectedCount",
    "chain",
    "evidence",
    "fixes",
    "look",
    "references",
]


def _first(found: model.Diagnosis) -> dict[str, object]:
    report = build(model.Result("capture", "x", (found,)), samples.CASES, "en")
    data = report.to_data()["diagnoses"]
    assert isinstance(data, list)
    first = data[0]
    assert isinstance(first, dict)
    return first


def test_the_report_has_the_keys_of_the_contract_in_their_order() -> None:
    """Top level and diagnosis carry exactly the keys the contract shows, in its order."""
    data = build(samples.FULL, samples.CASES, "en").to_data()
    assert list(data) == ["apiVersion", "kind", "source", "diagnoses", "symptoms", "clear", "gaps"]
    assert data["apiVersion"] == "kubecause/v1"
    assert data["kind"] == "Report"
    assert data["source"] == {"kind": "capture", "name": "case-17"}
    assert list(_first(samples.CORDONED)) == _DIAGNOSIS_KEYS


def test_a_healthy_result_has_empty_lists() -> None:
    """Nothing found gives the same keys, all lists empty."""
    assert build(samples.EMPTY, {}, "en").to_data() == {
        "apiVersion": "kubecause/v1",
        "kind": "Report",
        "source": {"kind": "text", "name": "-"},
        "diagnoses": [],
        "symptoms": [],
        "clear": [],
        "gaps": [],
    }


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        (samples.CART, {"kind": "Deployment", "namespace": "shop", "name": "cart"}),
        (samples.CONTAINER, {"kind": "Container", "namespace": "shop", "pod": "web-0", "name": "web"}),
        (model.Entity("Container", "web"), {"kind": "Container", "namespace": None, "pod": None, "name": "web"}),
        (model.Entity("Pod", scope="a:1"), {"kind": "Pod", "namespace": None, "name": None}),
        (model.Entity("Node", "w2", cluster="east"), {"kind": "Node", "namespace": None, "name": "w2", "cluster": "east"}),
    ],
)
def test_entities_have_the_shapes_of_the_contract(entity: model.Entity, expected: dict[str, object]) -> None:
    """A missing name is null, only a Container has a pod, the cluster stands where it is known."""
    assert expected == _first(samples.diagnosis("x/y", entity))["entity"]


def test_affected_is_capped_and_counted() -> None:
    """Of 23 affected the first 20 are named and all are counted."""
    first = _first(samples.CORDONED)
    assert first["affectedCount"] == 23
    assert first["affected"] == [{"kind": "Pod", "namespace": "shop", "name": each.name} for each in samples.PODS[:20]]


def test_evidence_says_where_it_stands_and_what_it_means() -> None:
    """A line has its number, a field its path, time and count where known; what a signal says is filled in."""
    assert _first(samples.CORDONED)["evidence"] == [
        {
            "source": "transcript.txt",
            "line": 812,
            "text": samples.CORDON_LINE,
            "says": "the scheduler skipped w3 because it is cordoned",
        },
        {
            "source": "transcript.txt",
            "line": 990,
            "text": samples.CORDON_LINE,
            "says": "the scheduler skipped w3 because it is cordoned",
        },
        {
            "source": "nodes.json",
            "field": "items[w3].spec.unschedulable",
            "text": "true",
            "says": "w3 is marked unschedulable",
            "time": "2026-01-12T03:04:05Z",
            "count": 12,
        },
    ]


def test_escaped_quotes_and_blanks_do_not_keep_a_signal_from_speaking() -> None:
    """The bridge line has its quotes escaped and still gets the words of the signal that matched it."""
    evidence = _first(samples.BRIDGED)["evidence"]
    assert isinstance(evidence, list)
    assert evidence[0]["says"] == "the plugin refused to change the address"


def test_a_proof_no_signal_is_known_for_says_nothing() -> None:
    """Evidence that none of the held signals explains has no ``says``."""
    found = samples.diagnosis(
        "scheduling/node-cordoned", samples.CART, proofs=(samples.proof("something else"),), signals=("unschedulable", "state")
    )
    assert _first(found)["evidence"] == [{"source": "transcript.txt", "line": 812, "text": "something else"}]


def test_fixes_keep_their_order_and_unknown_names_stay_visible() -> None:
    """Fixes are those of the case, in its order; what the evidence does not name stays a placeholder; no harm is null."""
    assert _first(samples.CORDONED)["fixes"] == [
        {
            "title": "Open the node again",
            "risk": "safe",
            "harm": None,
            "steps": [{"at": "client", "run": "kubectl uncordon w3"}],
            "verify": {"at": "client", "run": "kubectl get node w3", "expect": "Ready"},
        },
        {
            "title": "Move the pods to another node",
            "risk": "disruptive",
            "harm": "all pods of cart restart",
            "when": "the node is still being worked on",
            "steps": [
                {"at": "client", "run": "kubectl label node <target> <label>"},
                {
                    "at": "node",
                    "run": "systemctl restart kubelet\nsystemctl status kubelet",
                    "only": "if the kubelet does not see the label",
                },
            ],
            "verify": {"at": "client", "run": "kubectl get pod -n shop -o wide", "expect": "Running on <target>"},
        },
    ]


@pytest.mark.parametrize("value", ["w3; reboot", "$(reboot)", "w3 --all", "--all", "../..", "a`b`", "w3\nreboot", "a'b", "节点"])
def test_a_name_that_means_something_to_a_shell_stays_out_of_commands(value: str) -> None:
    """Names come from evidence and commands are pasted into a shell: a dangerous name is shown in prose only."""
    found = samples.diagnosis("scheduling/node-cordoned", samples.CART, names={"node": value, "workload": "cart"})
    first = msgspec.convert(_first(found), dict[str, object])
    assert first["title"] == f"Node {value} is cordoned and cart fits nowhere else"
    fixes = first["fixes"]
    assert isinstance(fixes, list)
    assert fixes[0]["steps"][0]["run"] == "kubectl uncordon <node>"


def test_an_unexplained_symptom_has_no_fixes_and_a_place_to_look() -> None:
    """A symptom has no fixes even where its case has some, a command to go on with, and is repeated under ``symptoms``."""
    data = build(samples.FULL, samples.CASES, "en").to_data()
    symptom = _first(samples.CRASHING)
    assert symptom["fixes"] == []
    assert symptom["look"] == [
        {"at": "client", "run": "kubectl describe pod web-0 -n shop", "tells": "its conditions and its latest events"}
    ]
    assert data["symptoms"] == [
        {"fault": "pod/crash-looping", "entity": {"kind": "Container", "namespace": "shop", "pod": "web-0", "name": "web"}}
    ]


def test_a_symptom_without_a_name_is_looked_for_in_the_events() -> None:
    """Where no object can be named the first command is one that needs no name."""
    found = samples.diagnosis("pod/crash-looping", model.Entity("Pod", scope="a:1"), symptom=True)
    look = _first(found)["look"]
    assert isinstance(look, list)
    assert look[0]["run"].startswith("kubectl get events -A ")


def test_gaps_carry_the_request_only_where_one_was_refused() -> None:
    """verb, resource and hides stand where they are known and nowhere else."""
    assert build(samples.FULL, samples.CASES, "en").to_data()["gaps"] == [
        {
            "what": "logs of pod shop/cart-0",
            "why": "forbidden: pods/log",
            "verb": "get",
            "resource": "pods/log",
            "hides": ["container/oom-killed"],
        },
        {"what": "previous logs of pod shop/web-0", "why": "not in the bundle"},
    ]


def test_a_fault_without_a_case_is_shown_by_its_id() -> None:
    """A result may name a fault no case is loaded for; the report still stands."""
    first = _first(samples.diagnosis("new/fault", samples.NODE))
    assert first["title"] == "new/fault"
    assert first["fixes"] == []


def test_texts_come_in_the_language_asked_for() -> None:
    """Every filled text is Chinese in a Chinese report."""
    report = build(samples.FULL, samples.CASES, "zh")
    assert report.diagnoses[0].title == "节点 w3 被 cordon，cart 没有其他节点可去"
    assert report.diagnoses[0].evidence[0].says == "调度器因为 w3 被 cordon 而跳过了它"
    assert report.diagnoses[0].fixes[1].harm == "cart 的全部 Pod 会重启"
    assert report.diagnoses[2].look[0].tells == "对象的状态和最近的事件"


def test_a_report_reads_back_from_its_data() -> None:
    """The plain data is the whole report: reading it back gives an equal one."""
    report = build(samples.FULL, samples.CASES, "zh")
    assert msgspec.convert(report.to_data(), Report) == report


def test_signals_that_say_the_same_count_as_one() -> None:
    """A proof that two signals match gets their meaning when they agree and none when they do not."""
    signal = samples.CORDON.signals["unschedulable"]
    other = msgspec.structs.replace(signal, says=Text(en="something else", zh="别的"))
    for twin, expected in ((signal, "the scheduler skipped w3 because it is cordoned"), (other, msgspec.UNSET)):
        case = msgspec.structs.replace(samples.CORDON, signals={"unschedulable": signal, "state": twin})
        report = build(model.Result("text", "-", (samples.CORDONED,)), {case.id: case}, "en")
        assert expected == report.diagnoses[0].evidence[0].says
