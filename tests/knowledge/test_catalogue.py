"""The fault catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubecause.errors import KnowledgeError
from kubecause.knowledge import load_catalogue
from kubecause.knowledge.catalogue import CATALOGUE, Fault


def test_every_entry_is_read() -> None:
    """As many faults as the file has lines that are not comments, none lost, none invented."""
    lines = [line for line in CATALOGUE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]

    faults = load_catalogue()

    assert [line.partition(":")[0] for line in lines] == list(faults)
    assert len(faults) >= 244


def test_sentences_keep_their_commas() -> None:
    """A sentence with commas stays whole, which a YAML reader would cut."""
    fault = load_catalogue()["container/exit-general-error"]

    assert fault.en == "Process ended by itself with an application error code (1, 255, sysexits)"


def test_all_parts_of_an_entry_are_kept() -> None:
    """Entity, seeds, benchmark label and symptom mark come from the line."""
    faults = load_catalogue()

    assert ("container", ("s0", "s3"), "oom_killed", False) == (
        faults["container/oom-killed"].entity,
        faults["container/oom-killed"].seed,
        faults["container/oom-killed"].bench,
        faults["container/oom-killed"].symptom,
    )
    assert (
        Fault("service/no-ready-endpoints", "service", "Service has no ready endpoints", symptom=True)
        == faults["service/no-ready-endpoints"]
    )


def test_bad_lines_are_named(tmp_path: Path) -> None:
    """A line of another form and an id written twice are problems with their lines."""
    file = tmp_path / "faults.yaml"
    file.write_text("a/b: {entity: pod, en: One}\na/c:\n  entity: pod\na/b: {entity: pod, en: Two}\n", encoding="utf-8")

    with pytest.raises(KnowledgeError) as raised:
        load_catalogue(file)

    assert [f"{file}:{line}" for line in (2, 3, 4)] == [
        problem.rpartition(": ")[0].partition(": ")[0] for problem in raised.value.problems
    ]
    assert raised.value.problems[-1].endswith("a/b is listed twice")
