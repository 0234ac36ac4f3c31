"""What is installed: the commands resolve, types travel along, and the papers agree with the code."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import kubecause

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["kubecause", "kubectl-cause"])
def test_console_scripts_resolve(name: str) -> None:
    """Each command that pyproject.toml promises is installed and can be called."""
    assert name in PROJECT["project"]["scripts"]

    (script,) = entry_points(group="console_scripts", name=name)

    assert PROJECT["project"]["scripts"][name] == script.value
    assert callable(script.load())


def test_types_travel_along() -> None:
    """The package says that it is typed."""
    assert (Path(kubecause.__file__).parent / "py.typed").is_file()


def test_version_is_written_once() -> None:
    """The version stands in ``kubecause/__init__.py`` alone; the installed package and the changelog follow it."""
    assert "version" not in PROJECT["project"]
    assert "src/kubecause/__init__.py" == PROJECT["tool"]["hatch"]["version"]["path"]
    assert kubecause.__version__ == version("kubecause")


def test_version_is_semantic() -> None:
    """The version has three numbers."""
    assert re.fullmatch(r"\d+\.\d+\.\d+([-+.]?\w+)*", kubecause.__version__)


@pytest.mark.parametrize("paper", ["README.md", "CONTRIBUTING.md"])
@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_papers_name_both_commands(paper: str, command: str) -> None:
    """A newcomer finds the two set-up commands on either page, and the Makefile has them."""
    assert command in (ROOT / paper).read_text(encoding="utf-8")
    assert re.search(rf"^{command.split()[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_readme_leads_to_the_map() -> None:
    """The README links the map of the house."""
    assert "docs/map.md" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_links_between_papers_lead_somewhere() -> None:
    """Every relative link in the Markdown files of the project names something that exists."""
    papers = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = {
        (paper, link)
        for paper in papers
        for link in re.findall(r"\]\((?![a-z]+:|#)([^)#\s]+)", paper.read_text(encoding="utf-8"))
    }

    assert links
    assert [] == sorted(f"{paper.name}: {link}" for paper, link in links if not (paper.parent / link).exists())


def test_map_shows_every_room() -> None:
    """The map names every folder and every module at the top of the package, and names none that does not exist."""
    source = Path(kubecause.__file__).parent
    text = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    folders = {f"{path.name}/" for path in source.iterdir() if (path / "__init__.py").is_file()}
    modules = {path.name for path in source.glob("*.py")} - {"__init__.py"}
    table = text.split("## Folders and modules")[1].split("Beside `src/`")[0]

    named = set(re.findall(r"^\| `([\w.]+/?)` \|", table, re.MULTILINE))

    assert folders | modules == named
