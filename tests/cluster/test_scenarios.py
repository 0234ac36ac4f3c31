"""Every scenario, on a real cluster: the right cause on the right thing, for each user, live and from a bundle.

``KUBECAUSE_SCENARIOS`` chooses: ``short`` (the default) leaves out those that run alone and are not marked quick, ``all``
runs every one, names of scenarios or files run those.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from .asking import IDENTITIES
from .range import Range
from .running import ENTITIES_RIGHT, FAULTS_RIGHT, Outcome, Plan, run_scenarios, save_outcomes, summary
from .scenarios import Scenario, load_scenarios

CHOICE = os.environ.get("KUBECAUSE_SCENARIOS", "short")
WHOLE = CHOICE in {"short", "all"}


def _chosen() -> list[Scenario]:
    if WHOLE:
        return [one for one in load_scenarios() if CHOICE == "all" or one.quick or not one.alone]
    return load_scenarios(CHOICE.replace(",", " ").split())


SCENARIOS = _chosen()


@pytest.fixture(scope="session")
def outcomes(cluster: Range, request: pytest.FixtureRequest) -> dict[str, Outcome]:
    """All scenarios run once, many at a time; the tests below look at what became of each."""
    selected = [item.callspec.params["scenario"] for item in request.session.items if hasattr(item, "callspec")]
    told = request.config.get_terminal_writer()
    plan = Plan(identities=IDENTITIES, bundles=True)
    done = run_scenarios(cluster, selected or SCENARIOS, plan, lambda outcome: told.line(outcome.line()))
    for line in summary(done, IDENTITIES):
        told.line(line)
    save_outcomes(Path(os.environ.get("KUBECAUSE_OUTCOMES", cluster.folder.parent / "kubecause-outcomes.json")), done)
    return {one.scenario.name: one for one in done}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_the_fault_shows_and_is_diagnosed(scenario: Scenario, outcomes: dict[str, Outcome]) -> None:
    """The first diagnosis names the fault and the thing it lives on, for an administrator and with the printed role.

    Of a whole set, what is wrong counts in the shares below; scenarios that were named must be right.
    """
    outcome = outcomes[scenario.name]

    assert outcome.bundle == ""
    if outcome.error and WHOLE:
        pytest.xfail(outcome.error)
    assert outcome.error == ""
    assert not outcome.answers["view"].wrongly_confirmed, outcome.line()
    wrong = [identity for identity in ("admin", "role") if not outcome.answers[identity].right]
    if wrong and (WHOLE or scenario.open):
        pytest.xfail(scenario.open or outcome.line())
    assert wrong == [], outcome.line()


@pytest.mark.skipif(not WHOLE, reason="shares are for the whole set")
def test_the_shares_are_high_enough(outcomes: dict[str, Outcome]) -> None:
    """Of all scenarios, the first diagnosis has the right fault and the right entity as often as was promised."""
    for line in summary(list(outcomes.values()), ("admin", "role")):
        faults, entities = (float(share) for share in re.findall(r"\(([\d.]+)%\)", line))
        assert faults >= FAULTS_RIGHT, line
        assert entities >= ENTITIES_RIGHT, line
