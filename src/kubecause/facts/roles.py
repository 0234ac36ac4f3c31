"""The roles of nodes: which of them run the control plane."""

from __future__ import annotations

from kubecause.facts.records import Node


def is_control_plane(node: Node) -> bool:
    """True for a node that carries a control-plane label of any version or installer."""
    roles = {"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master", "node-role.kubernetes.io/controlplane"}
    return bool(roles & node.metadata.labels.keys()) or node.metadata.labels.get("kubernetes.io/role") == "master"
