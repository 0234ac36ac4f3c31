"""Clients that are told to find a dependency on localhost, which in a pod is the pod itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubecause.facts.joins import Joins
from kubecause.facts.records import Workload
from kubecause.facts.records_network import Service
from kubecause.facts.records_pod import Container
from kubecause.facts.store import Store, Thing
from kubecause.match.addresses import failing_lines
from kubecause.model import Fact

_LOCAL = re.compile(r"(?:^|[/@=,\s])(?P<host>localhost|127\.0\.0\.1|\[::1\]):(?P<port>\d{2,5})\b")

_Told = tuple[Container, str, str, str, int]  # container, variable, value, host and port


def local_address_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``client.address-wrong`` with ``wrong: local``: refused on localhost, while one Service offers the port.

    A workload whose own containers declare the port is left alone: it talks to its sidecar.
    """
    failures = failing_lines(store, joins)
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"):
        for thing, workload in store.records(kind, Workload):
            failing = failures.get(thing.entity)
            if not failing or not thing.live:
                continue
            own = {port.container_port for c in workload.spec.template.spec.lasting for port in c.ports}
            for container, variable, value, host, port in _told(workload):
                lines = [line for line in failing if _refused_at(port, str(line["text"]))]
                meant = _offered(port, thing, store)
                if port in own or not lines or meant is None:
                    continue
                fields = {"variable": variable, "value": value, "host": host, "port": str(port), "wrong": "local"}
                where = f"spec.template.spec.containers.{container.name}"
                proofs = thing.proof(where, "spec.template.spec.containers") + lines[0].proofs[:1]
                written = value.replace(f"{host}:{port}", meant)
                yield Fact("client.address-wrong", thing.entity, {**fields, "meant": written, "failing": True}, proofs)


def _told(workload: Workload) -> Iterator[_Told]:
    """Every local address in variables and arguments."""
    for container in workload.spec.template.spec.lasting:
        words = [(variable.name, variable.value) for variable in container.env if variable.value and ":" in variable.value]
        words += [("args", word) for word in (*container.command, *container.args) if ":" in word]
        for name, value in words:
            found = _LOCAL.search(value) if len(value) <= 500 else None
            if found:
                yield container, name, value, found["host"], int(found["port"])


def _refused_at(port: int, text: str) -> bool:
    return "refused" in text.lower() and re.search(rf"(?:localhost|127\.0\.0\.1|\[?::1\]?):{port}\b", text) is not None


def _offered(port: int, thing: Thing, store: Store) -> str | None:
    """The one Service of the namespace that offers the port."""
    names = [
        service.entity.name
        for service, record in store.records("Service", Service)
        if service.live and service.entity.namespace == thing.entity.namespace and any(p.port == port for p in record.spec.ports)
    ]
    return f"{names[0]}:{port}" if len(names) == 1 else None
