"""Objects as YAML or JSON: ``kubectl get -o yaml|json``, manifests, lists without item kinds, several documents.

Hostile YAML is refused by its shape: aliases that would unfold to more than ``MAX_NODES`` nodes are a gap.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from kubecause.facts.drafts import Detail, Draft
from kubecause.facts.event_rows import EventRow
from kubecause.model import Document, Gap, Proof

MAX_NODES = 2_000_000
MAX_DEPTH = 100


class _Loader(yaml.CSafeLoader):
    """Timestamps stay text; everything else as YAML 1.1 says."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_VALUE = re.compile(r"^[{\[]|(?<=[}\]])\s{0,8}[{\[]", re.MULTILINE)


def parse_manifest(document: Document) -> Iterator[Draft | EventRow | Gap]:
    """Drafts of every object in the text; events as event rows; what cannot be read as gaps."""
    for item, first_line in _documents(document):
        if isinstance(item, Gap):
            yield item
        else:
            yield from _objects(item, document, first_line, None, 0)


def parse_objects(document: Document) -> Iterator[Draft | EventRow | Gap]:
    """Drafts and events of a document that holds one object of the API a line, as JSON."""
    for number, line in enumerate(document.lines, document.first_line):
        if draft := _plain_object(line, document, number):
            yield draft
            continue
        try:
            item = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            yield Gap(f"{document.source}:{number}", "JSON is cut or damaged here")
        else:
            yield from _objects(item, document, number, None, 0)


class _HeadMetadata(msgspec.Struct):
    name: str = ""
    namespace: str | None = None
    uid: str = ""


class _Head(msgspec.Struct):
    """What tells an object of the API from others; the rest is read when the object is needed."""

    kind: str = ""
    metadata: _HeadMetadata = msgspec.field(default_factory=_HeadMetadata)
    items: msgspec.Raw | None = None


_head = msgspec.json.Decoder(_Head)
_RESHAPED = frozenset({"Event", "Secret", "CronJob"})  # not read in the shape that the API gives them


def _plain_object(line: str, document: Document, number: int) -> Draft | None:
    """The draft of an object of the API that is read just as it stands; None for anything else."""
    try:
        head = _head.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if not head.kind or not head.metadata.uid or head.items is not None or head.kind in _RESHAPED:
        return None
    name, namespace = head.metadata.name, head.metadata.namespace
    draft = Draft(
        head.kind,
        name or document.hints.get("name", ""),
        namespace or document.hints.get("namespace"),
        Detail.OBJECT,
        {},
        document,
        json=line,
    )
    draft.proofs["object"] = Proof(document.source, f"{head.kind} {name}", line=number)
    return draft


def _documents(document: Document) -> Iterator[tuple[Any, int]]:
    """Parsed documents with the number of their first line."""
    text = "\n".join(document.lines)
    if text.lstrip()[:1] in "{[":
        yield from _json_documents(text, document)
        return
    start = 0
    lines = list(document.lines)
    for end in [i for i, line in enumerate(lines) if line.rstrip() == "---"] + [len(lines)]:
        chunk = lines[start:end]
        if any(line.strip() for line in chunk):
            yield _yaml_document(chunk, document, start), document.first_line + start
        start = end + 1


def _json_documents(text: str, document: Document) -> Iterator[tuple[Any, int]]:
    """JSON values that begin at the start of a line, with or without anything between them."""
    decoder = json.JSONDecoder()
    found: re.Match[str] | None = re.compile(r"\s*[{\[]").match(text)
    while found:
        position = found.end() - 1
        line = document.first_line + text.count("\n", 0, position)
        try:
            value, position = decoder.raw_decode(text, position)
            yield value, line
        except (ValueError, RecursionError):
            if text[position] == "{":  # "[INFO] …" is a line of a log
                yield Gap(f"{document.source}:{line}", "JSON is cut or damaged here"), line
            position += 1
        found = _VALUE.search(text, position)


def _yaml_document(lines: list[str], document: Document, start: int) -> Any:
    """One YAML document; when its tail is damaged, as much of the head as parses."""
    where = f"{document.source}:{document.first_line + start}"
    for attempt in range(6):
        text = "\n".join(lines)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            if _unfolded(node, {}, 0) > MAX_NODES:
                return Gap(where, "YAML with aliases that unfold to too many values; not read")
            return loader.construct_document(node)
        except yaml.MarkedYAMLError as error:
            marks = [mark.line for mark in (error.context_mark, error.problem_mark) if mark]
            cut = min(marks, default=0)
            if cut < 2 or attempt == 5:
                return Gap(where, f"YAML cannot be read: {error.problem or 'damaged'}")
            lines = lines[:cut]
        except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
            return Gap(where, f"YAML cannot be read: {str(error).splitlines()[0][:120]}")
        finally:
            loader.dispose()
    return None


def _unfolded(node: yaml.Node, known: dict[int, int], depth: int) -> int:
    """How many values a node stands for once aliases are followed."""
    if depth > MAX_DEPTH:
        return MAX_NODES + 1
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = MAX_NODES + 1  # an alias to its own parent never ends
    total = 1
    if isinstance(node, yaml.SequenceNode):
        total += sum(_unfolded(child, known, depth + 1) for child in node.value)
    elif isinstance(node, yaml.MappingNode):
        total += sum(_unfolded(key, known, depth + 1) + _unfolded(value, known, depth + 1) for key, value in node.value)
    known[id(node)] = min(total, MAX_NODES + 1)
    return known[id(node)]


def _objects(item: Any, document: Document, line: int, kind: str | None, depth: int) -> Iterator[Draft | EventRow]:
    if isinstance(item, list) and depth < 4:
        for part in item:
            yield from _objects(part, document, line, kind, depth + 1)
        return
    if not isinstance(item, dict):
        return
    kind = item.get("kind") if isinstance(item.get("kind"), str) else kind
    if isinstance(item.get("items"), list) and (kind or "").endswith("List") | (kind is None):
        of_items = (kind or "").removesuffix("List") or None
        for part in item["items"]:
            yield from _objects(part, document, line, of_items, depth + 1)
        return
    if kind == "Event":
        row = _event(item, line)
        if row:
            yield row
    elif kind is None and _looks_like_node(item):
        yield from _objects({**item, "kind": "Node"}, document, line, "Node", depth + 1)
    elif kind and isinstance(item.get("metadata"), dict):
        yield _draft(kind, item, document, line)


def _looks_like_node(item: dict[str, Any]) -> bool:
    """A pasted ``spec:`` of a node: only nodes have a podCIDR or can be unschedulable."""
    spec = item.get("spec")
    return isinstance(spec, dict) and ("unschedulable" in spec or "podCIDR" in spec)


_BY_SERVER = frozenset({"resourceVersion", "uid", "deletionTimestamp"})  # what only the API server writes into metadata


def _draft(kind: str, item: dict[str, Any], document: Document, line: int) -> Draft:
    meta = item["metadata"]
    stored = (isinstance(item.get("status"), dict) and item["status"]) or not meta.keys().isdisjoint(_BY_SERVER)
    detail = Detail.OBJECT if stored else Detail.MANIFEST
    data = {key: value for key, value in item.items() if key not in ("apiVersion", "kind")}
    if kind == "Secret":
        data = {"metadata": {key: meta[key] for key in ("name", "namespace") if key in meta}}
    if kind == "CronJob":
        template = ((item.get("spec") or {}).get("jobTemplate") or {}).get("spec") or {}
        data["spec"] = {**(item.get("spec") or {}), "template": template.get("template") or {}}
    namespace = meta.get("namespace") or document.hints.get("namespace")
    draft = Draft(kind, str(meta.get("name") or document.hints.get("name", "")), namespace, detail, data, document)
    draft.proofs["object"] = Proof(document.source, f"{kind} {meta.get('name', '')}", line=line)
    return draft


def _event(item: dict[str, Any], line: int) -> EventRow | None:
    about = item.get("involvedObject") or item.get("regarding")
    if not isinstance(about, dict):
        return None
    source = item.get("source") if isinstance(item.get("source"), dict) else {}
    series = item.get("series") if isinstance(item.get("series"), dict) else {}
    count = item.get("count") or item.get("deprecatedCount") or (series or {}).get("count") or 1
    message = str(item.get("message") or item.get("note") or "")
    reason = str(item.get("reason") or "")
    return EventRow(
        line=line,
        raw=f"{item.get('type', '')} {reason}: {message}",
        type=str(item.get("type") or "Normal"),
        reason=reason,
        message=message,
        count=count if isinstance(count, int) else 1,
        source=str((source or {}).get("component") or item.get("reportingComponent") or item.get("reportingController") or ""),
        node=(source or {}).get("host"),
        namespace=about.get("namespace"),
        kind=about.get("kind"),
        name=about.get("name"),
        seen=str((series or {}).get("lastObservedTime") or item.get("lastTimestamp") or item.get("eventTime") or "") or None,
        first=str(item.get("firstTimestamp") or item.get("eventTime") or "") or None,
    )


_YAML_START = re.compile(r"\s{0,20}(?:apiVersion|kind|metadata|spec|items):")


def looks_like_manifest(lines: list[str]) -> bool:
    """True when a block begins like an object in YAML."""
    return any(_YAML_START.match(line) for line in lines[:3])
