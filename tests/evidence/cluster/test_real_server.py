"""The source against a real kube-apiserver and etcd; skipped where the programs are not there (``make test-cluster`` builds them)."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import pytest
from msgspec.structs import replace

from kubecause.errors import UnreachableError
from kubecause.evidence.cluster import ClusterSource
from kubecause.evidence.cluster.answers import Refused
from kubecause.evidence.cluster.api import Api, Query
from kubecause.evidence.cluster.connection import Connection, Reply
from kubecause.evidence.cluster.kinds import KINDS, Kind
from kubecause.evidence.cluster.kubeconfig import ConnectionSettings, load_settings
from kubecause.evidence.cluster.scope import parse_scope
from kubecause.model import Channel, Document, Entity, Need

plane_module = pytest.importorskip("tests.cluster.control_plane", reason="run from the folder of the project")
programs_module = pytest.importorskip("tests.cluster.programs", reason="run from the folder of the project")
CONFIG_MAPS = 1203
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web-0", "namespace": "default", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "image": "web:1"}]},
}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.org"},
    "spec": {
        "group": "example.org",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "shortNames": ["wg"]},
        "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}],
    },
}


# Without controllers nobody fills the role "view": it collects the rules of this one.
VIEW_WITHOUT_CONTROLLERS = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "aggregated-view"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:aggregate-to-view"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "view"}],
}


def make_config_maps(plane: Any, numbers: range) -> None:
    """By hand: kubectl takes half a minute for as many."""
    server = urlsplit(plane.server)
    context = ssl.create_default_context(cafile=str(plane.folder / "kube" / "certs" / "apiserver.crt"))
    line = http.client.HTTPSConnection(server.hostname or "", server.port, context=context)
    headers = {"Authorization": f"Bearer {plane.token('admin')}", "Content-Type": "application/json"}
    for number in numbers:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c-{number}"}}
        line.request("POST", "/api/v1/namespaces/many/configmaps", json.dumps(body), headers)
        assert line.getresponse().read()
    line.close()


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A control plane without nodes, with a namespace of many ConfigMaps."""
    folder = tmp_path_factory.mktemp("plane")
    try:
        plane = plane_module.bare_control_plane(folder)
    except programs_module.MissingProgramsError as error:
        pytest.skip(str(error))
    try:
        plane.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "many"}}, POD, DEFINITION, VIEW_WITHOUT_CONTROLLERS
        )
        many = range(CONFIG_MAPS)
        threads = [threading.Thread(target=make_config_maps, args=(plane, many[at::8])) for at in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        yield plane
    finally:
        plane.stop()


def settings_of(plane: Any, user: str = "admin", **arguments: Any) -> ConnectionSettings:
    """The settings of a user's kubeconfig."""
    return load_settings(**{"kubeconfig": str(plane.kubeconfig(user)), "context": None, "environment": {}, **arguments})


@pytest.fixture
def api(plane: Any) -> Iterator[Api]:
    """Questions as administrator."""
    with Connection(settings_of(plane)) as connection:
        yield Api(connection)


def names(items: list[dict[str, Any]]) -> list[str]:
    """The objects' names."""
    return [item["metadata"]["name"] for item in items]


def test_objects(api: Api) -> None:
    """One that is there and one that is not."""
    pod = api.get(KINDS["Pod"], "web-0", "default")
    missing = api.get(KINDS["Pod"], "gone", "default")

    assert isinstance(pod, dict)
    assert pod["spec"]["containers"][0]["image"] == "web:1"
    assert missing == Refused("get", "pods", "default", "gone", 404, "NotFound", 'pods "gone" not found')


def test_lists_come_in_pages(api: Api) -> None:
    """One answer where it is not too large, else three pages of 500, each handed over as it comes, or no more than wanted."""
    kind = KINDS["ConfigMap"]
    whole = api.list(kind, "many")
    requests = [api.connection.requests]
    paged = api.list(kind, "many", whole=1000)
    requests.append(api.connection.requests)
    pages: list[int] = []

    def sizes(raws: Sequence[msgspec.Raw]) -> list[int]:
        pages.append(len(raws))
        return [len(bytes(raw)) for raw in raws]

    again = api.list_as(sizes, str, kind, "many", Query(whole=1000))
    some = api.list(kind, "many", most=700)
    selected = api.list(KINDS["Pod"], None, labels="app=web", fields="metadata.name=web-0")

    assert requests == [1, 1 + 1 + 3]
    assert whole.items == paged.items
    assert len(paged.items) == len(again.items) == CONFIG_MAPS
    assert paged.complete
    assert [500, 500, CONFIG_MAPS - 1000] == pages
    assert (len(some.items), some.complete, some.refused) == (700, False, None)
    assert names(selected.items) == ["web-0"]
    assert (selected.items[0]["apiVersion"], selected.items[0]["kind"]) == ("v1", "Pod")
    assert paged.collected is not None


def test_metadata_and_tables(api: Api) -> None:
    """What the server itself prints; Secrets only as a table without objects."""
    metadata = api.list(KINDS["Pod"], "default", only_metadata=True)
    table = api.table(KINDS["Pod"], "default")
    both = api.table(KINDS["Pod"], objects="Metadata")

    assert metadata.items[0].keys() == {"apiVersion", "kind", "metadata"}
    assert table.columns[:5] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert table.narrow == (0, 1, 2, 3, 4)
    assert table.rows[0][:3] == ["web-0", "0/1", "Pending"]
    assert table.names == ["web-0"]
    assert both.metadata[0]["namespace"] == "default"
    assert api.table(KINDS["Secret"], "default").refused is None
    for only_metadata in (False, True):
        with pytest.raises(ValueError, match="Secrets are never read"):
            api.list(KINDS["Secret"], "default", only_metadata=only_metadata)
    with pytest.raises(ValueError, match="Secrets are never read"):
        api.table(KINDS["Secret"], "default", objects="Metadata")


def test_logs_that_cannot_be_had(api: Api) -> None:
    """The server's own words come back."""
    missing = api.log("default", "gone", "web")
    other = api.log("default", "web-0", "sidecar")

    assert isinstance(missing, Refused)
    assert (missing.resource, missing.status, missing.name) == ("pods/log", 404, "gone/web")
    assert isinstance(other, Refused)
    assert (other.status, other.reason) == (400, "BadRequest")
    assert "container sidecar is not valid for pod web-0" in other.message


def test_kinds_of_the_cluster(api: Api) -> None:
    """A custom resource by every word, with two requests in all."""
    widget = Kind("Widget", "widgets", "example.org", "v1alpha1", True, ("wg",))
    requests = api.connection.requests

    assert api.discover("po") is KINDS["Pod"]
    assert api.connection.requests == requests
    for word in ("wg", "widget", "widgets", "Widget", "widgets.example.org", "widget.v1alpha1.example.org"):
        assert api.discover(word) == widget
    assert api.discover_object("example.org/v1", "Widget") == widget
    assert api.discover("gadgets") is None
    assert api.connection.requests == requests + 2
    assert api.list(widget, "default").items == []


def test_every_built_in_kind_is_served_as_written_here(api: Api) -> None:
    """Plural, group, version, scope and short names against the server's own discovery."""
    served = {(kind.group, kind.version, kind.kind): kind for kind in api.discovery.kinds()}
    absent = {"PodMetrics", "NodeMetrics"}  # of an aggregated server
    for kind in KINDS.values():
        found = served.get((kind.group, kind.version, kind.kind))
        assert found is not None or kind.kind in absent, kind
        if found is not None:
            assert found == kind


def test_health_and_version(api: Api) -> None:
    """Texts that are no objects."""
    assert api.text("/version")[0] == 200
    status, text = api.text("/readyz?verbose")
    assert (status, "[+]etcd ok" in text) == (200, True)
    assert api.text("/nothing/here")[0] == 404


def test_what_the_view_role_may_not_see(plane: Any) -> None:
    """Refusals name what was asked for."""
    with Connection(settings_of(plane, "view")) as connection:
        api = Api(connection)
        nodes = api.list(KINDS["Node"])
        table = api.table(KINDS["Secret"], "default")
        pods = api.list(KINDS["Pod"], "default")

    assert nodes.refused is not None
    assert (nodes.refused.verb, nodes.refused.resource, nodes.refused.status) == ("list", "nodes", 403)
    assert nodes.refused.reason == "Forbidden"
    assert 'User "view" cannot list resource "nodes"' in nodes.refused.message
    assert table.refused is not None
    assert names(pods.items) == ["web-0"]


def test_what_is_foreseen_comes_in_the_first_round(plane: Any) -> None:
    """It is asked for while warnings are waited for, and then no more. Events are not foreseen: the warnings tell them."""
    wanted = Need("scheduler.absent", Entity("Cluster")), Need(Channel.EVENT, Entity("Pod", "web-0", "default"))
    told: list[str] = []
    with closing(
        ClusterSource(settings_of(plane), parse_scope([], namespace="default", everywhere=False, selector=None))
    ) as source:
        for item in source.begin():
            if item is None:
                source.foresee(wanted)
                requests = source.cost[0]
            elif isinstance(item, Document):
                told.append(item.source)
        asked = source.cost[0] - requests
        again = list(source.ask(wanted[:1]))

    assert "kubectl get leases -n kube-system" in told
    assert not [each for each in told if "events" in each]
    assert 2 == asked  # leases and the server's health
    assert [] == again


def test_impersonation(plane: Any) -> None:
    """Users and groups, and the refusal of who may not."""
    with Connection(settings_of(plane, as_user="jané", as_groups=["a", "system:masters"])) as connection:
        assert Api(connection).list(KINDS["Node"]).refused is None
    with Connection(settings_of(plane, as_user="jané")) as connection:
        refused = Api(connection).get(KINDS["Node"], "w1")
    with Connection(settings_of(plane, "view", as_user="admin")) as connection:
        not_allowed = Api(connection).list(KINDS["Pod"])

    assert isinstance(refused, Refused)
    assert 'User "jané" cannot get resource "nodes"' in refused.message
    assert not_allowed.refused is not None
    assert 'cannot impersonate resource "users"' in not_allowed.refused.message


def test_client_certificates(plane: Any) -> None:
    """One that holds and one that has expired."""
    good = plane.client_certificate("jane", ("system:masters",))
    expired = plane.client_certificate("joe", ("system:masters",), minutes=-5)
    plane.write_kubeconfig("jane", {"client-certificate": str(good.certificate), "client-key": str(good.key)})
    plane.write_kubeconfig("joe", {"client-certificate": str(expired.certificate), "client-key": str(expired.key)})
    with Connection(settings_of(plane, "jane")) as connection:
        assert names(Api(connection).list(KINDS["Pod"], "default").items) == ["web-0"]
    with Connection(settings_of(plane, "joe")) as connection:
        refused = Api(connection).list(KINDS["Pod"], "default").refused

    assert refused is not None
    assert (refused.status, refused.reason) == (401, "Unauthorized")


def test_a_wrong_token_and_a_wrong_authority(plane: Any) -> None:
    """A refusal, and no answer at all."""
    plane.write_kubeconfig("wrong", {"token": "wrong"})
    with Connection(settings_of(plane, "wrong")) as connection:
        refused = Api(connection).get(KINDS["Pod"], "web-0", "default")
        assert isinstance(refused, Refused)
        assert (refused.status, refused.reason) == (401, "Unauthorized")
        assert connection.requests == 1
    with Connection(replace(settings_of(plane), ca_data=None)) as connection, pytest.raises(UnreachableError) as caught:
        Api(connection).list(KINDS["Pod"])
    assert caught.value.stage == "tls"
    assert "certificate verify failed" in caught.value.detail


def etcd(plane: Any, path: str, body: dict[str, Any]) -> Any:
    """Ask etcd directly."""
    url = f"http://127.0.0.1:{plane.ports.etcd}/v3/kv/{path}"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply)


