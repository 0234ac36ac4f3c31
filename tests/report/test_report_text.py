"""The text a person reads: cause first, fits the width, survives pagers, log files and hostile evidence."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

import samples
from kubecause import model
from kubecause.later import Later
from kubecause.report import render
from kubecause.report.lines import shorten, wrap
from kubecause.report.neutral import neutralise
from kubecause.text import Language

_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def _text(
    result: model.Result,
    output: str = "text",
    language: Language = "en",
    width: int = 100,
    encoding: str = "utf-8",
    *,
    color: bool = False,
) -> str:
    return render(result, samples.CASES, output=output, language=language, color=color, width=width, stream_encoding=encoding)


def test_the_cause_is_the_first_thing_to_read() -> None:
    """Number, status and title are the first line, fault and entity the second."""
    assert _text(samples.FULL).split("\n")[:2] == [
        "1. [confirmed] Node w3 is cordoned and cart fits nowhere else",
        "   scheduling/node-cordoned on Deployment shop/cart",
    ]


def test_blocks_come_in_the_order_of_need() -> None:
    """Causes, then symptoms without a cause, then what was not seen, then one closing line."""
    text = _text(samples.FULL)
    marks = [
        "1. [confirmed]",
        "What ",
        "Why ",
        "Chain ",
        "Proof ",
        "Fix 1 ",
        "2. [probable]",
        "Look ",
        "Symptoms without",
        "3. [poss",
        "Not seen",
    ]
    places = [text.index(mark) for mark in marks]
    assert sorted(places) == places
    assert text.endswith(
        "Looked at capture case-17: 2 causes (1 confirmed), 1 symptom without a cause, 2 faults ruled out, 2\n"
        "things not seen. -o wide shows everything.\n"
    )


def test_the_chain_is_a_tree_that_ends_at_what_the_user_sees() -> None:
    """Each level hangs below its cause, equals stand side by side, the last level says how many suffer."""
    lines = _text(samples.FULL).split("\n")
    start = next(index for index, line in enumerate(lines) if "cni/bridge-address-conflict  Node w2" in line)
    assert [line[13:] for line in lines[start : start + 4]] == [
        "cni/bridge-address-conflict  Node w2",
        "└─ pod/stuck-creating  Pod shop/cart-79b49f5555-00001",
        "     Pod shop/cart-79b49f5555-00002",
        "   └─ service/no-endpoints  Service shop/api (3 affected)",
    ]


def test_equal_lines_are_shown_once_with_their_places_counted() -> None:
    """The same event at two places is one piece of proof in ``text`` and two in ``wide``."""
    assert "transcript.txt:812 and 1 more place\n" in _text(samples.FULL)
    assert "transcript.txt:990\n" in _text(samples.FULL, "wide")


def test_wide_shows_the_whole_line_and_text_the_essential() -> None:
    """``wide`` quotes the line as it is; ``text`` keeps the words that matter and marks what it left out."""
    assert samples.BRIDGE_LINE in _text(samples.FULL, "wide")
    quoted = " ".join(_text(samples.FULL).split())
    assert samples.BRIDGE_LINE not in quoted
    assert '…for sandbox \\"8b1d\\": plugin' in quoted
    assert '\\"cni0\\" already has an IP address different from 10.244.1.1/24"' in quoted


def test_wide_leaves_nothing_out() -> None:
    """References, ruled-out faults, the look of a confirmed cause, refused requests and all named victims stand in ``wide``."""
    text = _text(samples.FULL, "wide")
    for expected in (
        "https://kubernetes.io/docs/",
        "dns/search-list-too-long",
        "{.spec.unschedulable}",
        "get pods/log",
        "-00019\n",
        "and 3 more",
    ):
        assert expected in text
        assert expected == "and 3 more" or expected not in _text(samples.FULL)


def test_long_lists_are_capped_and_say_so() -> None:
    """Of forty causes five are shown in full, twenty by their title, the rest as a number; ``wide`` has them all."""
    many = model.Result(
        "capture",
        "x",
        tuple(samples.diagnosis("cni/bridge-address-conflict", model.Entity("Node", f"n{n:02}")) for n in range(40)),
    )
    text = _text(many)
    assert text.count("What ") == 5
    assert text.count("[confirmed]") == 25
    assert "and 15 more\n" in text
    assert _text(many, "wide").count("What ") == 40


def test_commands_are_never_broken() -> None:
    """A command longer than the line stays one line, behind the place where it runs."""
    text = _text(samples.FULL, "wide", width=60)
    assert "[client] kubectl get node w3 -o jsonpath='{.spec.unschedulable}'\n" in text
    assert "[node] systemctl restart kubelet\n" + " " * 20 + "systemctl status kubelet\n" in text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [60, 72, 100, 200])
def test_no_line_is_wider_than_asked_for(language: Language, width: int) -> None:
    """Every line fits in terminal cells, Chinese characters counting two; only commands may be longer."""
    lines = _text(samples.FULL, language=language, width=width).split("\n")
    assert [line for line in lines if cell_len(line) > width and "kubectl" not in line] == []
    assert max(map(cell_len, lines)) > 50


def test_chinese_blocks_are_aligned_in_cells() -> None:
    """Right of the gutter everything begins in the same cell, whatever stands in the gutter."""
    lines = _text(samples.FULL, language="zh").split("\n")
    labels = ("现状", "成因", "因果链", "受影响", "证据", "修复 1", "修复 2", "排查")
    columns = {
        label: [cell_len(line) - cell_len(line[3 + len(label) :].lstrip()) for line in lines if line.startswith(f"   {label} ")]
        for label in labels
    }
    assert {11} == {column for each in columns.values() for column in each}
    assert all(columns.values())


def test_a_narrow_terminal_counts_as_sixty_cells() -> None:
    """Less than 60 cells would tear everything apart."""
    assert _text(samples.FULL, width=60) == _text(samples.FULL, width=20)


def test_ascii_streams_get_ascii() -> None:
    """An ASCII log file gets an ASCII tree, and nothing that cannot be written to it."""
    text = _text(samples.FULL, encoding="ascii")
    assert "`-- pod/stuck-pending" in text
    assert "-> the scheduler skipped" in text
    assert text.isascii()
    assert _text(samples.FULL, language="zh", encoding="ascii").isascii()


def test_chinese_encodings_keep_their_characters() -> None:
    """A GBK stream is not UTF-8: Chinese stays, box characters (two cells wide there) do not."""
    text = _text(samples.FULL, language="zh", encoding="gbk")
    assert "1. [已确认] 节点 w3 被 cordon" in text
    assert "`-- pod/stuck-pending" in text
    assert text.encode("gbk").decode("gbk") == text


def test_an_unknown_encoding_counts_as_ascii() -> None:
    """A stream with a made-up encoding gets a report, not an error."""
    assert _text(samples.FULL, encoding="no-such-encoding") == _text(samples.FULL, encoding="ascii")


@pytest.mark.parametrize(
    ("no_color", "force_color", "colored"),
    [("", "", False), ("", "1", True), ("1", "1", False), ("1", "", False), ("", "0", False)],
)
def test_colour_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, no_color: str, force_color: str, *, colored: bool
) -> None:
    """Off when not a terminal, on with FORCE_COLOR, and NO_COLOR has the last word; colour changes nothing else."""
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("FORCE_COLOR", force_color)
    text = render(samples.FULL, samples.CASES, output="text", language="en", width=100, stream_encoding="utf-8")
    assert ("\x1b[" in text) == colored
    assert _ESCAPE.sub("", text) == _text(samples.FULL)


def test_a_terminal_gets_its_width_and_colour() -> None:
    """On a real terminal of 72 cells the lines use 72 cells, in colour."""
    program = (
        "import samples; from kubecause.report import render\n"
        "print(render(samples.FULL, samples.CASES, output='text', language='en', stream_encoding='utf-8'), end='')"
    )
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (40, 72))
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")}
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=follower,
        cwd=Path(__file__).parent,
        env=kept | {"TERM": "xterm", "PYTHONUTF8": "1"},
    ) as child:
        os.close(follower)
        printed = b""
        while chunk := _read(leader):
            printed += chunk
        assert child.wait() == 0
    os.close(leader)
    text = printed.decode().replace("\r\n", "\n")
    assert "\x1b[1" in text
    assert _ESCAPE.sub("", text) == _text(samples.FULL, width=72)


def _read(descriptor: int) -> bytes:
    """Some bytes; none when the other side has closed (Linux says so with EIO)."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


