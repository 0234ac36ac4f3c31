"""Indented ``Key: value`` text (what ``kubectl describe`` prints) as a tree.

>>> [node] = outline(["Labels:  a=1", "         b=2"], first_line=7)
>>> node.key, node.value, [child.text for child in node.children], node.children[0].line
('Labels', 'a=1', ['b=2'], 8)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

_KEY = re.compile(r"([A-Za-z0-9_./][^:\n]{0,200}?):(?:\s+(.*))?$")
_MAX_DEPTH = 60


class Node(msgspec.Struct):
    """One line with what is indented below it.

    :param key: text before ``: ``; the whole line when there is none.
    :param value: text after it; empty for a plain line.
    """

    text: str
    key: str
    value: str
    line: int
    indent: int
    children: list[Node] = msgspec.field(default_factory=list)

    def child(self, *keys: str) -> Node | None:
        """The first child with one of the keys."""
        for node in self.children:
            if node.key in keys:
                return node
        return None

    def value_of(self, *keys: str) -> str:
        """Value of the first child with one of the keys; empty when there is none."""
        node = self.child(*keys)
        return node.value if node else ""

    def items(self) -> list[tuple[str, int]]:
        """The value and every continuation line with their line numbers, ``<none>`` left out."""
        rows = [(self.value, self.line)] if self.value and self.value != "<none>" else []
        return rows + [(node.text, node.line) for node in self.children if node.text != "<none>"]

    def walk(self) -> Iterator[Node]:
        """All nodes below, in order."""
        for node in self.children:
            yield node
            yield from node.walk()


def outline(lines: Sequence[str], first_line: int) -> list[Node]:
    """The top-level nodes of a text.

    :param lines: text without line ends.
    :param first_line: number of ``lines[0]`` in its source.
    """
    top: list[Node] = []
    open_nodes: list[Node] = []
    for offset, raw in enumerate(lines):
        text = raw.strip()
        if not text:
            continue
        indent = len(raw) - len(raw.lstrip())
        found = _KEY.match(text)
        node = Node(
            text, found[1].strip() if found else text, (found[2] or "").strip() if found else "", first_line + offset, indent
        )
        while open_nodes and (open_nodes[-1].indent >= indent or len(open_nodes) >= _MAX_DEPTH):
            open_nodes.pop()
        (open_nodes[-1].children if open_nodes else top).append(node)
        open_nodes.append(node)
    return top
