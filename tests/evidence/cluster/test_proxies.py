"""Which proxy is chosen; the cases follow golang.org/x/net/http/httpproxy's own tests."""

import pytest

from kubecause.errors import ConfigError
from kubecause.evidence.cluster.proxies import Proxy, proxy_for

PROXY = "http://proxy:3128"


def chosen(server: str, **environment: str) -> bool:
    """Whether HTTPS_PROXY is used for a server."""
    return proxy_for(server, None, {"HTTPS_PROXY": PROXY, **environment}) is not None


def test_the_environment_names_a_proxy() -> None:
    """HTTPS_PROXY for https, HTTP_PROXY for http, in either case of letters."""
    assert proxy_for("https://kube:6443", None, {"https_proxy": "proxy:3128"}) == Proxy("http", "proxy", 3128)
    assert proxy_for("https://kube:6443", None, {"HTTP_PROXY": PROXY}) is None
    assert proxy_for("http://kube:8080", None, {"HTTP_PROXY": PROXY}) == Proxy("http", "proxy", 3128)
    assert proxy_for("https://kube:6443", None, {}) is None


def test_the_kubeconfig_wins_over_the_environment_and_its_exceptions() -> None:
    """``proxy-url`` is asked for on purpose."""
    environment = {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}

    assert proxy_for("https://kube", "socks5://me:p%40ss@jump", environment) == Proxy("socks5", "jump", 1080, "me", "p@ss")


@pytest.mark.parametrize(
    "server", ["https://localhost:6443", "https://127.0.0.1:6443", "https://127.8.8.8", "https://[::1]:6443"]
)
def test_this_machine_is_never_behind_a_proxy(server: str) -> None:
    """Whatever HTTPS_PROXY says."""
    assert not chosen(server)


@pytest.mark.parametrize(
    ("server", "exceptions", "used"),
    [
        ("https://kube.example.org", "example.org", False),
        ("https://kube.example.org", ".example.org", False),
        ("https://example.org", ".example.org", True),
        ("https://kube.example.org", "*.example.org", False),
        ("https://example.org", "example.org", False),
        ("https://badexample.org", "example.org", True),
        ("https://KUBE.Example.org", "kube.example.ORG", False),
        ("https://kube:6443", "kube:6443", False),
        ("https://kube:6443", "kube:443", True),
        ("https://kube", "kube:443", False),
        ("https://10.1.2.3:6443", "10.0.0.0/8", False),
        ("https://11.1.2.3:6443", "10.0.0.0/8", True),
        ("https://10.1.2.3:6443", " a , 10.1.2.3 ", False),
        ("https://[fd00::5]:6443", "[fd00::5]:6443", False),
        ("https://[fd00::5]:6443", "fd00::5", False),
        ("https://kube", "*", False),
        ("https://kube", "", True),
        ("https://kube", "10.0.0.0/99", True),
    ],
)
def test_exceptions(server: str, exceptions: str, used: bool) -> None:
    """NO_PROXY with names, suffixes, ports, addresses and ranges."""
    assert chosen(server, NO_PROXY=exceptions) is used
    assert chosen(server, no_proxy=exceptions) is used


@pytest.mark.parametrize("value", ["http://", "http://a:b:c", "https://me:s3cret@", "ftp://me:s3cret@x", "http://me:s3cret@a b"])
def test_what_cannot_be_used_is_said_without_the_password(value: str) -> None:
    """The address itself is not quoted, as it may hold one."""
    with pytest.raises(ConfigError) as caught:
        proxy_for("https://kube", value, {})

    assert "proxy-url in the kubeconfig" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_proxy_with_a_name_signs_in() -> None:
    """With basic authentication, and the password stays out of its repr."""
    proxy = proxy_for("https://kube", "http://me:s3cret@proxy:3128", {})

    assert proxy is not None
    assert proxy.authorization() == "Basic bWU6czNjcmV0"
    assert "s3cret" not in repr(proxy)