@pytest.mark.parametrize("output", ["text", "wide"])
@pytest.mark.parametrize("color", [True, False])
def test_hostile_evidence_cannot_move_the_cursor(output: str, *, color: bool) -> None:
    """No control character of the evidence reaches the terminal, nor a character that hides or reorders text."""
    printed = _ESCAPE.sub("", _text(samples.hostile(), output, color=color))
    assert set(re.findall(r"[^\x20-\x7e\n]", printed)) <= set("…└─→")
    assert "\\x1b[2Jred [bold]loud[/bold] \\u202eevil \\x9b1A" in " ".join(printed.split())


def test_markup_in_evidence_is_not_obeyed() -> None:
    """Square brackets of the evidence stay; they do not become styles."""
    found = samples.diagnosis("x/y", samples.NODE, proofs=(samples.proof("[bold red]A[/] :smile: [link=http://x]B[/link]"),))
    text = _text(model.Result("text", "-", (found,)), color=True)
    assert "[bold red]A[/] :smile: [link=http://x]B[/link]\n" in text


def test_nothing_wrong_is_one_clear_sentence() -> None:
    """A healthy result says so first, in either language."""
    assert _text(samples.EMPTY) == "Nothing wrong found in what was looked at.\n\nLooked at standard input.\n"
    assert _text(samples.EMPTY, language="zh") == "在已检查的范围内没有发现问题。\n\n检查对象：标准输入。\n"


