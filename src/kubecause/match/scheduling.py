"""Why a pod finds no node: every filter for every node, as the scheduler evaluates them (rule 4 of the design).

What the pod asks for is intent and comes first. When no node satisfies it, the intent is the fault; else the nodes
that do are the candidates, and the cause is the blocker whose removal alone would free one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubecause.facts.joins import Joins
from kubecause.facts.quantities import quantity
from kubecause.facts.records import Claim, Node, PersistentVolume, Workload
from kubecause.facts.records_pod import Pod, PodSpec
from kubecause.facts.roles import is_control_plane
from kubecause.facts.store import Store, Thing
from kubecause.match.scheduler_absence import absence
from kubecause.match.scheduling_sentence import Sentence, read_sentence
from kubecause.match.selectors import node_selector_holds, requirement_text, selector_text, untolerated, wants_by_name
from kubecause.model import Entity, Fact, Proof

_DEFAULT_SCHEDULER = "default-scheduler"
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
_EVERY_NODE = frozenset({("kubernetes.io/os", "linux"), ("beta.kubernetes.io/os", "linux")})  # rules out nothing
_INTENT = ("node-selector", "node-affinity", "volume-zone", "node-name")


@dataclass(slots=True)
class Host:
    """A node as the filters see it.

    :param blockers: what keeps the pod off it, beyond the pod's own intent.
    """

    thing: Thing
    node: Node
    blockers: set[str] = field(default_factory=set)
    taint: str | None = None
    free: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.thing.entity.name or ""


@dataclass(slots=True)
class Verdict:
    """The blocker that decides, and how it shows."""

    by: str
    nodes: Sequence[str] = ()
    wanted: str | None = None
    offered: str | None = None
    taint: str | None = None
    resource: str | None = None
    claim: str | None = None
    certain: bool = False
    proofs: tuple[Proof, ...] = ()


def scheduling_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``scheduling.blocked`` of every pod without a node, and ``scheduler.absent`` when nobody decides."""
    sentences = _sentences(store)
    hosts = [Host(thing, node) for thing, node in store.records("Node", Node)]
    waiting: list[Thing] = []
    for thing, pod in store.records("Pod", Pod):
        store.saw("scheduling.blocked")
        if not _is_waiting(thing, pod):
            continue
        said = sentences.pop(thing.entity, None)
        verdict = _verdict(thing, pod, said, hosts, store, joins)
        if verdict is None:
            waiting.append(thing)
            continue
        yield _fact(thing.entity, verdict, said)
    for entity, (sentence, proof) in sorted(sentences.items(), key=lambda item: item[0].sort_key):
        if entity not in store.things and not any(True for _ in store.of_kind("Pod") if entity.scope is None):
            yield _fact(entity, _from_sentence(sentence, None, proof), (sentence, proof))
    yield from absence(waiting, bool(sentences), store)


def _is_waiting(thing: Thing, pod: Pod) -> bool:
    if pod.spec.node_name or pod.spec.scheduling_gates or not thing.live or pod.metadata.deletion_timestamp:
        return False
    if pod.status.printed:
        return pod.status.printed == "Pending"
    return pod.status.phase == "Pending"


def _sentences(store: Store) -> dict[Entity, tuple[Sentence, Proof]]:
    """The latest sentence about each pod, from an event or the PodScheduled condition, which holds the last word."""
    found: dict[Entity, tuple[Sentence, Proof]] = {}
    for fact in sorted(store.facts["line"], key=lambda line: line["reason"] != "Unschedulable"):
        if fact["healed"] or ("available" not in str(fact["text"]) and "persistentvolumeclaim" not in str(fact["text"])):
            continue
        if fact["reason"] not in ("FailedScheduling", "Unschedulable", None) or (
            fact["reason"] is None and fact["channel"] == "app-log"
        ):
            continue
        text = str(fact["text"])
        if fact["reason"] is None and "nodes are available" not in text:
            continue
        sentence = read_sentence(text)
        if sentence and fact.proofs:
            entity = fact["about"] if isinstance(fact["about"], Entity) and fact.entity.kind != "Pod" else fact.entity
            found.setdefault(entity, (sentence, fact.proofs[0]))
    return found


