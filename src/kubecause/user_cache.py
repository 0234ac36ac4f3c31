"""Files in the user's cache folder: what takes long to make and can be made again.

A file is a help, never a need: one that is foreign or cannot be read is not there. Whether it is damaged, its reader finds out.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

MAX_BYTES = 64 * 1024 * 1024


def read(name: str) -> bytes | None:
    """What a file holds; None where there is none of this user that nobody else may write."""
    folder = _folder()
    if folder is None:
        return None
    try:
        with (folder / name).open("rb") as opened:
            found = os.fstat(opened.fileno())
            if not _is_ours(found) or found.st_size > MAX_BYTES:
                return None
            return opened.read(MAX_BYTES)
    except (OSError, ValueError):
        return None


def write(name: str, data: bytes) -> None:
    """Write beside the file and move into place (mode 0600), so that a reader never sees half of it."""
    folder = _folder()
    if folder is None:
        return
    import tempfile  # brings half of the library's compression with it, and is needed once

    beside = None
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, beside = tempfile.mkstemp(dir=folder, prefix=f".{name}-")
        with os.fdopen(handle, "wb") as opened:
            opened.write(data)
        Path(beside).replace(folder / name)
    except OSError:
        if beside is not None:
            with contextlib.suppress(OSError):
                Path(beside).unlink()


def _folder() -> Path | None:
    """The folder, which may not be there yet; None for a user without a home."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # https://specifications.freedesktop.org/basedir-spec: relative paths are invalid
        try:
            base = Path("~/.cache").expanduser()
        except RuntimeError:
            return None
    return base / "kubecause"


def _is_ours(found: os.stat_result) -> bool:
    """A plain file of this user that nobody else may write: it becomes advice, or runs, so it must not be foreign."""
    if not stat.S_ISREG(found.st_mode):
        return False
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)