def test_a_gap_is_not_health() -> None:
    """Where something could not be seen the sentence says so, and where nothing could be seen it claims nothing."""
    some = _text(model.Result("bundle", "b.tgz", clear=("node/disk-pressure",), gaps=samples.GAPS))
    assert some.startswith("Nothing wrong found in what was looked at, but not everything could be seen.\n\nNot seen")
    assert "   - logs of pod shop/cart-0: forbidden: pods/log; may hide container/oom-killed\n" in some
    assert some.endswith("Looked at bundle b.tgz: 1 fault ruled out, 2 things not seen.\n")
    assert _text(model.Result("bundle", "b.tgz", gaps=samples.GAPS)).startswith("Nothing could be looked at")


def test_symptoms_alone_say_that_no_cause_was_found() -> None:
    """Without a cause the report says so before it lists symptoms."""
    text = _text(model.Result("text", "-", (samples.CRASHING,)))
    assert text.startswith("No cause found; what follows is what is visibly wrong and the commands that lead on.\n")
    assert "1. [possible] Container web keeps restarting\n" in text
    assert text.endswith("Looked at standard input: no cause, 1 symptom without a cause.\n")


def test_clusters_are_named_where_there_are_several() -> None:
    """The same name in two clusters is told apart; one cluster is not repeated on every line."""
    east, west = (model.Entity("Pod", "web-0", "shop", cluster=name) for name in ("east", "west"))
    both = _text(model.Result("cluster", "fleet", (samples.diagnosis("x/y", east), samples.diagnosis("x/y", west))))
    assert "x/y on Pod shop/web-0 in cluster east\n" in both
    assert "x/y on Pod shop/web-0\n" in _text(model.Result("cluster", "east", (samples.diagnosis("x/y", east),)))


def test_long_chains_keep_both_ends() -> None:
    """A chain of twelve levels shows its cause and the symptom; the middle is counted."""
    links = tuple(model.Link(f"x/level-{n}", samples.NODE) for n in range(12))
    text = _text(model.Result("text", "-", (samples.diagnosis("x/level-0", samples.NODE, chain=links),)))
    assert "x/level-4 " in text
    assert "and 6 more\n" in text
    assert "x/level-11 " in text
    assert "x/level-7 " not in text


def test_chinese_breaks_between_characters_but_not_before_punctuation() -> None:
    """Chinese has no blanks to break at; no line begins with a comma or ends with an opening bracket."""
    assert wrap("节点不再接受，新的（Pod）了", 12) == ["节点不再接", "受，新的", "（Pod）了"]
    assert wrap("a node accepts nothing", 10) == ["a node", "accepts", "nothing"]
    assert wrap("abcdefghij", 4) == ["abcd", "efgh", "ij"]


@pytest.mark.parametrize("width", [20, 40, 80])
def test_shortening_fits_and_keeps_the_trouble(width: int) -> None:
    """However narrow, what is left fits and holds the words that say what went wrong."""
    line = "x " * 200 + "permission denied " + "y " * 200
    short = shorten(line, width, "", "…")
    assert cell_len(short) <= width
    assert "denied" in short
    assert short.startswith("…")
    assert short.endswith("…")


def test_shortening_ends_with_the_end_when_that_is_what_matters() -> None:
    """A line whose cause comes last is cut at its beginning only."""
    line = "prefix " * 40 + "open /etc/cni: no such file or directory"
    assert shorten(line, 50, "", "…").endswith("open /etc/cni: no such file or directory")
    assert shorten("节点" * 60, 21, "", "…") == "节点" * 5 + "…"


def test_a_huge_line_is_shortened_in_bounded_time() -> None:
    """A line of ten million characters costs no more than its searched beginning."""
    assert len(shorten("error " * 1_700_000, 80, "error", "…")) <= 80


def test_colours_of_a_log_line_go_and_everything_else_is_spelled_out() -> None:
    """Colour codes carry no words; other control characters are shown, line ends stay."""
    assert neutralise("\x1b[1;31mERROR\x1b[0m a\tb\r\nc\x1b]0;t\x07\x7f\u200b") == "ERROR a b\nc\\x1b]0;t\\x07\\x7f\\u200b"


def test_what_is_not_shown_is_not_worked_out() -> None:
    """Of thirty causes a terminal shows five in full: what changed before the others is not looked for."""
    looked_at: list[int] = []

    def changes(number: int) -> list[model.Change]:
        looked_at.append(number)
        return []

    each = [replace(samples.CORDONED, changes=Later(partial(changes, number))) for number in range(30)]
    result = model.Result("cluster", "prod", tuple(each))

    assert "2. [confirmed]" in _text(result)
    assert looked_at == [0, 1, 2, 3, 4]
    _text(result, "json")
    assert sorted(looked_at) == list(range(30))