def _fact(entity: Entity, verdict: Verdict, said: tuple[Sentence, Proof] | None) -> Fact:
    fields: dict[str, Any] = {
        "by": verdict.by,
        "nodes": ", ".join(verdict.nodes) or None,
        "wanted": verdict.wanted,
        "offered": verdict.offered,
        "taint": verdict.taint,
        "resource": verdict.resource,
        "claim": verdict.claim,
        "certain": verdict.certain,
    }
    proofs = ((said[1],) if said else ()) + verdict.proofs
    return Fact("scheduling.blocked", entity, {k: v for k, v in fields.items() if v is not None}, tuple(dict.fromkeys(proofs)))


# --- the decision -----------------------------------------------------------------------------------------


def _verdict(
    thing: Thing, pod: Pod, said: tuple[Sentence, Proof] | None, hosts: Sequence[Host], store: Store, joins: Joins
) -> Verdict | None:
    """What keeps the pod off every node; None when no scheduler has said anything about it."""
    scheduler = pod.spec.scheduler_name
    if scheduler and scheduler != _DEFAULT_SCHEDULER and said is None:
        return Verdict("scheduler-name", wanted=scheduler, certain=True, proofs=thing.proof("spec.schedulerName", "row"))
    if said is None:
        return None
    sentence, _ = said
    if "claim-missing" in sentence.reasons:
        return Verdict("claim-missing", claim=sentence.claim, certain=True)
    if "claim-unbound" in sentence.reasons and len(sentence.reasons) == 1:
        claims = sorted(joins.claims_of(thing.entity))
        return Verdict("claim-unbound", claim=claims[0] if len(claims) == 1 else None, certain=True)
    spec = _whole_spec(thing, pod, joins)
    known = [host for host in hosts if host.thing.full or host.node.metadata.labels]
    if not known or (sentence.nodes is not None and len(known) < sentence.nodes):
        return _from_sentence(sentence, spec, None)
    return _by_filters(thing, spec, sentence, [Host(h.thing, h.node) for h in known], store, joins)


def _whole_spec(thing: Thing, pod: Pod, joins: Joins) -> PodSpec:
    """The pod's spec, with what ``describe pod`` does not print (affinity, spread) from its owner's template."""
    spec = pod.spec
    owner = joins.store.things.get(joins.top_owner(thing.entity))
    if owner and isinstance(owner.record, Workload):
        template = owner.record.spec.template.spec
        spec.affinity = spec.affinity or template.affinity
        spec.topology_spread_constraints = spec.topology_spread_constraints or template.topology_spread_constraints
        spec.node_selector = spec.node_selector or template.node_selector
        spec.containers = spec.containers or template.containers
        spec.tolerations = spec.tolerations or template.tolerations
    return spec


def _by_filters(thing: Thing, spec: PodSpec, sentence: Sentence, hosts: Sequence[Host], store: Store, joins: Joins) -> Verdict:
    for host in hosts:
        _find_blockers(host, spec)
    meant, intent = _meant(spec, hosts, thing, store, joins)
    workers = [host for host in meant if not _closed_control_plane(host)]
    named = [host for host in meant if wants_by_name(host.node, spec)]
    candidates = workers or named or ([] if intent else meant)
    owner = store.things.get(joins.top_owner(thing.entity))
    if not candidates:
        return _intent_verdict(spec, intent, hosts, thing, owner)
    _add_said(sentence, candidates)
    return _blocking(candidates, spec, sentence, owner)


def _closed_control_plane(host: Host) -> bool:
    return is_control_plane(host.node) and bool(host.blockers & {"cordon", "taint"})


def _meant(spec: PodSpec, hosts: Sequence[Host], thing: Thing, store: Store, joins: Joins) -> tuple[list[Host], set[str]]:
    """Nodes that satisfy what the pod asks for, and the kinds of demand it makes."""
    meant, intent = list(hosts), set()
    if spec.node_selector:
        intent.add("node-selector")
        meant = [h for h in meant if all(h.node.metadata.labels.get(k) == v for k, v in spec.node_selector.items())]
    required = spec.affinity.node_affinity.required if spec.affinity and spec.affinity.node_affinity else None
    if required:
        intent.add("node-affinity")
        meant = [h for h in meant if node_selector_holds(h.node, required)]
    for volume in _volumes(thing, store, joins):
        topology = volume.spec.node_affinity.required if volume.spec.node_affinity else None
        if topology:
            intent.add("volume-zone")
            meant = [h for h in meant if node_selector_holds(h.node, topology)]
    return meant, intent


