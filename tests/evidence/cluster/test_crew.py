"""Calls at the same time: their order, what is handed in meanwhile, and errors."""

from __future__ import annotations

import threading

import pytest

from kubecause.evidence.cluster.crew import Crew, Turn


def test_results_come_in_the_order_of_the_calls() -> None:
    """Also where a later one is done first."""
    second_done = threading.Event()
    crew: Crew[str] = Crew(2)
    crew.submit(lambda: "first" if second_done.wait(5) else "too late")
    crew.submit(lambda: second_done.set() or "second")  # type: ignore[func-returns-value]

    assert ["first", "second"] == list(crew.results())


def test_more_may_be_handed_in_while_results_are_taken() -> None:
    """What an answer refers to is asked for at once, and comes after what was handed in before."""
    crew: Crew[int] = Crew(1)
    for number in (1, 2):
        crew.submit(lambda number=number: number)  # type: ignore[misc]
    taken = []
    for result in crew.results():
        taken.append(result)
        if result is not None and result < 10:
            crew.submit(lambda result=result: result * 10)  # type: ignore[misc]

    assert [1, 2, 10, 20] == taken


def test_a_call_that_takes_long_is_begun_first_and_comes_last() -> None:
    """One thread, which is busy until all are handed in."""
    handed_in = threading.Event()
    begun: list[str] = []
    crew: Crew[object] = Crew(1)
    crew.submit(lambda: handed_in.wait(5))
    for name in ("usual", "long"):
        crew.submit(lambda name=name: begun.append(name) or name, Turn.LAST if name == "long" else Turn.SECOND)  # type: ignore[misc,func-returns-value]
    handed_in.set()

    assert [True, "usual", "long"] == [result for result in crew.results() if result is not None]
    assert ["long", "usual"] == begun


def test_before_a_call_that_takes_long_there_is_time() -> None:
    """None comes once, whether or not the call is done; what is handed in then comes before its result."""
    taken: list[list[object]] = []
    for done_already in (True, False):
        go_on = threading.Event()
        crew: Crew[object] = Crew(2)
        crew.submit(lambda go_on=go_on: go_on.wait(5) and "long", Turn.LAST)  # type: ignore[misc]
        crew.submit(lambda: "usual")
        if done_already:
            go_on.set()
        taken.append([])
        for result in crew.results():
            taken[-1].append(result)
            if result is None:
                crew.submit(lambda: "handed in")
                go_on.set()

    assert [["usual", None, "handed in", "long"]] * 2 == taken


def test_results_come_by_turns() -> None:
    """What is handed in for an earlier turn comes before all that still waits for a later one."""
    crew: Crew[str] = Crew(1)
    for name, turn in (("third", Turn.THIRD), ("second", Turn.SECOND), ("first", Turn.FIRST)):
        crew.submit(lambda name=name: name, turn)  # type: ignore[misc]
    taken = []
    for result in crew.results():
        taken.append(result)
        if result == "second":
            crew.submit(lambda: "first again", Turn.FIRST)

    assert ["first", "second", "first again", "third"] == taken


def test_long_calls_are_begun_first() -> None:
    """Of those that wait; then those whose results come first."""
    begun: list[str] = []
    crew: Crew[object] = Crew(1)
    at_work, handed_in = threading.Event(), threading.Event()
    crew.submit(lambda: at_work.set() or handed_in.wait(5))  # type: ignore[func-returns-value]
    assert at_work.wait(5)
    for turn in (Turn.SECOND, Turn.FOURTH, Turn.FIRST, Turn.LAST):
        crew.submit(lambda turn=turn: begun.append(turn.name), turn)  # type: ignore[misc]
    handed_in.set()
    list(crew.results())

    assert ["LAST", "FOURTH", "FIRST", "SECOND"] == begun


def test_the_first_error_ends_it() -> None:
    """It is raised in the thread that takes the results, and what was not begun is never called."""
    called: list[str] = []

    def fails() -> None:
        raise ValueError("one")

    crew: Crew[object] = Crew(1)
    handed_in = threading.Event()
    crew.submit(lambda: handed_in.wait(5))
    crew.submit(fails)
    crew.submit(lambda: called.append("too late"))
    handed_in.set()
    results = crew.results()

    assert next(results) is True
    with pytest.raises(ValueError, match="one"):
        next(results)
    assert [] == called
