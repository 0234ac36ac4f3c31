"""Secrets stop here: every text is cut before anything else sees it.

A cheap search for rare words over the whole text picks the lines that could hold a secret (``secret_candidates.py``);
only those are looked at in detail. Lines keep their number: a secret becomes ``<redacted>`` and nothing is added or removed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kubecause.evidence.secret_candidates import LONG, candidates, pieces_of
from kubecause.evidence.secret_names import is_secret_key
from kubecause.evidence.secret_objects import (
    KIND,
    OpenSecret,
    column,
    redact_block,
    redact_json,
    redact_object,
    redact_rest,
    redact_undecided,
)
from kubecause.evidence.secret_shapes import REDACTED, is_harmless, redact_shapes

__all__ = ["REDACTED", "Redactor", "redact_line", "redact_lines"]

_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----\s*$")
_PEM_END = re.compile(r"-----END ")
_PEM_BODY = re.compile(r"\s*(?:[A-Za-z0-9+/=]+|[\w-]{1,40}: .{0,200}|<redacted>|)\s*")
_ENV_NAME = re.compile(r"""\s*(?:-\s+)?["']?(?:name|key)["']?\s*:\s*["']?([\w.-]+)["']?\s*,?\s*""")
_ENV_VALUE = re.compile(r"""(\s*(?:-\s+)?["']?value["']?\s*:\s*)(["']?)(.*?)(["']?\s*,?\s*)$""")
_SCALAR = re.compile(r"""(\s*(?:-\s+)*)["']?([\w.-]+)["']?\s*:\s*(?:[|>][+-]?\d?[+-]?|"(?:[^"\\]|\\.)*|'[^']*)\s*$""")
_FLAG_ALONE = re.compile(r"""\s*(?:-\s+)?["']?(--?[A-Za-z][\w.-]+)["']?\s*,?\s*""")
_ITEM = re.compile(r"""(\s*(?:-\s+)?)(["']?)([^-"'\s{}\[\]].*?)(["']?\s*,?\s*)$""")
_ITEM_P = re.compile(r"""(\s*(?:-\s+)?["']?-p)([^\s"',]+)(["']?\s*,?\s*)$""")
_SHOWS_SECRET = re.compile(
    r"(?i)\bget\s+secrets?\b.*(?:jsonpath|go-template|base64|template=)|\bcreate\s+token\s|\bkubeadm\s+token\s+create"
)
_PROMPT = re.compile(r"[\w.@~:/()\[\] -]{0,80}[$#>](?:\s|$)")
_PROMPT_BEHIND = re.compile(r"(?:\[\w[\w.-]*@[\w.-]+[^\]]{0,80}\]|\w[\w.-]{0,31}@[\w.-]{1,64}:\S{0,80})[$#]\s?")


def redact_line(line: str) -> str:
    """One line without its secrets, as far as a line alone shows them. Running it twice changes nothing more."""
    if len(line) > LONG:
        line = redact_json(line)
        pieces = list(pieces_of(line))
        for at in candidates(pieces):
            pieces[at] = redact_shapes(pieces[at])
        return "".join(pieces)
    if "ecret" in line and KIND.search(line):
        line = redact_json(line)
    return redact_shapes(line)


def redact_lines(lines: Sequence[str]) -> list[str]:
    """All lines of one text without their secrets, also of those that span lines; as many lines as before."""
    return Redactor().feed(lines)


