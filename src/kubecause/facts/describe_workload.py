"""``kubectl describe`` of workloads: replicas, selector, conditions, pod template."""

from __future__ import annotations

import re
from typing import Any

from kubecause.facts.describe_parts import conditions_of, pairs, selector_of
from kubecause.facts.describe_pod import template_fields
from kubecause.facts.drafts import Draft, put
from kubecause.facts.outline import Node


def workload_fields(root: Node, draft: Draft) -> None:
    """Fill the draft of a Deployment, ReplicaSet, StatefulSet, DaemonSet, Job or CronJob."""
    data = draft.data
    selector = root.child("Selector")
    if selector and selector.value not in ("", "<unset>"):
        put(data, "spec.selector", selector_of(selector.value))
        draft.prove("spec.selector", selector.line, selector.text)
    replicas = root.child("Replicas")
    if replicas:
        draft.prove("spec.replicas", replicas.line, replicas.text)
        _replicas(replicas.value, data)
    for key, path in (
        ("Desired Number of Nodes Scheduled", "status.desiredNumberScheduled"),
        ("Parallelism", "spec.replicas"),
    ):
        if root.value_of(key).isdigit():
            put(data, path, int(root.value_of(key)))
    ready = re.search(r"(\d+) Running", root.value_of("Pods Status"))
    if ready and draft.kind == "DaemonSet":
        put(data, "status.numberReady", int(ready[1]))
    if draft.kind == "CronJob":
        put(data, "spec.suspend", root.value_of("Suspend") == "True")
        put(data, "spec.schedule", root.value_of("Schedule"))
    found = conditions_of(root.child("Conditions"), draft)
    if found:
        put(data, "status.conditions", found)
    template = root.child("Pod Template")
    if template:
        put(data, "spec.template", template_fields(template, draft))
        labels = template.child("Labels")
        if labels:
            put(data, "spec.template.metadata", {"labels": pairs(labels.items())})
            draft.prove("spec.template.metadata.labels", labels.line, labels.text)


def _replicas(text: str, data: dict[str, Any]) -> None:
    """``3 desired | 2 updated | 3 total | 1 available | 2 unavailable`` or ``3 current / 3 desired``."""
    counts = {
        word: int(number) for number, word in re.findall(r"(\d+) (desired|updated|total|available|unavailable|current)", text)
    }
    for word, path in (
        ("desired", "spec.replicas"),
        ("total", "status.replicas"),
        ("current", "status.replicas"),
        ("available", "status.availableReplicas"),
        ("updated", "status.updatedReplicas"),
    ):
        if word in counts:
            put(data, path, counts[word])
    if "available" in counts:
        put(data, "status.readyReplicas", counts["available"])
