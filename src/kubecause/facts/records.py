"""Kubernetes objects other than pods, and the record that each kind is read into.

Partial typed records in the API's own shape, like :mod:`kubecause.facts.records_pod`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from kubecause.facts.records_access import Account, Binding, Role
from kubecause.facts.records_budget import Budget
from kubecause.facts.records_pod import Condition, LabelSelector, Metadata, NodeSelector, Part, Pod, PodSpec, Quantity, Resources

# --- who wrote an object ------------------------------------------------------------------------------------


class ManagedFields(Part):
    """Who wrote an object last, and when; which fields is not read."""

    manager: str = ""
    operation: str = ""
    subresource: str | None = None
    time: str | None = None


class EditedMetadata(Metadata):
    """Metadata of the kinds that people edit; pods, which are many, have theirs from a template."""

    managed_fields: list[ManagedFields] = []


# --- workloads --------------------------------------------------------------------------------------------


class PodTemplate(Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)


class WorkloadSpec(Part):
    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplate = msgspec.field(default_factory=PodTemplate)
    suspend: bool = False
    paused: bool = False
    schedule: str | None = None


class WorkloadStatus(Part):
    observed_generation: int | None = None
    replicas: int | None = None
    ready_replicas: int | None = None
    available_replicas: int | None = None
    updated_replicas: int | None = None
    updated_number_scheduled: int | None = None
    current_revision: str | None = None
    update_revision: str | None = None
    desired_number_scheduled: int | None = None
    number_ready: int | None = None
    conditions: list[Condition] = []
    active: int | None = None
    succeeded: int | None = None
    failed: int | None = None


class Workload(Part):
    metadata: EditedMetadata = msgspec.field(default_factory=EditedMetadata)
    spec: WorkloadSpec = msgspec.field(default_factory=WorkloadSpec)
    status: WorkloadStatus = msgspec.field(default_factory=WorkloadStatus)


# --- nodes ------------------------------------------------------------------------------------------------


class Taint(Part):
    key: str = ""
    value: str | None = None
    effect: str = ""


class Address(Part):
    type: str = ""
    address: str = ""


class NodeInfo(Part):
    kubelet_version: str | None = None
    container_runtime_version: str | None = None
    kernel_version: str | None = None


class NodeSpec(Part):
    unschedulable: bool = False
    taints: list[Taint] = []
    pod_cidr: str | None = msgspec.field(default=None, name="podCIDR")


class NodeStatus(Part):
    conditions: list[Condition] = []
    allocatable: dict[str, Quantity] = {}
    capacity: dict[str, Quantity] = {}
    addresses: list[Address] = []
    node_info: NodeInfo = msgspec.field(default_factory=NodeInfo)
    requested: dict[str, Quantity] = {}  # "Allocated resources" of describe; not an API field
    pods_bound: int | None = None  # "Non-terminated Pods" of describe; not an API field
    printed: str | None = None  # under STATUS


class Node(Part):
    metadata: EditedMetadata = msgspec.field(default_factory=EditedMetadata)
    spec: NodeSpec = msgspec.field(default_factory=NodeSpec)
    status: NodeStatus = msgspec.field(default_factory=NodeStatus)


# --- network ----------------------------------------------------------------------------------------------


class ServicePort(Part):
    name: str | None = None
    port: int = 0
    target_port: str | int | None = None
    node_port: int | None = None
    protocol: str = "TCP"
    app_protocol: str | None = None


class ServiceSpec(Part):
    type: str = "ClusterIP"
    selector: dict[str, str | None] = {}
    ports: list[ServicePort] = []
    cluster_ip: str | None = msgspec.field(default=None, name="clusterIP")
    external_name: str | None = None
    external_traffic_policy: str | None = None


class LoadBalancerStatus(Part):
    ingress: list[dict[str, Any]] = []


class ServiceStatus(Part):
    load_balancer: LoadBalancerStatus | None = None  # in every object of the API
    endpoints: list[str] | None = None  # describe prints them; None = not seen
    external: str | None = None  # EXTERNAL-IP of the table


class Service(Part):
    metadata: EditedMetadata = msgspec.field(default_factory=EditedMetadata)
    spec: ServiceSpec = msgspec.field(default_factory=ServiceSpec)
    status: ServiceStatus = msgspec.field(default_factory=ServiceStatus)


class EndpointPort(Part):
    name: str | None = None
    port: int = 0
    protocol: str = "TCP"


class EndpointSubset(Part):
    addresses: list[dict[str, Any] | str] = []  # as Endpoints write them, or EndpointSlices
    not_ready_addresses: list[dict[str, Any] | str] = []
    ports: list[EndpointPort] = []


class Endpoints(Part):
    metadata: EditedMetadata = msgspec.field(default_factory=EditedMetadata)
    subsets: list[EndpointSubset] = []


class EndpointConditions(Part):
    ready: bool | None = None


class SliceEndpoint(Part):
    addresses: list[str] | None = None
    conditions: EndpointConditions | None = None


class EndpointSlice(Endpoints):
    """Read as the one subset that it is; readiness that nobody states counts as ready (discovery/v1)."""

    endpoints: list[SliceEndpoint] | None = None
    ports: list[EndpointPort] | None = None

    def __post_init__(self) -> None:
        if self.subsets or (self.endpoints is None and self.ports is None):
            return
        subset = EndpointSubset(ports=self.ports or [])
        for endpoint in self.endpoints or ():
            waits = endpoint.conditions is not None and endpoint.conditions.ready is False
            among = subset.not_ready_addresses if waits else subset.addresses
            among.extend(endpoint.addresses or ())
        self.subsets, self.endpoints = [subset], None


class BackendPort(Part):
    number: int | None = None
    name: str | None = None


class ServiceBackend(Part):
    name: str = ""
    port: BackendPort = msgspec.field(default_factory=BackendPort)


class IngressBackend(Part):
    service: ServiceBackend | None = None
    service_name: str | None = None
    service_port: str | int | None = None


class IngressPath(Part):
    path: str | None = None
    backend: IngressBackend = msgspec.field(default_factory=IngressBackend)


class IngressPaths(Part):
    paths: list[IngressPath] = []


class IngressRule(Part):
    host: str | None = None
    http: IngressPaths | None = None


class IngressTls(Part):
    secret_name: str | None = None
    hosts: list[str] = []


class IngressSpec(Part):
    ingress_class_name: str | None = None
    rules: list[IngressRule] = []
    tls: list[IngressTls] = []
    default_backend: IngressBackend | None = None


class Ingress(Part):
    metadata: EditedMetadata = msgspec.field(default_factory=EditedMetadata)
    spec: IngressSpec = msgspec.field(default_factory=IngressSpec)


# --- storage, quota, rest ---------------------------------------------------------------------------------


class ClaimSpec(Part):
    storage_class_name: str | None = None
    access_modes: list[str] = []
    resources: Resources = msgspec.field(default_factory=Resources)
    selector: LabelSelector | None = None
    volume_name: str | None = None
    volume_mode: str | None = None


class ClaimStatus(Part):
    phase: str | None = None
    access_modes: list[str] = []
    capacity: dict[str, Quantity] = {}
    used_by: list[str] = []  # describe prints it; not an API field


class Claim(Part):
    metadata: EditedMetadata = msgspec.field(default_factory=EditedMetadata)
    spec: ClaimSpec = msgspec.field(default_factory=ClaimSpec)
    status: ClaimStatus = msgspec.field(default_factory=ClaimStatus)


class ClaimReference(Part):
    name: str = ""
    namespace: str | None = None


class VolumeNodeAffinity(Part):
    required: NodeSelector | None = None


class VolumeSpec(Part):
    capacity: dict[str, Quantity] = {}
    access_modes: list[str] = []
    storage_class_name: str | None = None
    claim_ref: ClaimReference | None = None
    node_affinity: VolumeNodeAffinity | None = None
    volume_mode: str | None = None


class VolumeStatus(Part):
    phase: str | None = None
    message: str | None = None


class PersistentVolume(Part):
    metadata: EditedMetadata = msgspec.field(default_factory=EditedMetadata)
    spec: VolumeSpec = msgspec.field(default_factory=VolumeSpec)
    status: VolumeStatus = msgspec.field(default_factory=VolumeStatus)


class StorageClass(Part):
    metadata: EditedMetadata = msgspec.field(default_factory=EditedMetadata)
    provisioner: str = ""
    volume_binding_mode: str | None = None


class QuotaStatus(Part):
    hard: dict[str, Quantity] = {}
    used: dict[str, Quantity] = {}


class Quota(Part):
    metadata: EditedMetadata = msgspec.field(default_factory=EditedMetadata)
    spec: QuotaStatus = msgspec.field(default_factory=QuotaStatus)
    status: QuotaStatus = msgspec.field(default_factory=QuotaStatus)


class PhaseStatus(Part):
    phase: str | None = None
    conditions: list[Condition] = []


class ConfigMap(Part):
    metadata: EditedMetadata = msgspec.field(default_factory=EditedMetadata)
    data: dict[str, str | None] = {}


class Anything(Part):
    """Any other kind: conditions and phase are read as they are."""

    metadata: EditedMetadata = msgspec.field(default_factory=EditedMetadata)
    spec: dict[str, Any] = {}
    status: PhaseStatus = msgspec.field(default_factory=PhaseStatus)


KubernetesObject = (
    Pod
    | Workload
    | Node
    | Service
    | Endpoints
    | Ingress
    | Claim
    | PersistentVolume
    | StorageClass
    | Quota
    | ConfigMap
    | Budget
    | Binding
    | Role
    | Account
    | Anything
)

RECORD_OF_KIND: dict[str, type[KubernetesObject]] = {
    "Pod": Pod,
    "Deployment": Workload,
    "ReplicaSet": Workload,
    "StatefulSet": Workload,
    "DaemonSet": Workload,
    "ReplicationController": Workload,
    "Job": Workload,
    "CronJob": Workload,
    "Node": Node,
    "Service": Service,
    "Endpoints": Endpoints,
    "EndpointSlice": EndpointSlice,
    "Ingress": Ingress,
    "PersistentVolumeClaim": Claim,
    "PersistentVolume": PersistentVolume,
    "StorageClass": StorageClass,
    "ResourceQuota": Quota,
    "ConfigMap": ConfigMap,
    "PodDisruptionBudget": Budget,
    "RoleBinding": Binding,
    "ClusterRoleBinding": Binding,
    "Role": Role,
    "ClusterRole": Role,
    "ServiceAccount": Account,
}

CLUSTER_KINDS = frozenset(
    [
        "Node",
        "PersistentVolume",
        "StorageClass",
        "Namespace",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "APIService",
        "CSINode",
        "VolumeAttachment",
        "PriorityClass",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
        "CertificateSigningRequest",
        "RuntimeClass",
        "CSIDriver",
        "ComponentStatus",
    ]
)

# Where Kubernetes and its add-ons live; people's own objects live elsewhere.
SYSTEM_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease"})
