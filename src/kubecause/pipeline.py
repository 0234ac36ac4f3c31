"""The one place that calls the stages in order: evidence → facts → findings → diagnoses → result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from kubecause.diagnose import diagnose, unsettled
from kubecause.diagnose.graph import build_graph
from kubecause.facts import Extraction
from kubecause.facts.store import Store
from kubecause.knowledge import Knowledge, shipped
from kubecause.match import LITERALS, SignalIndex, match, ruled_out
from kubecause.match.needs import Asked, needs_of
from kubecause.memory import keep_alive, resting_collector
from kubecause.model import Document, Gap, Need, Result

Progress = Callable[[int, int | None], None]

_ADDRESSES = ("https://", "http://")
MAX_ROUNDS = 6  # a cause, what stands between, and some slack


class Source(Asked, Protocol):
    """Evidence that can be asked again: a live cluster, a node."""

    @property
    def kind(self) -> str:
        """``cluster`` or ``node``."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    def begin(self) -> Iterable[Document | Gap | None]:
        """The first round; None where what comes next takes long, so that there is time to foresee what will be needed."""

    def foresee(self, needs: Sequence[Need]) -> None:
        """What a None in the first round gave time to find out: it comes in the same round."""

    def ask(self, needs: Sequence[Need]) -> Iterable[Document | Gap | None]:
        """What may settle the needs and was not handed over before; nothing when there is nothing new."""


def diagnose_path(paths: Sequence[str], *, on_progress: Progress | None = None, knowledge: Knowledge | None = None) -> Result:
    """Diagnose saved evidence; several paths are one body of evidence.

    :param paths: files, folders or ``-`` for standard input.
    :param on_progress: called with bytes read so far and, where known, bytes in all.
    :raises EvidenceError: when a target cannot be opened.
    """
    from kubecause.evidence.saved import read_bundle
    from kubecause.evidence.targets import open_evidence  # heavy, and a live cluster needs none of it

    done = 0

    def note(count: int) -> None:
        nonlocal done
        done += count
        if on_progress:
            on_progress(done, None)

    name = ", ".join(path if path == "-" else Path(path).name or path for path in paths)
    kind = "text" if all(path == "-" or Path(path).is_file() for path in paths) else "capture"
    saved = read_bundle(paths[0]) if len(paths) == 1 else None  # then the report is that of what it was saved from
    source = saved.source if saved else (kind, name)
    return diagnose_documents(open_evidence(paths, on_bytes=note), knowledge or shipped(), source=source)


def diagnose_documents(documents: Iterable[Document | Gap], knowledge: Knowledge, *, source: tuple[str, str]) -> Result:
    """Run the stages over documents, which may be produced while they are read."""
    with resting_collector():
        run = _Run(knowledge)
        run.read(documents)
        if run.empty:
            run.read([Gap(source[1], "nothing in it")])
        run.match()
        return run.result(source)


def diagnose_source(
    source: Source,
    knowledge: Knowledge,
    *,
    on_round: Callable[[int], None] | None = None,
    keep: Callable[[Document | Gap], None] | None = None,
) -> Result:
    """Run the stages in rounds: what would settle the findings is asked for, until nothing is new.

    :param on_round: called with the number of each round before it is asked for.
    :param keep: called with every document and gap, in order; the stages over those give the same result.
    :raises EvidenceError: when the source cannot be opened, or a named object does not exist.
    """
    with resting_collector():
        run = _Run(knowledge)
        answers = source.begin()
        for number in range(1, MAX_ROUNDS + 1):
            new = False
            for item in answers:
                if item is None:
                    if number == 1:  # much of what is worked out of what is there already will not change
                        run.match()
                        source.foresee(run.needs(source))
                    continue
                if keep:
                    keep(item)
                run.read([item])
                new = new or isinstance(item, Document)
            if number > 1 and not new:
                break  # what was not seen shows in the report, and nothing else has changed
            run.match()
            if on_round:
                on_round(number)
            needs = run.needs(source) if number < MAX_ROUNDS else []
            if not needs:
                break
            answers = source.ask(needs)
        keep_alive(run)
        return run.result((source.kind, source.name))


class _Run:
    """The stages over one body of evidence that may grow."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._cases = knowledge.cases
        self._index = SignalIndex(knowledge.cases.values(), LITERALS)
        self._extraction = Extraction(self._index.filter)
        self._store = Store()
        self._hides: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.empty = True

    def read(self, documents: Iterable[Document | Gap]) -> None:
        for item in documents:
            self.empty = False
            if isinstance(item, Gap):
                gap = replace(item, hides=self._hidden(item.hides))
                self._extraction.note(gap)
                self._store.gaps.append(gap)  # also where nothing is matched after it
            else:
                self._extraction.read(item)

    def _hidden(self, kinds: tuple[str, ...]) -> tuple[str, ...]:
        """The faults that look at evidence of some kinds, which was not seen; ids stay ids."""
        if kinds not in self._hides:
            self._hides[kinds] = self._blind_to(set(kinds))
        return self._hides[kinds]

    def _blind_to(self, unseen: set[str]) -> tuple[str, ...]:
        return tuple(
            case.id
            for case in self._cases.values()
            if case.id in unseen or any((s.fact or "") in unseen or unseen & set(s.channels) for s in case.signals.values())
        )

    def match(self) -> None:
        """Match what was read so far."""
        self._store, self._joins = self._extraction.finish()
        findings, self._found = match(self._store, self._joins, self._index, self._cases)
        self._graph = build_graph(findings, self._cases, self._joins)

    def needs(self, source: Asked) -> list[Need]:
        """What would settle the findings, as far as a source can be asked for it."""
        return needs_of(unsettled(self._graph, self._cases), self._cases, self._joins, source)

    def result(self, source: tuple[str, str]) -> Result:
        kind, name = source
        context = name if kind == "cluster" and not name.startswith(_ADDRESSES) else None
        diagnoses = diagnose(self._graph, self._cases, self._joins, cluster=context)
        clear = ruled_out(self._store, self._cases, self._found)
        return Result(*source, diagnoses, tuple(clear), tuple(dict.fromkeys(self._store.gaps)))
