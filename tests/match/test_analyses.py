"""Analyses over whole clusters: services, probes, quotas, claims, ports, databases, traffic, periodic logs."""

import json
from typing import Any

import pytest

from kubecause.model import Fact

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - name: main
        image: {name}:1
        ports: [{{containerPort: {port}}}]
        env: {env}
status: {{replicas: 1, readyReplicas: 1}}
---
apiVersion: v1
kind: Pod
metadata:
  name: {name}-6d8f7c9b54-x2x4x
  namespace: shop
  labels: {{app: {name}, pod-template-hash: 6d8f7c9b54}}
spec:
  nodeName: {node}
  containers:
  - {{name: main, image: '{name}:1', ports: [{{containerPort: {port}}}], env: {env}}}
status:
  phase: Running
  conditions: [{{type: Ready, status: 'True'}}]
  containerStatuses: [{{name: main, ready: true, restartCount: 0, state: {{running: {{}}}}}}]
---
"""

SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{app: {selects}}}
  clusterIP: 10.0.0.{ip}
  ports: [{{port: {port}, targetPort: {target}, protocol: {protocol}}}]
status: {{loadBalancer: {{}}}}
---
"""


def deployment(name: str, port: int = 80, node: str = "w1", **env: str) -> str:
    """A healthy workload with one pod."""
    return DEPLOYMENT.format(name=name, port=port, node=node, env=json.dumps([{"name": k, "value": v} for k, v in env.items()]))


def service(
    name: str, port: int = 80, target: int | str | None = None, selects: str | None = None, protocol: str = "TCP", ip: int = 9
) -> str:
    """A service; by default one that fits the workload of its name."""
    return SERVICE.format(name=name, port=port, target=target or port, selects=selects or name, protocol=protocol, ip=ip)


def facts(store: Any, kind: str) -> list[dict[str, Any]]:
    """Fields of all facts of a kind."""
    return [dict(fact.fields) for fact in store.facts[kind]]


def test_whole_service_path_is_silent(reason: Any) -> None:
    """A service that fits its pods gives no fact."""
    store, _ = reason(deployment("web", 8080, PORT="8080") + service("web", 80, 8080))

    assert [] == store.facts["service.broken"]


def test_selector_that_matches_nothing_names_the_workload_it_was_meant_for(reason: Any) -> None:
    """The selector's value differs from the labels of the workload of the same name."""
    store, _ = reason(deployment("web") + service("web", selects="web_app"))
    [fact] = facts(store, "service.broken")

    assert ("selector", "app=web_app", "app=web", "web") == (fact["hop"], fact["selector"], fact["near"], fact["workload"])


def test_target_port_that_nobody_listens_on(reason: Any) -> None:
    """The process says its port by a variable; the service targets another."""
    store, _ = reason(deployment("web", 8080, PORT="8080") + service("web", 80, 8081))
    [fact] = facts(store, "service.broken")

    assert ("target-port", "8081", "8080") == (fact["hop"], fact["target_port"], fact["listening"])


def test_protocol_of_the_port_differs_from_the_container(reason: Any) -> None:
    """UDP in the service, TCP in the container."""
    store, _ = reason(deployment("web", 8080, PORT="8080") + service("web", 8080, protocol="UDP"))
    [fact] = facts(store, "service.broken")

    assert ("protocol", "UDP", "TCP") == (fact["hop"], fact["protocol"], fact["app_protocol"])


def test_wrong_port_in_a_variable_is_found_and_proved_by_the_log(reason: Any) -> None:
    """A port that the service does not offer; the client's log shows the refusal."""
    store, _ = reason(
        deployment("db", 6379) + service("db", 6379, ip=7) + deployment("web", 80, DB_ADDR="db:6380"),
        logs__web="dial tcp 10.0.0.7:6380: connect: connection refused\n" * 3,
    )
    [fact] = facts(store, "client.address-wrong")

    assert ("port", "db:6379", False) == (fact["wrong"], fact["meant"], fact["failing"])


def test_name_of_a_service_that_does_not_exist(reason: Any) -> None:
    """A misspelt host names the service that comes nearest."""
    store, _ = reason(
        deployment("catalog", 3550) + service("catalog", 3550) + deployment("web", 80, CATALOG_ADDR="catalogs:3550")
    )
    [fact] = facts(store, "client.address-wrong")

    assert ("host", "catalog:3550") == (fact["wrong"], fact["meant"])


def test_addresses_outside_the_cluster_are_left_alone(reason: Any) -> None:
    """A public name, an IP address and localhost say nothing of services."""
    store, _ = reason(
        deployment("web", 80, A_URL="https://api.example.com/v1", B_HOST="10.1.2.3:99", C_ADDR="localhost:1") + service("web")
    )

    assert [] == store.facts["client.address-wrong"]


