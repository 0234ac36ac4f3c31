"""The root of records that carry tokens, keys or bodies: what may be printed of them is named, the rest never is."""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Guarded(msgspec.Struct, frozen=True):
    """A record whose ``repr``, and so every traceback and failed assertion, has only the fields named in ``shown``."""

    shown: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.shown)
        return f"{type(self).__name__}({fields})"
