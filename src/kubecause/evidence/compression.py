"""Compressed streams (gzip, bzip2, xz, zstd) and the reader all archives are read through.

Streams only: nothing is written to disk, and what comes out is counted, so that a decompression bomb ends at a limit.
"""

from __future__ import annotations

import bz2
import importlib
import lzma
import tarfile
import zlib
from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec

Kind = Literal["gzip", "bzip2", "xz", "zstd", "zip", "tar", "lz4", "7z", "rar"]
COMPRESSIONS: frozenset[Kind] = frozenset({"gzip", "bzip2", "xz", "zstd"})

BLOCK = 64 * 1024
_XZ_MEMORY = 256 * 1024 * 1024  # bytes a decompressor may use; xz -9 needs 65 MiB

_MAGIC: tuple[tuple[bytes, int, Kind], ...] = (
    (b"\x1f\x8b\x08", 0, "gzip"),
    (b"BZh", 0, "bzip2"),
    (b"\xfd7zXZ\x00", 0, "xz"),
    (b"\x28\xb5\x2f\xfd", 0, "zstd"),
    (b"PK\x03\x04", 0, "zip"),
    (b"PK\x05\x06", 0, "zip"),
    (b"ustar", 257, "tar"),
    (b"\x04\x22\x4d\x18", 0, "lz4"),
    (b"7z\xbc\xaf\x27\x1c", 0, "7z"),
    (b"Rar!\x1a\x07", 0, "rar"),
)


class ArchiveError(Exception):
    """An archive is damaged or goes past a limit; its text is the reason, for a Gap."""


class Reader(Protocol):
    """Where bytes come from: at most ``size`` of them, none at the end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes."""


def kind_of(head: bytes) -> Kind | None:
    """The kind of archive that starts with ``head`` (512 bytes are enough), or None."""
    for magic, offset, kind in _MAGIC:
        if head.startswith(magic, offset):
            return kind if kind != "bzip2" or head[3:4].isdigit() else None
    return "tar" if _is_old_tar(head) else None


def _is_old_tar(head: bytes) -> bool:
    if len(head) < 512 or not head[0] or b"\0" not in head[:101]:
        return False
    try:
        return bool(tarfile.TarInfo.frombuf(head[:512], "utf-8", "replace").name)
    except (tarfile.TarError, ValueError, OverflowError, IndexError):
        return False


class Peekable:
    """A reader whose next bytes can be looked at.

    An error of the source comes only after everything that could be read before it was given out.
    """

    def __init__(self, source: Reader) -> None:
        self._source = source
        self._ahead = b""
        self._at = 0  # what of _ahead is given out already
        self._error: Exception | None = None

    def _have(self, size: int) -> int:
        """How many of the next ``size`` bytes there are; fewer only at the end."""
        have = len(self._ahead) - self._at
        if have >= size:
            return size
        parts = [self._ahead[self._at :]]
        try:
            while have < size and self._error is None:
                part = self._source.read(max(size - have, BLOCK))
                if not part:
                    break
                parts.append(part)
                have += len(part)
        except (ArchiveError, OSError) as error:
            self._error = error
        self._ahead, self._at = b"".join(parts), 0
        if have == 0 and size > 0 and self._error is not None:
            raise self._error
        return min(have, size)

    def peek(self, size: int) -> bytes:
        """The next ``size`` bytes, fewer only at the end; they stay to be read."""
        have = self._have(size)
        return self._ahead[self._at : self._at + have]

    def read(self, size: int, /) -> bytes:
        """The next ``size`` bytes, fewer only at the end."""
        data = self.peek(size)
        self._at += len(data)
        return data

    def some(self, size: int) -> bytes:
        """At least one and at most ``size`` bytes, without waiting for all of them; none at the end."""
        self._have(1)
        data = self._ahead[self._at : self._at + size]
        self._at += len(data)
        return data

    def give_back(self, data: bytes) -> None:
        """Put bytes back in front."""
        if data:
            self._ahead, self._at = data + self._ahead[self._at :], 0

    def skip(self, size: int) -> bool:
        """Pass over bytes; whether there were that many."""
        while size > 0:
            part = self.some(min(size, BLOCK))
            if not part:
                return False
            size -= len(part)
        return True


# --- compression --------------------------------------------------------------------------------------------------


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether more bytes must be fed before more come out."""

    @property
    def unused_data(self) -> bytes:
        """Bytes fed from behind the end of the stream."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most ``max_length`` further bytes."""


