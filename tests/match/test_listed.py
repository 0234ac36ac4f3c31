"""Analyses over lists that were read whole from an API server: what an object names and no list holds is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from kubecause.facts import Extraction
from kubecause.facts.store import Store
from kubecause.match import SignalIndex
from kubecause.match.analyses import run_analyses
from kubecause.model import Channel, Document, Entity, Need

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
LONG_AGO = "2026-11-28T10:00:00Z"
Item = dict[str, Any]
Lists = Callable[..., Store]


def item(kind: str, name: str, namespace: str | None = "shop", **more: Any) -> Item:
    """An object as the API stores it; ``metadata`` is added to."""
    meta = {"name": name, "uid": f"uid-{kind}-{name}", "creationTimestamp": LONG_AGO, **more.pop("metadata", {})}
    return {"kind": kind, "metadata": {**meta, **({"namespace": namespace} if namespace else {})}, **more}


def workload(name: str, labels: dict[str, str], container: Item, *, ready: int = 1, kind: str = "Deployment") -> Item:
    """A workload with one container."""
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "web:1", **container}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return item(kind, name, spec=spec, status={"readyReplicas": ready, "replicas": 1, "observedGeneration": 1})


def service(called: str, selector: dict[str, str], address: str = "10.96.0.7", **port: Any) -> Item:
    """A service with one port."""
    spec = {"selector": selector, "clusterIP": address, "ports": [{"port": 80, "protocol": "TCP", **port}]}
    return item("Service", called, spec=spec, status={"loadBalancer": {}})


def endpoint_slice(name: str, owner: str, *addresses: str, ready: bool | None = True, ports: Sequence[Item] = ()) -> Item:
    """A slice of a service's endpoints."""
    endpoints = [{"addresses": [address], "conditions": {"ready": ready}} for address in addresses]
    labels = {"kubernetes.io/service-name": owner}
    return item("EndpointSlice", name, metadata={"labels": labels}, endpoints=endpoints or None, ports=list(ports) or None)


@pytest.fixture
def lists(index: SignalIndex) -> Lists:
    """A function from whole lists, by kind, to the store after all analyses; ``log`` is the log of pod shop/web-0."""

    def run(log: str = "", **kinds: Sequence[Item]) -> Store:
        extraction = Extraction(index.filter)
        for kind, items in kinds.items():
            wide = kind in ("Node", "IngressClass", "StorageClass", "PersistentVolume")
            hints = {"lists": kind, **({} if wide else {"namespace": "shop"})}
            lines = [json.dumps(each) for each in items]
            extraction.read(Document(f"kubectl get {kind}", "objects", Channel.STATUS, lines, hints=hints, collected=NOW))
        if log:
            hints = {"namespace": "shop", "pod": "web-0", "container": "main"}
            extraction.read(Document("kubectl logs web-0", "log", Channel.APP_LOG, log.split("\n"), hints=hints, collected=NOW))
        store, joins = extraction.finish()
        run_analyses(store, joins)
        return store

    return run


# --- endpoints ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slices", "ready"),
    [
        ([endpoint_slice("a", "cart", "10.244.0.5"), endpoint_slice("b", "cart", "10.244.0.6")], None),
        ([endpoint_slice("a", "cart", "10.244.0.5", ready=None)], None),  # nobody says: counts as ready
        ([endpoint_slice("a", "cart", "10.244.0.5", ready=False)], 0),
        ([endpoint_slice("a", "cart")], 0),
        ([endpoint_slice("a", "other", "10.244.0.9")], 0),
    ],
)
def test_slices_of_a_service_are_its_endpoints(lists: Lists, slices: Sequence[Item], ready: int | None) -> None:
    """Several slices add up; none at all, in a list that was read whole, means no endpoint."""
    cart = workload("cart", {"app": "cart"}, {})
    store = lists(Service=[service("cart", {"app": "cart"})], EndpointSlice=slices, Deployment=[cart])

    assert [fact["endpoints"] for fact in store.facts["service.state"]] == ([] if ready is None else [ready])


# --- services without their pods ------------------------------------------------------------------------------