class Aged(Connection):
    """A connection whose tokens to continue are as old as the first revision."""

    statuses: list[int]

    def get(self, path: str, **arguments: Any) -> Reply:
        """Ask, with the fault of this connection."""
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        if "continue" in query:
            token = json.loads(base64.urlsafe_b64decode(query["continue"] + "=="))
            if token["rv"] > 2 and 410 not in self.statuses:
                token["rv"] = 2
                query["continue"] = base64.urlsafe_b64encode(json.dumps(token).encode()).decode().rstrip("=")
            path = f"{parts.path}?{urlencode(query)}"
        reply = super().get(path, **arguments)
        self.statuses.append(reply.status)
        return reply


def test_a_token_that_expired_loses_nothing(plane: Any) -> None:
    """The server answers 410 with a token for the rest, which is taken."""
    revision = int(etcd(plane, "range", {"key": base64.b64encode(b"a").decode()})["header"]["revision"])
    etcd(plane, "compaction", {"revision": revision, "physical": True})
    with Aged(settings_of(plane)) as connection:
        connection.statuses = []
        listing = Api(connection).list(KINDS["ConfigMap"], "many", whole=1000)

    assert connection.statuses == [200, 200, 410, 200, 200]
    assert len({item["metadata"]["uid"] for item in listing.items}) == len(listing.items) == CONFIG_MAPS
    assert listing.complete


class Interrupted(Connection):
    """A connection whose server is killed behind the first page."""

    plane: Any

    def get(self, path: str, **arguments: Any) -> Reply:
        """Ask, with the fault of this connection."""
        if "continue=" in path and self.plane is not None:
            daemon = self.plane.daemon("kube-apiserver")
            os.kill(daemon.pid(), signal.SIGKILL)
            assert daemon.gone(10)
            self.plane = None
        return super().get(path, **arguments)


def test_a_server_killed_in_mid_list(plane: Any) -> None:
    """The first page is kept, and the wait for more is short."""
    with Interrupted(settings_of(plane)) as connection:
        connection.plane = plane
        begun = time.monotonic()
        listing = Api(connection).list(KINDS["ConfigMap"], "many", whole=1000)
        took = time.monotonic() - begun
    plane.daemon("kube-apiserver").start()

    assert len(listing.items) == 500
    assert not listing.complete
    assert listing.refused is not None
    assert (listing.refused.status, listing.refused.reason) == (0, "Unreachable")
    assert took < 8
