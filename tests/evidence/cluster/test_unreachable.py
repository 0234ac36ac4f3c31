"""Why an API server cannot be reached: real sockets, real handshakes, certificates made by openssl; up to the diagnosis."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubecause.errors import ConfigError, UnreachableError
from kubecause.evidence.cluster.api import Refused
from kubecause.evidence.cluster.certificates import read_der, read_pem
from kubecause.evidence.cluster.credentials import Credentials
from kubecause.evidence.cluster.kubeconfig import ConnectionSettings, load_settings
from kubecause.evidence.cluster.token_dates import end_of, token_step
from kubecause.evidence.cluster.unreachable import examine, refusal, unconfigured
from kubecause.knowledge import load_cases
from kubecause.model import Diagnosis, Document, Gap
from kubecause.pipeline import diagnose_documents, diagnose_path

TOKEN = "a-token-nobody-may-see"
PAST, FUTURE = ("20200101000000Z", "20210101000000Z"), ("20900101000000Z", "20910101000000Z")
NOW = ("20240101000000Z", "20890101000000Z")
SERVER_NAMES = "DNS:localhost,IP:127.0.0.1"


# --- certificates -----------------------------------------------------------------------------------------


@dataclass
class Authority:
    """A certificate authority below a folder."""

    folder: Path
    name: str
    pem: bytes = b""

    def make(self, common_name: str, dates: tuple[str, str] = NOW) -> Authority:
        """Its own certificate; a leaf with these dates signs itself through ``openssl ca``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._request("ca", f"/CN={common_name}")
        self._sign("ca", dates, "basicConstraints=critical,CA:TRUE\n", "-selfsign")
        self.pem = (self.folder / "ca.crt").read_bytes()
        return self

    def issue(
        self, name: str, dates: tuple[str, str] = NOW, names: str = SERVER_NAMES, subject: str = "/CN=kube-apiserver"
    ) -> Path:
        """A certificate and key in one file."""
        self._request(name, subject)
        alternative = f"subjectAltName={names}\n" if names else ""
        self._sign(name, dates, alternative or "basicConstraints=CA:FALSE\n", "-cert", str(self.folder / "ca.crt"))
        both = self.folder / f"{name}.pem"
        both.write_bytes((self.folder / f"{name}.crt").read_bytes() + (self.folder / f"{name}.key").read_bytes())
        return both

    def _request(self, name: str, subject: str) -> None:
        self._openssl(
            *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr"),
        )

    def _sign(self, name: str, dates: tuple[str, str], extensions: str, *how: str) -> None:
        (self.folder / "index").write_text("", encoding="utf-8")
        (self.folder / "openssl.cnf").write_text(
            "[ca]\ndefault_ca=a\n[a]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n"
            f"unique_subject=no\n[p]\norganizationName=optional\ncommonName=supplied\n[x]\n{extensions}",
            encoding="utf-8",
        )
        self._openssl(
            *("ca", "-batch", "-notext", "-config", "openssl.cnf", "-extensions", "x", "-in", f"{name}.csr"),
            *("-keyfile", "ca.key", "-startdate", dates[0], "-enddate", dates[1], "-out", f"{name}.crt", *how),
        )

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that the kubeconfig trusts."""
    return Authority(tmp_path_factory.mktemp("ours"), "ours").make("kubernetes")


@pytest.fixture(scope="module")
def namesake(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority of the same name with another key."""
    return Authority(tmp_path_factory.mktemp("namesake"), "namesake").make("kubernetes")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority nobody knows."""
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger").make("somebody else")


# --- servers ----------------------------------------------------------------------------------------------

Answer = Callable[[socket.socket], None]


@dataclass
class Server:
    """A server on a port of its own; each connection is handled by ``answer`` in a thread."""

    answer: Answer
    pem: Path | None = None
    clients: Authority | None = None
    heard: list[bytes] = field(default_factory=list)
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.listening.getsockname()[1])

    def run(self) -> None:
        """Answer until the port is closed."""
        context = None
        if self.pem:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.pem)
            if self.clients:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(cadata=self.clients.pem.decode())
        while True:
            try:
                line, _ = self.listening.accept()
            except OSError:
                return
            with suppress(OSError), line:
                if context is None:
                    self.answer(line)
                    continue
                with context.wrap_socket(line, server_side=True) as secure:
                    self.answer(secure)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers; all end with the test."""
    running: list[tuple[Server, threading.Thread]] = []

    def start(
        pem: Path | None = None, *, date: str | None = None, answer: Answer | None = None, clients: Authority | None = None
    ) -> Server:
        server = Server(answer or (lambda line: http_answer(line, server.heard, date)), pem, clients)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        with suppress(OSError):
            server.listening.shutdown(socket.SHUT_RDWR)
        server.listening.close()
        thread.join(5)


