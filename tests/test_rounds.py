"""Evidence that can be asked again: what would settle the findings is asked for, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from kubecause.knowledge import load_cases
from kubecause.model import Channel, Document, Entity, Gap, Need, Result
from kubecause.pipeline import MAX_ROUNDS, diagnose_documents, diagnose_source
from kubecause.report import render

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def objects(*items: dict[str, Any]) -> Document:
    """Objects as an API server returned them."""
    lines = [json.dumps(item) for item in items]
    return Document("kubectl get pods -n shop", "objects", Channel.STATUS, lines, hints={"namespace": "shop"}, collected=NOW)


def crashing() -> dict[str, Any]:
    """A bare pod whose container ends with code 1 again and again."""
    ended = {"exitCode": 1, "reason": "Error", "startedAt": "2026-11-28T11:59:00Z", "finishedAt": "2026-11-28T11:59:01Z"}
    status = {
        "name": "app",
        "ready": False,
        "restartCount": 5,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": ended},
    }
    return {
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u", "creationTimestamp": "2026-11-28T11:00:00Z"},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": "web:1"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [status],
        },
    }


LOG = Document(
    "kubectl logs web -c app -n shop",
    "log",
    Channel.APP_LOG,
    ["panic: runtime error: invalid memory address or nil pointer dereference", "[signal SIGSEGV: segmentation violation]"],
    hints={"namespace": "shop", "pod": "web", "container": "app"},
    collected=NOW,
)


class Shelf:
    """Evidence that lies ready: the log is handed over once it is needed."""

    kind = "cluster"
    name = "shelf"

    def __init__(self, *first: Document | Gap | None, endless: bool = False) -> None:
        self._first = first
        self._endless = endless
        self.asked: list[Sequence[Need]] = []
        self.foreseen: list[Sequence[Need]] = []

    def begin(self) -> Iterable[Document | Gap | None]:
        """The first round."""
        return self._first

    def foresee(self, needs: Sequence[Need]) -> None:
        """Remember what there was time to find out."""
        self.foreseen.append(needs)

    def is_left_alone(self, entity: Entity) -> bool:
        """No pod stands for another one here."""
        del entity
        return False

    def settled_by(self, entity_kind: str, fact_kind: str) -> str:
        """Each kind of fact is asked for by itself."""
        del entity_kind
        return fact_kind

    def ask(self, needs: Sequence[Need]) -> Sequence[Document | Gap]:
        """The log of the pod, once; or for ever something new."""
        self.asked.append(needs)
        wanted = any(need.fact_kind == Channel.APP_LOG and need.entity.name == "web" for need in needs)
        return [LOG] if self._endless or (wanted and len(self.asked) == 1) else []


def faults(result: Result) -> list[str]:
    """Ids of the diagnoses in order."""
    return [diagnosis.finding.fault for diagnosis in result.diagnoses]


def test_a_symptom_asks_for_what_may_explain_it() -> None:
    """A crash loop asks for the log of its pod, and the log names the cause."""
    shelf = Shelf(objects(crashing()))

    result = diagnose_source(shelf, load_cases())

    assert ["container/segfault"] == faults(result)
    assert Need(str(Channel.APP_LOG), Entity("Pod", "web", "shop")) in shelf.asked[0]


def test_healthy_evidence_asks_for_nothing() -> None:
    """Where nothing is wrong one round is enough."""
    pod = crashing()
    pod["status"] = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "app", "ready": True, "restartCount": 0, "state": {"running": {}}}],
    }
    shelf = Shelf(objects(pod))

    assert [] == faults(diagnose_source(shelf, load_cases()))
    assert [] == shelf.asked


def test_rounds_come_to_an_end() -> None:
    """A source that always has something new is not asked for ever."""
    shelf = Shelf(objects(crashing()), endless=True)

    diagnose_source(shelf, load_cases())

    assert MAX_ROUNDS - 1 == len(shelf.asked)


def test_a_round_that_brings_only_gaps_is_the_last() -> None:
    """What was not seen is told, and hides what it hides; asking again would bring nothing else."""

    class Refusing(Shelf):
        def ask(self, needs: Sequence[Need]) -> Sequence[Document | Gap]:
            self.asked.append(needs)
            return [Gap("nodes", "forbidden: nodes", "get", "nodes", ("node.state",))]

    shelf = Refusing(objects(crashing()))
    result = diagnose_source(shelf, load_cases())

    assert 1 == len(shelf.asked)
    assert ["nodes"] == [gap.what for gap in result.gaps]
    assert "node/not-ready" not in result.clear


def test_what_is_done_while_an_answer_is_waited_for_changes_nothing() -> None:
    """The report is the same whether or not there was time."""
    knowledge = load_cases()
    gap = Gap("nodes", "forbidden: nodes", "get", "nodes", ("node.state",))
    plain, waiting = Shelf(objects(crashing()), gap), Shelf(objects(crashing()), None, gap)

    reports = [
        render(diagnose_source(shelf, knowledge), knowledge.cases, output="json", language="en") for shelf in (plain, waiting)
    ]

    assert reports[0] == reports[1]
    assert plain.asked == waiting.asked


def test_what_is_foreseen_is_matched_once() -> None:
    """What a symptom asks for comes while the first round waits; then another round brings nothing, and none follows."""

    class Waiting(Shelf):
        def begin(self) -> Iterable[Document | Gap | None]:
            yield from self._first
            if any(need.fact_kind == Channel.APP_LOG for needs in self.foreseen for need in needs):
                yield LOG
                self.asked.append([])  # the log is handed over once

    shelf = Waiting(objects(crashing()), None)
    result = diagnose_source(shelf, load_cases())

    assert ["container/segfault"] == faults(result)
    assert 1 == len(shelf.foreseen)
    assert 2 == len(shelf.asked)


def test_what_was_kept_gives_the_same_report() -> None:
    """The documents and gaps of all rounds, diagnosed at once, print the same bytes."""
    kept: list[Document | Gap] = []
    knowledge = load_cases()
    gap = Gap("nodes", "forbidden: nodes", "get", "nodes", ("node.state",))

    live = diagnose_source(Shelf(objects(crashing()), gap), knowledge, keep=kept.append)
    again = diagnose_documents(kept, knowledge, source=("cluster", "shelf"))

    assert [gap, LOG] == kept[1:]
    assert render(live, knowledge.cases, output="json", language="en") == render(
        again, knowledge.cases, output="json", language="en"
    )


def test_a_refusal_hides_the_faults_that_look_there() -> None:
    """What a refused request hides is told as faults, and none of these is called clear."""
    result = diagnose_source(Shelf(objects(crashing()), Gap("nodes", "forbidden", "get", "nodes", ("node.state",))), load_cases())

    [gap] = result.gaps
    assert "node/not-ready" in gap.hides
    assert not set(gap.hides) & set(result.clear)


@pytest.mark.parametrize(
    ("kind", "source", "name"),
    [("cluster", "prod", "prod"), ("cluster", "https://10.0.0.1:6443", None), ("text", "prod", None)],
)
def test_a_cluster_is_called_by_its_context(kind: str, source: str, name: str | None) -> None:
    """A live cluster has the name of its context; an address or a file's name is none."""
    said = Document("kubectl get pods", "log", Channel.CLIENT, ["Error from server: etcdserver: request timed out"])

    result = diagnose_documents([said], load_cases(), source=(kind, source))

    assert [("control-plane/etcd-unreachable", name)] == [(each.finding.fault, each.entity.name) for each in result.diagnoses]
    assert {link.entity.name for each in result.diagnoses for link in each.chain} == {name}
