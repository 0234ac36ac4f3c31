"""Addresses that clients are told to use (environment variables, arguments) against what the services really offer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from kubecause.facts.joins import Joins
from kubecause.facts.records import Workload
from kubecause.facts.records_network import Service
from kubecause.facts.records_pod import Container
from kubecause.facts.store import Store, Thing, worked_out_once
from kubecause.model import Channel, Entity, Fact, Need, Proof

# Words by which programs of many languages say that they could not connect or resolve.
FAILURE_LITERALS = (
    "connection refused", "econnrefused", "no such host", "unabletoconnect", "unable to connect", "could not connect",
    "failed to connect", "cannot connect", "can't connect", "connect timed out", "connection timed out", "connecttimeout",
    "i/o timeout", "etimedout", "enotfound", "eai_again", "unknown host", "unknownhost", "name or service not known",
    "temporary failure in name resolution", "nodename nor servname", "name does not resolve", "no route to host",
    "communications link failure", "error while dialing", "host is unreachable", "connection reset by peer",
    "no address associated with hostname", "getaddrinfo", "context deadline exceeded", "deadline_exceeded",
)  # fmt: skip
_HOST = r"(?P<host>[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9-]{1,63}){0,6})"
_ADDRESS = re.compile(
    rf"(?:^|(?P<scheme>[a-z][a-z0-9+.:-]{{1,30}})://(?:[^@/\s]{{1,100}}@)?|[=,;\s]|tcp\()\(?{_HOST}"
    r"(?::(?P<port>\d{2,5}))?(?=[/,;)\s?]|$)",
    re.IGNORECASE,
)
_LOCAL = re.compile(r"^(?:localhost|127\.|0\.0\.0\.0|169\.254\.|::1)", re.IGNORECASE)
_ADDRESS_VARIABLE = re.compile(
    r"(?:ADDR|ADDRESS|HOST|HOSTNAME|URL|URI|ENDPOINT|SERVER|BROKER|DSN|BACKEND|UPSTREAM)S?$", re.IGNORECASE
)
_DATABASE = re.compile(
    r"mysql|mariadb|postgres|pgsql|mongo|mssql|sqlserver|oracle|jdbc|database|(?:^|[_-])db(?:[_-]|$)", re.IGNORECASE
)
_DATABASE_PORTS = frozenset({3306, 5432, 27017, 1433, 1521})
_PORT = re.compile(r":\d{2,5}\b")
_LETTER = re.compile(r"[a-z]", re.IGNORECASE)
_IPV4 = re.compile(r"\d+\.\d+\.\d+\.\d+$")
_HOST_VARIABLE = re.compile(r"(HOST|ADDR|ADDRESS|SERVER)$")
_CLUSTER_SUFFIX = re.compile(r"\.svc(?:\.[\w.-]+)?$|\.cluster\.local$")


class Address(msgspec.Struct, frozen=True):
    """An address a workload is configured with.

    :param place: dotted path of the field that holds it.
    """

    variable: str
    value: str
    host: str
    port: int | None
    place: str

    def proofs(self, workload: Thing) -> tuple[Proof, ...]:
        """Where it can be read."""
        return workload.proof(self.place, "spec.template.spec.containers")


@worked_out_once
def addresses(workload: Thing) -> tuple[Address, ...]:
    """Addresses in the variables and arguments of a workload's containers."""
    if not isinstance(workload.record, Workload):
        return ()
    containers = workload.record.spec.template.spec.lasting
    return tuple(address for container in containers for address in _in_container(container))


def _in_container(container: Container) -> Iterator[Address]:
    ports = {v.name: v.value for v in container.env if v.value and v.value.isdigit()}
    for variable in container.env:
        value = variable.value or ""
        if not value or len(value) > 500:
            continue
        if not (_names_address(variable.name) or (":" in value and ("://" in value or _PORT.search(value)))):
            continue
        place = f"spec.containers.{container.name}.env.{variable.name}"
        for host, own_port in _told_in(value):
            port = own_port if own_port is not None else _sibling_port(variable.name, ports)
            yield Address(variable.name, value, host, port, place)
    yield from _in_arguments(container)


