"""The reasoning over many facts at once; each analysis adds facts that cases then match like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubecause.facts.joins import Joins
from kubecause.facts.store import Store
from kubecause.match.scheduling import scheduling_facts
from kubecause.model import Fact

Analysis = Callable[[Store, Joins], Iterator[Fact]]

# In this order: later ones read what earlier ones found.
ANALYSES: tuple[Analysis, ...] = (scheduling_facts,)


def run_analyses(store: Store, joins: Joins) -> None:
    """Add the facts of every analysis to the store."""
    for analysis in ANALYSES:
        for fact in list(analysis(store, joins)):
            store.add_fact(fact)
