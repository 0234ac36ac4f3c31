"""Cuts a saved list of the API (``{"kind": "PodList", "items": [...]}``) into its items while it is read.

Lists of a whole cluster are one line of more than a gigabyte, or as many indented lines: they are never held whole. Items
are cut where one object ends and the next begins as the first two did, and each cut is proved by decoding: a nested object
that looks like an item only makes the item longer. Inside a JSON string the pattern cannot stand, for its quotes would be
escaped there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator

import msgspec

_MIB = 1024 * 1024
_CHUNK = _MIB
_LARGEST_ITEM = 64 * _MIB  # objects of the API hold 1.5 MB at most (etcd's limit); whatever is longer is damage
_PIECES = 256  # candidates tried for the end of one item
_FEW_PIECES = 8  # the same in a list with
_MANY_DAMAGED = 20
_SPACE = rb"[ \t\r\n]{0,200}"
_STRING = rb'"[^"\\]{0,300}"'
# Before the items stand only kind, apiVersion and the metadata of the list, in any order.
_HEAD = re.compile(
    rb'%(s)s\{%(s)s(?:(?:%(t)s%(s)s:%(s)s%(t)s|"metadata"%(s)s:%(s)s\{[^{}\[\]]{0,2000}\})%(s)s,%(s)s){0,4}'
    rb'"items"%(s)s:%(s)s\[(?P<before>%(s)s)(?P<item>\{)(?P<within>%(s)s)(?P<key>%(t)s)%(s)s:' % {b"s": _SPACE, b"t": _STRING}
)
_KIND = re.compile(rb'"kind"%(s)s:%(s)s"(\w{1,100})"' % {b"s": _SPACE})
_END = re.compile(rb"%(s)s\]" % {b"s": _SPACE})

_raws = msgspec.json.Decoder(list[msgspec.Raw])
_raw = msgspec.json.Decoder(msgspec.Raw)


class ListHead(msgspec.Struct, frozen=True):
    """How a list begins.

    :param kind: of its items, where the list names it before them: ``Pod`` of a ``PodList``.
    :param start: bytes before the first item.
    :param before: white space before an item. :param within: white space behind its brace. :param key: its first key.
    """

    kind: str | None
    start: int
    before: bytes
    within: bytes
    key: bytes


def list_head(head: bytes) -> ListHead | None:
    """How the list that starts with ``head`` begins; None when it is no list of objects."""
    found = _HEAD.match(head)
    if found is None:
        return None
    named = _KIND.search(head, 0, found.start("item"))
    return ListHead(_of_items(named), found.start("item"), found["before"], found["within"], found["key"])


def _of_items(named: re.Match[bytes] | None) -> str | None:
    """``Pod`` of ``PodList``; a plain ``List`` holds items that name their own kinds."""
    kind = named[1].decode() if named else ""
    return kind.removesuffix("List") or None if kind.endswith("List") else None


class Batch(msgspec.Struct):
    """Some items that follow each other.

    :param items: each as its bytes of JSON; a view of the batch, so what is kept must be copied.
    :param first_line: number of the line on which the first begins.
    :param text: the bytes they lie in; empty when all of them lie on one line. :param gap: bytes between two items.
    """

    items: list[msgspec.Raw]
    first_line: int
    text: bytes
    gap: int = 0

    def lines(self) -> Iterator[int]:
        """The numbers of the lines on which the items begin."""
        line = self.first_line
        at = 0
        for item in self.items:
            yield line
            if self.text:
                end = at + memoryview(item).nbytes + self.gap
                line += self.text.count(b"\n", at, end)
                at = end


class ListCutter:
    """Reads one list by :meth:`batches`; afterwards the attributes tell what came of it.

    :param read: gives the next bytes, at most as many as asked for; none at the end.
    """

    def __init__(self, read: Callable[[int], bytes], head: ListHead) -> None:
        self._read = read
        self._head = head
        self._line = 1
        self._several_lines = b"\n" in head.before + head.within
        self._boundary = re.compile(rb"\}(,%s)\{%s%s" % (_SPACE, re.escape(head.within), re.escape(head.key)))
        self._mark = b""  # the boundary of this list, once two items were seen
        self._gap = 0  # bytes between the braces of two items
        self.kind = head.kind
        self.items = 0
        self.damaged = 0  # stretches that are no objects
        self.cut = False  # the list has no end

    def batches(self) -> Iterator[Batch]:
        """The items in order, a few megabytes at a time."""
        buffer = self._read(max(self._head.start, 1))
        while len(buffer) < self._head.start and (more := self._read(self._head.start - len(buffer))):
            buffer += more
        self._line += buffer.count(b"\n")
        buffer = b""
        while data := self._read(_CHUNK):
            buffer = yield from self._ended_items(buffer + data)
        yield from self._last(buffer)

    def _ended_items(self, buffer: bytes) -> Generator[Batch, None, bytes]:
        """All items behind which another begins; returns what follows them."""
        end = self._last_boundary(buffer)
        if end < 0:
            if len(buffer) <= _LARGEST_ITEM:
                return buffer
            self.damaged += 1
            self._pass(buffer[:-_MIB])
            return buffer[-_MIB:]
        rest = yield from self._taken(buffer[: end + 1])
        if rest:
            return rest + buffer[end + 1 :]
        self._pass(buffer[end + 1 : end + 1 + self._gap])
        return buffer[end + 1 + self._gap :]

    def _last_boundary(self, buffer: bytes) -> int:
        """Where the last item ends behind which another begins; -1 when there is none."""
        if not self._mark:
            found = self._boundary.search(buffer)
            if found is None:
                return -1
            self._mark, self._gap = found[0], len(found[1])
        return buffer.rfind(self._mark)

    def _taken(self, region: bytes) -> Generator[Batch, None, bytes]:
        """The items of a region that ends with one; returns what does not end in it."""
        try:
            items = _raws.decode(b"[" + region + b"]")
        except msgspec.DecodeError:
            return (yield from self._one_by_one(region))
        yield self._batch(items, region)
        return b""

    def _batch(self, items: list[msgspec.Raw], region: bytes) -> Batch:
        batch = Batch(items, self._line, region if self._several_lines else b"", self._gap)
        self.items += len(items)
        self._pass(region)
        return batch

    def _pass(self, text: bytes) -> None:
        """Count the lines of what lies behind; a gigabyte on one line is not searched for line ends."""
        if self._several_lines:
            self._line += text.count(b"\n")

    def _one_by_one(self, region: bytes) -> Generator[Batch, None, bytes]:
        """The same where something looks like a boundary and is none, or where bytes are damaged."""
        starts = [0]
        at = region.find(self._mark)
        while at >= 0:
            starts.append(at + 1 + self._gap)
            at = region.find(self._mark, at + 1)
        ends = [start - self._gap for start in starts[1:]] + [len(region)]
        first, damaged = 0, False
        while first < len(starts):
            most = _PIECES if self.damaged < _MANY_DAMAGED else _FEW_PIECES
            last = self._item_end(region, starts[first], ends[first : first + most])
            if last is None:
                if first + most > len(ends) and _is_open(region[starts[first] :]) and len(region) < _LARGEST_ITEM:
                    return region[starts[first] :]  # it may end in what was not read yet
                self.damaged += not damaged
                damaged = True
                last = 0
                piece = region[starts[first] : ends[first]]
                self._pass(piece)
            else:
                damaged = False
                piece = region[starts[first] : ends[first + last]]
                yield self._batch([msgspec.Raw(piece)], piece)
            first += last + 1
            if first < len(starts):
                self._pass(region[ends[first - 1] : starts[first]])
        return b""

    def _item_end(self, region: bytes, start: int, ends: list[int]) -> int | None:
        """Which of the candidates ends the item; None when it is damaged, or ends behind all of them."""
        for number, end in enumerate(ends):
            piece = region[start:end]
            try:
                _raw.decode(piece)
            except msgspec.DecodeError:
                if not _is_open(piece):
                    return None
            else:
                return number
        return None

    def _last(self, buffer: bytes) -> Iterator[Batch]:
        """The last item, with the end of the list behind it."""
        while True:
            text = buffer.decode("utf-8", "surrogateescape")
            try:
                _, end = json.JSONDecoder().raw_decode(text)
                break
            except (ValueError, RecursionError):
                end = buffer.find(self._mark) if self._mark else -1
                if end < 0:
                    self.cut = True
                    return
            self.damaged += 1
            self._pass(buffer[: end + 1 + self._gap])
            buffer = yield from self._ended_items(buffer[end + 1 + self._gap :])
        item, tail = (part.encode("utf-8", "surrogateescape") for part in (text[:end], text[end:]))
        yield self._batch([msgspec.Raw(item)], item)
        self.cut = _END.match(tail) is None
        self.kind = self.kind or _of_items(_KIND.search(tail))


def _is_open(piece: bytes) -> bool:
    """Whether a text that cannot be decoded is only the start of a value."""
    try:
        _raw.decode(piece)
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    return False
