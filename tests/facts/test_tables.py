"""``kubectl get`` tables: wide, labelled, all namespaces, old columns, without a header."""

from typing import Any

from kubecause.facts.records import Node, Workload
from kubecause.facts.records_network import Service
from kubecause.facts.records_pod import Pod


def test_wide_pod_table_of_all_namespaces(read: Any) -> None:
    """Namespace, node and restart ages are read by column, also where cells hold blanks."""
    store, _ = read(
        """
NAMESPACE   NAME    READY   STATUS             RESTARTS       AGE    IP            NODE
shop        web-0   1/2     CrashLoopBackOff   4 (75s ago)    5m5s   172.20.2.12   worker-02
shop        web-1   0/1     Pending            0              4h2m   <none>        <none>
"""
    )
    pods = {thing.entity.name: pod for thing, pod in store.records("Pod", Pod)}

    assert (4, 75.0, 305.0, "worker-02") == (
        pods["web-0"].status.restarts,
        pods["web-0"].status.last_restart_age,
        pods["web-0"].status.age,
        pods["web-0"].spec.node_name,
    )
    assert (None, "Pending") == (pods["web-1"].spec.node_name, pods["web-1"].status.printed)


def test_row_without_its_header_is_a_pod(read: Any) -> None:
    """What ``grep`` leaves of a pod table is still read."""
    store, _ = read(
        "kube-flannel-ds-l5l9h   0/1     CrashLoopBackOff   9 (7m17s ago)    35m   192.168.0.171   centos   <none>   <none>\n"
    )

    assert ["kube-flannel-ds-l5l9h"] == [thing.entity.name for thing in store.of_kind("Pod")]


def test_node_table_tells_cordon_and_role(read: Any) -> None:
    """``Ready,SchedulingDisabled`` is a cordon; roles of old and new versions are control planes."""
    store, _ = read(
        """
NAME   STATUS                     ROLES    AGE   VERSION
m1     Ready,SchedulingDisabled   master   49d   v1.17.3
w1     NotReady                   <none>   49d   v1.17.3
"""
    )
    nodes = {thing.entity.name: node for thing, node in store.records("Node", Node)}
    states = {fact.entity.name: fact for fact in store.facts["node.state"]}

    assert (True, False) == (nodes["m1"].spec.unschedulable, nodes["w1"].spec.unschedulable)
    assert (True, "false") == (states["m1"]["control_plane"], states["w1"]["ready"])


def test_services_keep_node_ports_and_selectors(read: Any) -> None:
    """``80:30080/TCP`` is a port with a node port."""
    store, _ = read(
        """
NAME   TYPE       CLUSTER-IP      EXTERNAL-IP   PORT(S)        AGE   SELECTOR
web    NodePort   10.68.227.65    <none>        80:30080/TCP   75s   app=web,tier=front
"""
    )
    [(_, service)] = store.records("Service", Service)

    assert (80, 30080) == (service.spec.ports[0].port, service.spec.ports[0].node_port)
    assert {"app": "web", "tier": "front"} == service.spec.selector


def test_old_deployment_columns(read: Any) -> None:
    """DESIRED CURRENT UP-TO-DATE AVAILABLE of kubectl before 1.14."""
    store, _ = read(
        """
$ kubectl get deploy -n shop
NAME      DESIRED   CURRENT   UP-TO-DATE   AVAILABLE   AGE
web       3         3         3            1           3d
"""
    )
    [(thing, workload)] = store.records("Deployment", Workload)

    assert ("shop", 3, 1) == (thing.entity.namespace, workload.spec.replicas, workload.status.available_replicas)


def test_message_of_kubectl_is_no_table(read: Any) -> None:
    """``No resources found`` and errors make no object."""
    store, _ = read("$ kubectl get pvc -n shop\nNo resources found in shop namespace.\n")

    assert {} == store.things
