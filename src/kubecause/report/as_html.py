"""The report as one static page: no script, nothing loaded from elsewhere, every text escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape as escape_html

from kubecause.report.labels import Labels, closing, verdict
from kubecause.report.neutral import neutralise, one_line
from kubecause.report.view import DiagnosisView, EvidenceView, FixView, LookView, Report, StepView
from kubecause.report.words import Words, counted

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --faint: #57606a; --paper: #fff; --box: #f4f6f8; --line: #d5dae0;
  --error: #b42318; --warning: #8a5300; --info: #0b6bcb; --safe: #1a7f37 }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --faint: #9aa5b1; --paper: #14181d; --box: #1e242b; --line: #38414b;
  --error: #ff8478; --warning: #f0b35a; --info: #7db8ff; --safe: #6fd08c } }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif }
article { border: 1px solid var(--line); border-left: 4px solid var(--info); border-radius: 6px; padding: .2rem 1.2rem 1rem;
  margin: 1rem 0 }
article.error { border-left-color: var(--error) } article.warning { border-left-color: var(--warning) }
h2 { font-size: 1.25rem; margin: .8rem 0 .2rem } h3 { font-size: 1rem; margin: 1rem 0 .2rem } p { margin: .3rem 0 }
.error .status, .destructive { color: var(--error) } .warning .status, .disruptive { color: var(--warning) }
.info .status { color: var(--info) } .safe { color: var(--safe) } .faint, figcaption { color: var(--faint) }
pre { background: var(--box); border-radius: 4px; padding: .5rem .7rem; margin: .3rem 0; white-space: pre-wrap;
  overflow-wrap: anywhere }
code, pre { font: .87rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace } figure { margin: .5rem 0 } ul, ol { margin: .3rem 0 }
""".strip()


def to_html(report: Report, words: Words) -> str:
    """A whole HTML5 document; ends with a line end."""
    return "\n".join(_Writer(report, words).lines()) + "\n"


def _text(text: str) -> str:
    return escape_html(one_line(text), quote=True)


def _pre(text: str) -> str:
    # A line end right after the tag would be swallowed (HTML, 13.1.2.5), so one is always there to be.
    return f"<pre>\n{escape_html(neutralise(text).rstrip(chr(10)), quote=True)}</pre>"


def _tag(name: str, text: str, kind: str = "") -> str:
    return f'<{name} class="{kind}">{_text(text)}</{name}>' if kind else f"<{name}>{_text(text)}</{name}>"


class _Writer:
    """Writes one report."""

    def __init__(self, report: Report, words: Words) -> None:
        self._report = report
        self._words = words
        self._labels = Labels(report, words)

    def lines(self) -> Iterator[str]:
        """The document, line by line."""
        causes, symptoms = self._report.split()
        yield f'<!DOCTYPE html>\n<html lang="{self._words.lang}">\n<head>\n<meta charset="utf-8">'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
        yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        yield _tag("title", causes[0].title if causes else self._words.title)
        yield f"<style>\n{_STYLE}\n</style>\n</head>\n<body>"
        if said := verdict(self._report, self._words):
            yield _tag("p", said)
        for each in causes:
            yield from self._diagnosis(each)
        if symptoms:
            yield _tag("h2", self._words.symptoms)
            for each in symptoms:
                yield from self._diagnosis(each)
        yield from self._gaps()
        if self._report.clear:
            yield f"<details><summary>{_text(self._words.clear)}</summary>"
            yield from self._list(self._report.clear)
            yield "</details>"
        yield _tag("p", closing(self._report, self._words), "faint")
        yield "</body>\n</html>"

    def _list(self, items: list[str], tag: str = "ul") -> Iterator[str]:
        yield f"<{tag}>"
        for item in items:
            yield _tag("li", item)
        yield f"</{tag}>"

    def _diagnosis(self, found: DiagnosisView) -> Iterator[str]:
        words = self._words
        yield f'<article class="{found.severity}">'
        yield f"<h2>{found.rank}. {_tag('span', f'[{words.status[found.status]}]', 'status')} {_text(found.title)}</h2>"
        yield _tag("p", words.on.format(fault=found.fault, entity=self._labels.entity(found.entity)), "faint")
        for label, text in ((words.what, found.what), (words.why, found.why)):
            if text:
                yield _tag("h3", label)
                yield _tag("p", text)
        if len(found.chain) > 1:
            yield _tag("h3", words.chain)
            yield from self._list([f"{each.fault} {self._labels.entity(each.entity)}" for each in found.chain], "ol")
        if found.affected:
            left = found.affected_count - len(found.affected)
            yield _tag("h3", f"{words.affected}{words.parens.format(found.affected_count)}")
            names = [self._labels.entity(each) for each in found.affected]
            yield from self._list([*names, counted(words.more_affected, left)] if left else names)
        if found.changes:
            yield _tag("h3", words.changed_before)
            yield from self._list([self._labels.moment(each) + words.colon + each.says for each in found.changes])
        if found.evidence:
            yield _tag("h3", words.proof)
            for proof in found.evidence:
                yield from self._proof(proof)
        for number, fix in enumerate(found.fixes, 1):
            yield from self._fix(fix, self._labels.fix(found.fixes, number))
        if found.look:
            yield _tag("h3", words.look)
            for look in found.look:
                yield from self._look(look)
        yield from self._references(found)
        yield "</article>"

    def _proof(self, proof: EvidenceView) -> Iterator[str]:
        says = f"{self._words.colon}{proof.says}" if proof.says else ""
        yield f"<figure>{_tag('figcaption', self._labels.place(proof) + says)}"
        yield f"{_pre(proof.text)}</figure>"

    def _fix(self, fix: FixView, label: str) -> Iterator[str]:
        words = self._words
        yield f"<h3>{_text(label + words.colon + fix.title)} {_tag('span', f'[{words.risk[fix.risk]}]', fix.risk)}</h3>"
        for named, text in ((words.when, fix.when), (words.harm, fix.harm)):
            if text:
                yield _tag("p", named + words.colon + text)
        for step in fix.steps:
            yield from self._step(step)
        yield _tag("p", words.verify + words.parens.format(self._labels.at(fix.verify.at)) + words.colon)
        yield _pre(fix.verify.run)
        yield f"<p>{_text(words.expect + words.colon)} {_tag('code', fix.verify.expect)}</p>"

    def _step(self, step: StepView) -> Iterator[str]:
        only = self._words.parens.format(f"{self._words.only}{self._words.colon}{step.only}") if step.only else ""
        yield _tag("p", self._labels.at(step.at) + only + self._words.colon, "faint")
        yield _pre(step.run)

    def _look(self, look: LookView) -> Iterator[str]:
        yield _tag("p", f"{self._labels.at(look.at)}{self._words.colon}{look.tells}", "faint")
        yield _pre(look.run)

    def _references(self, found: DiagnosisView) -> Iterator[str]:
        if not found.references:
            return
        yield _tag("h3", self._words.references)
        yield "<ul>"
        for each in found.references:
            address = escape_html(one_line(each.url), quote=True)
            if address.startswith(("https://", "http://")):  # no other scheme becomes a link
                yield f'<li><a href="{address}" rel="noreferrer">{address}</a> {_text(each.tells)}</li>'
            else:
                yield _tag("li", f"{each.url} {each.tells}")
        yield "</ul>"

    def _gaps(self) -> Iterator[str]:
        if self._report.gaps:
            yield _tag("h2", self._words.gaps)
            yield from self._list([self._labels.gap(each, request=True) for each in self._report.gaps])
