"""How often a diagnosis of each status is right. Until fitted on labelled cases, one fixed figure a status."""

from __future__ import annotations

from kubecause.model import Status

FITTED = False
CONFIDENCE: dict[Status, float] = {Status.CONFIRMED: 0.95, Status.PROBABLE: 0.75, Status.POSSIBLE: 0.4}
