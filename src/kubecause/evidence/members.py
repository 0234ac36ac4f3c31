"""What an archive holds: members that are read, members that are refused, and which names are safe."""

from __future__ import annotations

import msgspec

from kubecause.evidence.compression import BLOCK, ArchiveError, Peekable, Reader


class Member(msgspec.Struct, frozen=True):
    """A file in an archive; its content must be read before the next member is asked for."""

    name: str
    content: Reader


class Refused(msgspec.Struct, frozen=True):
    """A member that is not read, and why."""

    name: str
    why: str


def safe_name(name: str) -> str | None:
    """A member's name as a relative path, or None when it leaves the archive (absolute, drive letter, ``..``)."""
    name = name.replace("\\", "/")
    if name.startswith("/") or name[1:3] == ":/" or "\0" in name:
        return None
    parts = [part for part in name.split("/") if part not in {"", "."}]
    return None if ".." in parts else "/".join(parts)


def link_leaves(name: str, target: str) -> bool:
    """Whether a symbolic link at ``name`` leads out of the archive."""
    if target.startswith("/"):
        return True
    depth = name.count("/")
    for part in target.split("/"):
        depth += -1 if part == ".." else int(part not in {"", "."})
        if depth < 0:
            return True
    return False


class Content(msgspec.Struct):
    """The content of one member: ``left`` bytes of the archive."""

    source: Peekable
    left: int

    def read(self, size: int, /) -> bytes:
        """At most ``size`` further bytes of the member; ArchiveError where the archive ends before it."""
        if self.left <= 0:
            return b""
        data = self.source.some(min(size, self.left, BLOCK))
        if not data:
            raise ArchiveError("archive: ends too early")
        self.left -= len(data)
        return data

    def finish(self, padding: int) -> None:
        """Pass over what nobody read, and over the padding behind it."""
        left, self.left = self.left, 0
        if not self.source.skip(left + padding):
            raise ArchiveError("archive: ends too early")
