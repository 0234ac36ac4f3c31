"""Signals on facts are found by a telling value; what they find is what holding each against each would find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kubecause.knowledge import load_cases
from kubecause.knowledge.schema import Case, Signal
from kubecause.match.operators import Where
from kubecause.match.signals import FactSignals
from kubecause.model import Entity, Fact

POD = Entity("Pod", "web", "shop")


def signals_of(kind: str) -> list[tuple[Case, str, Signal]]:
    """All signals on one kind of fact."""
    return [
        (case, name, signal)
        for case in load_cases().cases.values()
        for name, signal in case.signals.items()
        if signal.fact == kind
    ]


def kinds() -> list[str]:
    """Every kind of fact that a case reads."""
    return sorted({signal.fact for case in load_cases().cases.values() for signal in case.signals.values() if signal.fact})


def likely(signal: Signal) -> Iterator[dict[str, Any]]:
    """Fields that the signal speaks of: as it wants them, written otherwise, and missing one by one."""
    wanted: dict[str, Any] = {}
    for key, want in signal.where.items():
        name, _, operator = key.partition("|")
        value = want[0] if isinstance(want, list) else want
        wanted[name] = 1e9 if operator in ("gt", "gte") else -1.0 if operator in ("lt", "lte") else value
    yield wanted
    yield {name: str(value).upper() for name, value in wanted.items()}
    yield {name: not value if isinstance(value, bool) else f"{value} else" for name, value in wanted.items()}
    for left_out in wanted:
        yield {name: value for name, value in wanted.items() if name != left_out}
        yield {**wanted, left_out: None}


@pytest.mark.parametrize("kind", kinds())
def test_what_is_found_by_value_is_what_holds(kind: str) -> None:
    """For every kind of fact that shipped cases read, and values near to those they want."""
    signals = signals_of(kind)
    index = FactSignals()
    for each in signals:
        index.add(*each)

    for fields in [fields for _, _, signal in signals for fields in likely(signal)]:
        fact = Fact(kind, POD, fields)
        held = [(case.id, name) for case, name, signal in signals if Where(signal.where).holds(fields)]

        assert held == [(case.id, hit.signal) for case, hit in index.hits(fact)]


@pytest.mark.parametrize(
    ("where", "holding", "not_holding"),
    [
        ({"ready": False}, [False, "false", "False"], [None, True, 0, ""]),
        ({"reason": ["Error", "OOMKilled"]}, ["error", "OOMKILLED"], [None, "", "Err"]),
        ({"state": "none"}, ["none", "None"], [None, "nothing"]),
        ({"code": 137}, [137, 137.0], [None, "137", 1]),
        ({"code|not": 0}, [1, None], [0]),
    ],
)
def test_values_are_told_apart(where: dict[str, Any], holding: list[Any], not_holding: list[Any]) -> None:
    """Truth values and their words are the same; a number is not its text; what is unknown is no value."""
    [(field, _)] = [(key.partition("|")[0], want) for key, want in where.items()]
    case = next(iter(load_cases().cases.values()))
    index = FactSignals()
    index.add(case, "one", Signal(fact="container.state", where=where))

    assert [True] * len(holding) == [bool(list(index.hits(Fact("container.state", POD, {field: each})))) for each in holding]
    assert [] == [each for each in not_holding if list(index.hits(Fact("container.state", POD, {field: each})))]
