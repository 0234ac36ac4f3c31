"""All objects and facts of one body of evidence, put together from what each document told of them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import cache, wraps
from typing import Any, TypeVar

import msgspec

from kubecause.facts.drafts import Detail, Draft
from kubecause.facts.records import CLUSTER_KINDS, RECORD_OF_KIND, SYSTEM_NAMESPACES, Anything, KubernetesObject
from kubecause.facts.records_pod import Metadata
from kubecause.model import WORKLOAD_KINDS, Channel, Entity, Fact, Gap, Proof

_Record = TypeVar("_Record")
_T = TypeVar("_T")
_PATH = re.compile(r"`\$((?:\.\w+|\[[^\]]*\])*)`|at `key` in `\$((?:\.\w+|\[[^\]]*\])*)`")
_MAX_REPAIRS = 20
_NOT_SHOWN = frozenset({Detail.NAME, Detail.MANIFEST})  # by the cluster
_Key = tuple[str, str | None, str]  # kind, namespace and name


class Thing(msgspec.Struct, eq=False):
    """One object of the cluster.

    :param record: what is known of it, typed.
    :param details: which kinds of document told of it.
    :param proofs: dotted field path → where it can be read.
    :param sources: paths of the documents that mention it.
    :param worked_out: what :func:`worked_out_once` keeps.
    """

    entity: Entity
    record: KubernetesObject
    details: frozenset[Detail]
    proofs: dict[str, Proof]
    sources: frozenset[str]
    worked_out: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def metadata(self) -> Metadata:
        """Metadata of the object."""
        return self.record.metadata

    @property
    def live(self) -> bool:
        """True when the cluster showed it, not only a manifest."""
        return not self.details <= _NOT_SHOWN

    @property
    def full(self) -> bool:
        """True when more than a table row is known."""
        return bool(self.details & {Detail.DESCRIBE, Detail.OBJECT})

    @property
    def whole(self) -> bool:
        """True when the object itself was read, so that what it leaves out is not there."""
        return Detail.OBJECT in self.details

    def proof(self, *paths: str) -> tuple[Proof, ...]:
        """Where the first known of some fields can be read, else where the object is mentioned."""
        for path in paths:
            if path in self.proofs:
                return (self.proofs[path],)
        for path in ("object", "row", "status.phase"):
            if path in self.proofs:
                found = self.proofs[path]
                if path == "object" and paths:
                    return (Proof(found.source, found.text, line=None, field=paths[0]),)
                return (found,)
        return tuple(list(self.proofs.values())[:1])


def worked_out_once(work_out: Callable[[Thing], _T]) -> Callable[[Thing], _T]:
    """For what follows from one object alone: in later rounds most objects are still the same, and there are thousands."""
    key = f"{work_out.__module__}.{work_out.__qualname__}"

    @wraps(work_out)
    def recall(thing: Thing) -> _T:
        if key not in thing.worked_out:
            thing.worked_out[key] = work_out(thing)
        found: _T = thing.worked_out[key]
        return found

    return recall


class Store(msgspec.Struct, eq=False):
    """Objects by identity and facts by kind, with the joins between them.

    :param seen: fact kinds and channels for which some evidence was read, found or not.
    """

    things: dict[Entity, Thing] = msgspec.field(default_factory=dict)
    facts: dict[str, list[Fact]] = msgspec.field(default_factory=lambda: defaultdict(list))
    gaps: list[Gap] = msgspec.field(default_factory=list)
    seen: set[str] = msgspec.field(default_factory=set)
    sources: set[str] = msgspec.field(default_factory=set)
    edges: set[tuple[str, str]] = msgspec.field(default_factory=set)  # service graph: client, server
    screened: set[tuple[str, str | None]] = msgspec.field(default_factory=set)  # kinds of which only broken objects were read
    clock: datetime | None = None  # when the evidence was collected, as far as it tells
    listed: set[tuple[str, str | None]] = msgspec.field(default_factory=set)  # kinds read whole, of a namespace or all (None)
    heard: set[tuple[str | None, str]] = msgspec.field(default_factory=set)  # pods whose kubelet handed over a log just then
    _rows: Counter[tuple[str, str | None]] = msgspec.field(default_factory=Counter)
    _by_kind: dict[str, list[Thing]] = msgspec.field(default_factory=lambda: defaultdict(list))
    _by_name: dict[tuple[str, str], list[Thing]] = msgspec.field(default_factory=lambda: defaultdict(list))
    _by_place: dict[tuple[str, str, str | None], list[Thing]] = msgspec.field(default_factory=lambda: defaultdict(list))

    def begun(self) -> Store:
        """A store that begins with what this one holds besides objects; the two grow apart from then on."""
        begun = Store(
            gaps=[*self.gaps],
            seen={*self.seen},
            sources={*self.sources},
            edges={*self.edges},
            listed={*self.listed},
            heard={*self.heard},
            screened={*self.screened},
        )
        for kind, facts in self.facts.items():
            begun.facts[kind] = [*facts]
        return begun

    def add_fact(self, fact: Fact) -> None:
        """Keep a fact and remember that its kind was looked at."""
        self.facts[fact.kind].append(fact)
        self.saw(fact.kind)

    def saw(self, *what: str | Channel) -> None:
        """Remember that evidence of a kind was read, whether or not anything was found in it."""
        self.seen.update(what)

    def add_thing(self, thing: Thing) -> None:
        """Index an object."""
        self.things[thing.entity] = thing
        self._by_kind[thing.entity.kind].append(thing)
        self._rows[thing.entity.kind, thing.entity.namespace] += Detail.TABLE in thing.details
        self._by_name[thing.entity.kind, thing.entity.name or ""].append(thing)
        self._by_place[thing.entity.kind, thing.entity.name or "", thing.entity.namespace].append(thing)

    def was_listed(self, kind: str, namespace: str | None) -> bool:
        """True when every object of a kind in a namespace was read, so that what is not here does not exist."""
        return (kind, None) in self.listed or (kind, namespace) in self.listed

    def was_screened(self, kind: str, namespace: str | None) -> bool:
        """True when all objects of a kind in a namespace were looked at, and only the broken ones are here."""
        return (kind, None) in self.screened or (kind, namespace) in self.screened

    def rows(self, kind: str, namespace: str | None) -> int:
        """How many objects of a kind and namespace stand in tables."""
        return self._rows[kind, namespace]

    def of_kind(self, *kinds: str) -> Iterator[Thing]:
        """Objects of some kinds, in order of identity."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    def records(self, kind: str, record: type[_Record]) -> Iterator[tuple[Thing, _Record]]:
        """Objects of a kind with their typed record."""
        for thing in self._by_kind.get(kind, ()):
            if isinstance(thing.record, record):
                yield thing, thing.record

    def named(self, kind: str, name: str | None, namespace: str | None = None) -> Thing | None:
        """The object of this name; without a namespace only when one alone fits."""
        if namespace is not None and kind not in CLUSTER_KINDS:
            found = self._by_place.get((kind, name or "", namespace), [])
            homeless = self._by_place.get((kind, name or "", None))
            found = [*found, *homeless] if homeless else found
        else:
            found = self._by_name.get((kind, name or ""), [])
        return found[0] if len(found) == 1 else None

    def workload_named(self, name: str, namespace: str | None = None) -> Thing | None:
        """The workload of this name, whatever its kind; top owners first."""
        for kind in WORKLOAD_KINDS:
            found = self.named(kind, name, namespace)
            if found:
                return found
        return None


