"""Why a pod finds no node: by the nodes themselves where all are known, else by what the scheduler said (rule 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubecause.facts.joins import Joins
from kubecause.facts.records import Workload
from kubecause.facts.records_pod import Pod, PodSpec
from kubecause.facts.store import Store, Thing
from kubecause.match.scheduler_absence import absence
from kubecause.match.scheduling_filters import Filters, Verdict, taint_blocker
from kubecause.match.scheduling_sentence import Sentence, read_sentence
from kubecause.match.selectors import selector_text
from kubecause.model import Entity, Fact, Proof

LITERALS = ("nodes are available", "fit failure summary", "didn't trigger scale-up")  # in sentences without their reason
_TOLD_IN = (*LITERALS, "available", "persistentvolumeclaim")
# Whose word counts first: the condition of the pod holds the scheduler's last; an autoscaler guesses about nodes to come.
_WEIGHT = {"Unschedulable": 0, "NotTriggerScaleUp": 2}
_DEFAULT_SCHEDULER = "default-scheduler"
# Reasons of filters that run before that of the selector (NodeAffinity), beside it, or nobody knows when.
_NOT_AFTER_SELECTOR = frozenset({"selector", "taint", "cordon", "node-name", "claim-unbound", "claim-missing", "other"})
_EVERY_NODE = frozenset({("kubernetes.io/os", "linux"), ("beta.kubernetes.io/os", "linux")})  # rules out nothing


def scheduling_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``scheduling.blocked`` of every pod without a node, and ``scheduler.absent`` when nobody decides."""
    sentences = _sentences(store)
    filters = Filters(store, joins)
    waiting: list[Thing] = []
    for thing, pod in store.records("Pod", Pod):
        store.saw("scheduling.blocked")
        if not _is_waiting(thing, pod):
            continue
        said = sentences.pop(thing.entity, None)
        verdict = _verdict(thing, pod, said, filters)
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
    for fact in sorted(store.facts["line"], key=lambda line: (_WEIGHT.get(line["reason"], 1), line["age"] or 0.0)):
        text = str(fact["text"])
        if fact["healed"] or not any(word in text for word in _TOLD_IN):
            continue
        if fact["reason"] is None and (fact["channel"] == "app-log" or not any(word in text for word in LITERALS)):
            continue
        if fact["reason"] not in (None, "FailedScheduling", *_WEIGHT):
            continue
        sentence = read_sentence(text)
        if sentence and fact.proofs:
            entity = fact["about"] if isinstance(fact["about"], Entity) and fact.entity.kind != "Pod" else fact.entity
            found.setdefault(entity, (sentence, fact.proofs[0]))
    return found


def _fact(entity: Entity, verdict: Verdict, said: tuple[Sentence, Proof] | None) -> Fact:
    fields: dict[str, Any] = {
        "by": verdict.by,
        "nodes": verdict.nodes or None,
        "node": verdict.nodes.partition(", ")[0] if verdict.nodes and verdict.certain else None,
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


def _verdict(thing: Thing, pod: Pod, said: tuple[Sentence, Proof] | None, filters: Filters) -> Verdict | None:
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
        claims = sorted(filters.joins.claims_of(thing.entity))
        return Verdict("claim-unbound", claim=claims[0] if len(claims) == 1 else None, certain=True)
    spec = _whole_spec(thing, pod, filters.joins)
    if not filters.offers or (sentence.nodes is not None and len(filters.offers) < sentence.nodes):
        return _from_sentence(sentence, spec, None)
    return filters.verdict(thing, spec, sentence) or _from_sentence(sentence, spec, None)


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


def _of_meant(sentence: Sentence) -> dict[str, int]:
    """The reasons of a sentence without that of nodes that the pod does not ask for, where others passed that filter.

    A node is told for the first filter that it fails (``Filter`` in pkg/scheduler/framework/runtime, since 1.19): one that lacks
    CPU has passed the selector. Before, it was told for several at once, which shows in reasons that are more than nodes.
    """
    reasons = dict(sentence.reasons)
    later = [count for why, count in reasons.items() if why not in _NOT_AFTER_SELECTOR]
    if later and sentence.nodes is not None and reasons.get("selector", 0) + max(later) <= sentence.nodes:
        reasons.pop("selector", None)
    if later and not sentence.taints:  # before 1.18 no taint was named, that of the control plane neither
        reasons.pop("taint", None)
    return reasons


def _from_sentence(sentence: Sentence, spec: PodSpec | None, proof: Proof | None) -> Verdict:
    """Without node objects: the reason that most nodes gave, among those that fit what the pod asks for where some do."""
    reasons = _of_meant(sentence)
    if not reasons:
        return Verdict("taint", taint="node-role.kubernetes.io/control-plane", certain=False, proofs=(proof,) if proof else ())
    by = min(reasons, key=lambda why: (why == "other", -reasons[why], why == "selector", why))
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
