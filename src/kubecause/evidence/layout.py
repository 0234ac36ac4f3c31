"""What the path of a file tells about its content: namespace, pod, container, node.

Layouts: ``kubectl cluster-info dump``, Troubleshoot support bundles, must-gather, ``/var/log/pods``, and folders of
per-container logs. Only what a path proves is taken; everything else is left to the content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kubecause.model import Channel

_COMPONENT = re.compile(
    r"^(?:kube-(?:apiserver|controller-manager|scheduler|proxy|flannel|dns|router)|etcd|coredns|calico|canal|cilium|weave|flannel|"
    r"ingress-nginx|nginx-ingress|cloud-controller|metrics-server|csi-|node-local-dns|multus|antrea|ovn|aws-node|k8s_)"
)
_LAYOUTS = tuple(
    re.compile(pattern)
    for pattern in (
        # /var/log/pods/NS_POD_UID/CTR/N.log (kubelet)
        r"(?:^|/)(?P<namespace>[a-z0-9-]+)_(?P<pod>[a-z0-9.-]+)_[0-9a-f-]{32,36}/(?P<container>[a-z0-9-]+)/\d+\.log",
        # /var/log/containers/POD_NS_CTR-ID.log
        r"(?:^|/)(?P<pod>[a-z0-9.-]+)_(?P<namespace>[a-z0-9-]+)_(?P<container>[a-z0-9-]+)-[0-9a-f]{64}\.log",
        # must-gather: namespaces/NS/pods/POD/CTR/CTR/logs/current.log
        r"(?:^|/)namespaces/(?P<namespace>[^/]+)/pods/(?P<pod>[^/]+)/(?P<container>[^/]+)/[^/]+/logs/(?P<which>\w+)\.",
        # support bundle: cluster-resources/pods/logs/NS/POD/CTR[-previous].log
        r"(?:^|/)pods/logs/(?P<namespace>[^/]+)/(?P<pod>[^/]+)/(?P<container>[^/]+?)(?:-(?P<which>previous))?\.log",
        # support bundle: cluster-resources/TYPE/NS.json; must-gather: namespaces/NS/…
        r"(?:^|/)cluster-resources/[a-z-]+/(?P<namespace>[a-z0-9-]+)\.(?:json|yaml)$",
        r"(?:^|/)namespaces/(?P<namespace>[^/]+)/",
        # cluster-info dump: NS/POD/logs.txt
        r"(?:^|/)(?P<namespace>[a-z0-9-]+)/(?P<pod>[a-z0-9.-]+)/logs\.txt$",
        # per-workload logs: logs/NAME[.CTR|.previous]/app.log, logs/NAME.log
        r"(?:^|/)logs/(?P<workload>[a-z0-9-]+)(?:\.(?P<part>[a-z0-9-]+))?(?:/[\w.-]+)?(?:\.log|\.txt)$",
    )
)


def hints_of(path: str) -> dict[str, str]:
    """Parts of the identity that a path gives; ``log`` = ``yes`` when the path says that the file is a log."""
    for layout in _LAYOUTS:
        found = layout.search(path)
        if found:
            hints = {key: value for key, value in found.groupdict().items() if value}
            part = hints.pop("part", None)
            if re.search(r"(?:^|/)previous[.-][^/]*$", path):
                hints["which"] = "previous"
            if part == "previous":
                hints["which"] = "previous"
            elif part:
                hints["container"] = part
            if "pod" in hints or "workload" in hints:
                hints["log"] = "yes"
            return hints
    return {}


def log_channel(hints: Mapping[str, str]) -> Channel:
    """Who speaks in the log of a container, by the names of its pod, workload and container."""
    names = (hints.get("workload", ""), hints.get("pod", ""), hints.get("container", ""))
    return Channel.COMPONENT_LOG if any(_COMPONENT.match(name) for name in names) else Channel.APP_LOG
