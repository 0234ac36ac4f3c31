#!/usr/bin/env python3
"""Write `docs/facts.md`: every kind of fact with its fields, as `kubecause.vocabulary` defines them.

Run it after a change to the vocabulary; `tests/test_docs.py` fails while the page is older than the code.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap

from kubecause import vocabulary
from kubecause.vocabulary import FACT_KINDS, FactKind

PAGE = Path(__file__).resolve().parent.parent / "docs" / "facts.md"

_HEAD = """\
# Facts

Every kind of fact there is. Parsers and analyses make no others, and a case names no others (`kubecause cases lint` checks
it). In a case a fact stands as `fact:`, its fields in `where:` and `bind:`; see [cases.md](cases.md). The entity is the kind
of thing a fact is about. A field that the evidence does not tell is absent. Text has a fact kind of its own, `line`: signals
reach it through `in:` and `contains:`.

This page is made by `tools/facts_page.py` from `src/kubecause/vocabulary/`; change that, then run the tool.
"""


def page() -> str:
    """The whole page."""
    lines = [_HEAD, *_contents(), *(line for title, kinds in _parts() for line in _part(title, kinds))]
    return "\n".join(lines).rstrip("\n") + "\n"


def _parts() -> list[tuple[str, Mapping[str, FactKind]]]:
    """What each module of the vocabulary is about, and its kinds, in the order of ``FACT_KINDS``."""
    modules = [
        importlib.import_module(f"{vocabulary.__name__}.{found.name}") for found in pkgutil.iter_modules(vocabulary.__path__)
    ]
    parts = [
        ((module.__doc__ or "").strip().splitlines()[0].rstrip(".").replace("``", "`"), module.KINDS)
        for module in modules
        if hasattr(module, "KINDS")
    ]
    order = list(FACT_KINDS)
    return sorted(parts, key=lambda part: order.index(next(iter(part[1]))))


def _contents() -> Iterator[str]:
    for title, kinds in _parts():
        links = ", ".join(f"[`{kind}`](#{_anchor(kind)})" for kind in kinds)
        yield from wrap(f"- {title}: {links}", 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    yield ""


def _anchor(heading: str) -> str:
    """The anchor GitHub gives a heading: dots go, other signs stay."""
    return heading.replace(".", "")


def _part(title: str, kinds: Mapping[str, FactKind]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    for name, kind in kinds.items():
        yield from _kind(name, kind)


def _kind(name: str, kind: FactKind) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    yield f"{_sentence(kind.about)} Entity: {kind.entity}."
    yield ""
    told = {field: meaning for field, meaning in kind.fields.items() if meaning}
    if told:
        yield "| field | what it holds |"
        yield "|---|---|"
        yield from (f"| `{field}` | {_cell(meaning)} |" for field, meaning in told.items())
        yield ""
    plain = [f"`{field}`" for field in kind.fields if field not in told]
    if plain:
        yield f"{'Also' if told else 'Fields'}, named after what they hold: {', '.join(plain)}."
        yield ""


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def _cell(words: str) -> str:
    """Words that cannot end a table cell or look like a tag."""
    return words.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