def http_answer(line: socket.socket, heard: list[bytes], date: str | None) -> None:
    """A web server that knows no Kubernetes."""
    heard.append(line.recv(65536))
    head = f"Date: {date}\r\n" if date else ""
    line.sendall(f"HTTP/1.1 200 OK\r\n{head}Content-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi".encode())


def hang_up(line: socket.socket) -> None:
    """Take the connection and close it."""
    line.close()


# --- the way from settings to the diagnosis ---------------------------------------------------------------


def settings(server: str, ca: Authority | None = None, tmp: Path | None = None, **more: object) -> ConnectionSettings:
    """Settings as a kubeconfig gives them; through a real file where ``tmp`` is given."""
    cluster = {"server": server}
    if ca:
        cluster["certificate-authority-data"] = base64.b64encode(ca.pem).decode()
    config = {
        "current-context": "test",
        "clusters": [{"name": "c", "cluster": {**cluster, **more.pop("cluster", {})}}],  # type: ignore[dict-item]
        "users": [{"name": "u", "user": more.pop("user", {"token": TOKEN})}],
        "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
    }
    path = (tmp or Path("/nowhere")) / "config"
    path.write_text(json.dumps(config), encoding="utf-8")
    return load_settings(kubeconfig=str(path), context=None, environment=more.pop("environment", {}))  # type: ignore[arg-type]


def looked(given: ConnectionSettings, timeout: float = 1.0) -> list[Document]:
    """The documents of an examination, checked for secrets."""
    found = list(examine(given, UnreachableError("connect", "x", 1, "no answer"), timeout=timeout))
    documents = [item for item in found if isinstance(item, Document)]
    assert TOKEN not in str(found)
    assert all("\n" not in line for document in documents for line in document.lines)
    return documents


def steps(documents: Sequence[Document]) -> list[str]:
    """``stage: outcome`` of each line."""
    return [":".join(line.split(":")[:2]) for document in documents for line in document.lines]


def diagnosed(documents: Sequence[Document | Gap]) -> list[tuple[str, str, str]]:
    """Fault, status and kind of entity of each diagnosis."""
    return [named(one) for one in diagnose_documents(documents, load_cases(), source=("cluster", "test")).diagnoses]


def named(diagnosis: Diagnosis) -> tuple[str, str, str]:
    """What a diagnosis says, without its texts."""
    return (diagnosis.finding.fault, str(diagnosis.status), diagnosis.entity.kind)


EXPIRED = ("control-plane/apiserver-cert-expired", "confirmed", "Cluster")
WRONG_NAME = ("client/certificate-name-mismatch", "confirmed", "Client")
UNKNOWN_AUTHORITY = ("client/certificate-unknown-authority", "confirmed", "Client")


