"""Why a claim finds no volume: the binder's own conditions, checked one by one against every volume."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from kubecause.facts.joins import Joins
from kubecause.facts.quantities import quantity
from kubecause.facts.records import Claim, PersistentVolume, StorageClass
from kubecause.facts.store import Store, Thing
from kubecause.match.selectors import labels_match, requirement_text, selector_text
from kubecause.model import Fact, Proof

_NO_PROVISIONER = "kubernetes.io/no-provisioner"
_ORDER = ("storage-class", "selector", "access-mode", "capacity", "occupied")
_PROOF_OF = {
    "storage-class": "spec.storageClassName",
    "selector": "spec.selector",
    "access-mode": "spec.accessModes",
    "capacity": "spec.resources",
    "occupied": "status.phase",
}


def claim_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``claim.unbindable`` of every claim that is not bound and cannot be."""
    volumes = [(thing, record) for thing, record in store.records("PersistentVolume", PersistentVolume) if thing.live]
    if volumes or "object:PersistentVolumeClaim" in store.seen:
        store.saw("claim.unbindable")
    for thing, claim in store.records("PersistentVolumeClaim", Claim):
        if not thing.live or claim.status.phase != "Pending":
            continue
        named = claim.spec.volume_name
        fact = _held_by_another(thing, claim, volumes) if named else _unbindable(thing, claim, volumes, store, joins)
        if fact:
            yield fact


def _held_by_another(thing: Thing, claim: Claim, volumes: Sequence[tuple[Thing, PersistentVolume]]) -> Fact | None:
    """A claim that names a volume which another one holds, or which waits to be freed of an earlier one."""
    for volume_thing, volume in volumes:
        holder = volume.spec.claim_ref
        taken = holder is not None and (holder.name, holder.namespace) != (thing.entity.name, thing.entity.namespace)
        if volume_thing.entity.name == claim.spec.volume_name and (taken or volume.status.phase in ("Released", "Failed")):
            wanted, offered = _compared("occupied", claim, volume_thing, volume)
            by = f"{holder.namespace}/{holder.name}" if holder and taken else None
            proofs = volume_thing.proof(_PROOF_OF["occupied"], "row")
            return _fact(thing, "occupied", wanted, offered, claim.spec.volume_name, by, proofs)
    return None


def _unbindable(
    thing: Thing, claim: Claim, volumes: Sequence[tuple[Thing, PersistentVolume]], store: Store, joins: Joins
) -> Fact | None:
    name = claim.spec.storage_class_name or ""
    storage_class = store.named("StorageClass", name) if name else None
    classes = list(store.of_kind("StorageClass"))
    known = bool(classes) or store.was_listed("StorageClass", None)
    if name and known and storage_class is None and not any(v.spec.storage_class_name == name for _, v in volumes):
        offered = ", ".join(sorted(c.entity.name or "" for c in classes))
        return _fact(thing, "storage-class", name, offered, None, None, ())
    if storage_class and isinstance(storage_class.record, StorageClass) and storage_class.record.provisioner != _NO_PROVISIONER:
        return None  # a provisioner makes the volume; its own errors tell why it does not
    if storage_class and _waits_by_design(thing, storage_class.record, joins):
        return None
    if not claim.spec.access_modes and not claim.spec.resources.requests:
        return None  # a pending claim prints neither; without its manifest nothing can be compared
    wrongs = {volume.entity.name or "": _wrongs(thing, claim, record) for volume, record in volumes}
    if any(not wrong for wrong in wrongs.values()):
        return None
    nearest = min(wrongs, key=lambda name: (_distance(wrongs[name]), name), default=None)
    if nearest is None:  # neither class nor volume: a claim of this kind waits for a volume made by hand
        empty = known and store.was_listed("PersistentVolume", None) and not name
        return _fact(thing, "storage-class", '""', "", None, None, ()) if empty else None
    wrong = min(wrongs[nearest], key=_ORDER.index)
    volume_thing, volume = next((t, v) for t, v in volumes if t.entity.name == nearest)
    holder = (
        f"{volume.spec.claim_ref.namespace}/{volume.spec.claim_ref.name}"
        if wrong == "occupied" and volume.spec.claim_ref
        else None
    )
    wanted, offered = _compared(wrong, claim, volume_thing, volume)
    fact = _fact(thing, wrong, wanted, offered, nearest, holder, volume_thing.proof(_PROOF_OF[wrong], "row"))
    whole = store.was_listed("PersistentVolume", None) and known and storage_class is None
    return replace(fact, fields={**fact.fields, "certain": True}) if whole else fact


