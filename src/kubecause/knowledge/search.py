"""``kubecause explain WORD``: look the knowledge up by fault id, state, exit code, error message or plain words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from kubecause.knowledge.cache import Knowledge
from kubecause.knowledge.conditions import compile_condition
from kubecause.knowledge.exit_codes import exit_code_meaning
from kubecause.knowledge.explanation import Candidate, Explanation, Kind, explain_text
from kubecause.knowledge.meanings import Meaning
from kubecause.knowledge.schema import Case
from kubecause.knowledge.states import STATES
from kubecause.knowledge.wording import normal, says
from kubecause.text import Language, Text, fill

__all__ = ["Candidate", "Explanation", "explain", "explain_text"]

LONGEST_WORD = 8000
MOST_FOUND = 12

_EXIT = r"(?:exit(?:ed|s)?(?: with)?(?: ?code| status)?|exitcode|code)[ :=]{1,20}"
_ONLY_EXIT_CODE = re.compile(rf"(?:{_EXIT})?(-?[0-9]{{1,9}})", re.IGNORECASE)
_EXIT_CODE_INSIDE = re.compile(r"\bexit(?:ed|s)?(?: with)?(?: ?code| status)?[ :=]{1,20}(-?[0-9]{1,9})\b", re.IGNORECASE)
_SIGNAL = re.compile(r"signal[ :]{1,2}([0-9]{1,2})", re.IGNORECASE)
_INIT_COUNT = re.compile(r"Init:[0-9]{1,3}/[0-9]{1,3}", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9]{2,40}|[\u4e00-\u9fff]{1,40}")
_STATES_BY_LOWER = {state.lower(): state for state in STATES}


def explain(word: str, knowledge: Knowledge, language: Language) -> Explanation:
    """What a word means and which faults may lie behind it.

    :param word: a fault id, a pod or node status, an exit code (also ``-1`` or ``exit code 137``), an error message, or
        words of a title; what lies beyond 8,000 characters is not read.
    :param language: titles in this language count first when words are searched.
    """
    word = word.strip()[:LONGEST_WORD].rstrip()
    if not word:
        return Explanation(word, "unknown")
    return (
        _by_fault(word, knowledge)
        or _by_state(word, word, knowledge)
        or _by_exit_code(word, _ONLY_EXIT_CODE.fullmatch(word), knowledge)
        or _by_signal(word, knowledge)
        or _by_last_part(word, knowledge)
        or _by_message(word, knowledge)
        or _by_part(word, knowledge)
        or _by_words(word, knowledge, language)
        or Explanation(word, "unknown")
    )


def _by_fault(word: str, knowledge: Knowledge) -> Explanation | None:
    fault = word.lower()
    return _one_fault(word, fault, knowledge) if fault in knowledge.faults or fault in knowledge.cases else None


def _by_last_part(word: str, knowledge: Knowledge) -> Explanation | None:
    """The last part of a fault's id, when only one fault ends so."""
    found = [fault for fault in {*knowledge.faults, *knowledge.cases} if fault.endswith(f"/{word.lower()}")]
    return _one_fault(word, found[0], knowledge) if len(found) == 1 else None


def _one_fault(word: str, fault: str, knowledge: Knowledge) -> Explanation:
    case = knowledge.cases.get(fault)
    meaning = None if case else knowledge.title(fault)
    return Explanation(word, "fault", meaning, fault, case, candidates=_behind((), (fault,), knowledge))


def _by_state(word: str, state: str, knowledge: Knowledge) -> Explanation | None:
    plain = state.lower().removeprefix("init:")
    name = "PodInitializing" if _INIT_COUNT.fullmatch(state) else _STATES_BY_LOWER.get(plain)
    if name is None:
        return None
    named = [case.id for case in knowledge.cases.values() if plain in (other.lower() for other in case.words)]
    return _from_meaning(word, STATES[name], knowledge, named)


def _by_exit_code(word: str, found: re.Match[str] | None, knowledge: Knowledge) -> Explanation | None:
    return _exit_code(word, int(found[1]), knowledge) if found else None


def _by_signal(word: str, knowledge: Knowledge) -> Explanation | None:
    found = _SIGNAL.fullmatch(word)
    return _exit_code(word, 128 + int(found[1]), knowledge) if found else None


def _exit_code(word: str, number: int, knowledge: Knowledge) -> Explanation:
    code = number & 0xFF  # a process can report no more than a byte: wait(2)
    return _from_meaning(word, exit_code_meaning(code), knowledge, code=code)


def _from_meaning(
    word: str, meaning: Meaning, knowledge: Knowledge, named: Iterable[str] = (), code: int | None = None
) -> Explanation:
    starts = [fault for fault in (*meaning.faults, *named) if fault in knowledge.faults or fault in knowledge.cases]
    kind: Kind = "state" if code is None else "exit-code"
    states = [knowledge.cases[fault] for fault in starts if fault in knowledge.cases and knowledge.is_symptom(fault)]
    case = states[0] if code is None and len(states) == 1 else None  # tells where to look further
    return Explanation(word, kind, meaning.text, case=case, code=code, candidates=_behind(starts, starts, knowledge))