# --- TLS --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signer", "dates", "names", "step", "words", "fault"),
    [
        ("ours", PAST, SERVER_NAMES, "tls: expired", "current time is after 2021-01-01T00:00:00Z", EXPIRED),
        (
            "ours",
            FUTURE,
            SERVER_NAMES,
            "tls: not-yet-valid",
            "is before 2090-01-01",
            ("client/clock-wrong", "probable", "Client"),
        ),
        ("ours", NOW, "DNS:a.example,IP:10.96.0.1", "tls: wrong-name", "is valid for 10.96.0.1, not 127.0.0.1", WRONG_NAME),
        ("ours", NOW, "DNS:a.example", "tls: wrong-name", "because it doesn't contain any IP SANs", WRONG_NAME),
        ("namesake", NOW, SERVER_NAMES, "tls: other-key", 'candidate authority certificate "kubernetes"', UNKNOWN_AUTHORITY),
        ("stranger", NOW, SERVER_NAMES, "tls: unknown-authority", "signed by unknown authority", UNKNOWN_AUTHORITY),
    ],
)
def test_certificate_that_a_client_refuses(
    request: pytest.FixtureRequest,
    serve: Callable[..., Server],
    ours: Authority,
    tmp_path: Path,
    signer: str,
    dates: tuple[str, str],
    names: str,
    step: str,
    words: str,
    fault: tuple[str, str, str],
) -> None:
    """Dates, names and authority of the server's certificate: the exact fault, in kubectl's words, twice the same."""
    authority: Authority = request.getfixturevalue(signer)
    server = serve(authority.issue("server", dates, names))
    given = settings(f"https://127.0.0.1:{server.port}", ours, tmp_path)

    first, second = looked(given), looked(given)

    assert step in steps(first)
    assert any(words in line and "Unable to connect to the server: tls: failed to verify" in line for line in first[0].lines)
    assert [fault] == diagnosed(first)
    assert [list(document.lines) for document in first] == [list(document.lines) for document in second]
    proofs = diagnose_documents(first, load_cases(), source=("cluster", "test")).diagnoses[0].proofs
    assert [None] * len(proofs) == [proof.count for proof in proofs]
    assert not any(TOKEN.encode() in heard for heard in server.heard)


def test_certificate_that_signs_itself(serve: Callable[..., Server], ours: Authority, tmp_path: Path) -> None:
    """A certificate without any authority is told from one of a foreign authority."""
    own = Authority(tmp_path / "own", "own").make("localhost")
    both = tmp_path / "both.pem"
    both.write_bytes(own.pem + (own.folder / "ca.key").read_bytes())
    server = serve(both)

    found = looked(settings(f"https://localhost:{server.port}", ours, tmp_path))

    assert ["tls: wrong-name", "tls: self-signed"] == steps(found)[-2:]
    assert {WRONG_NAME, UNKNOWN_AUTHORITY} == set(diagnosed(found))


def test_everything_wrong_is_said(serve: Callable[..., Server], ours: Authority, stranger: Authority, tmp_path: Path) -> None:
    """A certificate may be out of date, for another name and by another authority at once."""
    server = serve(stranger.issue("server", PAST, "DNS:a.example"))

    found = looked(settings(f"https://127.0.0.1:{server.port}", ours, tmp_path))

    assert ["tls: expired", "tls: wrong-name", "tls: unknown-authority"] == steps(found)[-3:]
    assert {EXPIRED, WRONG_NAME, UNKNOWN_AUTHORITY} == set(diagnosed(found))


def test_authority_that_has_ended(serve: Callable[..., Server], tmp_path: Path) -> None:
    """The kubeconfig's own authority is out of date while the server's certificate is not."""
    over = Authority(tmp_path / "over", "over").make("kubernetes", PAST)
    server = serve(over.issue("server"))

    found = looked(settings(f"https://127.0.0.1:{server.port}", over, tmp_path))

    assert "tls: ca-expired" == steps(found)[-1]
    assert [UNKNOWN_AUTHORITY] == diagnosed(found)


def test_clock_of_this_machine(serve: Callable[..., Server], ours: Authority, tmp_path: Path) -> None:
    """In date by the server's clock, out of date by ours: the clocks are at fault and nothing has expired."""
    server = serve(ours.issue("server", PAST), date="Mon, 01 Jun 2020 10:00:00 GMT")

    found = looked(settings(f"https://127.0.0.1:{server.port}", ours, tmp_path))

    assert ["clock: ahead", "tls: clock"] == steps(found)[-2:]
    assert [("client/clock-wrong", "confirmed", "Client")] == diagnosed(found)


