"""Several calls at the same time, whose results come in the order in which the calls were handed in."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class _Task(Generic[T]):
    def __init__(self, call: Callable[[], T]) -> None:
        self.call = call
        self.done = threading.Event()
        self.results: list[T] = []
        self.error: Exception | None = None


class Crew(Generic[T]):
    """Threads that run calls.

    Whoever takes the results may hand in more calls meanwhile: what an answer refers to is asked for while others are
    waited for.
    """

    def __init__(self, size: int) -> None:
        """Start nothing yet.

        :param size: how many calls may run at once.
        """
        self._size = size
        self._lock = threading.Lock()
        self._order: deque[_Task[T]] = deque()
        self._urgent: deque[_Task[T]] = deque()
        self._usual: deque[_Task[T]] = deque()
        self._at_work = 0

    def submit(self, call: Callable[[], T], *, urgent: bool = False) -> None:
        """Hand in one more call.

        :param urgent: it is begun before those that are not, since it takes long; its result keeps its place.
        """
        task = _Task(call)
        self._order.append(task)
        with self._lock:
            (self._urgent if urgent else self._usual).append(task)
            if self._at_work < self._size:
                self._at_work += 1
                threading.Thread(target=self._work, daemon=True).start()

    def results(self) -> Iterator[T]:
        """The result of each call as soon as it is there and those before it were taken, until none is left.

        The first error that happens ends it: it is raised in the place of the first result that is not there.
        """
        while self._order:
            task = self._order.popleft()
            task.done.wait()
            if task.error:
                raise task.error
            yield task.results.pop()

    def _work(self) -> None:
        while task := self._next():
            try:
                task.results.append(task.call())
            except Exception as error:  # noqa: BLE001 - raised again in the thread that takes the results
                self._fail(task, error)
            task.done.set()

    def _next(self) -> _Task[T] | None:
        with self._lock:
            waiting = self._urgent or self._usual
            if waiting:
                return waiting.popleft()
            self._at_work -= 1
            return None

    def _fail(self, task: _Task[T], error: Exception) -> None:
        """Nothing more is called; those who wait for what was not called are told why."""
        with self._lock:
            left = [task, *self._urgent, *self._usual]
            self._urgent.clear()
            self._usual.clear()
        for each in left:
            each.error = error
            each.done.set()
