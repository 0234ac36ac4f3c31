"""Which proxy stands between kubecause and the API server.

Rules: golang.org/x/net ``http/httpproxy`` (what ``HTTPS_PROXY`` and ``NO_PROXY`` mean to kubectl); a ``proxy-url`` in the
kubeconfig wins over both (client-go ``rest/transport.go``).
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from kubecause.errors import ConfigError
from kubecause.evidence.cluster.guarded import Guarded

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


class Proxy(Guarded, frozen=True):
    """One proxy; ``scheme`` is ``http``, ``https``, ``socks5`` or ``socks5h``."""

    shown: ClassVar = ("scheme", "host", "port", "username")

    scheme: str
    host: str
    port: int
    username: str | None = None
    password: str | None = None

    def authorization(self) -> str | None:
        """The value of ``Proxy-Authorization``, where the proxy's address carries a name."""
        if self.username is None:
            return None
        pair = f"{self.username}:{self.password or ''}".encode()
        return "Basic " + base64.b64encode(pair).decode()


def proxy_for(server: str, proxy_url: str | None, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy to use for a server; None means straight.

    :param server: the API server's address with its scheme.
    :param proxy_url: the kubeconfig's ``proxy-url``.
    :raises ConfigError: the address of the proxy is wrong, or of a kind that is not supported.
    """
    parts = urlsplit(server)
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    if proxy_url:
        return _parsed(proxy_url, "proxy-url in the kubeconfig")
    name = "HTTPS_PROXY" if secure else "HTTP_PROXY"
    value = environment.get(name) or environment.get(name.lower())
    if not value or _is_excluded(host, parts.port or (443 if secure else 80), environment):
        return None
    return _parsed(value, name)


def _parsed(value: str, place: str) -> Proxy:
    """Never quotes the address: it may hold a password."""
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
        parts = urlsplit("")
    if not host or any(letter.isspace() for letter in value):
        raise ConfigError(f"{place}: not an address such as http://proxy:3128")
    if parts.scheme not in _PORTS:
        raise ConfigError(f"{place}: a proxy of the kind {parts.scheme} is not supported; use http, https or socks5")
    username = unquote(parts.username) if parts.username is not None else None
    password = unquote(parts.password) if parts.password is not None else None
    return Proxy(parts.scheme, host, port or _PORTS[parts.scheme], username, password)


def _is_excluded(host: str, port: int, environment: Mapping[str, str]) -> bool:
    host = host.rstrip(".").lower()
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    for item in (environment.get("NO_PROXY") or environment.get("no_proxy") or "").split(","):
        pattern = item.strip().lower()
        if pattern == "*":
            return True
        if pattern and _matches(pattern, host, port, address):
            return True
    return False


def _matches(pattern: str, host: str, port: int, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    if "/" in pattern:
        try:
            return address is not None and address in ipaddress.ip_network(pattern, strict=False)
        except ValueError:
            return False
    name, only_port = _split_port(pattern)
    if only_port is not None and only_port != str(port):
        return False
    known = _address(name)
    if known is not None:
        return known == address
    name = name.removeprefix("*")
    if name.startswith("."):
        return host.endswith(name)
    return host == name or host.endswith("." + name)


def _split_port(pattern: str) -> tuple[str, str | None]:
    if pattern.startswith("["):
        name, _, rest = pattern[1:].partition("]")
        return name, rest.removeprefix(":") or None
    if pattern.count(":") == 1:
        name, _, port = pattern.partition(":")
        return name, port
    return pattern, None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
