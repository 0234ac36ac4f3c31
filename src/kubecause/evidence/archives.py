"""Members of tar and zip archives, read as streams: nothing is written to disk, no list of members is kept.

The readers are our own because the input is hostile: the standard ones keep all members, read whole headers into
memory and want files they can seek in. Formats: POSIX pax (IEEE 1003.1, "pax"), the GNU tar manual (long names).
Zip is read in ``zip_members.py``.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator

from kubecause.evidence.compression import BLOCK, ArchiveError, Expansion, Kind, Peekable, shortened
from kubecause.evidence.members import Content, Member, Refused, link_leaves, safe_name
from kubecause.evidence.zip_members import zip_members

_HEADER_LIMIT = 1024 * 1024  # bytes of a pax header or a GNU long name; real ones have a few hundred


def members(kind: Kind, source: Peekable, limit: Expansion) -> Iterator[Member | Refused]:
    """The files of a tar or zip archive in their order; raises ArchiveError where it is damaged or cut."""
    return _tar_members(source) if kind == "tar" else zip_members(source, limit)


_NO_DATA = frozenset({b"1", b"2", b"3", b"4", b"5", b"6"})  # links, devices, folders, pipes


def _tar_members(source: Peekable) -> Iterator[Member | Refused]:
    override: dict[str, str] = {}
    zeros = 0
    while zeros < 2:
        block = source.read(512)
        if not block:
            return  # no end mark: GNU tar accepts it
        if len(block) < 512:
            raise ArchiveError("archive: ends too early")
        if not any(block):
            zeros += 1
            continue
        zeros = 0
        header = _tar_header(block)
        size = 0 if header.type in _NO_DATA else _decimal(override.get("size"), header.size)
        if size < 0 or size > 1 << 60:
            raise ArchiveError("archive: damaged (size of a member)")
        if header.type == b"S":
            _pass_sparse_map(source, block)
        content = Content(source, size)
        padding = -size % 512
        if header.type in (b"L", b"K", b"x", b"X"):
            override.update(_tar_override(header, content))
        elif header.type != b"g":
            yield from _tar_member(header, override, content)
            override = {}
        content.finish(padding)


def _pass_sparse_map(source: Peekable, block: bytes) -> None:
    """Pass over the blocks that go on with the map of an old GNU sparse file."""
    more = block[482]
    while more:
        block = source.read(512)
        if len(block) < 512:
            raise ArchiveError("archive: ends too early")
        more = block[504]


def _tar_header(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.TarError, ValueError, OverflowError, IndexError) as error:
        raise ArchiveError(f"archive: damaged ({shortened(error)})") from error


def _decimal(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else default


def _tar_override(header: tarfile.TarInfo, content: Content) -> dict[str, str]:
    """What a GNU long name or a pax header says about the next member: its path, its link target, its size."""
    if content.left > _HEADER_LIMIT:
        raise ArchiveError("archive: damaged (a header larger than 1 MiB)")
    data = bytearray()
    while part := content.read(BLOCK):
        data += part
    if header.type == b"L":
        return {"path": data.rstrip(b"\0").decode("utf-8", "replace")}
    if header.type == b"K":
        return {"linkpath": data.rstrip(b"\0").decode("utf-8", "replace")}
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        blank = data.find(b" ", at, at + 12)
        length = int(data[at:blank]) if blank > at and data[at:blank].isdigit() else 0
        if length < 5 or at + length > len(data):
            break
        key, _, value = bytes(data[blank + 1 : at + length - 1]).partition(b"=")
        if key in {b"path", b"linkpath", b"size"}:
            found[key.decode()] = value.decode("utf-8", "replace")
        elif key.startswith(b"GNU.sparse."):
            found["sparse"] = "yes"
        at += length
    return found


def _tar_member(header: tarfile.TarInfo, override: dict[str, str], content: Content) -> Iterator[Member | Refused]:
    given = override.get("path", header.name)
    name = safe_name(given)
    target = override.get("linkpath", header.linkname)
    if name is None:
        yield Refused(given, "archive: unsafe path")
    elif header.isdir() or not name:
        return
    elif header.issym():
        if link_leaves(name, target):
            yield Refused(name, "symbolic link leaves the folder")
    elif header.islnk():
        if safe_name(target) is None:
            yield Refused(name, "archive: hard link leaves the archive")
    elif header.type == b"S" or "sparse" in override:
        yield Refused(name, "archive: sparse file")
    elif header.isreg() or header.type == b"7":
        yield Member(name, content)
    else:
        yield Refused(name, "not a regular file")
