"""Signals of cases against facts: which hold, on which fact, and which names they bind."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kubecause.knowledge.literals import LiteralFilter, squeezed
from kubecause.knowledge.schema import Case, Signal
from kubecause.match.operators import holds
from kubecause.model import Channel, Fact
from kubecause.vocabulary import TEXT_FACT

_ESCAPED = re.compile(r"\\+(?=[\"'])")
_BLANKS = re.compile(r"\s+")
_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "`": "'"})

# Text that people hand over may be anything: every signal listens.
OPEN_CHANNELS = frozenset({Channel.PASTE, Channel.CLIENT, Channel.COMMAND})


@dataclass(frozen=True, slots=True)
class Hit:
    """A signal that holds on one fact."""

    signal: str
    fact: Fact
    names: Mapping[str, str]


def plain(text: str) -> str:
    r"""A text as literals are compared: lower case, escapes before quotes removed, runs of blanks as one.

    >>> plain('err="failed to  set: \\"cni0\\""')
    'err="failed to set: "cni0""'
    """
    return _BLANKS.sub(" ", _ESCAPED.sub("", text).translate(_QUOTES)).lower()


@dataclass(frozen=True)
class TextSignal:
    """A text signal made ready."""

    case: Case
    name: str
    signal: Signal

    @cached_property
    def _literals(self) -> tuple[list[str], list[str], list[str]]:
        signal = self.signal
        unlike = [*signal.without, *(other.tell for other in self.case.not_this)]
        return [plain(t) for t in signal.contains], [plain(t) for t in signal.with_], [plain(t) for t in unlike]

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str] | None, list[re.Pattern[str]]]:
        regex = re.compile(self.signal.regex, re.IGNORECASE) if self.signal.regex else None
        return regex, [re.compile(pattern, re.IGNORECASE) for pattern in self.signal.capture]

    def listens(self, channel: Channel) -> bool:
        """Whether the signal looks into texts of a channel; a status message repeats what an event said."""
        wanted = self.signal.channels
        return channel in OPEN_CHANNELS or channel in wanted or (channel == Channel.STATUS and Channel.EVENT in wanted)

    def hit(self, fact: Fact, text: str) -> Hit | None:
        """The hit on a fact, or None.

        :param text: the fact's text as :func:`plain` gives it.
        """
        fields = fact.fields
        if not self.listens(fields["channel"]) or (fields.get("healed") and not self.signal.healed):
            return None
        if self.signal.reason and fields["channel"] == Channel.EVENT and fields.get("reason") not in self.signal.reason:
            return None
        contains, also, unlike = self._literals
        if fields.get("damaged"):
            return self._damaged(fact, fields)
        if contains and not any(t in text for t in contains):
            return None
        if not all(t in text for t in also) or any(t in text for t in unlike):
            return None
        names = self._names(_ESCAPED.sub("", str(fields["text"])))
        return None if names is None else Hit(self.name, fact, names)

    def _names(self, text: str) -> dict[str, str] | None:
        regex, captures = self._patterns
        names: dict[str, str] = {}
        if regex:
            found = regex.search(text)
            if not found:
                return None
            names.update({key: value for key, value in found.groupdict().items() if value})
        for pattern in captures:
            found = pattern.search(text)
            if found:
                names.update({key: value for key, value in found.groupdict().items() if value and key not in names})
        return names

    def _damaged(self, fact: Fact, fields: Mapping[str, Any]) -> Hit | None:
        """Text that lost its blanks and quotes: literals decide, patterns cannot."""
        text = squeezed(str(fields["text"]))
        signal = self.signal
        if not signal.contains or not any(squeezed(t) in text for t in signal.contains):
            return None
        if any(squeezed(t) not in text for t in signal.with_):
            return None
        if any(squeezed(t) in text for t in [*signal.without, *(other.tell for other in self.case.not_this)] if squeezed(t)):
            return None
        return Hit(self.name, fact, self._names(str(fields["text"])) or {})


class SignalIndex:
    """All signals of all cases, found by literal or by kind of fact.

    :param more_literals: words that analyses read in log lines; lines that hold them are kept too.
    """

    def __init__(self, cases: Iterable[Case], more_literals: Iterable[str] = ()) -> None:
        self._texts: list[TextSignal] = []
        self._facts: dict[str, list[tuple[Case, str, Signal]]] = defaultdict(list)
        self._by_literal: dict[str, list[int]] = defaultdict(list)
        self._always: list[int] = []
        for case in cases:
            if case.status == "retired":
                continue
            for name, signal in case.signals.items():
                if signal.fact:
                    self._facts[signal.fact].append((case, name, signal))
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
                for case, name, signal in signals:
                    if holds(fact.fields, signal.where):
                        found[case.id].append(Hit(name, fact, _bound(fact, signal)))
        return found

    def _candidates(self, lines: Sequence[Fact]) -> Iterator[tuple[TextSignal, Fact, str]]:
        texts = [_BLANKS.sub(" ", str(fact["text"])) for fact in lines]
        literals = self.filter.literals(texts)
        for index, fact in enumerate(lines):
            wanted = set(self._always)
            for literal in literals.get(index, ()):
                wanted.update(self._by_literal.get(self.filter.literals_list[literal], ()))
            if fact["damaged"]:
                wanted = set(range(len(self._texts)))
            text = plain(texts[index]) if wanted else ""
            for number in sorted(wanted):
                yield self._texts[number], fact, text


def _bound(fact: Fact, signal: Signal) -> dict[str, str]:
    return {name: _shown(fact[field]) for name, field in signal.bind.items() if fact[field] is not None}


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
