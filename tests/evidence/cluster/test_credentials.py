"""Users: token files that change, exec plugins that are real programs, and tokens that stay secret."""

from __future__ import annotations

import base64
import json
import os
import pty
import stat
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import msgspec
import pytest

from kubecause.errors import ConfigError
from kubecause.evidence import cluster
from kubecause.evidence.cluster.auth_provider import authorization_of
from kubecause.evidence.cluster.connection import Connection
from kubecause.evidence.cluster.credentials import AuthProvider, Credentials, ExecPlugin, Identity
from kubecause.evidence.cluster.crew import Crew
from kubecause.evidence.cluster.exec_plugin import run_plugin
from kubecause.evidence.cluster.guarded import Guarded
from kubecause.evidence.cluster.kubeconfig import ConnectionSettings

TOKEN = "s3cr3t-token-value"
V1 = "client.authentication.k8s.io/v1"
Plugin = Callable[..., ExecPlugin]


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    """A function from shell lines to an exec entry that runs them."""

    def make(script: str, **fields: object) -> ExecPlugin:
        path = tmp_path / "get-credentials"
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o700)
        return ExecPlugin(**{"api_version": V1, "command": str(path), "interactive": "Never", **fields})  # type: ignore[arg-type]

    return make


def answer(version: str = V1, **status: str) -> str:
    """A shell line that prints an ExecCredential."""
    return f"echo '{json.dumps({'apiVersion': version, 'kind': 'ExecCredential', 'status': status})}'"


@pytest.mark.parametrize("version", [V1, "client.authentication.k8s.io/v1beta1"])
def test_a_plugin_hands_out_a_token(plugin: Plugin, version: str) -> None:
    """Asked once, in both versions of the API."""
    identity = Identity(Credentials(user="u", plugin=plugin(answer(version, token=TOKEN), api_version=version)))

    proof = identity.proof()

    assert proof.authorization == b"Bearer " + TOKEN.encode()
    assert TOKEN not in repr(proof) + repr(identity)
    assert identity.proof() is proof


def test_a_plugin_hands_out_a_certificate(plugin: Plugin) -> None:
    """Instead of a token."""
    given = plugin(answer(clientCertificateData="CERT", clientKeyData="KEY"))

    proof = Identity(Credentials(user="u", plugin=given)).proof()

    assert (proof.certificate, proof.key, proof.authorization) == (b"CERT", b"KEY", None)


def test_what_a_plugin_is_told(plugin: Plugin, tmp_path: Path) -> None:
    """Arguments, variables, the user's environment and the cluster."""
    cluster = {"server": "https://k", "config": {"a": 1}}
    script = f'echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/info; echo "$1 $REGION $HOME" > {tmp_path}/rest\n' + answer(token="t")

    run_plugin(plugin(script, args=("--one",), env=(("REGION", "eu"),), cluster=cluster), "u")

    info = json.loads((tmp_path / "info").read_text(encoding="utf-8"))
    assert info == {"apiVersion": V1, "kind": "ExecCredential", "spec": {"interactive": False, "cluster": cluster}}
    assert (tmp_path / "rest").read_text(encoding="utf-8").split() == ["--one", "eu", os.environ["HOME"]]


