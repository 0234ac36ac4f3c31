"""Faults of the connection: what ``kubecause why`` says when the real API server is slow, crowded, ill, cut off or gone."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kubecause.evidence import cluster
from kubecause.evidence.cluster import ClusterSource
from kubecause.evidence.cluster.connection import Connection, Reply
from kubecause.evidence.cluster.kubeconfig import load_settings
from kubecause.evidence.cluster.reader import Bounds
from kubecause.evidence.cluster.scope import parse_scope
from kubecause.knowledge import load_cases
from kubecause.model import Document, Gap, Result
from kubecause.pipeline import diagnose_source

from .certificates import KeyPair, self_signed
from .control_plane import ControlPlane, bare_control_plane
from .daemons import run
from .programs import MissingProgramsError

CLAIMS = 700  # more than a page
IN_PAGES = Bounds(list_bytes=1000)
EVENTS = 100_000
_OPERATIONS = 128  # of one transaction: etcd's own limit
ROOT = Path(__file__).parent.parent.parent
# Without controllers nobody fills the role "view": it collects the rules of this one.
VIEW_WITHOUT_CONTROLLERS = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "aggregated-view"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:aggregate-to-view"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "view"}],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of this module's own, which its tests stop and break."""
    try:
        plane = bare_control_plane(tmp_path_factory.mktemp("connection"))
    except MissingProgramsError as error:
        pytest.skip(str(error))
    try:
        plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "many"}}, VIEW_WITHOUT_CONTROLLERS)
        each(range(CLAIMS), lambda number: post(plane, "/api/v1/namespaces/many/persistentvolumeclaims", claim(number)))
        yield plane
    finally:
        plane.daemon("kube-apiserver").resume()
        plane.daemon("etcd").resume()
        plane.stop()


@pytest.fixture
def restored(server: ControlPlane) -> Iterator[ControlPlane]:
    """The same, with everything as it should be afterwards."""
    yield server
    for name in ("etcd", "kube-apiserver"):
        server.daemon(name).resume()
    if server.daemon("kube-apiserver").arguments_added():
        server.daemon("kube-apiserver").stop()
    for name in ("etcd", "kube-apiserver"):
        server.daemon(name).start()
    wait_until_ready(server)


def claim(number: int) -> Mapping[str, object]:
    """A claim that waits for a class that does not exist."""
    wanted = {"accessModes": ["ReadWriteOnce"], "storageClassName": "gone", "resources": {"requests": {"storage": "1Gi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": f"c-{number}"}, "spec": wanted}


def each(numbers: range, call: Callable[[int], object], threads: int = 8) -> None:
    """Call for each number, many at a time."""

    def work(start: int) -> None:
        for number in numbers[start::threads]:
            call(number)

    running = [threading.Thread(target=work, args=(start,)) for start in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def post(plane: ControlPlane, path: str, body: Mapping[str, object]) -> None:
    """Make an object; kubectl would take half a minute for as many."""
    at = urlsplit(plane.server)
    context = ssl.create_default_context(cafile=str(plane.folder / "kube" / "certs" / "apiserver.crt"))
    line = http.client.HTTPSConnection(at.hostname or "", at.port, context=context)
    headers = {"Authorization": f"Bearer {plane.token('admin')}", "Content-Type": "application/json"}
    line.request("POST", path, json.dumps(body), headers)
    assert line.getresponse().read()
    line.close()


def flood(plane: ControlPlane, namespace: str, count: int) -> None:
    """Put warnings about pods that are gone straight into etcd; the API server takes them for its own.

    https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/ (keys and values in base64, 128 operations a transaction)
    """
    line = http.client.HTTPConnection("127.0.0.1", plane.ports.etcd)
    for start in range(0, count, _OPERATIONS):
        puts = [_put(namespace, number) for number in range(start, min(start + _OPERATIONS, count))]
        line.request("POST", "/v3/kv/txn", json.dumps({"success": puts}))
        answer = line.getresponse()
        assert (answer.status, answer.read()[:1]) == (200, b"{")
    line.close()


def _put(namespace: str, number: int) -> Mapping[str, object]:
    name, when = f"job-{number}.{number:x}", "2026-01-01T00:00:00Z"
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace, "uid": str(uuid.UUID(int=number)), "creationTimestamp": when},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": f"job-{number}", "namespace": namespace},
        "reason": "FailedMount",
        "message": f'MountVolume.SetUp failed for volume "data" : configmap "settings-{number % 7}" not found',
        "source": {"component": "kubelet", "host": f"node-{number % 50}"},
        "type": "Warning",
        "firstTimestamp": when,
        "lastTimestamp": when,
        "count": 1 + number % 9,
    }
    key, value = (
        base64.b64encode(each.encode()).decode() for each in (f"/registry/events/{namespace}/{name}", json.dumps(event))
    )
    return {"requestPut": {"key": key, "value": value}}


