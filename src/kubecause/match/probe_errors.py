"""Probes that the kubelet cannot even carry out: a port name nobody declares, a command that does not start.

Such a probe has no result ("errored and resulted in unknown state", pkg/kubelet/prober): a liveness probe never restarts
anything and the pod looks healthy, so the template that still asks for the impossible decides, not the state of the pod.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubecause.facts.joins import Joins
from kubecause.facts.records import Workload
from kubecause.facts.records_pod import Container, Pod, Probe
from kubecause.facts.store import Store, Thing
from kubecause.model import Fact

_ERRORED = re.compile(r"(?P<probe>Liveness|Readiness|Startup) probe errored")
_NAME = re.compile(r"strconv\.Atoi: parsing \"(?P<port>[^\"\\]{1,63})")
_COMMAND = re.compile(
    r"exec: \\?\"(?P<command>[^\"\\]{1,200})\\?\"[^\n]{0,300}?(?:not found|no such file|permission denied|is a directory)"
)


def probe_error_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``probe.wrong`` of every container whose template still carries the probe that errored."""
    done: set[tuple[object, str]] = set()
    for fact in store.facts["line"]:
        text = str(fact["text"])
        errored = _ERRORED.search(text) if fact["reason"] == "Unhealthy" else None
        if errored is None:
            continue
        which = errored["probe"].lower()
        owner = joins.top_owner(fact.entity)
        asked = _COMMAND.search(text) or _NAME.search(text)
        thing = store.things.get(owner)
        if asked is None or thing is None or not thing.live or (owner, which) in done:
            continue
        for container, probe in _probes(thing, which):
            fields = _impossible(container, probe, asked.groupdict())
            if fields:
                done.add((owner, which))
                place = f"spec.template.spec.containers.{container.name}.{which}Probe"
                fields |= {"probe": which, "container": container.name, "count": fact["count"]}
                yield Fact("probe.wrong", fact.entity, fields, fact.proofs + thing.proof(place)[:1], fact.scope)
                break


def _probes(thing: Thing, which: str) -> Iterator[tuple[Container, Probe]]:
    record = thing.record
    spec = record.spec.template.spec if isinstance(record, Workload) else record.spec if isinstance(record, Pod) else None
    for container in spec.lasting if spec else ():
        found = {"liveness": container.liveness_probe, "readiness": container.readiness_probe, "startup": container.startup_probe}
        probe = found[which]
        if probe:
            yield container, probe


def _impossible(container: Container, probe: Probe, asked: dict[str, str]) -> dict[str, Any] | None:
    if "command" in asked:
        if probe.exec_ and probe.exec_.command[:1] == [asked["command"]]:
            return {"handler": "exec", "command": asked["command"], "wrong": "command"}
        return None
    for handler in (probe.http_get, probe.tcp_socket):
        if handler and str(handler.port) == asked["port"] and asked["port"] not in [port.name for port in container.ports]:
            listening = ", ".join(str(port.container_port) for port in container.ports) or None
            fields = {
                "handler": "http" if probe.http_get else "tcp",
                "port": asked["port"],
                "wrong": "port",
                "listening": listening,
            }
            return {key: value for key, value in fields.items() if value is not None}
    return None
