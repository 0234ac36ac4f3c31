"""A made-up cluster of any size, the same for the same seed: nodes, workloads, pods with status, events, and what is broken.

Used by ``gen_state.py``, which writes it as saved lists, and by ``bench_cluster.py``, which fills a real API server with it.
Objects look as the API server stores them; ``managed_fields`` adds what server-side tracking adds to each (37 % of a pod).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from broken_pods import CAUSES, EVERYDAY, Broken, Object
from object_parts import (
    api_access,
    container,
    hexadecimal,
    owner_reference,
    pod_address,
    running_status,
    spread_over_nodes,
    tracked_fields,
    uid,
)

_APPS = (
    "cart",
    "checkout",
    "catalog",
    "orders",
    "ledger",
    "search",
    "mailer",
    "profile",
    "gateway",
    "indexer",
    "reports",
    "media",
)
_TEAMS = ("shop", "pay", "find", "data", "ads", "core", "auth", "ops", "news", "labs")
_STAGES = ("prod", "stage", "test", "dev")
_SAFE = "bcdfghjklmnpqrstvwxz2456789"  # the API server's alphabet for generated names
_REPLICAS = 10


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment with one ReplicaSet.

    :param replicas: pods it has. :param cause: what is wrong with them, if anything.
    """

    namespace: str
    name: str
    hash: str
    replicas: int
    cause: Broken | None = None

    @property
    def labels(self) -> dict[str, str]:
        """What its Service selects."""
        return {"app.kubernetes.io/name": self.name, "app.kubernetes.io/managed-by": "Helm", "team": self.namespace.split("-")[0]}


