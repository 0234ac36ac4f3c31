"""What a document is, from its command and its content; a paste of several kinds becomes several documents.

Content decides; the name of a file never does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from kubecause.facts.describe import described_kind
from kubecause.facts.event_rows import broken_tail, event_row, is_header
from kubecause.facts.fragments import is_fragment
from kubecause.facts.outline import outline
from kubecause.facts.tables import bare_pod_row, header_columns
from kubecause.model import Channel, Document

UNKNOWN = "unknown"  # the kind of a document nobody has looked at yet

_OBJECT_OUTPUT = re.compile(r"-o\s*=?\s*(?:yaml|json)\b|get --raw")
_DESCRIBED = re.compile(
    r"(?:Name|Status|Type|Selector|StorageClass|Reference|Conditions|Containers):(?:\s|$)|"
    r"(?:Last )?State:\s+(?:Waiting|Running|Terminated)$"  # of a container, without what stands above it
)
_KUBECTL = re.compile(r"\b(?:kubectl|oc|k)\s+(?:(?!describe|get|logs?\b)\S+\s+){0,8}?(describe|get|logs?|top)\b")
_LOG_CHANNELS = frozenset({Channel.APP_LOG, Channel.COMPONENT_LOG, Channel.KUBELET_LOG, Channel.RUNTIME_LOG, Channel.KERNEL_LOG})
_YAML_HEAD = re.compile(r"(?:apiVersion|kind|spec|metadata|status|items):(?:\s|$)")
_YAML_BODY = re.compile(r"\s*(?:[\w./\"'-]+:(?:\s|$)|- |#|---|\.\.\.)|\s+\S")
_NAME = re.compile(r"Name:\s+\S")
_JSON_HEAD = re.compile(r"\s*[\[{]\s*(?:$|[\"{\[])")


def recognise(document: Document) -> Iterator[Document]:
    """The document with its kind set, or the documents it consists of.

    Kinds: table, describe, manifest, fragment, alerts, service-graph, connection, log, text, and the kinds of ``hosts``.
    A source that knows what it hands over (a live cluster) has set the kind already.
    """
    if document.kind != UNKNOWN:
        yield document
        return
    if document.channel in _LOG_CHANNELS and (document.command is None or "log" in document.command):
        yield replace(document, kind="log")
        return
    verb = _KUBECTL.search(document.command or "")
    if (
        verb
        and verb[1] == "get"
        and not _OBJECT_OUTPUT.search(document.command or "")
        and "-o" not in (document.command or "").replace("-o wide", "")
    ):
        yield from _tables(document)
    elif is_fragment(document):
        yield replace(document, kind="fragment")
    elif verb and verb[1] == "describe" and "|" not in (document.command or ""):
        yield from _described(document)
    else:
        yield from _by_content(document)


def _tables(document: Document) -> Iterator[Document]:
    if any(header_columns(line) or bare_pod_row(line) or event_row(line, 0) for line in document.lines[:400]):
        yield replace(document, kind="table")
    else:
        yield from _by_content(document)


def _described(document: Document) -> Iterator[Document]:
    """One document for each object: a new one starts at ``Name:`` in the first column."""
    starts = [i for i, line in enumerate(document.lines) if _NAME.match(line)]
    starts = [i for i in starts if i == 0 or not document.lines[i - 1].strip() or i == starts[0]]
    if not starts:
        yield from _by_content(document)
        return
    if any(line.strip() for line in document.lines[: starts[0]]):
        yield from _by_content(_part(document, 0, starts[0]))
    for start, end in zip(starts, [*starts[1:], len(document.lines)], strict=True):
        yield replace(_part(document, start, end), kind="describe")


def _part(document: Document, start: int, end: int) -> Document:
    return replace(document, lines=document.lines[start:end], first_line=document.first_line + start)


def _by_content(document: Document) -> Iterator[Document]:
    text_head = "\n".join(document.lines[:40])
    if _JSON_HEAD.match(text_head):
        kind = _json_kind(document.lines)
        if kind:
            yield replace(document, kind=kind)
            return
    start = 0
    for kind, begin, end in _blocks(document.lines, document.command):
        if begin > start:
            yield from _rest(document, start, begin)
        part = _part(document, begin, end)
        yield replace(_dedented(part), kind=kind)
        start = end
    if start < len(document.lines):
        yield from _rest(document, start, len(document.lines))


def _rest(document: Document, start: int, end: int) -> Iterator[Document]:
    part = _part(document, start, end)
    if any(line.strip() for line in part.lines):
        yield replace(part, kind="text")


def _dedented(document: Document) -> Document:
    indents = [len(line) - len(line.lstrip()) for line in document.lines if line.strip()]
    common = min(indents, default=0)
    return replace(document, lines=[line[common:] for line in document.lines]) if common else document


def _json_kind(lines: Sequence[str]) -> str | None:
    """Kind of a JSON text; None for JSON logs and what is not read as one value."""
    head = "\n".join(lines[:200])[:20_000]
    if len(lines) > 1 and lines[0].startswith("{") and lines[0].rstrip().endswith("}") and lines[1].startswith("{"):
        return None
    if ('"alerts"' in head and '"labels"' in "\n".join(lines)[:200_000]) or ('"alerts"' in head and '"status"' in head):
        return "alerts"
    if '"client"' in head and '"server"' in head:
        return "service-graph"
    if '"kind"' in head or '"items"' in head:
        return "manifest"
    try:
        value = json.loads("\n".join(lines))
    except (ValueError, RecursionError):
        return None
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, dict) and ("State" in first or "status" in first):
        return "inspect"
    return "etcd-status" if isinstance(first, dict) and "Endpoint" in first else None


def _blocks(lines: Sequence[str], command: str | None) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of every block that can be told; what lies between is text."""
    index = 0
    while index < len(lines):
        kind = _starts(lines, index, command)
        if kind is None:
            index += 1
            continue
        end = _ends(kind, lines, index)
        yield kind, index, end
        index = end


