"""Diagnose: findings in, ranked diagnoses out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from kubecause.diagnose.calibration import CONFIDENCE
from kubecause.diagnose.changes import Changes
from kubecause.diagnose.graph import Graph, is_over
from kubecause.diagnose.naming import lifted, names_of, with_cluster
from kubecause.facts.joins import Joins
from kubecause.knowledge.schema import Case
from kubecause.later import Later
from kubecause.model import STATUS_ORDER, Diagnosis, Entity, Finding, Link, Proof, Status


def diagnose(graph: Graph, cases: Mapping[str, Case], joins: Joins, *, cluster: str | None = None) -> tuple[Diagnosis, ...]:
    """Diagnoses in the order of the contract: causes before symptoms, surest first, widest effect first.

    :param cluster: what the cluster is called, where that is known.
    """
    findings = graph.findings
    heads = _worth_telling(graph, cases)
    groups: dict[tuple[str, Entity], list[int]] = defaultdict(list)
    for head in heads:
        finding = findings[head]
        groups[finding.fault, lifted(finding, cases[finding.fault], joins)].append(head)
    changes = Changes(joins)
    diagnoses = []
    for (fault, entity), numbers in groups.items():
        found = _diagnosis(entity, numbers, graph, cases[fault], cases, joins)
        causes = [findings[number] for number in numbers]
        explained = [findings[number] for number in _merged(graph.below(number) for number in numbers)]
        found = replace(found, changes=Later(partial(changes.before, entity, causes, explained, found.proofs)))
        diagnoses.append(with_cluster(found, cluster) if cluster else found)
    return tuple(sorted(diagnoses, key=lambda each: _rank(each, cases[each.finding.fault])))


def unsettled(graph: Graph, cases: Mapping[str, Case]) -> list[Finding]:
    """Findings that no confirmed cause explains, and confirmed causes that may have a deeper one themselves."""
    findings = graph.findings
    sure = [n for n, found in enumerate(findings) if found.status == Status.CONFIRMED and not cases[found.fault].symptom]
    explained = {effect for number in sure for effect in graph.below(number)}
    return [found for number, found in enumerate(findings) if number not in explained]


def _rank(diagnosis: Diagnosis, case: Case) -> tuple[bool, int, int, str, tuple[str, ...]]:
    idle = case.severity == "info" and len(diagnosis.chain) == 1  # a remark: nothing suffers from it
    return (
        diagnosis.symptom,
        STATUS_ORDER[diagnosis.status],
        1 if idle else -len(diagnosis.affected),
        diagnosis.finding.fault,
        diagnosis.entity.sort_key,
    )


def _worth_telling(graph: Graph, cases: Mapping[str, Case]) -> list[int]:
    """Heads without what is over, states that may be intended and hurt nobody, and guesses at what is explained already."""
    heads = [number for number in graph.heads() if graph.effects.get(number) or not is_over(graph.findings[number])]
    telling = [
        number for number in heads if not (cases[graph.findings[number].fault].needs_effect and not graph.effects.get(number))
    ]
    if not telling:
        return heads
    any_sure = any(graph.findings[n].status != Status.POSSIBLE and not cases[graph.findings[n].fault].symptom for n in telling)
    sure = {effect for number in telling if graph.findings[number].status != Status.POSSIBLE for effect in graph.below(number)}
    return [number for number in telling if not _idle_guess(number, graph, sure, any_sure=any_sure)]


def _idle_guess(number: int, graph: Graph, explained: set[int], *, any_sure: bool) -> bool:
    """A mere possibility that explains nothing which a surer cause does not explain."""
    return graph.findings[number].status == Status.POSSIBLE and any_sure and set(graph.below(number)) <= explained


def _diagnosis(
    entity: Entity, numbers: Sequence[int], graph: Graph, case: Case, cases: Mapping[str, Case], joins: Joins
) -> Diagnosis:
    found = sorted((graph.findings[number] for number in numbers), key=lambda f: (STATUS_ORDER[f.status], f.entity.sort_key))
    best = found[0]
    status = best.status if not case.symptom else max(best.status, Status.PROBABLE, key=lambda s: STATUS_ORDER[s])
    below = _merged(graph.below(number) for number in numbers)
    chains = [graph.longest_chain(number) for number in numbers]
    chain = max(chains, key=len)
    links = [Link(best.fault, entity), *(_link(graph.findings[n], cases) for n in chain[1:])]
    return Diagnosis(
        finding=best,
        entity=entity,
        status=status,
        confidence=CONFIDENCE[status],
        symptom=case.symptom,
        chain=tuple(links),
        affected=_affected(entity, found, [graph.findings[n] for n in below], cases, joins),
        proofs=_proofs(found, [graph.findings[n] for n in chain[1:]]),
        names=names_of(entity, found, joins),
    )


def _link(finding: Finding, cases: Mapping[str, Case]) -> Link:
    """A step of a chain, on the pod or container where it shows."""
    shown = finding.subjects[0] if cases[finding.fault].entity in ("container", "pod") and finding.subjects else finding.entity
    return Link(finding.fault, shown)


def _merged(lists: Iterable[Sequence[int]]) -> list[int]:
    return list(dict.fromkeys(number for numbers in lists for number in numbers))


def _affected(
    entity: Entity, found: Sequence[Finding], below: Sequence[Finding], cases: Mapping[str, Case], joins: Joins
) -> tuple[Entity, ...]:
    """Who suffers, worst first: those of effects nearest the user, then the pods of the cause itself."""
    order: dict[Entity, None] = {}
    for finding in sorted(below, key=lambda f: (not cases[f.fault].symptom, f.entity.sort_key)):
        for subject in (finding.entity, *finding.subjects):
            order.setdefault(joins.pod_of(subject) or subject)
    for finding in found:
        for subject in finding.subjects:
            order.setdefault(joins.pod_of(subject) or subject)
    return tuple(e for e in order if e != entity and e.scope is None and (e.name or e.pod))


def _proofs(found: Sequence[Finding], chain: Sequence[Finding]) -> tuple[Proof, ...]:
    """Where the cause can be read, then one proof for each further step of the chain."""
    proofs: dict[tuple[str, int | None, str | None, str], Proof] = {}
    for finding in found:
        for fact in finding.facts:
            for proof in fact.proofs:
                proofs.setdefault((proof.source, proof.line, proof.field, proof.text), proof)
    for finding in chain:
        for fact in finding.facts[:1]:
            for proof in fact.proofs[:1]:
                proofs.setdefault((proof.source, proof.line, proof.field, proof.text), proof)
    return tuple(proofs.values())
