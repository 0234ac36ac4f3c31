"""House rules about the examples of a case: there are enough, they are well formed, and texts say what they prove.

Running every example through the whole matcher is the work of ``kubecause cases test``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubecause.knowledge.conditions import Condition
from kubecause.knowledge.house_rule import Breach, House, KeyPath, Rule
from kubecause.knowledge.lint_signals import conditions
from kubecause.knowledge.lint_texts import STANDARD_NAMES, bound_names
from kubecause.knowledge.schema import Case, Hit, Miss, Signal
from kubecause.knowledge.wording import says
from kubecause.model import Channel, Status
from kubecause.vocabulary import FACT_KINDS


def enough_examples(case: Case, _house: House) -> Iterator[Breach]:
    """At least one hit and one miss, each with a name of its own."""
    if not case.examples.hit:
        yield Breach(("examples", "hit"), "examples.hit is empty; show evidence on which the case fires")
    if not case.examples.miss:
        yield Breach(("examples", "miss"), "examples.miss is empty; show look-alike evidence on which it stays silent")
    seen = set()
    for at, example in _examples(case):
        if not example.name.strip() or example.name in seen:
            yield Breach(at, f"example name {example.name!r} is empty or used twice")
        seen.add(example.name)


def examples_hold_evidence(case: Case, _house: House) -> Iterator[Breach]:
    """An example is a text with its channel, or facts that the vocabulary knows."""
    for at, example in _examples(case):
        if not (example.text or "").strip() and not example.facts:
            yield Breach(at, f"example {example.name!r} holds neither text nor facts")
        if example.text is not None and example.channel is None:
            yield Breach(at, f"example {example.name!r} does not say where its text was read; add in: {Channel.EVENT}, …")
        for number, fact in enumerate(example.facts):
            yield from _fact_breaches((*at, "facts", number), example.name, fact)


def _fact_breaches(at: KeyPath, example: str, fact: dict[str, object]) -> Iterator[Breach]:
    kind = FACT_KINDS.get(str(fact.get("kind")))
    if kind is None:
        yield Breach(at, f"example {example!r}: there is no fact {fact.get('kind')}; name one in kind")
        return
    entity = fact.get("entity")
    if not isinstance(entity, dict) or not isinstance(entity.get("kind"), str):
        yield Breach(at, f"example {example!r}: entity must name what the fact is about, as {{kind: {kind.entity}, name: a}}")
    for field in sorted(fact.keys() - kind.fields.keys() - {"kind", "entity"}):
        yield Breach(at, f"example {example!r}: {fact['kind']} has no field {field}; it has {', '.join(kind.fields)}")


def signals_are_proved(case: Case, _house: House) -> Iterator[Breach]:
    """Every signal that can make a condition true is named by a hit."""
    wanted: set[str] = set()
    for _, condition in conditions(case):
        if isinstance(condition, Condition):
            wanted |= condition.wanted
    proved = {hit.expect.get("by") for hit in case.examples.hit}
    for name in sorted((wanted & case.signals.keys()) - proved):
        yield Breach(("signals", name), f"no hit example proves signal {name}; add one with expect: {{by: {name}}}")


def expectations_are_known(case: Case, _house: House) -> Iterator[Breach]:
    """A hit expects a signal, a status, and names that can be bound."""
    names = bound_names(case) | STANDARD_NAMES
    for number, hit in enumerate(case.examples.hit):
        at = ("examples", "hit", number)
        if hit.expect.get("by") not in case.signals:
            yield Breach((*at, "expect"), f"hit {hit.name!r}: expect.by must name the signal that fires")
        if hit.expect.get("status", Status.PROBABLE) not in list(Status):
            yield Breach((*at, "expect", "status"), f"hit {hit.name!r}: status is one of {', '.join(Status)}")
        for name in sorted(hit.expect.keys() - names - {"by", "status"}):
            yield Breach((*at, "expect", name), f"hit {hit.name!r} expects the name {name}, which no signal binds")


def texts_say_it(case: Case, _house: House) -> Iterator[Breach]:
    """The text of a hit holds what its signal looks for, in a channel the signal listens to, and binds what is expected."""
    for number, hit in enumerate(case.examples.hit):
        signal = case.signals.get(hit.expect.get("by", ""))
        if signal is None or signal.fact is not None:
            continue
        at = ("examples", "hit", number)
        if hit.channel is not None and not _listens(signal, hit.channel):
            yield Breach(at, f"hit {hit.name!r} is read in {hit.channel}, where signal {hit.expect['by']} does not look")
        try:
            text = hit.text or ""
            heard = (says(case, signal, part) for part in [text, *text.splitlines()])
            bound = next((names for names in heard if names is not None), None)
        except re.error:
            continue  # reported by the rule about patterns
        if bound is None:
            yield Breach(at, f"hit {hit.name!r}: its text does not hold what signal {hit.expect['by']} looks for")
            continue
        for name in sorted(bound.keys() & hit.expect.keys()):
            if bound[name] != hit.expect[name]:
                yield Breach((*at, "expect", name), f"hit {hit.name!r} binds {name} to {bound[name]!r}, not {hit.expect[name]!r}")


def _listens(signal: Signal, channel: Channel) -> bool:
    """A signal hears its own channels and whatever people hand over; a status repeats what an event said."""
    handed_over = (Channel.PASTE, Channel.CLIENT, Channel.COMMAND)
    return channel in (*handed_over, *signal.channels) or (channel is Channel.STATUS and Channel.EVENT in signal.channels)


def _examples(case: Case) -> Iterator[tuple[KeyPath, Hit | Miss]]:
    for number, hit in enumerate(case.examples.hit):
        yield ("examples", "hit", number), hit
    for number, miss in enumerate(case.examples.miss):
        yield ("examples", "miss", number), miss


RULES: tuple[Rule, ...] = (
    enough_examples,
    examples_hold_evidence,
    signals_are_proved,
    expectations_are_known,
    texts_say_it,
)