def test_a_target_port_is_compared_with_the_template_when_pods_are_healthy(lists: Lists) -> None:
    """Healthy pods are not read from a live cluster; their template tells the ports."""
    cart = workload("cart", {"app": "cart"}, {"ports": [{"name": "web", "containerPort": 8080}]})
    slices = [endpoint_slice("a", "cart", "10.244.0.5", ports=[{"port": 9090}])]

    def broken(**port: Any) -> list[tuple[str, str, bool | None]]:
        store = lists(Service=[service("cart", {"app": "cart"}, **port)], EndpointSlice=slices, Deployment=[cart])
        return [(f["hop"], f["target_port"], f["tested"]) for f in store.facts["service.broken"]]

    assert broken(targetPort=9090) == [("target-port", "9090", None)]
    assert broken(targetPort=8080) == []
    assert broken(targetPort="web") == []


def test_a_named_target_port_that_resolves_nowhere_is_certain(lists: Lists) -> None:
    """The controller leaves out the ports of a slice when no pod has a port of that name."""
    cart = workload("cart", {"app": "cart"}, {"ports": [{"name": "web", "containerPort": 8080}]})
    store = lists(
        Service=[service("cart", {"app": "cart"}, targetPort="http")],
        EndpointSlice=[endpoint_slice("a", "cart", "10.244.0.5")],
        Deployment=[cart],
    )

    assert [(f["target_port"], f["tested"]) for f in store.facts["service.broken"]] == [("http", True)]


def test_endpoints_written_by_hand_that_refuse(lists: Lists) -> None:
    """The service has no selector; its client tells that nobody listens where the slice leads."""
    slices = [endpoint_slice("a", "legacy", "10.0.0.1", ports=[{"port": 15432}])]
    legacy = service("legacy", {}, address="10.96.0.9", port=5432)

    kinds = {"Service": [legacy], "EndpointSlice": slices, "Deployment": [workload("web", {"app": "web"}, {})]}

    refused = lists("dial tcp 10.96.0.9:5432: connect: connection refused", **kinds)
    quiet = lists("connected to legacy:5432", **kinds)

    assert [(f["hop"], f["target_port"]) for f in refused.facts["service.broken"]] == [("target-port", "15432")]
    assert not quiet.facts["service.broken"]


# --- ingresses ------------------------------------------------------------------------------------------------


def ingress(cls: str | None = "web", port: Item | None = None, **more: Any) -> Item:
    """An ingress with one path."""
    backend = {"service": {"name": "cart", "port": port or {"number": 80}}}
    rules = [{"host": "shop.example.com", "http": {"paths": [{"path": "/", "backend": backend}]}}]
    return item("Ingress", "front", spec={"ingressClassName": cls, "rules": rules, **more})


CLASSES = [item("IngressClass", "web", None)]


@pytest.mark.parametrize(
    ("front", "services", "wrong"),
    [
        (ingress(), [service("cart", {})], []),
        (ingress(), [], ["service"]),
        (ingress(port={"number": 81}), [service("cart", {})], ["port"]),
        (ingress(port={"name": "http"}), [service("cart", {}, name="http")], []),
        (ingress("other"), [service("cart", {})], ["class"]),
        (ingress(None), [service("cart", {})], ["class"]),
    ],
)
def test_what_an_ingress_names_must_exist(lists: Lists, front: Item, services: Sequence[Item], wrong: Sequence[str]) -> None:
    """Class, Service and port are looked up in the lists."""
    store = lists(Ingress=[front], Service=services, IngressClass=CLASSES)

    assert [fact["wrong"] for fact in store.facts["ingress.broken"]] == list(wrong)


def test_nothing_is_missing_from_lists_that_nobody_read(lists: Lists) -> None:
    """Without lists of services, classes and Secrets an ingress may be right."""
    assert not lists(Ingress=[ingress(tls=[{"secretName": "front-tls"}])]).facts["ingress.broken"]


