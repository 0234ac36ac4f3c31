"""The causal graph of what was found: ``leads_to`` of the cases along joins that exist."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from kubecause.facts.joins import Joins
from kubecause.facts.paths import connected, dependents
from kubecause.knowledge.schema import Case
from kubecause.model import STATUS_ORDER, Entity, Finding

_BY_NODE = frozenset({"pod.node", "node.components"})
# Paths within a family of container, pod and workload, and those that never leave a namespace.
_BY_FAMILY = frozenset({"self", "pod.workload"})
_WITHIN = frozenset({"pod.namespace", "pod.claims", "ingress.service"})
_ANYWHERE = object()  # the place of findings that any cause may lead to
_BEHIND = "behind"  # begins the place of findings about a workload, or about what it stands behind


class Graph(msgspec.Struct):
    """Findings by index, with the effects and causes of each."""

    findings: Sequence[Finding]
    effects: dict[int, list[int]] = msgspec.field(default_factory=dict)
    causes: dict[int, list[int]] = msgspec.field(default_factory=dict)
    _chains: dict[int, list[int]] = msgspec.field(default_factory=dict)

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
    index = _Index(findings, joins)
    for cause in order:
        linked: set[int] = set()
        for link in cases[findings[cause].fault].leads_to:
            for effect in index.effects(cause, link.fault, link.via):
                if effect == cause or effect in linked or (graph.causes.get(cause) and cause in graph.below(effect)):
                    continue
                if is_over(findings[cause]) and not cases[link.fault].lasting:
                    continue  # what is over explains nothing that goes on
                if reaches(findings[cause], findings[effect], link.via, joins):
                    linked.add(effect)
                    graph.effects.setdefault(cause, []).append(effect)
                    graph.causes.setdefault(effect, []).append(cause)
    return graph


class _Reach:
    """Where a finding may have causes or effects.

    :param open: it may have them anywhere: it has no name, or its facts name who suffers.
    """

    def __init__(self, finding: Finding, joins: Joins) -> None:
        who = _who(finding)
        self.open = _nameless(finding.entity) or bool(sufferers(finding))
        self.namespace = finding.entity.namespace
        self.families = {joins.top_owner(entity) for entity in who}
        self.on_nodes = {*who, *(name for entity in who for name in joins.nodes_of(entity))}
        self.named = {entity.name for entity in who if entity.kind == "Node"}
        self.behind = {(_BEHIND, workload) for entity in who for workload in joins.workloads_behind(entity)}
        self.kept_off = {kept for entity in who if (kept := joins.kept_off(entity))}

    def meets(self, other: _Reach) -> bool:
        """Whether one of them is a node that keeps the other's pods waiting."""
        pairs = ((self, other), (other, self))
        return any(a.named and any(not a.named.isdisjoint(kept) for kept in b.kept_off) for a, b in pairs)


class _Index:
    """Findings by their fault and by where they are, so that a cause need not be held against all effects."""

    def __init__(self, findings: Sequence[Finding], joins: Joins) -> None:
        self._findings, self._joins = findings, joins
        self._reach = [_Reach(finding, joins) for finding in findings]
        self._all: dict[str, list[int]] = defaultdict(list)
        self._at: dict[tuple[str, object], list[int]] = defaultdict(list)
        for number, (finding, reach) in enumerate(zip(findings, self._reach, strict=True)):
            self._all[finding.fault].append(number)
            anywhere = reach.open or finding.entity.kind == "Cluster"
            places = [_ANYWHERE] if anywhere else [*reach.families, *reach.on_nodes]
            for place in {*places, *reach.behind, (reach.namespace,)}:
                self._at[finding.fault, place].append(number)

    def effects(self, cause: int, fault: str, via: str) -> Sequence[int]:
        """Findings of a fault that a path could lead to, in their order; some of them it may not reach after all."""
        reach = self._reach[cause]
        if reach.open:
            return self._all.get(fault, ())
        if via == "workload.dependencies":
            return self._found(fault, [*((_BEHIND, caller) for caller in self._callers(cause)), _ANYWHERE])
        if via == "service.pods":
            return self._found(fault, [*reach.behind, _ANYWHERE])
        if via in _BY_FAMILY:
            return self._found(fault, [*reach.families, _ANYWHERE])
        if via in _BY_NODE:
            return self._found(fault, [*reach.on_nodes, _ANYWHERE])
        if via == "pod.candidates":
            others = self._all.get(fault, ())
            return [number for number in others if self._reach[number].open or reach.meets(self._reach[number])]
        if via in _WITHIN and reach.namespace is not None:
            return self._found(fault, [(reach.namespace,), (None,)])
        return self._all.get(fault, ())

    def _callers(self, cause: int) -> set[Entity]:
        """Workloads that call those of a finding, directly or through others."""
        return set().union(*(dependents(self._joins, entity) for entity in _who(self._findings[cause])))

    def _found(self, fault: str, places: Iterable[object]) -> list[int]:
        return sorted({number for place in places for number in self._at.get((fault, place), ())})


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


def _who(finding: Finding) -> set[Entity]:
    return {finding.entity, *finding.subjects}


def is_over(finding: Finding) -> bool:
    """Whether only past events tell of the trouble of a node."""
    return finding.entity.kind == "Node" and all(fact["healed"] for fact in finding.facts)


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
