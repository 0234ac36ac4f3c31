"""Case files are read strictly, and every mistake is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_samples import ID, TEXT, changed, written

from kubecause.errors import KnowledgeError
from kubecause.knowledge import load_folder
from kubecause.knowledge.loader import CASES, load_file
from kubecause.knowledge.yaml_tree import MAX_BYTES
from kubecause.model import Channel


def problems(folder: Path, text: str, fault: str = ID) -> list[str]:
    """What the loader says of one file, without the folder's name."""
    with pytest.raises(KnowledgeError) as raised:
        load_folder(written(folder, text, fault))
    return [problem.removeprefix(f"{folder}/") for problem in raised.value.problems]


def test_a_case_is_read_with_its_types(tmp_path: Path) -> None:
    """The file becomes a typed record, keyed by its id."""
    case = load_folder(written(tmp_path))[ID]

    assert [Channel.CLIENT, Channel.PASTE] == case.signals["said"].channels
    assert case.signals["down"].where == {"unit": "kubelet", "active|in": ["inactive", "failed"]}
    assert case.fixes[1].risk == "disruptive"


def test_one_word_stands_for_a_list_of_one(tmp_path: Path) -> None:
    """List fields of words take a single word."""
    text = changed(("in: [client, paste]", "in: client\n    with: kubelet\n    without: cups\n    reason: Failed"))
    signal = load_folder(written(tmp_path, changed(("match:", "yields_to: node/not-ready\nmatch:"), text=text)))[ID].signals[
        "said"
    ]

    assert ["Unit kubelet.service entered failed state"] == signal.contains
    assert ([Channel.CLIENT], ["kubelet"], ["cups"], ["Failed"]) == (signal.channels, signal.with_, signal.without, signal.reason)


def test_expected_values_are_text(tmp_path: Path) -> None:
    """A number that a signal is expected to bind needs no quotes."""
    assert load_folder(written(tmp_path))[ID].examples.hit[0].expect["code"] == "255"


def test_numbers_keep_their_type_in_facts(tmp_path: Path) -> None:
    """Values of where and of facts are numbers, truth values or words, as YAML 1.2 reads them."""
    text = changed(
        (
            "unit: kubelet, active|in: [inactive, failed]",
            "unit: 0644, a: 1.5, b: true, c: -3, d: 12:30, e: 2026-01-01, f: 1e3, g: '7'",
        )
    )

    where = load_folder(written(tmp_path, text))[ID].signals["down"].where

    assert where == {"unit": 644, "a": 1.5, "b": True, "c": -3, "d": "12:30", "e": "2026-01-01", "f": "1e3", "g": "7"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "status: tested",
            "status: tested\nentity: pod",
            "kubelet/not-running.yaml:4: `entity` is written twice, first in line 2",
        ),
        ("status: tested", "statuss: tested", "kubelet/not-running.yaml:3: unknown key `statuss`; did you mean `status`?"),
        ("words: [systemctl]", "words: [systemctl]\non: x", "kubelet/not-running.yaml:10: `on` is read as true or false"),
        ("words: [systemctl]", "words: [yes]", "kubelet/not-running.yaml:9: `yes` is read as true or false by many programs"),
        (
            "id: kubelet/not-running",
            "id: kubelet/hung",
            "kubelet/not-running.yaml:1: id is kubelet/hung, but the path says kubelet/not",
        ),
        ("risk: safe", "risk: harmless", "kubelet/not-running.yaml:27: fixes[0].risk: 'harmless' is not one of safe, disruptive"),
        ("in: [client, paste]", "in: [klient]", "kubelet/not-running.yaml:12: signals.said.in[0]: 'klient' is not one of event,"),
        ("expect: active}\n  - title", "expect: }\n  - title", "kubelet/not-running.yaml:29: fixes[0].verify.expect is empty"),
        (
            "verify: {at: node, ",
            "verify: {at: nowhere, ",
            "kubelet/not-running.yaml:29: fixes[0].verify.at: 'nowhere' is not one of",
        ),
        ("match: said or down\n", "", "kubelet/not-running.yaml:1: the case lacks `match`"),
        (
            "bind: {state: active}",
            "bind: [state]",
            "kubelet/not-running.yaml:18: signals.down.bind must be a mapping; it is a list",
        ),
        ("words: [systemctl]", "words: ['a', b: c]", "kubelet/not-running.yaml:9: words[1]: `: ` makes a mapping of this text"),
        ("leads_to:\n", "leads_to: none\nx:\n", "kubelet/not-running.yaml:23: leads_to must be a list; it is 'none'"),
        (
            "title: {en: Start it, zh: 启动它}",
            "title: start",
            "kubelet/not-running.yaml:26: must have the keys en, zh; it is 'start'",
        ),
        ("Start it,", "Start it, now or later,", "kubelet/not-running.yaml:26: unknown key `now or later`; a comma ends a text"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    """Each kind of mistake gives the line of the offending key and what to do."""
    found = problems(tmp_path, changed((old, new)))

    assert any(problem.startswith(expected) for problem in found), found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id: [a\n", "is not YAML"),
        ("a: &x 1\nb: *x\n", "anchors and aliases are not allowed"),
        ("a: !!python/object:os.system x\n", "tags are not allowed"),
        ("a: 1\n---\nb: 2\n", "a second document"),
        ("? [a]\n: 1\n", "a key must be a word"),
        ("1: a\n", "the key `1` is not read as a word"),
        ("[" * 100_000, "nested deeper than"),
        ("a: " + "x" * MAX_BYTES, "larger than"),
        ("", "it is empty"),
        ("a: \x00\n", "is not YAML"),
    ],
)
def test_hostile_files_become_problems(tmp_path: Path, text: str, expected: str) -> None:
    """Whatever a file holds, the answer is a line that says what is wrong."""
    assert any(expected in problem for problem in problems(tmp_path, text))