class ZlibDecompressor:
    """zlib's decompressor behind the interface of bz2 and lzma.

    :param window: 31 for gzip, -15 for the bare deflate of zip.
    """

    def __init__(self, window: int) -> None:
        self._real = zlib.decompressobj(window)

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        return self._real.eof

    @property
    def needs_input(self) -> bool:
        """Whether everything fed has been looked at."""
        return not self._real.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """Bytes fed from behind the end of the stream."""
        return self._real.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most ``max_length`` further bytes; all there are when it is negative."""
        return self._real.decompress(self._real.unconsumed_tail + data, max(max_length, 0))


def zstd_module() -> Any | None:
    """``compression.zstd`` of Python 3.14 (PEP 784), else its backport; None where neither is installed."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


class ZstdDecompressor:
    """zstd's decompressor behind the interface of bz2 and lzma: what it finds damaged is a ValueError.

    :param module: what :func:`zstd_module` gave.
    """

    def __init__(self, module: Any) -> None:
        self._real: _Decompressor = module.ZstdDecompressor()
        self._damage: type[Exception] = module.ZstdError

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        return self._real.eof

    @property
    def needs_input(self) -> bool:
        """Whether more bytes must be fed before more come out."""
        return self._real.needs_input

    @property
    def unused_data(self) -> bytes:
        """Bytes fed from behind the end of the stream."""
        return self._real.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most ``max_length`` further bytes."""
        try:
            return self._real.decompress(data, max_length)
        except self._damage as error:
            raise ValueError(str(error)) from error


def _maker(kind: Kind) -> Callable[[], _Decompressor]:
    if kind == "gzip":
        return lambda: ZlibDecompressor(31)
    if kind == "bzip2":
        return bz2.BZ2Decompressor
    if kind == "xz":
        return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY)
    zstd = zstd_module() if kind == "zstd" else None
    if zstd is not None:
        return lambda: ZstdDecompressor(zstd)
    hint = {"zstd": "unpack it with unzstd first", "lz4": "unpack it with unlz4 first"}.get(kind, "unpack it first")
    raise ArchiveError(f"archive: {kind} is not supported here; {hint}")


class Expansion(msgspec.Struct):
    """What decompression may still give, for all archives of a run together.

    :param ratio: how many times larger than what was read one stream may become, once it gave ``floor`` bytes.
    """

    left: int
    ratio: int
    floor: int = 64 * 1024 * 1024


class Unpacked:
    """The content of a compressed stream; several streams behind each other count as one, as gunzip does."""

    def __init__(self, source: Peekable, make: Callable[[], _Decompressor], limit: Expansion, *, single: bool = False) -> None:
        self._source = source
        self._make = make
        self._limit = limit
        self._single = single
        self._one = make()
        self._spare = b""
        self._given = self._fed = 0
        self._done = False

    @property
    def spare(self) -> bytes:
        """Bytes taken from the source that lie behind the end of the stream."""
        return self._one.unused_data if self._done and self._single else b""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; raises ArchiveError over damage, a cut stream, or past a limit."""
        while not self._done:
            try:
                if self._one.eof and not self._next_stream():
                    break
                hungry = self._one.needs_input
                data = self._feed() if hungry else b""
                out = self._one.decompress(data, max(1, min(size, BLOCK)))
            except (zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, MemoryError) as error:
                raise ArchiveError(f"archive: damaged ({shortened(error)})") from error
            if hungry and not data and not out and not self._one.eof:
                raise ArchiveError("archive: ends too early")
            if self._one.eof and self._single:
                self._done = True
            if out:
                self._account(len(out))
                return out
        return b""

    def _feed(self) -> bytes:
        data = self._spare or self._source.some(BLOCK)
        self._spare = b""
        self._fed += len(data)
        return data

    def _next_stream(self) -> bool:
        """Start the next stream if one follows; zeros and rubbish behind the last one are ignored, as gunzip does."""
        rest = self._one.unused_data or self._source.some(BLOCK)
        rest = rest.lstrip(b"\0")
        if kind_of(rest + self._source.peek(8)) not in COMPRESSIONS:
            self._done = True
            return False
        self._one = self._make()
        self._spare = rest or self._source.some(BLOCK)
        return True

    def _account(self, size: int) -> None:
        self._given += size
        self._limit.left -= size
        if self._limit.left < 0:
            raise ArchiveError("archive: unpacks to more than the limit for all archives; unpack it and name the folder")
        if self._given > self._limit.floor and self._given > self._limit.ratio * max(self._fed, 1):
            raise ArchiveError(f"archive: unpacks to more than {self._limit.ratio} times its size; unpack it and name the folder")


def shortened(error: Exception) -> str:
    """What an error says, short enough for a gap."""
    return (str(error) or type(error).__name__).splitlines()[0][:80]


def decompress(kind: Kind, source: Peekable, limit: Expansion) -> Reader:
    """The content of a gzip, bzip2, xz or zstd stream; ArchiveError where the kind cannot be read here."""
    return Unpacked(source, _maker(kind), limit)
