"""Services, endpoints, Ingresses and NetworkPolicies as far as reasoning needs them, like :mod:`kubecause.facts.records_pod`."""

from __future__ import annotations

from typing import Any

import msgspec

from kubecause.facts.records_pod import EditedMetadata, LabelSelector, Part


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


class PolicyPort(Part):
    protocol: str | None = None
    port: str | int | None = None
    end_port: int | None = None


class PolicyPeer(Part):
    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: dict[str, Any] | None = None


class IngressPolicyRule(Part):
    peers: list[PolicyPeer] = msgspec.field(default_factory=list, name="from")
    ports: list[PolicyPort] = []


class EgressPolicyRule(Part):
    peers: list[PolicyPeer] = msgspec.field(default_factory=list, name="to")
    ports: list[PolicyPort] = []


class NetworkPolicySpec(Part):
    pod_selector: LabelSelector = msgspec.field(default_factory=LabelSelector)
    policy_types: list[str] = []
    ingress: list[IngressPolicyRule] = []
    egress: list[EgressPolicyRule] = []


class NetworkPolicy(Part):
    metadata: EditedMetadata = msgspec.field(default_factory=EditedMetadata)
    spec: NetworkPolicySpec = msgspec.field(default_factory=NetworkPolicySpec)
