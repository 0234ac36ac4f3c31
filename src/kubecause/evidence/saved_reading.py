"""Reads the members of a bundle that kubecause saved, out of an archive or a folder, and gives documents and gaps back.

A bundle may come from anybody: everything is bounded and typed, links are not followed, and what cannot be read is a
Gap. Archives are read as streams, in the order they were written.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol, Self

from kubecause.evidence.compression import BLOCK, ArchiveError, Reader
from kubecause.evidence.members import Member, Refused, safe_name
from kubecause.evidence.saved_format import (
    DOCUMENT_BYTES,
    INDEX,
    INDEX_BYTES,
    MARKER,
    MARKER_BYTES,
    VERSION,
    DocumentEntry,
    Marker,
    lines_of_saved,
    read_entry,
    read_marker,
)
from kubecause.model import Document, Gap


def understood(data: bytes) -> tuple[Marker | None, str]:
    """The marker, or None and why it cannot be used."""
    marker = read_marker(data)
    if marker is None:
        return None, f"{MARKER} in it is damaged; collect it again"
    if marker.version > VERSION:
        return None, f"saved by kubecause {marker.kubecause[:40]} in a newer form; update kubecause"
    return marker, ""


def open_regular(path: str | Path) -> IO[bytes]:
    """A regular file, opened without following what it is not."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "rb", buffering=0)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError(f"{path} is not a regular file")
    return file


class Parts(Protocol):
    """The members of a bundle by name; documents are asked for in the order of the index."""

    def expect(self, names: list[str]) -> None:
        """Take the names that will be asked for, in order."""

    def content(self, name: str) -> Reader:
        """The content of a member; raises ArchiveError or OSError where it cannot be had."""

    def strays(self) -> list[str]:
        """Names of members that nobody asked for, as far as they were passed."""


class ArchiveParts:
    """The members of an archive, the marker first; they come in the order they were written."""

    def __init__(self, marker: Member, following: Iterator[Member | Refused]) -> None:
        self._following = following
        self._next: Member | None = marker
        self._places: dict[str, int] = {}
        self._strays: list[str] = []

    def expect(self, names: list[str]) -> None:
        """Take the names that will be asked for, in order."""
        self._places = {name: at for at, name in reversed(list(enumerate(names)))}

    def content(self, name: str) -> Reader:
        """The content of the next member of this name; members that stand in the wrong place are passed over."""
        here = self._places.get(name, -1)
        while True:
            member = self._next or next(self._following, None)
            self._next = None
            if member is None:
                raise ArchiveError("archive: ends too early")
            if member.name == name and isinstance(member, Member):
                return member.content
            if isinstance(member, Member) and self._places.get(member.name, -1) > here:
                self._next = member
                raise FileNotFoundError
            self._strays.append(member.name)

    def strays(self) -> list[str]:
        """Names of members that the index does not list, or lists elsewhere."""
        for member in self._following:
            self._strays.append(member.name)
        return self._strays


class FolderParts:
    """The files of a folder that a bundle was unpacked into; links are not followed."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._open: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._open is not None:
            self._open.close()

    def expect(self, names: list[str]) -> None:
        """Nothing to prepare: files can be opened in any order."""

    def content(self, name: str) -> Reader:
        """The content of a file; the one before is closed."""
        safe = safe_name(name)
        if not safe:
            raise ArchiveError("archive: unsafe path")
        path = Path(self._root, safe)
        real = os.path.realpath(self._root)
        if os.path.realpath(path) != str(Path(real, safe)):
            raise ArchiveError("symbolic link in a bundle; not followed")
        if self._open is not None:
            self._open.close()
        self._open = open_regular(path)
        return self._open

    def strays(self) -> list[str]:
        """Other files of the folder are none of the bundle's business."""
        return []


def read_saved(name: str, parts: Parts) -> Iterator[Document | Gap]:
    """Documents and gaps of a bundle, in their original order.

    :param name: the bundle, for gaps.
    """
    try:
        found, why = understood(bounded(parts.content(MARKER), MARKER_BYTES)[0])
        if found is None:
            yield Gap(name, why)
            return
        data, cut = bounded(parts.content(INDEX), INDEX_BYTES)
    except (ArchiveError, OSError) as error:
        yield Gap(f"{name}/{INDEX}", _why(error))
        return
    entries = [read_entry(line) for line in data.split(b"\n")[:-1]]
    if cut or None in entries or len(entries) != found.documents + found.gaps:
        yield Gap(f"{name}/{INDEX}", cut or "damaged or incomplete; what it does not list was not read")
    parts.expect([entry.file for entry in entries if isinstance(entry, DocumentEntry)])
    yield from _in_order(name, parts, [entry for entry in entries if entry is not None])


def _in_order(name: str, parts: Parts, entries: list[DocumentEntry | Gap]) -> Iterator[Document | Gap]:
    ended = ""  # why the archive ended
    lost = 0
    for entry in entries:
        if isinstance(entry, Gap):
            yield entry
            continue
        if ended:
            lost += 1
            continue
        where = f"{name}/{entry.file}"
        try:
            data, why = bounded(parts.content(entry.file), DOCUMENT_BYTES)
        except FileNotFoundError:
            yield Gap(where, "not in the bundle, though its index lists it")
            continue
        except ArchiveError as error:
            ended, lost = _why(error), lost + 1
            continue
        except OSError as error:
            yield Gap(where, _why(error))
            continue
        lines = lines_of_saved(data, entry.kind)
        yield entry.document(lines)
        if why or len(lines) != entry.lines:
            yield Gap(where, f"{why or 'not what was saved'}; {len(lines)} of {entry.lines} lines read")
            ended = why if why.startswith("archive:") else ""
    if lost:
        yield Gap(name, f"{ended}; {lost} of its documents were not read")
        return
    try:
        strays = parts.strays() if not ended else []
    except (ArchiveError, OSError) as error:
        yield Gap(name, _why(error))
        return
    if strays:
        yield Gap(name, f"{len(strays)} files in it are not in its index and were not read, the first is {strays[0][:100]!r}")


def bounded(reader: Reader, most: int) -> tuple[bytes, str]:
    """Content up to a bound or to where it can be read, and why that is not all of it."""
    data = bytearray()
    while len(data) <= most:
        try:
            part = reader.read(BLOCK)
        except (ArchiveError, OSError) as error:
            return bytes(data), _why(error)
        if not part:
            return bytes(data), ""
        data += part
    return bytes(data[:most]), f"larger than {most // 1024**2} MiB"


def _why(error: Exception) -> str:
    if isinstance(error, ArchiveError):
        return str(error)
    return ((error.strerror if isinstance(error, OSError) else None) or type(error).__name__).lower()
