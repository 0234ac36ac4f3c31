"""Kubernetes objects as far as reasoning needs them: partial typed records in the API's own shape.

Everything has a default, so that half an object (a table row, a cut describe output, an old API version) is still an
object. Quantities stay as written; :mod:`kubecause.facts.quantities` reads them.
"""

from __future__ import annotations

from typing import Any

import msgspec

Quantity = str | int | float


class _Part(msgspec.Struct, rename="camel", kw_only=True):
    pass


class OwnerReference(_Part):
    kind: str = ""
    name: str = ""
    controller: bool = True


class Metadata(_Part):
    name: str = ""
    namespace: str | None = None
    uid: str | None = None
    labels: dict[str, str | None] = {}
    annotations: dict[str, str | None] = {}
    owner_references: list[OwnerReference] = []
    finalizers: list[str] = []
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    generation: int | None = None


class Condition(_Part):
    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None
    last_transition_time: str | None = None


# --- pods -------------------------------------------------------------------------------------------------


class Handler(_Part):
    """``httpGet``, ``tcpSocket`` or ``grpc`` of a probe or hook."""

    port: str | int | None = None
    path: str | None = None
    scheme: str | None = None
    host: str | None = None
    service: str | None = None


class ExecAction(_Part):
    command: list[str] = []


class Probe(_Part):
    http_get: Handler | None = None
    tcp_socket: Handler | None = None
    grpc: Handler | None = None
    exec_: ExecAction | None = msgspec.field(default=None, name="exec")
    initial_delay_seconds: int = 0
    timeout_seconds: int = 1
    period_seconds: int = 10
    success_threshold: int = 1
    failure_threshold: int = 3


class KeyReference(_Part):
    name: str = ""
    key: str = ""
    optional: bool = False


class ValueFrom(_Part):
    secret_key_ref: KeyReference | None = None
    config_map_key_ref: KeyReference | None = None


class EnvVar(_Part):
    name: str = ""
    value: str | None = None
    value_from: ValueFrom | None = None


class EnvFrom(_Part):
    secret_ref: KeyReference | None = None
    config_map_ref: KeyReference | None = None
    prefix: str | None = None


class ContainerPort(_Part):
    container_port: int = 0
    name: str | None = None
    protocol: str = "TCP"
    host_port: int | None = None


class Resources(_Part):
    requests: dict[str, Quantity] = {}
    limits: dict[str, Quantity] = {}


class VolumeMount(_Part):
    name: str = ""
    mount_path: str = ""
    sub_path: str | None = None
    read_only: bool = False


class SecurityContext(_Part):
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    read_only_root_filesystem: bool | None = None
    fs_group: int | None = None
    privileged: bool | None = None


class Container(_Part):
    name: str = ""
    image: str = ""
    command: list[str] = []
    args: list[str] = []
    env: list[EnvVar] = []
    env_from: list[EnvFrom] = []
    ports: list[ContainerPort] = []
    resources: Resources = msgspec.field(default_factory=Resources)
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    volume_mounts: list[VolumeMount] = []
    image_pull_policy: str | None = None
    security_context: SecurityContext | None = None
    restart_policy: str | None = None


class Running(_Part):
    started_at: str | None = None


class Waiting(_Part):
    reason: str | None = None
    message: str | None = None


class Terminated(_Part):
    reason: str | None = None
    message: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    started_at: str | None = None
    finished_at: str | None = None


class ContainerState(_Part):
    running: Running | None = None
    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(_Part):
    name: str = ""
    ready: bool | None = None
    restart_count: int = 0
    state: ContainerState = msgspec.field(default_factory=ContainerState)
    last_state: ContainerState = msgspec.field(default_factory=ContainerState)


class Requirement(_Part):
    key: str = ""
    operator: str = "In"
    values: list[str] = []


class NodeSelectorTerm(_Part):
    match_expressions: list[Requirement] = []
    match_fields: list[Requirement] = []


class NodeSelector(_Part):
    node_selector_terms: list[NodeSelectorTerm] = []


class NodeAffinity(_Part):
    required: NodeSelector | None = msgspec.field(default=None, name="requiredDuringSchedulingIgnoredDuringExecution")


class LabelSelector(_Part):
    match_labels: dict[str, str | None] = {}
    match_expressions: list[Requirement] = []


class PodAffinityTerm(_Part):
    label_selector: LabelSelector | None = None
    topology_key: str = ""
    namespaces: list[str] = []


class PodAffinity(_Part):
    required: list[PodAffinityTerm] = msgspec.field(default_factory=list, name="requiredDuringSchedulingIgnoredDuringExecution")