class Redactor:
    """Redaction of a text that comes in chunks of whole lines; remembers a secret that is open at the end of a chunk."""

    def __init__(self) -> None:
        self._pem = False
        self._scalar: int | None = None  # column of a key whose value goes on while lines are deeper
        self._secret: OpenSecret | None = None
        self._undecided: int | None = None  # column of a data mapping whose kind was not told yet
        self._pending: str | None = None  # "value" or "item": what the next line gives away
        self._before: list[str] = []  # the last lines of the chunk before

    def feed(self, lines: Sequence[str], *, more: bool = False) -> list[str]:
        """The next lines without their secrets.

        :param more: whether the same text goes on in another chunk.
        """
        out = list(lines)
        skip = self._resume(out)
        for at in candidates(lines):
            if at >= skip:
                skip = self._line(out, at)
        if more:
            self._undecided = redact_undecided(out)
            self._before = out[-8:]
        return out

    def _resume(self, out: list[str]) -> int:
        """Go on with what the previous chunk left open; gives the first line that is not done yet."""
        secret, undecided, pending, scalar, pem = self._secret, self._undecided, self._pending, self._scalar, self._pem
        self._secret = self._undecided = self._pending = self._scalar = None
        self._pem = False
        if pem:
            return self._cut_pem(out, 0)
        if scalar is not None:
            return self._cut_scalar(out, 0, scalar)
        if pending == "value":
            _cut_value(out, 0)
        elif pending == "item":
            _cut_item(out, 0)
        if secret is not None:
            self._secret = redact_rest(out, 0, secret)
        if undecided is not None:
            redact_block(out, 0, undecided, only_base64=True)
        return 0

    def _line(self, out: list[str], at: int) -> int:
        """Cut everything that starts on line ``at``; gives the first line that is not done yet."""
        line = out[at]
        following = at + 1
        if "PRIVATE KEY" in line and _PEM_BEGIN.search(line):
            return self._cut_pem(out, following)
        if "ecret" in line and KIND.search(line):
            self._secret = redact_object(out, at)
        out[at] = redact_line(out[at])
        if len(line) > LONG:
            return following
        name = _ENV_NAME.fullmatch(line)
        if name and is_secret_key(name[1]):
            if at and not line.lstrip().startswith("-"):
                _cut_value(out, at - 1, first=True)
            if following < len(out):
                _cut_value(out, following)
            else:
                self._pending = "value"
        scalar = _SCALAR.match(line)
        if scalar and is_secret_key(scalar[2]):
            return self._cut_scalar(out, following, len(scalar[1]))
        flag = _FLAG_ALONE.fullmatch(line)
        if flag and is_secret_key(flag[1]):
            if following < len(out):
                _cut_item(out, following)
            else:
                self._pending = "item"
        if " -p" in line or '"-p' in line:
            _cut_short_password(out, at, self._before)
        if "get " in line or "create" in line:
            _cut_shown_secret(out, at)
        return following

    def _cut_pem(self, out: list[str], start: int) -> int:
        for at in range(start, min(len(out), start + 400)):
            if _PEM_END.search(out[at]) or not _PEM_BODY.fullmatch(out[at]):
                return at
            if out[at].strip():
                out[at] = out[at][: len(out[at]) - len(out[at].lstrip())] + REDACTED
        self._pem = len(out) < start + 400
        return min(len(out), start + 400)

    def _cut_scalar(self, out: list[str], start: int, level: int) -> int:
        for at in range(start, len(out)):
            if out[at].strip():
                if column(out[at]) <= level:
                    return at
                out[at] = out[at][: len(out[at]) - len(out[at].lstrip())] + REDACTED
        self._scalar = level
        return len(out)


def _cut_value(out: list[str], at: int, *, first: bool = False) -> None:
    """Cut ``value: x`` on line ``at``, if that stands there; ``first``: only if it starts a list item."""
    found = _ENV_VALUE.match(out[at]) if at < len(out) and len(out[at]) <= LONG else None
    if found and not is_harmless(found[3]) and (not first or found[1].lstrip().startswith(("-", '"'))):
        out[at] = f"{found[1]}{found[2]}{REDACTED}{found[4]}"


def _cut_item(out: list[str], at: int) -> None:
    """Cut the list item on line ``at``: the argument of a flag on the line before."""
    found = _ITEM.match(out[at]) if at < len(out) and len(out[at]) <= LONG else None
    if found and not is_harmless(found[3]) and (found[2] or "- " in found[1]):
        out[at] = f"{found[1]}{found[2]}{REDACTED}{found[4]}"


def _cut_short_password(out: list[str], at: int, before: list[str]) -> None:
    """Cut ``-pVALUE`` as a list item of a mysql command, whose name stands a few items before."""
    found = _ITEM_P.match(out[at])
    near = out[at - 8 : at] if at >= 8 else [*before, *out[:at]]
    if found and not is_harmless(found[2]) and any("mysql" in line or "maria" in line for line in near):
        out[at] = f"{found[1]}{REDACTED}{found[3]}"


def _cut_shown_secret(out: list[str], at: int) -> None:
    """Cut what a command printed that shows the value of a secret: the lines below it, up to the next prompt."""
    if not _SHOWS_SECRET.search(out[at]):
        return
    for below in range(at + 1, min(len(out), at + 40)):
        line = out[below]
        prompt = _PROMPT_BEHIND.search(line, max(0, len(line) - 2000))
        if prompt and prompt.start():
            out[below] = REDACTED + line[prompt.start() :]
        if prompt or not line.strip() or _PROMPT.match(line) or line.lower().startswith(("error", "unable", "the connection")):
            return
        out[below] = REDACTED
