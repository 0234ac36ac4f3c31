"""The report for a ticket or a chat: GitHub-flavoured Markdown that no evidence can break.

Prose is escaped, evidence and commands stand in fences longer than any fence inside them (CommonMark, 2.4 and 4.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubecause.report.labels import Labels, closing, verdict
from kubecause.report.neutral import neutralise, one_line
from kubecause.report.view import DiagnosisView, EvidenceView, FixView, LinkView, LookView, Report
from kubecause.report.words import Words, counted

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&!$]")
_AT_START = re.compile(r"^(\d{1,9})?([-+=.)])")
_TICKS = re.compile("`+")


def to_markdown(report: Report, words: Words) -> str:
    """The whole report; ends with a line end."""
    return "\n\n".join(_Writer(report, words).blocks()) + "\n"


def escape(text: str) -> str:
    """Prose on one line that Markdown takes for nothing but words."""
    escaped = _SPECIAL.sub(lambda found: f"\\{found[0]}", one_line(text))
    return _AT_START.sub(r"\1\\\2", escaped)


def span(text: str) -> str:
    """Code within a line."""
    text = one_line(text)
    ticks = "`" * (_longest(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}" if text else ""


def fence(text: str, language: str = "text") -> str:
    """Code on lines of its own."""
    text = neutralise(text).rstrip("\n")
    ticks = "`" * max(3, _longest(text) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def _longest(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)


class _Writer:
    """Writes the blocks of one report, to be separated by empty lines."""

    def __init__(self, report: Report, words: Words) -> None:
        self._report = report
        self._words = words
        self._labels = Labels(report, words)

    def blocks(self) -> Iterator[str]:
        """Everything, causes first."""
        causes, symptoms = self._report.split()
        if said := verdict(self._report, self._words):
            yield escape(said)
        for each in causes:
            yield from self._diagnosis(each, "##")
        if symptoms:
            yield f"## {escape(self._words.symptoms)}"
            for each in symptoms:
                yield from self._diagnosis(each, "###")
        if self._report.gaps:
            yield f"## {escape(self._words.gaps)}"
            yield "\n".join(f"- {escape(self._labels.gap(each, request=True))}" for each in self._report.gaps)
        yield f"*{escape(closing(self._report, self._words))}*"

    def _diagnosis(self, found: DiagnosisView, level: str) -> Iterator[str]:
        words = self._words
        yield f"{level} {found.rank}. {escape(found.title)}"
        about = [words.status[found.status], words.severity[found.severity]]
        where = words.on.format(fault=span(found.fault), entity=escape(self._labels.entity(found.entity)))
        yield f"**{escape(words.list_mark.join(about))}** {where}"
        for label, text in ((words.what, found.what), (words.why, found.why)):
            if text:
                yield self._labelled(label, escape(text))
        if len(found.chain) > 1:
            yield f"**{escape(words.chain)}**"
            yield "\n".join(self._link(number, link) for number, link in enumerate(found.chain, 1))
        if found.affected:
            yield self._labelled(words.affected, escape(self._affected(found)))
        if found.changes:
            yield f"**{escape(words.changed_before)}**"
            yield "\n".join(f"- {escape(self._labels.moment(each) + words.colon + each.says)}" for each in found.changes)
        for proof in found.evidence:
            yield from self._proof(proof)
        for number, fix in enumerate(found.fixes, 1):
            yield from self._fix(fix, self._labels.fix(found.fixes, number))
        for look in found.look:
            yield from self._look(look)
        if found.references:
            yield f"**{escape(words.references)}**"
            yield "\n".join(f"- {escape(each.tells)}: <{_link(each.url)}>" for each in found.references)

    def _link(self, number: int, link: LinkView) -> str:
        return f"{number}. {span(link.fault)} {escape(self._labels.entity(link.entity))}"

    def _labelled(self, label: str, text: str) -> str:
        return f"**{escape(label)}**{self._words.colon}{text}"

    def _affected(self, found: DiagnosisView) -> str:
        names = [self._labels.entity(each) for each in found.affected]
        left = found.affected_count - len(names)
        return self._words.list_mark.join([*names, counted(self._words.more_affected, left)] if left else names)

    def _proof(self, proof: EvidenceView) -> Iterator[str]:
        says = self._words.colon + escape(proof.says) if proof.says else ""
        yield f"**{escape(self._words.proof)}** {span(self._labels.place(proof))}{says}"
        yield fence(proof.text)

    def _fix(self, fix: FixView, label: str) -> Iterator[str]:
        words = self._words
        yield self._labelled(label, f"{escape(fix.title)} **[{escape(words.risk[fix.risk])}]**")
        if fix.when:
            yield self._labelled(words.when, escape(fix.when))
        if fix.harm:
            yield self._labelled(words.harm, escape(fix.harm))
        for step in fix.steps:
            only = words.parens.format(f"{words.only}{words.colon}{step.only}") if step.only else ""
            yield escape(f"{self._labels.at(step.at)}{only}{words.colon.rstrip()}")
            yield fence(step.run, "sh")
        yield escape(f"{words.verify}{words.parens.format(self._labels.at(fix.verify.at))}{words.colon.rstrip()}")
        yield fence(fix.verify.run, "sh")
        yield f"{escape(words.expect)}{words.colon}{span(fix.verify.expect)}"

    def _look(self, look: LookView) -> Iterator[str]:
        place = self._words.parens.format(self._labels.at(look.at))
        yield self._labelled(f"{self._words.look}{place}", escape(look.tells))
        yield fence(look.run, "sh")


def _link(url: str) -> str:
    """An address that cannot leave its angle brackets."""
    return re.sub(r"[\s<>]", "", neutralise(url))
