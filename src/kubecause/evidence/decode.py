"""Bytes to clean lines: encodings, binary data, terminal escapes, line ends.

What terminals, editors and Windows tools add to a text is taken away, so that later stages see what a person read.
Nothing here raises over strange bytes.
"""

from __future__ import annotations

import codecs
import re

import msgspec

_MAGIC = (
    (b"LPKSHHRH", "systemd journal in its binary form; export it with journalctl --file"),
    (b"SQLite format 3\x00", "binary data (SQLite database)"),
    (b"\x7fELF", "binary data (program)"),
    (b"\x89PNG", "binary data (picture)"),
    (b"\xff\xd8\xff", "binary data (picture)"),
    (b"GIF8", "binary data (picture)"),
    (b"%PDF-", "binary data (PDF); save its text"),
    (b"\xca\xfe\xba\xbe", "binary data (program)"),
    (b"\x00asm", "binary data (program)"),
    (b"age-encryption.org/", "encrypted with age; decrypt it first"),
    (b"-----BEGIN AGE ENCRYPTED FILE", "encrypted with age; decrypt it first"),
    (b"-----BEGIN PGP MESSAGE", "encrypted with PGP; decrypt it first"),
    (b"\x7fKBM", "binary data"),
)
_BINARY = "binary data"
# Bytes no text holds; tab, line ends, bell, backspace, form feed, escape and NUL are judged apart.
_CONTROL = bytes(b for b in range(32) if b not in b"\x00\x07\x08\t\n\x0c\r\x1b") + b"\x7f"
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
         (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))  # fmt: skip


class Encoding(msgspec.Struct, frozen=True):
    """How a text is stored: the codec of wide texts, ``utf-8`` for everything that has one byte a line end.

    :param bom: length of the mark at the start, in bytes.
    """

    codec: str
    bom: int = 0

    @property
    def wide(self) -> bool:
        """Whether a line end takes more than one byte."""
        return self.codec != "utf-8"


def sniff(head: bytes) -> Encoding | str:
    """The encoding of a text by its first bytes (64 KiB are plenty), or why it is not a text."""
    for bom, codec in _BOMS:
        if head.startswith(bom):
            return Encoding(codec, len(bom))
    for magic, why in _MAGIC:
        if head.startswith(magic):
            return why
    if not head:
        return Encoding("utf-8")
    nuls = head.count(0)
    if nuls:
        wide = _wide_by_nuls(head, nuls)
        if wide:
            return Encoding(wide)
        if nuls > len(head) * 0.3:
            return _BINARY
    controls = len(head) - nuls - len(head.translate(None, _CONTROL + b"\x00"))
    return _BINARY if controls > 2 and controls > len(head) * 0.05 else Encoding("utf-8")


def _wide_by_nuls(head: bytes, nuls: int) -> str | None:
    """UTF-16 without a mark: mostly Latin text has NULs in every other byte, on one side only."""
    half = len(head) // 2
    if half < 2 or nuls < half * 0.4:
        return None
    even = head[0 : 2 * half : 2].count(0)
    odd = head[1 : 2 * half : 2].count(0)
    if odd > half * 0.4 and even < half * 0.05 and _is_text(head[0 : 2 * half : 2]):
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.05 and _is_text(head[1 : 2 * half : 2]):
        return "utf-16-be"
    return None


def _is_text(low_bytes: bytes) -> bool:
    return len(low_bytes.translate(None, _CONTROL)) >= len(low_bytes) * 0.95


def decode(data: bytes) -> str:
    """Bytes of whole lines as text: UTF-8, and line by line GB18030 or Latin-1 where it is not.

    Terminals and old Windows tools mix encodings within one file, so only lines that are not UTF-8 are in question;
    all of them together decide which encoding they have.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    lines = data.split(b"\n")
    decoded: list[str | None] = []
    bad: list[bytes] = []
    for line in lines:
        try:
            decoded.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            decoded.append(None)
            bad.append(line)
    codec = _fallback(b"\n".join(bad[:2000]))
    others = iter(bad)
    return "\n".join(next(others).decode(codec, "replace") if text is None else text for text in decoded)


def _fallback(sample: bytes) -> str:
    """Encoding of lines that are not UTF-8: damaged UTF-8 stays UTF-8."""
    high = len(sample) - len(sample.translate(None, bytes(range(128, 256))))
    as_utf8 = sample.decode("utf-8", "replace")
    broken = as_utf8.count("\ufffd")
    if broken <= high * 0.2:
        return "utf-8"
    as_gb = sample.decode("gb18030", "replace")
    han = sum(1 for c in as_gb if "\u4e00" <= c <= "\u9fff" or "\u3000" <= c <= "\u303f" or "\uff00" <= c <= "\uffef")
    # In GB 2312 both bytes of a character are high; Latin letters with accents stand between plain letters.
    if han and as_gb.count("\ufffd") <= han * 0.05 and 2 * han >= high * 0.8:
        return "gb18030"
    return "latin-1" if broken > high * 0.6 and _looks_latin(sample) else "utf-8"


def _looks_latin(sample: bytes) -> bool:
    """Whether most high bytes are letters with accents: 0xC0 to 0xFF in ISO 8859-1."""
    letters = len(sample) - len(sample.translate(None, bytes(range(192, 256))))
    high = len(sample) - len(sample.translate(None, bytes(range(128, 256))))
    return letters >= high * 0.7


_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # CSI: colours, cursor
    r"|\][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\|(?=\x1b)|$)"  # OSC: window titles, links
    r"|[PX^_][^\x1b\n]{0,4096}(?:\x1b\\|$)"  # device strings
    r"|[ -/]{1,4}[0-~]|[0-~])?"
    r"|\x9b[0-?]{1,64}[ -/]{0,8}[@-~]",
    re.MULTILINE,
)
_OVERSTRIKE = re.compile(r"[^\x08\n]\x08")
# Zero-width marks and the odd controls go; a no-break space is a space.
_MARKS = re.compile("[\u200b\u200e\u200f\u2060\ufeff\x00-\x06\x07\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_ODD_LINE_ENDS = re.compile("[\u2028\u2029\x85\x0c]")
_PLAIN_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean(text: str) -> str:
    """A text without what only a terminal needs; lines stay lines, except that a bar redrawn with CR keeps its last state."""
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", text)
    if "\r" in text:
        text = _carriage_returns(text)
    if "\x08" in text:
        text = _OVERSTRIKE.sub("", text)
    if not text.isascii():
        text = text.replace("\xa0", " ").replace("\u202f", " ")
        text = _ODD_LINE_ENDS.sub(" ", text)
        text = _MARKS.sub("", text)
    elif _PLAIN_CONTROLS.search(text):
        text = _MARKS.sub("", text).replace("\x0c", " ")
    return text


def _carriage_returns(text: str) -> str:
    text = text.replace("\r\n", "\n")
    if "\r" not in text:
        return text
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] if "\r" in line else line for line in text.split("\n"))


def lines_of(data: bytes) -> list[str]:
    """Clean lines of the bytes of whole lines; a line end at the end opens no further line."""
    lines = clean(decode(data)).split("\n")
    if not data or data.endswith(b"\n"):
        lines.pop()
    return lines
