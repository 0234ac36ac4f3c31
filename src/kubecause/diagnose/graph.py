"""The causal graph of what was found: ``leads_to`` of the cases along joins that exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kubecause.facts.joins import Joins
from kubecause.facts.paths import connected
from kubecause.knowledge.schema import Case
from kubecause.model import STATUS_ORDER, Entity, Finding

_BY_NODE = frozenset({"pod.node", "node.components"})
# Paths that never leave a namespace.
_WITHIN = frozenset({"self", "pod.workload", "pod.namespace", "pod.claims", "service.pods", "ingress.service"})


@dataclass(slots=True)
class Graph:
    """Findings by index, with the effects and causes of each."""

    findings: Sequence[Finding]
    effects: dict[int, list[int]] = field(default_factory=dict)
    causes: dict[int, list[int]] = field(default_factory=dict)

    def heads(self) -> list[int]:
        """Findings that nothing found explains."""
        return [number for number in range(len(self.findings)) if not self.causes.get(number)]

    def below(self, number: int) -> list[int]:
        """Everything a finding explains, nearest first, each once."""
        order, seen = [], {number}
        waiting = [number]
        while waiting:
            for effect in self.effects.get(waiting.pop(0), ()):
                if effect not in seen:
                    seen.add(effect)
                    order.append(effect)
                    waiting.append(effect)
        return order

    def longest_chain(self, number: int) -> list[int]:
        """The longest way from a finding down to what the user sees."""
        best: list[int] = []
        for effect in self.effects.get(number, ()):
            chain = self.longest_chain(effect)
            if len(chain) > len(best):
                best = chain
        return [number, *best]


def build_graph(findings: Sequence[Finding], cases: Mapping[str, Case], joins: Joins) -> Graph:
    """Link every cause to the effects it reaches; no link closes a circle."""
    graph = Graph(findings)
    order = sorted(range(len(findings)), key=lambda n: (cases[findings[n].fault].symptom, STATUS_ORDER[findings[n].status], n))
    by_fault: dict[str, list[int]] = {}
    for number, finding in enumerate(findings):
        by_fault.setdefault(finding.fault, []).append(number)
    reach = [_Reach(finding, joins) for finding in findings]
    for cause in order:
        for effect, via in _effects(cause, findings, cases, by_fault):
            if reach[cause].misses(reach[effect], via) or effect in graph.effects.get(cause, ()) or cause in graph.below(effect):
                continue
            if reaches(findings[cause], findings[effect], via, joins):
                graph.effects.setdefault(cause, []).append(effect)
                graph.causes.setdefault(effect, []).append(cause)
    return graph


def _effects(
    cause: int, findings: Sequence[Finding], cases: Mapping[str, Case], by_fault: Mapping[str, list[int]]
) -> list[tuple[int, str]]:
    return [
        (effect, link.via)
        for link in cases[findings[cause].fault].leads_to
        for effect in by_fault.get(link.fault, ())
        if effect != cause and (link.via not in _WITHIN or not _apart(findings[cause], findings[effect]))
    ]


class _Reach:
    """Where a finding may have causes or effects by nodes: told by sets, so that most pairs need no closer look."""

    def __init__(self, finding: Finding, joins: Joins) -> None:
        self._open = _nameless(finding.entity) or bool(sufferers(finding))
        self._who = {finding.entity, *finding.subjects}
        self._nodes = {name for entity in self._who for name in joins.nodes_of(entity)}
        self._named = {entity.name for entity in self._who if entity.kind == "Node"}
        self._kept_off = {name for entity in self._who for name in joins.kept_off(entity)}

    def misses(self, effect: _Reach, via: str) -> bool:
        """True when no path by nodes leads to an effect."""
        if self._open or effect._open:
            return False
        if via == "pod.candidates":
            return self._named.isdisjoint(effect._kept_off) and effect._named.isdisjoint(self._kept_off)
        if via in _BY_NODE:
            return self._nodes.isdisjoint(effect._nodes) and self._who.isdisjoint(effect._who)
        return False


def _apart(cause: Finding, effect: Finding) -> bool:
    """True when two findings live in different namespaces and no fact of the cause names who suffers elsewhere."""
    a, b = cause.entity.namespace, effect.entity.namespace
    return a is not None and b is not None and a != b and not sufferers(cause)


def reaches(cause: Finding, effect: Finding, via: str, joins: Joins) -> bool:
    """True when the entities of two findings are joined along a path; nameless ones only within their document."""
    if _nameless(cause.entity) or _nameless(effect.entity):
        return bool(_sources(cause) & _sources(effect))
    if connected(joins, cause.entity, effect.entity, via):
        return True
    if any(joins.same(sufferer, effect.entity) for sufferer in sufferers(cause)):
        return True
    return any(
        connected(joins, a, b, via)
        for a in cause.subjects or (cause.entity,)
        for b in effect.subjects or (effect.entity,)
        if not _nameless(a) and not _nameless(b)
    )


def sufferers(finding: Finding) -> list[Entity]:
    """Whom the facts of a finding name as suffering from it."""
    found: list[Entity] = []
    for fact in finding.facts:
        named = fact["suffers"]
        found += [e for e in (named if isinstance(named, tuple) else (named,)) if isinstance(e, Entity)]
    return found


def _nameless(entity: Entity) -> bool:
    return entity.scope is not None


def _sources(finding: Finding) -> set[str]:
    return {proof.source for fact in finding.facts for proof in fact.proofs} | (
        {finding.entity.scope} if finding.entity.scope else set()
    )
