"""Facts about hosts, their units, files and networks, and about monitoring and tests by hand."""

from __future__ import annotations

from kubecause.vocabulary.kind import FactKind

KINDS: dict[str, FactKind] = {
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
    "api.access": FactKind(
        "Client",
        "a step of the way from a client to the API server, and how it ended",
        {
            "stage": (
                "kubeconfig, server, name, proxy, route, connect, tls, certificate (the server's), client-certificate, token, "
                "credentials, clock, http, check (of /readyz and /livez)"
            ),
            "outcome": (
                "how it ended: refused, timeout, no-route, unknown, silent, expired, not-yet-valid, wrong-name, other-key, "
                "unknown-authority, self-signed, ca-expired, clock, plain-http, closed, failed, ...; of http the status"
            ),
            "text": "what was printed",
            "host": "host of the API server, as the kubeconfig names it",
            "port": "its port",
            "server": "both, joined by a colon",
            "status": "HTTP status of an answer that is an error",
            "reason": "reason of such an answer (Forbidden, InternalError, ...)",
            "check": "name of a health check that fails (etcd, informer-sync, poststarthook/...)",
            "path": "readyz or livez",
            "subject": "of a certificate",
            "issuer": "of a certificate",
            "not_before": "begin of a certificate, ISO 8601",
            "not_after": "end of a certificate or token, ISO 8601",
            "names": "names and addresses a certificate is valid for, comma separated",
            "proxy": "true when the proxy on the way is meant",
            "file": "a kubeconfig that cannot be read",
            "user": "who may not do what was asked",
            "verb": "what was refused",
            "resource": "of what kind",
            "difference": "how far clocks are apart, as 3 hours ahead",
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
}
