"""The nouns of kubecause. Every stage knows these and nothing of the stages after it.

evidence → :class:`Document`, :class:`Gap` · facts → :class:`Fact` · match → :class:`Finding` ·
diagnose → :class:`Diagnosis` · report → text. All of them are immutable.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


# --- evidence ---------------------------------------------------------------------------------------------


class Channel(enum.StrEnum):
    """Who speaks in a text; a signal of a case says which channels it listens to."""

    EVENT = "event"  # message of a Kubernetes event
    STATUS = "status"  # message of a condition, waiting or terminated state, or pod status
    KUBELET_LOG = "kubelet-log"
    RUNTIME_LOG = "runtime-log"  # containerd, dockerd, cri-o
    KERNEL_LOG = "kernel-log"
    COMPONENT_LOG = "component-log"  # API server, scheduler, etcd, kube-proxy, CNI, DNS, ingress controller, ...
    APP_LOG = "app-log"  # any other container
    CLIENT = "client"  # what kubectl, curl, docker, crictl, kubeadm print to the person in front of them
    COMMAND = "command"  # output of another command
    PASTE = "paste"  # text nobody introduced: every signal listens


class Document(msgspec.Struct, frozen=True):
    """One piece of raw evidence with its origin.

    :param source: path relative to the target, ``-`` for standard input.
    :param kind: what the text is (``DocumentKind`` names in ``evidence/recognise.py``).
    :param lines: the text, redacted, without line ends.
    :param first_line: number of ``lines[0]`` in the source, from 1.
    :param command: the command that printed it, where a prompt or a path tells.
    :param host: the machine it was printed on, where a prompt, a journal prefix or a path tells.
    :param hints: further parts of the identity: ``namespace``, ``pod``, ``container``, ``node``, ``workload``.
    :param collected: when it was collected, where known.
    """

    source: str
    kind: str
    channel: Channel
    lines: Sequence[str]
    first_line: int = 1
    command: str | None = None
    host: str | None = None
    hints: Mapping[str, str] = msgspec.field(default_factory=dict)
    collected: datetime | None = None

    @property
    def scope(self) -> str:
        """What names the document among all of them; entities without a name join only within it."""
        return f"{self.source}:{self.first_line}"


class Gap(msgspec.Struct, frozen=True):
    """Evidence that was not looked at, and why."""

    what: str
    why: str
    verb: str | None = None
    resource: str | None = None
    hides: tuple[str, ...] = ()


# --- entities ---------------------------------------------------------------------------------------------


class Entity(msgspec.Struct, frozen=True, cache_hash=True):
    """A thing a fault can live on.

    A missing name is ``None``; such an entity is told apart from others by ``scope`` (its document) only.
    """

    kind: str
    name: str | None = None
    namespace: str | None = None
    pod: str | None = None  # of a Container
    cluster: str | None = None
    scope: str | None = None  # set only while name is None

    def __str__(self) -> str:
        parts = [self.namespace, self.pod, self.name]
        return f"{self.kind} {'/'.join(p for p in parts if p) or '(unnamed)'}"

    @property
    def sort_key(self) -> tuple[str, str, str, str, str]:
        """A total order, for output that is the same every time."""
        return (self.kind, self.namespace or "", self.pod or "", self.name or "", self.scope or "")


WORKLOAD_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "ReplicaSet", "ReplicationController", "Rollout")


# --- facts ------------------------------------------------------------------------------------------------


class Proof(msgspec.Struct, frozen=True, cache_hash=True):
    """Where a fact can be read: a line of a document, or a field of an object."""

    source: str
    text: str
    line: int | None = None
    field: str | None = None
    time: datetime | None = None
    count: int | None = None


class Fact(msgspec.Struct, frozen=True):
    """One normalised statement about one entity, with the lines or fields that show it.

    :param kind: a name of ``vocabulary.FACT_KINDS``, which also lists the fields.
    :param scope: the document it was read from (``Document.scope``).
    """

    kind: str
    entity: Entity
    fields: Mapping[str, Any] = msgspec.field(default_factory=dict)
    proofs: tuple[Proof, ...] = ()
    scope: str | None = None

    def __getitem__(self, name: str) -> Any:
        return self.fields.get(name)


class Need(msgspec.Struct, frozen=True, cache_hash=True):
    """A fact that would settle something: asked of a source that can be read again."""

    fact_kind: str
    entity: Entity


# --- findings and diagnoses -------------------------------------------------------------------------------


class Status(enum.StrEnum):
    """How sure a finding is."""

    CONFIRMED = "confirmed"
    PROBABLE = "probable"
    POSSIBLE = "possible"


STATUS_ORDER = {Status.CONFIRMED: 0, Status.PROBABLE: 1, Status.POSSIBLE: 2}


class Finding(msgspec.Struct, frozen=True):
    """A fault recognised on an entity.

    :param names: what the signals bound, for ``<placeholders>``.
    :param subjects: the entities of the facts that matched; the finding's own entity may be their owner.
    :param signals: names of the signals that held.
    """

    fault: str
    entity: Entity
    status: Status
    names: Mapping[str, str] = msgspec.field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    subjects: tuple[Entity, ...] = ()
    signals: tuple[str, ...] = ()


class Link(msgspec.Struct, frozen=True):
    """One step of a chain."""

    fault: str
    entity: Entity


class Difference(msgspec.Struct, frozen=True):
    """One field in which two versions of an object differ.

    :param field: its path, as ``kubectl explain`` writes it, with names in brackets: ``containers[web].image``.
    :param before: what stood there, None when the field was not there; so ``after``.
    :param hidden: true when the values are left out because they could be secrets or are too long to show.
    """

    field: str
    before: str | None = None
    after: str | None = None
    hidden: bool = False


class Change(msgspec.Struct, frozen=True):
    """What somebody or something changed shortly before the first bad sign of a diagnosis.

    :param what: a word of the field ``what`` of the fact ``change``.
    :param time: when, on the clock of the API.
    :param lead: seconds from the change to the first bad sign.
    :param by: who changed it, as the API remembers it: ``kubectl-edit``, ``helm``.
    :param before: what it was, in one word (a revision, a number of replicas, a version); so ``after``.
    """

    what: str
    entity: Entity
    time: datetime
    lead: float
    by: str | None = None
    before: str | None = None
    after: str | None = None
    differences: tuple[Difference, ...] = ()


class Diagnosis(msgspec.Struct, frozen=True):
    """A cause with the chain of findings it explains."""

    finding: Finding
    entity: Entity  # the finding's entity, lifted as high as the evidence proves
    status: Status
    confidence: float
    symptom: bool
    chain: tuple[Link, ...]
    affected: tuple[Entity, ...]
    proofs: tuple[Proof, ...]
    names: Mapping[str, str] = msgspec.field(default_factory=dict)
    changes: Sequence[Change] = ()  # what changed shortly before, most telling first


class Result(msgspec.Struct, frozen=True):
    """What one run found out; ``report`` turns it into text.

    :param source_kind: cluster, capture, bundle, node or text.
    :param clear: ids of faults that were looked for wherever they could be and found nowhere.
    """

    source_kind: str
    source_name: str
    diagnoses: tuple[Diagnosis, ...] = ()
    clear: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
