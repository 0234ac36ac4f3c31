"""File attributes from lsattr."""

from __future__ import annotations

import pytest
from host_samples import document, facts

from kubecause.facts.host_files import PLAIN_LIMIT, parse_lsattr


def test_an_immutable_file() -> None:
    """The letter i among the attributes means nobody can change the file."""
    [fact] = facts("lsattr", "lsattr")

    assert fact.fields == {"path": "x1", "immutable": True, "append_only": False}


@pytest.mark.parametrize(
    ("row", "immutable", "append_only"),
    [
        ("-------------e-- /etc/hosts", False, False),
        ("-----a--------e------- /var/log/kube audit.log", False, True),
        ("----ia--------e------- ./x", True, True),
    ],
)
def test_attributes(row: str, immutable: bool, append_only: bool) -> None:
    """The width of the attributes differs by version, a path may contain blanks."""
    [fact] = parse_lsattr(document(row, "lsattr"))

    assert (fact["immutable"], fact["append_only"]) == (immutable, append_only)
    assert fact["path"] == row.split(" ", 1)[1]


def test_a_long_listing_keeps_every_locked_file() -> None:
    """Plain rows are bounded, locked files behind them are still found."""
    text = "\n".join([f"--------------e------- /d/{n}" for n in range(PLAIN_LIMIT + 50)] + ["----i---------e------- /d/locked"])

    found = list(parse_lsattr(document(text, "lsattr")))

    assert len(found) == PLAIN_LIMIT + 1
    assert found[-1]["path"] == "/d/locked"


def test_messages_of_lsattr_are_no_rows() -> None:
    """What lsattr cannot read gives no fact."""
    assert list(parse_lsattr(document("lsattr: Operation not supported While reading flags on /proc/1", "lsattr"))) == []
