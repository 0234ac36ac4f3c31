"""The report as JUnit XML, for CI: a diagnosis is a failed test, a fault that was ruled out a passed one.

The format is the one Jenkins and GitLab read; it has no standard body.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape as escape_html

from kubecause.report.labels import Labels, source
from kubecause.report.neutral import neutralise, one_line
from kubecause.report.view import DiagnosisView, Report
from kubecause.report.words import Words


def to_junit(report: Report, words: Words) -> str:
    """One suite; what was not seen stands in its ``system-out``. Ends with a line end."""
    return "\n".join(_lines(report, words)) + "\n"


def _attribute(text: str) -> str:
    return escape_html(one_line(text), quote=True)


def _content(text: str) -> str:
    return escape_html(neutralise(text), quote=True)


def _lines(report: Report, words: Words) -> Iterator[str]:
    labels = Labels(report, words)
    failures = len(report.diagnoses)
    counts = f'tests="{failures + len(report.clear)}" failures="{failures}" errors="0" skipped="0"'
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites name="kubecause" {counts}>'
    yield f'  <testsuite name="{_attribute(source(report, words))}" {counts}>'
    for each in report.diagnoses:
        yield from _failed(each, labels, words)
    for fault in report.clear:
        yield f'    <testcase classname="{_group(fault)}" name="{_attribute(fault)}"/>'
    if report.gaps:
        said = "\n".join(labels.gap(each, request=True) for each in report.gaps)
        yield f"    <system-out>{_content(words.gaps + words.colon.rstrip())}\n{_content(said)}</system-out>"
    yield "  </testsuite>"
    yield "</testsuites>"


def _failed(found: DiagnosisView, labels: Labels, words: Words) -> Iterator[str]:
    name = words.on.format(fault=found.fault, entity=labels.entity(found.entity))
    yield f'    <testcase classname="{_group(found.fault)}" name="{_attribute(name)}">'
    title = _attribute(f"[{words.status[found.status]}] {found.title}")
    details = _content(_details(found, labels, words))
    yield f'      <failure type="{found.severity}" message="{title}">{details}</failure>'
    yield "    </testcase>"


def _group(fault: str) -> str:
    """``scheduling`` of ``scheduling/node-cordoned``, under the name of the tool as a package."""
    return _attribute(f"kubecause.{fault.partition('/')[0]}")


def _details(found: DiagnosisView, labels: Labels, words: Words) -> str:
    lines = [found.what, *(f"{labels.place(each)}{words.colon}{one_line(each.text)}" for each in found.evidence)]
    for fix in found.fixes:
        lines.append(f"{words.fix}{words.colon}{fix.title} [{words.risk[fix.risk]}]")
        lines += [f"  [{labels.at(step.at)}] {step.run}" for step in fix.steps]
    lines += [f"{words.look}{words.colon}[{labels.at(each.at)}] {each.run}" for each in found.look]
    return "\n".join(lines)
