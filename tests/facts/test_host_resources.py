"""Disk and memory from df and free."""

from __future__ import annotations

import pytest
from host_samples import SAMPLES, document, facts, fields

from kubecause.facts.host_resources import parse_df, parse_free

GIB = 1024**3


def test_df_leaves_out_what_repeats_or_is_always_full() -> None:
    """Snaps are always full, container roots and projected volumes repeat other disks: no facts."""
    found = fields(facts("df-h", "df"), "filesystem")

    assert [(row["mount"], row["used_percent"]) for row in found] == [
        ("/dev", 0),
        ("/", 100),
        ("/dev/shm", 0),
        ("/var/lib/kubelet", 60),
        ("/mnt/data share", 30),
    ]
    assert found[3]["available_bytes"] == 81 * GIB


def test_df_joins_wrapped_rows() -> None:
    """A long device name on its own line belongs to the figures below it; sizes are in 1K blocks."""
    assert fields(facts("df-wrapped", "df"), "filesystem") == [
        {"mount": "/", "used_percent": 100, "available_bytes": 0},
        {"mount": "/boot", "used_percent": 26, "available_bytes": 71480 * 1024},
    ]


def test_df_in_chinese() -> None:
    """A translated header changes nothing."""
    found = fields(facts("df-zh", "df"), "filesystem")

    assert [("/", 94), ("/dev/shm", 0)] == [(row["mount"], row["used_percent"]) for row in found]


@pytest.mark.parametrize(
    ("header", "available", "size"),
    [
        ("Filesystem 1M-blocks Used Available Use% Mounted on", "10", 10 * 1024**2),
        ("Filesystem 1024-blocks Used Available Capacity Mounted on", "10", 10 * 1024),
        ("Dateisystem 1K-Blöcke Benutzt Verfügbar Verw% Eingehängt auf", "10", 10 * 1024),
        ("Sys. de fichiers blocs de 1K Utilisé Disponible Uti% Monté sur", "10", 10 * 1024),
        ("Filesystem Size Used Avail Use% Mounted on", "1,5G", GIB * 3 // 2),
        ("", "10", 10 * 1024),
    ],
)
def test_df_units(header: str, available: str, size: int) -> None:
    """The header tells the unit; without it a plain number counts KiB, as df does by default."""
    [fact] = parse_df(document(f"{header}\n/dev/sda1 100 90 {available} 90% /", "df"))

    assert fact.fields == {"mount": "/", "used_percent": 90, "available_bytes": size}


@pytest.mark.parametrize(("sample", "expected"), [("df-inodes", [("/", 100), ("/dev/shm", 1)]), ("df-inodes-zh", [("/", 100)])])
def test_df_inodes(sample: str, expected: list[tuple[str, int]]) -> None:
    """The option -i tells inodes and no bytes; a file system without fixed inodes gives no fact."""
    found = fields(facts(sample, "df"), "filesystem")

    assert expected == [(row["mount"], row["inodes_percent"]) for row in found]
    assert all("used_percent" not in row and "available_bytes" not in row for row in found)


def test_df_inodes_without_header() -> None:
    """The command tells inodes when grep took the header away."""
    [fact] = parse_df(document("/dev/vda1 3276800 3276800 0 100% /", "df", command="df -hi | grep vda1"))

    assert fact.fields == {"mount": "/", "inodes_percent": 100}


def test_free_human_readable() -> None:
    """The last column of the new format is what is available."""
    [memory] = fields(facts("free-h", "free"), "memory")

    assert memory == {
        "total_bytes": round(3.7 * GIB),
        "available_bytes": round(3.2 * GIB),
        "available_percent": 86.5,
        "swap_total_bytes": round(3.9 * GIB),
        "swap_used_bytes": 57 * 1024**2,
    }


def test_free_of_old_procps() -> None:
    """The old format has no available column: buffers and cache count as free."""
    [fact] = facts("free-old", "free")

    assert (fact["total_bytes"], fact["available_bytes"]) == (32865032 * 1024, 10229036 * 1024)
    assert [proof.line for proof in fact.proofs] == [11, 12, 13]


def test_free_in_chinese() -> None:
    """Translated row names are known; no swap means a total of zero."""
    [memory] = fields(facts("free-zh", "free"), "memory")

    assert (memory["available_percent"], memory["swap_total_bytes"]) == (16.9, 0)


@pytest.mark.parametrize(
    ("command", "total", "size"),
    [
        ("free -m", "7738", 7738 * 1024**2),
        ("free -g", "31", 31 * GIB),
        ("free", "7924528", 7924528 * 1024),
        (None, "7924528", 7924528 * 1024),
        (None, "7738", 7738 * 1024**2),
        (None, "31", 31 * GIB),
    ],
)
def test_free_units(command: str | None, total: str, size: int) -> None:
    """The option tells the unit, else the size that a node can have."""
    [fact] = parse_free(document(f"Mem: {total} 1 1 1 1 1", "free", command=command))

    assert fact["total_bytes"] == size


def test_text_without_rows_gives_nothing() -> None:
    """A table of another command is no memory and no file system."""
    assert list(parse_free(document(SAMPLES["df-h"], "free"))) == []
    assert list(parse_df(document(SAMPLES["free-h"], "df"))) == []
