"""The examples inside case files, run through the real stages: every hit must fire, every miss must stay silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubecause.evidence.transcript import split_sections, unframed
from kubecause.facts import Extraction
from kubecause.knowledge.schema import Case, Hit, Miss
from kubecause.match import LITERALS, SignalIndex, match
from kubecause.model import Channel, Document, Entity, Fact, Finding, Proof

_SOURCE = "example"


def run_examples(cases: Mapping[str, Case]) -> list[str]:
    """Run all examples of some cases; one line for each that does not hold."""
    return [problem for case in cases.values() for problem in _failures(case)]


def _failures(case: Case) -> list[str]:
    index = SignalIndex([case], LITERALS)
    failures = []
    for hit in case.examples.hit:
        problem = _wrong(hit, _run(case, hit, index))
        if problem:
            failures.append(f"{case.id}: hit '{hit.name}': {problem}")
    for miss in case.examples.miss:
        found = _run(case, miss, index)
        if found:
            failures.append(f"{case.id}: miss '{miss.name}': fired by {', '.join(found[0].signals)} as {found[0].status}")
    return failures


def _run(case: Case, example: Hit | Miss, index: SignalIndex) -> Sequence[Finding]:
    extraction = Extraction(index.filter)
    if example.text:
        for document in _documents(example.text, example.channel or Channel.PASTE):
            extraction.read(document)
    store, joins = extraction.finish()
    for number, item in enumerate(example.facts):
        store.add_fact(_fact(item, number))
    findings, _ = match(store, joins, index, {case.id: case})
    return findings


def _documents(text: str, channel: Channel) -> list[Document]:
    lines = unframed(text.splitlines())
    return [
        Document(_SOURCE, "unknown", channel, section.lines, section.offset + 1, command=section.command, host=section.host)
        for section in split_sections(lines)
    ]


def _fact(item: Mapping[str, Any], number: int) -> Fact:
    fields = dict(item)
    kind = str(fields.pop("kind"))
    entity = fields.pop("entity", {}) or {}
    made = Entity(
        str(entity.get("kind", "Unknown")),
        entity.get("name"),
        entity.get("namespace"),
        pod=entity.get("pod"),
        scope=None if entity.get("name") or entity.get("pod") else _SOURCE,
    )
    return Fact(kind, made, fields, (Proof(_SOURCE, str(item), line=number + 1),), _SOURCE)


def _wrong(hit: Hit, found: Sequence[Finding]) -> str | None:
    """What does not fit the expectation; None when all does."""
    if not found:
        return "did not fire"
    finding = found[0]
    names = {**finding.names, "status": str(finding.status)}
    for key, want in hit.expect.items():
        if key == "by":
            if want not in finding.signals:
                return f"fired by {', '.join(finding.signals)}, not by {want}"
        elif names.get(key) != want:
            return f"{key} is {names.get(key)!r}, not {want!r}"
    return None
