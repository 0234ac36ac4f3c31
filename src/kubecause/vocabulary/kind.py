"""What describes one kind of fact."""

from __future__ import annotations

import msgspec


class FactKind(msgspec.Struct, frozen=True):
    """One kind of fact.

    :param entity: kind of the entity it is about.
    :param fields: name of each field and what it holds.
    """

    entity: str
    about: str
    fields: dict[str, str]
