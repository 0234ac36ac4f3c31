"""The knowledge as commands use it: read from YAML once, then from one compiled file in the user's cache folder.

The file is a help, never a need: one that is damaged, foreign, out of date or cannot be written is ignored (``user_cache.py``).
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path

import msgspec

from kubecause import __version__, user_cache
from kubecause.knowledge.catalogue import CATALOGUE, Fault, load_catalogue
from kubecause.knowledge.schema import Case
from kubecause.memory import resting_collector
from kubecause.text import Text

CASES = Path(__file__).with_name("cases")


class _Pack(msgspec.Struct, frozen=True):
    fingerprint: str
    cases: list[Case]
    faults: list[Fault]


class Knowledge(msgspec.Struct, frozen=True, dict=True):
    """All cases and the fault catalogue.

    :param cases: by id, in the order of the ids.
    :param faults: by id, in the order of the catalogue; it also lists faults that have no case yet.
    """

    cases: Mapping[str, Case]
    faults: Mapping[str, Fault]

    @cached_property
    def direct_causes(self) -> Mapping[str, tuple[str, ...]]:
        """For each effect the faults whose cases lead to it: ``leads_to`` read backwards."""
        causes: dict[str, list[str]] = {}
        for case in self.cases.values():
            for fault in sorted({effect.fault for effect in case.leads_to}):
                causes.setdefault(fault, []).append(case.id)
        return {fault: tuple(found) for fault, found in causes.items()}

    def causes_of(self, fault: str) -> dict[str, int]:
        """Every fault that may lie behind another, with the number of steps between them, nearest first."""
        steps = {fault: 0}
        waiting = [fault]
        for effect in waiting:  # grows while it is walked
            for cause in self.direct_causes.get(effect, ()):
                if cause not in steps:
                    steps[cause] = steps[effect] + 1
                    waiting.append(cause)
        del steps[fault]
        return steps

    def title(self, fault: str) -> Text:
        """A fault's title: of its case, else the sentence of the catalogue, else its id."""
        case = self.cases.get(fault)
        if case is not None:
            return case.title
        listed = self.faults.get(fault)
        sentence = listed.en if listed else fault
        return Text(en=sentence, zh=sentence)

    def is_symptom(self, fault: str) -> bool:
        """Whether a fault always has a deeper cause."""
        listed = self.faults.get(fault) or self.cases.get(fault)
        return listed is not None and listed.symptom


def load_cases(folder: Path = CASES) -> Knowledge:
    """The knowledge of a folder of cases and the catalogue, from the compiled file where that is fresh.

    :raises KnowledgeError: when a case file is broken; only then, and after a change, are the YAML files read.
    """
    fingerprint = _fingerprint(folder)
    file = _cache_file(folder)
    pack = _read(file, fingerprint)
    if pack is None:
        # Loaded here, for it brings in the YAML reader, which a warm start does not need.
        cases: dict[str, Case] = importlib.import_module("kubecause.knowledge.loader").load_folder(folder)
        pack = _Pack(fingerprint, list(cases.values()), list(load_catalogue().values()))
        user_cache.write(file, msgspec.msgpack.encode(pack))
    return Knowledge({case.id: case for case in pack.cases}, {fault.id: fault for fault in pack.faults})


@cache
def shipped() -> Knowledge:
    """The knowledge that kubecause ships, read once.

    :raises KnowledgeError: as :func:`load_cases`.
    """
    return load_cases()


def _fingerprint(folder: Path) -> str:
    """Version, names, sizes and times of all case files: cheap, and different after any edit."""
    digest = hashlib.blake2b(__version__.encode(), digest_size=16)
    for path, size, changed in sorted(_files(folder)):
        digest.update(f"\0{path}\0{size}\0{changed}".encode(errors="surrogateescape"))
    for source in (CATALOGUE, Path(__file__).with_name("schema.py")):
        with contextlib.suppress(OSError):
            found = source.stat()
            digest.update(f"\0{found.st_size}\0{found.st_mtime_ns}".encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    waiting = [str(folder)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.name.endswith((".yaml", ".yml")):
                    found = entry.stat()
                    yield entry.path, found.st_size, found.st_mtime_ns


def _cache_file(folder: Path) -> str:
    """Name of the file with the compiled cases of a folder."""
    key = hashlib.blake2b(os.fsencode(folder.resolve()), digest_size=8).hexdigest()
    return f"cases-{key}.msgpack"


def _read(file: str, fingerprint: str) -> _Pack | None:
    data = user_cache.read(file)
    if data is None:
        return None
    try:
        with resting_collector():  # the records hold no cycles, and it would walk all of them several times
            pack = msgspec.msgpack.decode(data, type=_Pack)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return pack if pack.fingerprint == fingerprint else None