def test_trusted_server_that_is_no_api_server(serve: Callable[..., Server], ours: Authority, tmp_path: Path) -> None:
    """The certificate fits, the clocks agree, but the answer to /api is a web page."""
    now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    server = serve(ours.issue("server"), date=now)

    found = looked(settings(f"https://localhost:{server.port}", ours, tmp_path))

    assert [
        "name: resolved",
        "connect: open",
        "certificate: in-date",
        "clock: agrees",
        "tls: ok",
        "http: not-kubernetes",
    ] == steps(found)[1:]
    assert [("client/not-an-apiserver", "confirmed", "Client")] == diagnosed(found)
    assert any(TOKEN.encode() in heard for heard in server.heard)  # a trusted server gets the credentials


def test_unchecked_certificate(serve: Callable[..., Server], stranger: Authority, tmp_path: Path) -> None:
    """With insecure-skip-tls-verify nothing is wrong with a certificate, and its line still says whose it is."""
    server = serve(stranger.issue("server", PAST))
    given = settings(f"https://127.0.0.1:{server.port}", None, tmp_path, cluster={"insecure-skip-tls-verify": True})

    found = looked(given)

    assert "certificate: expired" in steps(found)
    assert "tls: ok" in steps(found)
    assert [("client/not-an-apiserver", "confirmed", "Client")] == diagnosed(found)


def test_name_to_verify(serve: Callable[..., Server], ours: Authority, tmp_path: Path) -> None:
    """``tls-server-name`` is the name that counts."""
    server = serve(ours.issue("server", NOW, "DNS:kubernetes"))
    given = settings(f"https://127.0.0.1:{server.port}", ours, tmp_path, cluster={"tls-server-name": "kubernetes"})

    assert "tls: ok" in steps(looked(given))


# --- the network ------------------------------------------------------------------------------------------


def test_closed_port(ours: Authority, tmp_path: Path) -> None:
    """Refused: the API server is probably down; the chain ends at the refused client."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = looked(settings(f"https://127.0.0.1:{port}", ours, tmp_path))

    diagnoses = diagnose_documents(found, load_cases(), source=("cluster", "test")).diagnoses

    assert (
        f"connect: refused: The connection to the server 127.0.0.1:{port} was refused - did you specify the right host or port?"
        in (found[0].lines)
    )
    assert [("control-plane/apiserver-down", "probable", "Cluster")] == [named(one) for one in diagnoses]
    assert ["control-plane/apiserver-down", "client/apiserver-refused"] == [link.fault for link in diagnoses[0].chain]


def test_host_without_a_name(ours: Authority, tmp_path: Path) -> None:
    """A name that does not exist (RFC 6761: ``invalid`` never does) or that nobody can look up."""
    found = looked(settings("https://k8s-api.example.invalid:6443", ours, tmp_path), timeout=20)

    assert steps(found)[-1] in ("name: unknown", "name: silent")
    assert [("client/apiserver-name-unresolvable", "confirmed", "Client")] == diagnosed(found)


def test_port_that_never_answers(serve: Callable[..., Server], ours: Authority, tmp_path: Path) -> None:
    """The connection is taken and nothing follows: no handshake in time."""
    silent = threading.Event()
    server = serve(answer=lambda _: silent.wait(10) and None)

    found = looked(settings(f"https://127.0.0.1:{server.port}", ours, tmp_path))
    silent.set()

    assert "tls: timeout: Unable to connect to the server: net/http: TLS handshake timeout" == found[0].lines[-1]
    assert [("control-plane/apiserver-not-answering", "probable", "Cluster")] == diagnosed(found)


def test_port_that_hangs_up(serve: Callable[..., Server], ours: Authority, tmp_path: Path) -> None:
    """The connection is taken and closed: a balancer without a healthy server behind it."""
    server = serve(answer=hang_up)

    found = looked(settings(f"https://127.0.0.1:{server.port}", ours, tmp_path))

    assert "tls: closed: Unable to connect to the server: EOF" == found[0].lines[-1]
    assert [("control-plane/apiserver-not-answering", "probable", "Cluster")] == diagnosed(found)


def test_port_without_tls(serve: Callable[..., Server], ours: Authority, tmp_path: Path) -> None:
    """A web server without TLS."""
    server = serve()

    found = looked(settings(f"https://127.0.0.1:{server.port}", ours, tmp_path))

    assert (
        "tls: plain-http: Unable to connect to the server: http: server gave HTTP response to HTTPS client" == found[0].lines[-1]
    )
    assert [("client/not-an-apiserver", "confirmed", "Client")] == diagnosed(found)


def test_connection_that_is_never_opened(ours: Authority, tmp_path: Path) -> None:
    """A listener whose queue is full drops every attempt, as a firewall does."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        port = full.getsockname()[1]

        found = looked(settings(f"https://127.0.0.1:{port}", ours, tmp_path))
        for one in waiting:
            one.close()

    assert f"connect: timeout: Unable to connect to the server: dial tcp 127.0.0.1:{port}: i/o timeout" == found[0].lines[-1]
    assert [("client/apiserver-unreachable", "probable", "Client")] == diagnosed(found)


