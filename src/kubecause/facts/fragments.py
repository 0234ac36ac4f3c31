"""Parts of an object: what ``kubectl get KIND NAME -o yaml | grep`` leaves of it.

Only maps of labels and selectors are read: they say what they are without the lines above them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubecause.facts.describe import kind_of_word
from kubecause.facts.drafts import Detail, Draft, put
from kubecause.facts.outline import Node, outline
from kubecause.model import Document

_GREPPED = re.compile(
    r"\bget\s+(?:-\S+\s+(?:[a-z0-9-]+\s+)??)*(?P<kind>[A-Za-z.]{1,60})[\s/]+(?P<name>[a-z0-9][a-z0-9.-]{0,252})\b"
    r"[^|]{0,200}-o[\s=]*yaml[^|]{0,200}\|\s*(?:e|f)?grep\b"
)
_PATHS = {"labels": "metadata.labels", "selector": "spec.selector", "nodeSelector": "spec.nodeSelector"}


def is_fragment(document: Document) -> bool:
    """True when the command before an output printed parts of one object."""
    return bool(_GREPPED.search(document.command or ""))


def parse_fragment(document: Document) -> Iterator[Draft]:
    """A draft with the labels and selectors that are left of an object; nothing when there are none."""
    found = _GREPPED.search(document.command or "")
    kind = kind_of_word(found["kind"]) if found else None
    if not found or not kind:
        return
    draft = Draft(kind, found["name"], document.hints.get("namespace"), Detail.TABLE, {"metadata": {}}, document)
    root = Node("", "", "", document.first_line, -1, outline(document.lines, document.first_line))
    for node in root.walk():
        path = _PATHS.get(node.key)
        if path and path not in draft.proofs and node.children:
            put(draft.data, path, {child.key: child.value.strip("\"'") for child in node.children})
            draft.prove(path, node.line, node.text)
    if draft.proofs:
        yield draft