def test_a_default_class_or_the_old_annotation_serves_an_ingress_without_class(lists: Lists) -> None:
    """``ingressClassName`` may be left out for a default class, and was unknown before 1.18."""
    default = item("IngressClass", "web", None, metadata={"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}})
    old = ingress(None)
    old["metadata"]["annotations"] = {"kubernetes.io/ingress.class": "nginx"}

    assert not lists(Ingress=[ingress(None)], Service=[service("cart", {})], IngressClass=[default]).facts["ingress.broken"]
    assert not lists(Ingress=[old], Service=[service("cart", {})], IngressClass=CLASSES).facts["ingress.broken"]


# --- places -----------------------------------------------------------------------------------------------------


def waiting(**spec: Any) -> Item:
    """A pod that no kubelet has seen."""
    return item("Pod", "cart-0", spec={"containers": [{"name": "main", "image": "cart:1"}], **spec}, status={"phase": "Pending"})


def test_a_pod_bound_to_a_node_that_is_not_there(lists: Lists) -> None:
    """Only when all nodes were read; a gap is no proof."""
    node = item("Node", "w1", None, status={"conditions": [{"type": "Ready", "status": "True"}]})

    found = lists(Pod=[waiting(nodeName="w9")], Node=[node]).facts["scheduling.blocked"]
    assert [(f["by"], f["wanted"], f["offered"]) for f in found] == [("node-missing", "w9", "w1")]
    assert not lists(Pod=[waiting(nodeName="w1")], Node=[node]).facts["scheduling.blocked"]
    assert not lists(Pod=[waiting(nodeName="w9")]).facts["scheduling.blocked"]


def test_a_scheduling_gate_is_no_absent_scheduler(lists: Lists) -> None:
    """kube-scheduler leaves gated pods alone."""
    store = lists(Pod=[waiting(schedulingGates=[{"name": "example.com/licence"}])])

    assert [(f["by"], f["wanted"]) for f in store.facts["scheduling.blocked"]] == [("gates", "example.com/licence")]
    assert not store.facts["scheduler.absent"]


def test_a_device_claim_that_is_not_there_is_no_absent_scheduler(lists: Lists) -> None:
    """kube-scheduler (1.34) leaves such a pod alone without a word; one that it has judged is not held by that."""
    claims = {"resourceClaims": [{"name": "gpu", "resourceClaimName": "one-gpu"}]}
    store = lists(Pod=[waiting(**claims)])

    assert [(f["by"], f["wanted"]) for f in store.facts["scheduling.blocked"]] == [("device-claim", "one-gpu")]
    assert not store.facts["scheduler.absent"]
    assert lists(Pod=[waiting()]).facts["scheduler.absent"]


# --- claims -----------------------------------------------------------------------------------------------------


def claim(storage_class: str | None, size: str = "1Gi") -> Item:
    """A claim that waits."""
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class, "resources": {"requests": {"storage": size}}}
    return item("PersistentVolumeClaim", "data", spec=spec, status={"phase": "Pending"})


def volume(name: str, storage_class: str, phase: str = "Available", size: str = "5Gi") -> Item:
    """A volume made by hand."""
    spec = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": storage_class}
    return item("PersistentVolume", name, None, spec=spec, status={"phase": phase})


def test_a_volume_of_the_claims_own_class_is_nearer_than_a_free_one_of_another(lists: Lists) -> None:
    """Both differ in one thing; the class says which volume was meant."""
    volumes = [volume("a", "other"), volume("b", "manual", "Bound")]
    store = lists(PersistentVolumeClaim=[claim("manual")], PersistentVolume=volumes, StorageClass=[])

    assert [(f["wrong"], f["volume"], f["certain"]) for f in store.facts["claim.unbindable"]] == [("occupied", "b", True)]


def test_a_claim_that_waits_for_its_first_pod_is_fine(lists: Lists) -> None:
    """Late binding without a provisioner: nothing is wrong until a pod comes that finds no volume."""
    late = item(
        "StorageClass", "late", None, provisioner="kubernetes.io/no-provisioner", volumeBindingMode="WaitForFirstConsumer"
    )
    volumes = [volume("a", "late", "Bound")]
    pod = waiting(volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])

    assert not lists(PersistentVolumeClaim=[claim("late")], PersistentVolume=volumes, StorageClass=[late]).facts[
        "claim.unbindable"
    ]
    used = lists(PersistentVolumeClaim=[claim("late")], PersistentVolume=volumes, StorageClass=[late], Pod=[pod])
    assert [f["wrong"] for f in used.facts["claim.unbindable"]] == ["occupied"]


def test_neither_class_nor_volume(lists: Lists) -> None:
    """A claim without a class, in a cluster without a default one and without volumes."""
    store = lists(PersistentVolumeClaim=[claim(None)], PersistentVolume=[], StorageClass=[])

    assert [f["wrong"] for f in store.facts["claim.unbindable"]] == ["storage-class"]


# --- addresses --------------------------------------------------------------------------------------------------


def client(container: Item) -> Item:
    """A workload that calls another."""
    return workload("web", {"app": "web"}, container)


