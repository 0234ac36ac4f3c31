"""Facts about Kubernetes objects and containers: from manifests, describe outputs, tables and events."""

from __future__ import annotations

from kubecause.vocabulary.kind import FactKind

KINDS: dict[str, FactKind] = {
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
            "used": "for zero and paused: true when a Service, a client or an error points at it",
            "paused": "true when its rollout is paused",
            "unseen": "true when the controller has not taken note of the latest edit for a while",
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
            "unused": "true when all workloads of the namespace were read and none mounts it",
        },
    ),
    "api-service.state": FactKind(
        "APIService",
        "an aggregated API that the API server cannot reach",
        {"name": "version and group (v1beta1.metrics.k8s.io)", "reason": "why (ServiceNotFound, ...)", "message": "in words"},
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
    "object.terminating": FactKind(
        "Object",
        "an object other than a pod or namespace that was deleted and is held by finalizers",
        {
            "kind": "kind as kubectl takes it",
            "finalizers": "comma separated; the garbage collector's own are left out",
            "since": "when it was deleted",
        },
    ),
    "budget.blocked": FactKind(
        "PodDisruptionBudget",
        "a budget that lets no pod be evicted",
        {
            "why": "sync-failed (it cannot count its pods), unhealthy (too few are healthy), tight (all are needed)",
            "message": "what the controller says, or the counts",
            "draining": "cordoned nodes that still run its pods, comma separated",
        },
    ),
    "grant.standing": FactKind(
        "ClusterRoleBinding",
        "somebody who is no part of the system holds all rights, with no end; also of a RoleBinding",
        {
            "reach": "cluster or namespace",
            "namespace": "the namespace, where the rights end there",
            "holder": "kind and name of who holds them",
            "holder_kind": "User, Group or ServiceAccount",
            "user": "the name that kubectl auth can-i --as takes",
            "role": "name of the role",
            "binding": "name of the binding",
            "binding_kind": "clusterrolebinding, or rolebinding with its namespace, as kubectl takes it",
            "account": "name of the ServiceAccount",
            "account_namespace": "its namespace",
            "outsider": "true when a name, label or annotation says that it is an account for operations from outside",
            "unused": "true when no workload of its namespace runs as the account",
            "tokens": "Secrets with tokens of it that never end, comma separated",
            "since": "when the binding was made",
        },
    ),
    "change": FactKind(
        "Workload",
        "something that changed: a rollout, an edit, a node; about any kind of object that others depend on",
        {
            "what": ("rollout, scaled, edited, created, node-joined, node-rebooted, kubelet-started or certificate-expired"),
            "at": "when, as the API writes times",
            "by": "who, as metadata.managedFields names them: kubectl-edit, helm, argocd-controller",
            "before": "revision, replicas or version before",
            "after": "revision, replicas or version after",
            "detail": "for a rollout: the differences between the two templates",
        },
    ),
}
