"""A stream of bytes as chunks of clean, redacted lines, with bounded memory.

JSON and YAML files are kept whole as long as they fit, so that they can be read as objects; everything else, logs of
one JSON object a line included, comes in chunks of whole lines.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator

import msgspec

from kubecause.evidence.compression import ArchiveError, Peekable
from kubecause.evidence.decode import Encoding, lines_of
from kubecause.evidence.redact import Redactor

MIB = 1024 * 1024
_YAML_KEY = re.compile(r"(?:- )?[\w\"'./-]{1,128}:(?:\s|$)")


def is_structured(head: str) -> bool:
    """Whether a text that starts like this is one JSON or YAML file, by its first lines (64 KiB are plenty)."""
    text = head.lstrip("\ufeff \t\r\n")
    if text.startswith("{"):
        first, _, rest = text.partition("\n")
        if not re.match(r"\{\s*(?:[\"}]|$)", first):
            return False
        return not (rest.strip() and first.rstrip().endswith("}") and _is_json(first))
    if text.startswith("["):
        return re.match(r"\[\s*[\[{\"\]]", text) is not None
    lines = (line for line in text.split("\n", 200) if line.strip() and not line.startswith("#"))
    first = next(lines, "").rstrip()
    if re.match(r"---(?:\s|$)", first):
        return _YAML_KEY.match(next(lines, "")) is not None
    return first.startswith(("apiVersion:", "kind:"))


def _is_json(line: str) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


def size_text(count: int) -> str:
    """A size as a person says it: ``64 MiB``."""
    for unit, name in ((1024 * MIB, "GiB"), (MIB, "MiB"), (1024, "KiB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"


class TextReader:
    """Reads one text once, by :meth:`chunks`; afterwards the attributes tell what came of it.

    :param room: bytes that may be read.
    :param chunk: bytes of one chunk. :param line: characters of one line. :param structured: bytes of a file kept whole.
    """

    def __init__(self, stream: Peekable, encoding: Encoding, *, room: int, chunk: int, line: int, structured: int) -> None:
        self._stream = stream
        self._encoding = encoding
        self._room = room
        self._chunk = max(chunk, 4 * line + 4)  # a line that fills a chunk is too long in any encoding
        self._line = line
        self._structured = structured
        self._decoder = codecs.getincrementaldecoder(encoding.codec)("replace") if encoding.wide else None
        self._ended = False
        self._long: list[int] = []
        self._long_count = 0
        self.taken = 0  # bytes read
        self.lines = 0  # lines given out
        self.full = False  # whether `room` was not enough
        self.troubles: list[str] = []

    def chunks(self, head: bytes) -> Iterator[tuple[list[str], int, bool]]:
        """Lines, the number of the first of them, and whether they are the last.

        :param head: the first bytes of the stream, which were only looked at.
        """
        self._stream.skip(self._encoding.bom)
        if is_structured(head[self._encoding.bom :].decode(self._encoding.codec, "ignore")):
            start = self._up_to(self._structured)
            if self._ended:
                yield self._give(lines_of(bytes(start)), Redactor(), last=True, whole=True)
                self._finish()
                return
            self.troubles.append(f"larger than {size_text(self._structured)}; too large to be read as an object, read as lines")
        else:
            start = bytearray()
        redactor = Redactor()
        held: list[str] | None = None
        for block, cut in _blocks(self._read, start, self._chunk):
            if held is not None:
                yield self._give(held, redactor, last=False)
            held = lines_of(block)
            if cut:
                self._note_long(self.lines + len(held))
        if held is not None:
            yield self._give(held, redactor, last=True)
        self._finish()

    def _give(self, lines: list[str], redactor: Redactor, *, last: bool, whole: bool = False) -> tuple[list[str], int, bool]:
        first = self.lines + 1
        lines = redactor.feed(lines, more=not last)
        self.lines += len(lines)
        if not whole and max(map(len, lines), default=0) > self._line:
            for at, line in enumerate(lines):
                if len(line) > self._line:
                    lines[at] = line[: self._line]
                    self._note_long(first + at)
        return lines, first, last

    def _note_long(self, number: int) -> None:
        if not self._long or self._long[-1] < number:
            self._long = [self._long[0] if self._long else number, number]
            self._long_count += 1

    def _finish(self) -> None:
        if self._long:
            more = f" and {self._long_count - 1} more" if self._long_count > 1 else ""
            self.troubles.insert(0, f"line {self._long[0]}{more} longer than {self._line} characters, cut")

    def _up_to(self, size: int) -> bytearray:
        """The start of the text; ``_ended`` tells whether it is all of it."""
        data = bytearray()
        while len(data) <= size:
            part = self._read(min(MIB, size + 1 - len(data)))
            if not part:
                break
            data += part
        return data

    def _read(self, size: int) -> bytes:
        """The next bytes, as UTF-8 where the text is wide; none at the end, at the limit and at damage."""
        while not self._ended:
            data = self._take(size)
            self._ended = not data
            if self._decoder is None:
                return data
            text = self._decoder.decode(data, final=self._ended)
            if text:
                return text.encode("utf-8", "replace")
        return b""

    def _take(self, size: int) -> bytes:
        try:
            room = self._room - self.taken
            if room <= 0:
                self.full = bool(self._stream.peek(1))
                return b""
            data = self._stream.some(min(size, room))
        except (ArchiveError, OSError) as error:
            said = str(error) if isinstance(error, ArchiveError) else f"cannot be read to its end: {error.strerror}"
            self.troubles.append(said)
            return b""
        self.taken += len(data)
        return data


def _blocks(read: Callable[[int], bytes], start: bytearray, chunk: int) -> Iterator[tuple[bytes, bool]]:
    """Whole lines, about ``chunk`` bytes at a time, and whether they are the cut start of one line that is longer."""
    buffer = start
    skipping = False
    while True:
        while len(buffer) >= chunk:
            end = buffer.rfind(b"\n", 0, chunk) + 1
            if end:
                yield bytes(buffer[:end]), False
                del buffer[:end]
                continue
            yield bytes(buffer[:chunk]), True
            end = buffer.find(b"\n", chunk)
            skipping = end < 0
            del buffer[: len(buffer) if skipping else end + 1]
        data = read(MIB)
        if not data:
            break
        if skipping:
            end = data.find(b"\n")
            if end < 0:
                continue
            data, skipping = data[end + 1 :], False
        buffer += data
    if buffer:
        yield bytes(buffer), False
