"""Archives are read as streams, safely, and keep what can be read when they are damaged."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubecause.evidence.files import Limits, RawText, read_texts
from kubecause.model import Gap

MEMBERS = {"logs/a.log": b"one\ntwo\n", "b.txt": b"three\n"}


def read(data: bytes, limits: Limits | None = None) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Texts by source, and gaps, of an archive on standard input (which cannot be sought in)."""
    texts: dict[str, list[str]] = {}
    gaps = []
    for found in read_texts("-", limits, io.BytesIO(data)):
        if isinstance(found, Gap):
            gaps.append((found.what, found.why))
        else:
            texts.setdefault(found.source, []).extend(found.lines)
    return texts, gaps


def tar(members: dict[str, bytes] = MEMBERS, layout: int = tarfile.PAX_FORMAT, *more: tarfile.TarInfo) -> bytes:
    """A tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=layout) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in more:
            archive.addfile(info)
    return out.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A member that is no file."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


class OneWay(io.BytesIO):
    """An output that cannot be sought in, so that zip members carry their size behind them."""

    def seekable(self) -> bool:
        """Never."""
        return False

    def tell(self) -> int:
        """What makes zipfile believe it."""
        raise io.UnsupportedOperation


def zipped(members: dict[str, bytes] = MEMBERS, *, method: int = zipfile.ZIP_DEFLATED, one_way: bool = False) -> bytes:
    """A zip archive."""
    out = OneWay() if one_way else io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


EXPECTED = {"-/logs/a.log": ["one", "two"], "-/b.txt": ["three"]}


@pytest.mark.parametrize(
    "data",
    [
        tar(layout=tarfile.PAX_FORMAT),
        tar(layout=tarfile.GNU_FORMAT),
        tar(layout=tarfile.USTAR_FORMAT),
        gzip.compress(tar()),
        bz2.compress(tar()),
        lzma.compress(tar()),
        zipped(),
        zipped(method=zipfile.ZIP_STORED),
        zipped(one_way=True),
        gzip.compress(zipped(one_way=True)),
    ],
    ids=["pax", "gnu", "ustar", "tar.gz", "tar.bz2", "tar.xz", "zip", "stored", "streamed zip", "zip.gz"],
)
def test_members_are_read(data: bytes) -> None:
    """Every kind of archive gives the same texts, told by content and not by name."""
    assert (EXPECTED, []) == read(data)


def test_compressed_files_keep_their_name() -> None:
    """A compressed log is one text; several streams behind each other are one file."""
    assert ({"-": ["one", "two"]}, []) == read(gzip.compress(b"one\n") + gzip.compress(b"two\n") + b"\0" * 100)
    assert ({"-": ["one", "two"]}, []) == read(bz2.compress(b"one\n") + bz2.compress(b"two\n"))
    assert ({"-": ["one", "two"]}, []) == read(lzma.compress(b"one\n") + lzma.compress(b"two\n"))


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_and_foreign_names(layout: int) -> None:
    """Names beyond 100 bytes and Chinese names come through."""
    name = "目录/" + "x" * 200 + "/日志.log"

    assert ({f"-/{name}": ["x"]}, []) == read(tar({name: b"x\n"}, layout))
    assert ({f"-/{name}": ["x"]}, []) == read(zipped({name: b"x\n"}))


def test_nested_archives_up_to_a_depth() -> None:
    """Archives in archives are read three deep; a compressed tar counts once."""
    log = gzip.compress(b"deep\n")
    two = zipped({"x.log.gz": log}, one_way=True)
    three = gzip.compress(tar({"in.zip": two}))

    assert ({"-/in.zip/x.log.gz": ["deep"]}, []) == read(three)
    assert ({}, [("-/o.tgz/in.zip/x.log.gz", "archive: nested deeper than 3")]) == read(tar({"o.tgz": three}))


def test_unsafe_members_are_refused() -> None:
    """Paths and links that leave the archive, devices and pipes are gaps; links inside are read under their own name."""
    data = tar(
        {"../evil": b"x\n", "/etc/passwd": b"x\n", "C:\\evil": b"x\n", "ok.log": b"fine\n"},
        tarfile.PAX_FORMAT,
        special("dev", tarfile.CHRTYPE),
        special("pipe", tarfile.FIFOTYPE),
        special("inside", tarfile.SYMTYPE, "ok.log"),
        special("a/inside", tarfile.SYMTYPE, "../ok.log"),
        special("leaves", tarfile.SYMTYPE, "a/../../x"),
        special("absolute", tarfile.SYMTYPE, "/etc/passwd"),
        special("hard", tarfile.LNKTYPE, "ok.log"),
        special("hard-out", tarfile.LNKTYPE, "../x"),
        special("folder", tarfile.DIRTYPE),
    )

    texts, gaps = read(data)

    assert {"-/ok.log": ["fine"]} == texts
    assert [
        ("-/../evil", "archive: unsafe path"),
        ("-//etc/passwd", "archive: unsafe path"),
        ("-/C:\\evil", "archive: unsafe path"),
        ("-/dev", "not a regular file"),
        ("-/pipe", "not a regular file"),
        ("-/leaves", "symbolic link leaves the folder"),
        ("-/absolute", "symbolic link leaves the folder"),
        ("-/hard-out", "archive: hard link leaves the archive"),
    ] == gaps
    assert ({}, [("-/../evil", "archive: unsafe path")]) == read(zipped({"../evil": b"x\n"}))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_decompression_bombs_stop(pack: Callable[[bytes], bytes]) -> None:
    """A small file that unpacks to a huge one stops at the ratio, with what was read and a gap."""
    texts, gaps = read(pack(b"first\n" + b"x" * (80 << 20)))

    assert "first" == texts["-"][0]
    assert ("-", "archive: unpacks to more than 250 times its size; unpack it and name the folder") in gaps


def test_everything_unpacked_is_limited() -> None:
    """What all archives together unpack to is limited, members that are not text included."""
    data = zipped({f"{n}.bin": bytes(100_000) for n in range(10)})

    assert ("-/2.bin", "archive: unpacks to more than the limit for all archives; unpack it and name the folder") in read(
        data, Limits(expanded=250_000)
    )[1]


def test_members_are_counted() -> None:
    """An archive with too many members stops with one gap."""
    texts, gaps = read(tar({f"{n}.log": b"x\n" for n in range(20)}), Limits(files=6))

    assert 5 == len(texts)
    assert [("-/5.log", "more than 6 files; the rest was not read")] == gaps


@pytest.mark.parametrize("pack", [tar, zipped, lambda members: gzip.compress(tar(members))], ids=["tar", "zip", "tar.gz"])
def test_cut_archives_keep_what_was_read(pack: Callable[[dict[str, bytes]], bytes]) -> None:
    """An archive that ends too early gives the members before the cut, and a gap."""
    lines = [f"line {n * 7919 % 100_003}" for n in range(30_000)]
    data = pack({"a.log": b"first\n", "b.log": "\n".join(lines).encode()})

    texts, gaps = read(data[: len(data) // 2])

    assert ["first"] == texts["-/a.log"]
    assert lines[:1000] == texts["-/b.log"][:1000]
    assert {"archive: ends too early"} == {why for _, why in gaps}


def test_kinds_that_cannot_be_read_are_gaps() -> None:
    """7z, rar, lz4, encrypted members and rare methods say what to do."""
    assert ({}, [("-", "archive: 7z is not supported here; unpack it first")]) == read(b"7z\xbc\xaf\x27\x1c" + bytes(100))
    assert ({}, [("-/x", "archive: compression method 12 is not supported")]) == read(
        zipped({"x": b"x\n" * 100}, method=zipfile.ZIP_BZIP2)
    )
    encrypted = bytearray(zipped({"x": b"x\n" * 100}))
    encrypted[6] |= 1
    assert ({}, [("-/x", "archive: encrypted member")]) == read(bytes(encrypted))


def test_huge_headers_are_refused() -> None:
    """A tar header that claims gigabytes of names is damage, not memory."""
    info = special("x", tarfile.GNUTYPE_LONGNAME)
    info.size = 1 << 33

    assert ({}, [("-", "archive: damaged (a header larger than 1 MiB)")]) == read(info.tobuf() + bytes(4096))


PLAIN = {"a.log": b"one\n" * 40, "dir/b.log": b"two\n" * 40, "c.log.gz": gzip.compress(b"three\n" * 40)}
ARCHIVES = [
    tar(PLAIN),
    tar(PLAIN, tarfile.GNU_FORMAT),
    zipped(PLAIN),
    zipped(PLAIN, one_way=True),
    gzip.compress(tar(PLAIN)),
    bz2.compress(tar(PLAIN)),
    lzma.compress(tar(PLAIN)),
]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_never_raises(data: st.DataObject) -> None:
    """Whatever bytes of an archive are changed, cut out or added, reading ends without an error and within bounds."""
    damaged = bytearray(data.draw(st.sampled_from(ARCHIVES)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        if data.draw(st.booleans()):
            damaged[at] = data.draw(st.integers(0, 255))
        else:
            damaged[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=40))

    for found in read_texts("-", Limits(expanded=1 << 24), io.BytesIO(bytes(damaged))):
        assert isinstance(found, RawText | Gap)


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=2000),
    st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\x00", b"\x00" * 257 + b"ustar"]),
)
def test_any_bytes_are_survived(data: bytes, start: bytes) -> None:
    """Any bytes, behind any magic number, end without an error."""
    for found in read_texts("-", None, io.BytesIO(start + data)):
        assert isinstance(found, RawText | Gap)