def _volumes(thing: Thing, store: Store, joins: Joins) -> Iterator[PersistentVolume]:
    for name in sorted(joins.claims_of(thing.entity)):
        claim = store.named("PersistentVolumeClaim", name, thing.entity.namespace)
        volume = (
            store.named("PersistentVolume", claim.record.spec.volume_name) if claim and isinstance(claim.record, Claim) else None
        )
        if volume and isinstance(volume.record, PersistentVolume):
            yield volume.record


def _intent_verdict(spec: PodSpec, intent: set[str], hosts: Sequence[Host], thing: Thing, owner: Thing | None) -> Verdict:
    """The demand that no node satisfies: alone if it alone rules out every open node, else the narrower one."""
    open_hosts = [h for h in hosts if not _closed_control_plane(h)] or list(hosts)
    selector_fits = [h for h in open_hosts if all(h.node.metadata.labels.get(k) == v for k, v in spec.node_selector.items())]
    required = spec.affinity.node_affinity.required if spec.affinity and spec.affinity.node_affinity else None
    affinity_fits = [h for h in open_hosts if required is None or node_selector_holds(h.node, required)]
    places = owner or thing
    if "node-selector" in intent and (not selector_fits or not required):
        keys = set(spec.node_selector)
        offered = sorted(
            {selector_text({k: h.node.metadata.labels[k]}) for h in hosts for k in keys & h.node.metadata.labels.keys()}
        )
        proofs = thing.proof("spec.nodeSelector", "spec.template.spec.nodeSelector")
        return Verdict(
            "node-selector",
            [h.name for h in hosts],
            selector_text(spec.node_selector),
            ", ".join(offered) or None,
            certain=True,
            proofs=proofs,
        )
    if required and (not affinity_fits or "volume-zone" not in intent):
        wanted = " or ".join(
            ", ".join(requirement_text(r) for r in term.match_expressions) for term in required.node_selector_terms
        )
        keys = {r.key for term in required.node_selector_terms for r in term.match_expressions}
        offered = sorted(
            {selector_text({k: h.node.metadata.labels[k]}) for h in hosts for k in keys & h.node.metadata.labels.keys()}
        )
        proofs = places.proof("spec.template.spec.affinity", "spec.affinity")
        return Verdict("node-affinity", [h.name for h in hosts], wanted, ", ".join(offered) or None, certain=True, proofs=proofs)
    if "volume-zone" in intent:
        return Verdict("volume-zone", [h.name for h in hosts], certain=True)
    return Verdict("node-selector", [h.name for h in hosts], certain=False)


def _find_blockers(host: Host, spec: PodSpec) -> None:
    node = host.node
    if node.spec.unschedulable:
        host.blockers.add("cordon")
    taints = [t for t in untolerated(node.spec.taints, spec.tolerations) if t.key != _CORDON_TAINT]
    if taints:
        host.blockers.add(taint_blocker(taints[0].key))
        host.taint = f"{taints[0].key}{'=' + taints[0].value if taints[0].value else ''}:{taints[0].effect}"
    for resource, wanted in requests_of(spec).items():
        have = quantity(node.status.allocatable.get(resource))
        if have is None:
            if resource not in ("cpu", "memory", "ephemeral-storage") and node.status.allocatable:
                host.blockers.add("extended-resource")
            continue
        free = have - (quantity(node.status.requested.get(resource)) or 0.0)
        host.free[resource] = free
        if wanted > free + 1e-9:
            host.blockers.add(resource if resource in ("cpu", "memory", "ephemeral-storage") else "extended-resource")
    capacity = quantity(node.status.allocatable.get("pods"))
    if capacity is not None and node.status.pods_bound is not None and node.status.pods_bound >= capacity:
        host.blockers.add("pods")


def taint_blocker(key: str) -> str:
    """``taint``, or the finer name for taints that a controller sets."""
    if key == _CLOUD_TAINT:
        return "cloud-taint"
    return "node-condition" if key in _CONDITION_TAINTS else "taint"


