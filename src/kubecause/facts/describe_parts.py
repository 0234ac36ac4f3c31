"""Parts that describe outputs of many kinds share: label pairs, selectors, condition tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kubecause.facts.drafts import Draft
from kubecause.facts.outline import Node


def pairs(items: Sequence[tuple[str, int]]) -> dict[str, str]:
    """``a=1`` lines, or ``a=1,b=2`` in one line, as a mapping."""
    found = {}
    for text, _ in items:
        for part in text.split(",") if "," in text and "=" in text.partition(",")[2] else [text]:
            key, eq, value = part.strip().partition("=")
            if eq:
                found[key] = value
    return found


def selector_of(text: str) -> dict[str, Any]:
    """``app=web,tier in (a,b)`` as a label selector."""
    labels, expressions = {}, []
    for key, operator, values in re.findall(r"([\w./-]+)\s+(in|notin)\s+\(([^)]*)\)", text):
        expressions.append(
            {"key": key, "operator": "In" if operator == "in" else "NotIn", "values": [v.strip() for v in values.split(",")]}
        )
    for part in re.sub(r"[\w./-]+\s+(?:in|notin)\s+\([^)]*\),?", "", text).split(","):
        key, eq, value = part.strip().partition("=")
        if eq:
            labels[key] = value
    return {"matchLabels": labels, "matchExpressions": expressions}


def conditions_of(node: Node | None, draft: Draft) -> list[dict[str, str]]:
    """The ``Conditions:`` table with any set of columns, each proved as ``status.conditions.TYPE``."""
    if node is None:
        return []
    rows = []
    columns: list[str] = []
    for row in node.children:
        cells = re.split(r"\s{2,}|\t", row.text)
        if cells[0] == "Type":
            columns = cells
        elif row.text.startswith("---"):
            continue
        elif len(cells) >= 2:
            rows.append(_condition(cells, columns))
            draft.prove(f"status.conditions.{cells[0]}", row.line, row.text)
    return rows


def _condition(cells: list[str], columns: list[str]) -> dict[str, str]:
    named = dict(zip(columns, cells, strict=False))
    condition = {"type": cells[0], "status": cells[1].strip()}
    if named.get("Reason"):
        condition["reason"] = named["Reason"]
    if "Message" in columns and len(cells) >= len(columns):
        condition["message"] = "  ".join(cells[columns.index("Message") :])
    if named.get("LastTransitionTime"):
        condition["lastTransitionTime"] = named["LastTransitionTime"]
    return condition
