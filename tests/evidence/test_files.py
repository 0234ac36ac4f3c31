"""A target is read safely, completely and in bounded memory."""

from __future__ import annotations

import io
import json
import os
import socket
import tempfile
import tracemalloc
from pathlib import Path

import pytest

from kubecause.errors import EvidenceError
from kubecause.evidence.files import Limits, RawText, read_texts
from kubecause.model import Gap

SMALL = Limits(chunk=1024, line=64, structured=4096)


def texts_of(target: Path | str, limits: Limits | None = None, stdin: bytes | None = None) -> list[RawText]:
    """All texts of a target."""
    found = read_texts(str(target), limits, io.BytesIO(stdin) if stdin is not None else None)
    return [text for text in found if isinstance(text, RawText)]


def gaps_of(target: Path | str, limits: Limits | None = None, stdin: bytes | None = None) -> list[tuple[str, str]]:
    """All gaps of a target: what and why."""
    found = read_texts(str(target), limits, io.BytesIO(stdin) if stdin is not None else None)
    return [(gap.what, gap.why) for gap in found if isinstance(gap, Gap)]


def test_folder_is_read_in_order(tmp_path: Path) -> None:
    """All files of all folders come sorted by name, with paths relative to the target."""
    for name in ("b.txt", "a/z.log", "a/b/c.log", ".hidden"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}\n")

    texts = texts_of(tmp_path)

    assert [".hidden", "a/b/c.log", "a/z.log", "b.txt"] == [text.source for text in texts]
    assert RawText("b.txt", ["content of b.txt"]) == texts[-1]
    assert [] == gaps_of(tmp_path)


def test_one_file_and_stdin(tmp_path: Path) -> None:
    """A file has its name as source, standard input a dash."""
    path = tmp_path / "x.txt"
    path.write_bytes(b"\xef\xbb\xbfNAME\r\nweb-0\r\n")

    assert [RawText("x.txt", ["NAME", "web-0"])] == texts_of(path)
    assert [RawText("-", ["NAME", "web-0"])] == texts_of("-", stdin=b"NAME\nweb-0")
    assert [] == texts_of("-", stdin=b"")


def test_target_that_cannot_be_opened(tmp_path: Path) -> None:
    """A missing target, or one that is no file, is one line that says what, where and what to do, at once."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(EvidenceError, match=r"cannot read .*nothing: no such file or directory; check the path"):
        read_texts(str(tmp_path / "nothing"))
    with pytest.raises(EvidenceError, match=r"cannot read .*pipe: not a regular file; send its output to `kubecause read -`"):
        read_texts(str(tmp_path / "pipe"))
    with pytest.raises(EvidenceError, match="cannot read"):
        read_texts("a\0b")


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """Pipes, sockets and devices are gaps; reading does not hang on them."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))

        assert [("pipe", "not a regular file"), ("socket", "not a regular file")] == gaps_of(tmp_path)


def test_links_stay_inside(tmp_path: Path) -> None:
    """A link inside the target adds nothing, one that leaves it or runs in circles is a gap, a dangling one is nothing."""
    (tmp_path / "outside.txt").write_text("not yours\n")
    target = tmp_path / "target"
    (target / "sub").mkdir(parents=True)
    (target / "real.log").write_text("line\n")
    for name, to in {
        "again.log": "real.log",
        "leaves": "../outside.txt",
        "absolute": "/etc/hostname",
        "self": "self",
        "dangling": "nothing",
        "sub/up": "..",
        "to-sub": "sub",
    }.items():
        (target / name).symlink_to(to)

    assert ["real.log"] == [text.source for text in texts_of(target)]
    assert [
        ("absolute", "symbolic link leaves the folder"),
        ("leaves", "symbolic link leaves the folder"),
        ("self", "symbolic link loop"),
        ("sub/up", "symbolic link loop"),
    ] == gaps_of(target)


