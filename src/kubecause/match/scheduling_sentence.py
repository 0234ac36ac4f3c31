"""The scheduler's own sentence, in every wording it has had.

``0/4 nodes are available: 1 node(s) were unschedulable, 3 Insufficient cpu. preemption: 0/4 nodes are available: …``.
Its sources are the filter plugins of kube-scheduler; the preemption part is never counted.
"""

from __future__ import annotations

import re

import msgspec

_HEAD = re.compile(r"(?P<fit>\d+)/(?P<all>\d+) nodes are available:?\s*", re.IGNORECASE)
_OLD_HEAD = re.compile(
    r"(?:No nodes are available that match all of the (?:following )?predicates:|fit failure summary on nodes ?):?\s*",
    re.IGNORECASE,
)
_AUTOSCALER_HEAD = re.compile(r"pod didn't trigger scale-?up(?: \(it wouldn't fit if a new node is added\))?:\s*", re.IGNORECASE)
_OLD_REASON = re.compile(r"([A-Za-z][\w./ -]{1,80}?) \((\d+)\)")
_REASON = re.compile(
    r"(?<![\w.])(?P<count>\d+)\s+(?P<why>(?:node\(s\)|Insufficient|Too many|node)[^,]*(?:\{[^}]*\}[^,]*)?)", re.IGNORECASE
)
_OTHER_REASON = re.compile(
    r"(?:^|,\s*)(?P<count>\d+)\s+(?P<why>(?!node|Insufficient|Too many)[A-Za-z][^,.]{2,200})", re.IGNORECASE
)
_TAINT = re.compile(r"\{\s*(?P<key>[\w./-]+)\s*:?\s*(?P<value>[^}]*)\}")
_CONTROL_PLANE = re.compile(r"node-role\.kubernetes\.io/(?:master|control-plane|controlplane|etcd)")

_WORDINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("taint", re.compile(r"taint|PodToleratesNodeTaints", re.IGNORECASE)),
    ("cordon", re.compile(r"unschedulable|NodeUnschedulable|NodeNotSchedulable", re.IGNORECASE)),
    ("pod-anti-affinity", re.compile(r"anti-affinity|AntiAffinityRulesNotMatch", re.IGNORECASE)),
    (
        "pod-affinity",
        re.compile(r"pod affinity|inter-?pod affinity|MatchInterPodAffinity|PodAffinityRulesNotMatch", re.IGNORECASE),
    ),
    ("topology-spread", re.compile(r"topology spread", re.IGNORECASE)),
    (
        "volume-zone",
        re.compile(
            r"volume zone|volume node affinity conflict|PersistentVolume's node affinity"  # before and since 1.34
            r"|NoVolumeZoneConflict|NoVolumeNodeConflict",
            re.IGNORECASE,
        ),
    ),
    ("volume-count", re.compile(r"max volume count|MaxVolumeCount|Max\w+VolumeCount|attachable-volumes", re.IGNORECASE)),
    ("claim-unbound", re.compile(r"available persistent volumes to bind|unbound", re.IGNORECASE)),
    ("ports", re.compile(r"free ports|PodFitsHostPorts", re.IGNORECASE)),
    ("selector", re.compile(r"node affinity|node selector|MatchNodeSelector|NodeAffinity|PodMatchNodeSelector", re.IGNORECASE)),
    ("node-name", re.compile(r"requested (?:node name|hostname)|HostName", re.IGNORECASE)),
    ("cpu", re.compile(r"Insufficient cpu", re.IGNORECASE)),
    ("memory", re.compile(r"Insufficient memory", re.IGNORECASE)),
    ("pods", re.compile(r"Too many pods|Insufficient pods", re.IGNORECASE)),
    ("ephemeral-storage", re.compile(r"Insufficient ephemeral-storage", re.IGNORECASE)),
    ("extended-resource", re.compile(r"Insufficient (?P<resource>[\w./-]+)", re.IGNORECASE)),
    ("device-claim", re.compile(r"allocate all claims|resource ?claim|allocate devices", re.IGNORECASE)),
)
# Conditions of nodes, which schedulers before 1.12 named among their reasons; the nodes tell them better.
_OF_CONDITIONS = re.compile(r"not ready|out of disk|pressure|unavailable|unknown condition", re.IGNORECASE)


class Sentence(msgspec.Struct):
    """What the scheduler said.

    :param reasons: blocker → number of nodes; blockers as in ``scheduling.blocked`` (``selector`` is not yet told apart).
    :param taints: taints it named, control-plane ones left out.
    :param control_plane: nodes it left out for a control-plane taint.
    """

    nodes: int | None = None
    reasons: dict[str, int] = msgspec.field(default_factory=dict)
    taints: list[str] = msgspec.field(default_factory=list)
    control_plane: int = 0
    claim: str | None = None
    resource: str | None = None


def read_sentence(message: str) -> Sentence | None:
    """The sentence of a ``FailedScheduling`` event; None when the message is another."""
    text = " ".join(message.split())
    head = _HEAD.search(text)
    old = None if head else _OLD_HEAD.search(text)
    opening = head or old or _AUTOSCALER_HEAD.search(text)
    sentence = Sentence(nodes=int(head["all"]) if head else None)
    body = re.split(r"\bpreemption:", text[opening.end() :] if opening else text, maxsplit=1, flags=re.IGNORECASE)[0]
    missing = re.search(r"persistentvolumeclaim \"?([\w.-]+)\"? not found", body)
    if missing:
        sentence.claim = missing[1]
        sentence.reasons["claim-missing"] = sentence.nodes or 1
        return sentence
    if re.search(r"unbound (?:immediate )?PersistentVolumeClaims", body, re.IGNORECASE):
        sentence.reasons["claim-unbound"] = sentence.nodes or 1
        return sentence
    pairs = (
        [(m[1], int(m[2])) for m in _OLD_REASON.finditer(body)]
        if old
        else [(m["why"], int(m["count"])) for pattern in (_REASON, _OTHER_REASON) for m in pattern.finditer(body)]
    )
    told = any(why.endswith("AffinityRulesNotMatch") for why, _ in pairs)  # on top of these stands MatchInterPodAffinity
    for why, count in pairs:
        if not (told and why.startswith("MatchInterPodAffinity")):
            _count(sentence, why, count)
    return sentence if sentence.reasons or sentence.control_plane else None


def _count(sentence: Sentence, why: str, count: int) -> None:
    for blocker, wording in _WORDINGS:
        found = wording.search(why)
        if not found:
            continue
        if blocker == "taint":
            taint = _TAINT.search(why)
            if taint and _CONTROL_PLANE.search(taint["key"]):
                sentence.control_plane += count
                return
            if taint:
                sentence.taints.append(f"{taint['key']}{'=' + taint['value'].strip() if taint['value'].strip() else ''}")
        elif blocker == "extended-resource":
            sentence.resource = found["resource"].rstrip(".")
        sentence.reasons[blocker] = sentence.reasons.get(blocker, 0) + count
        return
    if not _OF_CONDITIONS.search(why):  # of a plugin that nobody here knows: it blocks all the same
        sentence.reasons["other"] = sentence.reasons.get("other", 0) + count
