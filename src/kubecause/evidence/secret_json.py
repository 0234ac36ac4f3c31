"""Which of many objects, each one line of JSON, may hold a secret; told without decoding them.

Of thousands of Deployments few carry a secret, yet nearly all speak of some: ``secretName``, ``tokenExpirationSeconds``,
``/var/run/secrets/…``. A word that may belong to a secret is looked at together with the string it stands in; only objects
that may hold one are worth decoding and walking through (``kubecause.evidence.cluster.documents``).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

from kubecause.evidence.redact import redact_lines
from kubecause.evidence.secret_candidates import places
from kubecause.evidence.secret_names import is_secret_key

# Escapes hide words, and their quotes end nothing; blanks around a colon hide what belongs to a key.
_HIDING = (b"\\", b'": ', b'" :', b"\t", b"\r")
_LONG = 1024  # characters of a string; longer ones are seldom alike, and are not worth remembering
_NAME = b'"name":'
_WITHOUT_VALUE = (b"}", b',"valueFrom":')  # what stands behind the name of a variable, or of anything else, without a value


def suspects(lines: Sequence[bytes]) -> list[int]:
    """Numbers of the lines that may hold a secret, ascending.

    :param lines: JSON; what is not compact (as Kubernetes' API server writes it) or holds escapes is always among them.
    """
    text = b"\n".join(lines)
    ends = list(accumulate(len(line) + 1 for line in lines))
    hiding = [mark for mark in _HIDING if mark in text] + ([b"\n"] if text.count(b"\n") >= len(lines) else [])
    found = {number for number, line in enumerate(lines) if any(mark in line for mark in hiding)}
    done = 0  # what stands before it was looked at: other words of the same string, or of an object that was found
    for place in sorted(places(text)):
        if place < done:
            continue
        end = done = text.find(b'"', place + 1)
        if _is_suspect(text, place, end):
            number = bisect_right(ends, place)
            found.add(number)
            done = ends[number]
    return sorted(found)


def _is_suspect(text: bytes, place: int, end: int) -> bool:
    """Whether the string around a place, which ends at ``end``, belongs to a secret, or is one.

    A key with a string as its value is judged by its name. A string that is a value is judged by what it holds, as a flag
    whose argument follows, and as the name of a variable, unless that has no value of its own.
    """
    start = text.rfind(b'"', 0, place + 1)
    string = text[start + 1 : end]
    if len(string) > _LONG:
        return True
    if text[end + 1 : end + 2] == b":":
        return text[end + 2 : end + 3] == b'"' and _names_secret(string)
    if _holds_secret(string):
        return True
    if not _names_secret(string):
        return False
    if string.startswith(b"-"):
        return True
    before = start - len(_NAME)
    if text[before:start] != _NAME:
        return False
    return text[before - 1 : before] != b"{" or not text.startswith(_WITHOUT_VALUE, end + 1)


@lru_cache(maxsize=8192)
def _names_secret(string: bytes) -> bool:
    return is_secret_key(string.decode("utf-8", "replace"))


@lru_cache(maxsize=8192)
def _holds_secret(string: bytes) -> bool:
    text = string.decode("utf-8", "replace")
    return redact_lines([text]) != [text]
