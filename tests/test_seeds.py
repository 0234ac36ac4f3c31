"""The evidence blocks of the runbooks, pasted as they stand there, OCR damage included."""

from pathlib import Path

import pytest

from kubecause.pipeline import diagnose_path

SEEDS = sorted((Path(__file__).parent / "samples" / "seeds").glob("*.txt"))


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_block_of_a_runbook_gives_the_right_fault_first(path: Path) -> None:
    """A pasted evidence block names the fault of its file (``group--fault[--n].txt``) as the first diagnosis."""
    expected = "/".join(path.stem.split("--")[:2])

    diagnoses = diagnose_path([str(path)]).diagnoses

    assert expected == (diagnoses[0].finding.fault if diagnoses else None)
