"""``kubecause cases``: what authors of case files do, on the cases kubecause ships or on a folder of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from kubecause.errors import KnowledgeError, UsageError
from kubecause.facts.paths import PATHS
from kubecause.knowledge import scaffold
from kubecause.knowledge.cache import CASES, load_cases
from kubecause.knowledge.catalogue import load_catalogue
from kubecause.knowledge.lint import lint
from kubecause.knowledge.loader import load_folder
from kubecause.knowledge.schema import Case
from kubecause.report.as_json import dump
from kubecause.text import Language

_LISTED = ("id", "entity", "status", "severity", "symptom")


class Checked(msgspec.Struct, frozen=True):
    """What a check of case files printed, and whether it failed."""

    lines: Sequence[str]
    failed: bool


def list_cases(folder: Path | None, output: str, language: Language) -> str:
    """Every case in the order of the ids: a table, or the same as JSON.

    :raises KnowledgeError: when the case files cannot be read.
    """
    cases = load_cases(folder or CASES).cases.values()
    if output == "json":
        items = [{**{name: getattr(each, name) for name in _LISTED}, "title": each.title.to(language)} for each in cases]
        return dump({"apiVersion": "kubecause/v1", "kind": "CaseList", "items": items})
    rows = [(each.id, each.entity, each.status, each.title.to(language)) for each in cases]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return "\n".join("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows)


def lint_cases(folder: Path | None) -> Checked:
    """Every mistake in the case files, one ``path:line: message`` each; warnings alone do not fail."""
    place = folder or CASES
    try:
        cases = load_folder(place)
    except KnowledgeError as error:
        return Checked(error.problems, failed=True)
    issues = lint(cases, place, load_catalogue(), PATHS)
    return Checked([str(issue) for issue in issues], failed=any(issue.severity == "error" for issue in issues))


def check_examples(ids: Sequence[str], folder: Path | None) -> Checked:
    """Run the examples of the cases named (none: of all); one line a failure, and a last line that counts.

    :raises UsageError: for an id that no case has.
    :raises KnowledgeError: when the case files cannot be read.
    """
    cases = load_cases(folder or CASES).cases
    unknown = [fault for fault in ids if fault not in cases]
    if unknown:
        raise UsageError(f"no case {unknown[0]} in {folder or CASES}; `kubecause cases list` names them all")
    chosen: Mapping[str, Case] = {fault: cases[fault] for fault in ids} if ids else cases
    from kubecause.examples import run_examples  # brings in the matcher, which the other actions do without

    failures = run_examples(chosen)
    examples = sum(len(case.examples.hit) + len(case.examples.miss) for case in chosen.values())
    return Checked([*failures, f"{len(chosen)} cases, {examples} examples, {len(failures)} failures"], failed=bool(failures))


def new_case(fault: str, folder: Path | None) -> str:
    """Write ``GROUP/FAULT.yaml`` with every field to fill in; `cases lint` names what is still empty.

    :returns: the path of the file.
    :raises UsageError: for an id the catalogue does not list, an existing file, or a folder that cannot be written.
    """
    if folder is None and {"site-packages", "dist-packages"} & set(CASES.parts):
        raise UsageError("an installed copy is replaced by its next version; name a folder of your own with --folder DIR")
    return str(scaffold.new_case(fault, folder or CASES))
