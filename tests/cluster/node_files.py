"""The configuration files of a node: containerd, CNI, kubelet, kube-proxy and the node's own name server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .images import PAUSE
from .network import PODS, NodeNetwork

CLUSTER_DNS = "10.96.0.10"
CNI_PROGRAMS = "/usr/lib/cni"


def containerd_config(folder: Path) -> str:
    """Of containerd 1.6, with everything below the node's folder.

    ``restrict_oom_score_adj`` lets sandboxes start where CAP_SYS_RESOURCE is missing; network namespaces of pods are kept
    below the state folder, so that they go with the node.
    """
    return f"""version = 2
root = "{folder}/containerd/root"
state = "{folder}/containerd/state"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PROGRAMS}"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{folder}/certs.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
"""


def cni_config(folder: Path, network: NodeNetwork) -> dict[str, Any]:
    """A bridge in the node, addresses from the node's own range, port mappings."""
    return {
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "ipMasq": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "dataDir": f"{folder}/cni-addresses",
                    "ranges": [[{"subnet": network.pods}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def kubelet_config(folder: Path, network: NodeNetwork) -> dict[str, Any]:
    """The kubelet of a node on a shared machine: cgroups below its own name, little reserved, no eviction by accident."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "0.0.0.0",
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{network.name}",
        "clusterDNS": [CLUSTER_DNS],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{folder}/containerd.sock",
        "evictionHard": {
            "memory.available": "50Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "maxPods": 250,
        "nodeStatusUpdateFrequency": "5s",
        "oomScoreAdj": 0,
        "podLogsDir": f"{folder}/pod-logs",
        "podPidsLimit": 4096,
        "registryPullQPS": 0,
        "resolvConf": f"{folder}/resolv.conf",
        "serializeImagePulls": False,
        "staticPodPath": f"{folder}/manifests",
        "systemReserved": {"memory": "100Mi"},
    }


def proxy_config(network: NodeNetwork, kubeconfig: Path) -> dict[str, Any]:
    """kube-proxy in iptables mode; traffic to services from outside the pods is masqueraded, so that answers come back."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "bindAddress": "0.0.0.0",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "clusterCIDR": PODS,
        "conntrack": {"maxPerCore": 0, "min": 0},
        "hostnameOverride": network.name,
        "iptables": {"minSyncPeriod": "0.2s", "syncPeriod": "30s"},
        "metricsBindAddress": "127.0.0.1:10249",
        "mode": "iptables",
    }


def names_config(addresses: list[str]) -> str:
    """A name server that knows no name outside: NXDOMAIN, at once; no answer at all would look like a broken resolver."""
    return f".:53 {{\n    bind {' '.join(addresses)}\n    template ANY ANY {{\n        rcode NXDOMAIN\n    }}\n}}\n"


def write_text(path: Path, content: str) -> None:
    """Write a file unless it says the same already: kube-proxy ends when its file is touched."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        path.write_text(content, encoding="utf-8")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a configuration; JSON is YAML, and steps can change it."""
    write_text(path, json.dumps(content, indent=2) + "\n")
