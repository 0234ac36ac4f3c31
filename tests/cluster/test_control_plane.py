"""The bare control plane: a real API server for tests of clients, ready in seconds."""

from __future__ import annotations

import json
import subprocess

from .control_plane import ControlPlane


def who(plane: ControlPlane, *flags: str) -> str:
    """The user that the API server takes the bearer of these flags for, or what kubectl complains about."""
    command = [plane.programs["kubectl"], *flags, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip()


def test_every_user_has_a_token(plane: ControlPlane) -> None:
    """The kubeconfigs of the range's users are those users'."""
    for user in ("admin", "view", "role", "nobody"):
        assert who(plane, "--kubeconfig", str(plane.kubeconfig(user))) == user


def test_client_certificates_end(plane: ControlPlane) -> None:
    """A client certificate names its user while it is valid; one that has expired is refused."""
    for user, minutes, wanted in (("carla", 60, "carla"), ("ivo", -10, "must be logged in")):
        pair = plane.client_certificate(user, ("developers",), minutes=minutes)
        fields = {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
        config = plane.write_kubeconfig(user, fields)

        assert wanted in who(plane, "--kubeconfig", str(config))


def test_statuses_are_taken_as_they_are(plane: ControlPlane) -> None:
    """Nothing reconciles: a pod needs no service account and keeps the status that is written for it."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"nodeName": "n1", "containers": [{"name": "web", "image": "web:1"}]},
    }
    plane.apply(pod)
    patch = json.dumps({"status": {"phase": "Failed", "reason": "Evicted"}})
    plane.kubectl("patch", "pod", "web", "--subresource=status", "--type=merge", "-p", patch)

    assert plane.kubectl("get", "pod", "web", "-o", "jsonpath={.status.reason}") == "Evicted"
    plane.kubectl("delete", "pod", "web", "--force", "--grace-period=0")