def _behind(shown: Iterable[str], starts: Iterable[str], knowledge: Knowledge) -> tuple[Candidate, ...]:
    """The faults ``shown``, then all that lead to ``starts``, nearest first."""
    steps = dict.fromkeys(shown, 0)
    starts = tuple(starts)
    further: dict[str, int] = {}
    for start in starts:
        for fault, distance in knowledge.causes_of(start).items():
            if fault not in starts:
                further[fault] = min(distance, further.get(fault, distance))
    for fault in sorted(further, key=lambda cause: (further[cause], cause)):
        steps.setdefault(fault, further[fault])
    return tuple(Candidate(fault, knowledge.title(fault), knowledge.is_symptom(fault), far) for fault, far in steps.items())


# --- messages -----------------------------------------------------------------------------------------------


class _Heard(msgspec.Struct, frozen=True):
    """A case whose signals say what the message says."""

    case: Case
    full: bool  # its ``match`` holds by the message alone
    length: int  # of the longest literal or pattern that was found
    names: Mapping[str, str]


def _by_message(word: str, knowledge: Knowledge) -> Explanation | None:
    heard = sorted(_hear(word, knowledge), key=lambda one: (not one.full, -one.length, one.case.id))
    full = [one for one in heard if one.full]
    if len(full) == 1:
        only = full[0]
        behind = _behind((), (only.case.id,), knowledge)
        return Explanation(word, "message", None, only.case.id, only.case, candidates=behind, names=only.names)
    candidates = tuple(
        Candidate(one.case.id, _filled(one.case.title, one.names), one.case.symptom) for one in (full or heard)[:MOST_FOUND]
    )
    return Explanation(word, "message", candidates=candidates) if candidates else None


def _hear(word: str, knowledge: Knowledge) -> Iterator[_Heard]:
    normal_word = normal(word)
    for case in knowledge.cases.values():
        if case.status == "retired":
            continue
        names: dict[str, str] = {}
        lengths: dict[str, int] = {}
        for name, signal in case.signals.items():
            if signal.fact is not None:
                continue
            try:
                bound = says(case, signal, word, normal_word)
                condition = compile_condition(case.match)
            except (re.error, ValueError):  # an unfinished case; lint reports it
                continue
            if bound is not None and name in condition.wanted:
                names |= bound
                lengths[name] = max((len(part) for part in [*signal.contains, signal.regex or ""] if part), default=0)
        if lengths:
            yield _Heard(case, compile_condition(case.match).holds(lengths), max(lengths.values()), names)


def _filled(text: Text, names: Mapping[str, str]) -> Text:
    return Text(en=fill(text.en, names), zh=fill(text.zh, names))


# --- words --------------------------------------------------------------------------------------------------


def _by_part(word: str, knowledge: Knowledge) -> Explanation | None:
    """A state or an exit code somewhere in a longer text."""
    for part in re.findall(r"[A-Za-z]{6,40}", word):
        if part in STATES and not part.islower():
            return _by_state(word, part, knowledge)
    return _by_exit_code(word, _EXIT_CODE_INSIDE.search(word), knowledge)


def _by_words(word: str, knowledge: Knowledge, language: Language) -> Explanation | None:
    """Faults whose title, id or further words hold most of the words."""
    wanted = _words(word)
    if not wanted:
        return None
    scores: dict[str, tuple[float, int]] = {}
    for fault in {*knowledge.faults, *knowledge.cases}:
        first, second = _held(wanted, fault, knowledge, language)
        if max(first, second) * 2 > len(wanted):
            scores[fault] = (-max(first, second), -first)
    best = sorted(scores, key=lambda fault: (scores[fault], fault))[:MOST_FOUND]
    candidates = tuple(Candidate(fault, knowledge.title(fault), knowledge.is_symptom(fault)) for fault in best)
    return Explanation(word, "words", candidates=candidates) if candidates else None


def _held(wanted: set[str], fault: str, knowledge: Knowledge, language: Language) -> tuple[int, int]:
    """How many of the words stand in the title in this language, and in all that is said of the fault."""
    title = knowledge.title(fault)
    case = knowledge.cases.get(fault)
    further = " ".join([fault, *(case.words if case else ())])
    first = _words(title.to(language))
    return len(wanted & first), len(wanted & (_words(title.en) | _words(title.zh) | _words(further)))


def _words(text: str) -> set[str]:
    """Lower-case words; Chinese, which has no blanks, as pairs of neighbouring characters."""
    found: set[str] = set()
    for part in _WORD.findall(text):
        if part.isascii():
            found.add(part.lower())
        else:
            found |= {part[at : at + 2] for at in range(max(1, len(part) - 1))}
    return found
