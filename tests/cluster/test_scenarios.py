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
WRONGLY_SURE = 1  # percent; faults of one scenario may reach another on the shared range


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
    wrong = [identity for identity in ("admin", "role") if identity not in outcome.answers or not outcome.answers[identity].right]
    view = outcome.answers.get("view")
    problem = outcome.error or outcome.bundle or wrong or (view is not None and view.wrongly_confirmed)

    if problem and (WHOLE or scenario.open):
        pytest.xfail(scenario.open or outcome.line())
    assert not problem, outcome.line()


@pytest.mark.skipif(not WHOLE, reason="shares are for the whole set")
def test_the_shares_are_high_enough(outcomes: dict[str, Outcome]) -> None:
    """Of all scenarios, the first diagnosis has the right fault and the right entity as often as was promised."""
    for line in summary(list(outcomes.values()), ("admin", "role")):
        faults, entities = (float(share) for share in re.findall(r"\(([\d.]+)%\)", line))
        assert faults >= FAULTS_RIGHT, line
        assert entities >= ENTITIES_RIGHT, line


@pytest.mark.skipif(not WHOLE, reason="shares are for the whole set")
def test_bundles_tell_the_same(outcomes: dict[str, Outcome]) -> None:
    """No report from a bundle differs from the one printed live."""
    assert [] == [name for name, outcome in outcomes.items() if outcome.bundle.endswith("differs")]


@pytest.mark.skipif(not WHOLE, reason="shares are for the whole set")
def test_little_permission_makes_nobody_wrongly_sure(outcomes: dict[str, Outcome]) -> None:
    """With the role view a wrong cause is next to never called confirmed."""
    views = {name: outcome.answers["view"] for name, outcome in outcomes.items() if "view" in outcome.answers}
    sure = [name for name, answer in views.items() if answer.wrongly_confirmed]

    assert len(sure) <= WRONGLY_SURE * len(views) / 100, sure
