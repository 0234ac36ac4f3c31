"""Case files read strictly: ``cases/<group>/<fault>.yaml`` to typed records, with every mistake of every file at once."""

from __future__ import annotations

import difflib
import enum
import functools
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from kubecause.errors import KnowledgeError
from kubecause.knowledge.schema import Case
from kubecause.knowledge.yaml_tree import KeyPath, Tree, read_file

CASES = Path(__file__).with_name("cases")


def load_folder(path: Path = CASES) -> dict[str, Case]:
    """Every case below a folder, by its id, in the order of the ids.

    :raises KnowledgeError: with one line ``path:line: message`` for every mistake in every file.
    """
    if not path.is_dir():
        raise KnowledgeError([f"{path}:1: no such folder; name one that holds <group>/<fault>.yaml"])
    cases: dict[str, Case] = {}
    problems: list[str] = []
    for file in sorted(path.rglob("*")):
        if file.suffix == ".yml":
            problems.append(f"{file}:1: name it {file.stem}.yaml; .yml files are not read")
        elif file.suffix == ".yaml" and file.is_file():
            case, found = load_file(file, path)
            problems += found
            if case is not None:
                cases[case.id] = case
    if problems:
        raise KnowledgeError(problems)
    return dict(sorted(cases.items()))


def load_file(file: Path, folder: Path) -> tuple[Case | None, list[str]]:
    """One case below ``folder``, or none, and its mistakes as ``path:line: message``, in the order of the lines."""
    tree = read_file(file)
    case = None
    if not tree.problems:
        fitter = _Fitter(tree)
        value = fitter.fit(tree.value, Case, ())
        if not tree.problems:
            case = msgspec.convert(value, Case)
            _check_id(case, file.relative_to(folder), tree)
    problems = [f"{file}:{line}: {message}" for line, message in sorted(set(tree.problems))]
    return (None if problems else case), problems


def _check_id(case: Case, place: Path, tree: Tree) -> None:
    expected = place.with_suffix("").as_posix()
    if len(place.parts) != 2:
        tree.problems.append((1, "must lie in <group>/<fault>.yaml"))
    elif case.id != expected:
        tree.problems.append((tree.line(("id",)), f"id is {case.id}, but the path says {expected}"))


class _Fitter:
    """Walks values and types side by side and reports all mistakes, where msgspec would stop at the first."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def fit(self, value: Any, expected: Any, path: KeyPath) -> Any:
        expected = _without_none(expected)
        if isinstance(expected, type) and issubclass(expected, msgspec.Struct):
            return self._record(value, expected, path)
        if get_origin(expected) is list:
            return self._list(value, get_args(expected)[0], path)
        if get_origin(expected) is dict:
            return self._dict(value, get_args(expected)[1], path)
        return self._leaf(value, expected, path)

    def _record(self, value: Any, expected: type[msgspec.Struct], path: KeyPath) -> Any:
        if not isinstance(value, dict):
            return self._problem(path, f"must have the keys {', '.join([*_fields(expected)][:6])}; it is {_name(value)}")
        fields = _fields(expected)
        for key in value.keys() - fields.keys():
            near = difflib.get_close_matches(key, fields, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(fields)}"
            if value[key] is None and " " in key:
                hint = "a comma ends a text inside {…}; put the text in quotes"
            self._problem((*path, key), f"unknown key `{key}`; {hint}")
        missing = [key for key, field in fields.items() if field.required and key not in value]
        if missing:
            self._problem(path, f"{_place(path)} lacks {', '.join(f'`{key}`' for key in missing)}")
        return {key: self.fit(value[key], field.type, (*path, key)) for key, field in fields.items() if key in value}

    def _list(self, value: Any, item: Any, path: KeyPath) -> Any:
        if not isinstance(value, list):
            if not _is_word(item) or isinstance(value, dict) or value is None:
                return self._problem(path, f"{_place(path)} must be a list; it is {_name(value)}")
            return [self._leaf(value, item, path)]
        return [self.fit(part, item, (*path, number)) for number, part in enumerate(value)]

    def _dict(self, value: Any, item: Any, path: KeyPath) -> Any:
        if not isinstance(value, dict):
            return self._problem(path, f"{_place(path)} must be a mapping; it is {_name(value)}")
        return {key: self.fit(part, item, (*path, key)) for key, part in value.items()}

    def _leaf(self, value: Any, expected: Any, path: KeyPath) -> Any:
        if value is not None and "expect" in path[-2:] and path in self.tree.written:
            value = self.tree.written[path]  # what a signal binds and a command prints is text, also 137
        try:
            msgspec.convert(value, expected)
        except msgspec.ValidationError as error:
            if value is None:
                return self._problem(path, f"{_place(path)} is empty")
            choices = _choices(expected)
            if choices:
                return self._problem(path, f"{_place(path)}: {value!r} is not one of {', '.join(choices)}")
            if expected is str and isinstance(value, dict):
                return self._problem(path, f"{_place(path)}: `: ` makes a mapping of this text; put it in quotes")
            hint = "; put it in quotes" if expected is str and not isinstance(value, list) else ""
            return self._problem(path, f"{_place(path)}: {str(error).split(' - at', maxsplit=1)[0]}{hint}")
        return value

    def _problem(self, path: KeyPath, message: str) -> None:
        self.tree.problems.append((self.tree.line(path), message))


@functools.cache
def _fields(record: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """The fields of a record by the key a file has for them; asking msgspec anew each time takes half of a load."""
    return {field.encode_name: field for field in msgspec.structs.fields(record)}


def _without_none(expected: Any) -> Any:
    if get_origin(expected) in (Union, types.UnionType):
        kept = [part for part in get_args(expected) if part is not type(None)]
        return kept[0] if len(kept) == 1 else expected
    return expected


def _is_word(item: Any) -> bool:
    return item is str or (isinstance(item, type) and issubclass(item, enum.StrEnum))


def _choices(expected: Any) -> list[str]:
    if get_origin(expected) is Literal:
        return [str(choice) for choice in get_args(expected)]
    if isinstance(expected, type) and issubclass(expected, enum.Enum):
        return [str(member.value) for member in expected]
    return []


def _name(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "empty" if value is None else repr(value)


def _place(path: KeyPath) -> str:
    """``("fixes", 0, "title")`` as ``fixes[0].title``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the case"
