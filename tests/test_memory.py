"""What is tidied up, and what a process that ends leaves."""

from __future__ import annotations

import subprocess
import sys

import pytest

_ENDS = """
import sys, weakref
from kubecause.memory import keep_alive, leave, never_tidy_up
class Evidence: pass
if {ends}: never_tidy_up()
evidence = Evidence()
alive = weakref.ref(evidence)
keep_alive(evidence)
del evidence
sys.stdout.write("kept" if alive() else "freed")
leave(3)
"""


@pytest.mark.parametrize(("ends", "evidence"), [(True, "kept"), (False, "freed")])
def test_only_a_process_that_ends_keeps_what_is_done_with(*, ends: bool, evidence: str) -> None:
    """Within a longer life it is freed as ever; what was written comes out either way, and the exit code is the one given."""
    done = subprocess.run([sys.executable, "-c", _ENDS.format(ends=ends)], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr, done.returncode) == (evidence, "", 3)
