"""Credentials from a program: exec plugins of ``client.authentication.k8s.io`` v1 and v1beta1.

Rules: "client-go credential plugins" in the Kubernetes documentation on authentication, and client-go
``plugin/pkg/client/auth/exec/exec.go``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime
from typing import Any, ClassVar

from kubecause.errors import ConfigError
from kubecause.evidence.cluster.credentials import ExecPlugin
from kubecause.evidence.cluster.guarded import Guarded

_QUIET_SECONDS = 60  # for a plugin that asks nobody
_ASKING_SECONDS = 300  # for one that waits for a person, with a browser or a code
_ANSWER_BYTES = 4 * 1024 * 1024


class Answer(Guarded, frozen=True):
    """What a plugin handed out.

    :ivar ends: POSIX time after which it must be asked again; None means that it holds for the whole run.
    """

    shown: ClassVar = ("ends",)

    token: bytes | None
    certificate: bytes | None
    key: bytes | None
    ends: float | None


def run_plugin(plugin: ExecPlugin, user: str) -> Answer:
    """Run the plugin once.

    :param user: the kubeconfig's name of the user, for messages.
    :raises ConfigError: the program is missing (with its install hint), fails, takes too long or answers something else.
        Nothing of its output is quoted but redacted lines of its standard error.
    """
    interactive = _is_interactive(plugin, user)
    environment = {**os.environ, **dict(plugin.env)}
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.cluster is not None:
        spec["cluster"] = dict(plugin.cluster)
    environment["KUBERNETES_EXEC_INFO"] = json.dumps({"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec})
    program = shutil.which(plugin.command, path=environment.get("PATH"))
    if program is None:
        hint = f"; {plugin.install_hint[:400]}" if plugin.install_hint else "; install it or choose another user"
        raise ConfigError(f"user {user}: the program {plugin.command} of its exec entry is not installed{hint}")
    shows = interactive and sys.stderr is not None and sys.stderr.isatty()  # a code to type must be seen while it waits
    limit = _ASKING_SECONDS if interactive else _QUIET_SECONDS
    try:
        done = subprocess.run(  # noqa: S603 - the user's own kubeconfig names it, as for kubectl
            [program, *plugin.args],
            env=environment,
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if shows else subprocess.PIPE,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"user {user}: {plugin.command} gave no credentials within {limit} s; run it by hand") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a null byte in its arguments"
        raise ConfigError(f"user {user}: {plugin.command} cannot be run: {reason}; check the exec entry") from None
    if done.returncode != 0:
        raise ConfigError(f"user {user}: {plugin.command} failed with exit code {done.returncode}{_said(done.stderr)}")
    return _answer(plugin, user, done.stdout)


def _is_interactive(plugin: ExecPlugin, user: str) -> bool:
    available = sys.stdin is not None and sys.stdin.isatty()
    if plugin.interactive == "Always" and not available:
        raise ConfigError(f"user {user}: {plugin.command} wants to ask something, but standard input is not a terminal")
    return available and plugin.interactive != "Never"


def _said(output: bytes | None) -> str:
    """The last line a plugin wrote to standard error, without secrets."""
    from kubecause.evidence.redact import redact_lines

    text = (output or b"")[-4000:].decode("utf-8", "replace")
    lines = [line for line in redact_lines(text.splitlines()) if line.strip()]
    last = "".join(letter for letter in lines[-1] if letter.isprintable()).strip() if lines else ""
    return f": {last[:300]}" if last else "; run it by hand to see why"


def _answer(plugin: ExecPlugin, user: str, output: bytes) -> Answer:
    def wrong(what: str) -> ConfigError:
        return ConfigError(f"user {user}: {plugin.command} answered {what}; update the plugin or its exec entry")

    if len(output) > _ANSWER_BYTES:
        raise wrong("too much for an ExecCredential")
    try:
        found = json.loads(output)
    except (ValueError, RecursionError):
        raise wrong("something that is not JSON") from None
    if not isinstance(found, dict) or found.get("kind", "ExecCredential") != "ExecCredential":
        raise wrong("something that is not an ExecCredential")
    if found.get("apiVersion") != plugin.api_version:
        raise wrong(f"with another apiVersion than {plugin.api_version}")
    status = found.get("status")
    if not isinstance(status, dict):
        raise wrong("without a status")
    token, certificate, key = (_text(status, name) for name in ("token", "clientCertificateData", "clientKeyData"))
    if token is None and certificate is None and key is None:
        raise wrong("with neither a token nor a certificate")
    if (certificate is None) != (key is None):
        raise wrong("with a certificate or a key, but not both")
    if token is not None and any(byte < 0x21 or byte > 0x7E for byte in token):
        raise wrong("with a token that cannot be one")
    return Answer(token, certificate, key, _ends(status.get("expirationTimestamp")))


def _text(status: dict[str, Any], name: str) -> bytes | None:
    value = status.get(name)
    return value.encode("utf-8", "replace") if isinstance(value, str) and value else None


def _ends(value: object) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value).timestamp()
    except ValueError:
        return None
