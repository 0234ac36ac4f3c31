"""How many pods may be taken away at once: disruption budgets."""

from __future__ import annotations

import msgspec

from kubecause.facts.records_pod import Condition, LabelSelector, Metadata, Part


class BudgetSpec(Part):
    selector: LabelSelector | None = None
    min_available: str | int | None = None
    max_unavailable: str | int | None = None


class BudgetStatus(Part):
    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    conditions: list[Condition] = []


class Budget(Part):
    """A PodDisruptionBudget."""

    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: BudgetSpec = msgspec.field(default_factory=BudgetSpec)
    status: BudgetStatus = msgspec.field(default_factory=BudgetStatus)