def test_unreadable_files_are_gaps() -> None:
    """A file or folder that may not be read is a gap."""
    user = os.geteuid()
    with tempfile.TemporaryDirectory(dir=None if user else "/tmp") as name:  # a folder above may be root's alone
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "file").write_text("x")
        (folder / "file").chmod(0)
        (folder / "folder").mkdir(mode=0)
        os.seteuid(user or 65534)  # root may read everything
        try:
            gaps = gaps_of(folder)
        finally:
            os.seteuid(user)

    assert [("file", "permission denied"), ("folder", "permission denied")] == gaps


def test_names_are_printable(tmp_path: Path) -> None:
    """Control characters and broken encodings in a file name do not reach the report."""
    (tmp_path / os.fsdecode(b"a\x1b[31m\n\xff.log")).write_text("x\n")

    assert ["a\ufffd[31m\ufffd\ufffd.log"] == [text.source for text in texts_of(tmp_path)]


def test_binary_data_is_a_gap(tmp_path: Path) -> None:
    """Pictures and programs are not read as text."""
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (tmp_path / "x.bin").write_bytes(os.urandom(5000))

    assert [("x.bin", "binary data"), ("x.png", "binary data (picture)")] == gaps_of(tmp_path)
    assert [] == texts_of(tmp_path)


def test_log_with_a_hole_in_front_is_read() -> None:
    """A log that was truncated while it was written starts with NULs; its text is read."""
    assert [["first", "second"]] == [text.lines for text in texts_of("-", stdin=bytes(200_000) + b"first\nsecond\n")]


def test_long_files_come_in_chunks() -> None:
    """Chunks hold whole lines, know their first line number, and only the last one says so."""
    data = "".join(f"line {n}\n" for n in range(1, 1001)).encode()

    texts = texts_of("-", SMALL, data)

    assert [f"line {n}" for n in range(1, 1001)] == [line for text in texts for line in text.lines]
    assert len(texts) > 5
    assert all(f"line {text.first_line}" == text.lines[0] for text in texts)
    assert [False] * (len(texts) - 1) + [True] == [text.last for text in texts]


def test_long_lines_are_cut() -> None:
    """A line beyond the limit is cut, told once, and the numbers of the lines behind it stay right."""
    data = b"one\n" + b"x" * 100 + b"\nthree\n" + b"y" * 5000 + b"\nfive\n"

    texts = texts_of("-", SMALL, data)

    assert ["one", "x" * 64, "three", "y" * 64, "five"] == [line for text in texts for line in text.lines]
    assert [("-", "line 2 and 1 more longer than 64 characters, cut")] == gaps_of("-", SMALL, data)


@pytest.mark.parametrize(
    "data",
    [
        b'{\n  "kind": "Pod",\n' + b'  "a": 1,\n' * 200 + b'  "b": 2\n}\n',
        b'{"kind": "List", "items": [' + b"1," * 1000 + b"1]}\n",
        b"[\n" + b'{"a": 1},\n' * 200 + b'{"a": 2}\n]\n',
        b"apiVersion: v1\n" + b"# comment\n" * 200,
        b"# saved by hand\n---\nkind: Pod\n" + b"# comment\n" * 200,
        b"\xef\xbb\xbfkind: Pod\n" + b"# comment\n" * 200,
        '{"kind": "Pod",\n'.encode("utf-16") + ('"a": "b",\n' * 200).encode("utf-16-le"),
    ],
)
def test_objects_are_kept_whole(data: bytes) -> None:
    """JSON and YAML files come in one piece, however long their lines are."""
    assert [(1, True)] == [(text.first_line, text.last) for text in texts_of("-", SMALL, data)]
    assert [] == gaps_of("-", SMALL, data)


@pytest.mark.parametrize(
    "line",
    ['{"log": "x", "stream": "stdout"}', "[INFO] started", "[2026-01-01 10:00:00] started", "[root@m1 ~]# ls", "--- a", "{x}"],
)
def test_logs_are_not_objects(line: str) -> None:
    """Logs of one JSON object a line, and logs that merely start with a bracket, come in chunks."""
    assert len(texts_of("-", SMALL, f"{line}\n".encode() * 500)) > 1


