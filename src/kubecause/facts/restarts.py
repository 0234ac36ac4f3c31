"""Whether a container is in trouble now or has healed.

No clock is needed: kubectl prints ages, and a container that has run undisturbed for several times the usual pause
between its restarts has healed.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from kubecause.facts.records_pod import ContainerStatus, Pod

_CALM = 3.0  # times the mean distance of the restarts
_LONG = 900.0  # seconds of quiet after which old restarts do not matter


@lru_cache(maxsize=4096)
def parse_time(text: str | None) -> datetime | None:
    """A time stamp as the API or kubectl prints it; None when it is none.

    >>> parse_time("Fri, 14 Nov 2025 21:15:54 +0800") == parse_time("2025-11-14T13:15:54Z")
    True
    """
    if not text:
        return None
    try:
        if "," in text:
            return parsedate_to_datetime(text)
        found = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else None


def pod_ready(pod: Pod) -> bool | None:
    """True when all containers are ready (or the pod completed), None when nothing tells."""
    if pod.status.phase == "Succeeded" or pod.status.printed == "Completed":
        return True
    for condition in pod.status.conditions:
        if condition.type == "Ready":
            return condition.status.strip() == "True"
    ready, slash, wanted = (pod.status.ready_text or "").partition("/")
    if slash:
        return ready == wanted and pod.status.printed == "Running"
    if pod.status.container_statuses:
        return all(status.ready for status in pod.status.container_statuses)
    return None


def quiet_for(pod: Pod, status: ContainerStatus | None, now: datetime | None) -> float | None:
    """Seconds since the last restart; None when nothing tells."""
    if pod.status.last_restart_age is not None:
        return pod.status.last_restart_age
    started = parse_time(status.state.running.started_at) if status and status.state.running else None
    if started and now:
        return max((now - started).total_seconds(), 0.0)
    return None


def looping(pod: Pod, status: ContainerStatus | None, now: datetime | None) -> bool:
    """True while a container keeps restarting."""
    restarts = status.restart_count if status else pod.status.restarts or 0
    waiting = status.state.waiting.reason if status and status.state.waiting else None
    if waiting in ("CrashLoopBackOff", "RunContainerError", "CreateContainerError", "StartError") or "CrashLoop" in (
        pod.status.printed or ""
    ):
        return True
    if status and status.state.terminated and pod.spec.restart_policy != "Never" and pod_ready(pod) is False and restarts > 0:
        return True
    if restarts < 1:
        return False
    if restarts == 1:
        return pod_ready(pod) is False
    quiet = quiet_for(pod, status, now)
    age = pod.status.age
    if quiet is None or quiet > _LONG:
        return quiet is None and pod_ready(pod) is False
    if age is None or age <= quiet:
        return True
    return quiet < _CALM * (age - quiet) / restarts


def settled(pod: Pod, now: datetime | None) -> bool:
    """True when a pod is ready and no container of it is restarting: what was reported before is over."""
    if pod_ready(pod) is not True or pod.metadata.deletion_timestamp:
        return False
    statuses: list[ContainerStatus | None] = list(pod.status.container_statuses) or [None]
    return not any(looping(pod, status, now) for status in statuses)