def test_address_that_no_way_leads_to(ours: Authority, tmp_path: Path) -> None:
    """The kernel refuses to route class E and broadcast addresses, on every machine."""
    found = looked(settings("https://255.255.255.255:6443", ours, tmp_path))

    assert steps(found)[-1] in ("route: no-network", "connect: not-permitted")
    assert ["client/apiserver-unreachable"] == [fault for fault, _, _ in diagnosed(found)]


# --- proxies ----------------------------------------------------------------------------------------------


def test_proxy_that_is_gone(ours: Authority, tmp_path: Path) -> None:
    """A closed port of the proxy is not the API server's fault, and the proxy's password is not printed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = settings("https://10.0.0.5:6443", ours, tmp_path, environment={"HTTPS_PROXY": f"http://ann:{TOKEN}@127.0.0.1:{port}"})

    found = looked(given)

    assert (
        f"proxy: refused: Unable to connect to the server: proxyconnect tcp: dial tcp 127.0.0.1:{port}: connect: connection refused"
        == (found[0].lines[-1])
    )
    assert [("client/proxy-failed", "confirmed", "Client")] == diagnosed(found)


def test_proxy_that_says_no(serve: Callable[..., Server], ours: Authority, tmp_path: Path) -> None:
    """An answer to CONNECT that is no 200."""

    def refuse(line: socket.socket) -> None:
        line.recv(4096)
        line.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    proxy = serve(answer=refuse)
    given = settings("https://10.0.0.5:6443", ours, tmp_path, cluster={"proxy-url": f"http://127.0.0.1:{proxy.port}"})

    found = looked(given)

    assert "407 Proxy Authentication Required" in found[0].lines[-1]
    assert [("client/proxy-failed", "confirmed", "Client")] == diagnosed(found)


def test_certificate_behind_a_proxy(serve: Callable[..., Server], ours: Authority, tmp_path: Path) -> None:
    """The handshake is looked at through the proxy, where the server's name need not resolve."""
    server = serve(ours.issue("server", PAST, "DNS:k8s-api.example.invalid"))

    def pass_on(line: socket.socket) -> None:
        line.recv(4096)
        with socket.create_connection(("127.0.0.1", server.port)) as onwards:
            line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=copy, args=(onwards, line), daemon=True)
            back.start()
            copy(line, onwards)
            back.join(5)

    proxy = serve(answer=pass_on)
    given = settings(
        "https://k8s-api.example.invalid:6443", ours, tmp_path, cluster={"proxy-url": f"http://127.0.0.1:{proxy.port}"}
    )

    assert [EXPIRED] == diagnosed(looked(given))


