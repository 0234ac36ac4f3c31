"""A target in, clean redacted texts out: files, folders, standard input, and archives anywhere in them.

A target is hostile input. Nothing is followed out of it, nothing but regular files is opened, nothing is read
without a bound, and memory does not grow with the size of a log. Whatever was not read becomes a Gap.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from kubecause.errors import EvidenceError
from kubecause.evidence.archives import members
from kubecause.evidence.compression import COMPRESSIONS, ArchiveError, Expansion, Kind, Peekable, Reader, decompress, kind_of
from kubecause.evidence.decode import sniff
from kubecause.evidence.list_items import ListHead, list_head
from kubecause.evidence.members import Member, Refused, safe_name
from kubecause.evidence.saved_format import DOCUMENTS, INDEX, MARKER
from kubecause.evidence.saved_reading import ArchiveParts, FolderParts, read_saved
from kubecause.evidence.texts import MIB, TextReader, size_text
from kubecause.model import Document, Gap

if TYPE_CHECKING:
    from kubecause.evidence.large_lists import LargeLists

GIB = 1024 * MIB
_HEAD = 64 * 1024  # bytes that decide what a file is


class RawText(msgspec.Struct, frozen=True):
    """A text, or a chunk of whole lines of a long one.

    :param source: path relative to the target, with ``/``; ``-`` for standard input; ``a.tar.gz/logs/x.log`` in archives.
    :param lines: redacted, without line ends and terminal escapes.
    :param first_line: number of ``lines[0]`` in the file, from 1.
    :param last: False while further chunks of the same file follow.
    :param collected: when it was collected, where something certain tells; the time stamp of a file is not certain.
    """

    source: str
    lines: Sequence[str]
    first_line: int = 1
    last: bool = True
    collected: datetime | None = None


class Limits(msgspec.Struct, frozen=True):
    """How much is read; sizes in bytes unless said otherwise. The defaults fit a support bundle of 10 GB in 1 GiB of memory.

    :param total: of all texts together, unpacked.
    :param per_file: of one text, unpacked (standard input: only ``total`` counts).
    :param chunk: size of the pieces a long text comes in.
    :param line: longest line, in characters; the rest of it is cut. Does not hold for structured files.
    :param structured: largest JSON or YAML file that is kept whole, so that it can be read as objects.
    :param large_list: lists of the API's objects that are larger are screened item by item, whatever their size.
    :param archive_ratio: how many times larger than its archive a stream may become, once it gave 64 MiB.
    :param expanded: what all archives together may unpack to, members that are passed over included.
    :param files: number of files and members.
    :param depth: of folders below the target.
    :param archive_depth: of archives within archives.
    """

    total: int = 16 * GIB
    per_file: int = 4 * GIB
    chunk: int = 4 * MIB
    line: int = 64 * 1024
    structured: int = 64 * MIB
    large_list: int = 16 * MIB
    archive_ratio: int = 250
    expanded: int = 32 * GIB
    files: int = 200_000
    depth: int = 64
    archive_depth: int = 3


Item = RawText | Gap | Document  # documents come out of bundles that kubecause saved, and are what they were


def read_texts(
    target: str,
    limits: Limits | None = None,
    stdin: BinaryIO | None = None,
    on_bytes: Callable[[int], None] | None = None,
    lists: Callable[[], LargeLists] | None = None,
) -> Iterator[Item]:
    """Every text below a target, in a fixed order: folders sorted by name, archives as they are packed.

    :param target: a file, a folder, or ``-`` for standard input.
    :param limits: how much is read at most.
    :param stdin: what ``-`` reads instead of the standard input of the process.
    :param on_bytes: called with the number of bytes just read from the target, before unpacking.
    :param lists: gives what takes lists of a whole cluster; without it they are read like any other text.
    :raises EvidenceError: when the target itself cannot be opened.
    """
    session = _Session(limits or Limits(), on_bytes, lists)
    if target == "-":
        return session.stream("-", Peekable(_Counted(stdin or sys.stdin.buffer, on_bytes)), 0)
    try:
        found = Path(target).stat()
    except (OSError, ValueError) as error:
        raise EvidenceError(f"cannot read {_printable(target)}: {_reason(error)}; check the path") from error
    if stat.S_ISDIR(found.st_mode):
        try:
            os.scandir(target).close()
        except OSError as error:
            raise EvidenceError(f"cannot list {_printable(target)}: {_reason(error)}; check who may read it") from error
        return session.folder(target, "", 0)
    if not stat.S_ISREG(found.st_mode):
        raise EvidenceError(f"cannot read {_printable(target)}: not a regular file; send its output to `kubecause read -`")
    try:
        descriptor = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise EvidenceError(f"cannot read {_printable(target)}: {_reason(error)}; check who may read it") from error
    return session.descriptor(_printable(Path(target).absolute().name), descriptor)


def _reason(error: Exception) -> str:
    """What the system says about an error, in lower case and without the path."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return text.splitlines()[0][:120].lower()


