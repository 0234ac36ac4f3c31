"""All parsers of host commands: recognising their kind, keeping to the vocabulary, surviving any damage."""

from __future__ import annotations

from random import Random

import pytest
from host_samples import PARSERS, RECOGNISERS, SAMPLES, document, recognised
from hypothesis import given, settings
from hypothesis import strategies as st

from kubecause.facts.host_output import LINE_LIMIT, number, size_bytes
from kubecause.model import Fact
from kubecause.vocabulary import FACT_KINDS

KIND_OF = {
    "atop": "atop", "atop-disk": "atop", "certs-expiration": "certs-expiration", "certs-expiration-1.15": "certs-expiration",
    "curl-refused": "curl-verbose", "curl-seed": "curl-verbose", "curl-vv-selfsigned": "curl-verbose", "curl-vvk": "curl-verbose",
    "df-h": "df", "df-wrapped": "df", "df-zh": "df", "df-inodes": "df-inodes", "df-inodes-zh": "df-inodes",
    "docker-info": "docker-info", "docker-info-grep": "docker-info", "etcd-status": "etcd-status",
    "etcd-status-3.6": "etcd-status", "etcd-status-errors": "etcd-status", "etcd-status-simple": "etcd-status",
    "etcd-status-table": "etcd-status", "free-h": "free", "free-old": "free", "free-zh": "free", "iotop": "iotop",
    "ip-addr": "ip-addr", "ip-o-addr": "ip-addr", "ip-d-link": "ip-link", "ip-route-all": "ip-route", "ip-route-seed": "ip-route",
    "iptables-S-raw": "iptables-save", "iptables-nodelocaldns": "iptables-save", "iptables-pasted": "iptables-save",
    "iptables-save": "iptables-save", "iptables-nvL-filter": "iptables-list", "iptables-nvL-raw": "iptables-list",
    "lsattr-d": "lsattr", "netstat-Wneopa": "netstat", "netstat-tunlp": "netstat", "nft": "nft", "s_client": "x509",
    "ss-anp": "ss", "ss-lntup": "ss", "ss-ntap": "ss", "ss-old": "ss", "ss-ulnp": "ss", "systemctl-cut": "systemctl-status",
    "systemctl-failed": "systemctl-status", "systemctl-inactive": "systemctl-status", "systemctl-list-units": "systemctl-status",
    "systemctl-running": "systemctl-status", "top-idle": "top", "top-new": "top", "top-old": "top", "top-old-cores": "top",
    "x509-dates": "x509", "x509-text": "x509",
}  # fmt: skip
FOREIGN = {
    "pods": "NAME    READY   STATUS    RESTARTS   AGE\nweb-0   1/1     Running   5 (60s ago)   3d",
    "node-conditions": "Conditions:\n  Type   Status  LastHeartbeatTime\n  Ready  True    Fri, 20 Nov 2026",
    "kubectl-version": "Client Version: v1.28.2\nServer Version: v1.28.2",
    "docker-version": "Client: Docker Engine - Community\n Version: 24.0.7\n\nServer: Docker Engine - Community\n Engine:",
    "neighbours": "10.0.0.7 dev eth0 lladdr 52:54:00:12:34:56 REACHABLE\n10.0.0.8 dev eth0 FAILED",
    "markdown": "| a | b |\n|---|---|\n- Trying to connect\n--------------------- text\n* Connected to the wrong cluster",
    "ss-summary": "Total: 4\nTCP:   7 (estab 2, closed 4, orphaned 0, timewait 0)\n\nTransport Total     IP        IPv6",
    "members": "| ID | STATUS | NAME |\n| 2e1259d415f2a040 | started | default |",
    "klog": "E0507 06:05:09.433545       1 proxier.go:1445] listen tcp4 :33306: bind: address already in use",
    "ps": "USER       PID %CPU %MEM    VSZ   RSS TTY      COMMAND\nroot         1  0.0  0.3 167376 11916 ?  init",
}
KINDS = sorted(PARSERS)


def check(found: list[Fact], lines: list[str]) -> None:
    """Every fact keeps to the vocabulary, holds plain values and shows lines that exist."""
    for fact in found:
        kind = FACT_KINDS[fact.kind]
        assert fact.entity.kind == kind.entity
        assert set(fact.fields) <= set(kind.fields)
        assert all(type(value) in {str, int, float, bool} for value in fact.fields.values())
        assert (fact.entity.scope is None) == (fact.entity.name is not None)
        assert fact.proofs
        assert all(lines[(proof.line or 0) - 10][:LINE_LIMIT].strip() == proof.text for proof in fact.proofs)


