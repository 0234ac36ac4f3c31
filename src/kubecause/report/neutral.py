"""Make foreign text harmless to print: nothing of the evidence may move a cursor, hide or reorder what is read."""

from __future__ import annotations

import re

# Colours of a log line carry no words (ECMA-48, SGR): they go without a trace, every other control character is shown.
_COLOUR = re.compile(r"\x1b\[[0-9;:]{0,40}m")
_RANGES = (
    "\x7f-\x9f"  # DEL and C1: a UTF-8 terminal obeys U+009B as it does ESC [
    "\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, bidirectional, line separators
    "\ud800-\udfff\ufffe\uffff"  # no characters at all
    "\U000e0000-\U000e007f"  # tags: text nobody sees
)
UNSEEN = re.compile(f"[{_RANGES}]")
"""Characters that :func:`json.dumps` prints as they are although they are not to be seen."""

_CONTROL = re.compile(f"[\x00-\x08\x0b-\x1f{_RANGES}]")


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def neutralise(text: str) -> str:
    r"""Text with every control and invisible character spelled out (``\x1b``); line ends stay, tabs become a blank."""
    text = text.replace("\r\n", "\n").replace("\t", " ")
    return _CONTROL.sub(_visible, _COLOUR.sub("", text))


def one_line(text: str) -> str:
    """The same on one line, runs of blanks made one."""
    return " ".join(neutralise(text).split())
