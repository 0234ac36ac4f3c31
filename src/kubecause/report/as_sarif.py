"""The report as SARIF 2.1.0 (OASIS), for code scanning and CI dashboards: a fault is a rule, a diagnosis a result."""

from __future__ import annotations

from urllib.parse import quote

from kubecause import __version__
from kubecause.report.as_json import dump
from kubecause.report.labels import Labels
from kubecause.report.neutral import one_line
from kubecause.report.view import DiagnosisView, EntityView, EvidenceView, GapView, Report
from kubecause.report.words import Words

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_Object = dict[str, object]


def to_sarif(report: Report, words: Words, *, ascii_only: bool = False) -> str:
    """One run; gaps are notifications of the tool. Ends with a line end.

    :param ascii_only: for a stream that cannot carry Unicode.
    """
    labels = Labels(report, words)
    rules = {each.fault: each for each in report.diagnoses}
    ids = sorted(rules)
    run: _Object = {
        "tool": {"driver": {"name": "kubecause", "version": __version__, "rules": [_rule(rules[fault]) for fault in ids]}},
        "invocations": [
            {"executionSuccessful": True, "toolExecutionNotifications": [_note(each, labels) for each in report.gaps]}
        ],
        "results": [_result(each, ids.index(each.fault), labels) for each in report.diagnoses],
    }
    return dump({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ascii_only=ascii_only)


def _rule(found: DiagnosisView) -> _Object:
    rule: _Object = {
        "id": found.fault,
        "shortDescription": {"text": one_line(found.title)},
        "fullDescription": {"text": one_line(found.what) or one_line(found.title)},
        "help": {"text": one_line(found.why) or one_line(found.title)},
        "defaultConfiguration": {"level": _LEVELS[found.severity]},
    }
    links = [each.url for each in found.references if each.url.startswith(("https://", "http://"))]
    return rule | {"helpUri": links[0]} if links else rule


def _note(gap: GapView, labels: Labels) -> _Object:
    return {"level": "note", "message": {"text": labels.gap(gap, request=True)}}


def _result(found: DiagnosisView, rule: int, labels: Labels) -> _Object:
    places = [_location(each, found.entity) for each in found.evidence] or [{"logicalLocations": [_logical(found.entity)]}]
    said = " ".join(part for part in (f"{found.title} ({labels.entity(found.entity)}).", found.what) if part)
    return {
        "ruleId": found.fault,
        "ruleIndex": rule,
        "level": _LEVELS[found.severity],
        "message": {"text": one_line(said)},
        "locations": places[:1],  # where the result is shown; further ones would mean that all of them must be changed (3.27.12)
        "relatedLocations": places[1:],
        "properties": {"status": found.status, "confidence": found.confidence, "affectedCount": found.affected_count},
    }


def _location(proof: EvidenceView, entity: EntityView) -> _Object:
    physical: _Object = {"artifactLocation": {"uri": quote(proof.source, safe="/", errors="replace")}}
    if proof.line and proof.line > 0:
        physical["region"] = {"startLine": proof.line, "snippet": {"text": proof.text}}
    location: _Object = {"physicalLocation": physical, "logicalLocations": [_logical(entity)]}
    if proof.says:
        location["message"] = {"text": one_line(proof.says)}
    return location


def _logical(entity: EntityView) -> _Object:
    full = "/".join(part for part in (entity.cluster, entity.kind, entity.path) if part)
    logical: _Object = {"kind": entity.kind, "fullyQualifiedName": full}
    return {"name": entity.name} | logical if entity.name else logical
