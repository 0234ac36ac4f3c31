"""Events as facts: which of them tell of the past."""

from __future__ import annotations

from typing import Any

import pytest

PULLS = """
Name:         web-0
Namespace:    shop
Status:       Pending
Containers:
  web:
    State:          Waiting
      Reason:       ImagePullBackOff
    Ready:          False
    Restart Count:  0
Events:
  Type     Reason  Age                 From     Message
  ----     ------  ----                ----     -------
  Warning  Failed  90s{refused}            kubelet  Failed to pull image "r.test/web:1": dial tcp 10.0.0.9:443: connect: connection refused
  Warning  Failed  20s (x2 over 60s)   kubelet  Failed to pull image "r.test/web:1": 429 Too Many Requests
"""
PODS = """
NAME        READY   STATUS    RESTARTS   AGE
web-fhfwq   2/2     Running   2          5d2h
web-vd466   {ready}/2     {status}   0          15m

LAST SEEN   TYPE      REASON                   OBJECT          MESSAGE
28m         Warning   FailedCreatePodSandBox   pod/web-vfkpj   Failed to create pod sandbox: open /run/flannel/subnet.env: no such file
"""


@pytest.mark.parametrize(("refused", "over"), [("", True), (" (x9 over 20m)", False)])
def test_a_pull_that_failed_in_another_way_before_is_over(read: Any, refused: str, over: bool) -> None:
    """The latest word of the kubelet counts, unless it said the other one more often."""
    store, _ = read(PULLS.format(refused=refused))
    healed = {
        str(fact["text"]).rpartition(": ")[2]: bool(fact["healed"]) for fact in store.facts["line"] if fact["reason"] == "Failed"
    }

    assert {"connection refused": over, "429 Too Many Requests": False} == healed


@pytest.mark.parametrize(("ready", "status", "over"), [("0", "Init:0/1", False), ("2", "Running ", True)])
def test_a_replaced_pod_leaves_its_trouble_to_a_successor_that_is_not_well(
    read: Any, ready: str, status: str, over: bool
) -> None:
    """What is gone tells of the past, but for pods whose successors stand no better."""
    store, _ = read(PODS.format(ready=ready, status=status))

    assert [over] == [bool(fact["healed"]) for fact in store.facts["line"] if fact["reason"] == "FailedCreatePodSandBox"]
