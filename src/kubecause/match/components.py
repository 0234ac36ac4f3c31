"""Components of nodes and of the control plane that do not run, whatever shows it: unit, pod, condition, table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubecause.facts.joins import Joins
from kubecause.facts.records import Anything, Workload
from kubecause.facts.records_pod import Pod
from kubecause.facts.restarts import pod_ready
from kubecause.facts.store import Store
from kubecause.model import Entity, Fact

_UNITS = {
    "kubelet": "kubelet",
    "k3s": "kubelet",
    "k3s-agent": "kubelet",
    "rke2-agent": "kubelet",
    "containerd": "container-runtime",
    "docker": "container-runtime",
    "dockerd": "container-runtime",
    "crio": "container-runtime",
    "cri-o": "container-runtime",
    "cri-docker": "container-runtime",
    "kube-proxy": "kube-proxy",
    "kube-scheduler": "kube-scheduler",
    "kube-controller-manager": "kube-controller-manager",
    "kube-apiserver": "kube-apiserver",
    "etcd": "etcd",
}
_PODS = re.compile(
    r"^(?P<component>kube-proxy|kube-scheduler|kube-controller-manager|kube-apiserver|etcd|coredns|kube-dns)(?:-|$)"
)
_NETWORK_PLUGINS = re.compile(  # a pod of their DaemonSets, one a node
    r"^(?:calico-node|canal|kube-flannel(?:-ds)?|cilium|weave-net|aws-node|kube-router|antrea-agent|ovnkube-node|kindnet"
    r"|kube-ovn-cni|terway(?:-eniip)?|kube-multus(?:-ds)?)-[a-z0-9]{5}$"
)
_OF_PLATFORM = ("kube-", "calico-", "cilium", "openshift-", "tigera-")  # how namespaces of a platform begin
_STATUSES = {"scheduler": "kube-scheduler", "controller-manager": "kube-controller-manager"}
_DNS = frozenset({"coredns", "kube-dns"})


def component_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``component.down`` of each component that is seen not running."""
    yield from _units(store)
    yield from _pods(store, joins)
    yield from _statuses(store)
    yield from _cluster_dns(store)


def _units(store: Store) -> Iterator[Fact]:
    for fact in store.facts["unit.state"]:
        component = _UNITS.get(str(fact["unit"]))
        if component:
            store.saw("component.down")
            if fact["down"]:
                detail = " ".join(str(fact[key]) for key in ("active", "sub", "result") if fact[key])
                yield Fact(
                    "component.down",
                    fact.entity,
                    {"component": component, "how": "unit", "detail": detail},
                    fact.proofs,
                    fact.scope,
                )


def _pods(store: Store, joins: Joins) -> Iterator[Fact]:
    for thing, pod in store.records("Pod", Pod):
        component = _component_of(thing.entity)
        if not component or not thing.live:
            continue
        store.saw("component.down")
        if pod_ready(pod) is not False or pod.status.printed in ("Pending", "ContainerCreating"):
            continue
        if component in _DNS:
            continue
        node = joins.node_of(thing.entity)
        entity = Entity("Node", node) if node else Entity("Node", None, scope=next(iter(thing.sources)))
        fields = {"component": component, "how": "pod", "detail": pod.status.printed or "not ready"}
        yield Fact("component.down", entity, fields, thing.proof("row", "status"))


def _component_of(pod: Entity) -> str | None:
    """The component that a pod of the platform is, told by its name."""
    found = _PODS.match(pod.name or "")
    if found and pod.namespace in ("kube-system", None):
        return found["component"]
    of_platform = pod.namespace is None or pod.namespace.startswith(_OF_PLATFORM)
    return "network-plugin" if of_platform and _NETWORK_PLUGINS.match(pod.name or "") else None


def _statuses(store: Store) -> Iterator[Fact]:
    """``kubectl get componentstatuses``; from 1.19 on it calls healthy components unhealthy, so it is the weakest sign."""
    for thing in store.of_kind("ComponentStatus"):
        component = _STATUSES.get(thing.entity.name or "")
        record = thing.record
        if component and isinstance(record, Anything) and record.status.phase == "Unhealthy":
            entity = Entity("Node", None, scope=next(iter(thing.sources)))
            yield Fact(
                "component.down",
                entity,
                {"component": component, "how": "componentstatus", "detail": "Unhealthy"},
                thing.proof("row"),
            )


def _cluster_dns(store: Store) -> Iterator[Fact]:
    """Cluster DNS without a ready pod: its Deployment says so, or all its pods are not ready."""
    pods = [
        (thing, pod)
        for thing, pod in store.records("Pod", Pod)
        if re.match(r"(?:coredns|kube-dns)-", thing.entity.name or "") and thing.entity.namespace in ("kube-system", None)
    ]
    deployment = store.named("Deployment", "coredns", "kube-system") or store.named("Deployment", "kube-dns", "kube-system")
    scaled = deployment and isinstance(deployment.record, Workload) and deployment.record.spec.replicas == 0
    if deployment or pods:
        store.saw("component.down")
    if scaled and deployment:
        fields = {"component": "cluster-dns", "how": "pod", "detail": "scaled to zero"}
        yield Fact("component.down", Entity("Cluster", None), fields, deployment.proof("spec.replicas", "row"))
    elif pods and all(pod_ready(pod) is False for _, pod in pods):
        fields = {"component": "cluster-dns", "how": "pod", "detail": pods[0][1].status.printed or "not ready"}
        yield Fact(
            "component.down",
            Entity("Cluster", None),
            fields,
            tuple(p for thing, _ in pods[:3] for p in thing.proof("row", "status")),
        )