def test_refused_quota_is_read_with_its_amounts(reason: Any) -> None:
    """The API server's refusal names quota, resource and amounts."""
    store, _ = reason(
        'Warning  FailedCreate  20s (x6 over 99s)  replicaset-controller  Error creating: pods "web-8445f8b6cb-5xrnj" is forbidden: '
        "exceeded quota: pod-quota, requested: pods=1, used: pods=10, limited: pods=10\n"
    )
    [fact] = facts(store, "quota.exceeded")

    assert ("pods", "pods", "pod-quota", "10", True) == (
        fact["family"],
        fact["resource"],
        fact["quota"],
        fact["limited"],
        fact["refused"],
    )


def test_claim_that_asks_for_more_than_any_volume_offers(reason: Any) -> None:
    """Class and mode fit, the size does not."""
    store, _ = reason(
        """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {accessModes: [ReadWriteOnce], storageClassName: '', resources: {requests: {storage: 10Gi}}}
status: {phase: Pending}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: pv1}
spec: {accessModes: [ReadWriteOnce], storageClassName: '', capacity: {storage: 1Gi}}
status: {phase: Available}
"""
    )
    [fact] = facts(store, "claim.unbindable")

    assert ("capacity", "10Gi", "1Gi", "pv1") == (fact["wrong"], fact["wanted"], fact["offered"], fact["volume"])


def test_probe_on_a_port_that_the_process_does_not_serve(reason: Any) -> None:
    """The probe's port is none of the container's, which says its own by a variable."""
    store, _ = reason(
        """
$ kubectl describe pod web-0 -n shop
Name: web-0
Namespace: shop
Node: w1/10.0.0.1
Status: Running
Containers:
  main:
    Port:  8080/TCP
    State:  Running
    Ready:  False
    Restart Count:  0
    Readiness:  tcp-socket :8081 delay=0s timeout=1s period=10s #success=1 #failure=3
    Environment:
      PORT:  8080
Conditions:
  Type   Status
  Ready  False
QoS Class: Burstable
Events:
  Type     Reason     Age                From     Message
  ----     ------     ----               ----     -------
  Warning  Unhealthy  2s (x11 over 82s)  kubelet  Readiness probe failed: dial tcp 10.244.0.7:8081: connect: connection refused
"""
    )
    [fact] = facts(store, "probe.wrong")

    assert ("readiness", "port", "8081", "8080") == (fact["probe"], fact["wrong"], fact["port"], fact["listening"])


def test_probe_failure_of_a_pod_that_is_ready_again_is_over(reason: Any) -> None:
    """One failed probe at the start of a pod that is ready means nothing."""
    store, _ = reason(
        "$ kubectl get pods -n shop\nNAME  READY  STATUS   RESTARTS  AGE\nweb-0  1/1    Running  0         9m\n\n$ kubectl get events -n shop\n"
        "8m    Warning   Unhealthy   pod/web-0   Readiness probe failed: dial tcp 10.1.1.1:80: connect: connection refused\n"
    )

    assert [] == store.facts["probe.wrong"]


def alert(service: str, text: str) -> dict[str, Any]:
    """An alert as Alertmanager sends it."""
    return {"status": "firing", "labels": {"alertname": "A", "service": service}, "annotations": {"description": text}}


def test_slowness_starts_at_the_deepest_slow_service(reason: Any) -> None:
    """Web calls cart calls store; cart and web are slow: cart is the origin."""
    store, _ = reason(
        deployment("web") + deployment("cart") + deployment("store"),
        alerts=json.dumps(
            {
                "status": "firing",
                "alerts": [
                    alert("web", "LATENCY | Normal=10ms -> Current=90ms"),
                    alert("cart", "LATENCY | Normal=2ms -> Current=80ms"),
                ],
            }
        ),
        graph=json.dumps([{"client": "web", "server": "cart"}, {"client": "cart", "server": "store"}]),
    )

    assert [("cart", "latency")] == [(fact.entity.name, fact["what"]) for fact in store.facts["traffic.origin"]]


def test_independent_slow_services_on_one_node_mean_the_node(reason: Any) -> None:
    """Two origins share a node that the others are not on."""
    store, _ = reason(
        deployment("a", node="w1") + deployment("b", node="w1") + deployment("c", node="w2"),
        alerts=json.dumps(
            {
                "status": "firing",
                "alerts": [
                    alert("a", "LATENCY | Normal=2ms -> Current=80ms"),
                    alert("b", "LATENCY | Normal=2ms -> Current=80ms"),
                ],
            }
        ),
    )

    assert [("w1", "latency")] == [(fact.entity.name, fact["what"]) for fact in store.facts["node.traffic-origin"]]


