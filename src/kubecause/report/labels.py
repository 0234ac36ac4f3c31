"""How things are named to a reader: entities, sources, counts; the same words in every output."""

from __future__ import annotations

from collections.abc import Sequence

from kubecause.report.changes import lead
from kubecause.report.neutral import one_line
from kubecause.report.view import ChangeView, EntityView, EvidenceView, FixView, GapView, Report
from kubecause.report.words import Words, counted

_FEW = 3  # faults that a gap may hide, named one by one


class Labels:
    """Names things of one report; the cluster is said only where the report holds more than one."""

    def __init__(self, report: Report, words: Words) -> None:
        entities = [each for found in report.diagnoses for each in (found.entity, *found.affected)]
        self._several = len({each.cluster for each in entities if each.cluster}) > 1
        self._words = words

    def entity(self, entity: EntityView) -> str:
        """``Pod shop/web-0``; a name the evidence does not hold is said to be unknown."""
        path = one_line(entity.path)
        if entity.name is None:
            named = self._words.unnamed.format(kind=entity.kind)
            label = f"{named} {path}" if path else named
        else:
            label = f"{entity.kind} {path}"
        if self._several and entity.cluster:
            return self._words.in_cluster.format(entity=label, cluster=one_line(entity.cluster))
        return label

    def place(self, evidence: EvidenceView) -> str:
        """``transcript.txt:812``, with how often and when where known."""
        place = one_line(evidence.place)
        known = [counted(self._words.seen, evidence.count)] if evidence.count and evidence.count > 1 else []
        known += [evidence.time] if evidence.time else []
        return place + self._words.parens.format(self._words.list_mark.join(known)) if known else place

    def moment(self, change: ChangeView) -> str:
        """When something changed, and how long before the first bad sign: ``2026-01-12T03:04:05Z (12 min before …)``."""
        return one_line(change.time) + self._words.parens.format(lead(change.lead, self._words))

    def at(self, at: str) -> str:
        """Where a command runs."""
        return self._words.at.get(at, at)

    def fix(self, fixes: Sequence[FixView], number: int) -> str:
        """``Fix``, with its number where there are several."""
        return f"{self._words.fix} {number}" if len(fixes) > 1 else self._words.fix

    def gap(self, gap: GapView, *, request: bool = False) -> str:
        """What was not seen, why, and what it may hide; ``request`` adds what was asked for."""
        said = one_line(f"{gap.what}{self._words.colon}{gap.why}")
        if request and (asked := " ".join(part for part in (gap.verb, gap.resource) if part)):
            said += self._words.parens.format(one_line(asked))
        return said + self._words.hides.format(one_line(self._hidden(gap.hides))) if gap.hides else said

    def _hidden(self, faults: Sequence[str]) -> str:
        """Few faults by their ids; of many, how many in which groups."""
        if len(faults) <= _FEW:
            return self._words.list_mark.join(faults)
        groups = dict.fromkeys(fault.partition("/")[0] for fault in faults)
        return counted(self._words.faults, len(faults)) + self._words.parens.format(self._words.list_mark.join(groups))


def closing(report: Report, words: Words) -> str:
    """One sentence: what was looked at and what came out."""
    causes, symptoms = report.split()
    confirmed = sum(each.status == "confirmed" for each in causes)
    parts: list[str] = []
    if causes:
        parts.append(counted(words.causes, len(causes)))
        if confirmed:
            parts[0] += words.parens.format(words.confirmed_of.format(n=confirmed))
    elif symptoms:
        parts.append(words.no_causes)
    parts += [counted(words.open_symptoms, len(symptoms))] if symptoms else []
    parts += [counted(words.ruled_out, len(report.clear))] if report.clear else []
    parts += [counted(words.not_seen, len(report.gaps))] if report.gaps else []
    if not parts:
        return words.closing_bare.format(source=source(report, words))
    return words.closing.format(source=source(report, words), found=words.list_mark.join(parts))


def source(report: Report, words: Words) -> str:
    """``capture case-17``."""
    kind = words.source.get(report.source.kind, report.source.kind)
    name = one_line(report.source.name)
    if name == "-":
        return words.standard_input
    return f"{kind} {name}" if name else kind


def verdict(report: Report, words: Words) -> str | None:
    """What to say before anything else when there is no cause to say it."""
    causes, symptoms = report.split()
    if causes:
        return None
    if symptoms:
        return words.no_cause
    if not report.gaps:
        return words.nothing
    return words.nothing_but_gaps if report.clear else words.nothing_seen