def _printable(name: str) -> str:
    """A file name that is safe to print: no control characters, no broken encoding."""
    text = os.fsencode(name).decode("utf-8", "replace") if "\0" not in name else name
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


class _Counted(msgspec.Struct):
    """Tells how many bytes were read."""

    source: BinaryIO
    on_bytes: Callable[[int], None] | None

    def read(self, size: int, /) -> bytes:
        data = self.source.read(size) or b""
        if self.on_bytes and data:
            self.on_bytes(len(data))
        return data


class _Session:
    """One run over one target: what may still be read."""

    def __init__(self, limits: Limits, on_bytes: Callable[[int], None] | None, lists: Callable[[], LargeLists] | None) -> None:
        self._limits = limits
        self._lists = lists
        self._on_bytes = on_bytes
        self._left = limits.total
        self._files = 0
        self._stopped = False
        self._expansion = Expansion(limits.expanded, limits.archive_ratio)

    # --- folders ---

    def folder(self, root: str, below: str, depth: int) -> Iterator[Item]:
        """All files of a folder, sorted; ``below`` is its path in the target."""
        path = Path(root, below)
        try:
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            yield Gap(_printable(below), _reason(error))
            return
        if any(entry.name == MARKER for entry in entries):
            with FolderParts(str(path)) as parts:
                yield from read_saved(_printable(below or path.absolute().name), parts)
            entries = [entry for entry in entries if entry.name not in (MARKER, INDEX, DOCUMENTS)]
        for entry in entries:
            if self._stopped:
                return
            yield from self._entry(root, f"{below}/{entry.name}" if below else entry.name, entry, depth)

    def _entry(self, root: str, name: str, entry: os.DirEntry[str], depth: int) -> Iterator[Item]:
        shown = _printable(name)
        try:
            if entry.is_symlink():
                why = _link_trouble(root, entry.path)
                if why:
                    yield Gap(shown, why)
            elif entry.is_dir(follow_symlinks=False):
                if depth >= self._limits.depth:
                    yield Gap(shown, f"folder nested deeper than {self._limits.depth}")
                else:
                    yield from self.folder(root, name, depth + 1)
            elif not entry.is_file(follow_symlinks=False):
                yield Gap(shown, "not a regular file")
            else:
                descriptor = os.open(entry.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
                yield from self.descriptor(shown, descriptor)
        except OSError as error:
            yield Gap(shown, _reason(error))

    def descriptor(self, name: str, descriptor: int) -> Iterator[Item]:
        """An open file, which is closed afterwards."""
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                yield Gap(name, "not a regular file")
                return
            yield from self.stream(name, Peekable(_Counted(file, self._on_bytes)), 0)

    # --- content ---

    def stream(self, name: str, stream: Peekable, depth: int, *, packed: bool = False) -> Iterator[Item]:
        """A text or an archive, told by its first bytes.

        :param depth: how many archives it lies in.
        :param packed: whether it came out of a compressed stream, which counts as one archive with the tar inside.
        """
        if self._over(name):
            yield Gap(name, f"more than {self._limits.files} files; the rest was not read")
            return
        try:
            head = stream.peek(_HEAD)
            kind = kind_of(head)
            if kind is None:
                yield from self._text(name, stream, head)
            elif depth - packed >= self._limits.archive_depth and not (packed and kind == "tar"):
                yield Gap(name, f"archive: nested deeper than {self._limits.archive_depth}")
            elif kind in {"tar", "zip"}:
                yield from self._members(name, kind, stream, depth if packed else depth + 1)
            else:
                inner: Reader = decompress(kind, stream, self._expansion)
                yield from self.stream(name, Peekable(inner), depth + 1, packed=kind in COMPRESSIONS)
        except (ArchiveError, OSError) as error:
            yield Gap(name, str(error) if isinstance(error, ArchiveError) else _reason(error))

    def _over(self, name: str) -> bool:
        del name
        self._files += 1
        if self._files <= self._limits.files:
            return False
        self._stopped = True
        return True

    def _members(self, name: str, kind: Kind, stream: Peekable, depth: int) -> Iterator[Item]:
        told = ""
        try:
            following = members(kind, stream, self._expansion)
            for number, member in enumerate(following):
                if number == 0 and isinstance(member, Member) and member.name == MARKER:
                    yield from read_saved(name, ArchiveParts(member, following))
                    return
                if self._stopped:
                    return
                if isinstance(member, Refused):
                    if self._over(name):
                        yield Gap(name, f"more than {self._limits.files} files; the rest was not read")
                        return
                    yield Gap(f"{name}/{_printable(member.name)}", member.why)
                    continue
                below = f"{name}/{_printable(safe_name(member.name) or member.name)}"
                for text in self.stream(below, Peekable(member.content), depth):
                    told = text.why if isinstance(text, Gap) else ""
                    yield text
        except (ArchiveError, OSError) as error:
            why = str(error) if isinstance(error, ArchiveError) else _reason(error)
            if why != told:
                yield Gap(name, why)

    def _text(self, name: str, stream: Peekable, head: bytes) -> Iterator[Item]:
        if not head:
            return
        if head.count(0) == len(head):
            head = _past_zeros(stream)
        encoding = sniff(head)
        if isinstance(encoding, str):
            yield Gap(name, encoding)
            return
        limits = self._limits
        start = list_head(head[encoding.bom :]) if self._lists and not encoding.wide else None
        if self._lists and start and len(stream.peek(limits.large_list + 1)) > limits.large_list:
            stream.skip(encoding.bom)
            yield from self._large_list(self._lists(), name, stream, start)
            return
        room = self._left if name == "-" else min(self._left, limits.per_file)
        reader = TextReader(stream, encoding, room=room, chunk=limits.chunk, line=limits.line, structured=limits.structured)
        for lines, first_line, last in reader.chunks(head):
            yield RawText(name, lines, first_line, last)
        self._left -= reader.taken
        for why in reader.troubles:
            yield Gap(name, why)
        if reader.full and self._left > 0:
            yield Gap(name, f"larger than {size_text(room)}; read from line 1 to {reader.lines} only")
        elif reader.full:
            self._stopped = True
            yield Gap(name, f"more than {size_text(limits.total)} in all; read up to line {reader.lines}, and nothing behind it")

    def _large_list(self, lists: LargeLists, name: str, stream: Peekable, start: ListHead) -> Iterator[Gap]:
        """Hand a list to the screen; only the bound on all texts together counts, for little of it stays in memory."""
        trouble = ""

        def read(size: int) -> bytes:
            nonlocal trouble
            try:
                data = stream.read(min(size, self._left))
            except (ArchiveError, OSError) as error:
                trouble = str(error) if isinstance(error, ArchiveError) else f"cannot be read to its end: {_reason(error)}"
                return b""
            self._left -= len(data)
            return data

        done = lists.read(name, start, read)
        if trouble:
            yield Gap(name, trouble)
        elif done.cut and self._left <= 0 and stream.peek(1):
            self._stopped = True
            yield Gap(name, f"more than {size_text(self._limits.total)} in all; nothing behind item {done.items} was read")


def _past_zeros(stream: Peekable) -> bytes:
    """The first bytes behind a hole (a log that was truncated while it was written), if text follows within 1 MiB."""
    for _ in range(MIB // _HEAD):
        head = stream.peek(_HEAD)
        if head.count(0) != len(head):
            stream.skip(len(head) - len(head.lstrip(b"\0")))
            return stream.peek(_HEAD)
        if len(head) < _HEAD:
            return head
        stream.skip(_HEAD)
    return b"\0" * _HEAD


def _link_trouble(root: str, path: str) -> str | None:
    """What is wrong with a symbolic link, or None.

    A link to something inside the target needs no reading: the file is read under its own name, once. A dangling link
    is not evidence.
    """
    try:
        real = os.path.realpath(path, strict=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        return "symbolic link loop" if "too many levels" in _reason(error) else _reason(error)
    base = os.path.realpath(root)
    if real != base and not real.startswith(base.rstrip(os.sep) + os.sep):
        return "symbolic link leaves the folder"
    return "symbolic link loop" if (os.path.realpath(Path(path).parent) + os.sep).startswith(real + os.sep) else None
