"""Packet filter rules that swallow traffic: ``iptables-save``, ``iptables -S``, ``iptables -nvL`` and ``nft list ruleset``.

A node has tens of thousands of rules; only those that switch connection tracking off, and those that drop or reject a
port, become facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from kubecause.facts.host_output import FieldValue, Parser, fact_at, lines_of, node_of
from kubecause.model import Document, Fact

RULE_LIMIT = 500

_VERDICTS = frozenset(("DROP", "REJECT"))
_TABLE_ASKED = re.compile(r"\bip6?tables(?:-legacy|-nft)?\s(?:[^|;&]{0,100}\s)?-t\s*(?P<table>raw|nat|filter|mangle|security)\b")
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "132": "sctp"}  # iptables 1.8.9 prints numbers
# NodeLocal DNSCache exempts its own address and the DNS service from tracking on purpose:
# https://github.com/kubernetes/dns/blob/master/cmd/node-cache/app/cache_app.go
_DNS_COMMENT = "NodeLocal DNS"
_LINK_LOCAL = re.compile(r"(?<![\d.])169\.254\.\d{1,3}\.\d{1,3}(?![\d.])")
_DNS_PORTS = frozenset(("53", "8080", "9253", "9353"))


class _Rule(msgspec.Struct, frozen=True):
    index: int
    table: str | None
    chain: str | None
    target: str
    protocol: str | None
    ports: str | None
    notrack: bool

    @property
    def matters(self) -> bool:
        """Whether it can be a fault: no tracking, or a port that is shut."""
        return self.notrack or (self.target in _VERDICTS and self.ports is not None)


def _facts(document: Document, rules: Iterable[_Rule]) -> Iterator[Fact]:
    """Facts of the rules that matter, rules without tracking first for they are few and hurt most."""
    untracked: list[_Rule] = []
    shut: list[_Rule] = []
    for rule in rules:
        chosen = untracked if rule.notrack else shut
        if rule.matters and len(chosen) < RULE_LIMIT:
            chosen.append(rule)
    lines = {rule.index: document.lines[rule.index][:4096].strip() for rule in (*untracked, *shut)}
    dns_here = any(_is_node_local_dns(lines[rule.index]) for rule in untracked)
    for rule in (*untracked, *shut)[:RULE_LIMIT]:
        text = lines[rule.index]
        fields: dict[str, FieldValue | None] = {
            "table": rule.table or ("raw" if rule.notrack else None),  # the kernel takes NOTRACK in the raw table only
            "chain": rule.chain,
            "target": rule.target,
            "protocol": rule.protocol,
            "ports": rule.ports,
            "notrack": rule.notrack,
            "text": text,
            "node_local_dns": rule.notrack and (_is_node_local_dns(text) or (dns_here and rule.ports in _DNS_PORTS)),
        }
        yield fact_at(document, "iptables.rule", node_of(document), fields, rule.index)


def _is_node_local_dns(text: str) -> bool:
    return _DNS_COMMENT in text or bool(_LINK_LOCAL.search(text))


def _asked_table(document: Document) -> str | None:
    """The table a command names with ``-t``; without the option iptables shows ``filter``."""
    command = document.command or ""
    if found := _TABLE_ASKED.search(command):
        return found["table"]
    return "filter" if re.search(r"\bip6?tables\b(?!-)", command) else None


# --- iptables-save, iptables -S ---------------------------------------------------------------------------

_TABLE_LINE = re.compile(r"\*(?P<table>raw|nat|filter|mangle|security)$")
_RULE_LINE = re.compile(r"(?:\[\d+:\d+\] )?(?:-t (?P<table>\w{1,10}) )?-A (?P<chain>[\w.:-]{1,64}) (?P<rest>.*)")
_TARGET = re.compile(r"(?:^|\s)(?:-j|--jump) (?P<target>[\w.:-]{1,64})")
_PROTOCOL = re.compile(r"(?:^|\s)-p (?P<protocol>[\w-]{1,16})")
_PORTS = re.compile(r"(?:^|\s)--(?P<side>dports?|destination-ports?|ports|sports?|source-ports?) (?P<ports>[\d,:]{1,200})")


def parse_iptables_save(document: Document) -> Iterator[Fact]:
    """``iptables.rule`` of the rules that matter in ``iptables-save`` or ``iptables -S``, or in single ``-A`` lines."""
    yield from _facts(document, _saved_rules(document))


def _saved_rules(document: Document) -> Iterator[_Rule]:
    table = _asked_table(document)
    for index, line in lines_of(document):
        if found := _TABLE_LINE.fullmatch(line.strip()):
            table = found["table"]
        elif (rule := _RULE_LINE.match(line.strip())) and (target := _TARGET.search(rule["rest"])):
            name, rest = target["target"], rule["rest"]
            protocol = found["protocol"] if (found := _PROTOCOL.search(rest)) else None
            notrack = name == "NOTRACK" or (name == "CT" and " --notrack" in rest)
            yield _Rule(index, rule["table"] or table, rule["chain"], name, protocol, _ports(rest), notrack)


def _ports(rest: str) -> str | None:
    """The ports of a rule, the destination's before the source's."""
    found = {match["side"][0]: match["ports"] for match in _PORTS.finditer(rest)}
    return found.get("d") or found.get("p") or found.get("s")


# --- iptables -nvL ----------------------------------------------------------------------------------------

_CHAIN_LINE = re.compile(r"\s*Chain (?P<chain>[\w.:-]{1,64}) \(")
_LISTED_PORTS = re.compile(r"(?:^|\s)(?:(?P<side>[ds])pts?:|multiport (?P<many>d|s|)ports )(?P<ports>[\d,:]{1,200})")
_OPTIONS = frozenset(("--", "-f", "!f"))


def parse_iptables_list(document: Document) -> Iterator[Fact]:
    """``iptables.rule`` of the rules that matter in ``iptables -L``, with or without ``-v``, ``-n``, ``--line-numbers``."""
    yield from _facts(document, _listed_rules(document))


def _listed_rules(document: Document) -> Iterator[_Rule]:
    chain: str | None = None
    table = _asked_table(document)
    for index, line in lines_of(document):
        if found := _CHAIN_LINE.match(line):
            chain = found["chain"]
            continue
        words = line.split(None, 10)[:7]
        place = next((place for place, word in enumerate(words) if word in _OPTIONS), 0)
        if place < 2:
            continue
        target, protocol = words[place - 2], words[place - 1]
        notrack = target == "NOTRACK" or (target == "CT" and bool(re.search(r"\sNOTRACK\b|\bCT notrack\b", line)))
        if not (notrack or target in _VERDICTS):
            continue
        ports = {(match["side"] or match["many"] or "p"): match["ports"] for match in _LISTED_PORTS.finditer(line)}
        shown = None if protocol in {"0", "all"} else _PROTOCOLS.get(protocol, protocol)
        yield _Rule(index, table, chain, target, shown, ports.get("d") or ports.get("p") or ports.get("s"), notrack)


# --- nft list ruleset -------------------------------------------------------------------------------------

_NFT_TABLE = re.compile(r"\s*table (?:(?:ip6?|inet|arp|bridge|netdev) )?(?P<table>[\w.-]{1,64}) \{")
_NFT_CHAIN = re.compile(r"\s*chain (?P<chain>[\w.-]{1,64}) \{")
_NFT_VERDICT = re.compile(r"(?:^|\s)(?P<verdict>notrack|drop|reject)(?:\s|$)")
_NFT_PORTS = re.compile(
    r"(?P<protocol>tcp|udp|sctp|th) (?P<side>[ds])port (?:!= )?(?P<ports>\d{1,5}(?:-\d{1,5})?|\{[\d, -]{1,200}\})",
)
_NFT_PROTOCOL = re.compile(r"l4proto (?P<protocol>tcp|udp|sctp|icmp)\b")
_NFT_QUOTED = re.compile(r'"[^"]{0,1000}"')


def parse_nft(document: Document) -> Iterator[Fact]:
    """``iptables.rule`` of the rules that matter in ``nft list ruleset``; targets in the words of iptables."""
    yield from _facts(document, _nft_rules(document))


def _nft_rules(document: Document) -> Iterator[_Rule]:
    table: str | None = None
    chain: str | None = None
    for index, line in lines_of(document):
        if found := _NFT_TABLE.match(line):
            table, chain = found["table"], None
        elif found := _NFT_CHAIN.match(line):
            chain = found["chain"]
        elif verdict := _NFT_VERDICT.search(_NFT_QUOTED.sub('""', line)):
            ports = {match["side"]: match for match in _NFT_PORTS.finditer(line)}
            port = ports.get("d") or ports.get("s")
            protocol = _NFT_PROTOCOL.search(line)
            named = port["protocol"] if port and port["protocol"] != "th" else protocol["protocol"] if protocol else None
            written = re.sub(r"[{} ]", "", port["ports"]) if port else None
            yield _Rule(index, table, chain, verdict["verdict"].upper(), named, written, verdict["verdict"] == "notrack")


PARSERS: dict[str, Parser] = {
    "iptables-save": parse_iptables_save,
    "iptables-list": parse_iptables_list,
    "nft": parse_nft,
}
RECOGNISERS: list[tuple[str, re.Pattern[str]]] = [
    ("nft", re.compile(r"(?m)^[ \t]*table (?:ip6?|inet|arp|bridge|netdev) [\w.-]+ \{")),
    ("iptables-save", re.compile(r"(?m)^# Generated by ip6?tables(?:-nft|-legacy)?-save")),
    ("iptables-save", re.compile(r"(?m)^\*(?:raw|nat|filter|mangle|security)[ \t]*$")),
    ("iptables-save", re.compile(r"(?m)^[ \t]*(?:\[\d+:\d+\] )?-A [\w.:-]+ [^\n]{0,500}?-j [\w.:-]+")),
    ("iptables-save", re.compile(r"(?m)^-P [\w-]+ (?:ACCEPT|DROP)[ \t]*$")),
    ("iptables-list", re.compile(r"(?m)^[ \t]*Chain [\w.:-]+ \((?:policy (?:ACCEPT|DROP)|\d+ references)")),
]
