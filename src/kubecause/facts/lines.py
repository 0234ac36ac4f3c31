"""Lines of logs, messages and pastes that some signal listens for, as ``line`` facts.

A line is kept only when a literal of the knowledge base stands in it (``LineFilter``): logs are long, known messages
few. Repeats of one message are one fact with a count.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec

from kubecause.model import Channel, Document, Entity, Fact, Proof
from kubecause.vocabulary import TEXT_FACT

_JOURNAL = re.compile(
    r"(?:\d{1,7}\s+)?(?:(?:[A-Z][a-z]{2}|\d{1,2}月)\s+\d{1,2}\s[\d:.]{5,15}|\d{4}-\d\d-\d\dT\S{8,35})\s(?P<host>[\w.-]{1,253})\s(?P<unit>[\w@.-]{1,64}?)(?:\[\d{1,9}\])?:\s"
)
_CHANNEL_OF_UNIT = (
    (
        re.compile(r"^(?:kubelet|kubenswrapper|k3s|k3s-agent|rke2|rke2-agent|rke2-server|\S*kubelet|\S*kubelite)$"),
        Channel.KUBELET_LOG,
    ),
    (re.compile(r"^(?:dockerd|docker|containerd|crio|cri-o|cri-dockerd)$"), Channel.RUNTIME_LOG),
    (re.compile(r"^kernel$"), Channel.KERNEL_LOG),
    (re.compile(r"^(?:etcd|kube-\w+|haproxy|keepalived|flanneld|calico\S*)"), Channel.COMPONENT_LOG),
)
# Units that hold the control plane too: their lines are a component's as well as a kubelet's.
_ALL_IN_ONE = re.compile(r"^(?:k3s|rke2|rke2-server|\S*kubelite)$")
_DMESG = re.compile(r"\s{0,8}(?:<\d>)?\[\s{0,6}\d{1,10}\.\d{3,9}\]\s|\s{0,8}\[[A-Z][a-z]{2} [A-Z][a-z]{2} .{5,20}\d{4}\] ")
_ABOUT_POD = (  # each with a word without which it is not there
    ("pod=", re.compile(r"\bpod=\\*\"(?P<namespace>[a-z0-9-]+)/(?P<pod>[a-z0-9.-]+)\\*\"")),
    ("pod", re.compile(r"\bpods? \\*\"(?P<namespace>[a-z0-9-]+)/(?P<pod>[a-z0-9.-]+)\\*\"")),
    ("_", re.compile(r"\b(?P<pod>[a-z0-9][a-z0-9.-]{1,252})_(?P<namespace>[a-z0-9][a-z0-9-]{0,62})\([0-9a-fx-]{8,40}\)")),
    ("k8s_", re.compile(r"\bk8s_\w[\w-]*_(?P<pod>[a-z0-9][a-z0-9.-]+)_(?P<namespace>[a-z0-9-]+)_[0-9a-f-]{30,36}")),
    ("pod", re.compile(r"\bpods? \\*\"(?P<pod>[a-z0-9][a-z0-9.-]{2,252})\\*\"")),
)
_VARIES = re.compile(r"[0-9a-f]{8,}|\d+")
_MESSAGE_KEYS = (
    "message",
    "msg",
    "log",
    "MESSAGE",
    "textPayload",
    "err",
    "error",
    "error.message",
    "exception",
    "stack",
    "reason",
)
_WINDOW = 4  # lines that one wrapped message may take
_SMALL = 4000  # lines; larger texts are not searched for wrapped messages
_MAX_FACTS = 5000  # distinct messages of one document
_MAX_ALIKE = 200  # distinct messages with the same literals: a broad one must not crowd out the rare
_MAX_SAMPLES = 400  # repeats kept with their text, for patterns in time
_MAX_TEXT = 4000  # characters of one message
_JOINERS = ("", " ")


class LineFilter(Protocol):
    """Tells which literals of the knowledge base stand in a text."""

    def literals(self, lines: Sequence[str]) -> dict[int, frozenset[int]]:
        """Index of each interesting line → the literals in it."""

    def squeezed(self, lines: Sequence[str]) -> list[tuple[int, int, int]]:
        """Literals found after all blanks, quotes and punctuation are dropped: literal, first and last line."""


class _Kept(msgspec.Struct):
    text: str
    line: int
    channel: Channel
    host: str | None
    count: int = 1
    samples: list[str] = msgspec.field(default_factory=list)
    damaged: bool = False
    all_in_one: bool = False


def line_facts(document: Document, keep: LineFilter, entity: Entity, *, wrapped: bool) -> Iterator[Fact]:
    """Facts of the interesting lines.

    :param entity: what the document is about, where a line does not say better.
    :param wrapped: also look for messages broken over lines or damaged by copying (small texts only).
    """
    lines = document.lines
    hits = keep.literals(lines)
    kept: dict[tuple[str, Channel], _Kept] = {}
    alike: Counter[frozenset[int]] = Counter()
    for index in sorted(hits):
        alike[hits[index]] += _keep(kept, _one_line(document, index), room=alike[hits[index]] < _MAX_ALIKE)
    if wrapped and len(lines) <= _SMALL:
        for item in _wrapped(document, keep, hits):
            if _key(item) not in kept:  # a line that was heard already, and only joined with blank ones
                _keep(kept, item)
    for item in kept.values():
        yield _fact(document, item, entity)


def _one_line(document: Document, index: int) -> _Kept:
    raw = document.lines[index]
    text, channel, host, all_in_one = raw.strip(), document.channel, document.host, False
    prefix = _JOURNAL.match(text)
    if prefix:
        host = prefix["host"]
        all_in_one = _ALL_IN_ONE.match(prefix["unit"]) is not None
        channel = next((c for pattern, c in _CHANNEL_OF_UNIT if pattern.match(prefix["unit"])), channel)
    elif _DMESG.match(text):
        channel = Channel.KERNEL_LOG if channel not in (Channel.APP_LOG, Channel.COMPONENT_LOG) else channel
    return _Kept(message_of(text)[:_MAX_TEXT], document.first_line + index, channel, host, all_in_one=all_in_one)


def message_of(text: str) -> str:
    """What a JSON log line says; other lines as they are.

    >>> message_of('{"ts":1,"msg":"rejected connection","remote-addr":"10.0.0.1:5"}')
    'rejected connection {"ts":1,"msg":"rejected connection","remote-addr":"10.0.0.1:5"}'
    """
    start = text.find("{")
    if start < 0 or start > 80 or not text.endswith("}"):
        return text
    try:
        value: Any = json.loads(text[start:])
    except (ValueError, RecursionError):
        return text
    if not isinstance(value, dict):
        return text
    said = [value[key] for key in _MESSAGE_KEYS if isinstance(value.get(key), str)]
    payload = value.get("jsonPayload")
    if isinstance(payload, dict):
        said += [payload[key] for key in _MESSAGE_KEYS if isinstance(payload.get(key), str)]
    return " ".join([*(part.strip() for part in said), text]) if said else text


def _wrapped(document: Document, keep: LineFilter, hits: dict[int, frozenset[int]]) -> Iterator[_Kept]:
    """Messages that only show when neighbouring lines are joined, or blanks and quotes are ignored."""
    lines = document.lines
    known: set[int] = set().union(*hits.values()) if hits else set()
    for joiner in _JOINERS if len(lines) > 1 else ():
        windows = [joiner.join(line.strip() for line in lines[i : i + _WINDOW]) for i in range(len(lines))]
        for index, found in sorted(keep.literals(windows).items()):
            fresh = found - known
            if fresh:
                known |= fresh
                base = _one_line(document, index)
                yield _Kept(windows[index][:_MAX_TEXT], base.line, base.channel, base.host)
    for literal, first, last in keep.squeezed(lines):
        if literal not in known:
            known.add(literal)
            base = _one_line(document, first)
            yield _Kept(
                " ".join(line.strip() for line in lines[first : last + 1])[:_MAX_TEXT],
                base.line,
                base.channel,
                base.host,
                damaged=True,
            )


def _key(item: _Kept) -> tuple[str, Channel]:
    """What repeats of one message share."""
    return _VARIES.sub("#", item.text), item.channel


def _keep(kept: dict[tuple[str, Channel], _Kept], item: _Kept, *, room: bool = True) -> bool:
    """Count a message or keep a new one while there is room; true when it is new."""
    key = _key(item)
    known = kept.get(key)
    if known:
        known.count += 1
        if len(known.samples) < _MAX_SAMPLES:
            known.samples.append(item.text)
    elif room and len(kept) < _MAX_FACTS:
        item.samples.append(item.text)
        kept[key] = item
        return True
    return False


def _fact(document: Document, item: _Kept, entity: Entity) -> Fact:
    fields: dict[str, Any] = {"text": item.text, "channel": item.channel, "count": item.count}
    if item.all_in_one:
        fields["also"] = Channel.COMPONENT_LOG
    if item.damaged:
        fields["damaged"] = True
    if document.hints.get("which") == "previous":
        fields["previous"] = True
    if item.count > 1:
        fields["samples"] = tuple(item.samples)
    about = about_of(item.text)
    if about:
        fields["about"] = about
    if item.host and entity.kind not in ("Container", "Pod", "Workload"):
        entity = Entity("Node", item.host)
    count = item.count if item.count > 1 else None
    return Fact(TEXT_FACT, entity, fields, (Proof(document.source, item.text, line=item.line, count=count),), document.source)


def about_of(text: str) -> Entity | None:
    """The pod that a log line or message names; None when it names none."""
    for word, pattern in _ABOUT_POD:
        found = pattern.search(text) if word in text else None
        if found:
            return Entity("Pod", found["pod"].rstrip("-"), found.groupdict().get("namespace"))
    return None
