"""What need not be asked for: lists, tables and representatives have told it, or a kubelet gives no logs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kubecause.evidence.cluster.requests import Request, events_about
from kubecause.evidence.cluster.screen import PodRow
from kubecause.model import Channel, Entity, Gap

_READY_NODES = 20  # of those, so many are read: the ones whose faults would explain most come first
_OF_PODS = ("container.state", str(Channel.APP_LOG))  # what neither rows nor warnings tell
_HANGING = 2  # logs waited for in vain, each for the whole timeout; then no kubelet is asked any more
_CUT_OFF = 12  # ready nodes whose kubelets gave no log, while none gave one; then no other is asked either


class Coverage:
    """What was told already.

    :param most_nodes: nodes of which a list is read; a part of more would decide nothing, and they are large.
    """

    def __init__(self, most_nodes: int = 500) -> None:
        self._most_nodes = most_nodes
        self._nodes = 0
        self._nodes_left_out = 0  # not told yet
        self._whole: set[tuple[str, str | None]] = set()  # kinds of which a namespace, or (None) the cluster, was read
        self._screened: set[str | None] = set()  # namespaces whose pods a table showed
        self._represented: set[Request] = set()
        self._ready: set[str | None] = set()
        self._ready_read: set[str | None] = set()
        self._ready_left_out: set[str | None] = set()
        self._told = 0  # of those left out
        self._at_rows = 0  # pods left at their rows, not told yet

    def listed(self, kind: str, namespace: str | None) -> None:
        """All objects of a kind were read."""
        self._whole.add((kind, namespace))

    def screened(self, namespace: str) -> None:
        """All pods of a namespace were seen in a table."""
        self._screened.add(namespace)

    def has_screened(self, namespace: str | None) -> bool:
        """True when all pods of a namespace were seen in a table."""
        return namespace in self._screened

    def represented(self, rows: Iterable[PodRow]) -> None:
        """Broken pods that another one stands for."""
        for row in rows:
            self._represented.add(Request("get", "Pod", row.namespace, row.name))
            self._represented.add(events_about(Entity("Pod", row.name, row.namespace)))

    def left_at_rows(self, rows: Sequence[PodRow]) -> None:
        """Broken pods that are not read in full since others are wider; told once."""
        self.represented(rows)
        self._at_rows += len(rows)

    def is_represented(self, entity: Entity) -> bool:
        """Whether another pod stands for this one, or for the pod of this container, or was read instead."""
        pod = entity.name if entity.kind == "Pod" else entity.pod
        return pod is not None and Request("get", "Pod", entity.namespace, pod) in self._represented

    def ready_nodes(self, names: Iterable[str]) -> None:
        """Nodes that a table shows as ready: only the first of them are read in full."""
        self._ready.update(names)

    def has_nodes(self, count: int) -> None:
        """The cluster has at least so many nodes."""
        self._nodes = max(self._nodes, count)

    def is_ready(self, node: str) -> bool:
        """True for a node that a table shows as ready."""
        return node in self._ready

    def gaps(self) -> list[Gap]:
        """That some nodes, although something pointed at them, and some pods were not read in full; told once."""
        more = len(self._ready_left_out) - self._told
        self._told += more
        pods, self._at_rows = self._at_rows, 0
        all_nodes, self._nodes_left_out = self._nodes_left_out, 0
        nodes = [Gap(f"{more} more nodes in full", "kubectl shows them as ready, and others came first")] if more else []
        why_not_all = f"they are more than {self._most_nodes}; what the scheduler says of them is taken as it is"
        nodes += [Gap(f"{all_nodes} nodes in full", why_not_all)] if all_nodes else []
        why = "others stand for more pods and were read; name a namespace, or one of them"
        return nodes + ([Gap(f"{pods} more broken pods in full", why, hides=_OF_PODS)] if pods else [])

    def _is_read(self, node: str) -> bool:
        """Whether a ready node is one of the few that are read."""
        if len(self._ready_read) < _READY_NODES:
            self._ready_read.add(node)
        if node in self._ready_read:
            return True
        self._ready_left_out.add(node)
        return False

    def told(self, request: Request) -> bool:
        """Whether a request would bring nothing, or too little, that is new."""
        if request in self._represented:
            return True
        if request.verb == "get" and request.kind == "Node" and request.name and request.name in self._ready:
            return not self._is_read(request.name)
        if request.verb == "list" and request.kind == "Node" and self._nodes > self._most_nodes:
            self._nodes_left_out = self._nodes
            return True
        if request.verb == "table" and request.kind == "Pod" and request.fields:
            return request.namespace in self._screened  # whoever is broken there is known
        if request.kind == "Event" and "kind=PersistentVolumeClaim" in (request.fields or ""):
            return False  # why a claim waits is told in events of type Normal
        read = {(request.kind, None), (request.kind, request.namespace)} & self._whole
        return bool(read) and request.verb in ("get", "list")


class SilentKubelets:
    """Nodes whose kubelet gave no log; the logs of their other containers are not asked for.

    A kubelet that gives none although its node is ready is alive, and cut off from the API server. Where that holds for many of
    them and none has answered, the way to all is cut, and no more are asked.
    """

    def __init__(self) -> None:
        self._left_out: dict[str, int] = {}
        self._hanging = 0
        self._cut_off: set[str] = set()
        self._answered = False
        self._of_others = 0  # logs of nodes that were not asked since no kubelet answers

    def gave_one(self) -> None:
        """Note that a log was read: the API server reaches kubelets."""
        self._answered = True

    def gave_nothing(self, node: str, *, hanging: bool, ready: bool = False) -> None:
        """Note that a log was not to be had.

        :param hanging: there was no answer at all. :param ready: a table shows the node as ready.
        """
        if node:
            self._left_out.setdefault(node, 0)
            if ready:
                self._cut_off.add(node)
        self._hanging += hanging

    def is_asked(self, node: str) -> bool:
        """Whether a log of this node is still asked for; it is noted when it is not."""
        if node in self._left_out or (node and self._hanging > _HANGING):
            self._left_out[node] = self._left_out.get(node, 0) + 1
            return False
        if len(self._cut_off) >= _CUT_OFF and not self._answered:
            self._of_others += 1
            return False
        return True

    def gaps(self) -> list[Gap]:
        """One for each node with logs that were left out since the last call, and one for all that were not asked."""
        why = "the API server gets no logs from its kubelet"
        left_out = sorted(self._left_out.items())
        told = [Gap(f"logs of {count} more containers on node {node}", why) for node, count in left_out if count]
        if self._of_others:
            why = f"the API server got no logs from {len(self._cut_off)} kubelets, and none from any other"
            told.append(Gap(f"logs of {self._of_others} more containers", why, hides=(str(Channel.APP_LOG),)))
        self._left_out = dict.fromkeys(self._left_out, 0)
        self._of_others = 0
        return told
