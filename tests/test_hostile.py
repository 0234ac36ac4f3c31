"""Hostile and broken input: no traceback, bounded work, nothing invented."""

import io
import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubecause import cli
from kubecause.evidence.files import RawText
from kubecause.evidence.targets import documents_of
from kubecause.facts import Extraction
from kubecause.knowledge import load_cases
from kubecause.match import LITERALS, SignalIndex
from kubecause.pipeline import diagnose_path

SAMPLES = sorted((Path(__file__).parent / "samples").rglob("*.txt"))
TEXTS = [path.read_text(encoding="utf-8", errors="replace") for path in SAMPLES]
TEXTS.append((Path(__file__).parents[1] / "examples" / "broken-cluster" / "transcript.txt").read_text())
INDEX = SignalIndex(load_cases().cases.values(), LITERALS)


def extract(text: str) -> None:
    """Run a text through documents and facts."""
    extraction = Extraction(INDEX.filter)
    for document in documents_of(RawText("sample.txt", text.split("\n"), 1, last=True)):
        extraction.read(document)
    extraction.finish()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(TEXTS) - 1), st.randoms(use_true_random=False))
def test_any_cut_shuffle_or_garbling_of_a_sample_is_read_without_an_error(number: int, rnd: random.Random) -> None:
    """Parsers survive what people and pagers do to texts."""
    lines = TEXTS[number].split("\n")
    kind = rnd.randrange(4)
    if kind == 0:
        start = rnd.randrange(len(lines))
        lines = lines[start : start + rnd.randrange(1, 200)]
    elif kind == 1:
        rnd.shuffle(lines)
    elif kind == 2:
        lines = [line[: rnd.randrange(len(line) + 1)] for line in lines]
    else:
        lines = [
            "".join(rnd.choice("\x00\u4e2d:{}[]()\"' \t<>%&*#-") if rnd.random() < 0.05 else c for c in line) for line in lines
        ]

    extract("\n".join(lines))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=2000))
def test_any_text_at_all_is_read_without_an_error(text: str) -> None:
    """Random text is text."""
    extract(text)


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    code = cli.main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_empty_file_is_nothing_to_look_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty file ends with code 4 and no diagnosis."""
    path = tmp_path / "empty.txt"
    path.write_text("")

    code, _, err = run(["read", str(path), "-o", "json"], capsys)

    assert (4, False) == (code, "Traceback" in err)


def test_binary_file_is_a_gap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A binary file ends with code 4 and says why."""
    path = tmp_path / "core"
    path.write_bytes(bytes(range(256)) * 400)

    code, out, err = run(["read", str(path), "-o", "json"], capsys)

    assert (4, True, False) == (code, "binary" in out + err, "Traceback" in err)


def test_yaml_bomb_is_a_gap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Aliases that would unfold to a billion values are refused, and the rest is still looked at."""
    bomb = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\na: &a [x,x,x,x,x,x,x,x,x]\n"
    for below, name in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{name}: &{name} [{','.join(['*' + below] * 9)}]\n"
    (tmp_path / "bomb.yaml").write_text(bomb)

    code, out, err = run(["read", str(tmp_path), "-o", "json"], capsys)

    assert (True, False) == ("aliases" in out, "Traceback" in err)
    assert code in (0, 4)


def test_deeply_nested_json_is_a_gap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nesting beyond any object does not overflow."""
    (tmp_path / "deep.json").write_text('{"kind":' + "[" * 100_000)

    code, _, err = run(["read", str(tmp_path), "-o", "json"], capsys)

    assert code in (0, 4)
    assert "Traceback" not in err


def test_symlink_loop_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that links to itself is read once."""
    (tmp_path / "a.txt").write_text(
        "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n"
    )
    (tmp_path / "loop").symlink_to(tmp_path)

    code, out, _ = run(["read", str(tmp_path), "-o", "json"], capsys)

    assert (0, True) == (code, "client/kubeconfig-missing" in out)


def test_endless_zeros_on_standard_input_end_early(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """``/dev/zero`` is recognised as binary after a bounded number of bytes."""
    with Path("/dev/zero").open("rb") as zeros:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(zeros))
        code, out, _ = run(["read", "-", "-o", "json"], capsys)

    assert (4, True) == (code, "binary" in out)


def test_line_of_fifty_megabytes_is_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One endless line becomes a gap; the lines around it are read."""
    path = tmp_path / "long.log"
    with path.open("w") as file:
        file.write("x" * 50_000_000)
        file.write("\nThe connection to the server localhost:8080 was refused - did you specify the right host or port?\n")

    code, out, _ = run(["read", str(path), "-o", "json"], capsys)

    assert (0, True, True) == (code, "client/kubeconfig-missing" in out, '"gaps": []' not in out)


def test_same_input_gives_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    """Reading the example twice prints the same report."""
    example = str(Path(__file__).parents[1] / "examples" / "broken-cluster")

    first = run(["read", example, "-o", "json"], capsys)
    second = run(["read", example, "-o", "json"], capsys)

    assert first == second


def test_example_names_the_cordoned_node_first() -> None:
    """The example cluster of the README is diagnosed with chain and affected pods."""
    best = diagnose_path([str(Path(__file__).parents[1] / "examples" / "broken-cluster")]).diagnoses[0]

    assert "scheduling/node-cordoned" == best.finding.fault
    assert ("Deployment", "shop", "cart") == (best.entity.kind, best.entity.namespace, best.entity.name)
    assert "scheduling/node-cordoned" == best.chain[0].fault
    assert len(best.chain) > 1
