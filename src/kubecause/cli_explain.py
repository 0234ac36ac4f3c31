"""``kubecause explain``: the answer of the knowledge base to a word, as text or as data."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict

from kubecause.knowledge import explain, explain_text, shipped
from kubecause.knowledge.explanation import Explanation
from kubecause.report.as_json import dump
from kubecause.report.neutral import neutralise
from kubecause.text import Language


def answer(word: str, output: str, language: Language, *, quiet: bool) -> str | None:
    """What is known about a word, ready to print; nothing when text was asked for and nothing is known.

    :param quiet: text only: one line a fault, no explanations.
    :raises KnowledgeError: when the case files cannot be read.
    """
    explanation = explain(word, shipped(), language)
    if output == "json":
        return dump(_data(explanation, language))
    if output == "yaml":
        import yaml

        written: str = yaml.safe_dump(_data(explanation, language), allow_unicode=True, sort_keys=False, width=110)
        return written
    if explanation.kind == "unknown":
        return None
    return neutralise(_faults(explanation, language) if quiet else explain_text(explanation, language))


def _faults(explanation: Explanation, language: Language) -> str:
    """One line a fault: the one it is about, then those that may lie behind it."""
    title = explanation.case.title if explanation.case else explanation.meaning
    own = [(explanation.fault, title)] if explanation.fault and title else []
    rows = [*own, *((candidate.fault, candidate.title) for candidate in explanation.candidates)]
    return "\n".join(f"{fault}: {text.to(language)}" for fault, text in rows)


def _data(explanation: Explanation, language: Language) -> dict[str, object]:
    """The answer as plain data; texts of the case stay in both languages, as in its file."""
    return {
        "apiVersion": "kubecause/v1",
        "kind": "Explanation",
        "word": explanation.word,
        "takenFor": explanation.kind,
        "code": explanation.code,
        "meaning": explanation.meaning.to(language) if explanation.meaning else None,
        "fault": explanation.fault,
        "names": dict(explanation.names),
        "candidates": [{**asdict(each), "title": each.title.to(language)} for each in explanation.candidates],
        "case": msgspec.to_builtins(explanation.case) if explanation.case else None,
    }
