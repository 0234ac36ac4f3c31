"""Scenarios as people write them: what is done to a cluster, when its fault shows, and what kubecause must say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import yaml

import kubecause

from .daemons import RangeError

FOLDER = Path(__file__).parent / "scenarios"
SILENT = "none"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_FIELDS = {"name", "fault", "entity", "about", "objects", "steps", "until", "read", "alone", "undo", "quick", "view", "open"}
_VIEWS = {"unseen"}


@dataclass(frozen=True, slots=True)
class Sign:
    """A command that is repeated until its output matches: then the fault shows."""

    run: str
    prints: str
    within: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """One entry of a file below ``scenarios/``; the README says what each field means."""

    name: str
    file: str
    about: str
    faults: tuple[str, ...]  # the first is the best, each is right; ("none",) must stay silent
    entity: Mapping[str, str | None]
    objects: str
    steps: tuple[str, ...]
    until: tuple[Sign, ...]
    read: tuple[str, ...]
    alone: bool
    undo: tuple[str, ...]
    quick: bool
    unseen: bool  # the role `view` cannot see the cause
    open: str  # why the answer is not right yet; it counts as wrong in the shares

    @property
    def namespace(self) -> str:
        """Where it happens."""
        return f"s-{self.name}"

    @property
    def namespaces(self) -> tuple[str, str]:
        """That one, and the second one which some make in order to delete it."""
        return self.namespace, f"{self.namespace}-gone"

    @property
    def silent(self) -> bool:
        """Whether nothing must be reported."""
        return self.faults == (SILENT,)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace ``$NS`` and the registries' names; every other ``$`` stays, since shells and manifests use them too."""
    names = {name: value for name, value in values.items() if name == "NS" or name.startswith("REGISTRY_")}
    return Template(text).safe_substitute(names) if "$$" not in text else _fill_carefully(text, names)


def _fill_carefully(text: str, names: Mapping[str, str]) -> str:
    """``$$`` is a process id in shells and an escape in manifests: not ours to shorten."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: names.get(found[1] or found[2], found[0]), text)


def load_scenarios(names: Iterable[str] = (), folder: Path = FOLDER, *, problems: list[str] | None = None) -> list[Scenario]:
    """All scenarios, or those named (by name, or by file without its ending).

    Entries that make no sense raise RangeError, or are told in ``problems`` and left out when that list is given.
    """
    found: dict[str, Scenario] = {}
    for path in sorted(folder.glob("*.yaml")):
        for entry in _entries(path, problems):
            try:
                scenario = _scenario(entry, path.stem)
                _only_once(scenario, found)
            except RangeError as error:
                if problems is None:
                    raise
                problems.append(str(error))
                continue
            found[scenario.name] = scenario
    wanted = set(names)
    if unknown := wanted - set(found) - {scenario.file for scenario in found.values()}:
        told = f" ({'; '.join(problems)})" if problems else ""
        raise RangeError(f"no scenario or file {', '.join(sorted(unknown))} in {folder}; `list` prints them{told}")
    return [one for one in found.values() if not wanted or wanted & {one.name, one.file}]


def _only_once(scenario: Scenario, found: Mapping[str, Scenario]) -> None:
    if other := found.get(scenario.name):
        raise RangeError(f"{scenario.file}.yaml: {scenario.name} is a scenario of {other.file}.yaml already")


def _entries(path: Path, problems: list[str] | None) -> list[Any]:
    try:
        return list(yaml.safe_load(path.read_text(encoding="utf-8")) or [])
    except yaml.YAMLError as error:
        told = f"{path.name}: {' '.join(str(error).split())}"
        if problems is None:
            raise RangeError(told) from None
        problems.append(told)
        return []


def _scenario(entry: Any, file: str) -> Scenario:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise RangeError(f"{file}.yaml: an entry is no mapping with a name: {str(entry)[:80]}")
    name = entry["name"]
    where = f"{file}.yaml, {name}"
    if unknown := set(entry) - _FIELDS:
        raise RangeError(f"{where}: unknown fields {', '.join(sorted(unknown))}; known are {', '.join(sorted(_FIELDS))}")
    if not _NAME.fullmatch(name):
        raise RangeError(f"{where}: the name must be a DNS label of at most 40 characters")
    if missing := {"fault", "about", "until"} - set(entry):
        raise RangeError(f"{where}: fields missing: {', '.join(sorted(missing))}")
    faults = tuple(_list(entry["fault"]))
    if unknown := set(faults) - known_faults() - {SILENT}:
        raise RangeError(f"{where}: faults.yaml does not know {', '.join(sorted(unknown))}")
    entity = entry.get("entity") or {}
    if faults != (SILENT,) and not {"kind", "name"} <= set(entity):
        raise RangeError(f"{where}: entity must say kind and name")
    if entry.get("undo") and not entry.get("alone"):
        raise RangeError(f"{where}: undo is for scenarios that run alone; others go with their namespace")
    if entry.get("view") not in {None, *_VIEWS}:
        raise RangeError(f"{where}: view can be {', '.join(_VIEWS)}")
    return Scenario(
        name=name,
        file=file,
        about=entry["about"],
        faults=faults,
        entity=entity,
        objects=entry.get("objects") or "",
        steps=tuple(entry.get("steps") or ()),
        until=tuple(_sign(sign, where) for sign in entry["until"]),
        read=tuple(str(word) for word in entry.get("read") or ("-n", "$NS")),
        alone=bool(entry.get("alone")),
        undo=tuple(entry.get("undo") or ()),
        quick=bool(entry.get("quick")),
        unseen=entry.get("view") == "unseen",
        open=entry.get("open") or "",
    )


def _sign(sign: Any, where: str) -> Sign:
    try:
        re.compile(sign["prints"])
        return Sign(sign["run"], str(sign["prints"]), float(sign.get("within", 60)))
    except (TypeError, KeyError, ValueError, re.error) as error:
        raise RangeError(f"{where}: until wants run, prints (a pattern) and within: {sign!r} ({error})") from None


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@cache
def known_faults() -> frozenset[str]:
    """Every fault id there is."""
    path = Path(kubecause.__file__).parent / "knowledge" / "faults.yaml"
    return frozenset(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
