"""The compiled cases: fresh, private, and never trusted when damaged."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from case_samples import ID, SYMPTOM, changed, two_cases, written

from kubecause.errors import KnowledgeError
from kubecause.knowledge import load_cases

TITLE = "kubelet does not run on <node>"


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of cases, with the user's cache beside it; gives the folder of cases."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return written(tmp_path / "cases")


def pack(folder: Path) -> Path:
    """The one compiled file."""
    (file,) = (folder.parent / "cache" / "kubecause").iterdir()
    return file


def forge(file: Path) -> None:
    """Change a title inside the compiled file, so that a test sees whether the file was read."""
    data = file.read_bytes()
    assert TITLE.encode() in data
    file.write_bytes(data.replace(TITLE.encode(), TITLE.replace("kubelet", "FORGED!").encode()))


def test_the_second_start_reads_the_compiled_file(cached: Path) -> None:
    """A warm start takes the compiled cases and gives the same knowledge."""
    cold = load_cases(cached)

    warm = load_cases(cached)

    assert cold == warm
    assert warm.cases[ID].signals["down"].where == {"unit": "kubelet", "active|in": ["inactive", "failed"]}
    forge(pack(cached))
    assert load_cases(cached).cases[ID].title.en.startswith("FORGED!")


def test_the_compiled_file_is_private(cached: Path) -> None:
    """Only the user may read and write it, and no half-written file stays."""
    load_cases(cached)

    assert oct(pack(cached).stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize(
    "edit",
    [
        lambda file: file.write_text(changed((TITLE, "kubelet is gone from <node>")), encoding="utf-8"),
        lambda file: os.utime(file, ns=(1, time.time_ns() + 10**9)),
        lambda file: written(file.parents[1], SYMPTOM, "node/not-ready"),
    ],
    ids=["content", "time", "new file"],
)
def test_any_edit_makes_it_stale(cached: Path, edit: Callable[[Path], object]) -> None:
    """A changed size, a changed time or a new file is read from YAML again."""
    load_cases(cached)
    forge(pack(cached))

    edit(cached / f"{ID}.yaml")

    assert not load_cases(cached).cases[ID].title.en.startswith("FORGED!")


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x00" * 100,
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 100_000,
        msgspec.msgpack.encode({"fingerprint": "x", "cases": [], "faults": []}),
        msgspec.msgpack.encode({"fingerprint": 1, "cases": [{"id": 5}], "faults": []}),
    ],
    ids=["empty", "noise", "huge array", "deep", "other fingerprint", "wrong types"],
)
def test_a_damaged_file_is_built_anew(cached: Path, damage: bytes) -> None:
    """What does not decode to typed cases of this fingerprint is ignored and replaced."""
    load_cases(cached)
    file = pack(cached)
    good = file.read_bytes()
    file.write_bytes(damage)

    assert load_cases(cached).cases[ID].title.en == TITLE
    assert good == file.read_bytes()


def test_every_truncation_is_survived(cached: Path) -> None:
    """A file cut anywhere never raises and never gives wrong cases."""
    expected = load_cases(cached)
    file = pack(cached)
    good = file.read_bytes()

    for length in range(0, len(good), len(good) // 25):
        file.write_bytes(good[:length])
        assert expected == load_cases(cached)


def test_a_file_that_others_may_write_is_not_trusted(cached: Path) -> None:
    """Cases become advice to run commands, so a file open to others is ignored."""
    load_cases(cached)
    forge(pack(cached))
    pack(cached).chmod(0o666)

    assert load_cases(cached).cases[ID].title.en == TITLE


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a writable folder the cases are read from YAML each time."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    assert [ID] == list(load_cases(written(tmp_path / "cases")).cases)


def test_a_relative_cache_folder_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The XDG rules call a relative path invalid; the home folder is taken instead."""
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    load_cases(written(tmp_path / "cases"))

    assert not (tmp_path / "here").exists()
    assert len(list((tmp_path / ".cache" / "kubecause").iterdir())) == 1


def test_broken_cases_are_not_cached(cached: Path) -> None:
    """A folder with a mistake raises each time."""
    written(cached, changed(("risk: safe", "risk: none")))

    for _ in range(2):
        with pytest.raises(KnowledgeError, match="'none' is not one of"):
            load_cases(cached)


def test_a_warm_start_needs_no_yaml_reader(cached: Path) -> None:
    """Neither PyYAML nor the lint rules are imported once the compiled file is there."""
    load_cases(cached)
    code = (
        "import sys, pathlib; from kubecause.knowledge import load_cases;"
        f"cases = load_cases(pathlib.Path({str(cached)!r})).cases;"
        "print(len(cases), 'yaml' in sys.modules, 'kubecause.knowledge.lint_texts' in sys.modules)"
    )

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.split() == ["1", "False", "False"]


def test_causes_are_found_through_several_steps(tmp_path: Path) -> None:
    """leads_to is read backwards, transitively, with the number of steps."""
    knowledge = two_cases(tmp_path)

    assert {"node/not-ready": 1, ID: 2} == knowledge.causes_of("pod/stuck-pending")
    assert {} == knowledge.causes_of(ID)


def test_titles_fall_back_to_the_catalogue(tmp_path: Path) -> None:
    """A fault without a case has the sentence of the catalogue, an unknown one its id."""
    knowledge = two_cases(tmp_path)

    assert [TITLE, "Node is cordoned", "a/b"] == [knowledge.title(fault).en for fault in (ID, "node/cordoned", "a/b")]
    assert (True, False, False) == tuple(knowledge.is_symptom(fault) for fault in ("pod/evicted", ID, "a/b"))
