"""The steps of the way to an API server, read back from lines; hostile lines cost nothing and mean nothing."""

from __future__ import annotations

import pytest

from kubecause.facts.api_access import STEP_LIMIT, parse_api_access
from kubecause.facts.recognise import recognise
from kubecause.model import Channel, Document
from kubecause.vocabulary import FACT_KINDS

LINES = [
    "server: given: https://[fd00::5]:6443 (context prod), asked with a client certificate",
    "client-certificate: expired: subject=CN=ann, O=system:masters; issuer=CN=kubernetes; notBefore=2020-01-01T00:00:00Z; notAfter=2021-01-01T00:00:00Z",
    "token: expired: the token ended on 2020-01-01T00:00:00Z",
    "name: resolved: k8s-api.example.org is 10.0.0.5",
    "clock: behind: this machine's clock is 3 hours behind the server's",
    "tls: expired: Unable to connect to the server: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time is after 2021-01-01T00:00:00Z",
    'http: 403: Error from server (Forbidden): pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "shop"',
    "check: failed: readyz [-]poststarthook/rbac/bootstrap-roles failed: reason withheld",
    "kubeconfig: absent: error: stat /root/admin.conf: no such file or directory",
    "proxy: refused: Unable to connect to the server: proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: connection refused",
]


def document(lines: list[str], kind: str = "api-access", source: str = "connection to 10.0.0.5:6443") -> Document:
    """A document of the connection."""
    return Document(source, kind, Channel.CLIENT, lines)


def test_every_step_is_a_fact_with_its_details() -> None:
    """Server, certificate, dates, clock, answer, health check, file and proxy."""
    facts = list(parse_api_access(document(LINES)))

    assert len(facts) == len(LINES)
    assert {("fd00::5", 6443, "[fd00::5]:6443")} == {(fact["host"], fact["port"], fact["server"]) for fact in facts}
    by_stage = {fact["stage"]: fact for fact in facts}
    assert ("CN=ann, O=system:masters", "CN=kubernetes") == (
        by_stage["client-certificate"]["subject"],
        by_stage["client-certificate"]["issuer"],
    )
    assert {"2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"} == {fact["not_after"] for fact in facts if fact["not_after"]}
    assert "3 hours behind" == by_stage["clock"]["difference"]
    assert (403, "Forbidden", "ann", "list", "pods") == tuple(
        by_stage["http"][name] for name in ("status", "reason", "user", "verb", "resource")
    )
    assert ("readyz", "poststarthook/rbac/bootstrap-roles") == (by_stage["check"]["path"], by_stage["check"]["check"])
    assert "/root/admin.conf" == by_stage["kubeconfig"]["file"]
    assert by_stage["proxy"]["proxy"] is True
    assert {line for fact in facts for line in [fact.proofs[0].line]} == set(range(1, len(LINES) + 1))
    assert all(set(fact.fields) <= set(FACT_KINDS["api.access"].fields) for fact in facts)


def test_server_of_a_document_without_its_line() -> None:
    """The name of the document says which server answered."""
    (fact,) = parse_api_access(document(["http: 500: Error from server (InternalError): etcdserver: no leader"]))

    assert ("10.0.0.5:6443", 500, "InternalError") == (fact["server"], fact["status"], fact["reason"])


@pytest.mark.parametrize("first", [LINES[0], LINES[8], "check: failed: readyz [-]etcd failed: reason withheld"])
def test_lines_in_a_bundle_are_recognised(first: str) -> None:
    """By content, wherever they were saved."""
    parts = list(recognise(document([first, LINES[5]], kind="unknown", source="notes.txt")))

    assert ["api-access"] == [part.kind for part in parts]


def test_hostile_lines() -> None:
    """Lines that only look alike are skipped, endless ones are cut, and no more steps are read than a server has."""
    hostile = [
        "connect: REFUSED: x",
        "connect refused x",
        "tls: : x",
        "nothing: expired: x",
        "certificate: expired: " + "subject=" * 100_000,
        "check: failed: readyz [-]" + "a" * 1_000_000,
        "http: 99999999999: x",
    ]

    assert {"certificate", "check", "http"} == {fact["stage"] for fact in parse_api_access(document(hostile))}
    assert STEP_LIMIT == len(list(parse_api_access(document(["connect: refused: x"] * 10_000))))
