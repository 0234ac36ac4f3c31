"""What the arguments of ``kubecause why`` ask about."""

from __future__ import annotations

import pytest

from kubecause.errors import UsageError
from kubecause.evidence.cluster.scope import Scope, parse_scope


def scope(*words: str, everywhere: bool = False, selector: str | None = None) -> Scope:
    """The scope of some words in the namespace shop."""
    return parse_scope(words, namespace="shop", everywhere=everywhere, selector=selector)


def test_nothing_named_is_the_namespace_in_use() -> None:
    """Without objects the namespace is screened, with -A the cluster."""
    assert (Scope("shop"), Scope(None)) == (scope(), scope(everywhere=True))


@pytest.mark.parametrize("words", [("pod/web-0",), ("pod", "web-0"), ("web-0",)])
def test_a_pod_may_be_named_in_three_ways(words: tuple[str, ...]) -> None:
    """KIND/NAME, KIND NAME and a bare name of a pod mean the same."""
    assert "web-0" == scope(*words).targets[0][1]
    assert scope(*words).targets[0][0].startswith("pod")


def test_a_namespace_named_as_an_object_is_screened() -> None:
    """``ns/cart`` is the same as ``-n cart``."""
    assert Scope("cart") == scope("ns/cart")


@pytest.mark.parametrize("word", ["pod/", "/web", "a/b/c"])
def test_half_a_name_is_wrong_usage(word: str) -> None:
    """A word that names no object says how to write one."""
    with pytest.raises(UsageError, match="KIND/NAME"):
        scope(word)


def test_contradictions_are_wrong_usage() -> None:
    """An object and -A, or an object and labels, cannot both be meant."""
    with pytest.raises(UsageError, match="-A"):
        scope("pod/a", everywhere=True)
    with pytest.raises(UsageError, match="-l"):
        scope("pod/a", selector="app=web")
