"""The broken pods that tables show; once all tables are there, those that stand for most of them are read in full.

A cluster may be broken in hundreds of ways at once. Each costs a pod, its logs and the history of its workload, and nobody
reads hundreds of causes in detail: the widest are read so; of the others their rows and warnings tell.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from operator import itemgetter

from kubecause.evidence.cluster.requests import SYSTEM_NAMESPACE
from kubecause.evidence.cluster.screen import PodRow, representatives_by_width

_TEMPLATE_HASH = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{6,10}$")  # of a ReplicaSet's name, in the API server's safe alphabet


class BrokenPods:
    """Rows of pods that do not run well.

    :param most: how many of those that tables show together are read in full.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: list[tuple[tuple[object, ...], PodRow]] = []  # ranked
        self._owners: dict[str, set[str]] = defaultdict(set)
        self.rows: dict[tuple[str, str], PodRow] = {}

    def add(self, rows: Iterable[PodRow]) -> list[PodRow]:
        """Take the rows of one table that no other has shown; returns those that others stand for."""
        fresh = [row for row in rows if (row.namespace, row.name) not in self.rows]
        self.rows.update({(row.namespace, row.name): row for row in fresh})
        for row in fresh:
            self._owners[row.namespace].update((row.owner, _TEMPLATE_HASH.sub("", row.owner)))
        stand: set[str] = set()
        for chosen, width in representatives_by_width(fresh):
            stand.update(row.name for row in chosen)
            self._waiting += [(_rank(row, place, width), row) for place, row in enumerate(chosen)]
        return [row for row in fresh if row.name not in stand]

    def choose(self) -> tuple[list[PodRow], list[PodRow]]:
        """The rows whose pods are to be read in full, and those that are left at that; each is given once."""
        rows = [row for _, row in sorted(self._waiting, key=itemgetter(0))]
        self._waiting.clear()
        return rows[: self._most], rows[self._most :]

    def is_of(self, namespace: str | None, workload: str) -> bool:
        """True when the name of a broken pod says that it belongs to a workload."""
        return workload in self._owners[namespace or ""]


def _rank(row: PodRow, place: int, width: int) -> tuple[object, ...]:
    """The system first, since others depend on it; then the widest, and of each the first before a second one.

    :param place: which of the pods that stand for one owner and state. :param width: how many pods those stand for.
    """
    return row.namespace != SYSTEM_NAMESPACE, place, -width, row.namespace, row.name