def copy(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until it ends."""
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


# --- without a server -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shows", [False, True])
def test_server_that_wants_a_client_certificate(
    serve: Callable[..., Server], ours: Authority, stranger: Authority, tmp_path: Path, shows: bool
) -> None:
    """Mutual TLS: the server ends the handshake with who shows a certificate of a stranger, or none."""
    server = serve(ours.issue("server"), clients=ours)
    pair = stranger.issue("ann", NOW, "", "/CN=ann")
    user = {"client-certificate": str(pair), "client-key": str(pair)} if shows else {"token": TOKEN}

    found = looked(settings(f"https://127.0.0.1:{server.port}", ours, tmp_path, user=user))

    assert "tls: client-rejected" == steps(found)[-1]
    assert [("client/unauthorized", "probable", "Client")] == diagnosed(found)


@pytest.mark.parametrize(
    ("flag", "environment", "step"),
    [
        ("/nowhere/admin", {}, "kubeconfig: absent"),
        (None, {"HOME": "/nowhere"}, "kubeconfig: absent"),
        (None, {"KUBECONFIG": "/nowhere/one:/nowhere/two"}, "kubeconfig: absent"),
        (None, {"KUBECONFIG": "DAMAGED"}, "kubeconfig: damaged"),
        (None, {"KUBECONFIG": "/nowhere/one:DAMAGED"}, "kubeconfig: damaged"),
        ("DAMAGED", {"KUBECONFIG": "/nowhere/one:/nowhere/two"}, "kubeconfig: damaged"),
    ],
)
def test_kubeconfig_that_cannot_be_read(tmp_path: Path, flag: str | None, environment: dict[str, str], step: str) -> None:
    """Absent or damaged, named by flag, by variable, or at home."""
    damaged = tmp_path / "config"
    damaged.write_text("a: [b\n", encoding="utf-8")
    flag = str(damaged) if flag == "DAMAGED" else flag
    environment = {key: value.replace("DAMAGED", str(damaged)) for key, value in environment.items()}
    with pytest.raises(ConfigError) as raised:
        load_settings(kubeconfig=flag, context=None, environment=environment)

    found = unconfigured(raised.value, kubeconfig=flag, environment=environment)

    assert step == steps([found])[0]
    assert [("client/kubeconfig-missing", "confirmed", "Client")] == diagnosed([found])


def test_kubeconfig_without_the_context(tmp_path: Path) -> None:
    """A kubeconfig that is there but lacks what was asked for is not a missing one."""
    path = tmp_path / "config"
    path.write_text('{"contexts": [{"name": "a", "context": {}}]}', encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_settings(kubeconfig=str(path), context="b", environment={})

    found = unconfigured(raised.value, kubeconfig=str(path), environment={})

    assert ["kubeconfig: unusable"] == steps([found])
    assert [] == diagnosed([found])


def test_own_certificate_out_of_date(ours: Authority, tmp_path: Path) -> None:
    """The client's certificate is read before any server is asked; it heads nothing while the way itself is closed."""
    pair = ours.issue("ann", PAST, "", "/O=system:masters/CN=ann")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = settings(f"https://127.0.0.1:{port}", ours, tmp_path, user={"client-certificate": str(pair), "client-key": str(pair)})

    found = looked(given)

    assert "client-certificate: expired: subject=O=system:masters, CN=ann; issuer=CN=kubernetes" in found[0].lines[1]
    assert [("control-plane/apiserver-down", "probable", "Cluster")] == diagnosed(found)


def test_credentials_that_cannot_be_had(serve: Callable[..., Server], ours: Authority, tmp_path: Path) -> None:
    """A login helper that fails, and a token file that is gone."""
    server = serve(ours.issue("server"))
    helper = {"apiVersion": "client.authentication.k8s.io/v1", "command": "false", "interactiveMode": "Never"}
    for user in ({"exec": helper}, {"tokenFile": "/nowhere/token"}):
        found = looked(settings(f"https://127.0.0.1:{server.port}", ours, tmp_path, user=user))

        assert "credentials: failed" == steps(found)[-1]
        assert [("client/unauthorized", "confirmed", "Client")] == diagnosed(found)


@pytest.mark.parametrize(
    ("status", "reason", "message", "line", "fault"),
    [
        (401, "Unauthorized", "Unauthorized", "http: 401: error: You must be logged in to the server (Unauthorized)", "client/unauthorized"),
        (
            *(403, "Forbidden", 'pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "shop"'),
            'http: 403: Error from server (Forbidden): pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "shop"',
            "client/forbidden",
        ),
        (500, "", "etcdserver: request timed out", "http: 500: Error from server (InternalError): etcdserver: request timed out", "control-plane/etcd-unreachable"),
        (500, "", "etcdserver: no leader", "http: 500: Error from server (InternalError): etcdserver: no leader", "etcd/no-leader"),
        (
            *(503, "ServiceUnavailable", "service unavailable"),
            "http: 503: Error from server (ServiceUnavailable): the server is currently unable to handle the request (list pods.metrics.k8s.io)",
            "control-plane/apiservice-unavailable",
        ),
    ],
)  # fmt: skip
def test_answers_that_are_errors(status: int, reason: str, message: str, line: str, fault: str) -> None:
    """Refusals in kubectl's words, up to the fault."""
    resource = "pods.metrics.k8s.io" if status == 503 else "pods"
    found = refusal("10.0.0.5:6443", Refused("list", resource, "shop", None, status, reason, message))

    assert [line] == list(found.lines)
    assert fault == diagnosed([found])[0][0]


def test_saved_lines_are_read_again(ours: Authority, serve: Callable[..., Server], tmp_path: Path) -> None:
    """The same lines in a text file, as a bundle or a paste holds them, give the same diagnosis."""
    server = serve(ours.issue("server", NOW, "DNS:a.example"))
    given = settings(f"https://127.0.0.1:{server.port}", ours, tmp_path)
    found = looked(given)
    saved = tmp_path / "connection.txt"
    saved.write_text("\n".join(found[0].lines) + "\n", encoding="utf-8")

    again = diagnose_path([str(saved)])

    assert diagnosed(found) == [named(one) for one in again.diagnoses]


# --- readers ----------------------------------------------------------------------------------------------


def test_certificates_of_every_kind(ours: Authority) -> None:
    """Names, addresses, dates and distinguished names as openssl made them."""
    one = read_pem(ours.issue("many", PAST, "DNS:*.example.org,DNS:b.example,IP:10.0.0.1,IP:fd00::1", "/O=a/CN=b").read_bytes())[
        0
    ]

    assert ("O=a, CN=b", "CN=kubernetes", "b") == (one.subject, one.issuer, one.common_name)
    assert (datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)) == (one.not_before, one.not_after)
    assert (("*.example.org", "b.example"), ("10.0.0.1", "fd00::1")) == (one.dns, one.addresses)
    assert [True, False, True, True, True, False] == [
        one.covers(host) for host in ("a.example.org", "a.b.example.org", "B.example", "10.0.0.1", "[fd00:0::1]", "10.0.0.2")
    ]
    assert "x509: certificate is valid for *.example.org, b.example, not c.example" == one.refusal("c.example")


