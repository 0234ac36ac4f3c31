"""House rules about the texts of a case: both languages, their punctuation, the names they expect."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubecause.knowledge.house_rule import Breach, House, KeyPath, Rule, texts
from kubecause.knowledge.schema import Case
from kubecause.text import placeholders

# Names that a finding always has when the evidence holds them; all others must be bound by a signal.
STANDARD_NAMES = frozenset(
    {
        "namespace",
        "pod",
        "container",
        "node",
        "workload",
        "kind",
        "service",
        "claim",
        "volume",
        "name",
        "entity",
        "ingress",
        "owner",
        "image",
        "cluster",
        "registry",
        "address",
    }
)
LONGEST_TITLE = 90

_CJK = "\u3400-\u4dbf\u4e00-\u9fff"
_HAS_CJK = re.compile(f"[{_CJK}]")
_HALF_WIDTH = re.compile(rf"[{_CJK}] ?([,.;:!?()]) ?(?=[{_CJK}])")
_GROUP = re.compile(r"\(\?P<(\w+)>")


def bound_names(case: Case) -> set[str]:
    """Every name some signal binds, by a group of a pattern or by ``bind``."""
    names: set[str] = set()
    for signal in case.signals.values():
        names |= signal.bind.keys()
        for pattern in [signal.regex or "", *signal.capture]:
            names |= set(_GROUP.findall(pattern))
    return names


def both_languages(case: Case, _house: House) -> Iterator[Breach]:
    """Every text says something in English and in Chinese."""
    for at, text in texts(case):
        if not text.en.strip():
            yield Breach((*at, "en"), f"{_dotted(at)}.en is empty")
        elif _HAS_CJK.search(text.en):
            yield Breach((*at, "en"), f"{_dotted(at)}.en holds Chinese characters")
        if not text.zh.strip():
            yield Breach((*at, "zh"), f"{_dotted(at)}.zh is empty")
        elif not _HAS_CJK.search(text.zh):
            yield Breach((*at, "zh"), f"{_dotted(at)}.zh holds no Chinese character")


def chinese_punctuation(case: Case, _house: House) -> Iterator[Breach]:
    """Between Chinese characters stand Chinese marks."""
    for at, text in texts(case):
        found = _HALF_WIDTH.search(text.zh)
        if found is not None:
            yield Breach((*at, "zh"), f"{_dotted(at)}.zh has `{found[1]}` between Chinese characters; use the full-width mark")


def short_titles(case: Case, _house: House) -> Iterator[Breach]:
    """A title fits on one line."""
    for language, title in (("en", case.title.en), ("zh", case.title.zh)):
        if len(title) > LONGEST_TITLE:
            yield Breach(("title", language), f"title.{language} has {len(title)} characters, at most {LONGEST_TITLE}")


def placeholders_are_bound(case: Case, _house: House) -> Iterator[Breach]:
    """Every <name> in a text or command is bound by a signal or always known."""
    known = bound_names(case) | STANDARD_NAMES
    for at, text in _written(case):
        for name in sorted(placeholders(text) - known):
            yield Breach(at, f"<{name}> in {_dotted(at)} is bound by no signal; for the reader to fill in write it with a dash")


def _written(case: Case) -> Iterator[tuple[KeyPath, str]]:
    for at, text in texts(case):
        yield (*at, "en"), text.en
        yield (*at, "zh"), text.zh
    for number, look in enumerate(case.look):
        yield ("look", number, "run"), look.run
    for number, fix in enumerate(case.fixes):
        yield ("fixes", number, "verify", "run"), fix.verify.run
        yield ("fixes", number, "verify", "expect"), fix.verify.expect
        for place, step in enumerate(fix.steps):
            yield ("fixes", number, "steps", place, "run"), step.run


def _dotted(at: KeyPath) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).removeprefix(".")


RULES: tuple[Rule, ...] = (both_languages, chinese_punctuation, short_titles, placeholders_are_bound)
