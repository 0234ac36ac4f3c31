"""Every fixed word of the reports, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from kubecause.text import Language


class Words(msgspec.Struct, frozen=True):
    """The words of one language.

    Counted words are pairs (one, many) with ``{n}``; :func:`counted` chooses.
    """

    lang: str  # for HTML
    title: str
    status: Mapping[str, str]
    severity: Mapping[str, str]
    risk: Mapping[str, str]
    at: Mapping[str, str]
    source: Mapping[str, str]
    standard_input: str
    # headings
    what: str
    why: str
    chain: str
    affected: str
    changed: str  # short, for the gutter of a terminal
    changed_before: str
    proof: str
    fix: str
    harm: str
    when: str
    only: str
    verify: str
    expect: str
    look: str
    references: str
    confidence: str
    symptoms: str
    gaps: str
    hides: str
    clear: str
    also: str
    # phrases
    on: str  # {fault} {entity}
    unnamed: str  # {kind}
    in_cluster: str  # {entity} {cluster}
    seen: tuple[str, str]
    places: tuple[str, str]
    more: tuple[str, str]
    more_affected: tuple[str, str]
    affected_count: tuple[str, str]
    nothing: str
    nothing_but_gaps: str
    nothing_seen: str
    no_cause: str
    # closing line
    closing: str  # {source} {found}
    closing_bare: str  # {source}
    no_causes: str
    causes: tuple[str, str]
    confirmed_of: str
    open_symptoms: tuple[str, str]
    faults: tuple[str, str]
    ruled_out: tuple[str, str]
    not_seen: tuple[str, str]
    list_mark: str
    part_mark: str
    colon: str
    parens: str
    describe: str
    warnings: str
    wide_hint: str
    # what changed: {entity} {before} {after} {by}
    changes: Mapping[str, str]  # by the field ``what`` of the fact ``change``
    change_between: Mapping[str, str]  # the same with {before} and {after}
    change_by: str
    differences: Mapping[str, str]  # {field} {before} {after}
    lead: str  # {lead}
    lead_none: str
    units: tuple[tuple[int, str], ...]  # seconds a unit, largest first


_EN = Words(
    lang="en",
    title="Kubernetes root-cause report",
    status={"confirmed": "confirmed", "probable": "probable", "possible": "possible"},
    severity={"error": "error", "warning": "warning", "info": "info"},
    risk={"safe": "safe", "disruptive": "disruptive", "destructive": "destructive"},
    at={"client": "client", "node": "node", "pod": "in pod", "registry": "registry", "etcd": "etcd"},
    source={"cluster": "cluster", "capture": "capture", "bundle": "bundle", "node": "node", "text": "text"},
    standard_input="standard input",
    what="What",
    why="Why",
    chain="Chain",
    affected="Affected",
    changed="Changed",
    changed_before="Changed shortly before",
    proof="Proof",
    fix="Fix",
    harm="harm",
    when="when",
    only="only",
    verify="verify",
    expect="expect",
    look="Look",
    references="Read",
    confidence="confidence",
    symptoms="Symptoms without a known cause",
    gaps="Not seen (could still be broken)",
    hides="; may hide {}",
    clear="Ruled out",
    also="Also found",
    on="{fault} on {entity}",
    unnamed="{kind} (name unknown)",
    in_cluster="{entity} in cluster {cluster}",
    seen=("seen once", "seen {n} times"),
    places=(" and 1 more place", " and {n} more places"),
    more=("and 1 more", "and {n} more"),
    more_affected=("and 1 more", "and {n} more"),
    affected_count=("1 affected", "{n} affected"),
    nothing="Nothing wrong found in what was looked at.",
    nothing_but_gaps="Nothing wrong found in what was looked at, but not everything could be seen.",
    nothing_seen="Nothing could be looked at, so nothing can be said.",
    no_cause="No cause found; what follows is what is visibly wrong and the commands that lead on.",
    closing="Looked at {source}: {found}.",
    closing_bare="Looked at {source}.",
    no_causes="no cause",
    causes=("1 cause", "{n} causes"),
    confirmed_of="{n} confirmed",
    open_symptoms=("1 symptom without a cause", "{n} symptoms without a cause"),
    faults=("1 fault", "{n} faults"),
    ruled_out=("1 fault ruled out", "{n} faults ruled out"),
    not_seen=("1 thing not seen", "{n} things not seen"),
    list_mark=", ",
    part_mark="; ",
    colon=": ",
    parens=" ({})",
    describe="its conditions and its latest events",
    warnings="the latest warnings of the cluster, by time",
    wide_hint=" -o wide shows everything.",
    changes={
        "rollout": "{entity} was rolled out with a new template",
        "scaled": "{entity} was scaled to {after} replicas",
        "edited": "{entity} was edited",
        "created": "{entity} was created",
        "node-joined": "{entity} joined the cluster",
        "node-rebooted": "{entity} rebooted",
        "kubelet-started": "the kubelet of {entity} started again",
        "certificate-expired": "a certificate expired: {after}",
    },
    change_between={
        "rollout": "{entity} was rolled out, revision {before} to {after}",
        "scaled": "{entity} was scaled from {before} to {after} replicas",
        "kubelet-started": "the kubelet of {entity} started again as {after}, other nodes run {before}",
    },
    change_by=" by {by}",
    differences={
        "changed": "{field} from {before} to {after}",
        "added": "{field} added: {after}",
        "removed": "{field} removed, was {before}",
        "hidden": "{field} changed",
        "hidden added": "{field} added",
        "hidden removed": "{field} removed",
    },
    lead="{lead} before the first sign",
    lead_none="in the second of the first sign",
    units=((3600, "{n} h"), (60, "{n} min"), (1, "{n} s")),
)

_ZH = Words(
    lang="zh",
    title="Kubernetes 根因诊断报告",
    status={"confirmed": "已确认", "probable": "很可能", "possible": "可能"},
    severity={"error": "错误", "warning": "警告", "info": "提示"},
    risk={"safe": "安全", "disruptive": "有影响", "destructive": "破坏性"},
    at={"client": "客户端", "node": "节点", "pod": "Pod 内", "registry": "镜像仓库", "etcd": "etcd"},
    source={"cluster": "集群", "capture": "现场采集", "bundle": "诊断包", "node": "节点", "text": "文本"},
    standard_input="标准输入",
    what="现状",
    why="成因",
    chain="因果链",
    affected="受影响",
    changed="变更",
    changed_before="故障前的变更",
    proof="证据",
    fix="修复",
    harm="影响",
    when="适用",
    only="仅限",
    verify="验证",
    expect="预期",
    look="排查",
    references="参考",
    confidence="置信度",
    symptoms="尚未找到原因的症状",
    gaps="没有看到的信息（不代表正常）",
    hides="；可能漏掉 {}",
    clear="已排除的故障",
    also="另外还发现",
    on="{fault}，位于 {entity}",
    unnamed="{kind}（名称未知）",
    in_cluster="{entity}（集群 {cluster}）",
    seen=("出现 1 次", "出现 {n} 次"),
    places=("，另有 1 处相同", "，另有 {n} 处相同"),
    more=("另有 1 项", "另有 {n} 项"),
    more_affected=("另有 1 个", "另有 {n} 个"),
    affected_count=("影响 1 个对象", "影响 {n} 个对象"),
    nothing="在已检查的范围内没有发现问题。",
    nothing_but_gaps="在已检查的范围内没有发现问题，但有些信息没能看到。",
    nothing_seen="没有任何可以检查的信息，无法判断。",
    no_cause="没有找到根因。以下是能看到的异常，以及继续排查的命令。",
    closing="检查对象：{source}；{found}。",
    closing_bare="检查对象：{source}。",
    no_causes="没有找到原因",
    causes=("找到 1 个原因", "找到 {n} 个原因"),
    confirmed_of="{n} 个已确认",
    open_symptoms=("1 个症状原因不明", "{n} 个症状原因不明"),
    faults=("1 种故障", "{n} 种故障"),
    ruled_out=("已排除 1 种故障", "已排除 {n} 种故障"),
    not_seen=("1 项信息没有看到", "{n} 项信息没有看到"),
    list_mark="，",
    part_mark="；",
    colon="：",
    parens="（{}）",
    describe="对象的状态和最近的事件",
    warnings="集群最近的告警事件，按时间排列",
    wide_hint="加 -o wide 查看全部内容。",
    changes={
        "rollout": "{entity} 发布了新的 Pod 模板",
        "scaled": "{entity} 的副本数调整为 {after}",
        "edited": "{entity} 被修改",
        "created": "{entity} 被创建",
        "node-joined": "{entity} 加入集群",
        "node-rebooted": "{entity} 重启",
        "kubelet-started": "{entity} 的 kubelet 重新启动",
        "certificate-expired": "证书过期：{after}",
    },
    change_between={
        "rollout": "{entity} 发布了新版本（revision 由 {before} 变为 {after}）",
        "scaled": "{entity} 的副本数从 {before} 调整为 {after}",
        "kubelet-started": "{entity} 的 kubelet 重新启动，版本为 {after}，其他节点为 {before}",
    },
    change_by="，操作者 {by}",
    differences={
        "changed": "{field} 由 {before} 改为 {after}",
        "added": "新增 {field}：{after}",
        "removed": "删除 {field}，原值 {before}",
        "hidden": "{field} 有改动",
        "hidden added": "新增 {field}",
        "hidden removed": "删除 {field}",
    },
    lead="首个异常出现前 {lead}",
    lead_none="与首个异常同一秒",
    units=((3600, "{n} 小时"), (60, "{n} 分钟"), (1, "{n} 秒")),
)


def words_of(language: Language) -> Words:
    """The words of a language."""
    return _ZH if language == "zh" else _EN


def counted(forms: tuple[str, str], n: int) -> str:
    """``(one, many)`` for a number: ``1 cause``, ``2 causes``."""
    return forms[0] if n == 1 else forms[1].format(n=n)
