"""``kubectl describe node``."""

from __future__ import annotations

import re

from kubecause.facts.describe_parts import conditions_of
from kubecause.facts.drafts import Draft, put
from kubecause.facts.outline import Node


def node_fields(root: Node, draft: Draft) -> None:
    """Fill the draft of a Node."""
    data = draft.data
    unschedulable = root.child("Unschedulable")
    if unschedulable:
        put(data, "spec.unschedulable", unschedulable.value == "true")
        draft.prove("spec.unschedulable", unschedulable.line, unschedulable.text)
    taints = root.child("Taints")
    if taints:
        put(data, "spec.taints", [taint_of(text) for text, _ in taints.items()])
        draft.prove("spec.taints", taints.line, taints.text)
    put(data, "status.conditions", conditions_of(root.child("Conditions"), draft))
    for section, path in (("Allocatable", "status.allocatable"), ("Capacity", "status.capacity")):
        node = root.child(section)
        if node:
            put(data, path, {row.key: row.value for row in node.children})
            draft.prove(path, node.line, " ".join([node.text, *(row.text for row in node.children[:6])]))
    addresses = root.child("Addresses")
    if addresses:
        put(data, "status.addresses", [{"type": row.key, "address": row.value} for row in addresses.children])
    info = root.child("System Info")
    if info:
        put(data, "status.nodeInfo", {
            "kubeletVersion": info.value_of("Kubelet Version"),
            "containerRuntimeVersion": info.value_of("Container Runtime Version"),
            "kernelVersion": info.value_of("Kernel Version"),
        })  # fmt: skip
    if root.value_of("PodCIDR"):
        put(data, "spec.podCIDR", root.value_of("PodCIDR"))
    _node_usage(root, draft)


def _node_usage(root: Node, draft: Draft) -> None:
    bound = re.search(r"\((\d+) in total\)", root.value_of("Non-terminated Pods"))
    if bound:
        put(draft.data, "status.podsBound", int(bound[1]))
    requested = {}
    allocated = root.child("Allocated resources")
    for row in allocated.children if allocated else []:
        found = re.match(r"([a-z][\w./-]*)\s+(\d\w*)\s+\(\d+%\)|([a-z][\w./-]*)\s+(\d\w*)\s+\d", row.text)
        if found:
            requested[found[1] or found[3]] = found[2] or found[4]
            draft.prove(f"status.requested.{found[1] or found[3]}", row.line, row.text)
    if requested:
        put(draft.data, "status.requested", requested)


def taint_of(text: str) -> dict[str, str | None]:
    """``key=value:NoSchedule`` or ``key:NoSchedule`` as a taint."""
    body, _, effect = text.strip().rpartition(":")
    key, _, value = body.partition("=")
    return {"key": key, "value": value or None, "effect": effect}
