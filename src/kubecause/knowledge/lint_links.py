"""House rules about a case's place among the others: the catalogue, causes and effects, references."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from kubecause.knowledge.house_rule import Breach, House, Rule
from kubecause.knowledge.schema import Case


def in_catalogue(case: Case, house: House) -> Iterator[Breach]:
    """The id stands in the fault catalogue."""
    if case.id not in house.faults:
        yield Breach(("id",), f"{case.id} is not in the fault catalogue (faults.yaml); add it there first")


def agrees_with_catalogue(case: Case, house: House) -> Iterator[Breach]:
    """Entity and symptom are those of the catalogue."""
    fault = house.faults.get(case.id)
    if fault is None:
        return
    if case.entity != fault.entity:
        yield Breach(("entity",), f"entity is {case.entity}, but the catalogue says {fault.entity}")
    if case.symptom != fault.symptom:
        yield Breach(("symptom",), f"symptom is {_yes(case.symptom)}, but the catalogue says {_yes(fault.symptom)}")


def effects_exist(case: Case, house: House) -> Iterator[Breach]:
    """Every effect is a known fault, along a known path, named once."""
    seen = set()
    for number, effect in enumerate(case.leads_to):
        at = ("leads_to", number)
        if effect.fault not in house.faults:
            yield Breach((*at, "fault"), f"leads_to {effect.fault}, which is not in the fault catalogue")
        if effect.via not in house.paths:
            yield Breach((*at, "via"), f"via {effect.via} is not a path; known: {', '.join(sorted(house.paths))}")
        if (effect.fault, effect.via) in seen:
            yield Breach(at, f"leads_to {effect.fault} via {effect.via} is listed twice")
        seen.add((effect.fault, effect.via))


def relatives_exist(case: Case, house: House) -> Iterator[Breach]:
    """Every fault in yields_to and not_this is a known one and another one."""
    named = [(("yields_to", number), fault) for number, fault in enumerate(case.yields_to)]
    named += [(("not_this", number), other.fault) for number, other in enumerate(case.not_this)]
    for at, fault in named:
        if fault not in house.faults:
            yield Breach(at, f"{at[0]} {fault}, which is not in the fault catalogue")
        elif fault == case.id:
            yield Breach(at, f"{at[0]} names the case itself")


def has_references(case: Case, _house: House) -> Iterator[Breach]:
    """A reader can check the case somewhere."""
    if not case.references:
        yield Breach(("references",), "references is empty; name at least one page a reader can open")
    for number, reference in enumerate(case.references):
        parts = urlsplit(reference.url)
        if parts.scheme not in ("http", "https") or "." not in parts.netloc:
            yield Breach(("references", number), f"reference {reference.url!r} is not an http or https address")
        if not reference.tells.strip():
            yield Breach(("references", number), f"reference {reference.url} does not tell what it shows")


RULES: tuple[Rule, ...] = (in_catalogue, agrees_with_catalogue, effects_exist, relatives_exist, has_references)


def _yes(value: bool) -> str:
    return "true" if value else "false"
