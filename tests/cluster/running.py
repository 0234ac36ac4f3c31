"""Running scenarios: many at a time, each in its namespace; those that break nodes one after the other."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .asking import Answer, ask, bind_role, expected, same_from_bundle
from .daemons import RangeError
from .range import Range
from .scenarios import Scenario
from .staging import Stage, drain, wait_until_gone

PARALLEL = 12
_ASK_AGAIN = 2
_PAUSE = 6.0  # seconds
# Of all answers, in percent.
FAULTS_RIGHT = 95
ENTITIES_RIGHT = 90


@dataclass(slots=True)
class Outcome:
    """What became of one scenario."""

    scenario: Scenario
    answers: dict[str, Answer] = field(default_factory=dict)
    error: str = ""  # the fault could not be made, did not show, or kubecause failed
    bundle: str = ""  # how the report from the bundle differs
    seconds: float = 0.0

    @property
    def right(self) -> bool:
        """Whether everything asked was answered right; who may only view may miss a cause, but not be sure of a wrong one."""
        answers = self.answers.values()
        acceptable = all(one.right or (one.identity == "view" and not one.wrongly_confirmed) for one in answers)
        return not self.error and not self.bundle and acceptable

    def line(self) -> str:
        """One line for a person who watches."""
        words = [f"{'ok' if self.right else 'WRONG':5} {self.scenario.name:40} {self.seconds:4.0f} s"]
        if self.error:
            return f"{words[0]}  {self.error}"
        words += [
            f"{one.identity}: {one.fault or 'nothing'} {one.entity or ''} {one.status or ''}".strip()
            for one in self.answers.values()
            if not one.right
        ]
        if len(words) > 1:
            words.append(f"wanted {'|'.join(self.scenario.faults)} {expected(self.scenario)}")
        return "  ".join([*words, *([f"bundle: {self.bundle}"] if self.bundle else [])])


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run: as whom to ask, whether to check bundles, whether to leave everything standing."""

    identities: Sequence[str] = ("admin",)
    bundles: bool = False
    keep: bool = False
    ask: bool = True
    parallel: int = PARALLEL


def run_scenarios(
    cluster: Range, scenarios: Iterable[Scenario], plan: Plan, tell: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Run them all, those that may share the range first; ``tell`` gets each outcome as it comes."""
    chosen = list(scenarios)
    if "role" in plan.identities and plan.ask:
        bind_role(cluster)
    together = [one for one in chosen if not one.alone]
    outcomes = []
    with ThreadPoolExecutor(plan.parallel) as pool:
        for outcome in pool.map(lambda one: run_one(cluster, one, plan), together):
            tell(outcome)
            outcomes.append(outcome)
    alone = [one for one in chosen if one.alone]
    if alone and together and not plan.keep:
        left = drain(cluster, together)
        for outcome in outcomes:  # who leaves something behind is wrong, but does not hold up the others
            if mine := left.intersection(outcome.scenario.namespaces):
                outcome.error = outcome.error or f"not undone: {', '.join(sorted(mine))} stay"
    for scenario in alone:
        outcome = run_one(cluster, scenario, plan)
        tell(outcome)
        outcomes.append(outcome)
    return outcomes


def run_one(cluster: Range, scenario: Scenario, plan: Plan) -> Outcome:
    """Make the fault, wait until it shows, ask, remove it; nothing is raised."""
    with turn(cluster.folder, scenario):
        return _run_one(cluster, scenario, plan)


@contextmanager
def turn(folder: Path, scenario: Scenario) -> Iterator[None]:
    """Wait for the scenario's turn, since several people may use one range.

    The same scenario runs once at a time. One that runs alone waits until the others have ended; new ones queue behind it.
    """
    locks = folder / "locks"
    locks.mkdir(exist_ok=True)
    with (
        (locks / scenario.name).open("w") as mine,
        (locks / "queue").open("w") as queue,
        (locks / "range").open("w") as everything,
    ):
        fcntl.flock(mine, fcntl.LOCK_EX)
        fcntl.flock(queue, fcntl.LOCK_EX)
        fcntl.flock(everything, fcntl.LOCK_EX if scenario.alone else fcntl.LOCK_SH)
        fcntl.flock(queue, fcntl.LOCK_UN)
        yield


def _run_one(cluster: Range, scenario: Scenario, plan: Plan) -> Outcome:
    stage, outcome = Stage(cluster, scenario), Outcome(scenario)
    started = time.monotonic()
    try:
        stage.make()
        stage.wait()
        if plan.ask:
            for identity in plan.identities:
                outcome.answers[identity] = _settled(stage, identity)
            if plan.bundles:
                outcome.bundle = _difference(stage)
    except RangeError as error:
        outcome.error = str(error)
    outcome.seconds = time.monotonic() - started
    try:
        if not outcome.right or plan.keep:
            stage.keep_what_kubectl_shows()
        if not plan.keep:
            _remove(cluster, stage)
    except RangeError as error:
        outcome.error = outcome.error or f"not undone: {error}"
    return outcome


def _settled(stage: Stage, identity: str) -> Answer:
    """The answer once it is right, or the last of a few: a fault goes on unfolding after its first sign."""
    answer = ask(stage, identity)
    for _ in range(_ASK_AGAIN):
        if answer.right:
            break
        time.sleep(_PAUSE)
        answer = ask(stage, identity)
    return answer


def _difference(stage: Stage) -> str:
    """What is wrong with the report from the bundle; the answers above stand in any case."""
    try:
        return same_from_bundle(stage)
    except RangeError as error:
        return str(error)


def _remove(cluster: Range, stage: Stage) -> None:
    if not stage.scenario.alone:
        stage.clear()
        return
    try:
        stage.undo()
    finally:
        cluster.heal()
        stage.clear()
        wait_until_gone(cluster, [stage.scenario])


def summary(outcomes: Sequence[Outcome], identities: Sequence[str]) -> list[str]:
    """The shares that are right, for each identity."""
    lines = []
    for identity in identities:
        answers = [(one.scenario, one.answers.get(identity)) for one in outcomes]
        faulty = [answer for scenario, answer in answers if not scenario.silent]
        silent = [answer for scenario, answer in answers if scenario.silent]
        faults = sum(answer is not None and answer.fault_right for answer in faulty)
        entities = sum(answer is not None and answer.entity_right for answer in faulty)
        quiet = sum(answer is not None and answer.right for answer in silent)
        sure = sum(answer is not None and answer.wrongly_confirmed for answer in faulty)
        total = max(len(faulty), 1)
        lines.append(
            f"{identity:6} fault right {faults}/{len(faulty)} ({100 * faults / total:.1f}%),"
            f" entity right {entities}/{len(faulty)} ({100 * entities / total:.1f}%),"
            f" wrongly confirmed {sure}, silent where healthy {quiet}/{len(silent)}"
        )
    return lines


def save_outcomes(path: Path, outcomes: Iterable[Outcome]) -> None:
    """Write all outcomes as JSON."""
    rows = [
        {
            "name": one.scenario.name,
            "file": one.scenario.file,
            "about": one.scenario.about,
            "faults": list(one.scenario.faults),
            "entity": expected(one.scenario),
            "alone": one.scenario.alone,
            "right": one.right,
            "error": one.error,
            "bundle": one.bundle,
            "seconds": round(one.seconds, 1),
            "answers": {name: asdict(answer) for name, answer in one.answers.items()},
        }
        for one in outcomes
    ]
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
