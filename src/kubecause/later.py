"""Sequences that are worked out when somebody looks at them: of hundreds of causes a terminal shows a few in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class Later(Sequence[T], Generic[T]):
    """What a call would return, which is made at most once, on first use.

    >>> squares = Later(lambda: [number * number for number in range(4)])
    >>> squares[3], len(squares)
    (9, 4)
    """

    def __init__(self, work_out: Callable[[], Sequence[T]]) -> None:
        self._work_out = work_out

    @cached_property
    def _found(self) -> tuple[T, ...]:
        return tuple(self._work_out())

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._found)

    def __repr__(self) -> str:
        return repr(self._found)
