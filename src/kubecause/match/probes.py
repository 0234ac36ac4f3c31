"""Probes that cannot succeed as they are written: the port, the protocol, the path or the time is wrong.

The kubelet's message says how the probe failed; the pod's ports, its other probe, its variables and its log say what
would have worked (pkg/probe and pkg/kubelet/prober of Kubernetes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubecause.facts.joins import Joins
from kubecause.facts.records_pod import Container, Pod, Probe
from kubecause.facts.store import Store, Thing
from kubecause.match.listening import listening_ports
from kubecause.model import Fact

_WHICH = re.compile(r"(?P<probe>Liveness|Readiness|Startup) probe (?:failed|errored)[^:]*: ?(?P<why>.*)", re.DOTALL)
_ADDRESS = re.compile(r"[\d.]{7,15}:(?P<port>\d{1,5})|\]:(?P<port6>\d{1,5})")
_REFUSED = re.compile(r"connection refused|failed to connect service|no route to host", re.IGNORECASE)
_PROTOCOL = re.compile(
    r"malformed HTTP (?:response|version)|server gave HTTP response to HTTPS client|first record does not look like a TLS|"
    r"transport connection broken|error reading server preface|http2: |unimplemented|wrong version number|"
    r"this is a HTTP/1.1 response|statuscode: (?:404|405|400|426|501)|unknown service grpc\.health",
    re.IGNORECASE,
)
_SIGNALS = (137, 143)  # SIGKILL, SIGTERM
_CAUGHT = (0, 2)  # of programs that catch SIGTERM; Go as the first process of a container ends with 2
_SLOW = re.compile(r"deadline exceeded|timeout|did not complete within|request canceled", re.IGNORECASE)
_SPEAKS = (
    ("grpc", re.compile(r"\\x00\\x00.{1,4}\\x04\\x00", re.IGNORECASE)),
    ("http", re.compile(r"gave HTTP response|HTTP/1\.1|statuscode", re.IGNORECASE)),
    ("https", re.compile(r"TLS|HTTPS", re.IGNORECASE)),
)
_MIN_FAILURES = 3


def probe_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``probe.wrong`` of every container with a probe that keeps failing."""
    if "event" in store.seen:
        store.saw("probe.wrong")
    done: set[tuple[object, str]] = set()
    for fact in store.facts["line"]:
        if fact["reason"] != "Unhealthy" or fact["healed"]:
            continue
        found = _WHICH.search(str(fact["text"]))
        thing = store.things.get(fact.entity)
        if not found or (fact.entity, found["probe"]) in done:
            continue
        if int(fact["count"] or 1) < _MIN_FAILURES and not _restarting(fact, store):
            continue
        verdict = _judge(fact, found, thing, store, joins)
        if verdict:
            done.add((fact.entity, found["probe"]))
            yield verdict


def _restarting(fact: Fact, store: Store) -> bool:
    return any(state["looping"] and state.entity.pod == fact.entity.name for state in store.facts["container.state"])


def _judge(fact: Fact, found: re.Match[str], thing: Thing | None, store: Store, joins: Joins) -> Fact | None:
    which, why = found["probe"].lower(), found["why"]
    address = _ADDRESS.search(why)
    port = int(address["port"] or address["port6"]) if address else None
    container = _container(thing, which, port)
    probe = _probe(container, which) if container else None
    fields: dict[str, Any] = {
        "probe": which,
        "port": str(port) if port else None,
        "message": " ".join(why.split())[:300],
        "count": fact["count"],
    }
    if container:
        fields["container"] = container.name
    if probe:
        fields |= {"handler": _handler(probe), "path": probe.http_get.path if probe.http_get else None}
    wrong = _wrong(why, port, thing, probe, which, store, joins, fields)
    if wrong is None:
        return None
    place = f"spec.containers.{container.name}.{which}Probe" if container else "spec"
    own = thing.proof(place)[:1] if thing and container else ()
    return Fact(
        "probe.wrong",
        fact.entity,
        {k: v for k, v in (fields | {"wrong": wrong}).items() if v is not None},
        fact.proofs + own,
        fact.scope,
    )


