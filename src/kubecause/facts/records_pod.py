"""Pods as far as reasoning needs them: partial typed records in the API's own shape.

Everything has a default, so that half an object (a table row, a cut describe output, an old API version) is still an
object. Quantities stay as written; :mod:`kubecause.facts.quantities` reads them.
"""

from __future__ import annotations

from typing import Any

import msgspec

Quantity = str | int | float


class Part(msgspec.Struct, rename="camel", kw_only=True):
    """What all records share: camelCase names, defaults for everything."""


class OwnerReference(Part):
    kind: str = ""
    name: str = ""
    controller: bool = True


class Metadata(Part):
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


class ManagedFields(Part):
    """Who wrote an object last, and when; which fields is not read."""

    manager: str = ""
    operation: str = ""
    subresource: str | None = None
    time: str | None = None


class EditedMetadata(Metadata):
    """Metadata of the kinds that people edit; pods, which are many, have theirs from a template."""

    managed_fields: list[ManagedFields] = []


class Condition(Part):
    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None
    last_transition_time: str | None = None


# --- pods -------------------------------------------------------------------------------------------------


class Handler(Part):
    """``httpGet``, ``tcpSocket`` or ``grpc`` of a probe or hook."""

    port: str | int | None = None
    path: str | None = None
    scheme: str | None = None
    host: str | None = None
    service: str | None = None


class ExecAction(Part):
    command: list[str] = []


class Probe(Part):
    http_get: Handler | None = None
    tcp_socket: Handler | None = None
    grpc: Handler | None = None
    exec_: ExecAction | None = msgspec.field(default=None, name="exec")
    initial_delay_seconds: int = 0
    timeout_seconds: int = 1
    period_seconds: int = 10
    success_threshold: int = 1
    failure_threshold: int = 3


class KeyReference(Part):
    name: str = ""
    key: str = ""
    optional: bool = False


class ValueFrom(Part):
    secret_key_ref: KeyReference | None = None
    config_map_key_ref: KeyReference | None = None


class EnvVar(Part):
    name: str = ""
    value: str | None = None
    value_from: ValueFrom | None = None


class EnvFrom(Part):
    secret_ref: KeyReference | None = None
    config_map_ref: KeyReference | None = None
    prefix: str | None = None


class ContainerPort(Part):
    container_port: int = 0
    name: str | None = None
    protocol: str = "TCP"
    host_port: int | None = None


class Resources(Part):
    requests: dict[str, Quantity] = {}
    limits: dict[str, Quantity] = {}


class VolumeMount(Part):
    name: str = ""
    mount_path: str = ""
    sub_path: str | None = None
    read_only: bool = False


class SecurityContext(Part):
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    read_only_root_filesystem: bool | None = None
    fs_group: int | None = None
    privileged: bool | None = None


class Container(Part):
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


class Running(Part):
    started_at: str | None = None


class Waiting(Part):
    reason: str | None = None
    message: str | None = None


class Terminated(Part):
    reason: str | None = None
    message: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    started_at: str | None = None
    finished_at: str | None = None


class ContainerState(Part):
    running: Running | None = None
    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(Part):
    name: str = ""
    ready: bool | None = None
    restart_count: int = 0
    state: ContainerState = msgspec.field(default_factory=ContainerState)
    last_state: ContainerState = msgspec.field(default_factory=ContainerState)


class Requirement(Part):
    key: str = ""
    operator: str = "In"
    values: list[str] = []


class NodeSelectorTerm(Part):
    match_expressions: list[Requirement] = []
    match_fields: list[Requirement] = []


class NodeSelector(Part):
    node_selector_terms: list[NodeSelectorTerm] = []


class NodeAffinity(Part):
    required: NodeSelector | None = msgspec.field(default=None, name="requiredDuringSchedulingIgnoredDuringExecution")


class LabelSelector(Part):
    match_labels: dict[str, str | None] = {}
    match_expressions: list[Requirement] = []


class PodAffinityTerm(Part):
    label_selector: LabelSelector | None = None
    topology_key: str = ""
    namespaces: list[str] = []


class PodAffinity(Part):
    required: list[PodAffinityTerm] = msgspec.field(default_factory=list, name="requiredDuringSchedulingIgnoredDuringExecution")


class Affinity(Part):
    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class Toleration(Part):
    key: str | None = None
    operator: str = "Equal"
    value: str | None = None
    effect: str | None = None


class SpreadConstraint(Part):
    max_skew: int = 1
    topology_key: str = ""
    when_unsatisfiable: str = "DoNotSchedule"
    label_selector: LabelSelector | None = None


class ClaimSource(Part):
    claim_name: str = ""


class NamedSource(Part):
    """A Secret or ConfigMap volume; upstream calls the name ``secretName`` or ``name``."""

    name: str = ""
    secret_name: str = ""
    optional: bool = False


class HostPath(Part):
    path: str = ""
    type: str | None = None


class Volume(Part):
    name: str = ""
    persistent_volume_claim: ClaimSource | None = None
    secret: NamedSource | None = None
    config_map: NamedSource | None = None
    host_path: HostPath | None = None
    empty_dir: dict[str, Any] | None = None


class LocalReference(Part):
    name: str = ""


class PodResourceClaim(Part):
    """What names the devices that a pod claims: a ResourceClaim, or the template that one is made from."""

    name: str = ""
    resource_claim_name: str | None = None
    resource_claim_template_name: str | None = None


class PodSpec(Part):
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
    scheduling_gates: list[LocalReference] = []
    resource_claims: list[PodResourceClaim] = []
    image_pull_secrets: list[LocalReference] = []
    priority: int | None = None
    security_context: SecurityContext | None = None

    @property
    def lasting(self) -> list[Container]:
        """Its containers, and its sidecars: init containers that keep running (``restartPolicy: Always``, since 1.28)."""
        sidecars = [each for each in self.init_containers if each.restart_policy == "Always"]
        return sidecars + self.containers if sidecars else self.containers


class PodStatus(Part):
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


class Pod(Part):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)