def test_a_plugin_is_asked_again_when_its_credentials_end(plugin: Plugin, tmp_path: Path) -> None:
    """By ``expirationTimestamp``."""
    script = f"echo x >> {tmp_path}/runs; n=$(wc -l < {tmp_path}/runs)\n"
    script += answer(token="t-$n", expirationTimestamp="2020-01-01T00:00:00Z").replace("echo '", 'echo "').replace("'", '"')
    quoted = script.replace('echo "{', "cat <<END\n{").replace('}"', "}\nEND")
    identity = Identity(Credentials(user="u", plugin=plugin(quoted)))

    assert [identity.proof().authorization for _ in range(2)] == [b"Bearer t-1", b"Bearer t-2"]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'please log in' >&2; exit 3", "failed with exit code 3: please log in"),
        (f"echo 'token={TOKEN} refused' >&2; exit 1", "failed with exit code 1: "),
        ("exit 1", "failed with exit code 1; run it by hand to see why"),
        (f"echo {TOKEN}", "answered something that is not JSON"),
        ("echo '[]'", "answered something that is not an ExecCredential"),
        (answer("client.authentication.k8s.io/v1beta1", token=TOKEN), f"with another apiVersion than {V1}"),
        (f'echo \'{{"apiVersion": "{V1}", "kind": "ExecCredential"}}\'', "without a status"),
        (answer(), "with neither a token nor a certificate"),
        (answer(clientCertificateData="A"), "with a certificate or a key, but not both"),
        (answer(token=TOKEN + r"\r\nX: y"), "with a token that cannot be one"),
    ],
)
def test_what_is_wrong_with_a_plugin_is_said_without_secrets(plugin: Plugin, script: str, says: str) -> None:
    """One line that names the user, and nothing of what was handed out."""
    with pytest.raises(ConfigError) as caught:
        run_plugin(plugin(script), "jane")

    assert str(caught.value).startswith("user jane: ")
    assert says in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_plugin_gives_its_install_hint() -> None:
    """The kubeconfig knows where to get it."""
    given = ExecPlugin(api_version=V1, command="no-such-program", interactive="Never", install_hint="Get it at example.org")

    with pytest.raises(
        ConfigError, match=r"the program no-such-program of its exec entry is not installed; Get it at example\.org"
    ):
        run_plugin(given, "jane")


