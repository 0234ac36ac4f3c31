"""Open connections to the API server: name, route, TCP, proxy, TLS; whatever fails says at which of these it failed.

Sources of the rules: RFC 9110 section 9.3.6 (CONNECT), RFC 1928 and 1929 (SOCKS5), client-go ``transport/transport.go``
(trust, ``tls-server-name``).
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from kubecause.errors import ConfigError, Stage, UnreachableError
from kubecause.evidence.cluster.credentials import Proof
from kubecause.evidence.cluster.kubeconfig import ConnectionSettings
from kubecause.evidence.cluster.proxies import Proxy, proxy_for

_PROXY_ANSWER = 16 * 1024  # bytes of the headers that answer a CONNECT
_NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}


class Dialer:
    """Opens sockets for one server, as one user. Safe to use from several threads."""

    def __init__(self, settings: ConnectionSettings, timeout: float) -> None:
        """:raises ConfigError: the proxy's address is wrong."""
        parts = urlsplit(settings.server)
        self.secure = parts.scheme == "https"
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if self.secure else 80)
        self.prefix = parts.path
        self.timeout = timeout
        self._settings = settings
        self._proxy = proxy_for(settings.server, settings.proxy_url, settings.environment)
        self._lock = threading.Lock()
        self._contexts: tuple[int, ssl.SSLContext] | None = None
        self._answered: tuple[object, ...] | None = None  # the address that took the last connection

    def open(self, proof: Proof) -> socket.socket:
        """A connected socket that speaks to the API server, over TLS where its address says so.

        :raises UnreachableError: with the stage at which it ended.
        :raises ConfigError: certificates that cannot be used.
        """
        proxy = self._proxy
        host, port = (proxy.host, proxy.port) if proxy else (self.host, self.port)
        plain = self._connect(host, port, through=proxy is not None)
        try:
            if proxy is not None:
                try:
                    plain = self.tunnel(plain, proxy)
                except OSError as error:
                    raise self.failure("connect", error, through=True) from error
            if not self.secure:
                return plain
            context = self._context(proof)
            try:
                name = self._settings.tls_server_name or self.host
                return context.wrap_socket(plain, server_hostname=_plain(name))
            except (OSError, ValueError) as error:  # ValueError: a name that is none for certificates
                raise self.failure("tls", error) from error
        except BaseException:
            plain.close()
            raise

    def failure(self, stage: Stage, error: BaseException, *, through: bool = False) -> UnreachableError:
        """The error for what went wrong on the way to the server, or to the proxy."""
        host, port = (self._proxy.host, self._proxy.port) if through and self._proxy else (self.host, self.port)
        return UnreachableError(stage, host, port, told(error, self.timeout), proxy=through)

    def _connect(self, host: str, port: int, *, through: bool) -> socket.socket:
        try:
            found = socket.getaddrinfo(_plain(host), port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise self.failure("name", error, through=through) from error
        addresses = sorted(found, key=lambda one: one[4] != self._answered)  # the one that answered goes first
        until = time.monotonic() + self.timeout
        last: OSError | None = None
        for at, (family, kind, protocol, _, address) in enumerate(addresses):
            plain = None
            try:
                plain = socket.socket(family, kind, protocol)
                plain.settimeout(max(1.0, (until - time.monotonic()) / (len(addresses) - at)))
                plain.connect(address)
                plain.settimeout(self.timeout)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                if plain is not None:
                    plain.close()
                last = last if last is not None and last.errno not in _NO_ROUTE else error
                continue
            self._answered = address
            return plain
        last = last or OSError("the name has no address")
        raise self.failure("route" if last.errno in _NO_ROUTE else "connect", last, through=through) from last

    def tunnel(self, plain: socket.socket, proxy: Proxy) -> socket.socket:
        """Let a proxy that is connected pass on to the server, and return what leads there; raises OSError.

        A proxy over TLS is trusted as the server is, for kubectl uses one configuration for both.
        """
        line = plain
        if proxy.scheme == "https":
            from kubecause.evidence.cluster.tls_proxy import over_tls

            line = over_tls(plain, make_context(self._settings, Proof(0)), self._settings.tls_server_name or proxy.host)
        try:
            if proxy.scheme in ("http", "https"):
                _connect_through_http(line, proxy, self.host, self.port)
            else:
                _connect_through_socks(line, proxy, self.host, self.port)
        except BaseException:
            line.close()
            raise
        return line

    def _context(self, proof: Proof) -> ssl.SSLContext:
        with self._lock:
            if self._contexts is None or self._contexts[0] != proof.number:
                self._contexts = (proof.number, make_context(self._settings, proof))
            return self._contexts[1]


class TooSlowError(TimeoutError):
    """An answer keeps coming, but too slowly to wait for its end."""


def told(error: BaseException, timeout: float) -> str:
    """The system's own text of an error, without the numbers and places around it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message.rstrip('.')}"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    if isinstance(error, TooSlowError):
        return str(error)
    if isinstance(error, TimeoutError) and not error.errno:
        return f"timed out after {timeout:g} s"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:300]


def _plain(name: str) -> str | bytes:
    """A name as it is; as text it would go through the codec for international names, which takes 5 ms to load."""
    return name.encode("ascii") if name.isascii() else name


def make_context(settings: ConnectionSettings, proof: Proof) -> ssl.SSLContext:
    """TLS as the kubeconfig wants it: whom to trust, and the client's certificate.

    :raises ConfigError: a certificate or key that ``ssl`` cannot read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # as Go: what is trusted need not be a root
    if settings.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif settings.ca_data is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(cadata=settings.ca_data.decode("ascii"))
        except (ssl.SSLError, ValueError):
            raise ConfigError(f"the certificate-authority of {settings.server} is not a PEM certificate") from None
    if proof.certificate and proof.key:
        _load_client_certificate(context, proof.certificate, proof.key, settings.credentials.user or "")
    return context


def _load_client_certificate(context: ssl.SSLContext, certificate: bytes, key: bytes, user: str) -> None:
    """``ssl`` reads keys from files only: a file in memory where there is one, else a private one that is gone at once."""
    content = certificate + b"\n" + key + b"\n"
    try:
        if hasattr(os, "memfd_create"):
            with suppress(OSError), os.fdopen(os.memfd_create("client"), "wb") as file:
                file.write(content)
                file.flush()
                path = f"/proc/self/fd/{file.fileno()}"
                if Path(path).exists():
                    context.load_cert_chain(path, password=_no_password)
                    return
        import tempfile

        handle, name = tempfile.mkstemp()  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            context.load_cert_chain(name, password=_no_password)
        finally:
            Path(name).unlink()
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        raise ConfigError(f"user {user}: client-certificate and client-key cannot be used together (PEM, no password)") from None


def _no_password() -> str:
    """Instead of ssl's own question on the terminal."""
    raise ValueError("the key is encrypted")


def _connect_through_http(plain: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    authorization = proxy.authorization()
    if authorization:
        lines.append(f"Proxy-Authorization: {authorization}")
    plain.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = plain.recv(1)  # no byte more: what follows belongs to TLS
        if not piece:
            raise OSError("the proxy closed the connection")
        answer += piece
        if len(answer) > _PROXY_ANSWER:
            raise OSError("the proxy's answer is not HTTP")
    status = answer.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if len(status) < 2 or not status[0].startswith("HTTP/"):
        raise OSError("the proxy's answer is not HTTP")
    if not status[1].startswith("2"):
        reason = "".join(letter for letter in " ".join(status[1:]) if letter.isprintable())
        raise OSError(f"the proxy answered CONNECT {target} with {reason[:120]}")


_SOCKS_ERRORS = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "TTL expired",
}


def _connect_through_socks(plain: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """SOCKS5; the proxy resolves the name, as Go's client lets it for ``socks5`` too."""
    plain.sendall(b"\x05\x02\x00\x02" if proxy.username is not None else b"\x05\x01\x00")
    version, method = _exactly(plain, 2)
    if version != 5 or method not in {0, 2}:
        raise OSError("the proxy does not speak SOCKS5 or wants another way to sign in")
    if method == 2:
        name, password = (proxy.username or "").encode()[:255], (proxy.password or "").encode()[:255]
        plain.sendall(b"\x01" + bytes([len(name)]) + name + bytes([len(password)]) + password)
        if _exactly(plain, 2)[1] != 0:
            raise OSError("the SOCKS proxy refused the name and password")
    target = host.encode("idna" if not host.isascii() else "ascii")[:255]
    plain.sendall(b"\x05\x01\x00\x03" + bytes([len(target)]) + target + port.to_bytes(2, "big"))
    _, status, _, kind = _exactly(plain, 4)
    if status != 0:
        raise OSError(f"the SOCKS proxy answered: {_SOCKS_ERRORS.get(status, f'error {status}')}")
    length = {1: 4, 4: 16}.get(kind) or _exactly(plain, 1)[0]
    _exactly(plain, length + 2)


def _exactly(plain: socket.socket, count: int) -> bytes:
    out = b""
    while len(out) < count:
        piece = plain.recv(count - len(out))
        if not piece:
            raise OSError("the proxy closed the connection")
        out += piece
    return out
