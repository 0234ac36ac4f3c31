"""Traffic from outside that a node drops because it runs no pod of the Service."""

from typing import Any

SERVICE = """\
$ kubectl get svc web -o yaml
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default, uid: a}
spec:
  type: NodePort
  externalTrafficPolicy: POLICY
  selector: {app: web}
  ports: [{port: 80, nodePort: 30080}]
status: {loadBalancer: {}}
$ kubectl get pods -o wide --show-labels
NAME   READY   STATUS    RESTARTS   AGE   IP           NODE   NOMINATED NODE   READINESS GATES   LABELS
web-1  1/1     Running   0          5m    10.244.1.9   n1     <none>           <none>            app=web
$ kubectl get nodes -o wide
NAME   STATUS   ROLES    AGE   VERSION   INTERNAL-IP
n1     Ready    <none>   5m    v1.34.4   10.201.0.11
n2     Ready    <none>   5m    v1.34.4   10.201.0.12
$ curl -m 5 http://NODE:30080/
curl: (28) Connection timed out after 5001 milliseconds
"""


def broken(reason: Any, policy: str, node: str) -> list[Any]:
    """Facts of broken services after a failed request to a node."""
    store, _ = reason(SERVICE.replace("POLICY", policy).replace("NODE:", f"{node}:"))
    return list(store.facts["service.broken"])


def test_a_node_without_a_pod_drops_local_traffic(reason: Any) -> None:
    """With the policy Local, the node that was asked in vain and runs no pod is named."""
    [fact] = broken(reason, "Local", "10.201.0.12")

    assert (fact["hop"], fact["node"]) == ("external-local", "n2")


def test_a_node_with_a_pod_is_not_to_blame(reason: Any) -> None:
    """A node that runs a pod of the Service answers for it; the policy is not why it fails."""
    assert broken(reason, "Local", "10.201.0.11") == []


def test_the_policy_cluster_reaches_every_node(reason: Any) -> None:
    """With the policy Cluster every node forwards."""
    assert broken(reason, "Cluster", "10.201.0.12") == []
