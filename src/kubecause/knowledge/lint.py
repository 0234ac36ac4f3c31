"""The house rules for case files: small checks, each for one rule, and the one function that runs them all."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kubecause.knowledge.catalogue import Fault
from kubecause.knowledge.house_rule import Breach, House, Rule, Weight
from kubecause.knowledge.schema import Case

if TYPE_CHECKING:
    from kubecause.knowledge.yaml_tree import Tree

RULE_MODULES = ("links", "signals", "texts", "repairs", "examples")  # each lint_*.py has RULES


class Issue(msgspec.Struct, frozen=True):
    """One broken house rule, with the line of the key it is about where the file could be read."""

    path: str
    line: int | None
    severity: Weight
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line or 1}: {self.severity}: {self.message}"


def lint(cases: Mapping[str, Case], folder: Path, faults: Mapping[str, Fault], paths: Collection[str]) -> list[Issue]:
    """Every broken house rule, in the order of the files and lines.

    :param folder: where the cases were loaded from; their files are read again for the lines.
    :param faults: the catalogue.
    :param paths: the paths between entities that ``leads_to`` may name in ``via``.
    """
    rules = list(all_rules())
    house = House(faults, paths)
    found: dict[str, list[Breach]] = {}
    for case in cases.values():
        found[case.id] = [breach for rule in rules for breach in rule(case, house)]
    for fault, breach in cycles(cases):
        found[fault].append(breach)
    issues = [issue for fault, breaches in found.items() if breaches for issue in _issues(folder / f"{fault}.yaml", breaches)]
    return sorted(issues, key=lambda issue: (issue.path, issue.line or 0, issue.message))


def all_rules() -> Iterator[Rule]:
    """Every house rule about one case.

    The modules are loaded here: most commands only use the compiled cases and need neither rules nor a YAML reader.
    """
    for name in RULE_MODULES:
        rules: tuple[Rule, ...] = importlib.import_module(f"kubecause.knowledge.lint_{name}").RULES
        yield from rules


def cycles(cases: Mapping[str, Case]) -> Iterator[tuple[str, Breach]]:
    """Effects never lead back to their cause: one breach for each effect that closes a ring, at its case."""
    done: set[str] = set()
    for start in sorted(cases):
        way = [start] if start not in done else []
        effects = [enumerate(cases[fault].leads_to) for fault in way]
        while way:
            number, effect = next(effects[-1], (0, None))
            if effect is None:
                done.add(way.pop())
                effects.pop()
            elif effect.fault in way:
                ring = " → ".join([*way[way.index(effect.fault) :], effect.fault])
                yield way[-1], Breach(("leads_to", number), f"effects run in a ring: {ring}")
            elif effect.fault in cases and effect.fault not in done:
                way.append(effect.fault)
                effects.append(enumerate(cases[effect.fault].leads_to))


def _issues(file: Path, breaches: list[Breach]) -> Iterator[Issue]:
    tree: Tree = importlib.import_module("kubecause.knowledge.yaml_tree").read_file(file)
    for breach in breaches:
        yield Issue(str(file), tree.line(breach.at) if tree.lines else None, breach.severity, breach.message)
