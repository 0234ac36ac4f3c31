"""What changed shortly before the first bad sign of a diagnosis, most telling first.

That one thing came before another does not make it the cause; it is told as what a person would ask first. Nothing is
told that was changed after the first bad sign, or when that sign has no known time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from kubecause.facts.edits import edit_of
from kubecause.facts.joins import Joins
from kubecause.facts.paths import read_by
from kubecause.facts.signs import Signs
from kubecause.model import Change, Difference, Entity, Fact, Finding, Proof

MAX_CHANGES = 5
WINDOW = timedelta(hours=1)
_LOOKED_AT = 50  # entities of one diagnosis whose surroundings are looked at

# Kinds that act on everything in their namespace (or cluster), by the group of the faults they can cause.
_ACTING_ON_ALL: dict[str, tuple[str, ...]] = {
    "admission": ("ResourceQuota", "LimitRange", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    "app": ("NetworkPolicy",),
    "client": ("NetworkPolicy",),
    "dns": ("NetworkPolicy",),
    "ingress": ("NetworkPolicy",),
    "network": ("NetworkPolicy",),
    "service": ("NetworkPolicy",),
}
# Words in the path of a field of the template that faults of a group are about.
_ABOUT: dict[str, tuple[str, ...]] = {
    "app": (".env", ".args", ".command", ".image"),
    "config": (".env", "volume", "serviceAccount"),
    "container": (".resources", ".command", ".args", ".image", "securityContext"),
    "image": (".image", "imagePull"),
    "probe": ("Probe", ".ports"),
    "registry": (".image", "imagePull"),
    "scheduling": ("nodeSelector", "ffinity", "olerations", "topologySpread", ".resources", "volumes", "nodeName", "scheduler"),
    "service": (".ports", "labels"),
    "storage": ("volume", "securityContext"),
}


class Changes:
    """The changes of one body of evidence, asked diagnosis by diagnosis."""

    def __init__(self, joins: Joins) -> None:
        self._joins = joins
        self._signs = Signs(joins)
        self._of: dict[Entity, list[Fact]] = defaultdict(list)
        self._with_edits: dict[Entity, list[Fact]] = {}
        for fact in joins.store.facts["change"]:
            self._of[fact.entity].append(fact)

    def before(
        self, entity: Entity, found: Sequence[Finding], explained: Sequence[Finding], proofs: Sequence[Proof]
    ) -> tuple[Change, ...]:
        """What changed at most :data:`WINDOW` before a diagnosis showed first.

        :param found: the findings of the cause.
        :param explained: the findings below it.
        :param proofs: what the diagnosis shows; a change that stands there is not told again.
        """
        fault = found[0].fault
        candidates = list(self._candidates(entity, found, explained, fault.partition("/")[0]))
        if not candidates:
            return ()
        findings = [*found, *explained]
        sign = self._signs.first(
            (each for finding in findings for each in (finding.entity, *finding.subjects)),
            (fact for finding in findings for fact in finding.facts),
        )
        if sign is None:
            return ()
        told = " ".join([*(proof.text for proof in proofs), *found[0].names.values()])
        rated = []
        for fact, near in candidates:
            at = datetime.fromisoformat(str(fact["at"]))
            if timedelta(0) <= sign - at <= WINDOW and not set(fact.proofs) & set(proofs):
                change = _change(fact, at, sign, fault, told)
                rated.append((-_weight(change, fault, told, near=near), change.lead, change.entity.sort_key, change.what, change))
        rated.sort(key=lambda each: each[:-1])
        own = {fact.entity for fact, near in candidates if near}
        return tuple(_worth_telling([each[-1] for each in rated], fault, own)[:MAX_CHANGES])

    def _candidates(
        self, entity: Entity, found: Sequence[Finding], explained: Sequence[Finding], group: str
    ) -> Iterator[tuple[Fact, bool]]:
        """Changes of what a diagnosis touches, each once; true for its own entity and the owners of that."""
        own = set(self._owners(entity))
        related = dict.fromkeys(own)
        for finding in [*found, *explained][:_LOOKED_AT]:
            for each in (finding.entity, *finding.subjects[:_LOOKED_AT]):
                related.update(dict.fromkeys(self._around(each)))
        related.update(dict.fromkeys(self._acting_on_all(group, {each.namespace for each in related})))
        for each in related:
            yield from ((fact, each in own) for fact in self._changes_of(each))

    def _changes_of(self, entity: Entity) -> list[Fact]:
        """What changed of an object, and who wrote it last."""
        if entity not in self._with_edits:
            told = self._of.get(entity, [])
            thing = self._joins.store.things.get(entity)
            edit = edit_of(thing, told) if thing else None
            self._with_edits[entity] = [*told, edit] if edit else told
        return self._with_edits[entity]

    def _owners(self, entity: Entity) -> Iterator[Entity]:
        yield entity
        yield self._joins.top_owner(entity)

    def _around(self, entity: Entity) -> Iterator[Entity]:
        """An entity, its owner, what its pods read, the node they are on, the workloads behind a service."""
        joins = self._joins
        yield from self._owners(entity)
        if entity.kind == "Service":
            yield from joins.workloads_of_service.get(entity, ())
        yield from read_by(joins, entity)
        node = joins.node_of(entity)
        if node:
            yield Entity("Node", node)

    def _acting_on_all(self, group: str, namespaces: set[str | None]) -> Iterable[Entity]:
        kinds = _ACTING_ON_ALL.get(group, ())
        return [
            each
            for kind in kinds
            for namespace in (None, *namespaces - {None})
            for each in self._acting.get((kind, namespace), ())
        ]

    @cached_property
    def _acting(self) -> dict[tuple[str, str | None], list[Entity]]:
        """What acts on everything, by kind and namespace."""
        found: dict[tuple[str, str | None], list[Entity]] = defaultdict(list)
        for kind in {kind for kinds in _ACTING_ON_ALL.values() for kind in kinds}:
            for thing in self._joins.store.of_kind(kind):
                found[kind, thing.entity.namespace].append(thing.entity)
        return found


def _change(fact: Fact, at: datetime, sign: datetime, fault: str, told: str) -> Change:
    differences: Sequence[Difference] = fact["detail"] or ()
    return Change(
        what=str(fact["what"]),
        entity=fact.entity,
        time=at,
        lead=(sign - at).total_seconds(),
        by=fact["by"],
        before=fact["before"],
        after=fact["after"],
        differences=tuple(sorted(differences, key=lambda each: -_touches(each, fault, told))),
    )


def _touches(difference: Difference, fault: str, told: str) -> int:
    """How far a difference is what a fault is about: its new value stands in the proof, its field is of the kind.

    A fault is named in words that the API uses too: ``probe/readiness-wrong-path`` is about ``readinessProbe.httpGet.path``.
    """
    group, _, name = fault.partition("/")
    field = f".{difference.field}"
    value = difference.after or difference.before or ""
    shown = len(value) > 2 and value in told
    named = sum(word in field.lower() for word in name.split("-") if len(word) > 3)
    return 3 * shown + named + any(word in field for word in _ABOUT.get(group, ()))


def _weight(change: Change, fault: str, told: str, *, near: bool) -> int:
    """How telling a change is."""
    acts_on_all = change.entity.kind in _ACTING_ON_ALL.get(fault.partition("/")[0], ())
    if change.what == "created":
        return 2 * acts_on_all
    touched = max((_touches(each, fault, told) for each in change.differences), default=0)
    if touched:
        return 4 + touched
    if change.entity.name and change.entity.name in told:
        return 4
    return 3 if near or acts_on_all else 1


def _worth_telling(changes: list[Change], fault: str, own: set[Entity]) -> list[Change]:
    """Without the making of objects, unless they act on all in their namespace, or are what is diagnosed and all that changed.

    What came along with a first installation is as new as everything else.
    """
    acting_on_all = _ACTING_ON_ALL.get(fault.partition("/")[0], ())
    changed = {each.entity for each in changes if each.what != "created"}
    return [
        each
        for each in changes
        if each.what != "created" or each.entity.kind in acting_on_all or (each.entity in own and each.entity not in changed)
    ]
