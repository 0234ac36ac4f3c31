"""What ``kubecause rbac --helper`` prints, done to the letter on a real API server; skipped where its programs are not there."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubecause.cli_rbac import add_rbac_flags, rbac
from kubecause.evidence.cluster.permissions import PERMISSIONS

plane_module = pytest.importorskip("tests.cluster.control_plane", reason="run from the folder of the project")
programs_module = pytest.importorskip("tests.cluster.programs", reason="run from the folder of the project")
ACCOUNT = "system:serviceaccount:kubecause-helpers:anna"
# What every account may ask about itself.
OWN = {
    "selfsubjectreviews.authentication.k8s.io",
    "selfsubjectaccessreviews.authorization.k8s.io",
    "selfsubjectrulesreviews.authorization.k8s.io",
}


def printed(*arguments: str) -> str:
    """What the command prints."""
    parser = argparse.ArgumentParser()
    add_rbac_flags(parser)
    return rbac(parser.parse_args(arguments), "en")


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A control plane without nodes, with the helper's grant applied."""
    try:
        plane = plane_module.bare_control_plane(tmp_path_factory.mktemp("plane"))
    except programs_module.MissingProgramsError as error:
        pytest.skip(str(error))
    try:
        plane.kubectl("apply", "-f", "-", stdin=printed("--helper", "anna"))
        yield plane
    finally:
        plane.stop()


def commands(text: str) -> list[str]:
    """The commands that the comments behind the objects name, in order."""
    return re.findall(r"^#   (\S.*)$", text, re.MULTILINE)


def shell(plane: Any, folder: Path, lines: list[str]) -> str:
    """Run lines as a person would, as administrator of the plane; what they print."""
    kubectl = Path(plane.programs["kubectl"]).parent
    path = f"{kubectl}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "KUBECONFIG": str(plane.kubeconfig("admin"))}
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["--with", "metrics"], ["-n", "default", "--user", "a"], ["--also", "widgets.example.org", "--group", "g"]]
)
def test_the_server_takes_what_is_printed(plane: Any, arguments: list[str]) -> None:
    """Every form is valid to the letter."""
    done = plane.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=printed(*arguments))

    assert "(server dry run)" in done


def test_the_helper_may_read_and_nothing_else(plane: Any) -> None:
    """The server's own list of rights is the table but metrics: no secrets, no exec, no proxy, nothing that writes."""
    told = plane.kubectl("auth", "can-i", "--list", "--as", ACCOUNT)
    rows = re.findall(r"^(\S+) +\[\] +\[\] +\[(.*)\]$", told, re.MULTILINE)

    allowed = {resource: set(verbs.split()) for resource, verbs in rows if resource not in OWN}

    assert allowed == {p.resource: set(p.verbs) for p in PERMISSIONS.values() if p.part != "metrics"}
    for question in ("get secrets", "create pods --subresource=exec", "get nodes --subresource=proxy", "* *"):
        assert "no" == plane.kubectl("auth", "can-i", *question.split(), "-A", "--as", ACCOUNT, check=False).strip()


def test_the_printed_steps_work(plane: Any, tmp_path: Path) -> None:
    """Token, kubeconfig, check and use, as printed; once the grant is removed, the token is worth nothing."""
    steps = commands(printed("--helper", "anna"))
    use = [step for step in steps if not step.startswith("kubectl delete")]
    remove = [step for step in steps if step.startswith("kubectl delete") and "namespace/" not in step]  # no controller ends it

    told = shell(plane, tmp_path, use)
    answers = [line for line in told.splitlines() if line in ("yes", "no")]
    report = json.loads(shell(plane, tmp_path, ["kubecause why -A -o json --kubeconfig=anna.kubeconfig 2>/dev/null"]))

    assert ["yes", "no"] == answers
    assert 0o600 == (tmp_path / "anna.kubeconfig").stat().st_mode & 0o777
    assert [] == [gap for gap in report["gaps"] if "forbidden" in gap["why"]]
    removed = shell(plane, tmp_path, remove)
    assert removed.count("deleted") == len(remove) == 2
    refused = shell(plane, tmp_path, ["kubectl --kubeconfig=anna.kubeconfig get pods -A"])
    assert re.search("Forbidden|Unauthorized", refused)  # the server knows a token for ten seconds more, without its rights
