"""``kubecause cases new``: the scaffold of a case."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_samples import PATHS

from kubecause.errors import UsageError
from kubecause.knowledge import lint, load_catalogue, load_folder
from kubecause.knowledge.scaffold import new_case


@pytest.mark.parametrize("fault", list(load_catalogue()))
def test_a_scaffold_loads_but_fails_lint_until_it_is_filled(tmp_path: Path, fault: str) -> None:
    """For every fault the scaffold is valid, carries the catalogue's facts, and lint names what is still empty."""
    file = new_case(fault, tmp_path)

    cases = load_folder(tmp_path)
    issues = lint(cases, tmp_path, load_catalogue(), PATHS)

    assert tmp_path / f"{fault}.yaml" == file
    assert load_catalogue()[fault].en in file.read_text(encoding="utf-8")
    assert {"title.en is empty", "references is empty; name at least one page a reader can open"} <= {
        issue.message for issue in issues
    }
    assert not any("catalogue" in issue.message or "has no fixes" in issue.message for issue in issues)


def test_an_unknown_fault_is_refused_with_its_neighbours(tmp_path: Path) -> None:
    """A slip in the id names what was probably meant, and writes nothing."""
    with pytest.raises(UsageError, match=r"kubelet/not-runing is not in the fault catalogue; did you mean kubelet/not-running"):
        new_case("kubelet/not-runing", tmp_path)
    with pytest.raises(UsageError, match="not in the fault catalogue"):
        new_case("../../etc/passwd", tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_case_is_never_overwritten(tmp_path: Path) -> None:
    """A second call leaves the author's work alone."""
    file = new_case("kubelet/not-running", tmp_path)
    file.write_text("mine", encoding="utf-8")

    with pytest.raises(UsageError, match="exists already"):
        new_case("kubelet/not-running", tmp_path)

    assert file.read_text(encoding="utf-8") == "mine"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file in the place of the folder is said, not raised as a traceback."""
    (tmp_path / "kubelet").write_text("", encoding="utf-8")

    with pytest.raises(UsageError, match="cannot be written: File exists; name another folder"):
        new_case("kubelet/not-running", tmp_path)
