"""The causal graph of what was found: ``leads_to`` of the cases along joins that exist."""

from __future__ import annotations

from collections import defaultdict, deque
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
    _chains: dict[int, list[int]] = field(default_factory=dict)

    def heads(self) -> list[int]:
        """Findings that nothing found explains."""
        return [number for number in range(len(self.findings)) if not self.causes.get(number)]

    def below(self, number: int) -> list[int]:
        """Everything a finding explains, nearest first, each once."""
        seen: dict[int, None] = {}
        waiting = deque([number])
        while waiting:
            for effect in self.effects.get(waiting.popleft(), ()):
                if effect not in seen and effect != number:
                    seen[effect] = None
                    waiting.append(effect)
        return list(seen)

    def longest_chain(self, number: int) -> list[int]:
        """The longest way from a finding down to what the user sees; the graph must be whole."""
        if number not in self._chains:
            chains = [self.longest_chain(effect) for effect in self.effects.get(number, ())]
            self._chains[number] = [number, *max(chains, key=len, default=[])]
        return self._chains[number]


def build_graph(findings: Sequence[Finding], cases: Mapping[str, Case], joins: Joins) -> Graph:
    """Link every cause to the effects it reaches; no link closes a circle."""
    graph = Graph(findings)
    order = sorted(range(len(findings)), key=lambda n: (cases[findings[n].fault].symptom, STATUS_ORDER[findings[n].status], n))
    reach = [_Reach(finding, joins) for finding in findings]
    index = _FaultIndex(findings)
    for cause in order:
        linked: set[int] = set()
        for link in cases[findings[cause].fault].leads_to:
            for effect in index.effects(link.fault, link.via, findings[cause], has_sufferers=reach[cause].has_sufferers):
                if effect == cause or effect in linked or reach[cause].misses(reach[effect], link.via):
                    continue
                if graph.causes.get(cause) and cause in graph.below(effect):
                    continue
                if reaches(findings[cause], findings[effect], link.via, joins):
                    linked.add(effect)
                    graph.effects.setdefault(cause, []).append(effect)
                    graph.causes.setdefault(effect, []).append(cause)
    return graph


class _FaultIndex:
    """Findings by their fault, and by the namespace they live in, so that a cause need not be held against all effects."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._all: dict[str, list[int]] = defaultdict(list)
        self._within: dict[tuple[str, str | None], list[int]] = defaultdict(list)
        for number, finding in enumerate(findings):
            self._all[finding.fault].append(number)
            self._within[finding.fault, finding.entity.namespace].append(number)

    def effects(self, fault: str, via: str, cause: Finding, *, has_sufferers: bool) -> Sequence[int]:
        """Findings of a fault that a path could lead to, in their order.

        A path within a namespace leads to no other one, unless a fact of the cause names who suffers elsewhere.
        """
        namespace = cause.entity.namespace
        if via not in _WITHIN or namespace is None or has_sufferers:
            return self._all.get(fault, ())
        return sorted([*self._within.get((fault, namespace), ()), *self._within.get((fault, None), ())])


class _Reach:
    """Where a finding may have causes or effects by nodes: told by sets, so that most pairs need no closer look."""

    def __init__(self, finding: Finding, joins: Joins) -> None:
        self.has_sufferers = bool(sufferers(finding))
        self._open = _nameless(finding.entity) or self.has_sufferers
        self._who = {finding.entity, *finding.subjects}
        self._nodes = {name for entity in self._who for name in joins.nodes_of(entity)}
        self._named = {entity.name for entity in self._who if entity.kind == "Node"}
        self._kept_off = [kept for entity in self._who if (kept := joins.kept_off(entity))]

    def misses(self, effect: _Reach, via: str) -> bool:
        """True when no path by nodes leads to an effect."""
        if self._open or effect._open:
            return False
        if via == "pod.candidates":
            return not (self._names_one_of(effect) or effect._names_one_of(self))
        if via in _BY_NODE:
            return self._nodes.isdisjoint(effect._nodes) and self._who.isdisjoint(effect._who)
        return False

    def _names_one_of(self, waiting: _Reach) -> bool:
        return bool(self._named) and any(not self._named.isdisjoint(kept) for kept in waiting._kept_off)


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