class Merger:
    """Collects drafts and builds the things of a :class:`Store`."""

    def __init__(self) -> None:
        self._drafts: dict[_Key, list[Draft]] = defaultdict(list)
        self._built: dict[_Key, tuple[int, Thing, tuple[Gap, ...]]] = {}  # with the number of drafts it was built from

    def add(self, draft: Draft) -> None:
        """Take one more draft; nameless ones are kept apart by their document."""
        namespace = None if draft.kind in CLUSTER_KINDS else draft.namespace
        key = (draft.kind, namespace, draft.name or f"\0{draft.document.scope}")
        self._drafts[key].append(draft)
        if draft.json is not None:  # mostly all there is of it, and other evidence is still waited for
            self._built_of(key, self._drafts[key])

    def build(self, store: Store) -> None:
        """Merge all drafts into things; fields that do not fit their type are dropped and noted as gaps."""
        self._settle_namespaces()
        for (kind, namespace, name), drafts in sorted(
            self._drafts.items(), key=lambda item: (item[0][0], item[0][1] or "", item[0][2])
        ):
            thing, gaps = self._built_of((kind, namespace, name), drafts)
            store.add_thing(thing)
            store.gaps.extend(gaps)
        store.saw(*{f"object:{kind}" for kind, _, _ in self._drafts})

    def _built_of(self, key: _Key, drafts: list[Draft]) -> tuple[Thing, tuple[Gap, ...]]:
        """The thing of some drafts, built again once there are more of them."""
        built = self._built.get(key)
        if built is None or built[0] != len(drafts):
            built = self._built[key] = (len(drafts), *_thing(*key, drafts))
        return built[1:]

    def _settle_namespaces(self) -> None:
        """A draft without a namespace joins the one object of its kind and name that has one.

        What is left lives in the one namespace that people work in, when the evidence shows no other: kubectl prints
        none in its tables.
        """
        homeless = [key for key in self._drafts if key[1] is None and key[0] not in CLUSTER_KINDS and not key[2].startswith("\0")]
        homes = {key[1] for key in self._drafts if key[1]} - SYSTEM_NAMESPACES
        for key in homeless:
            fits = [other for other in self._drafts if other[0] == key[0] and other[2] == key[2] and other[1] is not None]
            if len(fits) == 1:
                self._drafts[fits[0]].extend(self._drafts.pop(key))
            elif not fits and len(homes) == 1:
                self._drafts[key[0], next(iter(homes)), key[2]].extend(self._drafts.pop(key))


