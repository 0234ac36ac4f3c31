"""What ``kubectl get pods`` prints of a pod, worked out from the pod itself as the API server does.

Source: ``printPod`` in k8s.io/kubernetes pkg/printers/internalversion/printers.go (v1.34) and ``HumanDuration`` in
k8s.io/apimachinery pkg/util/duration. A saved list holds the objects; the screen that triages a live cluster wants the cells.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

UNREACHABLE = "NodeLost"  # reason of a pod on a node that does not answer, while it is deleted


class _Nothing(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """An object of which nothing is read."""


class Waiting(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Why a container waits."""

    reason: str | None = None


class Running(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Since when a container runs."""

    started_at: str | None = None


class Terminated(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """How a container ended."""

    exit_code: int = 0
    signal: int | None = None
    reason: str | None = None
    finished_at: str | None = None


class ContainerState(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One of its fields is set."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The state of one container."""

    name: str = ""
    ready: bool = False
    restart_count: int = 0
    started: bool | None = None
    state: ContainerState | None = None
    last_state: ContainerState | None = None

    @property
    def runs_well(self) -> bool:
        """Ready, and never restarted."""
        return self.ready and not self.restart_count and self.state is not None and self.state.running is not None


class Condition(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A condition of a pod or node."""

    type: str = ""
    status: str = ""
    reason: str | None = None


class _InitContainer(msgspec.Struct, frozen=True, rename="camel", gc=False):
    name: str = ""
    restart_policy: str | None = None


class PodMeta(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Name and times."""

    name: str = ""
    namespace: str = ""
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: msgspec.Raw = msgspec.Raw()


class PodSpec(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What is counted."""

    node_name: str | None = None
    containers: list[_Nothing] | None = None
    init_containers: list[_InitContainer] | None = None


class PodStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What the screen looks at."""

    phase: str = ""
    reason: str | None = None
    pod_ip: str | None = msgspec.field(default=None, name="podIP")
    conditions: list[Condition] | None = None
    init_container_statuses: list[ContainerStatus] | None = None
    container_statuses: list[ContainerStatus] | None = None

    def has(self, condition: str) -> bool:
        """True when a condition is there and True."""
        return any(each.type == condition and each.status == "True" for each in self.conditions or ())


class ScreenedPod(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A pod, as far as ``kubectl get pods -o wide`` tells of it."""

    kind: str | None = None
    metadata: PodMeta = PodMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def runs_well(self) -> bool:
        """True for the pod that nearly all are: running, ready, without restarts, not going away."""
        status = self.status
        if status.phase != "Running" or status.reason or self.metadata.deletion_timestamp:
            return False
        if not status.container_statuses or len(status.container_statuses) != len(self.spec.containers or ()):
            return False
        return not status.init_container_statuses and all(each.runs_well for each in status.container_statuses)


class PodState(msgspec.Struct, frozen=True):
    """The cells of a pod that need no clock.

    :param restarted: when a container last ended, as the API writes times.
    """

    ready: str
    status: str
    restarts: int
    restarted: str | None


def state_of(pod: ScreenedPod) -> PodState:
    """What kubectl prints under READY, STATUS and RESTARTS."""
    status = pod.status
    reason = status.reason or status.phase
    if any(each.type == "PodScheduled" and each.reason == "SchedulingGated" for each in status.conditions or ()):
        reason = "SchedulingGated"
    sidecars = {each.name for each in pod.spec.init_containers or () if each.restart_policy == "Always"}
    total = len(pod.spec.containers or ()) + len(sidecars)
    statuses = status.init_container_statuses or []
    waits, ready = _initializing(pod, statuses, sidecars)
    counted = statuses
    if waits is None or status.has("Initialized"):
        counted = [each for each in statuses if each.name in sidecars] + (status.container_statuses or [])
        reason, running = _running(status.container_statuses or [], waits or reason)
        ready += running
        if reason == "Completed" and running:
            reason = "Running" if status.has("Ready") else "NotReady"
    else:
        reason = waits
    if pod.metadata.deletion_timestamp and status.reason == UNREACHABLE:
        reason = "Unknown"
    elif pod.metadata.deletion_timestamp and status.phase not in ("Succeeded", "Failed"):
        reason = "Terminating"
    ended = [each.last_state.terminated.finished_at for each in counted if each.last_state and each.last_state.terminated]
    restarted = max((time for time in ended if time), default=None)
    return PodState(f"{ready}/{total}", reason, sum(each.restart_count for each in counted), restarted)


def _initializing(pod: ScreenedPod, statuses: list[ContainerStatus], sidecars: set[str]) -> tuple[str | None, int]:
    """What STATUS says while init containers are not done, and how many sidecars are ready."""
    ready = 0
    for number, each in enumerate(statuses):
        state = each.state or ContainerState()
        if state.terminated and state.terminated.exit_code == 0:
            continue
        if each.name in sidecars and each.started:
            ready += each.ready
            continue
        if state.terminated:
            return f"Init:{_end_of(state.terminated)}", ready
        if state.waiting and state.waiting.reason and state.waiting.reason != "PodInitializing":
            return f"Init:{state.waiting.reason}", ready
        return f"Init:{number}/{len(pod.spec.init_containers or ())}", ready
    return None, ready


def _running(statuses: list[ContainerStatus], reason: str) -> tuple[str, int]:
    """What STATUS says once containers run: the first that waits or has ended; and how many are ready."""
    ready = 0
    for each in reversed(statuses):
        state = each.state or ContainerState()
        if state.waiting and state.waiting.reason:
            reason = state.waiting.reason
        elif state.terminated:
            reason = _end_of(state.terminated)
        elif each.ready and state.running:
            ready += 1
    return reason, ready


def _end_of(ended: Terminated) -> str:
    if ended.reason:
        return ended.reason
    return f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exit_code}"


# --- times ------------------------------------------------------------------------------------------------


def moment(text: str | None) -> datetime | None:
    """A time as the API writes it.

    >>> moment("2026-11-28T12:00:00Z")
    datetime.datetime(2026, 11, 28, 12, 0, tzinfo=datetime.timezone.utc)
    """
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def age(text: str | None, now: datetime | None) -> str | None:
    """How long ago a time is, as kubectl prints ages.

    >>> age("2026-11-28T11:55:55Z", moment("2026-11-28T12:00:00Z"))
    '4m5s'
    """
    then = moment(text)
    if then is None or now is None:
        return None
    seconds = max(int((now - then).total_seconds()), 0)
    if seconds < 120:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 2 * 365:
        return f"{days}d"
    return _two(days // 365, "y", days % 365, "d") if days < 8 * 365 else f"{days // 365}y"


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large}{unit}{small}{smaller}" if small else f"{large}{unit}"