@pytest.mark.parametrize("sample", sorted(KIND_OF))
def test_each_text_is_of_one_kind(sample: str) -> None:
    """The marks of exactly one kind stand in each sample."""
    assert [KIND_OF[sample]] == recognised(SAMPLES[sample])


@pytest.mark.parametrize("name", sorted(FOREIGN))
def test_other_texts_are_of_no_kind(name: str) -> None:
    """Outputs that look alike are not claimed."""
    assert recognised(FOREIGN[name]) == []


def test_kinds_and_parsers_agree() -> None:
    """Every kind that is recognised has a parser, and every parser a mark."""
    assert {kind for kind, _ in RECOGNISERS} == set(PARSERS)


@pytest.mark.parametrize("sample", sorted(SAMPLES))
def test_facts_keep_to_the_vocabulary(sample: str) -> None:
    """Whichever parser reads whichever sample, its facts are well formed."""
    for kind in KINDS:
        check(list(PARSERS[kind](document(SAMPLES[sample], kind))), SAMPLES[sample].split("\n"))


@settings(max_examples=150, deadline=None)
@given(
    sample=st.sampled_from(sorted(SAMPLES)),
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 2**32 - 1),
    damage=st.sampled_from(["cut", "shuffle", "garble", "tear"]),
    noise=st.text(min_size=1, max_size=20),
)
def test_damage_never_raises(sample: str, kind: str, seed: int, damage: str, noise: str) -> None:
    """Cut, shuffled, garbled or torn samples give well-formed facts or none."""
    random, text = Random(seed), SAMPLES[sample]
    if damage == "cut":
        text = text[random.randrange(len(text)) :][: random.randrange(1, len(text))]
    elif damage == "shuffle":
        text = "\n".join(random.sample(lines := text.split("\n"), len(lines)))
    elif damage == "garble":
        text = "".join(random.choice(noise) if random.random() < 0.1 else letter for letter in text)
    else:
        text = "\n".join(" ".join(random.sample(words := line.split(), len(words))) for line in text.split("\n"))

    for each in {kind, KIND_OF.get(sample, kind)}:
        check(list(PARSERS[each](document(text, each))), text.split("\n"))


@settings(max_examples=100, deadline=None)
@given(kind=st.sampled_from(KINDS), text=st.text(max_size=400), command=st.none() | st.text(max_size=60))
def test_any_text_never_raises(kind: str, text: str, command: str | None) -> None:
    """Any text under any command gives well-formed facts or none."""
    check(list(PARSERS[kind](document(text, kind, command=command))), text.split("\n"))


@pytest.mark.parametrize(
    "unit", [" ", "a", "1", "-", "a:", "1:1 ", "| ", "a,", "[", "( ", "/", '"', "1.", "-A x ", "CN=a/", "tcp 0 0 a:1 "]
)
def test_long_lines_cost_little(unit: str) -> None:
    """A line made to send regular expressions astray is read by every parser and mark; backtracking would not end."""
    text = "\n".join([unit * (100_000 // len(unit))] * 5)
    for kind in KINDS:
        check(list(PARSERS[kind](document(text, kind))), text.split("\n"))
    recognised(text)


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("7.5", 7.5), ("7,5%", 7.5), ("100%", 100), ("", None), ("1.2.3", None), ("9" * 30, None)]
)
def test_number(text: str, value: float | None) -> None:
    """Decimal points and commas are read, anything else is no number."""
    assert value == number(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("0B", 0), ("3.5K", 3584), ("16Gi", 16 * 1024**3), ("32865032k", 32865032 * 1024), ("-788K", None), ("OK", None)],
)
def test_size_bytes(text: str, value: int | None) -> None:
    """Sizes of coreutils and procps in bytes; a zero misread as a letter is no size."""
    assert value == size_bytes(text)


def test_size_units() -> None:
    """Tools with SI units count in thousands, plain numbers in the unit the caller names."""
    assert size_bytes("20 kB", base=1000) == 20_000
    assert size_bytes("20", plain_unit=1024) == 20_480
