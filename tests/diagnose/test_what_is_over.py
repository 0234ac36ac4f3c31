"""What is over explains what it left behind, and nothing that goes on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from kubecause.knowledge import load_cases
from kubecause.model import Channel, Document
from kubecause.pipeline import diagnose_documents

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
NODE = {
    "kind": "Node",
    "metadata": {"name": "n1", "uid": "n"},
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "PIDPressure", "status": "False"}]},
}
PRESSURE = {
    "kind": "Event",
    "metadata": {"name": "n1.1", "namespace": "default"},
    "type": "Warning",
    "reason": "EvictionThresholdMet",
    "message": "Attempting to reclaim pids",
    "involvedObject": {"kind": "Node", "name": "n1"},
    "lastTimestamp": "2026-11-28T11:40:00Z",
}


def pod(status: dict[str, Any]) -> dict[str, Any]:
    """A pod of the node."""
    return {
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "uid": "w", "creationTimestamp": "2026-11-28T11:00:00Z"},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": "web:1"}]},
        "status": status,
    }


CRASHING = {
    "phase": "Running",
    "conditions": [{"type": "Ready", "status": "False"}],
    "containerStatuses": [
        {
            "name": "app",
            "ready": False,
            "restartCount": 5,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-11-28T11:59:50Z"}},
        }
    ],
}
EVICTED = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: pids."}


def diagnosed(status: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The faults told, each with what it explains."""
    lines = [json.dumps(item) for item in (NODE, PRESSURE, pod(status))]
    document = Document("kubectl get", "objects", Channel.STATUS, lines, collected=NOW)
    result = diagnose_documents([document], load_cases(), source=("cluster", "dev"))
    return [(each.finding.fault, [link.fault for link in each.chain]) for each in result.diagnoses]


def test_a_pressure_that_is_over_makes_nothing_crash_now() -> None:
    """The crash loop has its own cause; the events of twenty minutes ago are none, and nothing to tell."""
    assert [("container/exit-general-error", ["container/exit-general-error", "container/crash-loop"])] == diagnosed(CRASHING)


def test_a_pressure_that_is_over_explains_who_was_evicted() -> None:
    """Evicted pods stay as they are."""
    [(fault, chain), *_] = diagnosed(EVICTED)

    assert "node/pid-pressure" == fault
    assert "pod/evicted" in chain
