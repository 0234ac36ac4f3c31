"""The samples of host command outputs, and how tests read them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from kubecause.facts import (
    host_certificates,
    host_docker,
    host_etcd,
    host_files,
    host_network,
    host_resources,
    host_systemd,
)
from kubecause.model import Channel, Document, Fact

FOLDER = Path(__file__).parent.parent / "samples" / "host"
SAMPLES = {path.name.rpartition(".")[0]: path.read_text(encoding="utf-8") for path in sorted(FOLDER.iterdir())}

# In the order in which the kinds of a text should be tried.
MODULES: tuple[ModuleType, ...] = (
    host_etcd,
    host_certificates,
    host_docker,
    host_systemd,
    host_resources,
    host_network,
    host_files,
)
PARSERS: dict[str, Callable[[Document], Iterator[Fact]]] = {
    kind: parser for module in MODULES for kind, parser in module.PARSERS.items()
}
RECOGNISERS: list[tuple[str, re.Pattern[str]]] = [entry for module in MODULES for entry in module.RECOGNISERS]


def document(text: str, kind: str, **details: Any) -> Document:
    """A pasted document; its first line is line 10 of its source."""
    return Document(source="paste.txt", kind=kind, channel=Channel.COMMAND, lines=text.split("\n"), first_line=10, **details)


def facts(sample: str, kind: str, **details: Any) -> list[Fact]:
    """What the parser of a kind reads from a sample."""
    return list(PARSERS[kind](document(SAMPLES[sample], kind, **details)))


def fields(found: list[Fact], kind: str) -> list[dict[str, Any]]:
    """The fields of the facts of one kind."""
    return [dict(fact.fields) for fact in found if fact.kind == kind]


def recognised(text: str) -> list[str]:
    """All kinds whose marks stand in the first 30 lines of a text."""
    head = "\n".join(text.split("\n")[:30])
    return sorted({kind for kind, pattern in RECOGNISERS if pattern.search(head)})
