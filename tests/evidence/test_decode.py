"""Bytes become clean lines, whatever their encoding."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubecause.evidence.decode import Encoding, clean, decode, lines_of, sniff

CHINESE = "错误：节点磁盘压力，无法调度\nkubelet 已停止\n"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"plain text\n", Encoding("utf-8")),
        (b"", Encoding("utf-8")),
        (CHINESE.encode(), Encoding("utf-8")),
        (CHINESE.encode("gb18030"), Encoding("utf-8")),
        (codecs.BOM_UTF8 + b"text", Encoding("utf-8", 3)),
        (codecs.BOM_UTF16_LE + "text".encode("utf-16-le"), Encoding("utf-16-le", 2)),
        (codecs.BOM_UTF16_BE + "text".encode("utf-16-be"), Encoding("utf-16-be", 2)),
        ("NAME   READY\nweb-0  1/1\n".encode("utf-16-le"), Encoding("utf-16-le")),
        ("NAME   READY\nweb-0  1/1\n".encode("utf-16-be"), Encoding("utf-16-be")),
        (b"\x1b[31mred\x1b[0m\n" * 40, Encoding("utf-8")),
        (b"log line\n\x00\x00\x00log line with a hole\n", Encoding("utf-8")),
        (b"\x00" * 4096, "binary data"),
        (bytes(range(256)) * 16, "binary data"),
        (b"\x7fELF\x02\x01\x01", "binary data (program)"),
        (b"LPKSHHRH\x00\x00", "systemd journal in its binary form; export it with journalctl --file"),
    ],
)
def test_the_first_bytes_tell_what_a_file_is(head: bytes, expected: Encoding | str) -> None:
    """Marks, NULs in every other byte, control characters and magic numbers decide."""
    assert expected == sniff(head)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (CHINESE.encode(), CHINESE),
        (CHINESE.encode("gb18030"), CHINESE),
        (b"NAME READY\n" + CHINESE.encode("gbk") + b"web-0 1/1\n", "NAME READY\n" + CHINESE + "web-0 1/1\n"),
        (CHINESE.encode() + CHINESE.encode("gbk"), CHINESE + CHINESE),
        ("café fermé à clé\n".encode("latin-1"), "café fermé à clé\n"),
        ("节点".encode()[:-1] + b" cut off\n", "节\ufffd cut off\n"),
    ],
)
def test_encodings_are_told_line_by_line(data: bytes, expected: str) -> None:
    """UTF-8 wins; lines that are not UTF-8 are GB18030 when they read as Chinese, else Latin-1 or damaged UTF-8."""
    assert expected == decode(data)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[1;31mError\x1b[0m from server", "Error from server"),
        ("\x1b]0;root@m1: ~\x07[root@m1 ~]# ls", "[root@m1 ~]# ls"),
        ("\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;never ended\nnext line", "\nnext line"),
        ("N\x08NA\x08AME", "NAME"),
        ("pulling 10%\rpulling 50%\rdone\nnext\r\n", "done\nnext\n"),
        ("windows\r\r\nline\r\n", "windows\nline\n"),
        ("pod\u200b-name\ufeff\xa0Running", "pod-name Running"),
        ("a\x00b\x07c\td", "abc\td"),
        ("one\u2028line", "one line"),
        ("\x1b(Bplain\x1b[?25h", "plain"),
    ],
)
def test_what_only_a_terminal_needs_is_taken_away(text: str, expected: str) -> None:
    """Escapes, overstrikes, redrawn bars, zero-width marks and odd blanks go."""
    assert expected == clean(text)


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", []), (b"\n", [""]), (b"a", ["a"]), (b"a\n", ["a"]), (b"a\r\n\r\nb", ["a", "", "b"]), (b"a\n\n", ["a", ""])],
)
def test_line_ends(data: bytes, expected: list[str]) -> None:
    """A line end closes a line and opens none."""
    assert expected == lines_of(data)


@given(st.binary(max_size=600) | st.text(max_size=200).map(lambda text: text.encode("gb18030")))
def test_any_bytes_become_lines(data: bytes) -> None:
    """No bytes raise; there is one line for every line end and no control character is left but tabs."""
    sniff(data)

    lines = lines_of(data)

    assert len(lines) == data.count(b"\n") + (not data.endswith(b"\n") and data != b"")
    assert not [line for line in lines for c in line if c < " " and c != "\t"]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp", "Zs"]), max_size=200))
def test_utf8_is_kept(text: str) -> None:
    """Ordinary UTF-8 text comes out as it went in."""
    assert text == decode(text.encode())
    assert text == clean(text)