class Affinity(_Part):
    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class Toleration(_Part):
    key: str | None = None
    operator: str = "Equal"
    value: str | None = None
    effect: str | None = None


class SpreadConstraint(_Part):
    max_skew: int = 1
    topology_key: str = ""
    when_unsatisfiable: str = "DoNotSchedule"
    label_selector: LabelSelector | None = None


class ClaimSource(_Part):
    claim_name: str = ""


class NamedSource(_Part):
    """A Secret or ConfigMap volume; upstream calls the name ``secretName`` or ``name``."""

    name: str = ""
    secret_name: str = ""
    optional: bool = False


class HostPath(_Part):
    path: str = ""
    type: str | None = None


class Volume(_Part):
    name: str = ""
    persistent_volume_claim: ClaimSource | None = None
    secret: NamedSource | None = None
    config_map: NamedSource | None = None
    host_path: HostPath | None = None
    empty_dir: dict[str, Any] | None = None


class LocalReference(_Part):
    name: str = ""


class PodSpec(_Part):
    node_name: str | None = None
    node_selector: dict[str, str | None] = {}
    affinity: Affinity | None = None
    tolerations: list[Toleration] = []
    topology_spread_constraints: list[SpreadConstraint] = []
    containers: list[Container] = []
    init_containers: list[Container] = []
    volumes: list[Volume] = []
    service_account_name: str | None = None
    host_network: bool = False
    dns_policy: str | None = None
    restart_policy: str | None = None
    scheduler_name: str | None = None
    image_pull_secrets: list[LocalReference] = []
    priority: int | None = None
    security_context: SecurityContext | None = None


class PodStatus(_Part):
    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    pod_ip: str | None = msgspec.field(default=None, name="podIP")
    start_time: str | None = None
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []
    printed: str | None = None  # what kubectl prints under STATUS; not an API field
    ready_text: str | None = None  # "1/2" under READY; not an API field
    restarts: int | None = None  # under RESTARTS
    last_restart_age: float | None = None  # seconds, "(5m ago)" under RESTARTS
    age: float | None = None  # seconds, under AGE


class Pod(_Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)


# --- workloads --------------------------------------------------------------------------------------------


class PodTemplate(_Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)


class WorkloadSpec(_Part):
    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplate = msgspec.field(default_factory=PodTemplate)
    suspend: bool = False
    paused: bool = False
    schedule: str | None = None


class WorkloadStatus(_Part):
    replicas: int | None = None
    ready_replicas: int | None = None
    available_replicas: int | None = None
    updated_replicas: int | None = None
    desired_number_scheduled: int | None = None
    number_ready: int | None = None
    conditions: list[Condition] = []
    active: int | None = None
    succeeded: int | None = None
    failed: int | None = None


