"""The scheduler's filters, every one for every node, and which of them decides (rule 4 of the design).

What a pod asks for is intent and comes first. When no node satisfies it, the intent is the fault; else the nodes that do
are the candidates, and the cause is the blocker whose removal alone would free one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf

import msgspec
from msgspec.structs import replace

from kubecause.facts.joins import Joins
from kubecause.facts.quantities import quantity
from kubecause.facts.records import Claim, Node, PersistentVolume
from kubecause.facts.records_pod import PodSpec
from kubecause.facts.roles import is_control_plane
from kubecause.facts.store import Store, Thing
from kubecause.match.scheduling_sentence import Sentence
from kubecause.match.selectors import node_selector_holds, requirement_text, selector_text, untolerated, wants_by_name
from kubecause.model import Proof

_CLOUD_TAINT = "node.cloudprovider.kubernetes.io/uninitialized"
_CORDON_TAINT = "node.kubernetes.io/unschedulable"
# Taints that the node controller sets for a condition of the node: the condition is the cause, not the taint.
_CONDITION_TAINTS = frozenset(
    f"node.kubernetes.io/{name}"
    for name in (
        "not-ready",
        "unreachable",
        "memory-pressure",
        "disk-pressure",
        "pid-pressure",
        "network-unavailable",
        "out-of-service",
    )
)
_SELECTOR_PLACES = ("spec.nodeSelector", "spec.template.spec.nodeSelector")
_AFFINITY_PLACES = ("spec.template.spec.affinity", "spec.affinity")
_MEASURED = ("cpu", "memory", "ephemeral-storage")  # every node has them; what else a pod requests is extended


class Offer(msgspec.Struct, frozen=True):
    """A node and what it has to give, the same for all pods.

    :param free: allocatable less requested, by resource. :param full: it runs as many pods as it may.
    """

    thing: Thing
    node: Node
    free: Mapping[str, float]
    full: bool

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.thing.entity.name or ""

    @property
    def known(self) -> bool:
        """Whether enough is known of it to say what it refuses."""
        return self.thing.full or bool(self.node.metadata.labels)


class Host(msgspec.Struct):
    """A node as the filters see it for one pod.

    :param blockers: what keeps the pod off it, beyond the pod's own intent.
    """

    offer: Offer
    blockers: set[str] = msgspec.field(default_factory=set)
    taint: str | None = None

    @property
    def node(self) -> Node:
        """The node's record."""
        return self.offer.node


class Verdict(msgspec.Struct, frozen=True):
    """The blocker that decides, and how it shows.

    :param nodes: names of the nodes it blocks, comma separated; one text for all pods with the same demands.
    :param asked: places where the pod, or the template of its owner, asks for what decides.
    """

    by: str
    nodes: str = ""
    wanted: str | None = None
    offered: str | None = None
    taint: str | None = None
    resource: str | None = None
    claim: str | None = None
    certain: bool = False
    proofs: tuple[Proof, ...] = ()
    asked: tuple[str, ...] = ()


class Filters:
    """The scheduler's filters over the nodes that are known; pods that ask for the same are decided once."""

    def __init__(self, store: Store, joins: Joins) -> None:
        offers = (_offer(thing, node) for thing, node in store.records("Node", Node))
        self.offers = [offer for offer in offers if offer.known]
        self.joins = joins
        self._store = store
        self._decided: dict[tuple[object, ...], Verdict | None] = {}

    def verdict(self, thing: Thing, spec: PodSpec, sentence: Sentence) -> Verdict | None:
        """What keeps a pod off every node, with the places where it or its owner asks for it; None when no node shows it."""
        volumes = list(_volumes(thing, self._store, self.joins))
        unseen = _unseen(sentence)
        key = (*_demands(spec), tuple(map(id, volumes)), unseen, sentence.resource)
        if key not in self._decided:
            self._decided[key] = _by_filters(spec, volumes, unseen, sentence.resource, [Host(offer) for offer in self.offers])
        verdict = self._decided[key]
        if verdict is None:
            return None
        owner = self._store.things.get(self.joins.top_owner(thing.entity))
        asks = thing if verdict.by == "node-selector" else owner or thing
        return replace(verdict, proofs=verdict.proofs + asks.proof(*verdict.asked)) if verdict.asked else verdict


def _offer(thing: Thing, node: Node) -> Offer:
    status = node.status
    free = {
        resource: have - (quantity(status.requested.get(resource)) or 0.0)
        for resource, amount in status.allocatable.items()
        if (have := quantity(amount)) is not None
    }
    capacity = quantity(status.allocatable.get("pods"))
    return Offer(thing, node, free, capacity is not None and status.pods_bound is not None and status.pods_bound >= capacity)


