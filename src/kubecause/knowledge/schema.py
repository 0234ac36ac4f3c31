"""What a case file may say, as typed records (``docs/cases.md`` explains every field to authors).

Read strictly: an unknown key is an error. :func:`kubecause.knowledge.loader.load_folder` adds what types cannot say.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from kubecause.model import Channel, Severity
from kubecause.text import Text

At = Literal["client", "node", "pod", "registry", "etcd"]
Risk = Literal["safe", "disruptive", "destructive"]
Maturity = Literal["draft", "tested", "proven", "retired"]
Kind = Literal["pod", "job", "cronjob", "deployment", "statefulset", "daemonset", "replicaset"]
Changes = Literal["template", "revision"]


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Signal(_Record, frozen=True):
    """Something to recognise: a text (``in`` … ``capture``) or a fact (``fact`` … ``bind``).

    A text signal holds for a line or message that contains one of ``contains`` and all of ``with_``, none of
    ``without``, and matches ``regex`` where given. Letters' case, escaped quotes and runs of blanks do not count in
    the literals. ``capture`` binds names and may fail; ``regex`` binds names and must match.
    """

    channels: list[Channel] = msgspec.field(default_factory=list, name="in")
    contains: list[str] = msgspec.field(default_factory=list)
    with_: list[str] = msgspec.field(default_factory=list, name="with")
    without: list[str] = msgspec.field(default_factory=list)
    regex: str | None = None
    capture: list[str] = msgspec.field(default_factory=list)
    reason: list[str] = msgspec.field(default_factory=list)  # event reasons; an event must have one of them
    at_least: int = 1  # events: count; lines: how many lines
    healed: bool = False  # also count events of objects that are healthy again

    fact: str | None = None
    where: dict[str, Any] = msgspec.field(default_factory=dict)
    bind: dict[str, str] = msgspec.field(default_factory=dict)
    says: Text | None = None  # what the matched evidence means, printed beside it


class Step(_Record, frozen=True):
    """One command of a fix."""

    at: At
    run: str
    only: Text | None = None  # when the step does not always apply


class Verify(_Record, frozen=True):
    """The command that proves a repair, and what it must print."""

    at: At
    run: str
    expect: str


class Fix(_Record, frozen=True):
    """One way to mend it."""

    title: Text
    risk: Risk
    steps: list[Step]
    verify: Verify
    harm: Text | None = None  # required unless safe
    when: Text | None = None
    kinds: list[Kind] = msgspec.field(default_factory=list)  # of the diagnosed entity; empty: any
    changes: Changes | None = None  # what its commands change of a workload; see template_changes


class Look(_Record, frozen=True):
    """A command that settles what the evidence leaves open."""

    at: At
    run: str
    tells: Text


class LeadsTo(_Record, frozen=True):
    """An effect, written once, in the cause."""

    fault: str
    via: str = "self"  # a path of paths.PATHS


class NotThis(_Record, frozen=True):
    """A look-alike and the words that tell it apart: with them in the matched text the signal does not hold."""

    fault: str
    tell: str


class Hit(_Record, frozen=True):
    """Evidence on which the case must fire."""

    name: str
    channel: Channel | None = msgspec.field(default=None, name="in")
    text: str | None = None
    facts: list[dict[str, Any]] = msgspec.field(default_factory=list)  # {kind, entity: {…}, fields…}
    expect: dict[str, str] = msgspec.field(default_factory=dict)  # ``by`` (signal), ``status`` and bound names


class Miss(_Record, frozen=True):
    """Evidence on which the case must stay silent."""

    name: str
    channel: Channel | None = msgspec.field(default=None, name="in")
    text: str | None = None
    facts: list[dict[str, Any]] = msgspec.field(default_factory=list)


class Examples(_Record, frozen=True):
    """Every one is a test."""

    hit: list[Hit]
    miss: list[Miss]


class Reference(_Record, frozen=True):
    """Where a reader can check the case."""

    url: str
    tells: str


class Case(_Record, frozen=True):
    """One fault: how it is recognised, what it means, what it causes and how it is mended."""

    id: str
    entity: str
    status: Maturity
    title: Text
    what: Text
    why: Text
    signals: dict[str, Signal]
    match: str  # names of signals joined by and, or, not, ( )
    examples: Examples
    references: list[Reference]
    confirmed: str | None = None
    possible: str | None = None  # weaker than match: enough to mention
    severity: Severity = "error"
    symptom: bool = False
    look: list[Look] = msgspec.field(default_factory=list)
    leads_to: list[LeadsTo] = msgspec.field(default_factory=list)
    yields_to: list[str] = msgspec.field(default_factory=list)  # more exact faults that replace this one on the same entity
    instance: bool = False  # of this one pod, not of its template: reported on the pod, not lifted to its owner
    lasting: bool = False  # what it tells stays when its cause is over
    needs_effect: bool = False  # may be intended: heads a diagnosis only when something found suffers from it, or alone
    not_this: list[NotThis] = msgspec.field(default_factory=list)
    words: list[str] = msgspec.field(default_factory=list)  # further words `kubecause explain` finds it by
    fixes: list[Fix] = msgspec.field(default_factory=list)
