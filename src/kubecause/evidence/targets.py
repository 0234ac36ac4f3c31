"""Saved evidence: paths and standard input as documents and gaps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from kubecause.evidence.files import Limits, RawText, read_texts
from kubecause.evidence.layout import hints_of, log_channel
from kubecause.evidence.transcript import Section, split_sections, unframed
from kubecause.model import Channel, Document, Gap

if TYPE_CHECKING:
    from kubecause.evidence.large_lists import LargeLists

UNKNOWN = "unknown"  # the kind of a document nobody has looked at yet
_SHORT_PASTE = 120  # lines; what one person sends another
_EXCERPT = 15  # lines

_CHANNEL_OF_COMMAND = (
    (re.compile(r"\bjournalctl\b.*\b(?:kubelet|k3s|rke2)|kubelet\.log"), Channel.KUBELET_LOG),
    (re.compile(r"\bjournalctl\b.*\b(?:docker|containerd|crio)"), Channel.RUNTIME_LOG),
    (re.compile(r"\b(?:dmesg|journalctl -k)\b|kern\.log"), Channel.KERNEL_LOG),
    (re.compile(r"\b(?:logs?)\b.*\b(?:kube-|etcd|coredns|calico|flannel|cilium|canal|weave|ingress)"), Channel.COMPONENT_LOG),
    (re.compile(r"\b(?:kubectl|k|oc|docker|crictl|podman|nerdctl|stern)\s+(?:-\S+\s+\S+\s+)*logs?\b"), Channel.APP_LOG),
    (re.compile(r"^(?:sudo )?(?:kubectl|k|oc|kubeadm|helm|docker|crictl|curl|wget|podman)\b"), Channel.CLIENT),
)
_LOG_PATH = (
    (re.compile(r"(?:^|/)kubelet[^/]*(?:\.log|\.txt|_service\.log)?$"), Channel.KUBELET_LOG),
    (re.compile(r"(?:^|/)(?:containerd|docker|crio)[^/]*(?:\.log|\.txt|_service\.log)$"), Channel.RUNTIME_LOG),
    (re.compile(r"(?:^|/)(?:dmesg|kern)[^/]*$"), Channel.KERNEL_LOG),
)


def open_evidence(
    targets: Sequence[str], limits: Limits | None = None, on_bytes: Callable[[int], None] | None = None
) -> Iterator[Document | Gap]:
    """Every piece of text below the targets as documents, in a fixed order, one in memory at a time.

    :param targets: paths of files and folders, ``-`` for standard input.
    :param on_bytes: called with the number of bytes just read.
    :raises EvidenceError: when a target cannot be opened at all.
    """
    made: list[LargeLists] = []

    def lists() -> LargeLists:
        """What takes large lists; made for the first of them, as it takes a while to load."""
        if not made:
            from kubecause.evidence.large_lists import LargeLists

            made.append(LargeLists())
        return made[0]

    for target in targets:
        for raw in read_texts(target, limits or Limits(), on_bytes=on_bytes, lists=lists):
            if isinstance(raw, (Gap, Document)):
                yield raw
            else:
                yield from documents_of(raw)
    for each in made:
        yield from each.documents()


def documents_of(raw: RawText) -> Iterator[Document]:
    """Documents of one text: one for each command of a transcript, else one for all of it."""
    hints = hints_of(raw.source)
    if hints.pop("log", None):
        yield Document(raw.source, UNKNOWN, log_channel(hints), raw.lines, raw.first_line, hints=hints, collected=raw.collected)
        return
    channel = next((channel for pattern, channel in _LOG_PATH if pattern.search(raw.source)), Channel.PASTE)
    lines = unframed(raw.lines)
    for section in split_sections(lines):
        yield Document(
            source=raw.source,
            kind=UNKNOWN,
            channel=_heard_as(section, raw) or channel,
            lines=section.lines,
            first_line=raw.first_line + section.offset,
            command=section.command,
            host=section.host,
            hints={**hints, **_command_hints(section.command)},
            collected=raw.collected,
        )


def _heard_as(section: Section, raw: RawText) -> Channel | None:
    """Who speaks in a section; a few lines of a log that somebody picked out are handed over like a pasted message."""
    channel = channel_of(section.command)
    whole = raw.last and raw.first_line == 1 and len(raw.lines) <= _SHORT_PASTE
    picked = whole and sum(1 for line in section.lines if line.strip()) <= _EXCERPT
    return Channel.PASTE if channel == Channel.APP_LOG and picked else channel


def channel_of(command: str | None) -> Channel | None:
    """Who speaks in the output of a command; None when the command does not tell."""
    if not command or re.search(r";|&&|\|\|", command):
        return None  # several commands, several speakers
    return next((channel for pattern, channel in _CHANNEL_OF_COMMAND if pattern.search(command)), Channel.COMMAND)


def _command_hints(command: str | None) -> dict[str, str]:
    """What the command line says about its output: ``-n shop``, ``describe pod web-0``, ``logs web-0 -c app``."""
    hints: dict[str, str] = {}
    if not command:
        return hints
    namespace = re.search(r"(?:-n|--namespace)[ =]([a-z0-9][a-z0-9-]{0,62})\b", command)
    if namespace:
        hints["namespace"] = namespace[1]
    logs = re.search(r"\blogs?\s+(?:-\S+\s+(?:\S+\s+)?)*?(?:(?P<kind>[a-z]+)/)?(?P<name>[a-z0-9][a-z0-9.-]{2,252})", command)
    if logs:
        hints["workload" if logs["kind"] and not logs["kind"].startswith("po") else "pod"] = logs["name"]
        container = re.search(r"-c[ =]?([a-z0-9-]+)", command)
        if container:
            hints["container"] = container[1]
    elif not re.search(r"\s-A\b|--all-namespaces", command) and "kubectl describe" in command:
        name = re.search(r"\bdescribe\s+(?:-n \S+ )?[A-Za-z.]+[ /]([a-z0-9][a-z0-9.-]{0,252})", command)
        if name:
            hints["name"] = name[1]
    return hints
