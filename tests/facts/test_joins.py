"""How objects belong together, and the paths along which a cause reaches its effects."""

from typing import Any

import pytest

from kubecause.facts.paths import PATHS, connected
from kubecause.model import Entity

CLUSTER = """
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, clusterIP: 10.96.0.7, ports: [{port: 5432}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {volumeName: pv-1}
status: {phase: Bound}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: shop}
spec: {rules: [{http: {paths: [{path: /, backend: {service: {name: db}}}]}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template: {spec: {containers: [{name: main, env: [{name: DB, value: 'db.shop:5432'}]}]}}
status: {replicas: 1}
---
apiVersion: v1
kind: Pod
metadata: {name: db-5d9c7b8f54-x2x4x, namespace: shop, labels: {app: db, pod-template-hash: 5d9c7b8f54}}
spec:
  nodeName: w1
  containers: [{name: main, image: 'registry.corp/db:1'}]
  volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]
status: {phase: Running}
"""
DEPLOYMENT = Entity("Deployment", "db", "shop")
POD = Entity("Pod", "db-5d9c7b8f54-x2x4x", "shop")
CONTAINER = Entity("Container", "main", "shop", pod=POD.name)
NODE = Entity("Node", "w1")
SERVICE = Entity("Service", "db", "shop")
CLAIM = Entity("PersistentVolumeClaim", "data", "shop")
INGRESS = Entity("Ingress", "front", "shop")
API = Entity("Deployment", "api", "shop")
OTHER = Entity("Pod", "web-0", "other")


@pytest.mark.parametrize(
    ("cause", "via", "effect"),
    [
        (CONTAINER, "self", DEPLOYMENT),
        (NODE, "pod.node", DEPLOYMENT),
        (NODE, "pod.node", SERVICE),
        (NODE, "node.components", NODE),
        (DEPLOYMENT, "pod.workload", CONTAINER),
        (Entity("Namespace", "shop"), "pod.namespace", POD),
        (CLAIM, "pod.claims", DEPLOYMENT),
        (CLAIM, "claim.volume", Entity("PersistentVolume", "pv-1")),
        (SERVICE, "service.pods", POD),
        (CLAIM, "service.pods", SERVICE),
        (INGRESS, "ingress.service", SERVICE),
        (INGRESS, "ingress.service", DEPLOYMENT),
        (SERVICE, "workload.dependencies", API),
        (Entity("Registry", "registry.corp"), "registry.images", CONTAINER),
        (NODE, "cluster", OTHER),
    ],
)
def test_a_path_joins_what_belongs_together(read: Any, cause: Entity, via: str, effect: Entity) -> None:
    """Each path leads from the cause to the effect."""
    _, joins = read(CLUSTER)

    assert connected(joins, cause, effect, via)


@pytest.mark.parametrize("via", sorted(PATHS.keys() - {"cluster"}))
def test_no_path_joins_strangers(read: Any, via: str) -> None:
    """A pod of another namespace without a node is reached by nothing but the cluster."""
    _, joins = read(CLUSTER)

    assert not any(connected(joins, cause, OTHER, via) for cause in (DEPLOYMENT, NODE, SERVICE, CLAIM, INGRESS))


def test_the_hash_of_a_template_proves_a_deployment(read: Any) -> None:
    """A pod with ``pod-template-hash`` belongs to a Deployment even when no document shows it."""
    _, joins = read(CLUSTER)

    assert joins.top_owner(CONTAINER) == DEPLOYMENT


@pytest.mark.parametrize(
    ("host", "found"),
    [("db", True), ("db.shop", True), ("db.shop.svc.cluster.local", True), ("10.96.0.7", True), ("db.other", False)],
)
def test_names_and_addresses_of_services(read: Any, host: str, found: bool) -> None:
    """A DNS name or cluster IP means the Service that carries it."""
    _, joins = read(CLUSTER)

    assert found == (joins.service_called(host, "shop") is not None)
