"""Interfaces and routes from ip."""

from __future__ import annotations

import pytest
from host_samples import document, facts, fields

from kubecause.facts.host_network import parse_ip_link, parse_ip_route


def test_ip_addr() -> None:
    """Name, first address, MTU and state of each interface."""
    found = fields(facts("ip-addr", "ip-addr"), "link")

    assert found == [
        {"name": "lo", "address": "127.0.0.1/8", "mtu": 65536, "up": True},
        {"name": "br0", "address": "10.244.1.1/24", "mtu": 1500, "up": True},
        {"name": "flannel.1", "address": "10.244.1.0/32", "mtu": 1450, "up": True},
        {"name": "veth1", "mtu": 1500, "up": False},
        {"name": "veth0", "mtu": 1500, "up": False},
    ]


def test_ip_o_addr() -> None:
    """The one-line format tells addresses only."""
    found = fields(facts("ip-o-addr", "ip-addr"), "link")

    assert [("lo", "127.0.0.1/8"), ("br0", "10.244.1.1/24"), ("flannel.1", "10.244.1.0/32")] == [
        (row["name"], row["address"]) for row in found
    ]
    assert all("up" not in row for row in found)


def test_the_port_of_a_vxlan() -> None:
    """``ip -d link`` shows the UDP port of a VXLAN, proved by its line."""
    fact = next(fact for fact in facts("ip-d-link", "ip-link") if fact["name"] == "flannel.1")

    assert fact["vxlan_port"] == 8472
    assert [proof.line for proof in fact.proofs] == [15, 17]


def test_the_ends_of_pod_networks_give_no_fact() -> None:
    """Hundreds of interfaces lead into pods; inside a pod the same kind of interface has an address."""
    host = "9: cali12@if4: <BROADCAST,UP,LOWER_UP> mtu 1480 qdisc noqueue state UP"
    pod = "3: eth0@if9: <BROADCAST,UP,LOWER_UP> mtu 1480 qdisc noqueue state UP\n    inet 10.244.1.7/24 scope global eth0"

    assert list(parse_ip_link(document(host, "ip-addr"))) == []
    assert fields(list(parse_ip_link(document(pod, "ip-addr"))), "link") == [
        {"name": "eth0", "address": "10.244.1.7/24", "mtu": 1480, "up": True},
    ]


def test_an_interface_with_ipv6_only() -> None:
    """The first IPv6 address counts when there is no IPv4 one, link-local ones never."""
    text = "2: eth0: <UP> mtu 1500 state UP\n    inet6 fe80::1/64 scope link\n    inet6 2001:db8::5/64 scope global"

    [fact] = parse_ip_link(document(text, "ip-addr"))

    assert fact["address"] == "2001:db8::5/64"


@pytest.mark.parametrize(("sample", "count"), [("ip-route-seed", 9), ("ip-route-all", 13)])
def test_a_default_route(sample: str, count: int) -> None:
    """The default route is proved by its own line, other words at the end of lines do no harm."""
    [fact] = facts(sample, "ip-route")

    assert fact.fields == {"default": True, "count": count}
    assert [proof.line for proof in fact.proofs] == [10]


@pytest.mark.parametrize(
    ("text", "command", "expected"),
    [
        ("10.0.0.0/24 dev eth0 proto kernel", "ip route", {"default": False, "count": 1}),
        ("10.0.0.0/24 dev eth0 proto kernel", None, {"default": False, "count": 1}),
        ("10.0.0.0/24 dev eth0 proto kernel", "ip r | grep eth0", {"count": 1}),
        ("10.0.0.0/24 dev eth0 proto kernel", "ip route show dev eth0", {"count": 1}),
        ("fe80::/64 dev eth0 proto kernel", "ip -6 route", {"count": 1}),
        ("unreachable default dev lo\n10.0.0.0/24 dev eth0", "ip route", {"default": False, "count": 2}),
        ("default via 10.0.0.1 dev eth0 table 100\n10.0.0.0/24 dev eth0", "ip route", {"default": False, "count": 2}),
    ],
)
def test_a_missing_default_route(text: str, command: str | None, expected: dict[str, object]) -> None:
    """Only a whole table shows that there is no default route."""
    [fact] = parse_ip_route(document(text, "ip-route", command=command))

    assert fact.fields == expected


def test_no_routes_no_fact() -> None:
    """Without a line there is no proof, so there is no fact."""
    assert list(parse_ip_route(document("", "ip-route", command="ip route"))) == []