def _distance(wrong: set[str]) -> tuple[bool, int, list[int]]:
    """How far a volume is from what a claim wants; one of the claim's own class is always nearer."""
    return "storage-class" in wrong, len(wrong), sorted(map(_ORDER.index, wrong))


def _waits_by_design(thing: Thing, storage_class: object, joins: Joins) -> bool:
    """True for a class that binds once a pod comes, and no pod or workload mounts the claim."""
    if not isinstance(storage_class, StorageClass) or storage_class.volume_binding_mode != "WaitForFirstConsumer":
        return False
    return (thing.entity.namespace, thing.entity.name) not in joins.mounted_claims


def _wrongs(thing: Thing, claim: Claim, volume: PersistentVolume) -> set[str]:
    """Conditions of the binder that a volume does not meet (pkg/volume/persistentvolume FindMatchingVolume)."""
    wrong = set()
    if (volume.spec.storage_class_name or "") != (claim.spec.storage_class_name or ""):
        wrong.add("storage-class")
    if claim.spec.access_modes and not set(claim.spec.access_modes) <= set(volume.spec.access_modes):
        wrong.add("access-mode")
    asked, offered = quantity(claim.spec.resources.requests.get("storage")), quantity(volume.spec.capacity.get("storage"))
    if asked is not None and offered is not None and offered < asked:
        wrong.add("capacity")
    if claim.spec.selector and not _selected(claim, volume):
        wrong.add("selector")
    holder = volume.spec.claim_ref
    taken = holder is not None and (holder.name, holder.namespace) != (thing.entity.name, thing.entity.namespace)
    if taken or volume.status.phase in ("Bound", "Released", "Failed"):
        wrong.add("occupied")
    return wrong


def _selected(claim: Claim, volume: PersistentVolume) -> bool:
    return labels_match(volume.metadata.labels, claim.spec.selector)


def _compared(wrong: str, claim: Claim, thing: Thing, volume: PersistentVolume) -> tuple[str, str]:
    if wrong == "storage-class":
        return claim.spec.storage_class_name or '""', volume.spec.storage_class_name or '""'
    if wrong == "access-mode":
        return ", ".join(claim.spec.access_modes), ", ".join(volume.spec.access_modes)
    if wrong == "capacity":
        return str(claim.spec.resources.requests.get("storage")), str(volume.spec.capacity.get("storage"))
    if wrong == "selector" and claim.spec.selector:
        selector = claim.spec.selector
        wanted = ", ".join(
            [selector_text(selector.match_labels), *(requirement_text(r) for r in selector.match_expressions)]
        ).strip(", ")
        return wanted, selector_text(thing.metadata.labels) or "no labels"
    return str(claim.spec.resources.requests.get("storage", "")), volume.status.phase or ""


def _fact(
    thing: Thing, wrong: str, wanted: str, offered: str, volume: str | None, holder: str | None, proofs: tuple[Proof, ...]
) -> Fact:
    fields: dict[str, Any] = {"wrong": wrong, "wanted": wanted, "offered": offered, "volume": volume, "holder": holder}
    own = thing.proof(_PROOF_OF[wrong], "row")
    return Fact("claim.unbindable", thing.entity, {k: v for k, v in fields.items() if v is not None}, own + proofs)
