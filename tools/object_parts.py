"""Parts of the objects of a made-up cluster (``cluster_state.py``)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from broken_pods import Object

_VARIABLES = {  # nothing that names a service of the cluster: that would be a dependency, and wrong where there is none
    "LOG_LEVEL": "info",
    "DB_HOST": "orders.db.example.com",
    "DB_PORT": "5432",
    "CACHE_URL": "redis://cache.example.com:6379/0",
    "FEATURES": "new-basket,fast-search,gift-cards",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "https://traces.example.com",
    "JAVA_OPTS": "-XX:MaxRAMPercentage=75 -XX:+ExitOnOutOfMemoryError",
    "REGION": "eu-1",
}


def hexadecimal(rng: random.Random, digits: int) -> str:
    """Random hexadecimal digits."""
    return f"{rng.getrandbits(4 * digits):0{digits}x}"


def uid(rng: random.Random) -> str:
    """A random UUID."""
    return "-".join(hexadecimal(rng, digits) for digits in (8, 4, 4, 4, 12))


def owner_reference(kind: str, name: str, seed: str) -> Object:
    """A reference to the controller of an object."""
    number = uid(random.Random(f"{seed}/{kind}/{name}"))
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": number, "controller": True, "blockOwnerDeletion": True}


def pod_address(at: int) -> str:
    """The address of the pod of this number."""
    return f"10.{64 + at // 62500}.{at // 250 % 250}.{1 + at % 250}"


def tracked_fields(value: Any) -> Object:
    """The tracked fields of a value, as server-side apply writes them."""
    if not isinstance(value, dict):
        return {}
    out: Object = {".": {}}
    for key, below in value.items():
        if isinstance(below, list) and below and isinstance(below[0], dict):
            names = [each.get("name") or each.get("type") or each.get("key") or "" for each in below]
            out[f"f:{key}"] = {f'k:{{"name":"{name}"}}': _leaves(each) for name, each in zip(names, below, strict=True)}
        else:
            out[f"f:{key}"] = tracked_fields(below)
    return out


def _leaves(value: Object) -> Object:
    return {".": {}, **{f"f:{key}": {} for key in value}}


def container(name: str, *, ports: bool = True) -> Object:
    """A container with limits, mounts and, for the first of a pod, variables, ports and probes."""
    made: Object = {
        "name": name,
        "image": f"registry.example/team/{name}:v1.4.2",
        "imagePullPolicy": "IfNotPresent",
        "resources": {"limits": {"cpu": "500m", "memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [
            {"mountPath": "/etc/config", "name": "config", "readOnly": True},
            {"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "kube-api-access-7xq2k", "readOnly": True},
        ],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True},
    }
    if ports:
        made["env"] = [{"name": key, "value": value} for key, value in _VARIABLES.items()]
        password = {"secretKeyRef": {"name": f"{name}-db", "key": "password"}}
        made["env"].append({"name": "DB_PASSWORD", "valueFrom": password})
        made["ports"] = [{"containerPort": 8080, "name": "http", "protocol": "TCP"}]
        for probe in ("livenessProbe", "readinessProbe"):
            get = {"path": "/healthz", "port": 8080, "scheme": "HTTP"}
            made[probe] = {"httpGet": get, "periodSeconds": 10, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3}
    return made


def api_access() -> Object:
    """The volume with the token that the ServiceAccount admission adds to every pod."""
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
    ]
    return {"name": "kube-api-access-7xq2k", "projected": {"defaultMode": 420, "sources": sources}}


def spread_over_nodes(labels: Mapping[str, str]) -> Object:
    """The wish not to share a node with one's like."""
    term = {"labelSelector": {"matchLabels": dict(labels)}, "topologyKey": "kubernetes.io/hostname"}
    wish = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": wish}}


def running_status(of: Mapping[str, Any], started: str, rng: random.Random) -> Object:
    """The status of a container that runs and is ready."""
    return {
        "name": of["name"],
        "image": of["image"],
        "imageID": f"registry.example/team/{of['name']}@sha256:{hexadecimal(rng, 64)}",
        "containerID": f"containerd://{hexadecimal(rng, 64)}",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": started}},
        "lastState": {},
    }
