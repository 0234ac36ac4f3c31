"""Sockets of a machine: ``ss`` (with and without the Netid column) and ``netstat``, with or without their headers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubecause.facts.host_output import FieldValue, Parser, fact_at, lines_of, node_of
from kubecause.model import Document, Fact

SOCKET_LIMIT = 5000

# Service names that ss and netstat print without -n, for ports a cluster uses (IANA registry, /etc/services).
_SERVICES = {
    "ssh": 22, "domain": 53, "http": 80, "sunrpc": 111, "ntp": 123, "bgp": 179, "https": 443, "nfs": 2049, "etcd-client": 2379,
    "etcd-server": 2380, "mysql": 3306, "vxlan": 4789, "sun-sr-https": 6443, "http-alt": 8080, "webcache": 8080, "otv": 8472,
}  # fmt: skip
_TCP_STATES = "LISTEN|ESTAB|SYN-SENT|SYN-RECV|FIN-WAIT-1|FIN-WAIT-2|TIME-WAIT|CLOSE-WAIT|LAST-ACK|CLOSING|CLOSED"
_ENDPOINT = r"[^\s:]\S{0,300}:(?:\d{1,5}|\*|[a-z][\w-]{0,30})|[:*]\S{0,60}:(?:\d{1,5}|\*|[a-z][\w-]{0,30})"
_SS_ROW = re.compile(
    rf"\s*(?:(?P<netid>tcp|udp|[a-z?][\w?]{{1,6}})\s+)?(?P<state>{_TCP_STATES}|UNCONN)\s+\d{{1,12}}\s+\d{{1,12}}\s+"
    rf"(?P<local>{_ENDPOINT})\s+(?P<peer>{_ENDPOINT})(?P<rest>\s.*|$)",
)
_SS_USERS = re.compile(r'users:\(\("(?P<process>[^"]{1,64})",(?:pid=)?(?P<pid>\d{1,10})')
_SS_COMMAND = re.compile(r"\bss\s(?:[^|;&]{0,80}?\s)?-(?P<flags>[a-zA-Z46]+)")
_NETSTAT_STATES = {
    "LISTEN": "LISTEN", "ESTABLISHED": "ESTAB", "SYN_SENT": "SYN-SENT", "SYN_RECV": "SYN-RECV", "FIN_WAIT1": "FIN-WAIT-1",
    "FIN_WAIT2": "FIN-WAIT-2", "TIME_WAIT": "TIME-WAIT", "CLOSE_WAIT": "CLOSE-WAIT", "LAST_ACK": "LAST-ACK", "CLOSING": "CLOSING",
    "CLOSE": "CLOSED",
}  # fmt: skip
_NETSTAT_ROW = re.compile(
    rf"\s*(?P<protocol>tcp|udp)6?\s+\d{{1,12}}\s+\d{{1,12}}\s+(?P<local>{_ENDPOINT})\s+(?P<peer>{_ENDPOINT})"
    rf"(?:\s+(?P<state>{'|'.join(_NETSTAT_STATES)})\b)?(?P<rest>\s.*|$)",
)
_NETSTAT_PROCESS = re.compile(r"\s(?P<pid>\d{1,10})/(?P<process>[^\s:]{1,64})")


def parse_ss(document: Document) -> Iterator[Fact]:
    """``socket`` of each TCP or UDP row of ``ss``, at most ``SOCKET_LIMIT``.

    Without Netid column the state tells the protocol (``UNCONN`` is UDP), or the options of the command.
    """
    flags = found["flags"] if (found := _SS_COMMAND.search(document.command or "")) else ""
    asked = "tcp" if "t" in flags and "u" not in flags else "udp" if "u" in flags and "t" not in flags else None
    count = 0
    for index, line in lines_of(document):
        row = _SS_ROW.match(line)
        if not row or row["netid"] not in {None, "tcp", "udp"}:
            continue
        protocol = row["netid"] or asked or ("udp" if row["state"] == "UNCONN" else "tcp")
        yield _socket(document, index, row, protocol, row["state"])
        count += 1
        if count == SOCKET_LIMIT:
            return


def parse_netstat(document: Document) -> Iterator[Fact]:
    """``socket`` of each TCP or UDP row of ``netstat``, at most ``SOCKET_LIMIT``; states in the words of ``ss``."""
    count = 0
    for index, line in lines_of(document):
        row = _NETSTAT_ROW.match(line)
        if not row:
            continue
        state = _NETSTAT_STATES[row["state"]] if row["state"] else "UNCONN" if row["protocol"] == "udp" else None
        yield _socket(document, index, row, row["protocol"], state)
        count += 1
        if count == SOCKET_LIMIT:
            return


def _socket(document: Document, index: int, row: re.Match[str], protocol: str, state: str | None) -> Fact:
    owner = _SS_USERS.search(row["rest"]) or _NETSTAT_PROCESS.search(row["rest"])
    local, port = _endpoint(row["local"])
    peer, peer_port = _endpoint(row["peer"])
    fields: dict[str, FieldValue | None] = {
        "protocol": protocol,
        "state": state,
        "local": local,
        "port": port,
        "peer": peer,
        "peer_port": peer_port,
        "process": owner["process"] if owner else None,
        "pid": int(owner["pid"]) if owner else None,
    }
    return fact_at(document, "socket", node_of(document), fields, index)


def _endpoint(text: str) -> tuple[str, int | None]:
    """Address and port: ``[::1]:22``, ``127.0.0.1%lo:53``, ``:::80``, ``*:https``; no port for ``*``."""
    address, _, port = text.rpartition(":")
    number = int(port) if port.isascii() and port.isdecimal() else _SERVICES.get(port)
    return address.replace("[", "").replace("]", ""), number


PARSERS: dict[str, Parser] = {"ss": parse_ss, "netstat": parse_netstat}
RECOGNISERS: list[tuple[str, re.Pattern[str]]] = [
    ("netstat", re.compile(r"(?m)^[ \t]*(?:Active Internet connections \(|激活Internet连接)")),
    ("netstat", re.compile(r"(?m)^[ \t]*Proto[ \t]+Recv-Q[ \t]+Send-Q[ \t]+Local Address")),
    ("netstat", re.compile(r"(?m)^[ \t]*(?:tcp|udp)6?[ \t]+\d+[ \t]+\d+[ \t]+\S{1,300}:[\d*]+[ \t]+\S{1,300}:[\d*]+(?:[ \t]|$)")),
    ("ss", re.compile(r"(?m)^[ \t]*(?:Netid[ \t]+)?State[ \t]+Recv-Q[ \t]+Send-Q[ \t]+Local Address:Port")),
    (
        "ss",
        re.compile(
            rf"(?m)^[ \t]*(?:(?:tcp|udp)[ \t]+)?(?:{_TCP_STATES}|UNCONN)[ \t]+\d+[ \t]+\d+[ \t]+"
            r"\S{1,300}:[\w*-]+[ \t]+\S{1,300}:[\w*-]+",
        ),
    ),
]