def requests_of(spec: PodSpec) -> dict[str, float]:
    """What a pod requests: the sum over its containers, or one init container when that is more."""
    total: dict[str, float] = {}
    for container in spec.containers:
        for resource, amount in (container.resources.requests or container.resources.limits).items():
            total[resource] = total.get(resource, 0.0) + (quantity(amount) or 0.0)
    for container in spec.init_containers:
        for resource, amount in container.resources.requests.items():
            total[resource] = max(total.get(resource, 0.0), quantity(amount) or 0.0)
    return {resource: amount for resource, amount in total.items() if amount > 0}


def _add_said(sentence: Sentence, candidates: Sequence[Host]) -> None:
    """Reasons that node objects do not show (affinity to pods, ports, spread) block the candidates without any other."""
    shown = {"cordon", "taint", "selector", "cloud-taint", "node-condition"}
    unseen = [why for why in sentence.reasons if why not in shown]
    for host in candidates:
        if not host.blockers and unseen:
            host.blockers.add(max(unseen, key=lambda why: sentence.reasons[why]))


def _blocking(candidates: Sequence[Host], spec: PodSpec, sentence: Sentence, owner: Thing | None) -> Verdict:
    """The blocker whose removal alone frees most candidates; when none does, the one that most share."""
    alone = Counter(next(iter(h.blockers)) for h in candidates if len(h.blockers) == 1)
    shared = Counter(blocker for h in candidates for blocker in h.blockers)
    tally = alone or shared
    if not tally:
        return _from_sentence(sentence, spec, None)
    by = min(tally, key=lambda blocker: (-tally[blocker], -shared[blocker], blocker))
    blocked = [h for h in candidates if by in h.blockers]
    verdict = Verdict(by, [h.name for h in blocked], certain=True, resource=sentence.resource)
    verdict.taint = (
        next((h.taint for h in blocked if h.taint), None) if by in ("taint", "cloud-taint", "node-condition") else None
    )
    if by in ("cpu", "memory", "ephemeral-storage"):
        wanted = requests_of(spec).get(by, 0.0)
        most = max((h.free.get(by, 0.0) for h in blocked), default=0.0)
        verdict.wanted, verdict.offered = amount_text(by, wanted), amount_text(by, max(most, 0.0))
        verdict.certain = bool(blocked and by in blocked[0].free)
    verdict.wanted = verdict.wanted or _asked(by, spec)
    place = {"cordon": "spec.unschedulable", "taint": "spec.taints", "cloud-taint": "spec.taints"}.get(
        by, f"status.requested.{by}"
    )
    verdict.proofs = tuple(proof for h in blocked[:3] for proof in h.thing.proof(place, "row"))
    if owner and by in ("cpu", "memory") and spec.containers:
        verdict.proofs += owner.proof(f"spec.containers.{spec.containers[0].name}.resources.requests")
    return verdict


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


def _from_sentence(sentence: Sentence, spec: PodSpec | None, proof: Proof | None) -> Verdict:
    """Without node objects: the reason that most nodes gave; between equals, what is not the pod's own intent."""
    reasons = dict(sentence.reasons)
    if not reasons:
        return Verdict("taint", taint="node-role.kubernetes.io/control-plane", certain=False, proofs=(proof,) if proof else ())
    by = min(reasons, key=lambda why: (-reasons[why], why == "selector", why))
    if by == "taint" and sentence.taints:
        by = taint_blocker(sentence.taints[0].split("=")[0])
    if by == "selector":
        has_affinity = bool(spec and spec.affinity and spec.affinity.node_affinity)
        selects = bool(spec and spec.node_selector.items() - _EVERY_NODE)
        by = "node-affinity" if has_affinity and not selects else "node-selector"
    return Verdict(
        by,
        wanted=selector_text(spec.node_selector) if spec and spec.node_selector and by == "node-selector" else None,
        taint=sentence.taints[0] if sentence.taints and by in ("taint", "cloud-taint", "node-condition") else None,
        resource=sentence.resource if by == "extended-resource" else None,
        claim=sentence.claim,
        certain=False,
        proofs=(proof,) if proof else (),
    )
