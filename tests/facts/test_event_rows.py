"""Event rows of every table kubectl has printed."""

import pytest

from kubecause.facts.event_rows import event_row, event_rows


@pytest.mark.parametrize(
    ("line", "reason", "count", "age", "node"),
    [
        (
            "  Warning  BackOff    90s (x33 over 15m)  kubelet            Back-off restarting failed container",
            "BackOff",
            33,
            90.0,
            None,
        ),
        (
            "Warning FailedCreatePodSandBox 2m (x4307 over 16h) kubelet, 10.179.80.31 Failed create pod sandbox: x",
            "FailedCreatePodSandBox",
            4307,
            120.0,
            "10.179.80.31",
        ),
        (
            "3s          Warning   FailedScheduling   pod/web-near-cache   0/3 nodes are available",
            "FailedScheduling",
            1,
            3.0,
            None,
        ),
        (
            "  38s           7s              7       default-scheduler                       Warning         FailedScheduling        No nodes are available",
            "FailedScheduling",
            7,
            7.0,
            None,
        ),
        ("<unknown>   Warning   Failed   pod/a   Error: ErrImagePull", "Failed", 1, None, None),
        (
            "1h 2d 12 web-0.15a8f0c1d2e3f4a5 Pod spec.containers{web} Warning Unhealthy kubelet, n1 Liveness probe failed: x",
            "Unhealthy",
            12,
            3600.0,
            "n1",
        ),
    ],
)
def test_row_is_read_whatever_table_it_comes_from(
    line: str, reason: str, count: int, age: float | None, node: str | None
) -> None:
    """Reason, count, age and node are found in old and new columns."""
    row = event_row(line, 1)

    assert row is not None
    assert (reason, count, age, node) == (row.reason, row.count, row.age, row.node)


def test_object_of_a_listed_event() -> None:
    """``get events`` names the object."""
    row = event_row("101s  Warning  FailedCreate  replicaset/web-5d8f  Error creating: pods is forbidden", 1)

    assert row is not None
    assert ("replicaset", "web-5d8f") == (row.kind, row.name)


def test_wrapped_message_is_joined() -> None:
    """Lines below a row that start no row belong to its message."""
    rows = list(
        event_rows(
            ["  Warning  FailedMount  5m  kubelet  MountVolume failed: fsck found errors", "/dev/rbd12: Unattached inode"], 7
        )
    )

    assert [(7, True)] == [(row.line, "Unattached inode" in row.message) for row in rows]


@pytest.mark.parametrize(
    ("row", "following", "joined"),
    [
        ("Failed to pull image: reading manifest: errors:", "denied: requested access to the resource is denied", True),
        ("Liveness probe failed: * Trying 127.0.0.1:443...", "* connect to 127.0.0.1 port 443 failed: Connection refused", True),
        ("Liveness probe failed: HTTP probe failed with statuscode: 503", "The node looks fine to me.", False),
        ("Failed to pull image: reading manifest: errors:", "root@m1:~# kubectl get nodes", False),
    ],
)
def test_among_other_texts_only_what_surely_belongs_to_a_message_is_joined(row: str, following: str, joined: bool) -> None:
    """What a list after a colon, or the output of a probe, goes on with; not the next remark or command."""
    [found] = event_rows([f"Warning  Failed  5s  kubelet  {row}", following], 1, mixed=True)

    assert joined == (following in found.message)


def test_prose_is_no_event() -> None:
    """A sentence with the word Warning in it is no event."""
    assert event_row("Warning: v1 ComponentStatus is deprecated in v1.19+", 1) is None
