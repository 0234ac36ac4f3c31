"""Load and processes from top, iotop and atop."""

from __future__ import annotations

from host_samples import SAMPLES, document, facts, fields

from kubecause.facts.host_processes import PROCESS_LIMIT, SCREEN_LIMIT, parse_top
from kubecause.model import Entity


def test_new_top() -> None:
    """The head of procps 3.3 gives load, shares and memory in bytes."""
    found = facts("top-new", "top")

    assert fields(found, "cpu") == [{"load1": 10.74, "user": 0.3, "system": 12.9, "idle": 3.1, "iowait": 64.8, "steal": 0.0}]
    assert fields(found, "memory") == [
        {
            "total_bytes": 1015368 * 1024,
            "available_bytes": 24816 * 1024,
            "available_percent": 2.4,
            "swap_total_bytes": 0,
            "swap_used_bytes": 0,
        },
    ]


def test_top_names_the_processes_that_stand_out() -> None:
    """At least five processes, more when they take a tenth of anything; a process may stand out by memory alone."""
    found = fields(facts("top-new", "top"), "process")

    assert [process["command"] for process in found] == ["kubelet", "kswapd0", "node", "kube-proxy", "rcu_sched"]
    assert found[2] == {"pid": 2988, "command": "node", "cpu_percent": 9.1, "memory_percent": 66.4, "state": "D"}


def test_top_with_decimal_commas() -> None:
    """Other locales print ``0,05`` and leave no blank before ``100,0 id``."""
    found = facts("top-idle", "top")

    assert fields(found, "cpu")[0]["load1"] == 0.05
    assert fields(found, "cpu")[0]["idle"] == 100.0
    assert fields(found, "memory")[0]["total_bytes"] == round(3919.6 * 1024**2)


def test_old_top_read_by_ocr() -> None:
    """The old head (``15.6%us``, ``32865032k total``) is read, blank lines between rows do no harm."""
    found = facts("top-old", "top")

    assert fields(found, "cpu") == [{"load1": 34.64, "user": 15.6, "system": 1.7, "idle": 74.7, "iowait": 7.9, "steal": 0.0}]
    assert fields(found, "memory")[0]["available_bytes"] == (1875864 + 370748 + 7982424) * 1024
    assert fields(found, "process")[0] == {
        "pid": 9783,
        "command": "mysqld",
        "cpu_percent": 186.9,
        "memory_percent": 52.3,
        "state": "S",
    }


def test_top_with_one_line_a_core() -> None:
    """Shares of single cores are averaged and counted, a misread name (``Cpull``) included."""
    [cpu] = fields(facts("top-old-cores", "top"), "cpu")

    assert (cpu["cores"], cpu["iowait"], cpu["idle"]) == (24, 6.06, 68.06)


def test_top_sizes_that_did_not_fit() -> None:
    """A plus sign stands for the digit that did not fit."""
    [fact] = parse_top(document("KiB Mem : 13186280+total, 1067220 free,   1 used,   1 buff/cache", "top"))

    assert fact["total_bytes"] == 131862800 * 1024


def test_top_is_bounded() -> None:
    """Endless batch output gives facts of the first screens and of the first processes only."""
    row = "{} root 20 0 1 1 1 R 99.0 0.1 0:01.00 busy"
    screen = "top - 11:50:54 up 1 min, load average: 1.00, 1.00, 1.00\n" + "\n".join(row.format(pid) for pid in range(1, 301))

    found = list(parse_top(document("\n".join([screen] * (SCREEN_LIMIT + 5)), "top")))

    assert len(fields(found, "cpu")) == SCREEN_LIMIT
    assert len(fields(found, "process")) == SCREEN_LIMIT * PROCESS_LIMIT


def test_iotop() -> None:
    """Share of I/O time, and what was read and written as printed."""
    found = fields(facts("iotop", "iotop"), "process")

    assert found[0] == {"pid": 1930, "command": "[flush-8:0]", "io_percent": 83.34, "read": "0.00 B", "write": "1956.00 K"}
    assert [process["pid"] for process in found] == [1930, 5914, 880, 5913, 5910]


def test_atop() -> None:
    """Shares are divided by the number of cores, the disk is busy, and the header names the host."""
    found = facts("atop", "atop")

    assert fields(found, "disk") == [{"device": "sda", "busy_percent": 100}]
    assert fields(found, "cpu") == [{"load1": 33.0, "cores": 24, "user": 13.75, "system": 1.21, "idle": 77.38, "iowait": 7.58}]
    assert fields(found, "memory")[0]["swap_used_bytes"] == 0
    assert {fact.entity for fact in found} == {Entity("Node", "lemp")}
    assert fields(found, "process")[0]["cpu_percent"] == 197


def test_atop_by_disk() -> None:
    """The disk view gives each process its share of the disk."""
    found = fields(facts("atop-disk", "atop"), "process")

    assert found[0] == {"pid": 9783, "command": "mysqld", "io_percent": 40, "read": "0K", "write": "468K"}


def test_the_machine_of_the_document_wins() -> None:
    """The header of atop does not overrule the prompt."""
    assert {fact.entity.name for fact in facts("atop", "atop", hints={"node": "w1"})} == {"w1"}


def test_top_of_nothing() -> None:
    """Text of another command gives no facts."""
    assert list(parse_top(document(SAMPLES["ss-anp"], "top"))) == []