def _demands(spec: PodSpec) -> tuple[bytes, ...]:
    """What the filters and their verdict read of a pod, in a form that compares."""
    places = [container.name for container in spec.containers[:1]]
    asked = (spec.node_selector, spec.affinity, spec.tolerations, spec.topology_spread_constraints, requests_of(spec), places)
    return tuple(map(msgspec.msgpack.encode, asked))


def _volumes(thing: Thing, store: Store, joins: Joins) -> Iterator[PersistentVolume]:
    for name in sorted(joins.claims_of(thing.entity)):
        claim = store.named("PersistentVolumeClaim", name, thing.entity.namespace)
        volume = (
            store.named("PersistentVolume", claim.record.spec.volume_name) if claim and isinstance(claim.record, Claim) else None
        )
        if volume and isinstance(volume.record, PersistentVolume):
            yield volume.record


def _by_filters(
    spec: PodSpec, volumes: Sequence[PersistentVolume], unseen: str | None, resource: str | None, hosts: Sequence[Host]
) -> Verdict | None:
    """What keeps pods with these demands off every node; None when the nodes show nothing.

    :param unseen: what the scheduler said that node objects do not show (affinity to pods, ports, spread); it blocks the
        candidates without any other blocker. :param resource: the extended resource that it named.
    """
    requests = requests_of(spec)
    for host in hosts:
        _find_blockers(host, spec, requests)
    meant, intent = _meant(spec, hosts, volumes)
    workers = [host for host in meant if not _closed_control_plane(host)]
    named = [host for host in meant if wants_by_name(host.node, spec)]
    candidates = workers or named or ([] if intent else meant)
    if not candidates:
        return _intent_verdict(spec, intent, hosts)
    if unseen:
        for host in candidates:
            host.blockers = host.blockers or {unseen}
    return _blocking(candidates, spec, requests, resource)


def _closed_control_plane(host: Host) -> bool:
    return bool(host.blockers) and bool(host.blockers & {"cordon", "taint"}) and is_control_plane(host.node)


def _meant(spec: PodSpec, hosts: Sequence[Host], volumes: Sequence[PersistentVolume]) -> tuple[list[Host], set[str]]:
    """Nodes that satisfy what the pod asks for, and the kinds of demand it makes."""
    meant, intent = list(hosts), set()
    if spec.node_selector:
        intent.add("node-selector")
        meant = [h for h in meant if all(h.node.metadata.labels.get(k) == v for k, v in spec.node_selector.items())]
    required = spec.affinity.node_affinity.required if spec.affinity and spec.affinity.node_affinity else None
    if required:
        intent.add("node-affinity")
        meant = [h for h in meant if node_selector_holds(h.node, required)]
    for volume in volumes:
        topology = volume.spec.node_affinity.required if volume.spec.node_affinity else None
        if topology:
            intent.add("volume-zone")
            meant = [h for h in meant if node_selector_holds(h.node, topology)]
    return meant, intent


def _intent_verdict(spec: PodSpec, intent: set[str], hosts: Sequence[Host]) -> Verdict:
    """The demand that no node satisfies: alone if it alone rules out every open node, else the narrower one."""
    open_hosts = [h for h in hosts if not _closed_control_plane(h)] or list(hosts)
    selector_fits = [h for h in open_hosts if all(h.node.metadata.labels.get(k) == v for k, v in spec.node_selector.items())]
    required = spec.affinity.node_affinity.required if spec.affinity and spec.affinity.node_affinity else None
    affinity_fits = [h for h in open_hosts if required is None or node_selector_holds(h.node, required)]
    names = _names(hosts)
    if "node-selector" in intent and (not selector_fits or not required):
        offered = _offered(hosts, set(spec.node_selector))
        wanted = selector_text(spec.node_selector)
        return Verdict("node-selector", names, wanted, offered, certain=True, asked=_SELECTOR_PLACES)
    if required and (not affinity_fits or "volume-zone" not in intent):
        wanted = " or ".join(
            ", ".join(requirement_text(r) for r in term.match_expressions) for term in required.node_selector_terms
        )
        offered = _offered(hosts, {r.key for term in required.node_selector_terms for r in term.match_expressions})
        return Verdict("node-affinity", names, wanted, offered, certain=True, asked=_AFFINITY_PLACES)
    return Verdict("volume-zone" if "volume-zone" in intent else "node-selector", names, certain="volume-zone" in intent)


def _names(hosts: Iterable[Host]) -> str:
    return ", ".join(host.offer.name for host in hosts)


def _offered(hosts: Iterable[Host], keys: set[str]) -> str | None:
    """What the nodes carry under some label keys, each once."""
    found = {(key, value) for host in hosts for key, value in host.node.metadata.labels.items() if key in keys}
    return ", ".join(sorted(selector_text({key: value}) for key, value in found)) or None


