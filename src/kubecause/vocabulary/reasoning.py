"""Facts the analyses of ``match/`` reach by reasoning over objects, joins and lines."""

from __future__ import annotations

from kubecause.vocabulary.kind import FactKind

_PROBE = {
    "probe": "liveness, readiness or startup",
    "container": "container that carries the probe",
    "handler": "http, https, tcp, grpc or exec",
    "port": "port the probe connects to",
    "path": "path of an http probe",
    "command": "program an exec probe runs",
    "wrong": "port, protocol, path, command, timing or not-listening",
    "listening": "ports the process is known to listen on, comma separated",
    "serves": "protocol the port is known to speak",
    "message": "the kubelet's message of the failure",
    "count": "how often it failed",
}

KINDS: dict[str, FactKind] = {
    "scheduling.blocked": FactKind(
        "Pod",
        "why the scheduler finds no node, decided filter by filter (rule 4)",
        {
            "by": (
                "node-selector, node-affinity, pod-affinity, pod-anti-affinity, cordon, taint, node-condition (a taint that a "
                "condition of the node sets), cpu, memory, ephemeral-storage, extended-resource, pods, ports, volume-zone, "
                "volume-count, topology-spread, claim-unbound, claim-missing, node-name, node-missing, gates, scheduler-name, "
                "cloud-taint, device-claim (dynamic resource allocation), other (of a plugin that nobody here knows)"
            ),
            "nodes": "the nodes it blocks, comma separated",
            "node": "the first of them, where node objects tell",
            "wanted": "what the pod asks for, as written",
            "offered": "what the nodes offer",
            "resource": "name of the extended resource",
            "taint": "the taint",
            "claim": "name of the claim",
            "certain": "true when decided from node objects, false when only the scheduler's sentence was there",
        },
    ),
    "scheduler.absent": FactKind(
        "Node",
        "no scheduler acts: pods wait without any FailedScheduling event, or its unit is down",
        {"pods": "how many wait", "unit": "true when the unit or pod is seen down"},
    ),
    "quota.exceeded": FactKind(
        "Namespace",
        "a ResourceQuota that is used up or refused a request",
        {
            "resource": "as the quota names it (requests.cpu, pods, services, ...)",
            "family": "cpu, memory, pods, services, storage or other",
            "quota": "name of the quota",
            "requested": "",
            "used": "",
            "limited": "",
            "refused": "true when a refusal was seen; false when the quota is full and something wanted is not there",
        },
    ),
    "service.broken": FactKind(
        "Service",
        "the first hop of a service that breaks (rule 5)",
        {
            "hop": "selector, target-port, protocol, endpoints, external-local",
            "selector": "the selector as written",
            "near": "labels of the pods it was most likely meant for",
            "workload": "workload it was most likely meant for",
            "port": "service port",
            "target_port": "target port as written",
            "listening": "container ports, comma separated",
            "listening_port": "the container port, where there is only one",
            "tested": "true when the process or a connection told its ports; otherwise the pod only declares them",
            "protocol": "protocol of the service port",
            "app_protocol": "protocol the application speaks",
            "node": "node that was asked from outside and runs no pod of the service",
        },
    ),
    "ingress.broken": FactKind(
        "Ingress",
        "something an Ingress names that does not exist",
        {
            "wrong": "class, service, port or secret",
            "class": "the class it names",
            "service": "the Service it names",
            "port": "the port it names",
            "path": "host and path that lead there",
            "secret": "the TLS Secret it names",
            "host": "hosts of that Secret",
            "offered": "the classes, Services or ports that exist",
        },
    ),
    "client.address-wrong": FactKind(
        "Workload",
        "an environment variable or argument that names an address nobody serves",
        {
            "variable": "",
            "value": "",
            "host": "",
            "port": "",
            "wrong": "host, port, or local (localhost, where nothing of the pod listens)",
            "meant": "the nearest service and port that exist",
            "failing": "true when the workload reports failures to connect",
            "asks": "what would settle it",
            "database": "true when the target is a database",
        },
    ),
    "probe.wrong": FactKind("Workload", "a probe that cannot succeed as written", _PROBE),
    "claim.unbindable": FactKind(
        "PersistentVolumeClaim",
        "why a claim finds no volume",
        {
            "wrong": "storage-class, capacity, access-mode, selector, occupied, no-volume",
            "wanted": "",
            "offered": "",
            "volume": "the volume that comes nearest",
            "certain": "true when every volume and class was read, and no class could make a volume",
            "holder": "the claim that holds the volume",
        },
    ),
    "policy.blocks": FactKind(
        "Workload",
        "a connection that times out and that no NetworkPolicy admits, told of the pods that the policy selects",
        {
            "policy": "a policy that selects them",
            "direction": "egress or ingress",
            "client": "namespace/name of who waits",
            "target": "namespace/name of the Service",
            "dns": "true when the target is the cluster DNS",
            "suffers": "the client",
        },
    ),
    "leases.frozen": FactKind(
        "Cluster",
        "an API server that answers, while neither it nor any leader renews its lease: nothing is written",
        {"since": "when an API server renewed its own lease last"},
    ),
    "node.port-taken": FactKind(
        "Node",
        "a port that a pod on the host network declares and finds taken",
        {"port": "", "pod": "name of the pod", "suffers": "its container"},
    ),
    "name.unresolved": FactKind(
        "Workload",
        "the name of a Service that exists, and that a client's resolver does not find",
        {
            "host": "the name as it was looked up",
            "service": "namespace/name of the Service",
            "alias_of": "the name that a Service of type ExternalName stands for",
            "server": "the address that was asked, where the message tells it",
            "answered": "false when no server answered",
            "denied": "true when the answer was that there is no such name",
            "policy": "dnsPolicy of the pod",
            "of_node": "true when the pod asks the resolver of its node: host network with policy ClusterFirst or Default",
            "asks": "what would settle whether there is such a Service",
        },
    ),
    "dns.silent": FactKind(
        "Node",
        "the node of all pods that get no answer from a cluster DNS that is ready",
        {"server": "the address that does not answer", "pods": "how many of its pods tell"},
    ),
    "pod.ports-clash": FactKind(
        "Pod", "two containers of a pod that want the same port", {"port": "", "containers": "comma separated"}
    ),
    "traffic.origin": FactKind(
        "Workload",
        "where latency, loss or saturation reported by alerts starts (walked along the service graph)",
        {
            "what": "latency, errors, cpu, loss",
            "factor": "how many times the normal value",
            "service": "",
            "current": "",
            "normal": "",
        },
    ),
    "node.traffic-origin": FactKind(
        "Node",
        "a node that the slow or lossy services share",
        {"what": "latency or loss", "services": "comma separated", "factor": "", "metric": ""},
    ),
    "log.periodic": FactKind(
        "Cluster",
        "the same log line at a constant interval from one address",
        {"address": "", "interval_s": "", "count": "", "pattern": "tcp-probe", "component": ""},
    ),
    "database.rejects": FactKind(
        "Workload",
        "clients of a database that report the same refusal",
        {
            "why": "read-only, connections, credentials, port",
            "suffers": "the clients that complain",
            "clients": "how many",
            "database": "",
            "user": "",
            "address": "",
            "certain": "",
        },
    ),
    "gateway.misroute": FactKind(
        "Workload",
        "a route of an API gateway that leads to another backend than its naming habit says",
        {
            "path": "",
            "backend": "where it leads",
            "meant": "where it should lead",
            "config": "ConfigMap/key that holds it",
            "suffers": "workload that gets no traffic",
        },
    ),
    "kubelet.answer": FactKind(
        "Node",
        "a kubelet that answered just then, when the API server asked it for a log",
        {"answer": "log"},
    ),
    "kubelets.unreachable": FactKind(
        "Cluster",
        "several kubelets, all that were asked, to which the API server gets no connection though their nodes seem to be up",
        {"count": "how many", "nodes": "the first of them", "several": "true for more than two"},
    ),
    "component.up": FactKind(
        "Cluster",
        "a component of the control plane that has just renewed its lease",
        {"component": "kube-scheduler or kube-controller-manager", "how": "lease"},
    ),
    "service.dead-from-node": FactKind(
        "Node",
        "pods of this node cannot reach a service that has ready endpoints, while pods of other nodes do not complain",
        {
            "service": "name of the service",
            "elsewhere": "true when the failing client also runs elsewhere and is well there",
        },
    ),
    "component.down": FactKind(
        "Node",
        "a component of a node or of the control plane that does not run",
        {
            "component": (
                "kubelet, container-runtime, kube-proxy, kube-scheduler, kube-controller-manager, kube-apiserver, etcd, "
                "cluster-dns, network-plugin"
            ),
            "how": "unit, pod, lease, node-condition, socket, componentstatus",
            "detail": "",
        },
    ),
}
