"""What is read in full once it is known how all pods fare: the broken ones that stand for others, completed ones, histories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from kubecause.evidence.cluster.answers import Table
from kubecause.evidence.cluster.broken_pods import BrokenPods
from kubecause.evidence.cluster.coverage import Coverage
from kubecause.evidence.cluster.follow import of_listed, of_object
from kubecause.evidence.cluster.inventory import Inventory
from kubecause.evidence.cluster.listed import Listed
from kubecause.evidence.cluster.requests import OF_MANY, Item, Request, every, history, labels_of_text, owners
from kubecause.evidence.cluster.screen import PodRow, cells_of, is_broken, pod_rows, representatives

_FINISHED = 10  # completed pods of no Job that are read in one namespace


class Triage:
    """Chooses, as answers come in, what is worth reading in full.

    :param most: broken pods that are read in full of the tables that are asked for together.
    :ivar many: more is broken than that; working on half of the evidence would take longer than waiting for the rest.
    """

    def __init__(self, inventory: Inventory, coverage: Coverage, most: int) -> None:
        self._inventory = inventory
        self._coverage = coverage
        self.broken = BrokenPods(most)
        self.many = False
        self._tables: set[Request] = set()  # this and the next two: on their way
        self._jobs: set[Request] = set()
        self._of_deployments: set[Request] = set()
        self._finished: list[PodRow] = []
        self._deployments: list[tuple[Request, Sequence[Listed]]] = []
        self._histories: list[tuple[Request, str]] = []  # a pod's ReplicaSet, and the hash that its Deployment gave it

    def asked(self, request: Request) -> None:
        """A request is on its way: pods are chosen after the tables, completed ones after Jobs, histories after Deployments."""
        if request.verb == "table" and request.kind == "Pod":
            self._tables.add(request)
        if request.verb == "list" and request.kind == "Job":
            self._jobs.add(request)
        if request.verb == "list" and request.kind == "Deployment":
            self._of_deployments.add(request)

    def answered(self, request: Request) -> list[Request]:
        """Whatever the answer was, it was taken; returns what is worth reading now."""
        self._tables.discard(request)
        self._jobs.discard(request)
        self._of_deployments.discard(request)
        wanted: list[Request] = []
        if not self._tables:
            wanted += self._widest()
            for listing, objects in self._deployments:  # of one with broken pods, those that are read lead to its history
                wanted += of_listed(listing, [each for each in objects if not self.broken.is_of(each.namespace, each.name)])
            self._deployments.clear()
        if not self._of_deployments:
            wanted += every(self._history(*each) for each in self._histories)
            self._histories.clear()
        return wanted if self._jobs else wanted + self._completed()

    def deployments(self, request: Request, objects: Sequence[Listed]) -> None:
        """Take a list of Deployments, which is not followed before it is known which of them have broken pods."""
        self._deployments.append((request, objects))

    def pods(self, request: Request, table: Table) -> tuple[list[PodRow], list[Request]]:
        """Take a table of pods; returns the broken ones, and a healthy one to read where some were selected and all are well."""
        rows = pod_rows(request.namespace or "", table.columns, table.rows)
        broken = [row for row in rows if is_broken(row.cells)]
        self._coverage.represented(self.broken.add(broken))
        self._finished += [row for row in rows if row.status == "Completed"]
        if request.labels and not broken and table.rows:
            return [], [Request("get", "Pod", request.namespace or "", cells_of(table.columns, table.rows[0])["NAME"])]
        return broken, []

    def shows_broken_pods(self, request: Request) -> bool:
        """True when a table would show the pods of a workload of which the table of all has shown that they are broken."""
        if request.verb != "table" or request.kind != "Pod" or not request.labels:
            return False
        if not self._coverage.has_screened(request.namespace):
            return False
        names = self._inventory.owners_of_labels(request.namespace, labels_of_text(request.labels))
        return any(self.broken.is_of(request.namespace, name) for name in names)

    def referred_to(self, item: Item) -> list[Request]:
        """What an object refers to; instead of a pod's ReplicaSet alone, those of its Deployment, once it is known which."""
        template_hash = (item["metadata"].get("labels") or {}).get("pod-template-hash")  # which only Deployments write
        wanted = []
        for request in of_object(item):
            if request.kind == "ReplicaSet" and template_hash and (request.name or "").endswith(f"-{template_hash}"):
                self._histories.append((request, template_hash))
            else:
                wanted.append(request)
        return wanted

    def _history(self, replica_set: Request, template_hash: str) -> list[Request]:
        """The ReplicaSets of a Deployment that was read, else the one that a pod names."""
        name = (replica_set.name or "").removesuffix(f"-{template_hash}")
        deployment = self._inventory.item("Deployment", replica_set.namespace, name)
        return [*history(deployment), *owners(deployment)] if deployment else [replica_set]

    def _widest(self) -> list[Request]:
        chosen, left = self.broken.choose()
        self._coverage.left_at_rows(left)
        self.many = self.many or bool(left)
        return [*(Request("get", "Pod", row.namespace, row.name) for row in chosen), *(OF_MANY if left else ())]

    def _completed(self) -> list[Request]:
        """Completed pods of no Job: they are rare, and may be held by a finalizer, which no row tells."""
        rows: dict[str, list[PodRow]] = defaultdict(list)
        for row in self._finished:
            if not self._of_job(row):
                rows[row.namespace].append(row)
        self._finished.clear()
        chosen = [row for each in rows.values() for row in representatives(each)[:_FINISHED]]
        return [Request("get", "Pod", row.namespace, row.name) for row in chosen]

    def _of_job(self, row: PodRow) -> bool:
        names = (row.owner, row.owner.rpartition("-")[0])  # indexed Jobs put the index between
        return any(self._inventory.has("Job", row.namespace, name) for name in names)
