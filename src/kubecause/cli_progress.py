"""A progress bar on standard error, shown only when reading takes long enough to wonder."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 1.0  # seconds of reading before a bar is worth showing


class ReadingProgress:
    """Counts what was read; as a context manager it draws and removes the bar.

    :param wanted: false to count only (standard error is no terminal, or the user asked for quiet).
    :param patience: seconds before the bar appears.
    """

    def __init__(self, *, wanted: bool, patience: float = PATIENCE) -> None:
        self.bytes_done = 0
        self._wanted = wanted
        self._patience = patience
        self._began = time.monotonic()
        self._bar: Progress | None = None

    def __call__(self, bytes_done: int, bytes_total: int | None) -> None:
        """Take news from the reader; ``bytes_total`` is ``None`` while nobody knows it."""
        self.bytes_done = bytes_done
        if not self._wanted:
            return
        if self._bar is None:
            if time.monotonic() - self._began < self._patience:
                return
            self._bar = _start_bar()
        self._bar.update(self._bar.task_ids[0], completed=bytes_done, total=bytes_total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()


def _start_bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task("reading", total=None)
    bar.start()
    return bar
