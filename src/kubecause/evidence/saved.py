"""Bundles of our own: ``kubecause collect`` writes them, ``kubecause read`` gets the very documents and gaps back.

What is in one says ``saved_format.py``. A bundle is written beside its place and moved there, readable by its owner
only. Reading is hostile-proof: bounded, typed, and what cannot be read becomes a Gap.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from kubecause import __version__
from kubecause.errors import EvidenceError, KubecauseError, UsageError
from kubecause.evidence.archives import members
from kubecause.evidence.compression import BLOCK, ArchiveError, Expansion, Peekable, decompress, kind_of, zstd_module
from kubecause.evidence.members import Member, Refused
from kubecause.evidence.saved_format import (
    INDEX,
    MARKER,
    MARKER_BYTES,
    VERSION,
    DocumentEntry,
    Marker,
    Origin,
    index_bytes,
    marker_bytes,
    saved_text,
)
from kubecause.evidence.saved_reading import FolderParts, bounded, open_regular, understood
from kubecause.model import Document, Gap

SUFFIXES = (".tar.zst", ".tzst", ".tar.gz", ".tgz", ".tar")
_HEADER = 16 * 1024 * 1024  # bytes that unpacking may give before the marker is read
_RATIO = 250


# --- writing ----------------------------------------------------------------------------------------------


def check_target(path: str, *, force: bool = False) -> None:
    """See whether a bundle can be written to a path, before anything is collected for it.

    :param force: whether a file that is there may be replaced.
    :raises UsageError: when the name has no known ending, the file exists, or its folder cannot be written to.
    """
    if not path.endswith(SUFFIXES):
        raise UsageError(f"cannot save to {path}: the name must end in one of {', '.join(SUFFIXES)}")
    if path.endswith(SUFFIXES[:2]) and zstd_module() is None:
        raise UsageError(f"cannot save to {path}: zstd is not installed (pip install backports.zstd); or name it .tar.gz")
    target = Path(path)
    if target.is_dir():
        raise UsageError(f"cannot save to {path}: that is a folder; name a file in it")
    if os.path.lexists(path) and not force:
        raise UsageError(f"cannot save to {path}: it exists; use --force to replace it, or another name")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise UsageError(f"cannot save to {path}: its folder does not exist or may not be written to")


def write_bundle(
    path: str,
    items: Iterable[Document | Gap],
    *,
    source: tuple[str, str],
    scope: Mapping[str, Any],
    clock: datetime,
    force: bool = False,
) -> None:
    """Save documents and gaps in their order; the same items and clock give the same bytes.

    :param path: a file whose name ends in one of ``SUFFIXES``; how it is compressed follows from that.
    :param source: kind and name, as the report shows them.
    :param scope: what was asked for: values that JSON knows.
    :param clock: when it was collected, with its zone.
    :param force: whether a file that is there may be replaced.
    :raises UsageError: as :func:`check_target`. :raises KubecauseError: when the system refuses.
    """
    check_target(path, force=force)
    every = list(items)
    count = sum(isinstance(item, Document) for item in every)
    marker = Marker(
        format=MARKER.removesuffix(".json"),
        version=VERSION,
        kubecause=__version__,
        source=Origin(*source),
        clock=clock,
        documents=count,
        gaps=len(every) - count,
        scope=dict(scope),
    )
    target = Path(path)
    try:
        descriptor, beside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file, _compressing(path, file) as stream:
                _write_members(stream, marker, every)
            _move(beside, path, force=force)
        finally:
            with contextlib.suppress(FileNotFoundError):
                Path(beside).unlink()
    except OSError as error:
        raise KubecauseError(f"cannot save to {path}: {(error.strerror or str(error)).lower()}; nothing was written") from error


def _move(beside: str, path: str, *, force: bool) -> None:
    """Give a finished file its name; without ``force`` another file of that name is never replaced."""
    if force:
        Path(beside).replace(path)
        return
    try:
        os.link(beside, path)
    except FileExistsError:
        raise UsageError(f"cannot save to {path}: it exists by now; use --force to replace it, or another name") from None
    except OSError:  # no hard links here
        Path(beside).replace(path)


@contextlib.contextmanager
def _compressing(path: str, file: IO[bytes]) -> Iterator[IO[bytes]]:
    if path.endswith((".tar.gz", ".tgz")):
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as zipped:
            yield cast("IO[bytes]", zipped)
    elif path.endswith(".tar"):
        yield file
    else:
        zstd = zstd_module()
        assert zstd is not None  # check_target
        with zstd.ZstdFile(file, mode="w") as packed:
            yield packed


def _write_members(stream: IO[bytes], marker: Marker, items: list[Document | Gap]) -> None:
    width = max(4, len(str(marker.documents)))
    number = 0
    entries: list[DocumentEntry | Gap] = []
    texts: list[tuple[str, bytes]] = []
    for item in items:
        if isinstance(item, Gap):
            entries.append(item)
        else:
            number += 1
            saved = saved_text(item, number, width)
            entries.append(saved.entry)
            texts.append((saved.entry.file, saved.data))
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for name, data in ((MARKER, marker_bytes(marker)), (INDEX, index_bytes(entries)), *texts):
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), 0o600, int(marker.clock.timestamp())
            archive.addfile(info, io.BytesIO(data))


# --- reading ----------------------------------------------------------------------------------------------


class SavedBundle(msgspec.Struct, frozen=True):
    """A bundle that kubecause saved, with what its marker says.

    :param source: kind and name of what was diagnosed. :param scope: what was asked for.
    :param clock: when it was collected. :param version: the kubecause that saved it.
    """

    path: str
    source: tuple[str, str]
    scope: Mapping[str, Any]
    clock: datetime
    version: str
    documents: int
    gaps: int

    def items(self, on_bytes: Callable[[int], None] | None = None) -> Iterator[Document | Gap]:
        """The documents and gaps in their original order, one document in memory at a time."""
        from kubecause.evidence.targets import open_evidence  # it knows bundles through this module

        return open_evidence([self.path], on_bytes=on_bytes)


def read_bundle(path: str) -> SavedBundle | None:
    """What a bundle says of itself; None when the path holds something else, or cannot be opened.

    :param path: a file that :func:`write_bundle` wrote, or a folder it was unpacked into.
    :raises EvidenceError: when it is a bundle, but of a newer kubecause or damaged at its start.
    """
    data = _marker_of(path)
    if data is None:
        return None
    marker, why = understood(data)
    if marker is None:
        raise EvidenceError(f"cannot read {path}: {why}")
    origin = marker.source.kind, marker.source.name
    return SavedBundle(path, origin, marker.scope, marker.clock, marker.kubecause, marker.documents, marker.gaps)


def _marker_of(path: str) -> bytes | None:
    try:
        if path == "-":
            return None
        if Path(path).is_dir():
            with FolderParts(path) as parts:
                return bounded(parts.content(MARKER), MARKER_BYTES)[0]
        with open_regular(path) as file:
            stream = Peekable(file)
            first = next(_first_members(stream), None)
            if not isinstance(first, Member) or first.name != MARKER:
                return None
            return bounded(first.content, MARKER_BYTES)[0]
    except (ArchiveError, OSError, ValueError):
        return None


def _first_members(stream: Peekable) -> Iterator[Member | Refused]:
    limit = Expansion(_HEADER, _RATIO)
    kind = kind_of(stream.peek(BLOCK))
    if kind is not None and kind not in ("tar", "zip"):
        stream = Peekable(decompress(kind, stream, limit))
        kind = kind_of(stream.peek(BLOCK))
    return members("tar", stream, limit) if kind == "tar" else iter(())
