"""What changed shortly before a fault, in words."""

from __future__ import annotations

from kubecause import model
from kubecause.report.words import Words


def sentence(change: model.Change, words: Words) -> str:
    """``Deployment shop/cart was rolled out, revision 1 to 2 by kubectl-set: containers[web].image from … to …``.

    Nothing of it is a time, and nothing is more than one sentence without its full stop.
    """
    between = words.change_between.get(change.what) if change.before and change.after else None
    form = between or words.changes.get(change.what, "{entity}")
    path = "/".join(part for part in (change.entity.namespace, change.entity.name) if part)
    entity = f"{change.entity.kind} {path}" if path else words.unnamed.format(kind=change.entity.kind)
    said = form.format(entity=entity, before=change.before or "", after=change.after or "").rstrip(" :：")
    if change.by:
        said += words.change_by.format(by=change.by)
    told = words.part_mark.join(difference(each, words) for each in change.differences)
    return said + words.colon + told if told else said


def difference(found: model.Difference, words: Words) -> str:
    """``containers[web].image from web:1 to web:2``; without the values where they are not to be shown."""
    how = "added" if found.before is None else "removed" if found.after is None else "changed"
    form = words.differences[f"hidden {how}".removesuffix(" changed") if found.hidden else how]
    return form.format(field=found.field, before=found.before, after=found.after)


def lead(seconds: int, words: Words) -> str:
    """``12 min before the first sign``; whole units, the largest that fits."""
    for size, unit in words.units:
        if seconds >= size:
            return words.lead.format(lead=unit.format(n=seconds // size))
    return words.lead_none
