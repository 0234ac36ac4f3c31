"""House rules about what a reader is told to do: fixes and the commands that settle a doubt."""

from __future__ import annotations

from collections.abc import Iterator

from kubecause.knowledge.house_rule import Breach, House, Rule
from kubecause.knowledge.schema import Case, Risk

RISKS: dict[Risk, int] = {"safe": 0, "disruptive": 1, "destructive": 2}


def causes_have_fixes(case: Case, _house: House) -> Iterator[Breach]:
    """A cause can be mended."""
    if not case.symptom and not case.fixes:
        yield Breach(("fixes",), "fixes is empty; a cause needs at least one")


def symptoms_have_looks(case: Case, _house: House) -> Iterator[Breach]:
    """A symptom is not mended but looked into."""
    if case.symptom and case.fixes:
        yield Breach(("fixes",), "a symptom has no fixes; they belong to its causes")
    if case.symptom and not case.look:
        yield Breach(("look",), "a symptom needs look: the commands that lead to its cause")


def causes_can_be_settled(case: Case, _house: House) -> Iterator[Breach]:
    """A cause says when it is certain, or how to make sure."""
    if not case.symptom and case.confirmed is None and not case.look:
        yield Breach(("match",), "needs confirmed (when it is certain) or look (commands that make it certain)")


def risk_has_harm(case: Case, _house: House) -> Iterator[Breach]:
    """Whatever is not safe names what it breaks."""
    for number, fix in enumerate(case.fixes):
        if fix.risk != "safe" and fix.harm is None:
            yield Breach(("fixes", number), f"fixes[{number}] is {fix.risk}, but harm does not say what it breaks")


def mildest_first(case: Case, _house: House) -> Iterator[Breach]:
    """Fixes are ordered by their risk."""
    for number, (before, fix) in enumerate(zip(case.fixes, case.fixes[1:], strict=False), 1):
        if RISKS[fix.risk] < RISKS[before.risk]:
            yield Breach(("fixes", number), f"fixes[{number}] is {fix.risk} and stands after a {before.risk} one; mildest first")


def fixes_are_complete(case: Case, _house: House) -> Iterator[Breach]:
    """Every fix has steps to run and a check that proves it."""
    for number, fix in enumerate(case.fixes):
        if not fix.steps:
            yield Breach(("fixes", number, "steps"), f"fixes[{number}] has no steps")
        for place, step in enumerate(fix.steps):
            if not step.run.strip():
                yield Breach(("fixes", number, "steps", place), f"fixes[{number}].steps[{place}] runs nothing")
        if not fix.verify.run.strip() or not fix.verify.expect.strip():
            yield Breach(("fixes", number, "verify"), f"fixes[{number}].verify needs a command and what it must print")


def looks_are_complete(case: Case, _house: House) -> Iterator[Breach]:
    """Every look runs something."""
    for number, look in enumerate(case.look):
        if not look.run.strip():
            yield Breach(("look", number), f"look[{number}] runs nothing")


RULES: tuple[Rule, ...] = (
    causes_have_fixes,
    symptoms_have_looks,
    causes_can_be_settled,
    risk_has_harm,
    mildest_first,
    fixes_are_complete,
    looks_are_complete,
)