def test_objects_too_large_are_read_as_lines() -> None:
    """A JSON file beyond the limit comes in chunks, and a gap says so."""
    data = json.dumps({"items": list(range(2000))}, indent=1).encode()

    assert data.decode().splitlines() == [line for text in texts_of("-", SMALL, data) for line in text.lines]
    assert [("-", "larger than 4 KiB; too large to be read as an object, read as lines")] == gaps_of("-", SMALL, data)


class Endless(io.BytesIO):
    """Input that never ends."""

    def __init__(self, piece: bytes) -> None:
        super().__init__()
        self.piece = piece
        self.given = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Whole pieces, about as many bytes as asked for."""
        data = self.piece * max(1, (size or 0) // len(self.piece))
        self.given += len(data)
        return data


def test_endless_input_stops_at_the_limit() -> None:
    """Input without an end stops at the limit on everything, with a gap that says how far it was read."""
    source = Endless(b"a line of text.\n")

    found = list(read_texts("-", Limits(total=3 << 20, chunk=1 << 20), source))

    assert isinstance(found[-1], Gap)
    assert "more than 3 MiB in all; read up to line 196608, and nothing behind it" == found[-1].why
    assert source.given < 5 << 20


def test_endless_zeros_are_binary_within_a_megabyte() -> None:
    """/dev/zero on standard input ends within about one megabyte."""
    source = Endless(b"\0")

    assert [Gap("-", "binary data")] == list(read_texts("-", stdin=source))
    assert source.given < 2 << 20


def test_one_endless_line_needs_bounded_memory() -> None:
    """A line of 50 MB is cut, and memory stays at a few chunks."""
    source = Endless(b"x")
    tracemalloc.start()

    found = list(read_texts("-", Limits(total=50 << 20, chunk=1 << 20), source))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert isinstance(found[0], RawText)
    assert ["x" * 65536] == found[0].lines
    assert ["line 1 longer than 65536 characters, cut", "more than 50 MiB in all; read up to line 1, and nothing behind it"] == [
        g.why for g in found if isinstance(g, Gap)
    ]
    assert peak < 24 << 20


def test_limits_on_files_and_folders(tmp_path: Path) -> None:
    """Too many files, too deep folders and too large files are gaps; what is within the limits is read."""
    for n in range(5):
        (tmp_path / f"{n}.log").write_text("x\n" * 100)
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/deep.log").write_text("x\n")

    assert [("3.log", "more than 3 files; the rest was not read")] == gaps_of(tmp_path, Limits(files=3))
    assert [("a/b", "folder nested deeper than 1")] == gaps_of(tmp_path, Limits(depth=1))
    assert ("0.log", "larger than 50 bytes; read from line 1 to 25 only") in gaps_of(tmp_path, Limits(per_file=50))
    assert ["0.log", "1.log", "2.log"] == [text.source for text in texts_of(tmp_path, Limits(total=500))]
    assert [("2.log", "more than 500 bytes in all; read up to line 50, and nothing behind it")] == gaps_of(
        tmp_path, Limits(total=500)
    )


def test_secrets_do_not_leave(tmp_path: Path) -> None:
    """What is read is redacted, over chunks too."""
    (tmp_path / "x.log").write_text("x" * 60 + "\n" + "password=hunter2hunter2\n" * 200)

    assert "hunter2" not in "\n".join(line for text in texts_of(tmp_path, SMALL) for line in text.lines)


def test_bytes_are_counted(tmp_path: Path) -> None:
    """Progress hears of every byte read from the target."""
    (tmp_path / "x.log").write_bytes(b"line\n" * 10_000)
    seen: list[int] = []

    list(read_texts(str(tmp_path), on_bytes=seen.append))

    assert 50_000 == sum(seen)