def test_refusals_of_many_clients_live_on_their_database(reason: Any) -> None:
    """Two clients report too many connections: the fault is the database's, once."""
    store, _ = reason(
        deployment("db", 3306) + service("db", 3306) + deployment("a", DB_HOST="db") + deployment("b", DB_HOST="db"),
        **{
            "logs__a.log": "java.sql.SQLNonTransientConnectionException: Too many connections",
            "logs__b.log": "ERROR 1040: Too many connections",
        },
    )

    assert [("db", "connections", 2)] == [
        (fact.entity.name, fact["why"], fact["clients"]) for fact in store.facts["database.rejects"]
    ]


def test_route_that_breaks_the_naming_habit_of_its_table(reason: Any) -> None:
    """Five routes lead where their paths say, one does not."""
    names = ["order", "user", "route", "price", "seat", "food"]
    rows = "".join(
        f"    - {{id: {n}, uri: 'lb://x-{'order' if n == 'route' else n}-service', predicates: ['Path=/api/v1/{n}service/**']}}\n"
        for n in names
    )
    objects = "".join(service(f"x-{name}-service") for name in names)
    store, _ = reason(
        objects + "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: gw, namespace: shop}\ndata:\n  application.yml: |\n" + rows
    )
    [fact] = facts(store, "gateway.misroute")

    assert ("x-order-service", "x-route-service") == (fact["backend"], fact["meant"])


def test_bare_connections_every_minute_are_a_schedule(reason: Any) -> None:
    """The same address, once a minute, end of file: a probe."""
    lines = "".join(
        f'2026-11-20 22:{minute:02}:40.065805 I | embed: rejected connection from "10.0.0.5:4{minute:04}" (error "EOF", ServerName "")\n'
        for minute in range(10, 20)
    )
    store, _ = reason(lines)
    [fact] = facts(store, "log.periodic")

    assert ("10.0.0.5", 60.0, 10) == (fact["address"], fact["interval_s"], fact["count"])


def test_two_containers_of_a_pod_declare_one_port(reason: Any) -> None:
    """Containers of a pod share their ports."""
    store, _ = reason(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: x}\nspec:\n  containers:\n"
        "  - {name: a, ports: [{containerPort: 80}]}\n  - {name: b, ports: [{containerPort: 80}]}\nstatus: {phase: Running}\n"
    )

    assert [{"port": "80", "containers": "a, b"}] == facts(store, "pod.ports-clash")


def test_every_fact_uses_the_vocabulary(reason: Any) -> None:
    """Facts of parsers and analyses have the kinds and fields that the vocabulary lists."""
    from kubecause.vocabulary import FACT_KINDS, TEXT_FACT

    store, _ = reason(deployment("web", 8080, PORT="8080") + service("web", 80, 8081) + service("api", selects="apis"))
    made: list[Fact] = [fact for kind, found in store.facts.items() if kind != TEXT_FACT for fact in found]

    assert made
    assert [] == [(fact.kind, name) for fact in made for name in fact.fields if name not in FACT_KINDS[fact.kind].fields]


def test_claim_that_names_a_volume_of_another_claim(reason: Any) -> None:
    """A claim is bound to the volume it names or to none."""
    store, _ = reason(
        "NAME      CAPACITY   ACCESS MODES   RECLAIM POLICY   STATUS   CLAIM                STORAGECLASS   REASON   AGE\n"
        "nfs-pv2   1Gi        RWO            Retain           Bound    default/nfs-claim1                           1m\n\n"
        "NAME         STATUS    VOLUME    CAPACITY   ACCESS MODES   STORAGECLASS   AGE\n"
        "nfs-claim2   Pending   nfs-pv2   0                                        1m\n"
    )

    assert [("occupied", "nfs-pv2", "default/nfs-claim1")] == [
        (fact["wrong"], fact["volume"], fact["holder"]) for fact in store.facts["claim.unbindable"]
    ]


@pytest.mark.parametrize(
    ("namespace", "pod", "component"),
    [
        ("kube-system", "cilium-gh6mk", "network-plugin"),
        ("calico-system", "calico-node-x2x4x", "network-plugin"),
        ("kube-system", "cilium-operator-6d8f7c9b54-x2x4x", None),
        ("shop", "canal-x2x4x", None),
        ("kube-system", "kube-proxy-x2x4x", "kube-proxy"),
    ],
)
def test_pods_of_the_platform_are_components(reason: Any, namespace: str, pod: str, component: str | None) -> None:
    """By their names, in the namespaces of a platform: an application may be called like a network plugin."""
    row = f"{namespace}   {pod}   0/1   CrashLoopBackOff   7 (8s ago)   11m"
    store, _ = reason(f"NAMESPACE   NAME   READY   STATUS   RESTARTS   AGE\n{row}\n")

    assert ([component] if component else []) == [fact["component"] for fact in store.facts["component.down"]]
