"""The papers tell the truth: the pages that are made from code are fresh, and what they show is what happens."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import kubecause

ROOT = Path(__file__).parent.parent
SOURCE = Path(kubecause.__file__).parent
READMES = ("README.md", "README.zh.md")
PAPERS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")})
ROOMS = ("evidence", "facts", "knowledge", "match", "diagnose", "report", "vocabulary")


def paper(name: str) -> str:
    """The text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def kubecause_prints(*arguments: str) -> str:
    """Standard output of a command, run as a reader of the README runs it, in a pipe."""
    plain = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "PYTHONIOENCODING")}
    command = [sys.executable, "-m", "kubecause", *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**plain, "PYTHONUTF8": "1"}, capture_output=True, encoding="utf-8", check=True)
    return done.stdout


def test_the_page_of_facts_is_fresh() -> None:
    """``docs/facts.md`` is what ``tools/facts_page.py`` makes of the vocabulary."""
    assert runpy.run_path(str(ROOT / "tools" / "facts_page.py"))["page"]() == paper("docs/facts.md")


@pytest.mark.parametrize("name", READMES)
def test_every_command_is_shown(name: str) -> None:
    """Each command of ``kubecause --help`` stands in the README."""
    commands = re.findall(r"^    (\w+) ", kubecause_prints("--help"), re.MULTILINE)

    assert {"read", "explain", "cases"} <= set(commands)
    assert [] == [command for command in commands if f"kubecause {command}" not in paper(name)]


@pytest.mark.parametrize("name", READMES)
def test_every_flag_of_read_is_shown(name: str) -> None:
    """Each flag and each output format of ``kubecause read --help`` stands in the README."""
    printed = kubecause_prints("read", "--help")
    flags = re.findall(r"^  (-\w|--[\w-]+)", printed, re.MULTILINE)
    (formats,) = re.findall(r"one of ([\w,\s]+)", printed)
    wanted = {*flags, *re.findall(r"\w+", formats.split("--")[0])} - {"-h"}

    assert {"-o", "--fail-on", "junit"} <= wanted
    assert [] == sorted(word for word in wanted if not re.search(rf"`{re.escape(word)}\b", paper(name)))


@pytest.mark.parametrize("name", READMES)
@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_both_setup_commands_are_shown(name: str, command: str) -> None:
    """A newcomer can copy the two commands from the README."""
    assert re.search(rf"^\$ {command}\b", paper(name), re.MULTILINE)


@pytest.mark.parametrize("name", READMES)
def test_the_report_shown_is_the_real_one(name: str) -> None:
    """The report in the README, up to where it is cut, is what its command prints."""
    found = re.search(r"\$ kubecause (read [^\n]+)\n```\n\n```text\n(.+?)\n…\n```", paper(name), re.DOTALL)
    assert found
    shown = found[2].splitlines()
    language = [] if "--lang" in found[1] else ["--lang", "en"]

    printed = kubecause_prints(*found[1].split(), *language).splitlines()

    assert len(shown) > 15
    assert [line.rstrip() for line in printed[: len(shown)]] == shown


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link names a file that exists, and a heading that it has."""
    broken = []
    for link in re.findall(r"\]\((?![a-z]+:)([^)\s]+)\)", path.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        there = path.parent / target if target else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(link)

    assert [] == broken


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings: lower case, blanks as hyphens, other signs dropped, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("room", ROOMS)
def test_the_map_lists_every_module(room: str) -> None:
    """The map has one line for each module of a folder, and none for a module that does not exist."""
    listed = re.findall(rf"^\| `({room}/\w+\.py)` \| \S", paper("docs/map.md"), re.MULTILINE)
    modules = {path.relative_to(SOURCE).as_posix() for path in (SOURCE / room).glob("*.py")} - {f"{room}/__init__.py"}

    assert sorted(modules) == sorted(listed)


def test_the_map_lists_every_folder() -> None:
    """Each package with modules of its own is among the folders whose modules the map must list."""
    assert set(ROOMS) == {path.parent.name for path in SOURCE.glob("*/__init__.py")}


def test_the_map_lists_what_lies_beside_the_code() -> None:
    """Everything the map names beside the source exists, and so does a line for each tool and page."""
    table = paper("docs/map.md").split("Beside `src/`")[1].split("## ")[0]
    named = set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE))
    made = {path.relative_to(ROOT).as_posix() for path in (*(ROOT / "docs").glob("*.md"), *(ROOT / "tools").glob("*.py"))}

    assert set() == made - named
    assert [] == sorted(name for name in named if not (ROOT / name).exists())


def test_decisions_can_be_measured() -> None:
    """The lines that measure the figures of ``docs/decisions.md`` run."""
    pieces = re.findall(r"```python\n(.+?)```", paper("docs/decisions.md"), re.DOTALL)
    small = [piece.replace("10_000", "10").replace('rglob("*.yaml")', 'rglob("cordoned.yaml")') for piece in pieces]

    printed = [subprocess.check_output([sys.executable, "-c", piece], text=True) for piece in small]

    assert 2 == len(printed)
    assert ["hyperscan", "in", "re"] == re.findall(r"^(\w+): [\d.]+ MB/s$", printed[0], re.MULTILINE)
    assert ["CSafeLoader", "SafeLoader"] == re.findall(r"^(\w+): [\d.]+ s$", printed[1], re.MULTILINE)
