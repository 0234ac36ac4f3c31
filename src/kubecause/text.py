"""Texts in two languages, and the ``<name>`` placeholders in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

Language = Literal["en", "zh"]

_PLACEHOLDER = re.compile(r"<([a-z][a-z0-9_]*)>")


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in English and Chinese."""

    en: str
    zh: str

    def to(self, language: Language) -> str:
        """The text in one language."""
        return self.zh if language == "zh" else self.en


def placeholders(text: str) -> set[str]:
    """The names a text expects: ``kubectl get pod <pod>`` gives ``{'pod'}``."""
    return set(_PLACEHOLDER.findall(text))


def fill(text: str, names: Mapping[str, str]) -> str:
    """Put known names into ``<name>`` placeholders.

    A name that the evidence does not hold stays as ``<name>``: the reader sees what to fill in.
    """
    return _PLACEHOLDER.sub(lambda found: names.get(found[1]) or found[0], text)