@lru_cache(maxsize=4096)
def _told_in(value: str) -> tuple[tuple[str, int | None], ...]:
    """Hosts, each with its port if it has one, that the value of a variable names; many workloads are told the same."""
    return tuple(
        (host.lower(), int(found["port"]) if found["port"] else None)
        for found in _ADDRESS.finditer(value)
        if not (_LOCAL.match(host := found["host"]) or host.isdigit() or (not _LETTER.search(host) and not _IPV4.match(host)))
    )


@lru_cache(maxsize=4096)
def _names_address(variable: str) -> bool:
    return _ADDRESS_VARIABLE.search(variable) is not None


def _in_arguments(container: Container) -> Iterator[Address]:
    """Addresses in the command line: URLs, and the values of flags that name an address."""
    words = [*container.command, *container.args]
    for before, word in zip(["", *words], words, strict=False):
        flag, equals, value = word.partition("=") if word.startswith("-") else (before, "", word)
        if not value or len(value) > 500 or "$(" in value:
            continue
        named = _ADDRESS_VARIABLE.search(flag.lstrip("-")) or flag.lstrip("-") in ("to", "target", "connect")
        if "://" not in value and not (flag.startswith("-") and named):
            continue
        for found in _ADDRESS.finditer(value):
            host = found["host"]
            if _LOCAL.match(host) or not _LETTER.search(host) or ("." in host and ".svc" not in host):
                continue
            place = f"spec.template.spec.containers.{container.name}.args"
            port = int(found["port"]) if found["port"] else None
            yield Address(flag if equals or flag.startswith("-") else "args", value, host.lower(), port, place)


def _sibling_port(variable: str, ports: Mapping[str, str | None]) -> int | None:
    """``DB_HOST`` goes with ``DB_PORT``."""
    found = ports.get(_HOST_VARIABLE.sub("PORT", variable))
    return int(found) if found and variable.upper().endswith(("HOST", "ADDR", "ADDRESS", "SERVER")) else None


