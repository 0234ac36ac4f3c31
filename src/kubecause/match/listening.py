"""Which ports the containers of a pod really listen on, from everything that tells: ports, PORT variables, logs, sockets."""

from __future__ import annotations

import re

import msgspec

from kubecause.facts.joins import Joins
from kubecause.facts.records import Workload
from kubecause.facts.records_pod import Container, Pod, Probe
from kubecause.facts.restarts import pod_ready
from kubecause.facts.store import Thing, worked_out_once
from kubecause.model import Fact, Proof
from kubecause.vocabulary import TEXT_FACT

LISTEN_LITERALS = (
    "listening on", "listening at", "server on port", "started on port", "starting grpc server", "grpc server on", "serving on",
    "running on http", "server at :", "server started at", "ready to accept connections",
)  # fmt: skip
_LISTENS = re.compile(
    r"(?:listening (?:on|at)|server (?:on port|at|started at)|started on port\(s\):?|running on|serving (?:on|at)|on port|"
    r"address)"
    r"[^\d\n]{0,60}?(?P<host>[\d.]{7,15}|\[?::1?\]?|localhost)?:?(?P<port>\d{2,5})\b",
    re.IGNORECASE,
)
_LOOPBACK = re.compile(r"127\.|localhost|\[?::1\b", re.IGNORECASE)
_PORT_VARIABLES = frozenset({"PORT", "SERVER_PORT", "HTTP_PORT", "GRPC_PORT", "LISTEN_PORT", "APP_PORT"})


class Listening(msgspec.Struct):
    """Ports that are known to be open.

    :param names: declared port names.
    :param described: whether the pod's port declarations were seen at all.
    :param told: whether the process itself (log, variable, socket) told its ports.
    :param opened: the ports its log tells, on addresses that others reach; ``loopback``: those on 127.0.0.1 or ::1.
    """

    tcp: set[int] = msgspec.field(default_factory=set)
    udp: set[int] = msgspec.field(default_factory=set)
    names: dict[str, int] = msgspec.field(default_factory=dict)
    described: bool = False
    told: bool = False
    opened: set[int] = msgspec.field(default_factory=set)
    loopback: set[int] = msgspec.field(default_factory=set)
    proofs: tuple[Proof, ...] = ()

    def lacks(self, port: int) -> bool:
        """Whether other ports are known to be open and this one is none of them."""
        return bool(self.tcp or self.udp) and port not in self.tcp | self.udp


def listening_ports(thing: Thing, joins: Joins, only: str | None = None) -> Listening:
    """What is known of the ports of a pod, or of one container of it.

    :param only: name of the container; its log lines count when the pod's log belongs to it.
    """
    known = Listening()
    pod = thing.record
    if not isinstance(pod, Pod):
        return known
    ready = pod_ready(pod) is True
    for container in pod.spec.lasting:
        if only is not None and container.name != only:
            continue
        _declared(thing, container, known)
        number = probe_port(container.readiness_probe) if container.readiness_probe and ready else None
        if number:  # a readiness probe that succeeds has connected
            known.tcp.add(number)
            known.told = True
    for fact in _own_lines(thing, joins):
        found = _LISTENS.search(str(fact["text"]))
        if only is not None and fact.entity.kind == "Container" and fact.entity.name != only:
            continue
        if only is not None and fact.entity.kind != "Container" and len(pod.spec.lasting) > 1:
            continue
        if found and 1 <= int(found["port"]) <= 65535:
            known.tcp.add(int(found["port"]))
            (known.loopback if _LOOPBACK.match(found["host"] or "") else known.opened).add(int(found["port"]))
            known.told = True
            known.proofs += fact.proofs[:1]
    return known


@worked_out_once
def template_ports(thing: Thing) -> Listening:
    """The ports that the template of a workload declares; where its healthy pods were not read."""
    known, workload = Listening(), thing.record
    if not isinstance(workload, Workload):
        return known
    for container in workload.spec.template.spec.lasting:
        _declared(thing, container, known)
        number = probe_port(container.readiness_probe) if container.readiness_probe and workload.status.ready_replicas else None
        if number:
            known.tcp.add(number)
            known.told = True
    return known


def _declared(thing: Thing, container: Container, known: Listening) -> None:
    known.described = known.described or bool(container.ports)
    for port in container.ports:
        (known.udp if port.protocol == "UDP" else known.tcp).add(port.container_port)
        if port.name:
            known.names[port.name] = port.container_port
    if container.ports:
        known.proofs += thing.proof(f"spec.containers.{container.name}.ports")
    for variable in container.env:
        if variable.name in _PORT_VARIABLES and (variable.value or "").isdigit():
            known.tcp.add(int(variable.value or 0))
            known.told = True


def probe_port(probe: Probe) -> int | None:
    """The number of the port a probe connects to; None for names and exec probes."""
    for handler in (probe.http_get, probe.tcp_socket, probe.grpc):
        if handler and handler.port is not None and str(handler.port).isdigit():
            return int(handler.port)
    return None


def _own_lines(thing: Thing, joins: Joins) -> list[Fact]:
    return [
        fact
        for fact in joins.facts_of(TEXT_FACT, thing.entity)
        if fact["channel"] in ("app-log", "paste") and fact.entity.kind not in ("Node", "Unknown")
    ]