def _wrong(
    why: str,
    port: int | None,
    thing: Thing | None,
    probe: Probe | None,
    which: str,
    store: Store,
    joins: Joins,
    fields: dict[str, Any],
) -> str | None:
    if _PROTOCOL.search(why):
        fields["serves"] = next((name for name, pattern in _SPEAKS if pattern.search(why)), None)
        return "path" if re.search(r"statuscode: (?:404|405|400|501)", why) else "protocol"
    if thing is None or not isinstance(thing.record, Pod):
        return None
    known = listening_ports(thing, joins, only=fields.get("container"))
    fields["listening"] = ", ".join(str(p) for p in sorted(known.tcp)) or None
    refused = _REFUSED.search(why) is not None
    if not refused and (port is None or not _SLOW.search(why)):
        return None
    if refused and not known.told and _ends_by_itself(thing, joins):
        return None  # nobody listens while it is down; what ends it is told elsewhere
    if port is not None and known.tcp and port not in known.tcp and (known.told or which != "startup"):
        return "port"
    if fields.get("handler") == "grpc" and port in known.opened and _had_time(thing, probe, which, store):
        return "protocol"
    if refused and port in known.loopback - known.opened:
        fields["listening"] = f"127.0.0.1:{port}"
        return "not-listening"
    if probe and which != "readiness" and _too_soon(thing, probe, which, store):
        return "timing"
    return "not-listening" if refused and port is not None and known.opened and port not in known.opened else None


def _ends_by_itself(thing: Thing, joins: Joins) -> bool:
    """A container of the pod ends again and again, and no probe kills it."""
    return any(
        state["looping"] and not _is_stopped(state)
        for state in joins.facts_of("container.state", thing.entity)
        if state.entity.pod == thing.entity.name
    )


def _had_time(thing: Thing, probe: Probe | None, which: str, store: Store) -> bool:
    """The server was asked often enough: one allowed failure, or restarts by another probe, may only show a slow start."""
    if which != "readiness":
        return probe is not None and probe.failure_threshold > 1
    return not any(
        s["killed_by_probe"] and s["looping"] and s.entity.pod == thing.entity.name for s in store.facts["container.state"]
    )


def _is_stopped(state: Fact) -> bool:
    """True when a container's exit code is that of one that was told to end, and not an error of its own."""
    code = state["exit_code"]
    return code in (None, *_SIGNALS) or (bool(state["killed_by_probe"]) and code in _CAUGHT)


def _too_soon(thing: Thing, probe: Probe, which: str, store: Store) -> bool:
    """The container is killed again and again before the probe's patience could have been enough."""
    patience = probe.initial_delay_seconds + probe.period_seconds * probe.failure_threshold
    states = [
        s
        for s in store.facts["container.state"]
        if s.entity.pod == thing.entity.name and s.entity.namespace == thing.entity.namespace
    ]
    killed = any(s["looping"] and _is_stopped(s) for s in states)
    has_startup = isinstance(thing.record, Pod) and any(c.startup_probe for c in thing.record.spec.lasting)
    return killed and patience <= 60 and not (has_startup and which == "liveness")


def _container(thing: Thing | None, which: str, port: int | None) -> Container | None:
    if thing is None or not isinstance(thing.record, Pod):
        return None
    with_probe = [c for c in thing.record.spec.lasting if _probe(c, which)]
    exact = [c for c in with_probe if port is not None and _port_text(_probe(c, which)) == str(port)]
    found = exact or with_probe
    return found[0] if found else None


def _probe(container: Container, which: str) -> Probe | None:
    return {"liveness": container.liveness_probe, "readiness": container.readiness_probe, "startup": container.startup_probe}[
        which
    ]


def _port_text(probe: Probe | None) -> str | None:
    for handler in (probe.http_get, probe.tcp_socket, probe.grpc) if probe else ():
        if handler and handler.port is not None:
            return str(handler.port)
    return None


def _handler(probe: Probe) -> str:
    if probe.http_get:
        return "https" if (probe.http_get.scheme or "").upper() == "HTTPS" else "http"
    return "tcp" if probe.tcp_socket else "grpc" if probe.grpc else "exec"