@pytest.mark.parametrize(
    "container",
    [
        {"env": [{"name": "CART_URL", "value": "http://carts:80/"}]},
        {"args": ["serve", "--cart=http://carts:80/"]},
        {"args": ["connect", "--to", "carts:80"]},
    ],
)
def test_addresses_stand_in_variables_and_arguments(lists: Lists, container: Item) -> None:
    """An address nobody serves is a doubt that its client's log settles."""
    kinds = {"Deployment": [client(container)], "Service": [service("cart", {"app": "cart"})]}
    quiet = lists(**kinds).facts["client.address-wrong"]
    web = Entity("Deployment", "web", "shop")
    pod = item("Pod", "web-0", metadata={"labels": {"app": "web"}, "ownerReferences": [{"kind": "Deployment", "name": "web"}]})
    told = lists("lookup carts on 10.96.0.10:53: no such host", **kinds, Pod=[pod]).facts["client.address-wrong"]

    assert [(f["wrong"], f["failing"], f["asks"]) for f in quiet] == [("host", False, (Need("client.address-wrong", web),))]
    assert [f["failing"] for f in told] == [True]


def test_what_was_meant_is_written_as_the_value_was(lists: Lists) -> None:
    """So that the printed command can be run as it stands."""
    env = [{"name": "CART_URL", "value": "http://carts:80/v1"}]
    store = lists(Deployment=[client({"env": env})], Service=[service("cart", {"app": "cart"})])

    assert [f["meant"] for f in store.facts["client.address-wrong"]] == ["http://cart:80/v1"]


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("http://cart.pay:80", Entity("Namespace", "pay")),
        ("http://10.96.3.4:80", Entity("Cluster")),
        ("http://192.168.7.7:80", None),
        ("http://api.example.com:80", None),
    ],
)
def test_what_must_be_read_before_an_address_can_be_wrong(lists: Lists, address: str, asked: Entity | None) -> None:
    """Another namespace, or an address of the service range, needs another list; what lies outside is not judged."""
    env = [{"name": "CART_URL", "value": address}]
    store = lists(Deployment=[client({"env": env})], Service=[service("web", {"app": "web"})])
    needs = [need.entity for fact in store.facts["client.address-wrong"] for need in fact["asks"] or ()]

    assert needs == ([asked] if asked else [])


# --- what holds others --------------------------------------------------------------------------------------------


def test_finalizers_hold_an_object_that_was_deleted(lists: Lists) -> None:
    """Not what the garbage collector is about to delete, nor what was deleted a moment ago."""

    def held(finalizer: str, deleted: str = LONG_AGO) -> list[str]:
        meta = {"deletionTimestamp": deleted, "finalizers": [finalizer]}
        store = lists(Service=[item("Service", "front", metadata=meta, spec={"ports": [{"port": 80}]})])
        return [fact["finalizers"] for fact in store.facts["object.terminating"]]

    assert held("example.com/cleanup") == ["example.com/cleanup"]
    assert held("foregroundDeletion") == []
    assert held("example.com/cleanup", "2026-11-28T11:59:58Z") == []


def test_a_tight_budget_matters_once_its_node_is_emptied(lists: Lists) -> None:
    """``draining`` names cordoned nodes that still run pods of the budget."""
    labels = {"app": "cart"}
    status = {"disruptionsAllowed": 0, "expectedPods": 1, "currentHealthy": 1, "desiredHealthy": 1}
    budget = item("PodDisruptionBudget", "cart", spec={"minAvailable": 1, "selector": {"matchLabels": labels}}, status=status)
    pod = item(
        "Pod", "cart-0", metadata={"labels": labels}, spec={"nodeName": "w1", "containers": []}, status={"phase": "Running"}
    )

    def draining(*, cordoned: bool) -> list[str | None]:
        node = item("Node", "w1", None, spec={"unschedulable": cordoned})
        return [f["draining"] for f in lists(PodDisruptionBudget=[budget], Pod=[pod], Node=[node]).facts["budget.blocked"]]

    assert draining(cordoned=True) == ["w1"]
    assert draining(cordoned=False) == [None]


def test_a_paused_deployment_is_short_of_pods(lists: Lists) -> None:
    """The API leaves zeros out: no ``readyReplicas`` means none."""
    cart = workload("cart", {"app": "cart"}, {})
    cart["spec"]["paused"] = True
    cart["status"] = {"observedGeneration": 1}
    store = lists(Deployment=[cart], Service=[service("cart", {"app": "cart"})])

    assert [(f["paused"], f["ready"], f["used"]) for f in store.facts["workload.replicas"]] == [(True, 0, True)]
