"""The knowledge as commands use it: read from YAML once, then from one compiled file in the user's cache folder.

The file is a help, never a need: one that is damaged, foreign, out of date or cannot be written is ignored.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import stat
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path

import msgspec

from kubecause import __version__
from kubecause.knowledge.catalogue import CATALOGUE, Fault, load_catalogue
from kubecause.knowledge.schema import Case
from kubecause.memory import resting_collector
from kubecause.text import Text

CASES = Path(__file__).with_name("cases")
MAX_BYTES = 64 * 1024 * 1024


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
    pack = None if file is None else _read(file, fingerprint)
    if pack is None:
        # Loaded here, for it brings in the YAML reader, which a warm start does not need.
        cases: dict[str, Case] = importlib.import_module("kubecause.knowledge.loader").load_folder(folder)
        pack = _Pack(fingerprint, list(cases.values()), list(load_catalogue().values()))
        if file is not None:
            _write(file, pack)
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


def _cache_file(folder: Path) -> Path | None:
    """Where the compiled cases of a folder lie, or none for a user without a home."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # https://specifications.freedesktop.org/basedir-spec: relative paths are invalid
        try:
            base = Path("~/.cache").expanduser()
        except RuntimeError:
            return None
    key = hashlib.blake2b(os.fsencode(folder.resolve()), digest_size=8).hexdigest()
    return base / "kubecause" / f"cases-{key}.msgpack"


def _read(file: Path, fingerprint: str) -> _Pack | None:
    try:
        with file.open("rb") as opened:
            found = os.fstat(opened.fileno())
            if not _is_ours(found) or found.st_size > MAX_BYTES:
                return None
            data = opened.read(MAX_BYTES)
        with resting_collector():  # the records hold no cycles, and it would walk all of them several times
            pack = msgspec.msgpack.decode(data, type=_Pack)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return pack if pack.fingerprint == fingerprint else None


def _is_ours(found: os.stat_result) -> bool:
    """A plain file of this user that nobody else may write: cases become advice, so they must not be foreign."""
    if not stat.S_ISREG(found.st_mode):
        return False
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)


def _write(file: Path, pack: _Pack) -> None:
    """Write beside the file and move into place (mode 0600), so that a reader never sees half of it."""
    import tempfile  # brings half of the library's compression with it, and is needed once

    name = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".cases-")
        with os.fdopen(handle, "wb") as opened:
            opened.write(msgspec.msgpack.encode(pack))
        Path(name).replace(file)
    except OSError:
        if name is not None:
            with contextlib.suppress(OSError):
                Path(name).unlink()
