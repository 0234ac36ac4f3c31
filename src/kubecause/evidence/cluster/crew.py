"""Several calls at the same time, whose results come in the order in which the calls were handed in."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Turn(IntEnum):
    """When the result of a call is given: by turns, whoever is faster. Of calls that wait, the long ones are begun first."""

    FIRST = 0
    SECOND = 1
    THIRD = 2
    FOURTH = 3  # the call takes long
    LAST = 4  # the call takes longest


_BEGUN = (Turn.LAST, Turn.FOURTH, Turn.FIRST, Turn.SECOND, Turn.THIRD)


class _Task(Generic[T]):
    def __init__(self, call: Callable[[], T]) -> None:
        self.call = call
        self.done = threading.Event()
        self.results: list[T] = []
        self.error: Exception | None = None


class Crew(Generic[T]):
    """Threads that run calls.

    Within a turn results come in the order in which the calls were handed in. Whoever takes them may hand in more calls
    meanwhile: what an answer refers to is asked for while others are waited for.
    """

    def __init__(self, size: int) -> None:
        """Start nothing yet.

        :param size: how many calls may run at once.
        """
        self._size = size
        self._lock = threading.Lock()
        self._results: dict[Turn, deque[_Task[T]]] = {turn: deque() for turn in Turn}
        self._waiting: dict[Turn, deque[_Task[T]]] = {turn: deque() for turn in _BEGUN}
        self._at_work = 0

    def submit(self, call: Callable[[], T], turn: Turn = Turn.SECOND) -> None:
        """Hand in one more call."""
        task = _Task(call)
        self._results[turn].append(task)
        with self._lock:
            self._waiting[turn].append(task)
            if self._at_work < self._size:
                self._at_work += 1
                threading.Thread(target=self._work, daemon=True).start()

    def results(self) -> Iterator[T | None]:
        """The result of each call as soon as it is there and those before it were taken, until none is left.

        None comes once, before the first result of the last turn: there is time to do something else, and to hand in calls
        whose results come before it. The first error that happens ends it: it is raised in the place of the first result that
        is not there.
        """
        told = False
        while (turn := self._turn()) is not None:
            if turn == Turn.LAST and not told:
                told = True
                yield None  # also where it is done already: what is handed in must not depend on who is faster
                continue
            task = self._results[turn].popleft()
            task.done.wait()
            if task.error:
                raise task.error
            yield task.results.pop()

    def _turn(self) -> Turn | None:
        return next((turn for turn in Turn if self._results[turn]), None)

    def _work(self) -> None:
        while task := self._next():
            try:
                task.results.append(task.call())
            except Exception as error:  # noqa: BLE001 - raised again in the thread that takes the results
                self._fail(task, error)
            task.done.set()

    def _next(self) -> _Task[T] | None:
        with self._lock:
            for waiting in self._waiting.values():
                if waiting:
                    return waiting.popleft()
            self._at_work -= 1
            return None

    def _fail(self, task: _Task[T], error: Exception) -> None:
        """Nothing more is called; those who wait for what was not called are told why."""
        with self._lock:
            left = [task, *(each for waiting in self._waiting.values() for each in waiting)]
            for waiting in self._waiting.values():
                waiting.clear()
        for each in left:
            each.error = error
            each.done.set()