def _starts(lines: Sequence[str], index: int, command: str | None) -> str | None:
    line = lines[index]
    if not line.strip():
        return None
    if header_columns(line) or bare_pod_row(line):
        return "table"
    if event_row(line, 0) or (
        is_header(line) and index + 1 < len(lines) and (event_row(lines[index + 1], 0) or is_header(lines[index + 1]))
    ):
        return "events"
    stripped = line.strip()
    if _YAML_HEAD.match(stripped) and _is_manifest(lines, index):
        return "manifest"
    window = "\n".join(lines[index : index + 4])
    from kubecause.facts.hosts import HOST_RECOGNISERS  # heavy, and a live cluster shows no host

    host = next((kind for kind, pattern in HOST_RECOGNISERS if pattern.match(window)), None)
    if host:
        return host
    if _DESCRIBED.match(stripped):
        block = lines[index : _ends("describe", lines, index)]
        if described_kind(outline(block, 1), command):
            return "describe"
    return None


def _is_manifest(lines: Sequence[str], index: int) -> bool:
    head = [line.strip() for line in lines[index : index + 12]]
    words = {line.split(":")[0] for line in head if ":" in line}
    if {"apiVersion", "kind"} <= words:
        return True
    return head[0].startswith("spec:") and bool(words & {"podCIDR", "unschedulable"})


def _ends(kind: str, lines: Sequence[str], start: int) -> int:
    """Index after the last line of a block."""
    if kind == "manifest":
        return _manifest_end(lines, start)
    if kind == "describe":
        return _describe_end(lines, start)
    index = start + 1
    while index < len(lines):
        line = lines[index]
        if not line.strip():
            if (
                kind in ("systemctl-status", "top", "atop", "iotop", "curl-verbose", "x509")
                and index + 1 < len(lines)
                and lines[index + 1].strip()
            ):
                index += 1
                continue
            tail = broken_tail(lines, index) if kind == "events" else None
            if tail is None:
                return index
            index = tail + 1
            continue
        if kind == "table" and not _table_row(line):
            return index
        if kind == "events" and not (event_row(line, 0) or is_header(line) or line[:1].isspace() or _continues(lines, index)):
            return index
        if kind not in ("table", "events") and (header_columns(line) or event_row(line, 0)):
            return index
        index += 1
    return index


def _continues(lines: Sequence[str], index: int) -> bool:
    """A wrapped message goes on in lines that start no new thing."""
    return not header_columns(lines[index]) and not re.match(r"\S+\s{2,}\d+/\d+\s", lines[index])


def _table_row(line: str) -> bool:
    return bool(header_columns(line) or re.search(r"\S\s{2,}\S", line)) and not re.match(r"\S+:\s", line)


def _manifest_end(lines: Sequence[str], start: int) -> int:
    indent = len(lines[start]) - len(lines[start].lstrip())
    index = start + 1
    while index < len(lines):
        line = lines[index]
        if line.strip() and (not _YAML_BODY.match(line) or len(line) - len(line.lstrip()) < indent):
            return index
        index += 1
    return index


def _describe_end(lines: Sequence[str], start: int) -> int:
    for index in range(start + 1, len(lines)):
        line = lines[index]
        if _NAME.match(line) and not lines[index - 1].strip():
            return index
        if header_columns(line) and not line[:1].isspace():
            return index
        if (
            not line.strip()
            and index + 1 < len(lines)
            and re.match(r"[^\s:]+ [^:]*$", lines[index + 1])
            and not is_header(lines[index + 1])
        ):
            following = lines[index + 1]
            if not re.match(r"(?:No resource|Resource |No LimitRange|Events)", following):
                return index
    return len(lines)