def address_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``client.address-wrong``: a host that no service has, or a port that its service does not offer."""
    if not _services_listed(store):
        return
    store.saw("client.address-wrong")
    failures = failing_lines(store, joins)
    ranges = frozenset(_range(service.spec.cluster_ip or "") for _, service in store.records("Service", Service)) - {""}
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"):
        for thing, workload in store.records(kind, Workload):
            if not thing.live or workload.spec.replicas == 0:
                continue
            for address in addresses(thing):
                fact = _wrong(thing, address, failures.get(thing.entity, []), ranges, store, joins)
                if fact:
                    yield fact


def _services_listed(store: Store) -> bool:
    """True when live services were seen, so that one that is not there is missing."""
    return any(thing.live for thing in store.of_kind("Service")) or any(kind == "Service" for kind, _ in store.listed)


def failing_lines(store: Store, joins: Joins) -> dict[Entity, list[Fact]]:
    """Lines of application logs that tell of a failed connection, by workload (or pod without a known owner)."""
    found: dict[Entity, list[Fact]] = {}
    for fact in store.facts["line"]:
        if fact["channel"] not in (Channel.APP_LOG, Channel.PASTE, Channel.CLIENT, Channel.COMPONENT_LOG):
            continue
        text = str(fact["text"]).lower()
        if any(word in text for word in FAILURE_LITERALS):
            found.setdefault(joins.top_owner(fact.entity), []).append(fact)
    return found


def _wrong(thing: Thing, address: Address, lines: list[Fact], ranges: frozenset[str], store: Store, joins: Joins) -> Fact | None:
    service = joins.service_called(address.host, thing.entity.namespace)
    if service is None:
        host = _CLUSTER_SUFFIX.sub("", address.host)
        asks = _unsettled(host, ranges, store)
        if asks is None:
            return None  # a name outside the cluster
        if asks:
            return Fact("client.address-wrong", thing.entity, {"host": host, "wrong": "unknown", "failing": False, "asks": asks})
        wrong, meant = "host", _nearest(host, thing, address, store)
    elif isinstance(service.record, Service) and address.port is not None and service.record.spec.ports:
        ports = [port.port for port in service.record.spec.ports]
        if (
            address.port in ports
            or service.record.spec.type == "ExternalName"
            or service.record.spec.cluster_ip in ("None", None)
        ):
            return None
        wrong, meant = "port", f"{service.entity.name}:{ports[0]}"
    else:
        return None
    proofs = _failures_at(address, service, lines)
    ports_open = service.record.spec.ports if service and isinstance(service.record, Service) else []
    database = bool(_DATABASE.search(f"{address.variable} {address.value}")) or any(p.port in _DATABASE_PORTS for p in ports_open)
    fields: dict[str, Any] = {
        "variable": address.variable,
        "value": address.value,
        "host": address.host,
        "port": str(address.port) if address.port else None,
        "wrong": wrong,
        "meant": _written_alike(address, meant),
        "failing": bool(proofs),
        "database": database,
        "asks": None if proofs else (Need("client.address-wrong", thing.entity),),
    }
    own = address.proofs(thing) + (service.proof("spec.ports", "row") if service else ())
    return Fact("client.address-wrong", thing.entity, {k: v for k, v in fields.items() if v is not None}, own + proofs)


def _unsettled(host: str, ranges: frozenset[str], store: Store) -> tuple[Need, ...] | None:
    """What must be read before a host that no known service has can be called missing; None for hosts outside the cluster."""
    if host[:1].isdigit():
        if not ranges and not store.was_listed("Service", None):
            return (Need("client.address-wrong", Entity("Service", "kubernetes", "default")),)  # its address tells the range
        if _range(host) not in ranges:
            return None
        return () if store.was_listed("Service", None) else (Need("client.address-wrong", Entity("Cluster")),)
    name, dot, namespace = host.partition(".")
    if not name or "." in namespace:
        return None
    if dot and not store.named("Namespace", namespace) and not store.was_listed("Service", namespace):
        return (Need("client.address-wrong", Entity("Namespace", namespace)),)
    return ()


def _range(address: str) -> str:
    """The first half of an address, which all cluster addresses of one cluster share in practice (a /16 or longer)."""
    return ".".join(address.split(".")[:2])


def _nearest(host: str, thing: Thing, address: Address, store: Store) -> str | None:
    names = {
        t.entity.name or "": s
        for t, s in store.records("Service", Service)
        if t.entity.namespace == thing.entity.namespace and t.live
    }
    from difflib import get_close_matches  # few clusters have a wrong address

    close = get_close_matches(host.split(".", maxsplit=1)[0], list(names), n=1, cutoff=0.75)
    if not close:
        return None
    ports = names[close[0]].spec.ports
    return f"{close[0]}:{ports[0].port}" if ports and address.port else close[0]


def _written_alike(address: Address, meant: str | None) -> str | None:
    """The value with the address that was meant in it; the address alone where the value holds more than an address."""
    own = f"{address.host}:{address.port}" if address.port else address.host
    if meant is None or "@" in address.value or own not in address.value or "," in address.value or " " in address.value:
        return meant
    return address.value.replace(own, meant)


def _failures_at(address: Address, service: Thing | None, lines: list[Fact]) -> tuple[Proof, ...]:
    """Lines of the workload's log that speak of this address."""
    wanted = {address.host if address.host[:1].isdigit() else address.host.split(".")[0]}
    if service and isinstance(service.record, Service) and service.record.spec.cluster_ip and address.port:
        wanted = {
            f"{service.record.spec.cluster_ip}:{address.port}",
            f"{address.host}:{address.port}",
            f"{service.entity.name}:{address.port}",
        }
    found = [
        line for line in lines if any(re.search(rf"(?<![\w-]){re.escape(part)}(?![\w-])", str(line["text"])) for part in wanted)
    ]
    return tuple(proof for line in found[:2] for proof in line.proofs[:1])


def missing_services(namespace: str | None, store: Store, joins: Joins) -> Iterator[tuple[str, tuple[Proof, ...]]]:
    """Services that should exist and do not: in a manifest, or wanted by a workload; surest first."""
    if not _services_listed(store):
        return
    for thing, _ in store.records("Service", Service):
        if not thing.live and thing.entity.namespace in (namespace, None):
            yield thing.entity.name or "", thing.proof("spec")
    for kind in ("Deployment", "StatefulSet", "DaemonSet"):
        for thing in store.of_kind(kind):
            if thing.entity.namespace != namespace or not thing.live:
                continue
            for address in addresses(thing):
                host = _CLUSTER_SUFFIX.sub("", address.host)
                if "." not in host and joins.service_called(host, namespace) is None and store.workload_named(host, namespace):
                    yield host, address.proofs(thing)
