"""Log lines that return at a constant interval from one address: somebody's schedule, not a failing peer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from kubecause.facts.joins import Joins
from kubecause.facts.store import Store
from kubecause.model import Entity, Fact, Proof

LITERALS = ("rejected connection",)
_REJECTED = re.compile(r"rejected connection", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:from \"|remote-addr\":\s?\")(?P<address>[\w.:\[\]-]+?):\d{1,5}\"")
_EOF = re.compile(r"error[\" :]{1,4}\"?EOF\"|\"error\":\"EOF\"", re.IGNORECASE)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?)")
_STEADY = 2.0  # seconds of spread that a schedule shows
_MIN_LINES = 3


def periodic_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``log.periodic`` of bare TCP connections to etcd."""
    del joins
    times: dict[str, list[float]] = defaultdict(list)
    proofs: dict[str, Proof] = {}
    scopes: dict[str, str | None] = {}
    for fact in store.facts["line"]:
        if not _REJECTED.search(str(fact["text"])):
            continue
        for text in fact["samples"] or (str(fact["text"]),):
            address = _ADDRESS.search(text)
            if not address or not _EOF.search(text):
                continue
            scopes.setdefault(address["address"], fact.scope)
            if fact.proofs:
                proofs.setdefault(address["address"], fact.proofs[0])
            stamp = _TIME.search(text)
            if stamp:
                times[address["address"]].append(datetime.fromisoformat(stamp[1].replace("T", " ")).timestamp())
            else:
                times[address["address"]] += []
    for peer, stamps in sorted(times.items()):
        yield from _steady(peer, sorted(stamps), proofs, scopes)


def _steady(address: str, stamps: list[float], proofs: dict[str, Proof], scopes: dict[str, str | None]) -> Iterator[Fact]:
    gaps = [b - a for a, b in pairwise(stamps) if b - a > 0.5]
    if len(stamps) < _MIN_LINES or not gaps:
        return
    from statistics import median, pstdev  # brings fractions and decimals with it, and few logs are as regular

    if pstdev(gaps) > _STEADY:
        return
    fields = {
        "address": address,
        "interval_s": round(median(gaps), 1),
        "count": len(stamps),
        "pattern": "tcp-probe",
        "component": "etcd",
    }
    yield Fact("log.periodic", Entity("Cluster", None), fields, (proofs[address],) if address in proofs else (), scopes[address])