class Workload(_Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: WorkloadSpec = msgspec.field(default_factory=WorkloadSpec)
    status: WorkloadStatus = msgspec.field(default_factory=WorkloadStatus)


# --- nodes ------------------------------------------------------------------------------------------------


class Taint(_Part):
    key: str = ""
    value: str | None = None
    effect: str = ""


class Address(_Part):
    type: str = ""
    address: str = ""


class NodeInfo(_Part):
    kubelet_version: str | None = None
    container_runtime_version: str | None = None
    kernel_version: str | None = None


class NodeSpec(_Part):
    unschedulable: bool = False
    taints: list[Taint] = []
    pod_cidr: str | None = msgspec.field(default=None, name="podCIDR")


class NodeStatus(_Part):
    conditions: list[Condition] = []
    allocatable: dict[str, Quantity] = {}
    capacity: dict[str, Quantity] = {}
    addresses: list[Address] = []
    node_info: NodeInfo = msgspec.field(default_factory=NodeInfo)
    requested: dict[str, Quantity] = {}  # "Allocated resources" of describe; not an API field
    pods_bound: int | None = None  # "Non-terminated Pods" of describe; not an API field
    printed: str | None = None  # under STATUS


class Node(_Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: NodeSpec = msgspec.field(default_factory=NodeSpec)
    status: NodeStatus = msgspec.field(default_factory=NodeStatus)


# --- network ----------------------------------------------------------------------------------------------


class ServicePort(_Part):
    name: str | None = None
    port: int = 0
    target_port: str | int | None = None
    node_port: int | None = None
    protocol: str = "TCP"
    app_protocol: str | None = None


class ServiceSpec(_Part):
    type: str = "ClusterIP"
    selector: dict[str, str | None] = {}
    ports: list[ServicePort] = []
    cluster_ip: str | None = msgspec.field(default=None, name="clusterIP")
    external_name: str | None = None
    external_traffic_policy: str | None = None


class ServiceStatus(_Part):
    endpoints: list[str] | None = None  # describe prints them; None = not seen
    external: str | None = None  # EXTERNAL-IP of the table


class Service(_Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: ServiceSpec = msgspec.field(default_factory=ServiceSpec)
    status: ServiceStatus = msgspec.field(default_factory=ServiceStatus)


class EndpointAddress(_Part):
    ip: str = ""


class EndpointPort(_Part):
    name: str | None = None
    port: int = 0
    protocol: str = "TCP"


class EndpointSubset(_Part):
    addresses: list[EndpointAddress] = []
    not_ready_addresses: list[EndpointAddress] = []
    ports: list[EndpointPort] = []


class Endpoints(_Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    subsets: list[EndpointSubset] = []


class BackendPort(_Part):
    number: int | None = None
    name: str | None = None


class ServiceBackend(_Part):
    name: str = ""
    port: BackendPort = msgspec.field(default_factory=BackendPort)


class IngressBackend(_Part):
    service: ServiceBackend | None = None
    service_name: str | None = None
    service_port: str | int | None = None


class IngressPath(_Part):
    path: str | None = None
    backend: IngressBackend = msgspec.field(default_factory=IngressBackend)


class IngressPaths(_Part):
    paths: list[IngressPath] = []


class IngressRule(_Part):
    host: str | None = None
    http: IngressPaths | None = None


class IngressTls(_Part):
    secret_name: str | None = None
    hosts: list[str] = []


class IngressSpec(_Part):
    ingress_class_name: str | None = None
    rules: list[IngressRule] = []
    tls: list[IngressTls] = []
    default_backend: IngressBackend | None = None


class Ingress(_Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: IngressSpec = msgspec.field(default_factory=IngressSpec)


# --- storage, quota, rest ---------------------------------------------------------------------------------


class ClaimSpec(_Part):
    storage_class_name: str | None = None
    access_modes: list[str] = []
    resources: Resources = msgspec.field(default_factory=Resources)
    selector: LabelSelector | None = None
    volume_name: str | None = None
    volume_mode: str | None = None


class ClaimStatus(_Part):
    phase: str | None = None
    access_modes: list[str] = []
    capacity: dict[str, Quantity] = {}
    used_by: list[str] = []  # describe prints it; not an API field


class Claim(_Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: ClaimSpec = msgspec.field(default_factory=ClaimSpec)
    status: ClaimStatus = msgspec.field(default_factory=ClaimStatus)


class ClaimReference(_Part):
    name: str = ""
    namespace: str | None = None


class VolumeNodeAffinity(_Part):
    required: NodeSelector | None = None


class VolumeSpec(_Part):
    capacity: dict[str, Quantity] = {}
    access_modes: list[str] = []
    storage_class_name: str | None = None
    claim_ref: ClaimReference | None = None
    node_affinity: VolumeNodeAffinity | None = None
    volume_mode: str | None = None


class VolumeStatus(_Part):
    phase: str | None = None
    message: str | None = None


class PersistentVolume(_Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: VolumeSpec = msgspec.field(default_factory=VolumeSpec)
    status: VolumeStatus = msgspec.field(default_factory=VolumeStatus)


class StorageClass(_Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    provisioner: str = ""
    volume_binding_mode: str | None = None


class QuotaStatus(_Part):
    hard: dict[str, Quantity] = {}
    used: dict[str, Quantity] = {}


class Quota(_Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: QuotaStatus = msgspec.field(default_factory=QuotaStatus)
    status: QuotaStatus = msgspec.field(default_factory=QuotaStatus)


class PhaseStatus(_Part):
    phase: str | None = None
    conditions: list[Condition] = []


class ConfigMap(_Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    data: dict[str, str | None] = {}


class Anything(_Part):
    """Any other kind: conditions and phase are read as they are."""

    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: dict[str, Any] = {}
    status: PhaseStatus = msgspec.field(default_factory=PhaseStatus)


KubernetesObject = (
    Pod | Workload | Node | Service | Endpoints | Ingress | Claim | PersistentVolume | StorageClass | Quota | ConfigMap | Anything
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
    "Ingress": Ingress,
    "PersistentVolumeClaim": Claim,
    "PersistentVolume": PersistentVolume,
    "StorageClass": StorageClass,
    "ResourceQuota": Quota,
    "ConfigMap": ConfigMap,
}

CLUSTER_KINDS = frozenset(
    ["Node", "PersistentVolume", "StorageClass", "Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "APIService", "CSINode", "VolumeAttachment", "PriorityClass", "IngressClass", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "CertificateSigningRequest", "RuntimeClass", "CSIDriver", "ComponentStatus"]
)
