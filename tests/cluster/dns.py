"""The cluster's own names: CoreDNS as people run it, a Deployment behind the Service ``kube-dns``."""

from __future__ import annotations

from typing import Any

from .images import COREDNS
from .node_files import CLUSTER_DNS

# As kubeadm installs it; names outside the cluster are forwarded to the node's own name server, which knows none.
COREFILE = """.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
"""
_LABELS = {"k8s-app": "kube-dns"}
_RBAC = "rbac.authorization.k8s.io"


def dns_objects() -> list[dict[str, Any]]:
    """Every object of it."""
    return [_account(), _role(), _binding(), _config(), _deployment(), _service()]


def _object(api: str, kind: str, name: str, *, namespaced: bool = True, **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": "kube-system"} if namespaced else {}), "labels": _LABELS}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def _account() -> dict[str, Any]:
    return _object("v1", "ServiceAccount", "coredns")


def _role() -> dict[str, Any]:
    watch = ["list", "watch"]
    rules = [
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": watch},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": watch},
    ]
    return _object(f"{_RBAC}/v1", "ClusterRole", "system:coredns", namespaced=False, rules=rules)


def _binding() -> dict[str, Any]:
    role = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "system:coredns"}
    subjects = [{"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}]
    return _object(f"{_RBAC}/v1", "ClusterRoleBinding", "system:coredns", namespaced=False, roleRef=role, subjects=subjects)


def _config() -> dict[str, Any]:
    return _object("v1", "ConfigMap", "coredns", data={"Corefile": COREFILE})


def _deployment() -> dict[str, Any]:
    def probe(path: str, port: int, **more: int) -> dict[str, Any]:
        return {"httpGet": {"path": path, "port": port, "scheme": "HTTP"}, **more}

    container = {
        "name": "coredns",
        "image": COREDNS,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": {"limits": {"memory": "170Mi"}, "requests": {"cpu": "50m", "memory": "70Mi"}},
        "ports": [
            {"containerPort": 53, "name": "dns", "protocol": "UDP"},
            {"containerPort": 53, "name": "dns-tcp", "protocol": "TCP"},
            {"containerPort": 9153, "name": "metrics", "protocol": "TCP"},
        ],
        "livenessProbe": probe("/health", 8080, initialDelaySeconds=60, timeoutSeconds=5, failureThreshold=5),
        "readinessProbe": probe("/ready", 8181, periodSeconds=2),
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    volume = {"name": "config-volume", "configMap": {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]}}
    pod = {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
        "containers": [container],
        "dnsPolicy": "Default",
        "volumes": [volume],
    }
    spec = {"replicas": 2, "selector": {"matchLabels": _LABELS}, "template": {"metadata": {"labels": _LABELS}, "spec": pod}}
    return _object("apps/v1", "Deployment", "coredns", spec=spec)


def _service() -> dict[str, Any]:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
        {"name": "metrics", "port": 9153, "protocol": "TCP"},
    ]
    return _object("v1", "Service", "kube-dns", spec={"clusterIP": CLUSTER_DNS, "selector": _LABELS, "ports": ports})
