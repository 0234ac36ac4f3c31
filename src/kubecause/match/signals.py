"""Signals of cases against facts: which hold, on which fact, and which names they bind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from kubecause.knowledge.literals import MIN_SQUEEZED, LiteralFilter, squeezed
from kubecause.knowledge.schema import Case, Signal
from kubecause.knowledge.wording import normal, says
from kubecause.match.operators import Where
from kubecause.model import Channel, Fact
from kubecause.vocabulary import TEXT_FACT

# Text that people hand over may be anything: every signal listens.
OPEN_CHANNELS = frozenset({Channel.PASTE, Channel.CLIENT, Channel.COMMAND})


class Hit(msgspec.Struct, frozen=True):
    """A signal that holds on one fact."""

    signal: str
    fact: Fact
    names: Mapping[str, str]


_SHORTEST = 5  # letters of a word that still tells something without the marks around it


class TextSignal:
    """A text signal made ready.

    :ivar channels: it looks into texts of these.
    """

    def __init__(self, case: Case, name: str, signal: Signal) -> None:
        self.case = case
        self.name = name
        self.signal = signal
        repeated = {Channel.STATUS} if Channel.EVENT in signal.channels else set()  # there, what an event said
        self.channels = OPEN_CHANNELS | {*signal.channels} | repeated

    def hit(self, fact: Fact, text: str) -> Hit | None:
        """The hit on a fact, or None.

        :param text: the fact's text as :func:`kubecause.knowledge.wording.normal` gives it.
        """
        fields = fact.fields
        heard = fields["channel"] in self.channels or fields.get("also") in self.channels
        if not heard or (fields.get("healed") and not self.signal.healed):
            return None
        if self.signal.reason and not self._has_reason(fields, text):
            return None
        if fields.get("damaged"):
            return self._damaged(fact, text)
        names = says(self.case, self.signal, str(fields["text"]), text)
        return None if names is None else Hit(self.name, fact, names)

    def _has_reason(self, fields: Mapping[str, Any], text: str) -> bool:
        """Whether an event or a state has one of the reasons; text that may be anything must at least hold the word.

        A status message whose reason nobody wrote down is heard for its words alone.
        """
        channel, reason = fields["channel"], fields.get("reason")
        if channel == Channel.EVENT or (channel == Channel.STATUS and reason):
            return reason in self.signal.reason
        return channel not in OPEN_CHANNELS or any(each.lower() in text for each in self.signal.reason)

    def _damaged(self, fact: Fact, text: str) -> Hit | None:
        """Text that lost its blanks and quotes: literals decide, patterns only bind names where they still can."""
        bare = squeezed(text)
        signal = self.signal
        telling = [part for part in map(squeezed, signal.contains) if len(part) >= MIN_SQUEEZED]
        if not any(part in bare for part in telling):
            return None
        if any(squeezed(part) not in bare or len(squeezed(part)) < _SHORTEST for part in signal.with_):
            return None  # without its punctuation a short word stands in many texts
        unlike = [squeezed(part) for part in (*signal.without, *(other.tell for other in self.case.not_this))]
        if any(part and part in bare for part in unlike):
            return None
        return Hit(self.name, fact, says(self.case, signal, str(fact["text"])) or {})


class FactSignals:
    """The signals on one kind of fact. Of dozens, a fact is held against those whose telling value it has."""

    def __init__(self) -> None:
        self._signals: list[tuple[Case, str, Signal, Where]] = []
        self._always: list[int] = []
        self._by_value: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))  # field → value → signals

    def add(self, case: Case, name: str, signal: Signal) -> None:
        """Take one more signal."""
        where, number = Where(signal.where), len(self._signals)
        self._signals.append((case, name, signal, where))
        telling = where.telling()
        if telling is None:
            self._always.append(number)
        else:
            field, values = telling
            for value in values:
                self._by_value[field][value].append(number)

    def hits(self, fact: Fact) -> Iterator[tuple[Case, Hit]]:
        """The signals that hold on a fact, in the order in which they were added."""
        numbers = set(self._always)
        for field, signals in self._by_value.items():
            value = fact.fields.get(field)
            if value is not None:
                numbers.update(signals.get(str(value).lower(), ()))
        for number in sorted(numbers):
            case, name, signal, where = self._signals[number]
            if where.holds(fact.fields):
                yield case, Hit(name, fact, _bound(fact, signal))


class SignalIndex:
    """All signals of all cases, found by literal or by kind of fact.

    :param more_literals: words that analyses read in log lines; lines that hold them are kept too.
    """

    def __init__(self, cases: Iterable[Case], more_literals: Iterable[str] = ()) -> None:
        self._texts: list[TextSignal] = []
        self._facts: dict[str, FactSignals] = defaultdict(FactSignals)
        self._by_literal: dict[str, list[int]] = defaultdict(list)
        self._always: list[int] = []
        for case in cases:
            if case.status == "retired":
                continue
            for name, signal in case.signals.items():
                if signal.fact:
                    self._facts[signal.fact].add(case, name, signal)
                else:
                    self._add_text(TextSignal(case, name, signal))
        self.filter = LiteralFilter([*self._by_literal, *more_literals])

    def _add_text(self, text: TextSignal) -> None:
        self._texts.append(text)
        for literal in text.signal.contains:
            self._by_literal[literal].append(len(self._texts) - 1)
        if not text.signal.contains:
            self._always.append(len(self._texts) - 1)

    def hits(self, facts: Mapping[str, Sequence[Fact]]) -> dict[str, list[Hit]]:
        """Hits by case id."""
        found: dict[str, list[Hit]] = defaultdict(list)
        lines = facts.get(TEXT_FACT, ())
        for text_signal, fact, text in self._candidates(lines):
            hit = text_signal.hit(fact, text)
            if hit:
                found[text_signal.case.id].append(hit)
        for kind, signals in self._facts.items():
            for fact in facts.get(kind, ()):
                for case, hit in signals.hits(fact):
                    found[case.id].append(hit)
        return found

    def _candidates(self, lines: Sequence[Fact]) -> Iterator[tuple[TextSignal, Fact, str]]:
        texts = [" ".join(str(fact["text"]).split()) for fact in lines]
        literals = self.filter.literals(texts)
        for index, fact in enumerate(lines):
            wanted = set(self._always)
            for literal in literals.get(index, ()):
                wanted.update(self._by_literal.get(self.filter.literals_list[literal], ()))
            if fact["damaged"]:
                wanted = set(range(len(self._texts)))
            text = normal(texts[index]) if wanted else ""
            for number in sorted(wanted):
                yield self._texts[number], fact, text


def _bound(fact: Fact, signal: Signal) -> dict[str, str]:
    return {name: _shown(fact[field]) for name, field in signal.bind.items() if fact[field] is not None}


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
