"""Sockets from ss and netstat."""

from __future__ import annotations

import pytest
from host_samples import document, facts, fields

from kubecause.facts.host_sockets import SOCKET_LIMIT, parse_ss


def test_ss_without_header_and_netid() -> None:
    """Rows that grep left are read: a client that holds a node port, and old users and address formats."""
    found = fields(facts("ss-old", "ss", command="ss -ntap | grep 33306"), "socket")

    assert found[0] == {
        "protocol": "tcp",
        "state": "ESTAB",
        "local": "127.0.0.1",
        "port": 33306,
        "peer": "127.0.0.1",
        "peer_port": 2379,
        "process": "kube-apiserver",
        "pid": 2746,
    }
    assert found[2] == {
        "protocol": "tcp",
        "state": "LISTEN",
        "local": "::",
        "port": 10250,
        "peer": "::",
        "process": "kubelet",
        "pid": 1124,
    }


@pytest.mark.parametrize(
    ("sample", "kind", "expected"),
    [
        ("ss-anp", "ss", [("udp", 8471), ("udp", 8472), ("tcp", 2379), ("tcp", 31325)]),
        ("ss-lntup", "ss", [("udp", 8471), ("udp", 8472), ("tcp", 2379)]),
        ("ss-ntap", "ss", [("tcp", 2379), ("tcp", 31325), ("tcp", 2379)]),
        ("ss-ulnp", "ss", [("udp", 8471), ("udp", 8472)]),
        ("netstat-tunlp", "netstat", [("tcp", 2379), ("udp", 8471), ("udp", 8472)]),
        ("netstat-Wneopa", "netstat", [("tcp", 2379), ("tcp", 31325), ("tcp", 2379), ("udp", 8471), ("udp", 8472)]),
    ],
)
def test_protocol_and_port(sample: str, kind: str, expected: list[tuple[str, int]]) -> None:
    """With and without Netid column the protocol is known; sockets that are not TCP or UDP give no fact."""
    assert expected == [(row["protocol"], row["port"]) for row in fields(facts(sample, kind), "socket")]


def test_a_kernel_socket_has_no_process() -> None:
    """A VXLAN socket belongs to the kernel: neither process nor pid."""
    row = fields(facts("netstat-tunlp", "netstat"), "socket")[-1]

    assert row == {"protocol": "udp", "state": "UNCONN", "local": "0.0.0.0", "port": 8472, "peer": "0.0.0.0"}


def test_states_of_netstat_are_those_of_ss() -> None:
    """One word a state, whichever tool printed it."""
    assert {"LISTEN", "ESTAB", "UNCONN"} == {row["state"] for row in fields(facts("netstat-Wneopa", "netstat"), "socket")}


@pytest.mark.parametrize(
    ("row", "local", "port"),
    [
        ("LISTEN 0 128 [::]:22 [::]:*", "::", 22),
        ("LISTEN 0 128 *:https *:*", "*", 443),
        ("LISTEN 0 128 127.0.0.1%lo:53 0.0.0.0:*", "127.0.0.1%lo", 53),
        ("LISTEN 0 128 [::ffff:10.0.0.1]:6443 *:*", "::ffff:10.0.0.1", 6443),
    ],
)
def test_addresses(row: str, local: str, port: int) -> None:
    """Addresses are printed without brackets, service names become numbers."""
    [fact] = parse_ss(document(row, "ss"))

    assert (fact["local"], fact["port"]) == (local, port)


def test_the_options_tell_the_protocol() -> None:
    """A TCP socket may be UNCONN too when only TCP was asked for."""
    [fact] = parse_ss(document("UNCONN 0 0 0.0.0.0:8472 0.0.0.0:*", "ss", command="ss -tanp"))

    assert fact["protocol"] == "tcp"


def test_sockets_are_bounded() -> None:
    """A node with very many connections gives a bounded number of facts."""
    text = "\n".join(["ESTAB 0 0 10.0.0.1:40000 10.0.0.2:443"] * (SOCKET_LIMIT + 10))

    assert sum(1 for _ in parse_ss(document(text, "ss"))) == SOCKET_LIMIT
