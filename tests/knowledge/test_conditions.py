"""The language of conditions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubecause.knowledge.conditions import MAX_DEPTH, compile_condition

NAMES = ("a", "b", "c_2", "d-e")


class Tree:
    """A condition as a test builds it: its text and its own idea of when it is true."""

    def __init__(self, op: str, *parts: Tree | str) -> None:
        self.op = op
        self.parts = parts

    def text(self) -> str:
        """The condition fully in parentheses."""
        if self.op == "name":
            return str(self.parts[0])
        texts = [part.text() for part in self.parts if isinstance(part, Tree)]
        return f"not ({texts[0]})" if self.op == "not" else "(" + f") {self.op} (".join(texts) + ")"

    def value(self, found: set[str]) -> bool:
        """Whether it holds, decided by Python's own operators."""
        if self.op == "name":
            return self.parts[0] in found
        values = [part.value(found) for part in self.parts if isinstance(part, Tree)]
        return not values[0] if self.op == "not" else (all(values) if self.op == "and" else any(values))


TREES = st.recursive(
    st.sampled_from(NAMES).map(lambda name: Tree("name", name)),
    lambda inner: st.one_of(
        inner.map(lambda part: Tree("not", part)),
        st.builds(lambda op, parts: Tree(op, *parts), st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=12,
)


@given(TREES, st.sets(st.sampled_from(NAMES)))
def test_a_condition_means_what_its_operators_say(tree: Tree, found: set[str]) -> None:
    """Any nesting of and, or, not gives the value of the same Python expression."""
    assert tree.value(found) == compile_condition(tree.text()).holds(found)


@given(st.text(alphabet="ab ()-_andornt1", max_size=60))
def test_any_text_is_compiled_or_refused_with_a_column(text: str) -> None:
    """Nothing but a ValueError with a position comes out of a broken condition."""
    try:
        outcome: str | frozenset[str] = compile_condition(text).names
    except ValueError as error:
        outcome = str(error)

    assert outcome.startswith("column ") if isinstance(outcome, str) else outcome


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("a or b and c", {"a"}, True),
        ("(a or b) and c", {"a"}, False),
        ("not a and b", {"b"}, True),
        ("not (a and b)", {"a"}, True),
        ("not not a", {"a"}, True),
        ("android or notes", {"notes"}, True),
    ],
)
def test_precedence(text: str, found: set[str], expected: bool) -> None:
    """``not`` binds tighter than ``and``, ``and`` tighter than ``or``; words inside names are no operators."""
    assert expected is compile_condition(text).holds(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "column 1: expected the name of a signal, found the end"),
        ("a and", "column 6: expected the name of a signal, found the end"),
        ("a b", "column 3: expected and, or or the end, found `b`"),
        ("(a or b", "column 1: this parenthesis is never closed"),
        ("a) or b", "column 2: expected and, or or the end, found `)`"),
        ("a & b", "column 3: `&` is not allowed; join names by and, or, not, ( )"),
        ("or a", "column 1: expected the name of a signal, found `or`"),
        ("(" * (MAX_DEPTH + 2) + "a", f"column {MAX_DEPTH + 2}: nested deeper than {MAX_DEPTH} levels"),
        ("a or " * 300 + "a", "longer than 1000 characters"),
    ],
)
def test_errors_name_the_column(text: str, expected: str) -> None:
    """What cannot be read is named with its place."""
    with pytest.raises(ValueError, match=r".") as raised:
        compile_condition(text)

    assert expected == str(raised.value)


def test_names_behind_not_are_not_wanted() -> None:
    """Only signals that can help to make it true are wanted; a double ``not`` counts as none."""
    condition = compile_condition("a and not (b or not c)")

    assert {"a", "b", "c"} == condition.names
    assert {"a", "c"} == condition.wanted