@dataclass
class ClusterState:
    """A cluster; every method gives the same objects each time.

    :param broken: pods that are broken. :param causes: different causes among them, each of one workload.
    :param tag: part of the workloads' names, so that two such clusters fit into one.
    :param now: when it is looked at; all times lie before. :param managed_fields: whether objects carry them.
    """

    nodes: int = 200
    pods: int = 2000
    events: int = 4000
    broken: int = 20
    causes: int = 5
    seed: int = 1
    tag: str = ""
    now: datetime = field(default_factory=lambda: datetime.fromisoformat("2026-11-28T12:00:00+00:00"))
    managed_fields: bool = True

    def namespaces(self) -> list[str]:
        """Where the workloads live."""
        return [f"{team}-{stage}" for team in _TEAMS for stage in _STAGES]

    @cached_property
    def workloads(self) -> list[Workload]:
        """The broken ones first; together they have as many pods as the cluster."""
        rng = self._random("workloads")
        spaces = self.namespaces()
        made: list[Workload] = []
        causes = min(self.causes, self.broken)
        for number in range(causes):
            share = self.broken // causes + (number < self.broken % causes)
            made.append(self._workload(rng, spaces, len(made), share, CAUSES[number % len(CAUSES)]))
        left = self.pods - self.broken
        while left > 0:
            made.append(self._workload(rng, spaces, len(made), min(_REPLICAS, left), None))
            left -= _REPLICAS
        return made

    def _workload(self, rng: random.Random, spaces: list[str], number: int, replicas: int, cause: Broken | None) -> Workload:
        name = f"{_APPS[number % len(_APPS)]}-{self.tag}{number}"
        return Workload(spaces[number % len(spaces)], name, "".join(rng.choices(_SAFE, k=10)), replicas, cause)

    def _random(self, what: object) -> random.Random:
        return random.Random(f"{self.seed}/{what}")

    def _ago(self, seconds: float) -> str:
        return (self.now - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def node_name(self, number: int) -> str:
        """Name of a node."""
        return f"ip-10-{number // 250}-{number % 250}-7.compute.internal"

    # --- objects --------------------------------------------------------------------------------------------

    def node_objects(self) -> Iterator[Object]:
        """All nodes, Ready."""
        for number in range(self.nodes):
            yield self._node(number)

    def _node(self, number: int) -> Object:
        rng, name = self._random(f"node {number}"), self.node_name(number)
        labels = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "node.kubernetes.io/instance-type": "m6i.2xlarge",
            "topology.kubernetes.io/zone": f"eu-1{rng.choice('abc')}",
        }
        good = {"Ready": ("True", "KubeletReady", "kubelet is posting ready status")}
        conditions = [
            {
                "type": kind,
                "status": good.get(kind, ("False",))[0],
                "lastHeartbeatTime": self._ago(rng.randrange(200)),
                "lastTransitionTime": self._ago(86400 * 40),
                "reason": good.get(kind, ("", f"KubeletHasNo{kind}"))[1],
                "message": good.get(kind, ("", "", f"kubelet has no {kind}"))[2],
            }
            for kind in ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
        ]
        size = {"cpu": "8", "memory": "32386544Ki", "ephemeral-storage": "104845292Ki", "pods": "110"}
        images = [
            {
                "names": [
                    f"registry.example/{_APPS[n % 12]}@sha256:{hexadecimal(rng, 64)}",
                    f"registry.example/{_APPS[n % 12]}:v{n}",
                ],
                "sizeBytes": rng.getrandbits(29),
            }
            for n in range(30)
        ]
        status = {
            "capacity": size,
            "allocatable": {**size, "cpu": "7910m", "memory": "31369712Ki"},
            "conditions": conditions,
            "addresses": [{"type": "InternalIP", "address": self._node_address(number)}, {"type": "Hostname", "address": name}],
            "nodeInfo": {
                "machineID": hexadecimal(rng, 32), "systemUUID": uid(rng), "bootID": uid(rng), "kernelVersion": "6.1.115",
                "osImage": "Linux", "containerRuntimeVersion": "containerd://1.7.23", "kubeletVersion": "v1.34.4",
                "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64",
            },
            "images": images,
        }  # fmt: skip
        spec = {"podCIDR": f"10.{100 + number // 250}.{number % 250}.0/24", "providerID": f"cloud:///i-{hexadecimal(rng, 17)}"}
        return self._object("v1", "Node", {"name": name, "labels": labels}, rng, "kubelet", spec=spec, status=status)

    def _node_address(self, number: int) -> str:
        return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"  # of this machine: refuses at once

    def workload_objects(self) -> Iterator[Object]:
        """Deployment, ReplicaSet, Service and EndpointSlice of every workload."""
        address = 0
        for workload in self.workloads:
            yield self._deployment(workload)
            yield self._replica_set(workload)
            yield self._service(workload)
            yield self._slice(workload, address)
            address += workload.replicas

    def _deployment(self, workload: Workload) -> Object:
        rng = self._random(f"deployment {workload.name}")
        ready = 0 if workload.cause else workload.replicas
        selector = {"matchLabels": workload.labels}
        spec = {
            "replicas": workload.replicas,
            "selector": selector,
            "template": self._template(workload),
            "revisionHistoryLimit": 10,
        }
        conditions = [
            {
                "type": "Available",
                "status": "True" if ready else "False",
                "lastUpdateTime": self._ago(86400),
                "lastTransitionTime": self._ago(86400),
                "reason": "MinimumReplicasAvailable" if ready else "MinimumReplicasUnavailable",
                "message": "Deployment has minimum availability." if ready else "Deployment does not have minimum availability.",
            }
        ]
        status = {
            "observedGeneration": 1, "replicas": workload.replicas, "updatedReplicas": workload.replicas,
            "readyReplicas": ready, "availableReplicas": ready, "unavailableReplicas": workload.replicas - ready,
            "conditions": conditions,
        }  # fmt: skip
        meta = {
            "name": workload.name,
            "namespace": workload.namespace,
            "labels": workload.labels,
            "annotations": {"deployment.kubernetes.io/revision": "1"},
        }
        return self._object("apps/v1", "Deployment", meta, rng, "kubectl", spec=spec, status=status)

    def _replica_set(self, workload: Workload) -> Object:
        rng = self._random(f"set {workload.name}")
        labels = {**workload.labels, "pod-template-hash": workload.hash}
        template = self._template(workload)
        template["metadata"]["labels"] = labels
        ready = 0 if workload.cause else workload.replicas
        meta = {
            "name": f"{workload.name}-{workload.hash}",
            "namespace": workload.namespace,
            "labels": labels,
            "annotations": {"deployment.kubernetes.io/revision": "1"},
            "ownerReferences": [owner_reference("Deployment", workload.name, f"{self.seed}")],
        }
        spec = {"replicas": workload.replicas, "selector": {"matchLabels": labels}, "template": template}
        status = {"replicas": workload.replicas, "fullyLabeledReplicas": workload.replicas, "observedGeneration": 1}
        status |= {"readyReplicas": ready, "availableReplicas": ready}
        return self._object("apps/v1", "ReplicaSet", meta, rng, "kube-controller-manager", spec=spec, status=status)

    def _service(self, workload: Workload) -> Object:
        meta = {"name": workload.name, "namespace": workload.namespace, "labels": workload.labels}
        port = {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}
        spec = {"selector": workload.labels, "ports": [port], "type": "ClusterIP"}
        return self._object("v1", "Service", meta, self._random(f"service {workload.name}"), "helm", spec=spec)

    def _slice(self, workload: Workload, address: int) -> Object:
        endpoints = [
            {
                "addresses": [pod_address(address + number)],
                "conditions": {"ready": workload.cause is None, "serving": workload.cause is None, "terminating": False},
                "nodeName": self.node_name((address + number) % self.nodes),
                "targetRef": {"kind": "Pod", "namespace": workload.namespace, "name": self.pod_name(workload, number)},
            }
            for number in range(workload.replicas)
            if workload.cause is None or workload.cause.name == "probe"
        ]
        meta = {
            "name": f"{workload.name}-{workload.hash[:5]}",
            "namespace": workload.namespace,
            "labels": {"kubernetes.io/service-name": workload.name},
        }
        made = self._object("discovery.k8s.io/v1", "EndpointSlice", meta, self._random(f"slice {workload.name}"), "endpoints")
        return {
            **made,
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        }

    def pod_name(self, workload: Workload, number: int) -> str:
        """Name of a pod."""
        suffix = "".join(self._random(f"pod {workload.name} {number}").choices(_SAFE, k=5))
        return f"{workload.name}-{workload.hash}-{suffix}"

    def pod_objects(self) -> Iterator[Object]:
        """All pods with their status, the broken ones among the others."""
        rng = self._random("order")
        places = [(workload, number) for workload in self.workloads for number in range(workload.replicas)]
        order = list(range(len(places)))
        rng.shuffle(order)
        for at in order:
            yield self._pod(*places[at], at)

    def _pod(self, workload: Workload, number: int, at: int) -> Object:
        rng = self._random(f"pod {workload.name} {number}")
        name = self.pod_name(workload, number)
        started = self._ago(3600 * rng.randrange(4, 500))
        template = self._template(workload)
        meta = {
            "name": name,
            "generateName": f"{workload.name}-{workload.hash}-",
            "namespace": workload.namespace,
            "creationTimestamp": started,
            "labels": {**workload.labels, "pod-template-hash": workload.hash},
            "annotations": {
                "checksum/config": hexadecimal(rng, 64),
                "prometheus.io/scrape": "true",
                "prometheus.io/port": "9090",
            },
            "ownerReferences": [owner_reference("ReplicaSet", f"{workload.name}-{workload.hash}", f"{self.seed}")],
        }
        spec = {**template["spec"], "nodeName": self.node_name(at % self.nodes), "enableServiceLinks": True, "priority": 0}
        spec["tolerations"] = [
            {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            for key in ("not-ready", "unreachable")
        ]
        status = {
            "phase": "Running",
            "conditions": [
                {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": started}
                for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
            ],
            "hostIP": self._node_address(at % self.nodes), "hostIPs": [{"ip": self._node_address(at % self.nodes)}],
            "podIP": pod_address(at), "podIPs": [{"ip": pod_address(at)}], "startTime": started, "qosClass": "Burstable",
            "containerStatuses": [running_status(each, started, rng) for each in spec["containers"]],
        }  # fmt: skip
        pod = self._object("v1", "Pod", meta, rng, "kubelet", spec=spec, status=status)
        if workload.cause:
            workload.cause.spoil(pod, self._ago(30 + number % 200), self.nodes)
        return pod

    def _template(self, workload: Workload) -> Object:
        app, side = container(workload.name), container("mesh-proxy", ports=False)
        volumes = [
            {"name": "config", "configMap": {"name": f"{workload.name}-config", "defaultMode": 420}},
            {"name": "scratch", "emptyDir": {}},
            api_access(),
        ]
        spec = {
            "containers": [app, side],
            "volumes": volumes, "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "default", "serviceAccount": "default", "schedulerName": "default-scheduler",
            "securityContext": {"runAsUser": 1000, "fsGroup": 1000}, "affinity": spread_over_nodes(workload.labels),
        }  # fmt: skip
        return {"metadata": {"labels": dict(workload.labels)}, "spec": spec}

    def event_objects(self) -> Iterator[Object]:
        """The warnings about broken pods, and the everyday events of healthy ones up to the number wanted."""
        made = 0
        for workload in self.workloads:
            for number in range(workload.replicas if workload.cause else 0):
                for says in workload.cause.says if workload.cause else ():
                    if made < self.events:
                        yield self._event(workload, number, "Warning", *says, made)
                        made += 1
        rng = self._random("events")
        healthy = [workload for workload in self.workloads if not workload.cause] or self.workloads
        while made < self.events:
            workload = rng.choice(healthy)
            yield self._event(workload, rng.randrange(workload.replicas), "Normal", *rng.choice(EVERYDAY), made)
            made += 1

    def _event(self, workload: Workload, number: int, kind: str, reason: str, component: str, message: str, at: int) -> Object:
        rng = self._random(f"event {at}")
        pod = self.pod_name(workload, number)
        seen = self._ago(rng.randrange(20, 250) if kind == "Warning" else rng.randrange(60, 3500))
        meta = {"name": f"{pod}.{hexadecimal(rng, 16)}", "namespace": workload.namespace, "creationTimestamp": seen}
        about = {"kind": "Pod", "apiVersion": "v1", "namespace": workload.namespace, "name": pod, "uid": uid(rng)}
        made = self._object("v1", "Event", meta, rng, component)
        return {
            **made,
            "involvedObject": about,
            "reason": reason,
            "message": message.format(app=workload.name, pod=pod, namespace=workload.namespace, nodes=self.nodes),
            "source": {"component": component, "host": self.node_name(at % self.nodes)} if component == "kubelet" else {},
            "firstTimestamp": self._ago(3590) if kind == "Warning" else seen,
            "lastTimestamp": seen,
            "count": rng.randrange(2, 300) if kind == "Warning" else 1,
            "type": kind,
            "eventTime": None,
            "reportingComponent": component,
            "reportingInstance": self.node_name(at % self.nodes),
        }

    def _object(self, version: str, kind: str, meta: Object, rng: random.Random, manager: str, **parts: Object) -> Object:
        meta = {
            "uid": uid(rng),
            "resourceVersion": str(rng.randrange(10**9)),
            "creationTimestamp": self._ago(86400 * 40),
            **meta,
        }
        made: Object = {"apiVersion": version, "kind": kind, "metadata": meta, **parts}
        if self.managed_fields:
            entries = [
                {
                    "manager": manager if part in ("status", "metadata") else "kube-controller-manager",
                    "operation": "Update", "apiVersion": version, "time": meta["creationTimestamp"], "fieldsType": "FieldsV1",
                    "fieldsV1": {f"f:{part}": tracked_fields(made[part])},
                    **({"subresource": "status"} if part == "status" else {}),
                }
                for part in ("metadata", *parts)
            ]  # fmt: skip
            meta["managedFields"] = entries
        return made
