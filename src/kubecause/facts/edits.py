"""Who wrote an object last, and when: its making, or an edit, as a ``change`` fact of that object.

Worked out for what a diagnosis touches only: nearly every object of a cluster was made or edited once.
Source: ``metadata.managedFields`` keeps who wrote an object last, and when (Server-Side Apply, "Field management").
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from kubecause.facts.records import Workload
from kubecause.facts.records_pod import EditedMetadata
from kubecause.facts.restarts import parse_time
from kubecause.facts.store import Thing
from kubecause.model import Entity, Fact, Proof

SAME_ACT = timedelta(seconds=5)  # a controller acts on an edit within this time
AT_ONCE = timedelta(seconds=2)  # what one act does is written within this time

_EDITABLE = frozenset(
    (
        *("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Rollout", "ConfigMap", "Service", "Ingress", "NetworkPolicy"),
        *("ResourceQuota", "LimitRange", "HorizontalPodAutoscaler", "PodDisruptionBudget", "PersistentVolumeClaim", "Node"),
        *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    )
)
_COMPONENTS = frozenset(  # whose writes are no decision of anybody
    {"kube-controller-manager", "kube-scheduler", "kube-apiserver", "kubelet", "cloud-controller-manager", "before-first-apply"}
)
_OF_NODES = ("kubectl", "oc", "k9s", "cluster-autoscaler", "karpenter")  # agents write to nodes all the time, these decide
_EVERYWHERE = frozenset({"kube-root-ca.crt", "openshift-service-ca.crt"})  # made by controllers in every namespace


def change(what: str, entity: Entity, at: datetime, proofs: Iterable[Proof], **more: Any) -> Fact:
    """A ``change`` fact.

    :param more: its other fields, those without a value left out.
    """
    fields = {"what": what, "at": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", **more}
    return Fact("change", entity, {key: value for key, value in fields.items() if value is not None}, tuple(proofs))


class Write(msgspec.Struct, frozen=True):
    """One write that somebody decided on."""

    at: datetime
    by: str


def writes_of(thing: Thing) -> list[Write]:
    """What people and their tools wrote of an object (not its status, not its scale), oldest first."""
    metadata = thing.metadata
    if not isinstance(metadata, EditedMetadata):
        return []
    found = []
    for entry in metadata.managed_fields:
        at = parse_time(entry.time)
        decided = entry.manager not in _COMPONENTS and (thing.entity.kind != "Node" or entry.manager.startswith(_OF_NODES))
        if at and not entry.subresource and entry.manager and decided:
            found.append(Write(at, entry.manager))
    return sorted(found, key=lambda write: (write.at, write.by))


def edit_of(thing: Thing, told: Iterable[Fact] = ()) -> Fact | None:
    """What somebody did last to an object: its making, or an edit after that; None where nobody wrote it down.

    :param told: what is known besides to have changed of it; a rollout that an edit began need not be told twice.
    """
    if thing.entity.kind not in _EDITABLE or not thing.live or thing.entity.name in _EVERYWHERE:
        return None
    writes = writes_of(thing)
    created = parse_time(thing.metadata.creation_timestamp)
    latest = writes[-1] if writes else None
    if latest and (created is None or latest.at > created + AT_ONCE):
        if any(
            fact["what"] == "rollout" and abs(latest.at - datetime.fromisoformat(str(fact["at"]))) <= SAME_ACT for fact in told
        ):
            return None
        what = "rollout" if _rolls_out(thing) else "edited"
        return change(what, thing.entity, latest.at, thing.proof("metadata.managedFields"), by=latest.by)
    if created is None or thing.entity.kind == "Node":
        return None
    by = next((write.by for write in writes if abs(write.at - created) <= AT_ONCE), None)
    return change("created", thing.entity, created, thing.proof("metadata.creationTimestamp"), by=by)


def _rolls_out(thing: Thing) -> bool:
    """Whether a StatefulSet or DaemonSet brings a new template to its pods; their earlier templates are not read."""
    if not isinstance(thing.record, Workload):
        return False
    status = thing.record.status
    if thing.entity.kind == "StatefulSet":
        return status.update_revision is not None and status.update_revision != status.current_revision
    wanted, updated = status.desired_number_scheduled, status.updated_number_scheduled
    return thing.entity.kind == "DaemonSet" and wanted is not None and updated is not None and updated < wanted