def test_a_plugin_that_must_ask_needs_a_terminal(plugin: Plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    """``interactiveMode: Always``."""
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(ConfigError, match="wants to ask something, but standard input is not a terminal"):
            run_plugin(plugin(answer(token="t"), interactive="Always"), "jane")


@pytest.mark.parametrize(("mode", "told"), [("Always", True), ("IfAvailable", True), ("Never", False)])
def test_at_a_terminal_a_plugin_may_ask(
    plugin: Plugin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: str, told: bool
) -> None:
    """Unless its entry says never."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        script = f'echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/info\n' + answer(token="t")
        run_plugin(plugin(script, interactive=mode), "jane")
    os.close(ours)

    assert json.loads((tmp_path / "info").read_text(encoding="utf-8"))["spec"]["interactive"] is told


def test_a_token_file_that_changes_is_read_again(tmp_path: Path) -> None:
    """Tokens of service accounts are replaced every hour."""
    path = tmp_path / "token"
    path.write_text("one\n", encoding="utf-8")
    identity = Identity(Credentials(token_file=str(path)))
    first = identity.proof()
    fresh = tmp_path / "fresh"
    fresh.write_text("two", encoding="utf-8")
    fresh.rename(path)  # as the kubelet does it

    assert first.authorization == b"Bearer one"
    assert identity.proof().authorization == b"Bearer two"


@pytest.mark.parametrize("content", ["", " \n", "a b", "a\r\nX: y", "é"])
def test_a_file_without_a_token_is_named(tmp_path: Path, content: str) -> None:
    """Empty, or with what no header may hold."""
    path = tmp_path / "token"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigError, match=f"{path}: holds no token"):
        Identity(Credentials(token_file=str(path))).proof()
    with pytest.raises(ConfigError, match=f"{tmp_path}/gone: the token file cannot be read"):
        Identity(Credentials(token_file=str(tmp_path / "gone"))).proof()


def test_a_name_and_password() -> None:
    """Basic authentication; no credentials are no header."""
    proof = Identity(Credentials(username="jane", password=TOKEN)).proof()

    assert proof.authorization == b"Basic " + base64.b64encode(f"jane:{TOKEN}".encode())
    assert Identity(Credentials()).proof().authorization is None


def test_a_refused_token_is_renewed_once(plugin: Plugin, tmp_path: Path) -> None:
    """A server that takes only the second token; then one that takes none."""
    asked: list[str] = []
    taken = ["Bearer t-2"]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Authorization"])
            self.send_response(200 if asked[-1] in taken else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    script = f"echo x >> {tmp_path}/runs; n=$(wc -l < {tmp_path}/runs)\ncat <<END\n"
    script += json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": {"token": "t-$n"}}) + "\nEND"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    settings = ConnectionSettings(
        server=f"http://127.0.0.1:{server.server_address[1]}",
        context=None,
        namespace="default",
        ca_data=None,
        insecure=False,
        tls_server_name=None,
        proxy_url=None,
        credentials=Credentials(user="u", plugin=plugin(script)),
        impersonate=None,
    )
    try:
        with Connection(settings) as connection:
            good = connection.get("/a").status
            taken.clear()
            bad = connection.get("/a").status
        with Connection(settings) as connection:
            taken.append("Bearer t-5")
            crew: Crew[int] = Crew(6)
            for _ in range(6):
                crew.submit(lambda: connection.get("/a").status)
            several = list(crew.results())
    finally:
        server.shutdown()
        server.server_close()

    assert (good, bad) == (200, 401)
    assert asked[:4] == ["Bearer t-1", "Bearer t-2", "Bearer t-2", "Bearer t-3"]
    assert several == [200] * 6  # one renewal serves them all


def token_ending(at: float) -> str:
    """A JSON Web Token as an identity provider makes it, without a real signature."""
    parts = [{"alg": "RS256"}, {"sub": "jane", "exp": int(at)}]
    head, claims = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{claims}.c2ln"


def test_the_id_token_of_oidc_is_used_while_it_holds() -> None:
    """Afterwards kubectl has to renew it, as only kubectl may write the kubeconfig."""
    token = token_ending(time.time() + 600)

    assert authorization_of(AuthProvider("oidc", {"id-token": token}), "jane") == f"Bearer {token}".encode()
    for config in ({"id-token": token_ending(time.time() - 1), "refresh-token": TOKEN}, {"refresh-token": TOKEN}):
        with pytest.raises(ConfigError, match=r"user jane: .* run `kubectl version` once") as caught:
            authorization_of(AuthProvider("oidc", config), "jane")
        assert TOKEN not in str(caught.value)


def test_other_providers_need_the_package() -> None:
    """The extra is not among the tests' packages; where somebody has it, the entry below gives no token."""
    provider = AuthProvider("azure", {"access-token": TOKEN})

    with pytest.raises(ConfigError, match=r"kubecause\[live\]|gave no token") as caught:
        authorization_of(provider, "jane")

    assert TOKEN not in str(caught.value) + repr(provider)


def test_keys_written_to_disk_are_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no files in memory: mode 0600 while ``ssl`` reads, then gone."""
    from kubecause.evidence.cluster import dial

    modes: list[int] = []

    class Context:
        def load_cert_chain(self, path: str, **_: object) -> None:
            modes.append(stat.S_IMODE(Path(path).stat().st_mode))

    monkeypatch.delattr("os.memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dial._load_client_certificate(Context(), b"CERT", b"KEY", "u")  # type: ignore[arg-type]

    assert modes == [0o600]
    assert list(tmp_path.iterdir()) == []


def records_of_the_connection() -> list[type[msgspec.Struct]]:
    """Every record of the modules that connect to a cluster."""
    modules = [import_module(f"{cluster.__name__}.{each.name}") for each in iter_modules(cluster.__path__)]
    return [
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and each.__module__ == module.__name__
    ]


def test_no_record_shows_what_is_secret() -> None:
    """Whatever is called as secrets are stands in a guarded record, which does not show it."""
    secret = {"token", "password", "key", "authorization", "body", "proxy_url", "env", "args"}
    holders = [each for each in records_of_the_connection() if secret & set(each.__struct_fields__)]

    assert holders
    for each in holders:
        assert issubclass(each, Guarded)
        assert not secret & set(each.shown)
        assert set(each.shown) <= set(each.__struct_fields__)