def test_damaged_certificates(ours: Authority) -> None:
    """Every cut and every changed byte of a certificate is read or refused, never more."""
    encoded = ssl.PEM_cert_to_DER_cert((ours.folder / "ca.crt").read_text(encoding="ascii"))
    for at in range(len(encoded)):
        for damaged in (encoded[:at], encoded[:at] + bytes([encoded[at] ^ 0xFF]) + encoded[at + 1 :]):
            with suppress(ValueError):
                read_der(damaged)
    assert [] == read_pem(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def test_tokens_tell_their_end(tmp_path: Path) -> None:
    """A JWT carries its end; other tokens and damaged ones do not tell."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1577836800}).encode()).decode().rstrip("=")
    now = datetime(2024, 1, 1, tzinfo=UTC)
    file = tmp_path / "token"
    file.write_text(f"e30.{claims}.c2ln\n", encoding="utf-8")

    assert "token: expired: the token ended on 2020-01-01T00:00:00Z" == str(
        token_step(Credentials(token=f"e30.{claims}.c2ln"), now)
    )
    assert "token: expired: the token ended on 2020-01-01T00:00:00Z" == str(token_step(Credentials(token_file=str(file)), now))
    assert token_step(Credentials(token="abc"), now) is None
    assert [None] * 5 == [end_of(text) for text in ("a.b.c", "a.e30.c", "a.!!!!.c", "..", "a.bnVsbA.c")]
