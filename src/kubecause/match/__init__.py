"""Match: facts and cases in, findings out; what was looked for and not found is ruled out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from kubecause.facts.joins import Joins
from kubecause.facts.store import Store
from kubecause.knowledge.conditions import Condition, compile_condition
from kubecause.knowledge.schema import Case
from kubecause.match.analyses import LITERALS, run_analyses
from kubecause.match.levels import entity_at
from kubecause.match.signals import Hit, SignalIndex
from kubecause.model import Entity, Finding, Status

MAX_FACTS = 40  # facts kept for one finding; the report shows a few, counts stay exact in the proofs


def match(store: Store, joins: Joins, index: SignalIndex, cases: Mapping[str, Case]) -> tuple[list[Finding], set[str]]:
    """Findings, and the ids of the cases for which something was found, also where a more exact one took their place."""
    run_analyses(store, joins)
    hits = index.hits(store.facts)
    findings = [
        finding
        for case in cases.values()
        if case.status != "retired"
        for finding in _findings(case, hits.get(case.id, []), store, joins)
    ]
    return _without_yielding(findings, cases, joins), {finding.fault for finding in findings}


def ruled_out(store: Store, cases: Mapping[str, Case], found: Collection[str]) -> list[str]:
    """The ids of the cases that were looked for and are clear.

    :param found: the ids of the cases for which something was found.
    """
    hidden = {each for gap in store.gaps for each in gap.hides}
    return sorted(
        case.id for case in cases.values() if case.status != "retired" and case.id not in found and _looked(case, store, hidden)
    )


def _looked(case: Case, store: Store, hidden: AbstractSet[str]) -> bool:
    """True when evidence of every kind that the case reads was there, and no gap hides it."""
    if _is_hidden(case, hidden):
        return False
    for signal in case.signals.values():
        wanted = {signal.fact} if signal.fact else {str(channel) for channel in signal.channels}
        if not wanted & store.seen:
            return False
    return True


def _is_hidden(case: Case, hidden: AbstractSet[str]) -> bool:
    """Gaps hide faults by their id, and fact kinds and channels that a case reads."""
    return case.id in hidden or any(
        (signal.fact in hidden if signal.fact else any(str(channel) in hidden for channel in signal.channels))
        for signal in case.signals.values()
    )


def _findings(case: Case, hits: Sequence[Hit], store: Store, joins: Joins) -> Iterable[Finding]:
    if not hits:
        return
    conditions = {key: compile_condition(text) for key in ("match", "confirmed", "possible") if (text := getattr(case, key))}
    groups = _groups(case, hits, store, joins)
    known: dict[frozenset[str], Status | None] = {}  # hundreds of things may show the same few sets of signals
    for entity in sorted(groups, key=lambda e: e.sort_key):
        members = _enough(case, groups[entity])
        signals = frozenset(hit.signal for hit in members)
        if signals not in known:
            known[signals] = _status(conditions, signals)
        status = known[signals]
        if status is not None:
            yield _finding(case, entity, status, members)


def _groups(case: Case, hits: Sequence[Hit], store: Store, joins: Joins) -> dict[Entity, list[Hit]]:
    """Hits by the entity they speak of; nameless ones join the only named one of their document.

    Containers and pods of one template are one: the template has the fault, and one hit may come from a log of the
    workload, the other from the state of one container.
    """
    groups: dict[Entity, list[Hit]] = defaultdict(list)
    family = case.entity in ("container", "pod", "workload") and not case.instance
    for hit in hits:
        entity = entity_at(case.entity, hit.fact, hit.names, store, joins)
        groups[joins.top_owner(entity) if family and entity.scope is None else entity].append(hit)
    named = [entity for entity in groups if entity.name or entity.pod or entity.scope is None]
    nameless = groups.keys() - set(named)
    by_source: dict[str, list[Entity]] = defaultdict(list)
    for entity in named if nameless else ():
        for source in {proof.source for hit in groups[entity] for proof in hit.fact.proofs}:
            by_source[source].append(entity)
    for entity in [each for each in groups if each in nameless]:
        near = by_source.get(entity.scope or "", ())
        if len(near) == 1:
            groups[near[0]] += groups.pop(entity)
    return groups


def _enough(case: Case, hits: Sequence[Hit]) -> list[Hit]:
    """Without the signals that want more repeats than there are."""
    if all(case.signals[name].at_least <= 1 for name in {hit.signal for hit in hits}):
        return list(hits)
    totals: dict[str, int] = defaultdict(int)
    for hit in hits:
        totals[hit.signal] += int(hit.fact["count"] or 1)
    return [hit for hit in hits if totals[hit.signal] >= case.signals[hit.signal].at_least]


def _status(conditions: Mapping[str, Condition], found: frozenset[str]) -> Status | None:
    if "confirmed" in conditions and conditions["confirmed"].holds(found):
        return Status.CONFIRMED
    if conditions["match"].holds(found):
        return Status.PROBABLE
    if "possible" in conditions and conditions["possible"].holds(found):
        return Status.POSSIBLE
    return None


def _finding(case: Case, entity: Entity, status: Status, hits: Sequence[Hit]) -> Finding:
    names: dict[str, str] = {}
    for hit in hits:
        for key, value in hit.names.items():
            names.setdefault(key, value)
    facts = tuple({id(hit.fact): hit.fact for hit in hits}.values())[:MAX_FACTS]
    return Finding(
        fault=case.id,
        entity=entity,
        status=status,
        names=names,
        facts=facts,
        subjects=tuple(sorted(_subjects(hits), key=lambda e: e.sort_key)),
        signals=tuple(sorted({hit.signal for hit in hits})),
    )


def _subjects(hits: Sequence[Hit]) -> set[Entity]:
    """Whom the facts speak of, and whom they name as suffering."""
    named = [hit.fact["suffers"] for hit in hits]
    return {hit.fact.entity for hit in hits} | {
        entity for some in named for entity in (some if isinstance(some, tuple) else (some,)) if isinstance(entity, Entity)
    }


def _without_yielding(findings: Sequence[Finding], cases: Mapping[str, Case], joins: Joins) -> list[Finding]:
    """Without findings that a more exact one on the same entity replaces."""
    exact: dict[tuple[str, object], list[Finding]] = defaultdict(list)
    for finding in findings:
        for place in (*_places(finding, joins), *_sources(finding, named=_named(finding))):
            exact[finding.fault, place].append(finding)
    kept = []
    for finding in findings:
        better = cases[finding.fault].yields_to
        near = (other for fault in better for place in _near(finding, joins) for other in exact.get((fault, place), ()))
        if not any(_speak_of_one(finding, other, joins) for other in near):
            kept.append(finding)
    return kept


def _near(finding: Finding, joins: Joins) -> list[object]:
    """Where others are that may speak of the same thing; one without a name is near to all of its document."""
    near = [*_places(finding, joins), *_sources(finding, named=False)]
    return near if _named(finding) else [*near, *_sources(finding, named=True)]


def _places(finding: Finding, joins: Joins) -> list[object]:
    return [joins.top_owner(finding.entity), *finding.subjects]


def _sources(finding: Finding, *, named: bool) -> set[object]:
    return {(named, proof.source) for fact in finding.facts for proof in fact.proofs}


def _named(finding: Finding) -> bool:
    return bool(finding.entity.name or finding.entity.pod)


def _speak_of_one(a: Finding, b: Finding, joins: Joins) -> bool:
    if joins.same(a.entity, b.entity):
        return True
    if _named(a) and _named(b):
        return bool(set(a.subjects) & set(b.subjects))
    return bool(_sources(a, named=True) & _sources(b, named=True))


__all__ = ["LITERALS", "SignalIndex", "match", "ruled_out"]