def _find_blockers(host: Host, spec: PodSpec, requests: Mapping[str, float]) -> None:
    node, free = host.node, host.offer.free
    if node.spec.unschedulable:
        host.blockers.add("cordon")
    taints = [t for t in untolerated(node.spec.taints, spec.tolerations) if t.key != _CORDON_TAINT] if node.spec.taints else []
    if taints:
        host.blockers.add(taint_blocker(taints[0].key))
        host.taint = f"{taints[0].key}{'=' + taints[0].value if taints[0].value else ''}:{taints[0].effect}"
    for resource, wanted in requests.items():
        measured = resource in _MEASURED
        have = free.get(resource, inf if measured or not node.status.allocatable else 0.0)
        if wanted > have + 1e-9:
            host.blockers.add(resource if measured else "extended-resource")
    if host.offer.full:
        host.blockers.add("pods")


def taint_blocker(key: str) -> str:
    """``taint``, or the finer name for taints that a controller sets."""
    if key == _CLOUD_TAINT:
        return "cloud-taint"
    return "node-condition" if key in _CONDITION_TAINTS else "taint"


def requests_of(spec: PodSpec) -> dict[str, float]:
    """What a pod requests: its containers and sidecars together, or what an init container needs beside the sidecars before it.

    Source: ``PodRequests`` in component-helpers/resource, since 1.28.
    """
    total: dict[str, float] = {}
    for container in spec.lasting:
        _add(total, container.resources.requests or container.resources.limits)
    sidecars: dict[str, float] = {}
    for container in spec.init_containers:
        wanted = dict(sidecars)
        _add(wanted, container.resources.requests)
        for resource, amount in wanted.items():
            total[resource] = max(total.get(resource, 0.0), amount)
        if container.restart_policy == "Always":
            sidecars = wanted
    return {resource: amount for resource, amount in total.items() if amount > 0}


def _add(total: dict[str, float], amounts: Mapping[str, str | int | float]) -> None:
    for resource, amount in amounts.items():
        total[resource] = total.get(resource, 0.0) + (quantity(amount) or 0.0)


def _unseen(sentence: Sentence) -> str | None:
    """The reason that most nodes gave, among those that node objects do not show."""
    shown = {"cordon", "taint", "selector", "cloud-taint", "node-condition"}
    return max((why for why in sentence.reasons if why not in shown), key=lambda why: sentence.reasons[why], default=None)


def _blocking(candidates: Sequence[Host], spec: PodSpec, requests: Mapping[str, float], resource: str | None) -> Verdict | None:
    """The blocker whose removal alone frees most candidates; when none does, the one that most share; None without any."""
    alone = Counter(next(iter(h.blockers)) for h in candidates if len(h.blockers) == 1)
    shared = Counter(blocker for h in candidates for blocker in h.blockers)
    tally = alone or shared
    if not tally:
        return None
    by = min(tally, key=lambda blocker: (-tally[blocker], -shared[blocker], blocker))
    blocked = [h for h in candidates if by in h.blockers]
    wanted, offered, certain = _asked(by, spec), None, True
    if by in _MEASURED:
        most = max((h.offer.free.get(by, 0.0) for h in blocked), default=0.0)
        wanted, offered = amount_text(by, requests.get(by, 0.0)), amount_text(by, max(most, 0.0))
        certain = by in blocked[0].offer.free and by in requests
    place = {"cordon": "spec.unschedulable", "taint": "spec.taints", "cloud-taint": "spec.taints"}.get(
        by, f"status.requested.{by}"
    )
    return Verdict(
        by,
        _names(blocked),
        wanted,
        offered,
        taint=next((h.taint for h in blocked if h.taint), None) if by in ("taint", "cloud-taint", "node-condition") else None,
        resource=resource,
        certain=certain,
        proofs=tuple(proof for h in blocked[:3] for proof in h.offer.thing.proof(place, "row")),
        asked=(f"spec.containers.{spec.containers[0].name}.resources.requests",)
        if by in ("cpu", "memory") and spec.containers
        else (),
    )


def _asked(by: str, spec: PodSpec) -> str | None:
    """What a pod asks for in relation to other pods, in one word: the key of the spread, the labels of its neighbours."""
    if by == "topology-spread":
        keys = [c.topology_key for c in spec.topology_spread_constraints if c.when_unsatisfiable == "DoNotSchedule"]
        return keys[0] if keys else None
    terms = {
        "pod-affinity": spec.affinity.pod_affinity if spec.affinity else None,
        "pod-anti-affinity": spec.affinity.pod_anti_affinity if spec.affinity else None,
    }.get(by)
    selectors = [term.label_selector for term in terms.required if term.label_selector] if terms else []
    return selector_text(selectors[0].match_labels) or None if selectors else None


def amount_text(resource: str, amount: float) -> str:
    """An amount as people write it: cores, or Mi and Gi."""
    if resource == "cpu":
        return f"{amount:g}" if amount >= 1 else f"{amount * 1000:.0f}m"
    for unit, size in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if amount >= size:
            return f"{amount / size:.4g}{unit}"
    return f"{amount:.0f}"
