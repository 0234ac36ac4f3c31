"""Events as kubectl prints them: below ``describe``, in ``get events`` (old and new columns), or pasted alone.

::

    Type     Reason     Age                 From               Message
    Warning  BackOff    90s (x33 over 15m)  kubelet            Back-off restarting failed container web in pod …
    LAST SEEN   TYPE      REASON      OBJECT      MESSAGE
    3s          Warning   BackOff     pod/web-0   Back-off restarting failed container
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from kubecause.facts.quantities import duration

_AGE = r"(?:<unknown>|<invalid>|\d[\dsmhdy.]{0,20})"
_SPAN = r"(?:\s{0,3}\(x(?P<count>\d{1,9})\s+(?:over|in)\s+(?P<span>[\dsmhdy.<>a-z]{1,20})\))?"
_DESCRIBED = re.compile(
    rf"(?P<type>Normal|Warning)\s+(?P<reason>[A-Z][A-Za-z]{{2,60}})\s+(?P<age>{_AGE}){_SPAN}\s+"
    r"(?P<source>\S{1,100}?(?:,\s\S{1,253})?)(?:\s{2,}|\s)(?P<message>\S.*)$"
)
_DESCRIBED_BARE = re.compile(
    rf"(?P<type>Normal|Warning)\s+(?P<reason>[A-Z][A-Za-z]{{2,60}})\s+(?:(?P<age>{_AGE}){_SPAN}\s+)?(?P<message>\S.*)$"
)
_LISTED = re.compile(
    rf"(?:(?P<namespace>[a-z0-9][a-z0-9.-]{{0,252}})\s+)?(?P<age>{_AGE}){_SPAN}\s+(?P<type>Normal|Warning)\s+"
    r"(?P<reason>[A-Z][A-Za-z]{2,60})\s+(?P<kind>[a-z]{1,60})/(?P<name>[A-Za-z0-9][A-Za-z0-9.:_-]{0,252})\s+(?P<message>.*)$"
)
_LISTED_OLD = re.compile(  # kubectl <= 1.13: LAST SEEN, FIRST SEEN, COUNT, NAME, KIND, SUBOBJECT, TYPE, REASON, SOURCE, MESSAGE
    rf"(?P<age>{_AGE})\s+(?P<span>{_AGE})\s+(?P<count>\d{{1,9}})\s+(?P<name>[a-z0-9.-]{{1,253}}\.[0-9a-f]{{10,20}})\s+(?P<kind>[A-Z]\w{{2,60}})\s+"
    r"(?:\S{1,200}\s+)?(?P<type>Normal|Warning)\s+(?P<reason>[A-Z][A-Za-z]{2,60})\s+(?P<source>[^\s,]{1,100}(?:,\s\S{1,253})?)\s+(?P<message>\S.*)$"
)
_SEEN_OLD = re.compile(  # kubectl <= 1.5 describe: FirstSeen, LastSeen, Count, From, SubObjectPath, Type, Reason, Message
    rf"(?P<span>{_AGE})\s+(?P<age>{_AGE})\s+(?P<count>\d{{1,9}})\s+(?P<source>\{{?\S{{1,253}}(?:\s\S{{1,253}})??\}}?)\s+(?:\S{{1,200}}\s+)??"
    r"(?P<type>Normal|Warning)\s+(?P<reason>[A-Z][A-Za-z]{2,60})\s+(?P<message>\S.*)$"
)
_HEADER = re.compile(r"\s*(?:Type\s+Reason\s|FirstSeen\s|LAST SEEN\s|NAMESPACE\s+LAST SEEN|-{3,}\s|LASTSEEN\s)")
_PROMPT = re.compile(r"\S{0,60}[$#>] |\[\S{1,60} \S{1,100}\][$#] ")
_OUTPUT = re.compile(
    r"\s*(?:[*<>] |% |curl: |wget: |psql: |mysqladmin: |timeout: |cat: |ls: |sh: |/bin/\w+: |rpc error: |error: )"
)  # of a probe
_LIST = 3  # lines that a message which ends with a colon goes on for
_TAIL = re.compile(r"[0-9a-f]{12,64}[^0-9a-zA-Z\s]")  # the middle of an id or path; nothing else begins so


class EventRow(msgspec.Struct):
    """One event.

    :param age: seconds since it was last seen; None when not printed.
    :param span: seconds over which it was counted.
    :param node: the node of ``kubelet, NODE``.
    """

    line: int
    raw: str
    type: str
    reason: str
    message: str
    age: float | None = None
    count: int = 1
    span: float | None = None
    source: str | None = None
    node: str | None = None
    namespace: str | None = None
    kind: str | None = None
    name: str | None = None
    seen: str | None = None  # timestamps of an object, which has no printed age
    first: str | None = None


def is_header(line: str) -> bool:
    """True for the header of an event table or the dashes below it."""
    return bool(_HEADER.match(line))


def event_row(line: str, number: int) -> EventRow | None:
    """One event row, whatever table it comes from; None when the line is none."""
    if "Normal" not in line and "Warning" not in line:
        return None
    text = line.strip()
    found = (
        _LISTED.match(text)
        or _DESCRIBED.match(text)
        or _LISTED_OLD.match(text)
        or _SEEN_OLD.match(text)
        or _DESCRIBED_BARE.match(text)
    )
    if not found:
        return None
    has = found.groupdict()
    source, node = has.get("source"), None
    if source and "," in source:
        source, _, node = source.partition(",")
    name = has.get("name")
    if name and has.get("count") and re.search(r"\.[0-9a-f]{10,20}$", name):
        name = name.rsplit(".", 1)[0]
    return EventRow(
        line=number,
        raw=text,
        type=found["type"],
        reason=found["reason"],
        message=found["message"],
        age=duration(has.get("age")),
        count=int(has.get("count") or 1),
        span=duration(has.get("span")),
        source=source,
        node=node.strip() if node else None,
        namespace=has.get("namespace"),
        kind=has.get("kind"),
        name=name,
    )


def broken_tail(lines: Sequence[str], blank: int) -> int | None:
    """Index of the rest of a message that a page broke in mid-word, behind blank lines that begin at ``blank``."""
    for index in range(blank, min(blank + 4, len(lines))):
        if lines[index].strip().strip("`"):
            return index if _TAIL.match(lines[index]) else None
    return None


def _goes_on(row: EventRow, line: str, *, mixed: bool, listed: bool) -> bool:
    """Whether a line that is no row belongs to the message of the row before it."""
    if not line.strip().strip("`") or is_header(line) or len(row.message) >= 20_000:
        return False
    if not mixed:
        return True
    return (listed and not _PROMPT.match(line)) or ("probe failed" in row.message and _OUTPUT.match(line) is not None)


def event_rows(lines: Sequence[str], first_line: int, *, mixed: bool = False) -> Iterator[EventRow]:
    """All events of a block; lines that continue a wrapped message are joined to it.

    :param mixed: other texts may stand between the events, so that only what surely continues one is joined.
    """
    row: EventRow | None = None
    tail: int | None = None
    listed = 0  # lines that surely belong to the message
    for offset, line in enumerate(lines):
        found = event_row(line, first_line + offset)
        if found:
            if row:
                yield row
            row = found
            listed = offset + _LIST if row.message.endswith(":") else 0
        elif row and offset == tail:
            row.message += line.strip()
        elif row and _goes_on(row, line, mixed=mixed, listed=offset <= listed):
            row.message += "\n" + line.strip()
        elif row:
            tail = broken_tail(lines, offset)
            if tail is None:
                yield row
                row = None
    if row:
        yield row
