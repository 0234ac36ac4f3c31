"""Ports of the host that a pod on the host network finds taken."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kubecause.facts import Extraction
from kubecause.match import SignalIndex
from kubecause.match.analyses import run_analyses
from kubecause.model import Channel, Document, Entity, Fact

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def taken(index: SignalIndex, line: str, **spec: Any) -> list[Fact]:
    """What is told of the node of a pod that logs a line."""
    pod = {
        "kind": "Pod",
        "metadata": {"name": "exporter", "namespace": "shop", "uid": "u"},
        "spec": {
            "nodeName": "n1",
            "hostNetwork": True,
            "containers": [{"name": "app", "ports": [{"containerPort": 9100}]}],
            **spec,
        },
        "status": {"phase": "Running"},
    }
    extraction = Extraction(index.filter)
    extraction.read(Document("kubectl get pods", "objects", Channel.STATUS, [json.dumps(pod)], collected=NOW))
    hints = {"namespace": "shop", "pod": "exporter", "container": "app"}
    extraction.read(Document("kubectl logs exporter", "log", Channel.APP_LOG, [line], hints=hints, collected=NOW))
    store, joins = extraction.finish()
    run_analyses(store, joins)
    return store.facts["node.port-taken"]


def test_a_declared_port_is_held_by_no_other_pod_that_declares_it(index: SignalIndex) -> None:
    """The node has it, and the container suffers."""
    [fact] = taken(index, "listen tcp 0.0.0.0:9100: bind: address already in use")

    assert (Entity("Node", "n1"), "9100") == (fact.entity, fact["port"])
    assert (Entity("Container", "app", "shop", pod="exporter"),) == fact["suffers"]


@pytest.mark.parametrize(
    ("line", "spec"),
    [
        ("listen tcp 0.0.0.0:9200: bind: address already in use", {}),
        ("bind: address already in use", {}),
        ("listen tcp 0.0.0.0:9100: bind: address already in use", {"hostNetwork": False}),
    ],
    ids=["another port", "no port named", "own network"],
)
def test_other_ports_tell_nothing_of_the_node(index: SignalIndex, line: str, spec: dict[str, Any]) -> None:
    """An undeclared port may be held by another pod, and a pod of its own network meets only itself."""
    assert not taken(index, line, **spec)
