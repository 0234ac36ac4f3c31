"""Lines of logs, and whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from kubecause.model import Channel


@pytest.mark.parametrize(
    ("unit", "also"),
    [("k3s", Channel.COMPONENT_LOG), ("rke2-server", Channel.COMPONENT_LOG), ("kubelet", None), ("k3s-agent", None)],
)
def test_a_unit_that_holds_the_control_plane_too_is_heard_as_a_component(read: Any, unit: str, also: str | None) -> None:
    """The server of k3s writes what API server, scheduler and controllers say into one journal with its kubelet."""
    store, _ = read(f"Jan 25 06:42:36 m1 {unit}[21]: E0125 06:42:36.1 21 schedule_one.go:1] 0/3 nodes are available: none")

    assert [(Channel.KUBELET_LOG, also)] == [(fact["channel"], fact["also"]) for fact in store.facts["line"]]
