"""On which entity a fact counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from kubecause.facts import Extraction
from kubecause.match import SignalIndex
from kubecause.match.levels import entity_at
from kubecause.model import Channel, Document, Entity, Fact

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def test_all_facts_about_a_claim_count_on_the_workload_that_mounts_it(index: SignalIndex) -> None:
    """The second as well as the first."""
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    owner = {"kind": "StatefulSet", "name": "db"}
    pod: dict[str, Any] = {
        "kind": "Pod",
        "metadata": {"name": "db-0", "namespace": "shop", "uid": "p", "ownerReferences": [owner]},
        "spec": {"containers": [{"name": "db"}], "volumes": volumes},
        "status": {"phase": "Pending"},
    }
    extraction = Extraction(index.filter)
    extraction.read(Document("kubectl get pods", "objects", Channel.STATUS, [json.dumps(pod)], collected=NOW))
    store, joins = extraction.finish()
    claim = Entity("PersistentVolumeClaim", "data", "shop")

    counted = [
        entity_at("workload", Fact("claim.state", claim, {"phase": phase}), {}, store, joins) for phase in ("Pending", "Lost")
    ]

    assert [Entity("StatefulSet", "db", "shop")] * 2 == counted
