"""A rest for Python's garbage collector."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


def never_collect() -> None:
    """For a process that ends with its one command: nothing is collected, not even at its end, where all would be looked at."""
    gc.disable()
    atexit.register(gc.freeze)


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
