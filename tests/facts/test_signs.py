"""When things first went bad: never later than they did, as far as the API tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from kubecause.facts.joins import Joins
from kubecause.facts.signs import Signs
from kubecause.facts.store import Store
from kubecause.model import Entity

Reading = Callable[..., tuple[Store, Joins]]

POD = Entity("Pod", "web-0", "shop")


def moment(time: str) -> str:
    """``10:20`` or ``10:20:30`` on the day of these tests, as the API writes it."""
    return f"2026-11-28T{time}Z" if time.count(":") == 2 else f"2026-11-28T{time}:00Z"


def at(time: str) -> datetime:
    """The same as a time."""
    return datetime.fromisoformat(moment(time)).astimezone(UTC)


def ended(started: str, finished: str, code: int = 1) -> dict[str, Any]:
    """A run of a container."""
    return {"terminated": {"exitCode": code, "reason": "Error", "startedAt": moment(started), "finishedAt": moment(finished)}}


def pod(restarts: int, state: dict[str, Any], last: dict[str, Any] | None = None, **conditions: str) -> dict[str, Any]:
    """A pod made at 09:00 with one container; conditions are the times at which they became false."""
    status = {"name": "web", "ready": False, "restartCount": restarts, "state": state, "lastState": last or {}}
    false = [{"type": kind, "status": "False", "lastTransitionTime": moment(time)} for kind, time in conditions.items()]
    return {
        "kind": "Pod",
        "metadata": {"name": "web-0", "namespace": "shop", "uid": "1", "creationTimestamp": moment("09:00")},
        "spec": {"containers": [{"name": "web"}]},
        "status": {"phase": "Running", "containerStatuses": [status], "conditions": false},
    }


def event(reason: str, first: str, last: str, kind: str = "Warning") -> dict[str, Any]:
    """An event of the pod."""
    about = {"kind": "Pod", "name": "web-0", "namespace": "shop"}
    times = {"firstTimestamp": moment(first), "lastTimestamp": moment(last), "count": 3}
    return {
        "kind": "Event",
        "metadata": {"name": reason},
        "involvedObject": about,
        "reason": reason,
        "message": reason,
        "type": kind,
        **times,
    }


BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff"}}
RUNNING = {"running": {"startedAt": moment("10:40")}}


@pytest.mark.parametrize(
    ("objects", "first"),
    [
        ([pod(0, ended("09:01", "10:20"))], "10:20"),  # its first end is known
        ([pod(1, RUNNING, ended("09:01", "10:20"))], "10:20"),  # it runs again, the end before is the first
        ([pod(1, BACK_OFF, ended("10:20", "10:30"))], "10:20"),  # the end before this run is not recorded, so: by its start
        ([pod(7, BACK_OFF, ended("10:20", "10:30"))], "09:00"),  # nobody knows; it may have crashed from its birth
        (
            [pod(7, BACK_OFF, ended("10:50:00", "10:50:05")), event("BackOff", "10:10:00", "10:50:10")],
            "10:09:55",
        ),  # one run before
        ([pod(7, BACK_OFF, ended("10:00", "10:50")), event("BackOff", "09:30", "10:50")], "09:00"),  # never before its birth
        ([pod(0, {"waiting": {"reason": "ImagePullBackOff"}}, Ready="09:01")], "09:01"),
        ([pod(3, BACK_OFF, Ready="10:59")], "09:00"),  # the readiness of a pod that loops flaps
        ([pod(0, {}, PodScheduled="09:02")], "09:02"),
        ([pod(0, RUNNING), event("Unhealthy", "10:05", "10:15")], "10:05"),
        ([pod(0, RUNNING), event("Pulled", "10:05", "10:15", "Normal")], None),
        ([pod(0, {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": moment("10:20")}})], None),
    ],
)
def test_the_first_sign_of_a_pod(read: Reading, objects: list[dict[str, Any]], first: str | None) -> None:
    """Ends of containers, conditions and warnings, each only where nothing earlier can have gone unseen."""
    _, joins = read(json.dumps({"kind": "List", "items": objects}, indent=1))
    assert Signs(joins).first([POD]) == (at(first) if first else None)


def test_a_container_has_the_signs_of_its_pod(read: Reading) -> None:
    """Findings speak of containers, events of pods."""
    _, joins = read(json.dumps(pod(0, ended("09:01", "10:20"))))
    assert Signs(joins).first([Entity("Container", "web", "shop", pod="web-0")]) == at("10:20")


@pytest.mark.parametrize(
    ("kind", "condition", "status", "first"),
    [
        ("Node", "Ready", "Unknown", "10:20"),
        ("Node", "DiskPressure", "True", "10:20"),
        ("Node", "Ready", "True", None),
        ("Deployment", "Available", "False", "10:20"),
        ("APIService", "Available", "False", "10:20"),
    ],
)
def test_a_condition_tells_since_when(read: Reading, kind: str, condition: str, status: str, first: str | None) -> None:
    """The last transition of a condition that means trouble."""
    told = {"type": condition, "status": status, "lastTransitionTime": moment("10:20")}
    metadata = {"name": "x", "uid": "1", **({"namespace": "shop"} if kind == "Deployment" else {})}
    _, joins = read(json.dumps({"kind": kind, "metadata": metadata, "status": {"conditions": [told]}}))
    entity = Entity(kind, "x", "shop" if kind == "Deployment" else None)
    assert Signs(joins).first([entity]) == (at(first) if first else None)


@pytest.mark.parametrize(("subsets", "first"), [([], "10:20"), ([{"addresses": [{"ip": "10.0.0.7"}]}], None)])
def test_a_service_went_bad_when_its_endpoints_were_emptied(read: Reading, subsets: list[Any], first: str | None) -> None:
    """The controller wrote an Endpoints object without an address."""
    metadata = {"name": "web", "namespace": "shop", "uid": "1"}
    written = [{"manager": "kube-controller-manager", "operation": "Update", "time": moment("10:20")}]
    service = {
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": {"app": "web"}},
        "status": {"loadBalancer": {"x": 1}},
    }
    endpoints = {"kind": "Endpoints", "metadata": {**metadata, "managedFields": written}, "subsets": subsets}
    _, joins = read(json.dumps({"kind": "List", "items": [service, endpoints]}, indent=1))
    assert Signs(joins).first([Entity("Service", "web", "shop")]) == (at(first) if first else None)


def test_the_earliest_of_several_counts(read: Reading) -> None:
    """One that fell ill later does not hide the first."""
    other = pod(0, ended("09:01", "10:10"))
    other["metadata"]["name"] = "web-1"
    _, joins = read(json.dumps({"kind": "List", "items": [pod(0, ended("09:01", "10:20")), other]}, indent=1))
    assert Signs(joins).first([POD, Entity("Pod", "web-1", "shop"), Entity("Pod", "gone", "shop")]) == at("10:10")


def test_an_event_among_the_facts_counts_by_its_first_time(read: Reading) -> None:
    """An event seen three times over an hour began an hour ago."""
    store, joins = read(json.dumps({"kind": "List", "items": [event("FailedMount", "10:00", "11:00")]}, indent=1))
    assert Signs(joins).first([], store.facts["line"]) == at("10:00")
