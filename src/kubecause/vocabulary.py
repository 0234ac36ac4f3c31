"""The kinds of fact there are: what they are about, which fields they carry and what each field means.

Case files may use nothing else (``kubecause cases lint`` checks it) and parsers may produce nothing else (a test
checks that). Facts marked ``line`` are text: signals search them by ``in`` and ``contains`` instead of ``fact``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FactKind:
    """One kind of fact.

    :param entity: kind of the entity it is about.
    :param fields: name of each field and what it holds.
    """

    entity: str
    about: str
    fields: dict[str, str]


_PROBE = {
    "probe": "liveness, readiness or startup",
    "container": "container that carries the probe",
    "handler": "http, https, tcp, grpc or exec",
    "port": "port the probe connects to",
    "path": "path of an http probe",
    "wrong": "port, protocol, path, timing or not-listening",
    "listening": "ports the process is known to listen on, comma separated",
    "serves": "protocol the port is known to speak",
    "message": "the kubelet's message of the failure",
    "count": "how often it failed",
}

FACT_KINDS: dict[str, FactKind] = {
    # --- from objects and tables (facts/) ---------------------------------------------------------------------
    "container.state": FactKind(
        "Container",
        "state of one container; only containers that are or were in trouble",
        {
            "state": "waiting, running or terminated",
            "reason": "reason of the present state (CrashLoopBackOff, Completed, OOMKilled, ...)",
            "message": "message of the present state, where printed",
            "exit_code": "exit code of the latest end",
            "last_reason": "reason of the latest end (present or last state): OOMKilled, Error, Completed, StartError, ...",
            "last_message": "message of the latest end",
            "restarts": "restart count",
            "ready": "true or false",
            "init": "true for an init container",
            "looping": "true while it keeps restarting now; false when it has healed",
            "restart_policy": "Always, OnFailure or Never, where known",
            "killed_by_probe": "true when a failed liveness or startup probe ended it",
            "deleted": "true when the pod is being deleted",
            "memory_limit": "memory limit in bytes",
            "memory_limit_text": "memory limit as written",
            "cpu_limit_text": "CPU limit as written",
            "image": "image reference",
            "owner_kind": "kind of the pod's top owner",
        },
    ),
    "pod.status": FactKind(
        "Pod",
        "the word kubectl prints under STATUS for a pod that is not healthy",
        {
            "status": "ContainerCreating, Pending, Terminating, ImagePullBackOff, Evicted, Error, Unknown, ...",
            "phase": "Pending, Running, Failed, Succeeded, Unknown",
            "reason": "pod reason (Evicted, UnexpectedAdmissionError, OutOfcpu, NodeLost, ...)",
            "message": "pod message",
            "node": "node it is bound to",
            "scheduled": "false when no node was chosen",
            "age": "age in seconds",
            "finalizers": "finalizers of a pod that is being deleted, comma separated",
            "scheduler": "schedulerName",
            "host_network": "true for a pod in the network of its node",
            "node_ready": "whether its node is Ready, where known",
            "ready": "whether all its containers are ready, where known",
        },
    ),
    "node.condition": FactKind(
        "Node",
        "a condition of a node",
        {
            "type": "Ready, DiskPressure, MemoryPressure, PIDPressure, NetworkUnavailable, ...",
            "status": "True, False, Unknown",
            "reason": "reason",
            "message": "message",
            "bad": "true when this status means trouble",
        },
    ),
    "node.state": FactKind(
        "Node",
        "one row of kubectl get nodes, or the object",
        {
            "ready": "true, false or unknown",
            "unschedulable": "true when cordoned",
            "control_plane": "true for a control-plane node",
            "version": "kubelet version",
            "runtime": "container runtime and version",
            "taints": "taints, comma separated",
        },
    ),
    "workload.replicas": FactKind(
        "Workload",
        "replica counts of a workload that is short of replicas or scaled to zero",
        {
            "desired": "replicas asked for",
            "current": "replicas that exist",
            "ready": "replicas that are ready",
            "zero": "true when scaled to zero",
            "used": "for zero: true when a Service, a client or an error points at it",
            "reason": "reason of ReplicaFailure, Progressing=False or Available=False",
            "message": "its message",
        },
    ),
    "claim.state": FactKind(
        "PersistentVolumeClaim",
        "a claim that is not bound",
        {
            "phase": "Pending, Lost, Terminating",
            "storage_class": "class asked for; empty for none",
            "request": "size asked for, as written",
            "access_modes": "modes asked for",
        },
    ),
    "namespace.state": FactKind(
        "Namespace", "a namespace that is being deleted", {"phase": "Terminating", "message": "why it stays"}
    ),
    "service.state": FactKind(
        "Service",
        "a service with a fault of its own or without endpoints",
        {
            "type": "ClusterIP, NodePort, ...",
            "endpoints": "number of ready endpoints",
            "external": "external address or <pending>",
            "used": "false when nobody calls it, as far as the whole evidence shows",
        },
    ),
    # --- from hosts (facts/) ----------------------------------------------------------------------------------
    "unit.state": FactKind(
        "Node",
        "a systemd unit as systemctl prints it",
        {
            "unit": "kubelet, containerd, docker, kube-proxy, kube-scheduler, ... (without .service)",
            "active": "active, inactive, failed, activating, deactivating",
            "sub": "running, dead, auto-restart, exited, ...",
            "result": "exit-code, signal, timeout, ... where printed",
            "status": "exit status where printed",
            "enabled": "enabled, disabled, static, masked",
            "down": "true when it does not run",
        },
    ),
    "filesystem": FactKind(
        "Node",
        "a row of df or df -i",
        {
            "mount": "mount point",
            "used_percent": "use in percent",
            "available_bytes": "free bytes",
            "inodes_percent": "inodes used in percent",
        },
    ),
    "memory": FactKind(
        "Node",
        "free or the memory lines of top",
        {"total_bytes": "", "available_bytes": "", "available_percent": "", "swap_total_bytes": "", "swap_used_bytes": ""},
    ),
    "cpu": FactKind(
        "Node",
        "the head of top: load and shares in percent",
        {"load1": "", "user": "", "system": "", "idle": "", "iowait": "", "steal": "", "cores": "number of cores where known"},
    ),
    "disk": FactKind("Node", "a disk as atop or iostat prints it", {"device": "", "busy_percent": ""}),
    "process": FactKind(
        "Node",
        "a process that stands out in top, iotop or ps",
        {
            "pid": "",
            "command": "",
            "cpu_percent": "",
            "memory_percent": "",
            "io_percent": "",
            "read": "",
            "write": "",
            "state": "",
        },
    ),
    "socket": FactKind(
        "Node",
        "a row of ss or netstat",
        {
            "protocol": "tcp or udp",
            "state": "LISTEN, ESTAB, ...",
            "local": "local address",
            "port": "local port",
            "peer": "",
            "peer_port": "",
            "process": "",
            "pid": "",
        },
    ),
    "iptables.rule": FactKind(
        "Node",
        "a rule of iptables-save, iptables -S or iptables -nvL",
        {
            "table": "",
            "chain": "",
            "target": "",
            "protocol": "",
            "ports": "",
            "notrack": "true for NOTRACK or CT --notrack",
            "text": "",
            "node_local_dns": "true for the rules of NodeLocal DNSCache",
        },
    ),
    "link": FactKind(
        "Node",
        "an interface of ip addr or ip link",
        {"name": "", "address": "first address with prefix", "mtu": "", "up": "", "vxlan_port": "dstport of a vxlan link"},
    ),
    "routes": FactKind("Node", "a routing table as a whole", {"default": "true when a default route exists", "count": ""}),
    "file.attributes": FactKind("Node", "a row of lsattr", {"path": "", "immutable": "", "append_only": ""}),
    "certificate": FactKind(
        "Client",
        "a certificate as openssl or curl -v prints it",
        {
            "subject": "",
            "issuer": "",
            "not_after": "",
            "expired": "",
            "not_yet_valid": "",
            "self_signed": "",
            "ingress_fake": "true for the built-in certificate of an ingress controller",
            "address": "whom it was read from",
        },
    ),
    "etcd.status": FactKind(
        "Cluster", "a row of etcdctl endpoint status", {"endpoint": "", "leader": "", "db_size": "", "errors": "", "learner": ""}
    ),
    "runtime.info": FactKind(
        "Node", "docker info", {"server_version": "", "cgroup_driver": "", "storage_driver": "", "root_dir": ""}
    ),
    "versions": FactKind(
        "Cluster", "versions side by side", {"skew": "true when a kubelet is outside the supported skew", "detail": ""}
    ),
    # --- from monitoring and tests by hand (facts/) -------------------------------------------------------------
    "alert": FactKind(
        "Workload",
        "an alert that fires, about a service or a node",
        {
            "name": "alertname",
            "measure": "latency, errors, loss, throttle, cpu, memory, throughput or other",
            "normal": "usual value",
            "current": "present value",
            "factor": "present value divided by the usual one",
            "text": "description",
            "service": "",
            "node": "",
        },
    ),
    "connection": FactKind(
        "Service",
        "outcome of a connection test such as nc -zv",
        {"host": "", "port": "", "open": "true or false", "node": "node it was tried from"},
    ),
    # --- from reasoning (match/) ------------------------------------------------------------------------------
    "scheduling.blocked": FactKind(
        "Pod",
        "why the scheduler finds no node, decided filter by filter (rule 4)",
        {
            "by": (
                "node-selector, node-affinity, pod-affinity, pod-anti-affinity, cordon, taint, node-condition (a taint that a "
                "condition of the node sets), cpu, memory, ephemeral-storage, extended-resource, pods, ports, volume-zone, "
                "volume-count, topology-spread, claim-unbound, claim-missing, node-name, scheduler-name, cloud-taint"
            ),
            "nodes": "the nodes it blocks, comma separated",
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
            "protocol": "protocol of the service port",
            "app_protocol": "protocol the application speaks",
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
            "wrong": "host or port",
            "meant": "the nearest service and port that exist",
            "failing": "true when the workload reports failures to connect",
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
            "holder": "the claim that holds the volume",
        },
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
    "component.down": FactKind(
        "Node",
        "a component of a node or of the control plane that does not run",
        {
            "component": (
                "kubelet, container-runtime, kube-proxy, kube-scheduler, kube-controller-manager, kube-apiserver, etcd, "
                "cluster-dns"
            ),
            "how": "unit, pod, node-condition, socket, componentstatus",
            "detail": "",
        },
    ),
}

TEXT_FACT = "line"  # a line or message in one of model.Channel; its field is ``text``