def _thing(kind: str, namespace: str | None, name: str, drafts: list[Draft]) -> tuple[Thing, tuple[Gap, ...]]:
    """An object put together, and gaps for what of it does not fit its type."""
    proofs = drafts[0].proofs
    if len(drafts) > 1:
        drafts = sorted(drafts, key=lambda draft: -draft.detail)
        proofs = {}
        for draft in drafts:
            for path, proof in draft.proofs.items():
                proofs.setdefault(path, proof)
    named = not name.startswith("\0")
    entity = Entity(kind, name if named else None, namespace, scope=None if named else drafts[0].document.source)
    record, gaps = _record(drafts, RECORD_OF_KIND.get(kind, Anything), entity)
    thing = Thing(entity, record, frozenset(d.detail for d in drafts), proofs, frozenset(d.document.source for d in drafts))
    return thing, gaps


def _record(drafts: list[Draft], record: type[KubernetesObject], entity: Entity) -> tuple[KubernetesObject, tuple[Gap, ...]]:
    if len(drafts) == 1 and drafts[0].json is not None:
        with suppress(msgspec.ValidationError):
            found = _decoder(record).decode(drafts[0].json)
            found.metadata.name, found.metadata.namespace = entity.name or "", entity.namespace
            return found, ()
    data: dict[str, Any] = {}
    for draft in drafts:
        _fill(data, draft.data if draft.json is None else msgspec.json.decode(draft.json))
    meta = data["metadata"] = data["metadata"] if isinstance(data.get("metadata"), dict) else {}
    meta["name"], meta["namespace"] = entity.name or "", entity.namespace
    return _convert(data, record, str(entity))


@cache
def _decoder(record: type[KubernetesObject]) -> msgspec.json.Decoder[KubernetesObject]:
    return msgspec.json.Decoder(record, strict=False)


def _fill(into: dict[str, Any], more: dict[str, Any]) -> None:
    """Add what is missing; lists of named things (containers, variables) are filled by name."""
    for key, value in more.items():
        if key not in into or into[key] is None or into[key] == "":
            into[key] = value
        elif isinstance(into[key], dict) and isinstance(value, dict):
            if key not in ("labels", "selector", "matchLabels", "nodeSelector", "limits", "requests"):
                _fill(into[key], value)
            elif not into[key]:
                into[key] = value
        elif isinstance(into[key], list) and isinstance(value, list):
            into[key] = _fill_list(into[key], value)


def _fill_list(into: list[Any], more: list[Any]) -> list[Any]:
    if not into:
        return more
    for part in into:
        if isinstance(part, dict):
            id_key = next((key for key in ("name", "containerPort", "port", "type") if part.get(key) is not None), None)
            twin = next((m for m in more if isinstance(m, dict) and id_key and m.get(id_key) == part[id_key]), None)
            if twin:
                _fill(part, twin)
    return into


def _convert(data: dict[str, Any], record: type[KubernetesObject], what: str) -> tuple[KubernetesObject, tuple[Gap, ...]]:
    dropped: list[str] = []
    for _ in range(_MAX_REPAIRS):
        try:
            converted = msgspec.convert(data, record, strict=False)
        except msgspec.ValidationError as error:
            found = _PATH.search(str(error))
            place = (found[1] or found[2] or "") if found else ""
            path = [name or index for name, index in re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", place)]
            if not path or not _drop(data, path):
                break
            dropped.append(".".join(path))
        else:
            left_out = Gap(what, f"left out because it has not the form of the API: {', '.join(dropped)}")
            return converted, (left_out,) if dropped else ()
    return record(), (Gap(what, "has not the form of the API; only its name was used"),)


def _drop(data: Any, path: list[str]) -> bool:
    """Remove the value at a path of msgspec's error; ``...`` is any key or element."""
    *parents, last = path
    targets: list[Any] = [data]
    for step in parents:
        targets = [below for target in targets for below in _steps(target, step)]
    dropped = False
    for target in targets:
        if isinstance(target, dict):
            for key in list(target) if last == "..." else [last]:
                dropped |= key in target
                target.pop(key, None)
        elif isinstance(target, list) and target:
            target.clear()
            dropped = True
    return dropped


def _steps(target: Any, step: str) -> Iterable[Any]:
    if isinstance(target, dict):
        return list(target.values()) if step == "..." else [target[step]] if step in target else []
    if isinstance(target, list):
        return target if step == "..." else [target[int(step)]] if step.isdigit() and int(step) < len(target) else []
    return []
