"""Analyses of what a real kubelet 1.34 says of probes, ports and addresses."""

from typing import Any

from kubecause.model import Entity

WORKLOAD = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers: {containers}
status: {{replicas: 1, readyReplicas: {ready}}}
---
apiVersion: v1
kind: Pod
metadata:
  name: web-6d8f7c9b54-x2x4x
  namespace: shop
  labels: {{app: web, pod-template-hash: 6d8f7c9b54}}
spec:
  nodeName: w1
  containers: {containers}
status:
  phase: Running
  conditions: [{{type: Ready, status: '{is_ready}'}}]
  containerStatuses: {statuses}
---
"""

EVENT = """
apiVersion: v1
kind: Event
type: Warning
metadata: {{name: web.1, namespace: shop}}
involvedObject: {{kind: Pod, name: web-6d8f7c9b54-x2x4x, namespace: shop}}
reason: Unhealthy
message: '{message}'
count: {count}
---
"""

RUNS = "[{name: web, ready: true, restartCount: 0, state: {running: {}}}]"
UNREADY = "[{name: web, ready: false, restartCount: 0, state: {running: {}}}]"
LOOPS = (
    "[{name: web, ready: true, restartCount: 0, state: {running: {}}}, {name: static, ready: false, restartCount: 4, "
    "state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, reason: Error}}}]"
)


def workload(containers: str, statuses: str = RUNS) -> str:
    """A Deployment with one pod."""
    ready = statuses == RUNS
    return WORKLOAD.format(containers=containers, statuses=statuses, ready=int(ready), is_ready=ready)


def only(store: Any, kind: str) -> dict[str, Any]:
    """Fields of the one fact of a kind."""
    [fact] = store.facts[kind]
    return dict(fact.fields)


def test_a_probe_command_that_the_image_lacks_is_wrong_although_the_pod_is_ready(reason: Any) -> None:
    """A liveness probe that errors has no result; the template still asks for it."""
    container = "[{name: web, image: 'web:1', livenessProbe: {exec: {command: [/bin/grpc_health_probe, '-addr=:8080']}}}]"
    message = (
        "Liveness probe errored and resulted in unknown state: rpc error: code = Unknown desc = failed to exec in container: "
        'failed to start exec "5d1c": OCI runtime exec failed: exec failed: unable to start container process: '
        'exec: "/bin/grpc_health_probe": stat /bin/grpc_health_probe: no such file or directory: unknown'
    )

    store, _ = reason(workload(container) + EVENT.format(message=message, count=9))

    fact = only(store, "probe.wrong")
    assert ("command", "/bin/grpc_health_probe", "web") == (fact["wrong"], fact["command"], fact["container"])


def test_a_probe_that_was_corrected_since_is_over(reason: Any) -> None:
    """The event of the old pod is still there; the template asks for something else by now."""
    container = "[{name: web, image: 'web:1', livenessProbe: {exec: {command: [/bin/true]}}}]"
    message = 'Liveness probe errored and resulted in unknown state: exec: "/bin/probe": executable file not found in $PATH'

    store, _ = reason(workload(container) + EVENT.format(message=message, count=9))

    assert [] == store.facts["probe.wrong"]


def test_a_probe_port_name_that_nobody_declares(reason: Any) -> None:
    """The kubelet then takes the name for a number."""
    container = "[{name: web, image: 'web:1', ports: [{name: web, containerPort: 8080}], livenessProbe: {httpGet: {port: http, path: /}}}]"
    message = 'Liveness probe errored and resulted in unknown state: strconv.Atoi: parsing "http": invalid syntax'

    store, _ = reason(workload(container) + EVENT.format(message=message, count=4))

    fact = only(store, "probe.wrong")
    assert ("port", "http", "8080") == (fact["wrong"], fact["port"], fact["listening"])


def test_a_process_that_listens_on_loopback_only(reason: Any) -> None:
    """Its own log tells the address; the declared port alone would look right."""
    container = "[{name: web, image: 'web:1', ports: [{containerPort: 8080}], readinessProbe: {tcpSocket: {port: 8080}}}]"
    message = "Readiness probe failed: dial tcp 10.244.1.5:8080: connect: connection refused"
    log = "$ kubectl logs web-6d8f7c9b54-x2x4x -n shop\n2026/11/28 10:00:00 listening on 127.0.0.1:8080\n"

    store, _ = reason(objects=workload(container, UNREADY) + EVENT.format(message=message, count=12), log=log)

    fact = only(store, "probe.wrong")
    assert ("not-listening", "127.0.0.1:8080") == (fact["wrong"], fact["listening"])


def test_a_grpc_probe_on_a_port_that_another_server_opened(reason: Any) -> None:
    """The kubelet's client only says that it could not connect in time."""
    container = "[{name: web, image: 'web:1', ports: [{containerPort: 8080}], readinessProbe: {grpc: {port: 8080}}}]"
    message = 'Readiness probe failed: timeout: failed to connect service "10.244.1.5:8080" within 1s: context deadline exceeded'
    log = "$ kubectl logs web-6d8f7c9b54-x2x4x -n shop\n2026/11/28 10:00:00 listening on 0.0.0.0:8080\n"

    store, _ = reason(objects=workload(container, UNREADY) + EVENT.format(message=message, count=12), log=log)

    assert only(store, "probe.wrong")["wrong"] == "protocol"


