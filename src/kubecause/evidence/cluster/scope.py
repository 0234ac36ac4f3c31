"""What of a cluster is asked about: objects, a namespace, or all of it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kubecause.errors import UsageError
from kubecause.evidence.cluster.kinds import kind_of_word


class Scope(msgspec.Struct, frozen=True):
    """What to diagnose.

    :param namespace: None for the whole cluster.
    :param targets: kind as the user wrote it, and name; nothing named = the whole namespace or cluster.
    :param selector: labels that the pods asked about carry.
    """

    namespace: str | None
    targets: tuple[tuple[str, str], ...] = ()
    selector: str | None = None


def parse_scope(objects: Iterable[str], *, namespace: str, everywhere: bool, selector: str | None) -> Scope:
    """The scope that the arguments of ``kubecause why`` name: ``pod/web-0``, ``deploy cart``, ``ns/shop``, ``web-0``.

    :param namespace: the namespace in use.
    :raises UsageError: for words that name no object, or flags that contradict each other.
    """
    targets = tuple(_targets(list(objects)))
    spaces = [name for kind, name in targets if _is_namespace(kind)]
    if everywhere and targets:
        raise UsageError("-A looks at the whole cluster; leave it out to ask about one object")
    if selector and targets:
        raise UsageError("-l selects pods by label; name objects or give labels, not both")
    if len(spaces) == 1 and len(targets) == 1:
        return Scope(spaces[0])
    return Scope(None if everywhere else namespace, targets, selector)


def _is_namespace(word: str) -> bool:
    kind = kind_of_word(word)
    return kind is not None and kind.kind == "Namespace"


def _targets(words: list[str]) -> Iterable[tuple[str, str]]:
    while words:
        word = words.pop(0)
        kind, slash, name = word.partition("/")
        if slash:
            if not kind or not name or "/" in name:
                raise UsageError(f"{word!r} names no object; write KIND/NAME, as in pod/web-0")
            yield kind, name
        elif kind_of_word(word) and words and "/" not in words[0]:
            yield word, words.pop(0)
        else:
            yield "pod", word
