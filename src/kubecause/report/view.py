"""The one object every output renders: the report of the public contract, in one language, with all texts filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from kubecause import model, text
from kubecause.knowledge import schema
from kubecause.knowledge.template_changes import fixes_for
from kubecause.later import Later
from kubecause.report.changes import sentence
from kubecause.report.words import words_of

MAX_AFFECTED = 20

# What may stand in a command without quotes: the names come from evidence, and the reader pastes the command into a
# shell. Anything else, and anything that could pass for an option or climb out of a folder, stays a ``<placeholder>``.
_SHELL_SAFE = re.compile(r"(?!-)(?!.*\.\.)[A-Za-z0-9_.:/@%+=,\[\]-]{1,512}")
_NAMED = {"Pod", "Service", "Ingress", "PersistentVolumeClaim", "PersistentVolume", "Node", "Namespace", *model.WORKLOAD_KINDS}


class _View(msgspec.Struct, frozen=True, rename="camel"):
    pass


class SourceView(_View, frozen=True, kw_only=True):
    """What was looked at."""

    kind: str
    name: str


class EntityView(_View, frozen=True, kw_only=True):
    """A thing a fault lives on; ``pod`` of a Container only, ``cluster`` where known, a missing name is null."""

    kind: str
    namespace: str | None = None
    pod: str | UnsetType | None = UNSET
    name: str | None = None
    cluster: str | UnsetType = UNSET

    @property
    def path(self) -> str:
        """``namespace/pod/name`` as far as known."""
        return "/".join(part for part in (self.namespace, self.pod, self.name) if part)


class LinkView(_View, frozen=True, kw_only=True):
    """A fault on an entity: a step of a chain, or an unexplained symptom."""

    fault: str
    entity: EntityView


class EvidenceView(_View, frozen=True, kw_only=True):
    """One line of a document or one field of an object, and what it means."""

    source: str
    line: int | UnsetType = UNSET
    field: str | UnsetType = UNSET
    text: str
    says: str | UnsetType = UNSET
    time: str | UnsetType = UNSET
    count: int | UnsetType = UNSET

    @property
    def place(self) -> str:
        """``transcript.txt:812`` or ``pods.json status.phase``."""
        if self.line:
            return f"{self.source}:{self.line}"
        return f"{self.source} {self.field}" if self.field else self.source


class DifferenceView(_View, frozen=True, kw_only=True):
    """A field in which two versions differ; null for a value that was not there, absent for one that is not shown."""

    field: str
    before: str | UnsetType | None = UNSET
    after: str | UnsetType | None = UNSET


class ChangeView(_View, frozen=True, kw_only=True):
    """What changed shortly before the first bad sign: in one word, then in a sentence; ``lead`` is in seconds."""

    what: str
    entity: EntityView
    time: str
    lead: int
    by: str | UnsetType = UNSET
    before: str | UnsetType = UNSET
    after: str | UnsetType = UNSET
    differences: list[DifferenceView] | UnsetType = UNSET
    says: str


class StepView(_View, frozen=True, kw_only=True):
    """One command of a fix; ``only`` when it does not always apply."""

    at: str
    run: str
    only: str | UnsetType = UNSET


class VerifyView(_View, frozen=True, kw_only=True):
    """The command that proves a repair, and what it must print."""

    at: str
    run: str
    expect: str


class FixView(_View, frozen=True, kw_only=True):
    """One way to mend it; ``when`` where it does not always apply."""

    title: str
    risk: schema.Risk
    harm: str | None = None
    when: str | UnsetType = UNSET
    steps: list[StepView]
    verify: VerifyView


class LookView(_View, frozen=True, kw_only=True):
    """A command that settles what is open."""

    at: str
    run: str
    tells: str


class ReferenceView(_View, frozen=True, kw_only=True):
    """Where a reader can check the case."""

    url: str
    tells: str


class GapView(_View, frozen=True, kw_only=True):
    """Evidence that was not looked at; the last three for refused requests."""

    what: str
    why: str
    verb: str | UnsetType = UNSET
    resource: str | UnsetType = UNSET
    hides: list[str] | UnsetType = UNSET


class DiagnosisView(_View, frozen=True, kw_only=True):
    """A cause, what it explains, what shows it and what mends it; of long reports only some are shown beyond their title."""

    rank: int
    fault: str
    title: str
    what: str
    why: str
    status: Literal["confirmed", "probable", "possible"]
    confidence: float
    severity: model.Severity
    entity: EntityView
    affected: list[EntityView]
    affected_count: int
    chain: list[LinkView]
    changes: Sequence[ChangeView] = ()
    evidence: Sequence[EvidenceView]
    fixes: Sequence[FixView]
    look: Sequence[LookView]
    references: list[ReferenceView]


class Report(_View, frozen=True, kw_only=True):
    """The whole report; its JSON form is the public contract."""

    api_version: str = "kubecause/v1"
    kind: str = "Report"
    source: SourceView
    diagnoses: list[DiagnosisView]
    symptoms: list[LinkView]
    clear: list[str]
    gaps: list[GapView]

    def split(self) -> tuple[list[DiagnosisView], list[DiagnosisView]]:
        """The causes, and the symptoms without a cause."""
        unexplained = {(link.fault, link.entity) for link in self.symptoms}
        causes = [each for each in self.diagnoses if (each.fault, each.entity) not in unexplained]
        return causes, [each for each in self.diagnoses if (each.fault, each.entity) in unexplained]

    def to_data(self) -> dict[str, object]:
        """The report as plain dicts and lists, in the order of the contract."""
        data: dict[str, Any] = msgspec.to_builtins(self, enc_hook=list)
        for each in data["diagnoses"]:
            if not each["changes"]:  # told only where there are some
                del each["changes"]
        return data


def build(result: model.Result, cases: Mapping[str, schema.Case], language: text.Language) -> Report:
    """Everything one run found out, ready to print.

    :param cases: case of every fault id; a fault without one is shown by its id alone.
    """
    return Report(
        source=SourceView(kind=result.source_kind, name=result.source_name),
        diagnoses=[
            _diagnosis(rank, each, cases.get(each.finding.fault), language) for rank, each in enumerate(result.diagnoses, 1)
        ],
        symptoms=[LinkView(fault=each.finding.fault, entity=_entity(each.entity)) for each in result.diagnoses if each.symptom],
        clear=sorted(set(result.clear)),
        gaps=[_gap(each) for each in result.gaps],
    )


def _diagnosis(rank: int, found: model.Diagnosis, case: schema.Case | None, language: text.Language) -> DiagnosisView:
    prose = _Filler(found.names, language)
    return DiagnosisView(
        rank=rank,
        fault=found.finding.fault,
        title=prose(case.title) if case else found.finding.fault,
        what=prose(case.what) if case else "",
        why=prose(case.why) if case else "",
        status=found.status.value,
        confidence=round(found.confidence, 4),
        severity=case.severity if case else "error",
        entity=_entity(found.entity),
        affected=[_entity(each) for each in found.affected[:MAX_AFFECTED]],
        affected_count=len(found.affected),
        chain=[LinkView(fault=each.fault, entity=_entity(each.entity)) for each in found.chain],
        changes=Later(lambda: [_change(each, language) for each in found.changes]),
        evidence=Later(lambda: [_evidence(each, found.finding, case, prose) for each in found.proofs]),
        fixes=Later(lambda: _fixes(found, case, prose)),
        look=Later(lambda: _looks(found, case, prose, language)),
        references=[ReferenceView(url=each.url, tells=each.tells) for each in case.references] if case else [],
    )


class _Filler:
    """Fills texts from the names of one diagnosis."""

    def __init__(self, names: Mapping[str, str], language: text.Language) -> None:
        self._names = names
        self._safe = {name: value for name, value in names.items() if _SHELL_SAFE.fullmatch(value)}
        self._language = language

    def __call__(self, texts: text.Text) -> str:
        return text.fill(texts.to(self._language), self._names).strip()

    def output(self, printed: str) -> str:
        """What a command prints."""
        return text.fill(printed, self._names)

    def command(self, run: str) -> str:
        """A command: only names that mean nothing to a shell go in."""
        return text.fill(run, self._safe).strip()


def _entity(entity: model.Entity) -> EntityView:
    return EntityView(
        kind=entity.kind,
        namespace=entity.namespace,
        pod=entity.pod if entity.kind == "Container" else UNSET,
        name=entity.name,
        cluster=entity.cluster or UNSET,
    )


def _fixes(found: model.Diagnosis, case: schema.Case | None, prose: _Filler) -> list[FixView]:
    return [_fix(each, prose) for each in fixes_for(found.entity.kind, case.fixes)] if case and not found.symptom else []


def _looks(found: model.Diagnosis, case: schema.Case | None, prose: _Filler, language: text.Language) -> list[LookView]:
    look = [_look(each, prose) for each in case.look] if case else []
    return look or ([_first_look(found.entity, language)] if found.symptom else [])


def _fix(fix: schema.Fix, prose: _Filler) -> FixView:
    return FixView(
        title=prose(fix.title),
        risk=fix.risk,
        harm=prose(fix.harm) if fix.harm else None,
        when=prose(fix.when) if fix.when else UNSET,
        steps=[_step(each, prose) for each in fix.steps],
        verify=VerifyView(at=fix.verify.at, run=prose.command(fix.verify.run), expect=prose.output(fix.verify.expect)),
    )


def _step(step: schema.Step, prose: _Filler) -> StepView:
    return StepView(at=step.at, run=prose.command(step.run), only=prose(step.only) if step.only else UNSET)


def _look(look: schema.Look, prose: _Filler) -> LookView:
    return LookView(at=look.at, run=prose.command(look.run), tells=prose(look.tells))


def _first_look(entity: model.Entity, language: text.Language) -> LookView:
    """Where to start with a symptom whose case names no command."""
    kind, name = ("Pod", entity.pod) if entity.kind == "Container" else (entity.kind, entity.name)
    words = words_of(language)
    if kind not in _NAMED or not name or not all(_SHELL_SAFE.fullmatch(part) for part in (name, entity.namespace or "default")):
        run = "kubectl get events -A --field-selector type=Warning --sort-by=.lastTimestamp"
        return LookView(at="client", run=run, tells=words.warnings)
    within = f" -n {entity.namespace}" if entity.namespace else ""
    return LookView(at="client", run=f"kubectl describe {kind.lower()} {name}{within}", tells=words.describe)


def _gap(gap: model.Gap) -> GapView:
    return GapView(
        what=gap.what,
        why=gap.why,
        verb=gap.verb or UNSET,
        resource=gap.resource or UNSET,
        hides=list(gap.hides) or UNSET,
    )


def _evidence(proof: model.Proof, finding: model.Finding, case: schema.Case | None, prose: _Filler) -> EvidenceView:
    says = _says(proof, finding, case) if case else None
    return EvidenceView(
        source=proof.source,
        line=UNSET if proof.line is None else proof.line,
        field=UNSET if proof.field is None else proof.field,
        text=proof.text,
        says=prose(says) if says else UNSET,
        time=_moment(proof.time) if proof.time else UNSET,
        count=UNSET if proof.count is None else proof.count,
    )


def _change(change: model.Change, language: text.Language) -> ChangeView:
    differences = [
        DifferenceView(field=each.field)
        if each.hidden
        else DifferenceView(field=each.field, before=each.before, after=each.after)
        for each in change.differences
    ]
    return ChangeView(
        what=change.what,
        entity=_entity(change.entity),
        time=_moment(change.time),
        lead=int(change.lead),
        by=change.by or UNSET,
        before=change.before or UNSET,
        after=change.after or UNSET,
        differences=differences or UNSET,
        says=sentence(change, words_of(language)),
    )


def _moment(when: datetime) -> str:
    """RFC 3339 with ``Z`` for UTC; a time without a zone stays without one."""
    written = when.isoformat()
    return written.removesuffix("+00:00") + "Z" if when.utcoffset() == timedelta(0) else written


def _says(proof: model.Proof, finding: model.Finding, case: schema.Case) -> text.Text | None:
    """What the signal that matched this proof says; nothing when that cannot be told for sure."""
    held = [case.signals[name] for name in finding.signals if name in case.signals]
    kinds = {fact.kind for fact in finding.facts if proof in fact.proofs}
    folded = _fold(proof.text)
    matching = [each for each in held if (each.fact in kinds if each.fact else _holds(each, folded))]
    said = {each.says for each in matching}
    return said.pop() if len(said) == 1 else None


def _holds(signal: schema.Signal, folded: str) -> bool:
    return (
        any(_fold(each) in folded for each in signal.contains)
        and all(_fold(each) in folded for each in signal.with_)
        and not _any_in(signal.without, folded)
    )


def _any_in(literals: Iterable[str], folded: str) -> bool:
    return any(_fold(each) in folded for each in literals)


def _fold(written: str) -> str:
    """Letters' case, escaped quotes and runs of blanks do not count (see :class:`schema.Signal`)."""
    return " ".join(written.replace('\\"', '"').casefold().split())
