"""House rules about what a case looks for: signals, conditions and the facts they name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from kubecause.knowledge.conditions import Condition, compile_condition
from kubecause.knowledge.house_rule import Breach, House, KeyPath, Rule
from kubecause.knowledge.patterns import pattern_problems
from kubecause.knowledge.schema import Case, Signal
from kubecause.model import Channel
from kubecause.vocabulary import FACT_KINDS

# What stands behind the bar of ``field|operator``, and what its value must be.
OPERATORS: dict[str, tuple[type, ...]] = {
    "in": (list,),
    "not": (str, int, float, bool, list),
    "contains": (str, list),
    "matches": (str,),
    "gt": (int, float),
    "gte": (int, float),
    "lt": (int, float),
    "lte": (int, float),
    "exists": (bool,),
    "starts": (str, list),
    "ends": (str, list),
    "outside": (str,),
}
SHORTEST_LITERAL = 6


def conditions(case: Case) -> Iterator[tuple[str, Condition | str]]:
    """Each condition a case has, compiled, or what is wrong with it."""
    for key in ("match", "confirmed", "possible"):
        text: str | None = getattr(case, key)
        if text is not None:
            try:
                yield key, compile_condition(text)
            except ValueError as error:
                yield key, str(error)


def conditions_fit_signals(case: Case, _house: House) -> Iterator[Breach]:
    """Conditions can be read and name only signals that exist; every signal is named."""
    used: set[str] = set()
    for key, condition in conditions(case):
        if isinstance(condition, str):
            yield Breach((key,), f"{key}: {condition}")
            continue
        used |= condition.names
        for name in sorted(condition.names - case.signals.keys()):
            yield Breach((key,), f"{key} names the signal {name}, which does not exist{_near(name, case.signals)}")
        if condition.holds(()):
            yield Breach((key,), f"{key} holds when no signal does; require at least one")
    for name in sorted(case.signals.keys() - used):
        yield Breach(("signals", name), f"signal {name} is used in no condition")


def one_kind_of_signal(case: Case, _house: House) -> Iterator[Breach]:
    """A signal looks either for a text, in named channels, or for a fact."""
    for name, signal in case.signals.items():
        at = ("signals", name)
        text_keys = [key for key, value in _text_parts(signal).items() if value]
        if signal.fact is not None and text_keys:
            yield Breach(at, f"signal {name} has both fact and {', '.join(text_keys)}; make two signals of it")
        if signal.fact is None and not (signal.contains or signal.regex):
            yield Breach(at, f"signal {name} has neither contains nor regex nor fact")
        if signal.fact is None and not signal.channels:
            yield Breach(at, f"signal {name} does not say where it looks; add in: [{', '.join(Channel)}] as fits")
        if signal.fact is None and (signal.where or signal.bind):
            yield Breach(at, f"signal {name} has where or bind without fact")
        if signal.reason and Channel.EVENT not in signal.channels:
            yield Breach((*at, "reason"), f"signal {name} has reason, but does not look in event")
        if signal.at_least < 1:
            yield Breach((*at, "at_least"), f"signal {name}: at_least must be 1 or more")


def _text_parts(signal: Signal) -> dict[str, object]:
    return {
        "in": signal.channels,
        "contains": signal.contains,
        "with": signal.with_,
        "without": signal.without,
        "regex": signal.regex,
        "capture": signal.capture,
        "reason": signal.reason,
    }


def facts_exist(case: Case, _house: House) -> Iterator[Breach]:
    """Fact kinds, fields and operators are those of the vocabulary."""
    for name, signal in case.signals.items():
        at: KeyPath = ("signals", name)
        if signal.fact is None:
            continue
        kind = FACT_KINDS.get(signal.fact)
        if kind is None:
            yield Breach((*at, "fact"), f"signal {name}: there is no fact {signal.fact}{_near(signal.fact, FACT_KINDS)}")
            continue
        for key, value in signal.where.items():
            field, _, operator = key.partition("|")
            if field not in kind.fields:
                yield _no_field((*at, "where", key), name, signal.fact, field)
            yield from _operator_breaches((*at, "where", key), operator, value, bar="|" in key)
        for bound, field in signal.bind.items():
            if field not in kind.fields:
                yield _no_field((*at, "bind", bound), name, signal.fact, field)


def _no_field(at: KeyPath, signal: str, fact: str, field: str) -> Breach:
    known = FACT_KINDS[fact].fields
    return Breach(at, f"signal {signal}: {fact} has no field {field}; it has {', '.join(known)}")


def _operator_breaches(at: KeyPath, operator: str, value: Any, *, bar: bool) -> Iterator[Breach]:
    if not bar:
        if isinstance(value, (list, dict)) or value is None:
            yield Breach(at, f"{at[-1]} must equal one plain value; for several use {at[-1]}|in")
    elif operator not in OPERATORS:
        yield Breach(at, f"unknown operator {operator or '(none)'}; known: {', '.join(OPERATORS)}")
    elif not isinstance(value, OPERATORS[operator]) or (isinstance(value, bool) and bool not in OPERATORS[operator]):
        wanted = " or ".join(_TYPE_NAMES[kind] for kind in OPERATORS[operator])
        yield Breach(at, f"{at[-1]} takes {wanted}, not {value!r}")


_TYPE_NAMES = {list: "a list", str: "text", int: "a number", float: "a decimal number", bool: "true or false"}


def patterns_are_safe(case: Case, _house: House) -> Iterator[Breach]:
    """Regular expressions compile, bind names that texts can use, and cannot run forever."""
    for name, signal in case.signals.items():
        at: KeyPath = ("signals", name)
        patterns: list[tuple[KeyPath, str]] = [((*at, "regex"), signal.regex)] if signal.regex is not None else []
        patterns += [((*at, "capture", number), pattern) for number, pattern in enumerate(signal.capture)]
        patterns += [((*at, "where", key), str(value)) for key, value in signal.where.items() if key.endswith("|matches")]
        for place, pattern in patterns:
            for problem in pattern_problems(pattern):
                yield Breach(place, f"signal {name}: pattern {problem}", "warning" if "wildcards" in problem else "error")


def literals_are_telling(case: Case, _house: House) -> Iterator[Breach]:
    """A literal is long enough to mean something."""
    for name, signal in case.signals.items():
        for number, literal in enumerate(signal.contains):
            at = ("signals", name, "contains", number)
            if len(literal.strip()) < SHORTEST_LITERAL:
                yield Breach(at, f"signal {name}: contains {literal!r} is shorter than {SHORTEST_LITERAL} characters")
            if not any(letter.isalpha() for letter in literal):
                yield Breach(at, f"signal {name}: contains {literal!r} holds no letter")
        for key, parts in (("with", signal.with_), ("without", signal.without)):
            if any(not part.strip() for part in parts):
                yield Breach(("signals", name, key), f"signal {name}: {key} holds an empty text")


def _near(word: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


RULES: tuple[Rule, ...] = (
    conditions_fit_signals,
    one_kind_of_signal,
    facts_exist,
    patterns_are_safe,
    literals_are_telling,
)
