"""Members of etcd from etcdctl endpoint status."""

from __future__ import annotations

import json

import pytest
from host_samples import SAMPLES, document, facts, fields

from kubecause.facts.host_etcd import parse_etcd_status
from kubecause.model import Entity


@pytest.mark.parametrize("sample", ["etcd-status-table", "etcd-status-simple"])
def test_table_and_simple_format(sample: str) -> None:
    """Both formats of etcd 3.4 tell the same; no errors, no field."""
    [fact] = facts(sample, "etcd-status")

    assert fact.fields == {"endpoint": "https://127.0.0.1:23790", "leader": True, "learner": False, "db_size": 20000}
    assert fact.entity == Entity("Cluster", None, scope="paste.txt:10")


def test_json() -> None:
    """JSON has the exact size, and the leader is the member that names itself."""
    assert fields(facts("etcd-status", "etcd-status"), "etcd.status") == [
        {"endpoint": "https://127.0.0.1:23790", "leader": True, "learner": False, "db_size": 20480},
    ]


def test_indented_json() -> None:
    """Each member is proved by the line of its endpoint."""
    member = json.loads(SAMPLES["etcd-status"])[0]
    text = json.dumps([member, {**member, "Status": {**member["Status"], "leader": 1, "errors": ["NOSPACE"]}}], indent=2)

    first, second = parse_etcd_status(document(text, "etcd-status"))

    assert (first["leader"], second["leader"], second["errors"]) == (True, False, "NOSPACE")
    assert [text.split("\n")[proof.line - 10].strip() for fact in (first, second) for proof in fact.proofs if proof.line] == [
        '"Endpoint": "https://127.0.0.1:23790",',
    ] * 2


def test_columns_of_3_6_and_a_wrapped_error() -> None:
    """New columns do not shift the old ones, an error that goes on in the next row is joined."""
    [fact] = facts("etcd-status-3.6", "etcd-status")

    assert fact.fields == {
        "endpoint": "127.0.0.1:2379",
        "leader": True,
        "learner": False,
        "db_size": 2_100_000_000,
        "errors": "memberID:10276657743932975437 alarm:NOSPACE",
    }


def test_errors_and_old_columns_of_the_simple_format() -> None:
    """Errors come after the Raft indexes; etcd 3.3 had neither learner nor errors."""
    assert fields(facts("etcd-status-errors", "etcd-status"), "etcd.status") == [
        {
            "endpoint": "10.0.0.1:2379",
            "leader": True,
            "learner": False,
            "db_size": 2_100_000_000,
            "errors": "memberID:10276657743932975437 alarm:NOSPACE",
        },
        {"endpoint": "https://10.0.0.2:2379", "leader": False, "db_size": 2_100_000_000},
    ]


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '[{"Endpoint": 1}]', '[{"Endpoint": "a:1", "Status": []}]', "[1, 2]", '{"a": 1}', "["]
)
def test_broken_json_gives_nothing(text: str) -> None:
    """Deep, cut or foreign JSON does not raise."""
    assert list(parse_etcd_status(document(text, "etcd-status"))) == []
