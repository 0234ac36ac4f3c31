"""Regular expressions of cases: which ones are refused."""

from __future__ import annotations

import pytest

from kubecause.knowledge.patterns import pattern_problems


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(?:a*)*b",
        "(a+){2,}",
        "((a+)b?)*",
        "(?P<x>[a-z]+)+",
        "(.|\\s)*",
        "(a{1,})+",
        "(?:x+y){20}",
        "(?i:(a+))+?",
        "((?:a|b)c)+",
    ],
)
def test_a_repetition_of_repetitions_is_refused(pattern: str) -> None:
    """Patterns whose time explodes on a hostile line are named."""
    assert any("hostile line" in problem for problem in pattern_problems(pattern))


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?:\d+\.){3}\d+",
        "(a+)?",
        "[(a+)+]+",
        r"\(a+\)+",
        "a+b*c",
        "(?:ab)+",
        "x{2,5}",
        "a{}b+",
        "(?P<a>x)(?P=a)+",
        "(?:a|b)c+",
        "[]+*]+",
    ],
)
def test_harmless_patterns_pass(pattern: str) -> None:
    """Bounded, single or literal repetitions are no reason to complain."""
    assert list(pattern_problems(pattern)) == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a(", "does not compile"),
        ("(?P<1x>a)", "does not compile"),
        ("(?P<Pod>a)", "group name Pod: use a to z, 0 to 9 and _, so that <pod> can stand in texts"),
        ("a.*b.+c.*", "has 3 open wildcards (.* or .+), at most 2; bound them, as in .{0,200}"),
    ],
)
def test_other_problems_are_named(pattern: str, expected: str) -> None:
    """What does not compile, cannot be a placeholder or is slow is said in one sentence."""
    assert any(problem.startswith(expected) for problem in pattern_problems(pattern))