def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    """Bytes that are no text are a mistake of their line."""
    written(tmp_path)
    (tmp_path / f"{ID}.yaml").write_bytes(b"id: a\nentity: \xff\n")

    with pytest.raises(KnowledgeError) as raised:
        load_folder(tmp_path)

    assert [f"{tmp_path}/{ID}.yaml:2: is not UTF-8"] == raised.value.problems


def test_all_mistakes_of_all_files_come_at_once(tmp_path: Path) -> None:
    """Two mistakes in one file and one in another are three lines, in the order of files and lines."""
    written(tmp_path, changed(("entity: node", "entity: 7"), ("risk: safe", "risk: none")))
    (tmp_path / "kubelet" / "old.yml").write_text(TEXT, encoding="utf-8")
    found = problems(
        tmp_path, changed(("id: kubelet/not-running", "id: pod/evicted"), ("status: tested", "status: new")), "pod/evicted"
    )

    assert [
        "kubelet/not-running.yaml:2: entity: Expected `str`, got `int`; put it in quotes",
        "kubelet/not-running.yaml:27: fixes[0].risk: 'none' is not one of safe, disruptive, destructive",
        "kubelet/old.yml:1: name it old.yaml; .yml files are not read",
        "pod/evicted.yaml:3: status: 'new' is not one of draft, tested, proven, retired",
    ] == found


def test_a_case_lies_two_folders_deep(tmp_path: Path) -> None:
    """A file outside <group>/<fault>.yaml is refused."""
    assert ["a/b/c.yaml:1: must lie in <group>/<fault>.yaml"] == problems(tmp_path, TEXT, "a/b/c")


def test_a_missing_folder_is_a_knowledge_error(tmp_path: Path) -> None:
    """No folder is an error that says so, not an empty knowledge base."""
    with pytest.raises(KnowledgeError, match="no such folder"):
        load_folder(tmp_path / "none")


def test_the_example_case_of_the_package_loads() -> None:
    """The case that the manual starts from is a valid one."""
    case, found = load_file(CASES / "cni" / "bridge-address-conflict.yaml", CASES)

    assert [] == found
    assert case is not None
    assert case.id == "cni/bridge-address-conflict"
