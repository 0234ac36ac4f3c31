"""Label selectors, node selectors and tolerations as the scheduler and controllers evaluate them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kubecause.facts.records import Node, Taint
from kubecause.facts.records_pod import LabelSelector, NodeSelector, PodSpec, Requirement, Toleration

Labels = Mapping[str, str | None]


def requirement_holds(labels: Labels, requirement: Requirement) -> bool:
    """One ``matchExpressions`` entry (k8s.io/apimachinery/pkg/labels)."""
    value = labels.get(requirement.key)
    present = requirement.key in labels
    operator = requirement.operator
    if operator == "In":
        return present and value in requirement.values
    if operator == "NotIn":
        return not present or value not in requirement.values
    if operator == "Exists":
        return present
    if operator == "DoesNotExist":
        return not present
    try:
        number, bound = int(value or ""), int(requirement.values[0])
    except (ValueError, IndexError):
        return False
    return number > bound if operator == "Gt" else number < bound


def labels_match(labels: Labels, selector: LabelSelector | None) -> bool:
    """A label selector; an absent one matches nothing."""
    if selector is None:
        return False
    return all(labels.get(key) == value for key, value in selector.match_labels.items()) and all(
        requirement_holds(labels, requirement) for requirement in selector.match_expressions
    )


def node_selector_holds(node: Node, selector: NodeSelector) -> bool:
    """Required node affinity: terms are alternatives, what stands in one term must all hold."""
    labels = node.metadata.labels
    fields: Labels = {"metadata.name": node.metadata.name}
    return any(
        all(requirement_holds(labels, r) for r in term.match_expressions)
        and all(requirement_holds(fields, r) for r in term.match_fields)
        for term in selector.node_selector_terms
        if term.match_expressions or term.match_fields
    )


def wants_by_name(node: Node, spec: PodSpec) -> bool:
    """True when a positive demand (a label that must be there) holds for the node: the pod means this node."""
    labels = node.metadata.labels
    if spec.node_selector:
        return all(labels.get(key) == value for key, value in spec.node_selector.items())
    required = spec.affinity.node_affinity.required if spec.affinity and spec.affinity.node_affinity else None
    terms = required.node_selector_terms if required else []
    return any(
        any(r.operator in ("In", "Exists") and requirement_holds(labels, r) for r in term.match_expressions)
        or bool(term.match_fields)
        for term in terms
    )


def untolerated(taints: Sequence[Taint], tolerations: Sequence[Toleration]) -> list[Taint]:
    """Taints that keep a pod away: NoSchedule and NoExecute without a toleration."""
    return [t for t in taints if t.effect in ("NoSchedule", "NoExecute") and not any(_tolerates(x, t) for x in tolerations)]


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if not toleration.key:
        return toleration.operator == "Exists"
    if toleration.key != taint.key:
        return False
    return toleration.operator == "Exists" or (toleration.value or "") == (taint.value or "")


def selector_text(labels: Labels) -> str:
    """``a=1,b=2``, sorted."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def requirement_text(requirement: Requirement) -> str:
    """``state NotIn [maintenance]``."""
    values = f" [{', '.join(requirement.values)}]" if requirement.values else ""
    return f"{requirement.key} {requirement.operator}{values}"
