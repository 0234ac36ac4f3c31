"""What a selector selects, found by its rarest label: thousands of services meet thousands of workloads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubecause.facts.store import Thing

_Labels = Mapping[str, str | None]


class LabelIndex:
    """Things by namespace and label.

    :param labelled: each with the labels that count: its own, or those of its template.
    """

    def __init__(self, labelled: Iterable[tuple[Thing, _Labels]]) -> None:
        self._by_label: dict[tuple[str | None, str, str | None], list[tuple[Thing, _Labels]]] = {}
        for thing, labels in labelled:
            for key, value in labels.items():
                self._by_label.setdefault((thing.entity.namespace, key, value), []).append((thing, labels))

    def selected(self, namespace: str | None, selector: _Labels) -> list[Thing]:
        """The things of a namespace with all labels of a selector, in their order; an empty selector selects none."""
        found = [self._by_label.get((namespace, key, value), []) for key, value in selector.items()]
        if not found:
            return []
        return [thing for thing, labels in min(found, key=len) if all(labels.get(k) == v for k, v in selector.items())]
