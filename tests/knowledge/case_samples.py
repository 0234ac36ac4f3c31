"""A complete, lint-clean case as text, and how tests change it."""

from __future__ import annotations

from pathlib import Path

from kubecause.knowledge.cache import Knowledge
from kubecause.knowledge.catalogue import Fault, load_catalogue
from kubecause.knowledge.lint import Issue, lint
from kubecause.knowledge.loader import load_folder

ID = "kubelet/not-running"
PATHS = ("self", "node.components")

TEXT = """\
id: kubelet/not-running
entity: node
status: tested
title: {en: kubelet does not run on <node>, zh: 节点 <node> 上的 kubelet 没有运行}
what:
  en: The unit kubelet is <state>. The node reports nothing.
  zh: kubelet 服务状态为 <state>，节点不再上报。
why: {en: It was stopped or fails at its start., zh: 被停止，或启动失败。}
words: [systemctl]
signals:
  said:
    in: [client, paste]
    contains: Unit kubelet.service entered failed state
    capture: 'code=(?P<code>\\d+)'
  down:
    fact: unit.state
    where: {unit: kubelet, active|in: [inactive, failed]}
    bind: {state: active}
match: said or down
confirmed: down
look:
  - {at: node, run: systemctl status kubelet, tells: {en: whether it runs, zh: 是否在运行}}
leads_to:
  - {fault: node/not-ready, via: self}
fixes:
  - title: {en: Start it, zh: 启动它}
    risk: safe
    steps: [{at: node, run: systemctl start kubelet}]
    verify: {at: node, run: systemctl is-active kubelet, expect: active}
  - title: {en: Install it anew, zh: 重新安装}
    risk: disruptive
    harm: {en: pods restart, zh: Pod 会重启}
    steps: [{at: node, run: <your-package-manager> install kubelet}]
    verify: {at: node, run: systemctl is-active kubelet, expect: active}
examples:
  hit:
    - name: journal
      in: client
      text: 'systemd: Unit kubelet.service entered failed  state. code=255'
      expect: {by: said, code: 255}
    - name: systemctl
      facts: [{kind: unit.state, entity: {kind: Node, name: w1}, unit: kubelet, active: failed, down: true}]
      expect: {by: down, status: confirmed, state: failed}
  miss:
    - {name: another unit, in: client, text: Unit cups.service entered failed state}
references:
  - {url: 'https://kubernetes.io/docs/', tells: how the kubelet is run}
"""

SYMPTOM = """\
id: node/not-ready
entity: node
status: tested
symptom: true
title: {en: Node <node> is not ready, zh: 节点 <node> 未就绪}
what: {en: No pod starts there., zh: 无法在其上启动 Pod。}
why: {en: See its causes., zh: 见其原因。}
signals:
  seen: {fact: node.state, where: {ready: 'false'}}
match: seen
look:
  - {at: client, run: kubectl describe node <node>, tells: {en: its conditions, zh: 节点状况}}
leads_to:
  - {fault: pod/stuck-pending, via: self}
examples:
  hit:
    - name: row
      facts: [{kind: node.state, entity: {kind: Node, name: w1}, ready: 'false'}]
      expect: {by: seen}
  miss:
    - {name: other, in: event, text: all is well}
references:
  - {url: 'https://kubernetes.io/docs/', tells: node status}
"""


def changed(*edits: tuple[str, str], text: str = TEXT) -> str:
    """The text with each first string replaced once; one that is not there fails the test."""
    for old, new in edits:
        assert old in text, f"the sample does not hold {old!r}"
        text = text.replace(old, new, 1)
    return text


def written(folder: Path, text: str = TEXT, fault: str = ID) -> Path:
    """Write a case below a folder; gives the folder."""
    file = folder / f"{fault}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return folder


def linted(folder: Path, *edits: tuple[str, str], text: str = TEXT, fault: str = ID) -> list[Issue]:
    """What lint says of a changed sample."""
    written(folder, changed(*edits, text=text), fault)
    return lint(load_folder(folder), folder, load_catalogue(), PATHS)


def two_cases(folder: Path) -> Knowledge:
    """The knowledge of a cause, the symptom it leads to, and the catalogue."""
    written(folder)
    written(folder, SYMPTOM, "node/not-ready")
    faults: dict[str, Fault] = load_catalogue()
    return Knowledge(load_folder(folder), faults)