def test_a_port_taken_in_the_pod_that_the_program_does_not_name(reason: Any) -> None:
    """Busybox says only that the address is in use; the pod declares one port."""
    containers = "[{name: web, image: 'web:1', ports: [{containerPort: 8080}]}, {name: static, image: 'static:1'}]"
    log = "$ kubectl logs web-6d8f7c9b54-x2x4x -n shop -c static\nhttpd: bind: Address already in use\n"

    store, _ = reason(objects=workload(containers, LOOPS), log=log)

    assert {"port": "8080", "containers": "web, static"} == only(store, "pod.ports-clash")


REDIS = """
apiVersion: v1
kind: Service
metadata: {name: redis, namespace: shop}
spec: {selector: {app: redis}, clusterIP: 10.0.0.9, ports: [{port: 6379}]}
status: {loadBalancer: {}}
---
"""
REFUSED = (
    "$ kubectl logs web-6d8f7c9b54-x2x4x -n shop\n"
    "2026/11/28 10:00:00 cannot connect to localhost:6379: dial tcp 127.0.0.1:6379: connect: connection refused\n"
)


def test_localhost_in_the_place_of_a_service(reason: Any) -> None:
    """Nothing in the pod opens the port, a Service of the namespace does."""
    container = "[{name: web, image: 'web:1', env: [{name: REDIS_ADDR, value: 'localhost:6379'}]}]"

    store, _ = reason(objects=workload(container, UNREADY) + REDIS, log=REFUSED)

    fact = only(store, "client.address-wrong")
    assert ("local", "REDIS_ADDR", "redis:6379") == (fact["wrong"], fact["variable"], fact["meant"])


def test_localhost_that_means_the_sidecar(reason: Any) -> None:
    """The port belongs to a container of the pod: the address is right."""
    containers = (
        "[{name: web, image: 'web:1', env: [{name: REDIS_ADDR, value: 'localhost:6379'}]}, "
        "{name: cache, image: 'redis:7', ports: [{containerPort: 6379}]}]"
    )

    store, _ = reason(objects=workload(containers, UNREADY) + REDIS, log=REFUSED)

    assert [] == store.facts["client.address-wrong"]


def test_an_address_in_an_argument_is_a_dependency(reason: Any) -> None:
    """Who calls whom is told by variables and by the command line alike."""
    container = "[{name: web, image: 'web:1', args: [--cache, 'redis:6379']}]"

    store, joins = reason(workload(container) + REDIS)

    redis, web = store.named("Service", "redis", "shop"), store.named("Deployment", "web", "shop")
    assert {web.entity} == joins.service_callers[redis.entity]


def test_a_pod_that_is_gone_belongs_to_the_workload_of_its_name(read: Any) -> None:
    """Only events tell of it; the Deployment is there."""
    _, joins = read(workload("[{name: web, image: 'web:1'}]"))

    owner = joins.top_owner(Entity("Pod", "web-6d8f7c9b54-zzzzz", "shop"))

    assert ("Deployment", "web") == (owner.kind, owner.name)
