"""The report on a terminal, in a pager or in a log file: the cause is the first thing to read.

``text`` shows what is needed to act and caps long lists; ``wide`` leaves nothing out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len

from kubecause.report.labels import Labels, closing, verdict
from kubecause.report.lines import shorten
from kubecause.report.neutral import one_line
from kubecause.report.page import ASCII, FAINT, STRONG, UNICODE, Page
from kubecause.report.view import DiagnosisView, EvidenceView, FixView, GapView, LinkView, LookView, Report
from kubecause.report.words import Words, counted

# What `text` shows before "and N more".
_BLOCKS, _HEADS = 5, 20  # diagnoses in full, then by their title
_WHAT, _WHY = 360, 270  # cells of prose
_QUOTED = 2  # lines of a piece of evidence
_CHANGES, _SAID = 2, 3  # what changed before, lines of each
_LEVELS, _SIBLINGS, _AFFECTED, _PROOFS, _FIXES, _LOOKS, _GAPS = 6, 3, 3, 3, 3, 4, 5

_DEEPEST = 8  # levels of a chain that are still indented
_SEVERITY_STYLE = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}
_RISK_STYLE = {"safe": "green", "disruptive": "yellow", "destructive": "bold red"}
_COMMAND, _PLACE = "bold cyan", "cyan"


def to_text(report: Report, words: Words, *, wide: bool, color: bool, width: int, unicode: bool) -> str:
    """The report as lines of text.

    :param width: cells a line; less than 60 counts as 60. Commands, and evidence in ``wide``, may be longer.
    :param unicode: whether box characters can be printed.
    """
    writer = _Writer(report, words, width=width, wide=wide, unicode=unicode)
    writer.report()
    return writer.page.print(color=color)


class _Writer:
    """Writes the blocks of one report on a page."""

    def __init__(self, report: Report, words: Words, *, width: int, wide: bool, unicode: bool) -> None:
        gutter = [
            words.what,
            words.why,
            words.chain,
            words.affected,
            words.changed,
            words.proof,
            f"{words.fix} 9",
            words.look,
            words.references,
        ]
        self.page = Page(width, UNICODE if unicode else ASCII, gutter)
        self._report = report
        self._words = words
        self._wide = wide
        self._labels = Labels(report, words)
        self._cut = False

    def report(self) -> None:
        """Everything, in the order in which it is needed."""
        causes, symptoms = self._report.split()
        if said := verdict(self._report, self._words):
            self.page.heading(said)
        self._diagnoses(causes)
        if symptoms:
            self.page.blank()
            self.page.heading(self._words.symptoms + self._words.colon.rstrip())
            self._diagnoses(symptoms)
        self._gaps(self._report.gaps)
        if self._wide and self._report.clear:
            self._list(self._words.clear + self._words.colon.rstrip(), [", ".join(self._report.clear)])
        self.page.blank()
        hint = self._words.wide_hint if self._cut else ""
        self.page.heading(closing(self._report, self._words) + hint, FAINT)

    def _most(self, most: int) -> int | None:
        return None if self._wide else most

    def _more(self, left: int, forms: tuple[str, str] | None = None, *, indent: int = 0) -> None:
        if left > 0:
            self._cut = self._cut or not self._wide
            self.page.row((counted(forms or self._words.more, left), FAINT), indent=indent)

    def _list(self, heading: str, items: list[str]) -> None:
        self.page.blank()
        self.page.heading(heading)
        for item in items:
            self.page.head("   - ", item, "")

    # --- diagnoses ----------------------------------------------------------------------------------------

    def _diagnoses(self, found: list[DiagnosisView]) -> None:
        for each in found[: self._most(_BLOCKS)]:
            self.page.blank()
            self._diagnosis(each)
        rest = [] if self._wide else found[_BLOCKS:]
        if rest:
            self._cut = True
            self.page.blank()
            self.page.heading(self._words.also + self._words.colon.rstrip())
            for each in rest[:_HEADS]:
                self._head(each)
            self._more(len(rest) - _HEADS)

    def _head(self, found: DiagnosisView) -> None:
        status = f"[{self._words.status[found.status]}]"
        title = f"{status} {one_line(found.title)}"
        self.page.head(f"{found.rank}. ", title, STRONG, lead=len(status), lead_style=_SEVERITY_STYLE[found.severity])
        where = self._words.on.format(fault=found.fault, entity=self._labels.entity(found.entity))
        if self._wide:
            where += self._words.parens.format(f"{self._words.confidence} {found.confidence:g}")
        self.page.head("   ", where, FAINT)

    def _diagnosis(self, found: DiagnosisView) -> None:
        self._head(found)
        self.page.blank()
        self.page.label(self._words.what)
        self.page.prose(found.what, most=self._most(-(-_WHAT // self.page.room())))
        self.page.label(self._words.why)
        self.page.prose(found.why, most=self._most(-(-_WHY // self.page.room())))
        self._chain(found)
        self._affected(found)
        self._changes(found)
        self._proofs(found)
        self._fixes(found.fixes)
        if self._wide or found.status != "confirmed" or not found.fixes:
            self._looks(found.look)
        if self._wide:
            self.page.label(self._words.references)
            for each in found.references:
                self.page.whole(each.url)
                self.page.prose(each.tells, indent=2)

    # --- chain --------------------------------------------------------------------------------------------

    def _chain(self, found: DiagnosisView) -> None:
        levels = [list(links) for _, links in groupby(found.chain, key=lambda link: link.fault)]
        if len(levels) < 2:
            return
        self.page.label(self._words.chain)
        hidden = range(0) if self._wide else range(_LEVELS - 1, len(levels) - 1)
        for depth, level in enumerate(levels):
            if depth not in hidden:
                last = depth == len(levels) - 1
                self._level(level, min(depth, _LEVELS - 1 if hidden else _DEEPEST), found.affected_count if last else 0)
            elif depth == hidden.start:
                self._more(len(hidden), indent=3 * min(depth, _DEEPEST))

    def _level(self, level: list[LinkView], depth: int, affected: int) -> None:
        drawn = self.page.symbols.last if depth else ""
        indent = cell_len(self.page.symbols.last) * max(depth - 1, 0)
        names = [self._labels.entity(link.entity) for link in level]
        count = self._words.parens.format(counted(self._words.affected_count, affected)) if affected > 1 else ""
        if cell_len(drawn + level[0].fault + names[0] + count) + 2 <= self.page.room(indent):
            self.page.row(drawn, level[0].fault, f"  {names[0]}", (count, STRONG), indent=indent)
        else:
            self.page.row(drawn, level[0].fault, indent=indent)
            self.page.prose(names[0] + count, indent=indent + cell_len(drawn) + 2)
        for name in names[1 : self._most(_SIBLINGS)]:
            self.page.row(name, indent=indent + cell_len(drawn) + 2)
        if not self._wide:
            self._more(len(names) - _SIBLINGS, indent=indent + cell_len(drawn) + 2)

    def _affected(self, found: DiagnosisView) -> None:
        """Who suffers, unless the chain has just named them all."""
        named = {found.entity, *(link.entity for link in found.chain)}
        if not found.affected or (len(found.affected) == found.affected_count and named.issuperset(found.affected)):
            return
        shown = found.affected[: self._most(_AFFECTED)]
        left = found.affected_count - len(shown)
        self.page.label(self._words.affected)
        for each in shown:
            self.page.row(self._labels.entity(each))
        self._more(left, self._words.more_affected)

    def _changes(self, found: DiagnosisView) -> None:
        """What changed shortly before, and how shortly."""
        changes = found.changes
        if changes:
            self.page.label(self._words.changed)
        for each in changes[: self._most(_CHANGES)]:
            self.page.prose(self._labels.moment(each), style=_PLACE)
            self.page.prose(each.says, indent=2, most=self._most(_SAID))
        if not self._wide:
            self._more(len(changes) - _CHANGES)

    # --- proof --------------------------------------------------------------------------------------------

    def _proofs(self, found: DiagnosisView) -> None:
        self.page.label(self._words.proof)
        if self._wide:
            for each in found.evidence:
                self._proof(each, 0, "")
            return
        about = f"{found.title} {found.what} {' '.join(each.path for each in (found.entity, *found.affected[:1]))}"
        alike: dict[str, list[EvidenceView]] = {}
        for each in found.evidence:
            alike.setdefault(one_line(each.text), []).append(each)
        for same in list(alike.values())[:_PROOFS]:
            self._proof(same[0], len(same) - 1, about)
        self._more(len(alike) - _PROOFS)

    def _proof(self, proof: EvidenceView, repeated: int, about: str) -> None:
        again = counted(self._words.places, repeated) if repeated else ""
        self.page.prose(self._labels.place(proof) + again, style=_PLACE)
        if self._wide:
            self.page.whole(proof.text, indent=2)
        else:
            room = self.page.room(2) * _QUOTED - 12  # lines break at blanks, so they are not all full
            self.page.prose(shorten(one_line(proof.text), room, about, self.page.symbols.left_out), indent=2)
        if proof.says:
            self.page.prose(self.page.symbols.means + proof.says, style=FAINT, indent=2)

    # --- what to do ---------------------------------------------------------------------------------------

    def _fixes(self, fixes: Sequence[FixView]) -> None:
        for number, fix in enumerate(fixes[: self._most(_FIXES)], 1):
            self.page.blank()
            self.page.label(self._labels.fix(fixes, number))
            self._fix(fix)
        if not self._wide:
            self._more(len(fixes) - _FIXES)

    def _fix(self, fix: FixView) -> None:
        words, page = self._words, self.page
        page.prose(f"{fix.title} [{words.risk[fix.risk]}]", style=_RISK_STYLE[fix.risk])
        if fix.when:
            page.prose(words.when + words.colon + fix.when)
        if fix.harm:
            page.prose(words.harm + words.colon + fix.harm)
        for step in fix.steps:
            self._command(step.at, step.run)
            if step.only:
                page.prose(words.only + words.colon + step.only, style=FAINT, indent=2)
        self._command(fix.verify.at, fix.verify.run, words.verify + words.colon)
        page.whole(fix.verify.expect, before=words.expect + words.colon)

    def _command(self, at: str, run: str, before: str = "") -> None:
        self.page.whole(run, before=f"{before}[{self._labels.at(at)}] ", style=_COMMAND)

    def _looks(self, looks: Sequence[LookView]) -> None:
        if not looks:
            return
        self.page.blank()
        self.page.label(self._words.look)
        for look in looks[: self._most(_LOOKS)]:
            self._command(look.at, look.run)
            self.page.prose(self.page.symbols.means + look.tells, style=FAINT, indent=2)
        if not self._wide:
            self._more(len(looks) - _LOOKS)

    # --- what was not seen --------------------------------------------------------------------------------

    def _gaps(self, gaps: list[GapView]) -> None:
        if not gaps:
            return
        shown = [self._labels.gap(each, request=self._wide) for each in gaps[: self._most(_GAPS)]]
        self._list(self._words.gaps + self._words.colon.rstrip(), shown)
        if not self._wide:
            self._more(len(gaps) - _GAPS)
