"""Packet filter rules that swallow traffic."""

from __future__ import annotations

import pytest
from host_samples import document, facts, fields

from kubecause.facts.host_firewall import RULE_LIMIT, parse_iptables_list, parse_iptables_save, parse_nft

UNTRACKED = [("raw", "PREROUTING", "tcp", "80,443", True), ("raw", "OUTPUT", "tcp", "80,443", True)]


@pytest.mark.parametrize(
    ("sample", "kind"),
    [
        ("iptables-pasted", "iptables-save"),
        ("iptables-S-raw", "iptables-save"),
        ("iptables-save", "iptables-save"),
        ("iptables-nvL-raw", "iptables-list"),
        ("nft", "nft"),
    ],
)
def test_rules_without_tracking(sample: str, kind: str) -> None:
    """NOTRACK and CT --notrack are found in every format; their table is raw even when nothing says so."""
    found = [row for row in fields(facts(sample, kind), "iptables.rule") if row["notrack"]]

    assert [(row["table"], row["chain"], row["protocol"], row["ports"], row["notrack"]) for row in found] == UNTRACKED
    assert not any(row["node_local_dns"] for row in found)


@pytest.mark.parametrize(
    ("sample", "kind"), [("iptables-save", "iptables-save"), ("iptables-nvL-filter", "iptables-list"), ("nft", "nft")]
)
def test_a_port_that_is_shut(sample: str, kind: str) -> None:
    """A DROP rule with a port is a fact, one without a port is not."""
    found = [row for row in fields(facts(sample, kind, command="iptables -nvL"), "iptables.rule") if not row["notrack"]]

    assert [(row["table"], row["chain"], row["target"], row["protocol"], row["ports"]) for row in found] == [
        ("filter", "INPUT", "DROP", "udp", "8472"),
    ]


def test_the_rules_of_the_dns_cache_are_told_apart() -> None:
    """NodeLocal DNSCache switches tracking off for DNS on purpose; other rules in the same table do not profit."""
    found = fields(facts("iptables-nodelocaldns", "iptables-save"), "iptables.rule")

    assert [("53", True), ("53", True), ("53", True), ("80,443", False)] == [
        (row["ports"], row["node_local_dns"]) for row in found
    ]


def test_rows_without_chain_header() -> None:
    """Rows that grep left of iptables -nL are read; the command tells the table."""
    text = "NOTRACK    tcp  --  0.0.0.0/0            0.0.0.0/0            multiport dports 80,443"

    [fact] = parse_iptables_list(document(text, "iptables-list", command="iptables -t raw -nL | grep 443"))

    assert (fact["table"], fact["target"], fact["protocol"], fact["ports"]) == ("raw", "NOTRACK", "tcp", "80,443")


def test_a_rejected_service() -> None:
    """kube-proxy rejects the port of a service without endpoints; the text keeps its comment."""
    rule = '-A KUBE-SERVICES -d 10.96.7.7/32 -p tcp -m comment --comment "shop/web has no endpoints" -m tcp --dport 80 -j REJECT'

    [fact] = parse_iptables_save(document(f"*filter\n{rule}", "iptables-save"))

    assert (fact["target"], fact["ports"], fact["text"], fact["notrack"]) == ("REJECT", "80", rule, False)


def test_the_word_in_a_comment_of_nft_is_no_verdict() -> None:
    """Only the verdict counts, not what a comment says."""
    assert list(parse_nft(document('tcp dport 80 counter comment "do not drop this" accept', "nft"))) == []


def test_rules_without_tracking_come_first() -> None:
    """However many ports are shut, a rule without tracking is not lost to the limit."""
    shut = [f"-A INPUT -p tcp -m tcp --dport {port} -j DROP" for port in range(1, RULE_LIMIT + 100)]
    text = "\n".join([*shut, "-A OUTPUT -p tcp -j NOTRACK"])

    found = list(parse_iptables_save(document(text, "iptables-save")))

    assert len(found) == RULE_LIMIT
    assert found[0]["notrack"] is True
