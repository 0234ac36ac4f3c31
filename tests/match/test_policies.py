"""Connections that no NetworkPolicy admits."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kubecause.facts import Extraction
from kubecause.match import SignalIndex
from kubecause.match.analyses import run_analyses
from kubecause.model import Channel, Document, Entity, Fact

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
WAITS = "cannot connect to cart:80: dial tcp 10.96.0.7:80: i/o timeout"
TO_CART = {"to": [{"podSelector": {"matchLabels": {"app": "cart"}}}]}


def workload(name: str, namespace: str = "shop", *, on_host: bool = False, **labels: str) -> dict[str, Any]:
    """A Deployment whose pods listen on 8080."""
    labels = {"app": name, **labels}
    container = {"name": name, "image": f"{name}:1", "ports": [{"name": "web", "containerPort": 8080}]}
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "uid": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container], "hostNetwork": on_host}},
        },
    }


def service(
    name: str, namespace: str, address: str, port: dict[str, Any], labels: dict[str, str] | None = None
) -> dict[str, Any]:
    """A Service, with one ready endpoint beside it."""
    meta = {"name": name, "namespace": namespace, "uid": f"s-{name}", "labels": labels or {}}
    return {"kind": "Service", "metadata": meta, "spec": {"clusterIP": address, "selector": {"app": name}, "ports": [port]}}


def endpoints(name: str, namespace: str) -> dict[str, Any]:
    """One ready endpoint."""
    meta = {"name": f"{name}-1", "namespace": namespace, "uid": f"e-{name}", "labels": {"kubernetes.io/service-name": name}}
    return {"kind": "EndpointSlice", "metadata": meta, "endpoints": [{"addresses": ["10.244.1.9"]}], "ports": [{"port": 8080}]}


def policy(name: str, selects: dict[str, str] | None = None, namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    """A policy on pods with some labels; on all without."""
    meta = {"name": name, "namespace": namespace, "uid": f"p-{name}"}
    return {"kind": "NetworkPolicy", "metadata": meta, "spec": {"podSelector": {"matchLabels": selects or {}}, **spec}}


def blocked(
    index: SignalIndex, *policies: dict[str, Any], line: str = WAITS, client: str = "shop", more: Any = (), on_host: str = ""
) -> list[Fact]:
    """What is told of a client that logs a line."""
    items = [
        workload("cart", on_host=on_host == "cart"),
        service("cart", "shop", "10.96.0.7", {"port": 80, "targetPort": "web"}),
        endpoints("cart", "shop"),
        service("kube-dns", "kube-system", "10.96.0.10", {"port": 53, "protocol": "UDP"}, {"k8s-app": "kube-dns"}),
        endpoints("kube-dns", "kube-system"),
        workload("web", client, on_host=on_host == "web", tier="front"),
        *policies,
        *more,
    ]
    extraction = Extraction(index.filter)
    extraction.read(Document("kubectl get", "objects", Channel.STATUS, [json.dumps(item) for item in items], collected=NOW))
    hints = {"namespace": client, "pod": "web-6c9d7b8f54-q8xkz", "container": "web"}
    extraction.read(Document("kubectl logs", "log", Channel.APP_LOG, [line], hints=hints, collected=NOW))
    store, joins = extraction.finish()
    run_analyses(store, joins)
    return store.facts["policy.blocks"]


@pytest.mark.parametrize(
    "denying",
    [
        {"policyTypes": ["Ingress"]},
        {},
        {"ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "gateway"}}}]}]},
        {"ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 9090}]}]},
        {"ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 8080, "protocol": "UDP"}]}]},
        {"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "depot"}}}]}]},
        {"ingress": [{"ports": [{"port": 80}]}]},
    ],
    ids=["all", "no types", "another client", "another port", "another protocol", "another namespace", "the port of the Service"],
)
def test_a_server_whose_policies_admit_others_is_told(index: SignalIndex, denying: dict[str, Any]) -> None:
    """The fault lives on the pods that the policy selects; the client suffers."""
    [fact] = blocked(index, policy("cart", {"app": "cart"}, **denying))

    assert (Entity("Deployment", "cart", "shop"), "ingress", "cart") == (fact.entity, fact["direction"], fact["policy"])
    assert (Entity("Deployment", "web", "shop"),) == fact["suffers"]


@pytest.mark.parametrize(
    "admitting",
    [
        {"ingress": [{}]},
        {"ingress": [{"from": [{"podSelector": {}}]}]},
        {"ingress": [{"from": [{"podSelector": {"matchLabels": {"tier": "front"}}}], "ports": [{"port": 8080}]}]},
        {"ingress": [{"ports": [{"port": 8000, "endPort": 8100}]}]},
        {"ingress": [{"ports": [{"port": "web"}]}]},
        {"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"team": "unknown"}}}]}]},
        {"ingress": [{"from": [{"ipBlock": {"cidr": "10.244.0.0/16"}}]}]},
        {"policyTypes": ["Egress"], "egress": [{}]},
    ],
    ids=[
        "all",
        "any pod here",
        "labels and port",
        "a range",
        "a named port",
        "labels not read",
        "addresses",
        "another direction",
    ],
)
def test_what_is_admitted_or_may_be_is_not_told(index: SignalIndex, admitting: dict[str, Any]) -> None:
    """Doubt speaks for the policy."""
    assert not blocked(index, policy("cart", {"app": "cart"}, **admitting))


def test_one_policy_that_admits_is_enough(index: SignalIndex) -> None:
    """Policies add up."""
    denies = policy("default-deny", policyTypes=["Ingress"])

    assert not blocked(index, denies, policy("cart", {"app": "cart"}, ingress=[{"from": [{"podSelector": {}}]}]))


def test_a_client_of_another_namespace_needs_a_namespace_selector(index: SignalIndex) -> None:
    """A podSelector alone means pods of the policy's own namespace; labels of a namespace decide where they were read."""
    depot = {"kind": "Namespace", "metadata": {"name": "depot", "uid": "n", "labels": {"team": "blue"}}}
    line = WAITS.replace("cart:80", "cart.shop:80")

    def told(*rules: dict[str, Any]) -> bool:
        rule = {"from": list(rules)}
        return bool(blocked(index, policy("cart", {"app": "cart"}, ingress=[rule]), line=line, client="depot", more=[depot]))

    assert told({"podSelector": {}})
    assert told({"namespaceSelector": {"matchLabels": {"team": "red"}}})
    assert not told({"namespaceSelector": {"matchLabels": {"team": "blue"}}})
    assert not told({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}})


