"""Kubernetes objects other than pods, and the record that each kind is read into.

Partial typed records in the API's own shape, like :mod:`kubecause.facts.records_pod`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from kubecause.facts.records_access import Account, Binding, Role
from kubecause.facts.records_budget import Budget
from kubecause.facts.records_network import Endpoints, EndpointSlice, Ingress, NetworkPolicy, Service
from kubecause.facts.records_pod import (
    Condition,
    EditedMetadata,
    LabelSelector,
    Metadata,
    NodeSelector,
    Part,
    Pod,
    PodSpec,
    Quantity,
    Resources,
)

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
    | NetworkPolicy
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
    "NetworkPolicy": NetworkPolicy,
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
