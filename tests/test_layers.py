"""The shape of the house: the direction of imports, and modules that can be read in one sitting."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import kubecause

SRC = Path(kubecause.__file__).parent
NOUNS = {"model", "errors", "text", "vocabulary", "memory", "later", "literal_search", "user_cache"}
STAGES = ("evidence", "facts", "match", "diagnose", "report")
READERS = {"match", "diagnose", "report"}  # stages that know the cases
FACT_RECORDS = {
    *("facts.store", "facts.records", "facts.records_network", "facts.records_pod", "facts.joins"),
    *("facts.quantities", "facts.restarts", "facts.roles"),  # what the records mean: amounts, calm, roles
}

# What each part may import beside its own folder, the nouns and the version.
MAY: dict[str, set[str]] = {
    "__init__": set(),
    "model": set(),
    "errors": set(),
    "text": set(),
    "vocabulary": set(),
    "memory": set(),
    "later": set(),
    "literal_search": set(),
    "user_cache": set(),
    "evidence": set(),
    "facts": set(),
    "knowledge": set(),
    "match": {"knowledge", *FACT_RECORDS},
    "diagnose": {"knowledge", "facts.edits", "facts.joins", "facts.paths", "facts.signs", "facts.store"},
    "report": {"knowledge"},
    "pipeline": {"knowledge", *STAGES},
    "examples": {"knowledge", "evidence", "facts", "match"},
    "cli": {"pipeline", "examples", "knowledge", "report", "facts.paths", "evidence.cluster", "evidence.saved"},
    "__main__": {"cli"},
}
MODULES = sorted(SRC.rglob("*.py"))


def name_of(path: Path) -> str:
    """``facts/joins.py`` → ``facts.joins``; ``facts/__init__.py`` → ``facts``."""
    parts = list(path.relative_to(SRC).with_suffix("").parts)
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def part_of(module: str) -> str:
    """The part of the house a module belongs to; the command line may be several modules."""
    top = module.partition(".")[0]
    return "cli" if top.startswith("cli") else top


def imports(tree: ast.AST, module: str, *, package: bool) -> Iterator[str]:
    """Every kubecause module that a syntax tree imports, without the leading ``kubecause.``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                here = ["kubecause", *module.split(".")]
                cut = node.level - (1 if package else 0)
                origin = ".".join([*here[: len(here) - cut], *([node.module] if node.module else [])])
            names = [f"{origin}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix("kubecause.") for name in names if name.startswith("kubecause."))


def forbidden(module: str, imported: str) -> bool:
    """Whether ``module`` may not import ``imported``, by the one rule of ``docs/map.md``."""
    part, target = part_of(module), part_of(imported)
    if target in {part, "__version__"} or target in NOUNS:
        return False
    return not any(imported == allowed or imported.startswith(f"{allowed}.") or target == allowed for allowed in MAY[part])


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_backwards(path: Path) -> None:
    """A module imports only the nouns, its own folder and what the table of stages allows."""
    module = name_of(path)
    tree = ast.parse(path.read_text(encoding="utf-8"))

    assert [] == [name for name in imports(tree, module, package=path.name == "__init__.py") if forbidden(module, name)]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("evidence.paste", "from kubecause.facts.store import Store"),
        ("facts.logs", "from kubecause.match import match"),
        ("match.signals", "from kubecause.facts.parsers import df"),
        ("match.signals", "import kubecause.facts"),
        ("match.signals", "from ..diagnose import graph"),
        ("diagnose.rank", "from kubecause.report.view import View"),
        ("report.json", "from kubecause.pipeline import diagnose_path"),
        ("facts.logs", "from kubecause import knowledge"),
        ("model", "def f():\n    from kubecause.cli import main"),
        ("pipeline", "from kubecause import cli"),
    ],
)
def test_wrong_directions_are_seen(module: str, source: str) -> None:
    """The check above recognises imports that break the rule, however they are written."""
    tree = ast.parse(source)

    assert any(forbidden(module, name) for name in imports(tree, module, package=False))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_are_short(path: Path) -> None:
    """No module is longer than 400 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def function_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from ``def`` to its end, without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_functions_are_short(path: Path) -> None:
    """No function is longer than 60 lines, its docstring left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]

    assert {} == {function.name: function_lines(function) for function in functions if function_lines(function) > 60}


def test_modules_say_what_they_hold() -> None:
    """No module or folder has a name that could hold anything."""
    names = {path.stem for path in MODULES} | {path.parent.name for path in MODULES}

    assert set() == names & {"utils", "util", "helpers", "helper", "common", "base", "misc"}


def test_every_module_has_a_place_in_the_table() -> None:
    """A new top-level module or folder must first be given its direction of imports."""
    assert set() == {part_of(name_of(path)) for path in MODULES} - set(MAY)


def test_modules_explain_themselves() -> None:
    """Every module begins with a docstring that says what it is for."""
    silent = [name_of(path) for path in MODULES if len(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "") < 20]

    assert [] == silent
