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


def taken(index: SignalIndex, line: str, *others: dict[str, Any], owner: dict[str, str] | None = None, **spec: Any) -> list[Fact]:
    """What is told of the node of a pod that logs a line."""
    pod = {
        "kind": "Pod",
        "metadata": {"name": "exporter", "namespace": "shop", "uid": "u", "ownerReferences": [owner] if owner else []},
        "spec": {
            "nodeName": "n1",
            "hostNetwork": True,
            "containers": [{"name": "app", "ports": [{"containerPort": 9100}]}],
            **spec,
        },
        "status": {"phase": "Running"},
    }
    extraction = Extraction(index.filter)
    lines = [json.dumps(item) for item in (pod, *others)]
    extraction.read(Document("kubectl get pods", "objects", Channel.STATUS, lines, collected=NOW))
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


def test_where_no_scheduler_looked_another_pod_may_hold_the_port(index: SignalIndex) -> None:
    """Static pods are bound to their node from the start, and so are pods whose template names one."""
    line = "listen tcp 0.0.0.0:9100: bind: address already in use"
    daemons = {
        "kind": "DaemonSet",
        "metadata": {"name": "exporter", "namespace": "shop", "uid": "d"},
        "spec": {"template": {"spec": {"containers": [{"name": "app"}]}}},
    }
    bound = json.loads(json.dumps(daemons))
    bound["spec"]["template"]["spec"]["nodeName"] = "n1"
    of_set = {"kind": "DaemonSet", "name": "exporter", "uid": "d"}

    assert taken(index, line, daemons, owner=of_set)
    assert not taken(index, line, bound, owner=of_set)
    assert not taken(index, line, owner={"kind": "Node", "name": "n1", "uid": "n"})
