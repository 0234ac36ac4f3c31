"""Members of zip archives, by their local headers (PKWARE APPNOTE 6.3, 4.3.7 to 4.3.9).

The directory at the end is not needed, so streams, archives in archives and cut archives can be read. What only the
directory tells (that a member is a symbolic link) stays unknown: such a member is a one-line text with a path.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from kubecause.evidence.compression import BLOCK, ArchiveError, Expansion, Peekable, Unpacked, ZlibDecompressor
from kubecause.evidence.members import Content, Member, Refused, safe_name

_LOCAL = struct.Struct("<4s5H3L2H")


class _ZipEntry(msgspec.Struct):
    name: str
    flags: int
    method: int
    packed: int
    zip64: bool = False
    why: str = ""


def zip_members(source: Peekable, limit: Expansion) -> Iterator[Member | Refused]:
    """Members by their local headers, so that streams and cut archives can be read; the directory at the end is not needed."""
    while source.peek(4) == b"PK\x03\x04":
        entry = _zip_entry(source)
        name = safe_name(entry.name)
        sized = not entry.flags & 8
        content = Content(source, entry.packed if sized else 0)
        if name is None:
            entry.why = "archive: unsafe path"
        elif entry.flags & 1:
            entry.why = "archive: encrypted member"
        elif entry.method not in {0, 8}:
            entry.why = f"archive: compression method {entry.method} is not supported"
        unpacked = None
        if entry.method == 8 and not entry.flags & 1:
            unpacked = _Deflated(content if sized else source, limit)
        if entry.why:
            yield Refused(entry.name, entry.why)
        elif name and not entry.name.endswith("/"):
            if not sized and unpacked is None:
                raise ArchiveError(f"archive: {name} is stored without its size; unpack it first")
            yield Member(name, unpacked or content)
        if sized:
            content.finish(0)
        else:
            _pass_unsized(source, unpacked, entry)


def _zip_entry(source: Peekable) -> _ZipEntry:
    raw = source.read(_LOCAL.size)
    if len(raw) < _LOCAL.size:
        raise ArchiveError("archive: ends too early")
    _, _, flags, method, _, _, _, packed, size, name_length, extra_length = _LOCAL.unpack(raw)
    name, extra = source.read(name_length), source.read(extra_length)
    if len(extra) < extra_length or len(name) < name_length:
        raise ArchiveError("archive: ends too early")
    zip64 = False
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, at)
        if tag == 1:
            zip64 = True
            fields = extra[at + 4 : at + 4 + length]
            offset = 8 if size == 0xFFFFFFFF else 0
            if packed == 0xFFFFFFFF and len(fields) >= offset + 8:
                packed = int.from_bytes(fields[offset : offset + 8], "little")
        at += 4 + length
    return _ZipEntry(_zip_name(name, flags), flags, method, packed, zip64)


def _zip_name(name: bytes, flags: int) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("utf-8" if flags & 0x800 else "gb18030", "replace")


def _pass_unsized(source: Peekable, unpacked: _Deflated | None, entry: _ZipEntry) -> None:
    """Pass over the rest of a member whose size stands behind it, and over that descriptor."""
    if unpacked is None:
        if entry.method == 0 and entry.name.endswith("/"):
            _pass_descriptor(source, entry)
            return
        raise ArchiveError("archive: a member without its size cannot be passed over; unpack it first")
    while unpacked.read(BLOCK):
        pass
    _pass_descriptor(source, entry)


def _pass_descriptor(source: Peekable, entry: _ZipEntry) -> None:
    signed = source.peek(4) == b"PK\x07\x08"
    short, long = (16, 24) if signed else (12, 20)
    ahead = source.peek(long + 4)
    wide = ahead[long : long + 2] == b"PK" and ahead[short : short + 2] != b"PK"
    source.skip(long if wide or (entry.zip64 and ahead[short : short + 2] != b"PK") else short)


class _Deflated:
    """A deflated member; it knows its own end, and what was read beyond it goes back."""

    def __init__(self, source: Content | Peekable, limit: Expansion) -> None:
        self._peekable = source if isinstance(source, Peekable) else None
        packed = source if isinstance(source, Peekable) else Peekable(source)
        self._inner = Unpacked(packed, lambda: ZlibDecompressor(-15), limit, single=True)

    def read(self, size: int, /) -> bytes:
        data = self._inner.read(size)
        if not data and self._peekable is not None:
            self._peekable.give_back(self._inner.spare)
            self._peekable = None
        return data