def test_an_egress_policy_that_forgets_the_dns_is_told_of_the_client(index: SignalIndex) -> None:
    """Its lookups wait in vain, and the cluster DNS is ready."""
    line = "dial tcp: lookup cart on 10.96.0.10:53: read udp 10.244.1.5:4242->10.96.0.10:53: i/o timeout"
    forgets = policy("web", {"app": "web"}, policyTypes=["Egress"], egress=[TO_CART])
    [fact] = blocked(index, forgets, line=line)

    assert (Entity("Deployment", "web", "shop"), "egress", True) == (fact.entity, fact["direction"], fact["dns"])
    assert not blocked(
        index,
        policy("web", {"app": "web"}, policyTypes=["Egress"], egress=[TO_CART, {"ports": [{"port": 53, "protocol": "UDP"}]}]),
        line=line,
    )


@pytest.mark.parametrize("name", ["web", "cart"])
def test_pods_on_the_host_network_are_left_out(index: SignalIndex, name: str) -> None:
    """Policies are about pod networks; what they do to nodes, each plugin decides."""
    assert not blocked(index, policy("cart", {"app": "cart"}), on_host=name)


@pytest.mark.parametrize(
    "line",
    [
        "dial tcp 10.96.0.7:80: connect: connection refused",
        "dial tcp 93.184.216.34:80: i/o timeout",
        'Get "http://cart:80/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
        "java.net.SocketTimeoutException: Read timed out reading http://cart:80/",
    ],
    ids=["refused", "the world", "a slow answer", "a slow read"],
)
def test_who_is_refused_answered_late_or_calls_the_world_is_not_told(index: SignalIndex, line: str) -> None:
    """Policies drop connections; and of addresses outside no Service tells."""
    assert not blocked(index, policy("cart", {"app": "cart"}), line=line)


def test_a_lookup_in_a_table_is_no_lookup_of_a_name(index: SignalIndex) -> None:
    """The line names the Service to which no connection came about."""
    [fact] = blocked(index, policy("cart", {"app": "cart"}), line="cache lookup failed: connection timed out: cart:80")

    assert "shop/cart" == fact["target"]
