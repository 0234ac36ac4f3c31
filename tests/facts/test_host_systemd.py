"""Units from systemctl status and systemctl list-units."""

from __future__ import annotations

import pytest
from host_samples import SAMPLES, document, facts, fields

from kubecause.facts.host_systemd import parse_systemctl_status
from kubecause.model import Entity, Proof


def test_a_stopped_unit_is_down() -> None:
    """An inactive unit is down, and the journal below names the machine."""
    [fact] = facts("systemctl-inactive", "systemctl-status")

    assert fact.fields == {"unit": "kube-proxy", "active": "inactive", "sub": "dead", "enabled": "enabled", "down": True}
    assert fact.entity == Entity("Node", "worker-01")
    assert fact.proofs == (
        Proof("paste.txt", "Active: inactive (dead) since Fri 2026-01-02 15:41:14 CST; 4min 11s ago", line=12),
    )
    assert fact.scope == "paste.txt:10"


def test_a_running_unit_is_not_down() -> None:
    """The exit status of ExecStartPre is not the status of a running unit."""
    [fact] = facts("systemctl-running", "systemctl-status")

    assert fact.fields == {"unit": "kubelet", "active": "active", "sub": "running", "enabled": "enabled", "down": False}


def test_a_unit_that_waits_for_its_restart_is_down() -> None:
    """Lost mark and lines cut by the pager do not hide the state, the result and the exit status."""
    [fact] = facts("systemctl-cut", "systemctl-status")

    assert fact.fields == {
        "unit": "kubelet",
        "active": "activating",
        "sub": "auto-restart",
        "result": "exit-code",
        "status": 1,
        "enabled": "enabled",
        "down": True,
    }
    assert fact.entity == Entity("Node", None, scope="paste.txt:10")
    assert [proof.line for proof in fact.proofs] == [14, 17]


def test_a_failed_unit_of_an_old_systemd() -> None:
    """``failed`` has no sub-state in old versions, and journal dates may be Chinese."""
    [fact] = facts("systemctl-failed", "systemctl-status")

    assert fact.fields == {
        "unit": "docker",
        "active": "failed",
        "result": "start-limit",
        "status": 1,
        "enabled": "disabled",
        "down": True,
    }
    assert fact.entity.name == "node-7"


def test_the_prompt_names_the_machine_before_the_journal() -> None:
    """A host that the document knows wins over the one its text shows."""
    [fact] = facts("systemctl-inactive", "systemctl-status", host="w9")

    assert fact.entity == Entity("Node", "w9")


def test_the_command_names_a_unit_whose_header_was_cut() -> None:
    """Only the Active line was kept by grep; the command tells whose it is."""
    found = parse_systemctl_status(
        document("   Active: failed (Result: exit-code)", "systemctl-status", command="systemctl status kubelet | grep Active"),
    )

    assert [{"unit": "kubelet", "active": "failed", "result": "exit-code", "down": True}] == fields(list(found), "unit.state")


@pytest.mark.parametrize(
    ("active", "down"),
    [
        ("active (running)", False),
        ("active (exited)", False),
        ("activating (start) since Fri", False),
        ("activating (auto-rest>", True),
        ("reloading (reload)", False),
        ("deactivating (stop-sigterm)", True),
        ("inactive (dead)", True),
        ("failed (Result: exit-c…", True),
    ],
)
def test_down(active: str, down: bool) -> None:
    """A unit is down unless it runs or starts."""
    text = f"× kubelet.service - kubelet\n     Loaded: loaded (/x; enabled)\n     Active: {active}"

    [fact] = parse_systemctl_status(document(text, "systemctl-status"))

    assert fact["down"] is down


def test_a_unit_that_is_not_installed_gives_no_fact() -> None:
    """``not-found`` is no failure: the unit is only mentioned by something."""
    text = "● docker.service\n   Loaded: not-found (Reason: No such file or directory)\n   Active: inactive (dead)"

    assert list(parse_systemctl_status(document(text, "systemctl-status"))) == []


def test_several_units_of_several_machines() -> None:
    """Each unit takes the machine of its own journal lines."""
    text = SAMPLES["systemctl-inactive"] + "\n" + SAMPLES["systemctl-running"]

    found = list(parse_systemctl_status(document(text, "systemctl-status")))

    assert [("kube-proxy", "worker-01"), ("kubelet", "master")] == [(fact["unit"], fact.entity.name) for fact in found]


def test_list_units() -> None:
    """Services and failed units of the list become facts; mounts and missing units do not."""
    found = fields(facts("systemctl-list-units", "systemctl-status"), "unit.state")

    assert found == [
        {"unit": "containerd", "active": "active", "sub": "running", "down": False},
        {"unit": "etcd-backup.timer", "active": "failed", "sub": "failed", "down": True},
        {"unit": "kubelet", "active": "activating", "sub": "auto-restart", "down": True},
        {"unit": "docker", "active": "inactive", "sub": "dead", "down": True, "enabled": "masked"},
    ]
