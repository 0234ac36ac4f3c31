"""Who asks: what a kubeconfig says about a user, and the headers that prove it to the API server.

Sources of the rules: client-go ``transport/round_trippers.go`` and ``transport/token_source.go`` (which proof wins, token
files that change), "User impersonation" in the Kubernetes documentation on authentication (the ``Impersonate-`` headers).
Nothing here is ever printed: fields with secrets are left out of ``repr``.
"""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from kubecause.errors import ConfigError
from kubecause.evidence.cluster.guarded import Guarded

Header = tuple[str, bytes]
_TOKEN_BYTES = 1024 * 1024  # bytes of a token file; real ones have a few thousand


class Impersonation(msgspec.Struct, frozen=True):
    """Whom the API server shall take the request for, as ``--as`` and a kubeconfig's ``as`` say."""

    user: str
    uid: str | None = None
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()

    def headers(self) -> list[Header]:
        """The ``Impersonate-`` headers; keys of extra fields are percent-encoded, as they are header names."""
        out: list[Header] = [("Impersonate-User", self.user.encode())]
        if self.uid:
            out.append(("Impersonate-Uid", self.uid.encode()))
        out.extend(("Impersonate-Group", group.encode()) for group in self.groups)
        out.extend((f"Impersonate-Extra-{quote(key.lower(), safe='')}", value.encode()) for key, value in self.extra)
        return out


class ExecPlugin(Guarded, frozen=True):
    """A program that hands out credentials: the ``exec`` entry of a user.

    :ivar cluster: what the plugin is told about the cluster (``provideClusterInfo``), or None.
    """

    shown: ClassVar = ("api_version", "command", "install_hint", "interactive")

    api_version: str
    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    install_hint: str = ""
    interactive: str = "IfAvailable"  # Never, IfAvailable, Always
    cluster: Mapping[str, Any] | None = None


class AuthProvider(Guarded, frozen=True):
    """A legacy ``auth-provider`` entry (OIDC and its like), as it stands in the kubeconfig."""

    shown: ClassVar = ("name",)

    name: str
    config: Mapping[str, str] = msgspec.field(default_factory=dict)


class Credentials(Guarded, frozen=True):
    """What a kubeconfig says about a user; all empty is a user without a name (``system:anonymous``)."""

    shown: ClassVar = ("user", "token_file", "username", "plugin", "provider")

    user: str | None = None  # the entry's name, for messages
    token: str | None = None
    token_file: str | None = None
    username: str | None = None
    password: str | None = None
    certificate: bytes | None = None  # PEM
    key: bytes | None = None  # PEM
    plugin: ExecPlugin | None = None
    provider: AuthProvider | None = None


class Proof(Guarded, frozen=True):
    """What goes with a request: the Authorization header, and the certificate for TLS. A new one has a new number."""

    shown: ClassVar = ("number",)

    number: int
    authorization: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = None


class Identity:
    """Hands out the proof of a user, and a fresh one where the old is over. Safe to use from several threads."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._lock = threading.Lock()
        self._proof: Proof | None = None
        self._ends: float | None = None  # POSIX time at which the plugin says the proof ends
        self._file_time: tuple[int, int] | None = None

    def proof(self) -> Proof:
        """The proof in use; made where there is none yet, where it ended, and where its file changed.

        :raises ConfigError: a token file cannot be read, a plugin or provider does not give credentials.
        """
        with self._lock:
            if self._proof is None or self._is_over():
                self._proof = self._make()
            return self._proof

    def renew(self, refused: Proof) -> bool:
        """Make a fresh proof because the server refused this one (401); False where nothing fresh can be had."""
        given = self._credentials
        if not (given.token_file or given.plugin or given.provider):
            return False
        with self._lock:
            if self._proof is not None and self._proof.number != refused.number:
                return True  # another thread was faster
            fresh = self._make()
            same = (fresh.authorization, fresh.certificate) == (refused.authorization, refused.certificate)
            self._proof = fresh
            return not same

    def _is_over(self) -> bool:
        if self._credentials.token_file:
            return _changed(self._credentials.token_file) != self._file_time
        if self._ends is None:
            return False
        import time

        return time.time() >= self._ends

    def _make(self) -> Proof:
        given = self._credentials
        number = self._proof.number + 1 if self._proof else 1
        self._ends = None
        certificate, key, authorization = given.certificate, given.key, None
        if given.username is not None:
            pair = f"{given.username}:{given.password or ''}".encode()
            authorization = b"Basic " + base64.b64encode(pair)
        elif given.token_file:
            self._file_time = _changed(given.token_file)
            authorization = b"Bearer " + self._token_of_file(given.token_file)
        elif given.token:
            authorization = b"Bearer " + given.token.encode()
        elif given.plugin:
            from kubecause.evidence.cluster.exec_plugin import run_plugin

            answer = run_plugin(given.plugin, given.user or "")
            self._ends = answer.ends
            certificate, key = answer.certificate or certificate, answer.key or key
            authorization = b"Bearer " + answer.token if answer.token else None
        elif given.provider:
            from kubecause.evidence.cluster.auth_provider import authorization_of

            authorization = authorization_of(given.provider, given.user or "")
        return Proof(number, authorization, certificate, key)

    def _token_of_file(self, path: str) -> bytes:
        try:
            token = read_token(path)
        except OSError:
            if self._credentials.token is None:
                raise ConfigError(f"{path}: the token file cannot be read; check the user's tokenFile") from None
            token = self._credentials.token.encode()
        return token


def read_token(path: str) -> bytes:
    """The token in a file, without the white space around it.

    :raises OSError: the file cannot be read.
    :raises ConfigError: it holds nothing, or what cannot be a token.
    """
    with Path(path).open("rb") as file:
        token = file.read(_TOKEN_BYTES + 1).strip()
    if not token or len(token) > _TOKEN_BYTES or any(byte < 0x21 or byte > 0x7E for byte in token):
        raise ConfigError(f"{path}: holds no token; check the user's tokenFile")
    return token


def _changed(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - called for each request
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
