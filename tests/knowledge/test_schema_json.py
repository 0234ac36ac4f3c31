"""The JSON schema for editors, and the manual for authors, say what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest
from case_samples import SYMPTOM, TEXT, changed, written

from kubecause.facts.paths import PATHS
from kubecause.knowledge import lint, load_catalogue, load_folder, schema
from kubecause.knowledge.lint_signals import OPERATORS
from kubecause.knowledge.lint_texts import STANDARD_NAMES
from kubecause.knowledge.schema_json import case_schema, case_schema_text
from kubecause.knowledge.yaml_tree import read_text
from kubecause.model import Channel

DOCS = Path(__file__).parents[2] / "docs"


def test_the_schema_file_is_fresh() -> None:
    """docs/case.schema.json is what ``python -m kubecause.knowledge.schema_json`` prints."""
    assert (DOCS / "case.schema.json").read_text(encoding="utf-8") == case_schema_text()


@pytest.mark.parametrize("text", [TEXT, SYMPTOM], ids=["cause", "symptom"])
def test_the_schema_accepts_good_cases(text: str) -> None:
    """What the loader reads, one word for a list and plain numbers included, an editor accepts."""
    jsonschema.Draft202012Validator(case_schema()).validate(read_text(text).value)


@pytest.mark.parametrize(
    ("old", "new"),
    [("words:", "wrods:"), ("risk: safe", "risk: none"), ("match: said or down\n", ""), ("in: [client, paste]", "in: klient")],
)
def test_the_schema_refuses_mistakes(old: str, new: str) -> None:
    """An unknown key, a wrong word and a missing key are marked in the editor."""
    validator = jsonschema.Draft202012Validator(case_schema())

    assert not validator.is_valid(read_text(changed((old, new))).value)


def test_the_schema_is_a_valid_schema() -> None:
    """Editors can read it."""
    jsonschema.Draft202012Validator.check_schema(json.loads(case_schema_text()))


RECORDS = [
    schema.Case,
    schema.Signal,
    schema.Fix,
    schema.Step,
    schema.Verify,
    schema.Look,
    schema.LeadsTo,
    schema.NotThis,
    schema.Hit,
]


@pytest.mark.parametrize("record", RECORDS, ids=[record.__name__ for record in RECORDS])
def test_the_manual_explains_every_field(record: type[msgspec.Struct]) -> None:
    """No field of a case file is without a row in docs/cases.md."""
    manual = (DOCS / "cases.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`([a-z_]+)`", manual))

    assert set() == {field.encode_name for field in msgspec.structs.fields(record)} - explained


def test_the_manual_lists_channels_operators_paths_and_names() -> None:
    """The lists an author chooses from are complete and hold nothing else."""
    manual = (DOCS / "cases.md").read_text(encoding="utf-8")

    assert set(Channel) == rows(manual, "Channels")
    assert {f"|{operator}" for operator in OPERATORS} | {"(none)"} == rows(manual, "Operators")
    assert set(PATHS) == rows(manual, "Paths")
    assert {f"<{name}>" for name in STANDARD_NAMES} <= set(re.findall(r"<[a-z]+>", manual))


def test_the_cases_of_the_manual_are_good(tmp_path: Path) -> None:
    """The shortest good case of the manual passes lint as it stands."""
    manual = (DOCS / "cases.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(id: .*?)```", manual, re.DOTALL)

    folder = written(tmp_path, text, "kubelet/swap-enabled")

    assert lint(load_folder(folder), folder, load_catalogue(), PATHS) == []


def rows(manual: str, heading: str) -> set[str]:
    """The first cells of the table below a heading."""
    section = manual.split(f"### {heading}\n", 1)[1].split("\n#", 1)[0]
    return set(re.findall(r"^\| `([^`]+)`", section.replace("\\|", "|"), re.MULTILINE))
