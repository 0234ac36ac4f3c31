"""What is wrong with the pods of a made-up cluster (``cluster_state.py``): how each fault looks in a pod and in its events.

Wordings are those of Kubernetes 1.34 and containerd 1.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """One cause: what it does to a pod's status and what the events say.

    :param spoil: changes a healthy pod; takes a time, and the number of nodes.
    :param says: reason, component and message of its warnings.
    """

    name: str
    spoil: Callable[[Object, str, int], None]
    says: tuple[tuple[str, str, str], ...]


def _not_ready(pod: Object, when: str) -> Object:
    """Take readiness from the first container; returns its status."""
    status = pod["status"]
    name = pod["spec"]["containers"][0]["name"]
    for condition in status["conditions"]:
        if condition["type"] in ("Ready", "ContainersReady"):
            condition |= {"status": "False", "lastTransitionTime": when, "reason": "ContainersNotReady"}
            condition["message"] = f"containers with unready status: [{name}]"
    first: Object = status["containerStatuses"][0]
    first["ready"] = False
    return first


def _waits(reason: str, message: str) -> Callable[[Object, str, int], None]:
    """A container that never started."""

    def spoil(pod: Object, when: str, _nodes: int) -> None:
        first = _not_ready(pod, when)
        text = message.format(app=pod["spec"]["containers"][0]["name"])
        first |= {"state": {"waiting": {"reason": reason, "message": text}}, "started": False, "imageID": ""}
        first.pop("containerID")
        pod["status"]["phase"] = "Pending"

    return spoil


def _crashes(code: int, reason: str) -> Callable[[Object, str, int], None]:
    """A container that ends again and again."""

    def spoil(pod: Object, when: str, _nodes: int) -> None:
        first = _not_ready(pod, when)
        ended = {"exitCode": code, "reason": reason, "startedAt": when, "finishedAt": when, "containerID": first["containerID"]}
        message = f"back-off 5m0s restarting failed container={first['name']} pod={pod['metadata']['name']}"
        first |= {"state": {"waiting": {"reason": "CrashLoopBackOff", "message": message}}, "started": False}
        first |= {"lastState": {"terminated": ended}, "restartCount": 17}

    return spoil


def _unready(pod: Object, when: str, _nodes: int) -> None:
    """A container that runs and does not get ready."""
    _not_ready(pod, when)


def _unscheduled(pod: Object, when: str, nodes: int) -> None:
    """A pod that no node has room for."""
    del pod["spec"]["nodeName"]
    pod["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "64", "memory": "128Mi"}}
    message = _NO_ROOM.format(nodes=nodes)
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    condition |= {"lastProbeTime": None, "lastTransitionTime": when}
    pod["status"] = {"phase": "Pending", "conditions": [condition], "qosClass": "Burstable"}


_IMAGE = "registry.example/team/{app}:v1.4.2"
_BACK_OFF = ("BackOff", "kubelet", "Back-off restarting failed container {app} in pod {pod}_{namespace}")
_NOT_PULLED = (
    f'Failed to pull image "{_IMAGE}": rpc error: code = NotFound desc = failed to pull and unpack image "{_IMAGE}": '
    f'failed to resolve reference "{_IMAGE}": {_IMAGE}: not found'
)
_REFUSED = 'Readiness probe failed: Get "http://10.64.3.7:8080/healthz": dial tcp 10.64.3.7:8080: connect: connection refused'
_NO_ROOM = (
    "0/{nodes} nodes are available: {nodes} Insufficient cpu. preemption: 0/{nodes} nodes are available: {nodes} "
    "No preemption victims found for incoming pod."
)
_NO_MAP = 'configmap "{app}-config" not found'

CAUSES = (
    Broken("config", _waits("CreateContainerConfigError", _NO_MAP), (("Failed", "kubelet", f"Error: {_NO_MAP}"),)),
    Broken("image", _waits("ImagePullBackOff", f'Back-off pulling image "{_IMAGE}"'), (("Failed", "kubelet", _NOT_PULLED),)),
    Broken("memory", _crashes(137, "OOMKilled"), (_BACK_OFF,)),
    Broken("probe", _unready, (("Unhealthy", "kubelet", _REFUSED),)),
    Broken("crash", _crashes(1, "Error"), (_BACK_OFF,)),
    Broken("room", _unscheduled, (("FailedScheduling", "default-scheduler", _NO_ROOM),)),
)
EVERYDAY = (
    ("Scheduled", "default-scheduler", "Successfully assigned {namespace}/{pod} to a node"),
    ("Pulled", "kubelet", f'Container image "{_IMAGE}" already present on machine'),
    ("Created", "kubelet", "Created container: {app}"),
    ("Started", "kubelet", "Started container {app}"),
)
