"""Alerts (Alertmanager's webhook payload), service graphs and connection tests.

Alert descriptions come in many words; what is read from them is the measure (latency, errors, throughput, CPU,
retransmissions, packets), the normal and the present value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from kubecause.facts.store import Store
from kubecause.model import Document, Entity, Fact, Proof

_NUMBER = r"([\d.]{1,20})\s*([a-zA-Z%/]{0,12})"
_PAIR = re.compile(
    rf"(?:(?P<label>[\w-]*?(?P<quantile>p\d\d)?latency|Inbound|Outbound)[^|=]{{0,10}}:\s*)?Normal=\s*{_NUMBER}\s*->\s*Cur(?:rent)?=\s*{_NUMBER}",
    re.IGNORECASE,
)
_VALUE = re.compile(r"\bVal(?:ue)?:\s*([\d.]+)\s*(\w*)")
_MEASURES = (
    ("latency", re.compile(r"latency|slow|response.?time|duration", re.IGNORECASE)),
    ("errors", re.compile(r"error|success.?rate|5xx|failure", re.IGNORECASE)),
    ("loss", re.compile(r"retrans|packet.?loss|network.?quality|dropped.?packets", re.IGNORECASE)),
    ("throttle", re.compile(r"throttl|cfs", re.IGNORECASE)),
    ("cpu", re.compile(r"cpu", re.IGNORECASE)),
    ("memory", re.compile(r"memory|oom", re.IGNORECASE)),
    ("throughput", re.compile(r"throughput|rps|qps|traffic|pps|request.?rate", re.IGNORECASE)),
)
_SERVICE_LABELS = ("service", "app", "deployment", "job", "service_name", "destination_service_name", "workload", "container")
_NODE_LABELS = ("node", "instance", "nodename", "hostname", "kubernetes_node")


def parse_alerts(document: Document, store: Store) -> Iterator[Fact]:
    """One ``alert`` fact an alert that fires; resolved ones are left out."""
    store.saw("alert")
    try:
        payload: Any = json.loads("\n".join(document.lines))
    except (ValueError, RecursionError):
        return
    alerts = payload.get("alerts") if isinstance(payload, dict) else payload
    for alert in alerts if isinstance(alerts, list) else []:
        if isinstance(alert, dict) and alert.get("status", "firing") == "firing":
            fact = _alert(alert, document)
            if fact:
                yield fact


def _alert(alert: dict[str, Any], document: Document) -> Fact | None:
    labels = {k: str(v) for k, v in (alert.get("labels") or {}).items()} if isinstance(alert.get("labels"), dict) else {}
    notes = {k: str(v) for k, v in (alert.get("annotations") or {}).items()} if isinstance(alert.get("annotations"), dict) else {}
    name = labels.get("alertname", "")
    description = notes.get("description") or notes.get("summary") or notes.get("message") or ""
    service = next((labels[key] for key in _SERVICE_LABELS if labels.get(key)), None)
    node = next((labels[key].split(":")[0] for key in _NODE_LABELS if labels.get(key)), None) if service is None else None
    about = f"{name} {description.split('|')[0]}"
    measure = next((m for m, pattern in _MEASURES if pattern.search(about)), None) or next(
        (m for m, p in _MEASURES if p.search(description)), "other"
    )
    normal, current, factor = _values(description)
    text = f"{name} {service or node or ''}: {description}"
    line = next((i for i, raw in enumerate(document.lines) if description and description[:40] in raw), None)
    entity = Entity("Workload", service, labels.get("namespace")) if service else Entity("Node", node)
    fields = {
        "name": name,
        "measure": measure,
        "normal": normal,
        "current": current,
        "factor": factor,
        "text": description,
        "service": service,
        "node": node,
    }
    proof = Proof(document.source, text, line=document.first_line + line if line is not None else None)
    return Fact("alert", entity, {k: v for k, v in fields.items() if v is not None}, (proof,), document.source)


def _values(text: str) -> tuple[float | None, float | None, float | None]:
    """Normal and present value with the largest change, and how many times normal the present is."""
    best: tuple[float | None, float | None, float | None] = (None, None, None)
    for found in _PAIR.finditer(text):
        try:
            normal, current = float(found[3]), float(found[5])
        except ValueError:
            continue
        factor = current / max(normal, 0.01)
        if best[2] is None or factor > best[2]:
            best = (normal, current, factor)
    if best[2] is None:
        value = _VALUE.search(text)
        return (None, float(value[1]), None) if value and re.fullmatch(r"\d+(\.\d+)?", value[1]) else best
    return best


def parse_service_graph(document: Document, store: Store) -> None:
    """``[{"client": …, "server": …}]`` as edges of the store."""
    try:
        rows: Any = json.loads("\n".join(document.lines))
    except (ValueError, RecursionError):
        return
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("client"), str) and isinstance(row.get("server"), str):
            store.edges.add((row["client"], row["server"]))


_NC = re.compile(
    r"\b(?:nc|telnet)\s+(?:-\S+\s+(?:\d+\s+)?)*(?P<host>[\w.-]+)\s+(?P<port>\d{1,5})|"
    r"\b(?:curl|wget)\s[^|]{0,200}?(?P<url_host>[a-z0-9][\w.-]{0,252}):(?P<url_port>\d{1,5})(?:/|\s|$)"
)
_FROM = re.compile(r"\bon (?P<node>[a-z0-9][\w.-]*):")
_OPEN = re.compile(r"\b(?:open|succeeded|Connected)\b", re.IGNORECASE)
_CLOSED = re.compile(r"\b(?:failed|refused|timed out|punt!|no route|unreachable|bad address)\b", re.IGNORECASE)


def _service(host: str, source: str) -> Entity:
    """The Service a name means; an address may be anything."""
    if re.fullmatch(r"[\d.]+", host):
        return Entity("Service", None, scope=source)
    name, _, rest = host.partition(".")
    return Entity("Service", name, rest.split(".")[0] or None)


def parse_connection(document: Document, store: Store) -> Iterator[Fact]:
    """Outcomes of ``nc -zv HOST PORT``, telnet, curl and wget, for each node they were tried from where the output says so."""
    found = _NC.search(document.command or "")
    if not found:
        return
    store.saw("connection")
    host, port = found["host"] or found["url_host"], found["port"] or found["url_port"]
    node: str | None = document.host
    done: set[str | None] = set()
    for offset, line in enumerate(document.lines):
        origin = _FROM.search(line)
        if origin:
            node = origin["node"]
        outcome = True if _OPEN.search(line) else False if _CLOSED.search(line) else None
        if outcome is None or node in done:
            continue
        done.add(node)
        proof = Proof(document.source, f"{document.command}: {line.strip()}", line=document.first_line + offset)
        fields = {"host": host, "port": int(port), "open": outcome} | ({"node": node} if node else {})
        yield Fact(
            "connection",
            _service(host, document.source),
            fields,
            (proof,),
            document.source,
        )
