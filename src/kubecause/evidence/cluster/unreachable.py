"""Why an API server cannot be reached, step by step from the client's side: name, way, TCP, TLS, credentials, health.

Each step is one line ``stage: outcome: words``; the words are what kubectl or curl print for the same failure, so that
the cases which know them from pastes know them here. ``facts/api_access.py`` reads the lines back, from a live cluster
or from a bundle. The same fault gives the same lines: no durations, no ports of this end, no moment of the check.
Nothing secret is printed, and no credentials go to a server whose certificate does not verify.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kubecause.errors import ConfigError, UnreachableError
from kubecause.evidence.cluster.api import Api
from kubecause.evidence.cluster.certificates import read_pem
from kubecause.evidence.cluster.connection import Connection
from kubecause.evidence.cluster.dial import Dialer, told
from kubecause.evidence.cluster.handshake import UNABLE, Step, clock_step, described, judge, look, server_time, turned_away
from kubecause.evidence.cluster.health import KIND, document_of, is_root, no_answer, refusal, said, status_in, unwell
from kubecause.evidence.cluster.kubeconfig import ConnectionSettings
from kubecause.evidence.cluster.proxies import Proxy, proxy_for
from kubecause.evidence.cluster.token_dates import token_step
from kubecause.model import Document, Gap

__all__ = ["KIND", "examine", "refusal", "unconfigured", "unwell"]

_MOST_ADDRESSES = 8  # of one name
_PATIENCE = 5.0  # seconds for one step: the request that brought us here has waited already
# Whose fault a missing way is: nobody answered for the host, or this machine itself has no route.
_NO_ROUTE = {
    errno.EHOSTUNREACH: ("no-route", "connect: no route to host"),
    errno.EHOSTDOWN: ("no-route", "connect: host is down"),
    errno.ENETUNREACH: ("no-network", "connect: network is unreachable"),
    errno.ENETDOWN: ("no-network", "connect: network is down"),
    errno.EADDRNOTAVAIL: ("no-network", "connect: cannot assign requested address"),
}


class _End(Exception):  # noqa: N818 - not an error: the way ends here, with a step that says how
    def __init__(self, step: Step) -> None:
        super().__init__(str(step))
        self.step = step


def examine(settings: ConnectionSettings, error: UnreachableError | None, *, timeout: float) -> Iterator[Document | Gap]:
    """Walk the way to the API server and say where it ends.

    :param error: what a request met; None when the server answered with a refusal (401, 5xx).
    :param timeout: seconds that one step may take.
    """
    way = _Way(settings, min(timeout, _PATIENCE))
    try:
        way.walk()
    except _End as end:
        way.steps.append(end.step)
    source = f"connection to {way.at}"
    yield document_of(source, way.steps)
    if way.connection is None:
        return
    try:
        if error is not None:
            why = f"{error.detail}; asked again, the server answered"
            yield Gap(f"a request to {way.at}", why)
        yield from unwell(Api(way.connection))
    finally:
        way.connection.close()


def unconfigured(error: ConfigError, *, kubeconfig: str | None, environment: Mapping[str, str]) -> Document:
    """Why there is no server to go to: which kubeconfig was looked for and what is wrong with it, as kubectl says it.

    :param kubeconfig: ``--kubeconfig``.
    """
    listed = [part for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part]
    if kubeconfig:
        steps = _file_steps(Path(kubeconfig), f"error: stat {kubeconfig}: no such file or directory")
    elif listed:
        steps = [step for name in listed for step in _file_steps(Path(name), f"loader.go: Config not found: {name}")]
    else:
        home = Path(environment.get("HOME") or "~").expanduser() / ".kube" / "config"
        steps = _file_steps(home, f"there is no {home}, and KUBECONFIG is not set")
    absent = [step for step in steps if step.outcome == "absent"]
    looked_for = 1 if kubeconfig else max(len(listed), 1)
    if len(absent) < looked_for:
        steps = [step for step in steps if step.outcome != "absent"]  # one of several files may be absent
    elif not kubeconfig:
        words = (
            "error: invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable"
        )
        steps.append(Step("server", "missing", f"{words} (kubectl goes to localhost:8080 then)"))
    if not steps:
        steps = [Step("kubeconfig", "damaged" if "YAML" in str(error) else "unusable", str(error))]
    return document_of("kubeconfig", steps)


def _file_steps(path: Path, absent: str) -> list[Step]:
    """What keeps a kubeconfig file from being read; nothing when it can be read."""
    try:
        with path.open("rb"):
            return []
    except (FileNotFoundError, NotADirectoryError):
        return [Step("kubeconfig", "absent", absent)]
    except OSError as error:
        reason = "permission denied" if isinstance(error, PermissionError) else told(error, 0).lower()
        return [Step("kubeconfig", "unreadable", f'error: error loading config file "{path}": open {path}: {reason}')]


# --- the way ----------------------------------------------------------------------------------------------


class _Way:
    """The steps to one server, as far as they lead; ``connection`` is set once the server has answered."""

    def __init__(self, settings: ConnectionSettings, timeout: float) -> None:
        parts = urlsplit(settings.server)
        self.settings = settings
        self.timeout = timeout
        self.secure = parts.scheme == "https"
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if self.secure else 80)
        self.now = datetime.now(UTC)
        self.steps = [
            Step("server", "given", f"{parts.scheme}://{self.at}{_context(settings)}, asked with {_credentials(settings)}")
        ]
        self.connection: Connection | None = None
        self._proxy: Proxy | None = None
        self._addresses: list[tuple[Any, ...]] = []

    @property
    def at(self) -> str:
        """Host and port of the API server."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def walk(self) -> None:
        """Go as far as it leads; raises _End with the last step."""
        self._own_credentials()
        try:
            self._proxy = proxy_for(self.settings.server, self.settings.proxy_url, self.settings.environment)
        except ConfigError as error:
            raise _End(Step("proxy", "unusable", str(error))) from error
        stage = "proxy" if self._proxy else "name"
        host, port = (self._proxy.host, self._proxy.port) if self._proxy else (self.host, self.port)
        self._addresses = self._resolve(stage, host, port)
        self._dial().close()
        if self.secure:
            self._shake()
        self._ask()

    def _own_credentials(self) -> None:
        """Dates of what the client shows, which it can tell without the server."""
        given = self.settings.credentials
        for certificate in read_pem(given.certificate or b"")[:1]:
            self.steps.append(described("client-certificate", certificate, self.now))
        step = token_step(given, self.now)
        if step:
            self.steps.append(step)

    def _resolve(self, stage: str, host: str, port: int) -> list[tuple[Any, ...]]:
        """Addresses of a host, in a fixed order; a resolver that hangs is given up after the timeout."""
        found: list[Any] = []

        def ask() -> None:
            try:
                found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as error:
                found.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(max(self.timeout, 1.0))
        lookup = f"{UNABLE}{'proxyconnect tcp: ' if stage == 'proxy' else ''}dial tcp: lookup {host}: "
        unknown, silent = ("name-unknown", "name-silent") if stage == "proxy" else ("unknown", "silent")
        if not found:
            raise _End(Step(stage, silent, f"{lookup}i/o timeout"))
        if isinstance(found[0], Exception):
            if getattr(found[0], "errno", None) == socket.EAI_AGAIN:
                raise _End(Step(stage, silent, f"{lookup}Temporary failure in name resolution")) from found[0]
            raise _End(Step(stage, unknown, f"{lookup}no such host")) from found[0]
        addresses = sorted({(f, k, p, address) for f, k, p, _, address in found}, key=lambda one: (one[0], one[3]))
        with suppress(ValueError):
            ipaddress.ip_address(host)
            return addresses
        listed = ", ".join(dict.fromkeys(str(one[3][0]) for one in addresses[:_MOST_ADDRESSES]))
        self.steps.append(Step(stage, "resolved", f"{host} is {listed}"))
        return addresses

    def _dial(self) -> socket.socket:
        """A connection to the server, through the proxy where there is one; raises _End when no address takes it."""
        addresses = self._addresses[:_MOST_ADDRESSES]
        failed: list[Step] = []
        for family, kind, protocol, address in addresses:
            line = socket.socket(family, kind, protocol)
            line.settimeout(max(self.timeout / len(addresses), 1.0))
            try:
                line.connect(address)
            except OSError as error:
                line.close()
                failed.append(self._not_connected(error, address))
                continue
            line.settimeout(self.timeout)
            return self._through_proxy(line)
        order = ("refused", "timeout")  # of several addresses the one that answered at all tells most
        raise _End(min(failed, key=lambda step: order.index(step.outcome) if step.outcome in order else len(order)))

    def _not_connected(self, error: OSError, address: tuple[Any, ...]) -> Step:
        at = f"[{address[0]}]:{address[1]}" if ":" in str(address[0]) else f"{address[0]}:{address[1]}"
        through = "proxyconnect tcp: " if self._proxy else ""
        dial = f"{UNABLE}{through}dial tcp {at}: "
        stage = "proxy" if self._proxy else "route" if error.errno in _NO_ROUTE else "connect"
        if isinstance(error, ConnectionRefusedError):
            words = f"The connection to the server {self.at} was refused - did you specify the right host or port?"
            return Step(stage, "refused", f"{dial}connect: connection refused" if self._proxy else words)
        if isinstance(error, TimeoutError):
            return Step(stage, "timeout", f"{dial}i/o timeout")
        if error.errno in _NO_ROUTE:
            outcome, words = _NO_ROUTE[error.errno]
            return Step(stage, outcome, dial + words)
        if isinstance(error, PermissionError):
            return Step(stage, "not-permitted", f"{dial}connect: operation not permitted")
        return Step(stage, "failed", f"{dial}connect: {told(error, 0).lower()}")

    def _through_proxy(self, line: socket.socket) -> socket.socket:
        if self._proxy is not None:
            try:
                return Dialer(self.settings, self.timeout).tunnel(line, self._proxy)
            except OSError as error:
                line.close()
                where = f"{self._proxy.host}:{self._proxy.port}"
                raise _End(Step("proxy", "rejects", f"{UNABLE}{told(error, self.timeout)} (proxy {where})")) from error
        return line

    def _shake(self) -> None:
        self.steps.append(Step("connect", "open", f"{self.at} takes connections"))
        shown = look(self._dial, self.settings, self.host)
        if isinstance(shown, Step):
            if shown.outcome == "rejected" and self.settings.credentials.certificate:
                return  # a server may insist on a client certificate; the request below shows it, once the server is trusted
            raise _End(shown)
        self.steps.append(described("certificate", shown.certificate, self.now))
        clock = clock_step(shown.clock, self.now)
        self.steps += [clock] if clock else []
        wrong = [] if self.settings.insecure else list(judge(self._dial, shown, self.settings, self.host, self.now))
        if wrong:
            self.steps += wrong[:-1]
            raise _End(wrong[-1])
        words = (
            "the certificate is not checked (insecure-skip-tls-verify)"
            if self.settings.insecure
            else "the certificate is trusted"
        )
        self.steps.append(Step("tls", "ok", words))

    def _ask(self) -> None:
        """Ask for the root of the API with the user's credentials, as kubectl does first."""
        connection = Connection(self.settings, timeout=self.timeout)
        try:
            reply = connection.get("/api", limit_bytes=65536, retry=False)
        except UnreachableError as error:
            connection.close()
            turned = turned_away(self._dial, self.settings, self.host) if self.secure else None
            raise _End(turned or no_answer(error)) from error
        except ConfigError as error:
            connection.close()
            exec_ = "getting credentials: exec: " if self.settings.credentials.plugin else "getting credentials: "
            raise _End(Step("credentials", "failed", f"{UNABLE}{exec_}{error}")) from error
        text = reply.body.decode("utf-8", "replace")
        if not self.secure:
            clock = clock_step(server_time(reply.headers.get("date")), self.now)
            self.steps += [clock] if clock else []
        if reply.status >= 400 and status_in(text) is None and reply.status not in (401, 403, 429) and reply.status < 500:
            connection.close()
            raise _End(Step("http", "not-kubernetes", f"the answer to /api is HTTP {reply.status} without a Status object"))
        if reply.status >= 400:
            self.steps.append(Step("http", str(reply.status), said(reply.status, text)))
        elif not is_root(text):
            connection.close()
            raise _End(
                Step("http", "not-kubernetes", f"the answer to /api is HTTP {reply.status}, but not a list of API versions")
            )
        else:
            self.steps.append(Step("http", "answered", "the API server answers"))
        if reply.status in (401, 403):
            connection.close()
        else:
            self.connection = connection


def _context(settings: ConnectionSettings) -> str:
    return f" (context {settings.context})" if settings.context else ""


def _credentials(settings: ConnectionSettings) -> str:
    """The kind of credentials, never the credentials."""
    given = settings.credentials
    kinds = {
        "a client certificate": given.certificate,
        "a token": given.token,
        "a token from a file": given.token_file,
        "a user name and password": given.username,
        f"the program {Path(given.plugin.command).name}" if given.plugin else "": given.plugin,
        f"the auth provider {given.provider.name}" if given.provider else "": given.provider,
    }
    used = [name for name, value in kinds.items() if name and value]
    return " and ".join(used) or "no credentials"
