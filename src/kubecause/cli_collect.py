"""``kubecause collect``: save what ``kubecause why`` looks at, to be read later or elsewhere with the same report."""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from kubecause.cli_why import add_cluster_flags, open_source

_TICK = 0.2  # seconds between two looks at what was read


class Collected(NamedTuple):
    """What was saved: how many documents and gaps, the size of the file, and what it cost."""

    path: str
    source: str
    documents: int
    gaps: int
    size: int
    requests: int

    @property
    def sentence(self) -> str:
        """One line for the person who waits."""
        return (
            f"saved {self.documents} documents and {self.gaps} gaps of {self.source} to {self.path} ({self.size:,} bytes, "
            f"{self.requests} requests, secrets cut); read it with: kubecause read {self.path}"
        )


def add_collect_flags(parser: argparse.ArgumentParser) -> None:
    """What to look at, as ``kubecause why`` takes it, and where to save it."""
    add_cluster_flags(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="file to write: FILE.tar.zst, FILE.tar.gz or FILE.tar"
    )
    parser.add_argument("--force", action="store_true", help="replace the file when it is there")
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="no progress bar, no last line")
    loudness.add_argument("-v", "--verbose", action="store_true", help="tracebacks of bugs")


def collect(options: argparse.Namespace) -> Collected:
    """Diagnose the cluster and save every document and gap that this took, in order.

    :raises UsageError: when the flags contradict each other, or the file cannot be written; nothing was asked then.
    :raises EvidenceError: as ``kubecause why``.
    """
    from kubecause.evidence.saved import check_target, write_bundle
    from kubecause.knowledge import shipped
    from kubecause.model import Document, Gap
    from kubecause.pipeline import diagnose_source

    check_target(options.output, force=options.force)
    source = open_source(options, os.environ)
    items: list[Document | Gap] = []
    try:
        with _progress(lambda: source.cost[1], wanted=not options.quiet and os.isatty(2)):
            diagnose_source(source, shipped(), keep=items.append)
    finally:
        source.close()
    scope = {
        "objects": list(options.objects),
        "namespace": options.namespace,
        "all": options.all_namespaces,
        "selector": options.selector,
    }
    origin = source.kind, source.name
    write_bundle(options.output, items, source=origin, scope=scope, clock=source.clock, force=options.force)
    documents = sum(isinstance(item, Document) for item in items)
    size = Path(options.output).stat().st_size
    return Collected(options.output, source.name, documents, len(items) - documents, size, source.cost[0])


@contextmanager
def _progress(bytes_read: Callable[[], int], *, wanted: bool) -> Iterator[None]:
    """A bar that shows how much was read by now, while the requests of a round are under way."""
    if not wanted:
        yield
        return
    from kubecause.cli_progress import ReadingProgress

    done = threading.Event()
    with ReadingProgress(wanted=True) as progress:

        def watch() -> None:
            while not done.wait(_TICK):
                progress(bytes_read(), None)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
