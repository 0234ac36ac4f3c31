"""The one place that calls the stages in order: evidence → facts → findings → diagnoses → result."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from kubecause.diagnose import diagnose
from kubecause.evidence import open_evidence
from kubecause.facts import Extraction
from kubecause.knowledge import Knowledge, load_cases
from kubecause.match import LITERALS, SignalIndex, match
from kubecause.model import Document, Gap, Result

Progress = Callable[[int, int | None], None]


def diagnose_path(paths: Sequence[str], *, on_progress: Progress | None = None, knowledge: Knowledge | None = None) -> Result:
    """Diagnose saved evidence; several paths are one body of evidence.

    :param paths: files, folders or ``-`` for standard input.
    :param on_progress: called with bytes read so far and, where known, bytes in all.
    :raises EvidenceError: when a target cannot be opened.
    """
    done = 0

    def note(count: int) -> None:
        nonlocal done
        done += count
        if on_progress:
            on_progress(done, None)

    name = ", ".join(path if path == "-" else Path(path).name or path for path in paths)
    kind = "text" if all(path == "-" or Path(path).is_file() for path in paths) else "capture"
    return diagnose_documents(open_evidence(paths, on_bytes=note), knowledge or load_cases(), source=(kind, name))


def diagnose_documents(documents: Iterable[Document | Gap], knowledge: Knowledge, *, source: tuple[str, str]) -> Result:
    """Run the stages over documents, which may be produced while they are read.

    The garbage collector rests meanwhile: nothing here makes cycles worth collecting, and it costs a third of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        index = SignalIndex(knowledge.cases.values(), LITERALS)
        extraction = Extraction(index.filter)
        empty = True
        for item in documents:
            empty = False
            if isinstance(item, Gap):
                extraction.note(item)
            else:
                extraction.read(item)
        if empty:
            extraction.note(Gap(source[1], "nothing in it"))
        store, joins = extraction.finish()
        findings, clear = match(store, joins, index, knowledge.cases)
        diagnoses = diagnose(findings, knowledge.cases, joins)
    finally:
        if was_on:
            gc.enable()
    return Result(source[0], source[1], diagnoses, tuple(sorted(clear)), _distinct(store.gaps))


def _distinct(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    return tuple(dict.fromkeys(gaps))
