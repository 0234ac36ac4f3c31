"""Memory: the collector rests, and a process that ends with its one command leaves the tidying to its end."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

_M_ARENA_MAX = -8  # glibc, malloc.h
_kept: list[list[object]] = []  # holds one list in a process that ends with its one command


def never_tidy_up() -> None:
    """For a process that ends with its one command: nothing is collected, and what :func:`keep_alive` is told of is not freed."""
    gc.disable()
    _kept.append([])


def keep_alive(done: object) -> None:
    """Do not take apart what is done with, object by object, where the process ends soon anyway."""
    for kept in _kept:
        kept.append(done)


def leave(code: int) -> NoReturn:
    """End the process at once; taking the evidence of a large cluster apart would take a tenth of a second."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or its reader went away
            stream.flush()
    os._exit(code)


def share_one_heap() -> None:
    """Let all threads allocate from one heap: with one for each, what is kept is scattered over all of them (glibc)."""
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


@contextmanager
def resting_collector() -> Iterator[None]:
    """The collector rests: nothing here makes cycles worth collecting, and it would cost up to a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
