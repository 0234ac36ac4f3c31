"""Network of a machine: ``ip addr``, ``ip link``, ``ip route``; joins in sockets and packet filter rules."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kubecause.facts import host_firewall, host_sockets
from kubecause.facts.host_output import FieldValue, Parser, fact_at, lines_of, node_of
from kubecause.model import Document, Fact

LINK_LIMIT = 1000

# --- ip addr, ip link -------------------------------------------------------------------------------------

_INET = r"\s+(?P<family>inet6?) (?P<address>[\da-fA-F.:]{2,45}(?:/\d{1,3})?)"
_LINK = re.compile(
    r"\s*\d{1,6}:\s+(?P<name>[^\s@:]{1,32})(?:@(?P<peer>[^\s:]{1,32}))?:\s+<(?P<flags>[A-Z0-9_,-]{0,200})>(?P<rest>.*)",
)
_ONE_LINE = re.compile(rf"\s*\d{{1,6}}:\s+(?P<name>[^\s:@]{{1,32}})(?:@[^\s:]{{1,32}})?{_INET}")
_ADDRESS = re.compile(_INET)
_MTU = re.compile(r"\bmtu (?P<mtu>\d{1,7})\b")
_STATE = re.compile(r"\bstate (?P<state>[A-Z]{2,20})\b")
_VXLAN = re.compile(r"\bvxlan (?:external )?(?:id \d+)?.{0,300}?\bdstport (?P<port>\d{1,5})\b")
_DOWN_STATES = frozenset(("DOWN", "LOWERLAYERDOWN", "NOTPRESENT"))


class _Interface(msgspec.Struct):
    name: str
    places: list[int]
    far_end: bool = False  # the other end is in a container
    fields: dict[str, FieldValue] = msgspec.field(default_factory=dict)
    address6: tuple[str, int] | None = None


def parse_ip_link(document: Document) -> Iterator[Fact]:
    """``link`` of each interface of ``ip addr``, ``ip -o addr`` and ``ip -d link``.

    ``up`` is false when the interface is switched off or the kernel calls its state DOWN (no carrier). The address is
    the first IPv4 one, else the first IPv6 one that is not link-local. Interfaces that lead into containers and carry
    no address give no fact: there are hundreds of them and their state is their pod's.
    """
    interfaces = _read_interfaces(document)
    for interface in list(interfaces.values())[:LINK_LIMIT]:
        if "address" not in interface.fields and interface.address6:
            interface.fields["address"] = interface.address6[0]
            interface.places.append(interface.address6[1])
        if not interface.far_end or "address" in interface.fields:
            yield fact_at(document, "link", node_of(document), {"name": interface.name, **interface.fields}, *interface.places)


def _read_interfaces(document: Document) -> dict[str, _Interface]:
    interfaces: dict[str, _Interface] = {}
    current: _Interface | None = None
    for index, line in lines_of(document):
        if link := _LINK.match(line):
            current = interfaces.setdefault(link["name"], _Interface(link["name"], [index]))
            current.far_end = bool(link["peer"] and re.fullmatch(r"if\d+", link["peer"]))
            flags = link["flags"].split(",")
            state = _STATE.search(link["rest"])
            current.fields["up"] = "UP" in flags and not (state and state["state"] in _DOWN_STATES)
            if mtu := _MTU.search(link["rest"]):
                current.fields["mtu"] = int(mtu["mtu"])
        elif row := _ONE_LINE.match(line):
            current = interfaces.setdefault(row["name"], _Interface(row["name"], [index]))
            _add_address(current, index, row)
        elif current and (address := _ADDRESS.match(line)):
            _add_address(current, index, address)
        if current and "vxlan_port" not in current.fields and (vxlan := _VXLAN.search(line)):
            current.fields["vxlan_port"] = int(vxlan["port"])
            current.places.append(index)
    return interfaces


def _add_address(interface: _Interface, index: int, found: re.Match[str]) -> None:
    if found["family"] == "inet" and "address" not in interface.fields:
        interface.fields["address"] = found["address"]
        interface.places.append(index)
    elif found["family"] == "inet6" and interface.address6 is None and not found["address"].lower().startswith("fe80"):
        interface.address6 = (found["address"], index)


# --- ip route ---------------------------------------------------------------------------------------------

_ROUTE = re.compile(
    r"(?P<type>(?:local|broadcast|multicast|anycast|unicast|blackhole|unreachable|prohibit|throw) )?"
    r"(?P<to>default|[\da-fA-F.:]{2,45}(?:/\d{1,3})?)(?:\s+(?:via|dev|proto|scope|table|src|metric|nhid|encap|linkdown|onlink)\b|\s*$)",
)
_OTHER_TABLE = re.compile(r"\btable (?!main\b|default\b)\S")
_PART_ASKED = re.compile(r"\bip\s.{0,100}?(?:\||\s-6\b|\b(?:get|table|dev|via|proto|src|to|match|exact)\b)")
_REFUSING = frozenset(("blackhole ", "unreachable ", "prohibit ", "throw "))


def parse_ip_route(document: Document) -> Iterator[Fact]:
    """One ``routes`` fact: how many routes, and whether one of the main table is a default route.

    When the command shows only a part of the table (a filter, one device, IPv6), a missing default route says nothing.
    """
    part = bool(_PART_ASKED.search(document.command or ""))
    count = 0
    first: int | None = None
    default: int | None = None
    version4 = False
    for index, line in lines_of(document):
        route = _ROUTE.match(line.strip())
        if not route:
            continue
        count += 1
        first = index if first is None else first
        version4 = version4 or "." in route["to"]
        is_default = route["to"] in {"default", "0.0.0.0/0"} and (route["type"] or "") not in _REFUSING
        if default is None and is_default and not _OTHER_TABLE.search(line):
            default = index
    if first is None:
        return
    known = default is not None or (version4 and not part)
    fields: dict[str, FieldValue | None] = {"default": default is not None if known else None, "count": count}
    yield fact_at(document, "routes", node_of(document), fields, first if default is None else default)


PARSERS: dict[str, Parser] = {
    "ip-addr": parse_ip_link,
    "ip-link": parse_ip_link,
    "ip-route": parse_ip_route,
    **host_sockets.PARSERS,
    **host_firewall.PARSERS,
}
RECOGNISERS: list[tuple[str, re.Pattern[str]]] = [
    *host_sockets.RECOGNISERS,
    *host_firewall.RECOGNISERS,
    ("ip-link", re.compile(r"(?m)^[ \t]*\d+: [^\s:]+: <[A-Z0-9_,-]*> mtu \d+ [^\n]{0,200}\bmode [A-Z]+")),
    ("ip-addr", re.compile(r"(?m)^[ \t]*\d+: [^\s:]+: <[A-Z0-9_,-]*> mtu \d+ (?![^\n]{0,200}\bmode [A-Z])")),
    ("ip-addr", re.compile(r"(?m)^[ \t]*\d+: [^\s:]+[ \t]+inet6? [\da-fA-F.:]+/\d+ ")),
    ("ip-route", re.compile(r"(?m)^[ \t]*default (?:via [\da-fA-F.:]+ dev \S+|dev \S+ (?:proto|scope|metric) )")),
    (
        "ip-route",
        re.compile(
            r"(?m)^[ \t]*(?:(?:blackhole|local|broadcast|unreachable) )?\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})? "
            r"(?:via [\d.]+ dev |dev \S+ +(?:table|proto|scope|metric|src) |proto \S+)",
        ),
    ),
]