def wait_until_ready(plane: ControlPlane) -> None:
    """Wait until the API server says that it is."""
    end = time.monotonic() + 60
    while not plane.ready():
        assert time.monotonic() < end, plane.daemon("kube-apiserver").last_lines()
        time.sleep(0.2)


def why(plane: ControlPlane, *words: str, user: str = "admin", **settings: Any) -> tuple[int, dict[str, Any]]:
    """Exit code and report of ``kubecause why``, as a person calls it."""
    command = [str(Path(sys.executable).with_name("kubecause")), "why", *words, "-o", "json"]
    command += ["--kubeconfig", str(settings.get("kubeconfig") or plane.kubeconfig(user))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode in (0, 4), done.stderr
    return done.returncode, json.loads(done.stdout)


def faults(report: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Fault, status and kind of entity of each diagnosis."""
    return [(one["fault"], one["status"], one["entity"]["kind"]) for one in report["diagnoses"]]


def diagnosed(
    plane: ControlPlane, *, user: str = "admin", namespace: str | None = "many", timeout: float = 5, bounds: Bounds | None = None
) -> tuple[Result, list[Document | Gap]]:
    """The same within this process, with the evidence."""
    settings = load_settings(kubeconfig=str(plane.kubeconfig(user)), context=None, environment={})
    scope = parse_scope([], namespace=namespace or "default", everywhere=namespace is None, selector=None)
    source = ClusterSource(settings, scope, timeout=timeout, bounds=bounds)
    kept: list[Document | Gap] = []
    try:
        return diagnose_source(source, load_cases(), keep=kept.append), kept
    finally:
        source.close()


def claims_in(evidence: list[Document | Gap]) -> set[str]:
    """Names of the claims that were read."""
    lines = [
        json.loads(line) for item in evidence if isinstance(item, Document) and item.kind == "objects" for line in item.lines
    ]
    return {item["metadata"]["name"] for item in lines if item["kind"] == "PersistentVolumeClaim"}


class Between(Connection):
    """A connection at which something happens before the second page of a list."""

    happens: Callable[[], None] | None = None

    def get(self, path: str, **arguments: Any) -> Reply:
        """Ask, after what happens."""
        if "continue=" in path and Between.happens:
            happens, Between.happens = Between.happens, None
            happens()
        return super().get(path, **arguments)


@contextmanager
def between_pages(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> Iterator[None]:
    """Let something happen in the middle of the first long list."""
    monkeypatch.setattr(cluster, "Connection", Between)
    Between.happens = happens
    yield
    assert Between.happens is None, "no list had a second page"


def test_the_clock_is_the_servers(server: ControlPlane) -> None:
    """Ages are counted by the clock that wrote the times, whatever the clock of one's own machine says."""
    settings = load_settings(kubeconfig=str(server.kubeconfig("admin")), context=None, environment={})
    scope = parse_scope([], namespace="many", everywhere=False, selector=None)
    source = ClusterSource(settings, scope, now=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    try:
        documents = [item for item in source.begin() if isinstance(item, Document)]
    finally:
        source.close()

    now = datetime.now(UTC)
    assert documents
    assert all(each.collected == source.clock for each in documents)
    assert abs(now - source.clock) < timedelta(minutes=1)


# --- lists that are interrupted -----------------------------------------------------------------------------


def test_a_healthy_server(server: ControlPlane) -> None:
    """Everything is read, in one piece or in pages, and the claims' own fault is all there is."""
    for bounds in (None, IN_PAGES):
        result, evidence = diagnosed(server, bounds=bounds)

        assert len(claims_in(evidence)) == CLAIMS
        assert {one.finding.fault for one in result.diagnoses} == {"storage/pvc-no-storage-class"}
        assert result.gaps == ()


def test_a_list_whose_token_expires(restored: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    """History is compacted and the server started anew between two pages: 410, and nothing is lost."""

    def compact() -> None:
        restored.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "moves-on", "namespace": "many"}})
        etcd = f"http://127.0.0.1:{restored.ports.etcd}/v3/kv"
        revision = json.loads(run("curl", "-s", f"{etcd}/range", "-d", '{"key": "YQ=="}'))["header"]["revision"]
        run("curl", "-sf", f"{etcd}/compaction", "-d", json.dumps({"revision": revision, "physical": True}))
        restored.daemon("kube-apiserver").stop()
        restored.daemon("kube-apiserver").start()
        wait_until_ready(restored)

    with between_pages(monkeypatch, compact):
        _, evidence = diagnosed(restored, timeout=20, bounds=IN_PAGES)

    assert len(claims_in(evidence)) == CLAIMS


def test_a_server_killed_in_mid_list(restored: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read stays, the rest is a gap, and the closed port is the diagnosis."""

    def kill() -> None:
        daemon = restored.daemon("kube-apiserver")
        os.kill(daemon.pid() or 0, signal.SIGKILL)
        assert daemon.gone(10)

    begun = time.monotonic()
    with between_pages(monkeypatch, kill):
        result, evidence = diagnosed(restored, bounds=IN_PAGES)

    assert time.monotonic() - begun < 20
    assert 0 < len(claims_in(evidence)) < CLAIMS
    assert "control-plane/apiserver-down" in {one.finding.fault for one in result.diagnoses}
    assert any("persistentvolumeclaims" in gap.what for gap in result.gaps)


# --- a server that answers late, seldom or wrongly --------------------------------------------------------


def test_a_server_that_is_gone(restored: ControlPlane) -> None:
    """Refused: probably down, with the refused client at the end of the chain; an answer, though nothing could be read."""
    restored.daemon("kube-apiserver").stop()

    code, report = why(restored, "-A")

    assert [("control-plane/apiserver-down", "probable", "Cluster")] == faults(report)
    assert ["control-plane/apiserver-down", "client/apiserver-refused"] == [
        link["fault"] for link in report["diagnoses"][0]["chain"]
    ]
    assert code == 0


def test_a_server_that_hangs(restored: ControlPlane) -> None:
    """Frozen: the kernel takes the connection and nobody speaks; within a few timeouts, not for ever."""
    os.kill(restored.daemon("kube-apiserver").pid() or 0, signal.SIGSTOP)

    begun = time.monotonic()
    _, report = why(restored, "-A", "--request-timeout", "2s")

    assert [("control-plane/apiserver-not-answering", "probable", "Cluster")] == faults(report)
    assert time.monotonic() - begun < 30


def test_a_server_without_its_etcd(restored: ControlPlane) -> None:
    """The API server answers, but not from its store: its own checks say so."""
    restored.daemon("etcd").stop()

    _, report = why(restored, "-A", "--request-timeout", "3s")

    assert ("control-plane/etcd-unreachable", "confirmed", "Cluster") == faults(report)[0]
    assert not any(fault.startswith("client/") for fault, _, _ in faults(report))


def test_an_aggregated_api_without_a_service(restored: ControlPlane) -> None:
    """The server marks the API unavailable, and it is named."""
    spec = {
        "group": "metrics.k8s.io",
        "version": "v1beta1",
        "insecureSkipTLSVerify": True,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "service": {"name": "metrics-server", "namespace": "kube-system"},
    }
    restored.apply(
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": spec,
        }
    )
    try:
        end = time.monotonic() + 30
        while "False" not in restored.kubectl("get", "apiservice", "v1beta1.metrics.k8s.io"):
            assert time.monotonic() < end
            time.sleep(0.5)
        _, report = why(restored, "-A")
    finally:
        restored.kubectl("delete", "apiservice", "v1beta1.metrics.k8s.io")

    assert "control-plane/apiservice-unavailable" in [fault for fault, _, _ in faults(report)]


def test_a_crowded_server(restored: ControlPlane) -> None:
    """Two requests at a time, no queues, and many clients: 429s are waited for, and what is missing is said."""
    daemon = restored.daemon("kube-apiserver")
    daemon.stop()
    daemon.start("--enable-priority-and-fairness=false", "--max-requests-inflight=2", "--max-mutating-requests-inflight=1")
    wait_until_ready(restored)
    stop = threading.Event()
    statuses: list[int] = []
    crowd = [threading.Thread(target=keep_asking, args=(restored, stop, statuses)) for _ in range(24)]
    for thread in crowd:
        thread.start()
    try:
        time.sleep(1)
        result, evidence = diagnosed(restored, user="view", timeout=10)
    finally:
        stop.set()
        for thread in crowd:
            thread.join()

    assert len(claims_in(evidence)) == CLAIMS or result.gaps
    assert not any(str(one.status) == "confirmed" and one.finding.fault.startswith("client/") for one in result.diagnoses)
    assert 429 in statuses, "the server was not crowded"


def keep_asking(plane: ControlPlane, stop: threading.Event, statuses: list[int]) -> None:
    """A client that lists as fast as it can."""
    at = urlsplit(plane.server)
    context = ssl.create_default_context(cafile=str(plane.folder / "kube" / "certs" / "apiserver.crt"))
    line = http.client.HTTPSConnection(at.hostname or "", at.port, context=context, timeout=90)
    try:
        while not stop.is_set():
            headers = {"Authorization": f"Bearer {plane.token('view')}"}
            line.request("GET", "/api/v1/namespaces/many/persistentvolumeclaims?limit=500", headers=headers)
            reply = line.getresponse()
            reply.read()
            statuses.append(reply.status)
    except OSError:
        statuses.append(0)
    finally:
        line.close()


# --- who asks, and whom -----------------------------------------------------------------------------------


def test_a_client_certificate_that_has_expired(server: ControlPlane) -> None:
    """401, and the line of the certificate tells why."""
    pair = server.client_certificate("late", ("system:masters",), minutes=-5)
    server.write_kubeconfig("late", {"client-certificate": str(pair.certificate), "client-key": str(pair.key)})

    _, report = why(server, "-A", user="late")

    assert [("client/unauthorized", "confirmed", "Client")] == faults(report)
    shown = [one["text"] for one in report["diagnoses"][0]["evidence"]]
    assert any(text.startswith("client-certificate: expired: subject=CN=late, O=system:masters") for text in shown)


def test_a_token_nobody_knows(server: ControlPlane) -> None:
    """401."""
    server.write_kubeconfig("wrong", {"token": "0123456789abcdef"})

    code, report = why(server, "-n", "many", user="wrong")

    assert [("client/unauthorized", "confirmed", "Client")] == faults(report)
    assert "0123456789abcdef" not in json.dumps(report)
    assert code in (0, 4)


def test_an_authority_of_another_cluster(server: ControlPlane, tmp_path: Path) -> None:
    """A kubeconfig that trusts somebody else."""
    other = self_signed(tmp_path, "other", authority=True)

    _, report = why(server, "-A", kubeconfig=changed(server, tmp_path, **{"certificate-authority-data": encoded(other)}))

    assert [("client/certificate-unknown-authority", "confirmed", "Client")] == faults(report)


def test_an_address_that_is_not_in_the_certificate(server: ControlPlane, tmp_path: Path) -> None:
    """The certificate that kube-apiserver makes for itself has no 127.0.0.1."""
    config = changed(server, tmp_path, server=f"https://127.0.0.1:{server.ports.api}")

    _, report = why(server, "-A", kubeconfig=config)

    assert [("client/certificate-name-mismatch", "confirmed", "Client")] == faults(report)


def test_another_service_behind_the_address(server: ControlPlane, tmp_path: Path) -> None:
    """Etcd's port instead of the API server's."""
    config = changed(server, tmp_path, server=f"https://127.0.0.1:{server.ports.etcd}")

    _, report = why(server, "-A", kubeconfig=config)

    assert [("client/not-an-apiserver", "confirmed", "Client")] == faults(report)


def test_a_server_certificate_that_has_expired(restored: ControlPlane, tmp_path: Path) -> None:
    """The API server started with a certificate that is over."""
    authority = self_signed(tmp_path, "kubernetes", authority=True)
    pair = expired_server_certificate(tmp_path, authority, restored.address)
    daemon = restored.daemon("kube-apiserver")
    daemon.stop()
    daemon.start(f"--tls-cert-file={pair.certificate}", f"--tls-private-key-file={pair.key}")
    config = changed(restored, tmp_path, **{"certificate-authority-data": encoded(authority)})
    end = time.monotonic() + 60
    while "refused" in run("curl", "-skS", f"{restored.server}/livez", check=False):
        assert time.monotonic() < end
    time.sleep(3)

    _, report = why(restored, "-A", kubeconfig=config)

    assert [("control-plane/apiserver-cert-expired", "confirmed", "Cluster")] == faults(report)
    assert "2021-01-01T00:00:00Z" in json.dumps(report["diagnoses"][0]["evidence"])


def test_a_kind_one_may_not_see(server: ControlPlane) -> None:
    """A refusal is a gap with verb, resource and what it hides, and no diagnosis of the client."""
    code, report = why(server, "-n", "many", user="nobody")

    assert not any(
        fault.startswith(("client/", "control-plane/")) for fault, status, _ in faults(report) if status == "confirmed"
    )
    refused = {(gap.get("verb"), gap.get("resource")) for gap in report["gaps"]}
    assert {("list", "pods"), ("list", "persistentvolumeclaims")} <= refused
    assert code == 4


def test_a_hundred_thousand_events(server: ControlPlane) -> None:
    """No more warnings are read than the bound allows, which is told; what else is wrong is found all the same."""
    server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "storm"}})
    post(server, "/api/v1/namespaces/storm/persistentvolumeclaims", claim(0))
    flood(server, "storm", EVENTS)
    limit = f"only the first {Bounds().events} were read"

    first = json.loads(server.kubectl("get", "--raw", "/api/v1/namespaces/storm/events?limit=1"))
    reports = [why(server, *words) for words in (("-n", "storm"), ("-A",))]

    assert EVENTS - 1 == first["metadata"]["remainingItemCount"]
    for code, report in reports:
        assert code == 0
        assert ("storage/pvc-no-storage-class", "PersistentVolumeClaim") in {(fault, kind) for fault, _, kind in faults(report)}
        assert any(gap["why"] == limit for gap in report["gaps"]), report["gaps"]


def expired_server_certificate(folder: Path, authority: KeyPair, address: str) -> KeyPair:
    """A server certificate of the year 2020."""
    pair = KeyPair(folder / "server.crt", folder / "server.key")
    settings = folder / "server.cnf"
    (folder / "server.index").write_text("", encoding="utf-8")
    settings.write_text(
        f"[ca]\ndefault_ca=a\n[a]\ndatabase={folder}/server.index\nnew_certs_dir={folder}\nrand_serial=yes\n"
        "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
        f"[x]\nsubjectAltName=IP:{address}\nextendedKeyUsage=serverAuth\n",
        encoding="utf-8",
    )
    request = folder / "server.csr"
    new = ("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=kube-apiserver")
    run(*new, "-keyout", str(pair.key), "-out", str(request))
    run(
        *("openssl", "ca", "-batch", "-notext", "-config", str(settings), "-extensions", "x", "-in", str(request)),
        *("-cert", str(authority.certificate), "-keyfile", str(authority.key), "-out", str(pair.certificate)),
        *("-startdate", "20200101000000Z", "-enddate", "20210101000000Z"),
    )
    return pair


def changed(plane: ControlPlane, folder: Path, **cluster_fields: str) -> Path:
    """The administrator's kubeconfig with other fields of the cluster."""
    config = json.loads(plane.kubeconfig("admin").read_text(encoding="utf-8"))
    config["clusters"][0]["cluster"].update(cluster_fields)
    path = folder / "config"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


def encoded(pair: KeyPair) -> str:
    """A certificate as a kubeconfig holds it."""
    import base64

    return base64.b64encode(pair.certificate.read_bytes()).decode()
