"""Names of Services that a client cannot look up: whose resolver was asked, and did anybody answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kubecause.facts import Extraction
from kubecause.facts.store import Store
from kubecause.match import SignalIndex
from kubecause.match.analyses import run_analyses
from kubecause.model import Channel, Document, Entity, Need

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
CART = {
    "kind": "Service",
    "metadata": {"name": "cart", "namespace": "shop", "uid": "s"},
    "spec": {"clusterIP": "10.96.0.7", "selector": {"app": "cart"}, "ports": [{"port": 80}]},
}
DNS = {
    "kind": "Service",
    "metadata": {"name": "kube-dns", "namespace": "kube-system", "uid": "d", "labels": {"k8s-app": "kube-dns"}},
    "spec": {"clusterIP": "10.96.0.10", "selector": {"k8s-app": "kube-dns"}, "ports": [{"port": 53}]},
}


def dns_slice(*addresses: str) -> dict[str, Any]:
    """The ready endpoints of the cluster DNS."""
    return {
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kube-dns-1",
            "namespace": "kube-system",
            "uid": "e",
            "labels": {"kubernetes.io/service-name": "kube-dns"},
        },
        "endpoints": [{"addresses": [each], "conditions": {"ready": True}} for each in addresses],
        "ports": [{"port": 53}],
    }


def pod(name: str, node: str = "n1", *, ready: bool = True, **spec: Any) -> dict[str, Any]:
    """A running pod of the shop."""
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": name},
        "spec": {"nodeName": node, "containers": [{"name": "app", "image": "web:1"}], **spec},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def reasoned(index: SignalIndex, logs: dict[str, str], *items: dict[str, Any]) -> Store:
    """The store after all analyses over objects of an API server and logs of pods."""
    extraction = Extraction(index.filter)
    extraction.read(Document("kubectl get", "objects", Channel.STATUS, [json.dumps(item) for item in items], collected=NOW))
    for name, line in logs.items():
        hints = {"namespace": "shop", "pod": name, "container": "app"}
        extraction.read(Document(f"kubectl logs {name}", "log", Channel.APP_LOG, [line], hints=hints, collected=NOW))
    store, joins = extraction.finish()
    run_analyses(store, joins)
    return store


@pytest.mark.parametrize(
    ("line", "answered"),
    [
        ("dial tcp: lookup cart on 192.168.2.1:53: no such host", True),
        ("dial tcp: lookup cart.shop.svc.cluster.local.: no such host", True),
        ("dial tcp: lookup cart.shop on 10.96.0.10:53: server misbehaving", True),
        ("dial tcp: lookup cart on 10.96.0.10:53: read udp 10.244.1.5:4242->10.96.0.10:53: i/o timeout", False),
        ("dial tcp: lookup cart on 10.96.0.10:53: read udp 10.244.1.5:4242->10.96.0.10:53: read: connection refused", False),
        ("dial tcp: lookup cart: i/o timeout", False),
        ("Error: getaddrinfo ENOTFOUND cart", True),
        ("Error: getaddrinfo EAI_AGAIN cart:80", False),
        ("java.net.UnknownHostException: cart.shop", True),
        ('could not translate host name "cart" to address: Name or service not known', True),
        ('could not translate host name "cart" to address: Temporary failure in name resolution', False),
        ("nslookup: can't resolve 'cart'", True),
        ("** server can't find cart.shop.svc.cluster.local: NXDOMAIN", True),
        ("wget: bad address 'cart'", True),
    ],
)
def test_failed_lookups_of_many_programs_are_read(index: SignalIndex, line: str, *, answered: bool) -> None:
    """Who says that there is no such name was answered; who waits in vain was not."""
    [fact] = reasoned(index, {"web": line}, CART, pod("web")).facts["name.unresolved"]

    assert ("shop/cart", answered) == (fact["service"], fact["answered"])


@pytest.mark.parametrize(
    ("spec", "of_node"),
    [
        ({"hostNetwork": True}, True),
        ({"hostNetwork": True, "dnsPolicy": "ClusterFirst"}, True),
        ({"hostNetwork": True, "dnsPolicy": "Default"}, True),
        ({"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}, False),
        ({"hostNetwork": True, "dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.96.0.10"]}}, False),
        ({"dnsPolicy": "ClusterFirst"}, False),
    ],
)
def test_on_the_host_network_the_resolver_of_the_node_is_asked(
    index: SignalIndex, spec: dict[str, Any], *, of_node: bool
) -> None:
    """Unless the policy is the one made for it."""
    [fact] = reasoned(index, {"web": "lookup cart: no such host"}, CART, pod("web", **spec)).facts["name.unresolved"]

    assert of_node == fact["of_node"]


def test_a_service_that_is_an_alias_tells_of_what(index: SignalIndex) -> None:
    """Type ExternalName makes its name an alias of another; others are none."""
    alias = {**CART, "spec": {"type": "ExternalName", "externalName": "cart.partner.example"}}
    told = [
        reasoned(index, {"web": "lookup cart: no such host"}, each, pod("web")).facts["name.unresolved"] for each in (alias, CART)
    ]

    assert [["cart.partner.example"], [None]] == [[fact["alias_of"] for fact in facts] for facts in told]


def test_who_asks_the_cluster_dns_asks_no_node(index: SignalIndex) -> None:
    """Some nodes have it in their resolv.conf; then the name is missing for another reason."""
    lines = ("lookup cart on 10.96.0.10:53: no such host", "lookup cart on 192.168.2.1:53: no such host")
    told = [reasoned(index, {"web": line}, CART, DNS, pod("web", hostNetwork=True)).facts["name.unresolved"] for line in lines]

    assert [[False], [True]] == [[fact["of_node"] for fact in facts] for facts in told]


@pytest.mark.parametrize(
    ("line", "denied"),
    [
        ("lookup cart on 10.96.0.10:53: no such host", True),
        ("getaddrinfo ENOTFOUND cart", True),
        ("** server can't find cart: NXDOMAIN", True),
        ('could not translate host name "cart" to address: Name or service not known', True),
        ("lookup cart on 10.96.0.10:53: server misbehaving", None),
        ("** server can't find cart: SERVFAIL", None),
        ("wget: bad address 'cart'", None),
        ("lookup cart: i/o timeout", None),
    ],
)
def test_only_a_clear_no_is_a_denial(index: SignalIndex, line: str, denied: bool | None) -> None:
    """A server that fails, and programs that do not say why, leave open whether there is such a name."""
    [fact] = reasoned(index, {"web": line}, CART, pod("web")).facts["name.unresolved"]

    assert denied == fact["denied"]


@pytest.mark.parametrize("host", ["example.com", "db.internal.example", "carts"])
def test_other_names_are_no_services(index: SignalIndex, host: str) -> None:
    """A name outside the cluster, or one that no Service has where all were read, is another fault."""
    lists = Document(
        "kubectl get services -n shop", "objects", Channel.STATUS, [], hints={"namespace": "shop", "lists": "Service"}
    )
    extraction = Extraction(index.filter)
    extraction.read(lists)
    hints = {"namespace": "shop", "pod": "web", "container": "app"}
    extraction.read(Document("kubectl logs web", "log", Channel.APP_LOG, [f"lookup {host}: no such host"], hints=hints))
    store, joins = extraction.finish()
    run_analyses(store, joins)

    assert not store.facts["name.unresolved"]


def test_services_that_were_not_read_are_asked_for(index: SignalIndex) -> None:
    """Of the namespace that the name belongs to."""
    store = reasoned(index, {"web": "lookup cart.depot.svc: no such host"}, pod("web", hostNetwork=True))
    [fact] = store.facts["name.unresolved"]

    assert (Need("client.address-wrong", Entity("Namespace", "depot")),) == fact["asks"]
    assert fact["of_node"] is None


@pytest.mark.parametrize(
    ("nodes", "addresses", "ready", "told"),
    [
        (("n1", "n1"), ("10.244.9.2",), False, True),
        (("n1", "n2"), ("10.244.9.2",), False, False),
        (("n1", "n1"), (), False, False),
        (("n1", "n1"), ("10.244.9.2",), True, False),
    ],
    ids=["one node", "two nodes", "no DNS is ready", "the pods are ready"],
)
def test_a_node_whose_pods_get_no_answer_from_a_ready_dns_is_told(
    index: SignalIndex, nodes: tuple[str, str], addresses: tuple[str, ...], *, ready: bool, told: bool
) -> None:
    """Where pods of several nodes complain, or no DNS is ready, it is not the node; lines of pods that are ready may be old."""
    pods = [pod("web-1", nodes[0], ready=ready), pod("web-2", nodes[1], ready=ready)]
    logs = dict.fromkeys(("web-1", "web-2"), "lookup cart on 10.96.0.10:53: read udp 10.1.1.1:5->10.96.0.10:53: i/o timeout")
    facts = reasoned(index, logs, CART, DNS, dns_slice(*addresses), *pods).facts["dns.silent"]

    assert told == bool(facts)
    if told:
        assert (Entity("Node", "n1"), 2, "10.96.0.10") == (facts[0].entity, facts[0]["pods"], facts[0]["server"])
