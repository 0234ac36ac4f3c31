"""The transport against real sockets: a server and proxies that misbehave on purpose, which a real API server seldom does."""

from __future__ import annotations

import ast
import gzip
import inspect
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kubecause.errors import ConfigError, UnreachableError
from kubecause.evidence.cluster import connection as module
from kubecause.evidence.cluster.api import Api
from kubecause.evidence.cluster.connection import Connection
from kubecause.evidence.cluster.credentials import Credentials, Impersonation
from kubecause.evidence.cluster.crew import Crew
from kubecause.evidence.cluster.kinds import KINDS
from kubecause.evidence.cluster.kubeconfig import ConnectionSettings
from kubecause.evidence.cluster.tls_proxy import pass_on

TOKEN = "s3cr3t-token-value"
Answers = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the test."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Note the request and let the test answer."""
        self.server.seen.append(self)
        self.server.answers(self)

    def answer(self, status: int, body: bytes = b"{}", **headers: str) -> None:
        """Send a whole answer; underscores in header names are dashes."""
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


class Server(ThreadingHTTPServer):
    """One server of the test, on a free port; counts connections."""

    daemon_threads = True

    def __init__(self, answers: Answers, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.seen: list[Handler] = []
        self.connections = 0
        self.context = context

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection, over TLS where the test wants it."""
        plain, address = super().get_request()
        self.connections += 1
        plain.settimeout(5)
        try:
            return (self.context.wrap_socket(plain, server_side=True) if self.context else plain), address
        except OSError:
            plain.close()
            raise

    def handle_error(self, *_: object) -> None:
        """Clients that go away are part of the tests."""


@contextmanager
def serving(answers: Answers, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that runs until the end of the block."""
    server = Server(answers, context)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def settings_for(port: int, **changes: Any) -> ConnectionSettings:
    """Settings for a port of this machine, with changes."""
    given = ConnectionSettings(
        server=f"http://127.0.0.1:{port}",
        context="c",
        namespace="default",
        ca_data=None,
        insecure=False,
        tls_server_name=None,
        proxy_url=None,
        credentials=Credentials(user="u", token=TOKEN),
        impersonate=None,
    )
    return replace(given, **changes)


OPEN: list[Connection] = []


def connect(settings: ConnectionSettings, **arguments: Any) -> Connection:
    """A connection that the test's end closes."""
    OPEN.append(Connection(settings, **arguments))
    return OPEN[-1]


def fine(request: Handler) -> None:
    """Answer with a pod."""
    request.answer(200, b'{"kind":"Pod","metadata":{"name":"a"}}')


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Waits are a tenth as long; what was opened is closed."""
    monkeypatch.setattr(module, "_BACKOFF", (0.01, 0.03, 0.08, 0.16))
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for ``kube.test`` and 127.0.0.1, one that has expired, and one for a client."""
    folder = tmp_path_factory.mktemp("keys")

    def make(name: str, subject: str, *more: str) -> None:
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt", "-subj", f"/CN={subject}", *more]
        subprocess.run(command, check=True, capture_output=True)

    make("server", "kube.test", "-days", "2", "-addext", "subjectAltName=DNS:kube.test,IP:127.0.0.1")
    make("client", "jane", "-days", "2")
    make(
        "signed",
        "kube.test",
        "-days",
        "2",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-CA",
        f"{folder}/client.crt",
        "-CAkey",
        f"{folder}/client.key",
    )
    return folder


def tls(keys: Path, name: str = "server", *, client: bool = False) -> ssl.SSLContext:
    """A server's TLS; with ``client`` it wants jane's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / f"{name}.crt", keys / f"{name}.key")
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(keys / "client.crt")
    return context


def test_what_is_sent() -> None:
    """Path, prefix and every header of one request."""
    with serving(fine) as server:
        who = Impersonation("jané", groups=("a", "b"))
        connection = connect(settings_for(server.port, impersonate=who, server=f"http://127.0.0.1:{server.port}/prefix"))
        reply = connection.get("/api/v1/pods?limit=1", accept="a/b")
    headers = server.seen[0].headers

    assert (reply.status, json.loads(reply.body)["kind"], reply.cut) == (200, "Pod", False)
    assert (server.seen[0].command, server.seen[0].path) == ("GET", "/prefix/api/v1/pods?limit=1")
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["User-Agent"].startswith("kubecause/")
    assert headers["Accept"] == "a/b"
    assert headers["Impersonate-User"].encode("latin-1").decode() == "jané"
    assert headers.get_all("Impersonate-Group") == ["a", "b"]
    assert (connection.requests, connection.bytes_read) == (1, len(reply.body))


def test_connections_are_kept_and_several_run_at_once() -> None:
    """As many connections as may run at once, and no more."""
    running: list[int] = []
    most: list[int] = []

    def answers(request: Handler) -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.05)
        running.pop()
        fine(request)

    with serving(answers) as server:
        connection = connect(settings_for(server.port), parallel=3)
        crew: Crew[tuple[int, int]] = Crew(connection.parallel)
        for n in range(9):
            crew.submit(lambda n=n: (n, connection.get(f"/{n}").status))  # type: ignore[misc]
        results = list(crew.results())

    assert results == [(n, 200) for n in range(9)]
    assert max(most) == 3
    assert server.connections == 3


def test_a_connection_closed_while_idle_is_opened_again() -> None:
    """A load balancer does that after some minutes."""

    def answers(request: Handler) -> None:
        fine(request)
        request.close_connection = True  # without saying so

    with serving(answers) as server:
        connection = connect(settings_for(server.port))
        assert [connection.get("/a").status for _ in range(3)] == [200, 200, 200]

    assert server.connections == 3


@pytest.mark.parametrize(("status", "tries"), [(429, 3), (503, 3), (500, 2), (404, 1), (403, 1)])
def test_how_often_a_refused_request_is_repeated(status: int, tries: int) -> None:
    """Only what may pass by itself, and only as often as is polite."""
    with serving(lambda request: request.answer(status)) as server:
        assert connect(settings_for(server.port)).get("/a").status == status
        assert len(server.seen) == tries
        connect(settings_for(server.port)).get("/a", retry=False)

    assert len(server.seen) == tries + (tries if status == 429 else 1)


def test_retry_after_is_honoured() -> None:
    """An API server under load sends one second."""
    times: list[float] = []

    def answers(request: Handler) -> None:
        times.append(time.monotonic())
        if len(times) < 3:
            request.answer(429, Retry_After="1")
        else:
            fine(request)

    with serving(answers) as server:
        assert connect(settings_for(server.port)).get("/a").status == 200

    assert times[1] - times[0] >= 1
    assert times[2] - times[1] >= 1


def test_a_long_retry_after_is_not_waited_for() -> None:
    """The answer stands at once."""
    with serving(lambda request: request.answer(429, Retry_After="3600")) as server:
        begun = time.monotonic()
        assert connect(settings_for(server.port)).get("/a").status == 429

    assert len(server.seen) == 1
    assert time.monotonic() - begun < 1


def test_all_waiting_ends_with_the_deadline() -> None:
    """However often the server says to come back."""
    with serving(lambda request: request.answer(503, Retry_After="1")) as server:
        begun = time.monotonic()
        assert connect(settings_for(server.port), timeout=0.4).get("/a").status == 503

    assert time.monotonic() - begun < 1.5


def test_a_broken_answer_is_asked_for_again() -> None:
    """Requests only read, so they may be sent twice."""

    def answers(request: Handler) -> None:
        if len(request.server.seen) < 3:
            request.answer(200, b"{", Content_Length="1000")
            request.close_connection = True
        else:
            fine(request)

    with serving(answers) as server:
        assert connect(settings_for(server.port)).get("/a").status == 200

    assert len(server.seen) == 3


def test_gzip_is_asked_for_and_inflated() -> None:
    """And counted as it came over the network."""
    body = b"x" * 3_000_000

    def answers(request: Handler) -> None:
        assert request.headers["Accept-Encoding"] == "gzip"
        request.answer(200, gzip.compress(body), Content_Encoding="gzip")

    with serving(answers) as server:
        connection = connect(settings_for(server.port))
        assert connection.get("/a").body == body
        assert connection.bytes_read < 10_000
        part = connection.get("/a", limit_bytes=1000)

    assert (part.body, part.cut) == (body[:1000], True)


def test_a_compressed_answer_that_ends_too_early_is_no_answer() -> None:
    """Half a list would look like a whole one."""
    packed = gzip.compress(bytes(range(256)) * 1000)
    with (
        serving(lambda request: request.answer(200, packed[:-20], Content_Encoding="gzip")) as server,
        pytest.raises(UnreachableError) as caught,
    ):
        connect(settings_for(server.port)).get("/a")

    assert caught.value.stage == "http"


def test_only_so_much_is_read() -> None:
    """A connection with an unread rest is not used again."""
    with serving(lambda request: request.answer(200, b"a" * 5_000_000)) as server:
        connection = connect(settings_for(server.port))
        part = connection.get("/a", limit_bytes=1000)
        whole = connection.get("/a", limit_bytes=5_000_000)

    assert (part.body, part.cut) == (b"a" * 1000, True)
    assert (len(whole.body), whole.cut) == (5_000_000, False)
    assert server.connections == 2


def unreachable(settings: ConnectionSettings, timeout: float = 0.5) -> UnreachableError:
    """The error of a request that gets no answer; one line, without the token."""
    with pytest.raises(UnreachableError) as caught:
        connect(settings, timeout=timeout).get("/a")
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def test_where_the_way_ended(keys: Path) -> None:
    """Each stage, with the system's own words."""
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    refused = unreachable(settings_for(closed.getsockname()[1]))
    closed.close()
    nameless = unreachable(settings_for(1, server="https://no-such-host.invalid"))
    with serving(lambda _: time.sleep(1.2)) as server:
        silent = unreachable(settings_for(server.port))
        plain = unreachable(settings_for(1, server=f"https://127.0.0.1:{server.port}"))
    with serving(fine, tls(keys)) as server:
        untrusted = unreachable(settings_for(1, server=f"https://127.0.0.1:{server.port}"))

    assert (refused.stage, refused.host, refused.detail) == ("connect", "127.0.0.1", "Connection refused")
    assert (nameless.stage, nameless.host, nameless.port) == ("name", "no-such-host.invalid", 443)
    assert (silent.stage, silent.detail) == ("http", "timed out after 0.5 s")
    assert plain.stage == "tls"
    assert untrusted.stage == "tls"
    assert untrusted.detail.startswith("certificate verify failed: self")


def test_an_answer_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that keep coming do not keep the clock from running."""

    def answers(request: Handler) -> None:
        request.answer(200, b"", Content_Length="100000")
        for _ in range(50):
            request.wfile.write(b"a")
            time.sleep(0.05)

    monkeypatch.setattr(module, "_BLOCK", 1)
    with serving(answers) as server:
        error = unreachable(settings_for(server.port), timeout=0.1)

    assert (error.stage, error.detail) == ("http", "the answer took longer than 0.6 s")


def test_a_server_that_is_gone_is_not_waited_for_again_and_again() -> None:
    """After some requests without an answer the next ones fail at once."""
    with serving(lambda request: request.answer(200, Connection="close")) as server:
        connection = connect(settings_for(server.port), timeout=5)
        assert connection.get("/a").status == 200
    begun = time.monotonic()
    for _ in range(40):
        with pytest.raises(UnreachableError):
            connection.get("/a")

    assert time.monotonic() - begun < 2


def test_once_it_has_answered_a_server_that_dies_is_a_refusal() -> None:
    """What was read already is kept."""

    def answers(request: Handler) -> None:
        if len(request.server.seen) == 1:
            request.answer(200, b'{"kind":"PodList","metadata":{"continue":"more"},"items":[{"metadata":{"uid":"1"}}]}')
        else:
            request.connection.shutdown(socket.SHUT_RDWR)

    with serving(answers) as server:
        listing = Api(connect(settings_for(server.port))).list(KINDS["Pod"])

    assert [item["metadata"]["uid"] for item in listing.items] == ["1"]
    assert not listing.complete
    assert listing.refused is not None
    assert (listing.refused.status, listing.refused.reason) == (0, "Unreachable")


def test_a_list_whose_token_expired_begins_anew_and_counts_nothing_twice() -> None:
    """Where the 410 brings no token for the rest."""

    def answers(request: Handler) -> None:
        if "continue=" in request.path and len(request.server.seen) == 2:
            request.answer(410, b'{"kind":"Status","reason":"Expired","message":"too old","code":410,"metadata":{}}')
        elif "continue=" in request.path:
            request.answer(200, b'{"kind":"PodList","metadata":{},"items":[{"metadata":{"uid":"3"}}]}')
        else:
            body = b'{"kind":"PodList","metadata":{"continue":"x"},"items":[{"metadata":{"uid":"1"}},{"metadata":{"uid":"2"}}]}'
            request.answer(200, body)

    with serving(answers) as server:
        listing = Api(connect(settings_for(server.port))).list(KINDS["Pod"])

    assert [item["metadata"]["uid"] for item in listing.items] == ["1", "2", "3"]
    assert listing.complete


def test_answers_that_are_not_kubernetes_are_refusals() -> None:
    """A sign-in page or a gateway's error is a value too, on one clean line."""
    with serving(lambda request: request.answer(200, b"<html>sign in</html>")) as server:
        api = Api(connect(settings_for(server.port)))
        results = [api.get(KINDS["Pod"], "a", "b"), api.list(KINDS["Pod"]).refused, api.table(KINDS["Pod"]).refused]
    with serving(lambda request: request.answer(502, b"<html>\x1b[31mbad\n gateway</html>")) as server:
        refused = Api(connect(settings_for(server.port))).get(KINDS["Pod"], "a", "b")

    assert [getattr(result, "reason", None) for result in results] == ["NotUnderstood"] * 3
    assert getattr(refused, "message", None) == "<html> [31mbad gateway</html>"


def test_tls_trusts_the_authority_and_the_name_it_is_told(keys: Path) -> None:
    """``certificate-authority``, ``tls-server-name``, ``insecure-skip-tls-verify``."""
    authority = (keys / "server.crt").read_bytes()
    with serving(fine, tls(keys)) as server:
        https = f"https://127.0.0.1:{server.port}"
        assert connect(settings_for(1, server=https, ca_data=authority)).get("/a").status == 200
        assert connect(settings_for(1, server=https, ca_data=authority, tls_server_name="kube.test")).get("/a").status == 200
        assert connect(settings_for(1, server=https, insecure=True, tls_server_name="other")).get("/a").status == 200
        wrong = unreachable(settings_for(1, server=https, ca_data=authority, tls_server_name="other"))
        with pytest.raises(ConfigError, match="certificate-authority of https://127"):
            connect(settings_for(1, server=https, ca_data=b"nothing")).get("/a")

    assert "certificate is not valid for 'other'" in wrong.detail


def test_a_certificate_that_is_no_root_may_be_trusted(keys: Path) -> None:
    """Kubeconfigs that hold the server's own certificate, signed by an authority nobody knows, work with kubectl."""
    with serving(fine, tls(keys, "signed")) as server:
        given = settings_for(1, server=f"https://127.0.0.1:{server.port}", ca_data=(keys / "signed.crt").read_bytes())
        assert connect(given).get("/a").status == 200


def test_client_certificates(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From memory, and over a private file where the system has no files in memory; nothing stays behind."""
    with serving(fine, tls(keys, client=True)) as server:
        jane = Credentials(user="jane", certificate=(keys / "client.crt").read_bytes(), key=(keys / "client.key").read_bytes())
        given = settings_for(
            1, server=f"https://127.0.0.1:{server.port}", ca_data=(keys / "server.crt").read_bytes(), credentials=jane
        )
        assert connect(given).get("/a").status == 200
        monkeypatch.delattr("os.memfd_create", raising=False)
        monkeypatch.setattr("tempfile.tempdir", str(keys))
        before = set(keys.iterdir())
        assert connect(given).get("/a").status == 200
        assert set(keys.iterdir()) == before
        without = unreachable(replace(given, credentials=Credentials()))
        broken = replace(given, credentials=replace(jane, key=b"-----BEGIN PRIVATE KEY-----\n"))
        with pytest.raises(ConfigError, match="user jane: client-certificate and client-key cannot be used together"):
            connect(broken).get("/a")

    assert without.stage in {"tls", "http"}


class Proxy(threading.Thread):
    """A real proxy of a few lines: CONNECT, over TLS where it has a context, or SOCKS5; one connection."""

    def __init__(self, kind: str, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n", context: ssl.SSLContext | None = None) -> None:
        super().__init__(daemon=True)
        self.kind, self.reply, self.context = kind, answer, context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.head = b""
        self.start()

    def run(self) -> None:
        """Take one connection to where it wants to go."""
        client, _ = self.listener.accept()
        self.listener.close()
        try:
            client = self.context.wrap_socket(client, server_side=True) if self.context else client
        except OSError:  # the client does not trust it
            client.close()
            return
        host, port = self.connect(client) if self.kind == "http" else self.socks(client)
        if not self.reply.startswith((b"HTTP/1.1 200", b"\x05\x00")):
            client.close()
            return
        server = socket.create_connection((host, port))
        if isinstance(client, ssl.SSLSocket):
            pass_on(client, server, 5)
            return
        for one, other in ((client, server), (server, client)):
            threading.Thread(target=self.copy, args=(one, other), daemon=True).start()

    def connect(self, client: socket.socket) -> tuple[str, int]:
        """Read a CONNECT and answer it."""
        while b"\r\n\r\n" not in self.head:
            self.head += client.recv(1000)
        client.sendall(self.reply)
        host, _, port = self.head.split(b" ")[1].decode().rpartition(":")
        return host, int(port)

    def socks(self, client: socket.socket) -> tuple[str, int]:
        """Speak SOCKS5 with a name and a password."""
        self.head = client.recv(100)
        client.sendall(b"\x05\x02")
        self.head += client.recv(500)
        client.sendall(b"\x01\x00")
        request = client.recv(500)
        self.head += request
        client.sendall(self.reply + b"\x00\x01\x00\x00\x00\x00\x00\x00")
        return request[5 : 5 + request[4]].decode(), int.from_bytes(request[-2:], "big")

    def copy(self, one: socket.socket, other: socket.socket) -> None:
        """Pass bytes on until one side ends."""
        try:
            while piece := one.recv(65536):
                other.sendall(piece)
        except OSError:
            pass
        one.close()
        other.close()


def test_through_proxies(keys: Path) -> None:
    """CONNECT and SOCKS5; the token goes to the API server only."""
    with serving(fine, tls(keys)) as server:
        given = settings_for(1, server=f"https://127.0.0.1:{server.port}", ca_data=(keys / "server.crt").read_bytes())
        for kind, answer in (("http", b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"), ("socks5", b"\x05\x00")):
            proxy = Proxy(kind, answer)
            url = f"{kind}://me:pass@127.0.0.1:{proxy.port}"
            assert connect(replace(given, proxy_url=url)).get("/a").status == 200
            if kind == "http":
                assert proxy.head.startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n".encode())
                assert b"Proxy-Authorization: Basic bWU6cGFzcw==\r\n" in proxy.head
            else:
                assert b"\x02me\x04pass" in proxy.head
            assert TOKEN.encode() not in proxy.head


def test_through_a_proxy_over_tls(keys: Path) -> None:
    """TLS within TLS: an answer of many records comes whole, and neither token nor path is seen by the proxy."""
    large = b'{"kind":"Pod","metadata":{"name":"' + b"a" * 3_000_000 + b'"}}'

    with serving(lambda request: request.answer(200, large), tls(keys)) as server:
        given = settings_for(1, server=f"https://127.0.0.1:{server.port}", ca_data=(keys / "server.crt").read_bytes())
        proxy = Proxy("http", context=tls(keys))
        line = connect(replace(given, proxy_url=f"https://me:pass@127.0.0.1:{proxy.port}"))
        answers = [line.get("/a").body, line.get("/b").body]

    assert [large, large] == answers
    assert proxy.head.startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n".encode())
    assert b"Proxy-Authorization: Basic bWU6cGFzcw==\r\n" in proxy.head
    assert TOKEN.encode() not in proxy.head


def test_a_proxy_over_tls_that_nobody_vouches_for_is_named(keys: Path) -> None:
    """The proxy's certificate is checked; the proxy, not the API server, is what failed."""
    proxy = Proxy("http", context=tls(keys))
    given = settings_for(1, server="https://kube.invalid:6443")

    refused = unreachable(replace(given, proxy_url=f"https://127.0.0.1:{proxy.port}"))

    assert (refused.stage, refused.port, refused.proxy) == ("connect", proxy.port, True)
    assert "certificate verify failed" in refused.detail


def test_a_proxy_that_refuses_is_named(keys: Path) -> None:
    """The proxy, not the API server, is what failed."""
    given = settings_for(1, server="https://kube.invalid:6443")
    http, socks = Proxy("http", b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), Proxy("socks5", b"\x05\x05")

    refused = unreachable(replace(given, proxy_url=f"http://me:s3cret@127.0.0.1:{http.port}"))
    closed = unreachable(replace(given, proxy_url=f"socks5://me:s3cret@127.0.0.1:{socks.port}"))
    over_tls = Proxy("http", b"HTTP/1.1 403 Forbidden\r\n\r\n", tls(keys))
    given = replace(given, ca_data=(keys / "server.crt").read_bytes())
    forbidden = unreachable(replace(given, proxy_url=f"https://127.0.0.1:{over_tls.port}"))

    assert forbidden.detail == "the proxy answered CONNECT kube.invalid:6443 with 403 Forbidden"
    assert (refused.stage, refused.host, refused.port, refused.proxy) == ("connect", "127.0.0.1", http.port, True)
    assert refused.detail == "the proxy answered CONNECT kube.invalid:6443 with 407 Proxy Authentication Required"
    assert closed.detail == "the SOCKS proxy answered: connection refused"
    assert "s3cret" not in str(refused) + str(closed)


def test_nothing_but_get_can_be_sent() -> None:
    """One place sends to the API server, and its verb is a constant."""
    folder = Path(inspect.getfile(module)).parent
    sends = []
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"putrequest", "request", "urlopen", "_send_request"}:
                sends.append((path.name, node.attr))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "putrequest":
                assert isinstance(node.args[0], ast.Constant)
                assert node.args[0].value == "GET"

    assert sends == [("connection.py", "putrequest")]
