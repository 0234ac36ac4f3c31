"""YAML read strictly, with the line of every key: the first half of :mod:`kubecause.knowledge.loader`.

Words, numbers and truth values are read as YAML 1.2 does. What an older reader would take for something else (``on``,
``yes``) must be quoted. Keys written twice, anchors, tags and several documents are refused, and depth and size have
bounds, so a hostile file costs no more than its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

KeyPath = tuple[str | int, ...]
Problem = tuple[int, str]  # line, from 1, and what is wrong

MAX_BYTES = 256 * 1024  # a case file has about 6 KB
MAX_DEPTH = 20

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C reader is nine times as fast
_WORD_FOR_BOOLEAN = re.compile(r"yes|no|on|off", re.IGNORECASE)  # YAML 1.1, https://yaml.org/type/bool.html
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,3})?")
_BOOLEANS = {"true": True, "false": False}
_NOTHING = ("", "~", "null", "Null", "NULL")


class Tree(msgspec.Struct):
    """A document as plain values.

    :param lines: line of each key and each item of a list, by its path.
    :param written: the text of each scalar as written.
    """

    value: Any = None
    lines: dict[KeyPath, int] = msgspec.field(default_factory=dict)
    written: dict[KeyPath, str] = msgspec.field(default_factory=dict)
    problems: list[Problem] = msgspec.field(default_factory=list)

    def line(self, path: KeyPath) -> int:
        """The line of a path, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _TooDeepError(Exception):
    pass


def read_file(path: Path) -> Tree:
    """Read one file; everything that is wrong with it stands in ``problems``."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            return Tree(problems=[(1, f"larger than {MAX_BYTES // 1024} KiB")])
        return read_text(data.decode("utf-8"))
    except OSError as error:
        return Tree(problems=[(1, f"cannot be read: {error.strerror}")])
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Tree(problems=[(line, "is not UTF-8")])


_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"


def read_text(text: str) -> Tree:
    """Read one document; everything that is wrong with it stands in ``problems``."""
    reader = _Reader()
    try:
        reader.read(iter(yaml.parse(text, Loader=_LOADER)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        deep = "nesting depth" in (error.problem or "")  # PyYAML from 6.0.4 on has a limit of its own
        what = _TOO_DEEP if deep else f"is not YAML: {error.problem or error.context}"
        reader.tree.problems.append((mark.line + 1 if mark else 1, what))
    except yaml.YAMLError as error:
        reader.tree.problems.append((1, f"is not YAML: {str(error).splitlines()[0]}"))
    except _TooDeepError:
        reader.tree.problems.append((1, _TOO_DEEP))
    return reader.tree


class _Reader:
    def __init__(self) -> None:
        self.tree = Tree()

    def read(self, events: Iterator[yaml.Event]) -> None:
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._problem(event, "a second document; one file holds one case")
            elif isinstance(event, yaml.NodeEvent):
                value = self._node(event, events, ())
                if documents == 1:
                    self.tree.value = value

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: KeyPath) -> Any:
        if len(path) > MAX_DEPTH:
            raise _TooDeepError
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            self._problem(event, "anchors and aliases are not allowed; write it out")
        if getattr(event, "tag", None) is not None:
            self._problem(event, "tags are not allowed")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        if isinstance(event, yaml.ScalarEvent):
            self.tree.written[path] = str(event.value)
            return self._meaning(event)
        return None

    def _mapping(self, events: Iterator[yaml.Event], path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._key(event, events, path)
            below = (*path, key)
            if key in values:
                self._problem(event, f"`{key}` is written twice, first in line {self.tree.lines[below]}")
            else:
                self.tree.lines[below] = _line(event)
            value = self._node(next(events), events, below)
            values.setdefault(key, value)
        return values

    def _key(self, event: yaml.Event, events: Iterator[yaml.Event], path: KeyPath) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._node(event, events, (*path, "?"))
            self._problem(event, "a key must be a word")
            return "?"
        if not isinstance(self._meaning(event), str):
            self._problem(event, f"the key `{event.value}` is not read as a word; put it in quotes")
        return str(event.value)

    def _sequence(self, events: Iterator[yaml.Event], path: KeyPath) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            below = (*path, len(items))
            self.tree.lines[below] = _line(event)
            items.append(self._node(event, events, below))
        return items

    def _meaning(self, event: yaml.ScalarEvent) -> str | int | float | bool | None:
        text = str(event.value)
        if event.style:  # quoted or a block
            return text
        if _WORD_FOR_BOOLEAN.fullmatch(text):
            self._problem(event, f"`{text}` is read as true or false by many programs; put it in quotes")
            return text
        if text in _NOTHING:
            return None
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        return _BOOLEANS.get(text.lower(), text)

    def _problem(self, event: yaml.Event, message: str) -> None:
        self.tree.problems.append((_line(event), message))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
