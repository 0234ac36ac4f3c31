"""Saved lists of a whole cluster, read in bounded memory: what is broken in full, one for many alike, the rest hardly.

``kubectl get pods -A -o json`` of a large cluster is more than a gigabyte. Its items are screened while the file is read,
as a live cluster is screened by its tables, and handed over once all files were seen: which events and nodes matter is
known only when the pods are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from kubecause.evidence.cluster import documents
from kubecause.evidence.cluster.kinds import KINDS
from kubecause.evidence.cluster.screen import POD_COLUMNS, telling_events
from kubecause.evidence.list_items import ListCutter, ListHead
from kubecause.evidence.screened_lists import EventScreen, NodeScreen, OtherObjects
from kubecause.evidence.screened_pods import Clock, Kept, PodScreen, Screen
from kubecause.model import Document, Gap

_FEW_NODES = 200  # so many are handed over whole; of larger clusters those that are broken or run what is
_MOST_NODES = 500
_TOGETHER = 500  # objects redacted in one go
_AT = "\0at"  # which of the warnings it is; no key of the API
_UNKNOWN = ""  # kind of items that do not name theirs, before the end of their list was read


class LargeLists:
    """Takes large lists one after the other; :meth:`documents` gives what matters of all of them, once."""

    def __init__(self) -> None:
        self._clock = Clock()
        self._pods = PodScreen(self._clock)
        self._nodes = NodeScreen(self._clock)
        self._events = EventScreen(self._clock)
        self._others = OtherObjects()
        self._screens: dict[str, Screen] = {"Pod": self._pods, "Node": self._nodes, "Event": self._events}
        self._gaps: list[Gap] = []

    def read(self, source: str, head: ListHead, read: Callable[[int], bytes]) -> ListCutter:
        """Read one list to its end.

        :param source: its path, for documents and gaps.
        :param read: gives the next bytes of the file, from its beginning; none at the end.
        :return: what became of the list.
        """
        cutter = ListCutter(read, head)
        strange = 0
        guess = head.kind
        for batch in cutter.batches():
            for raw, line in zip(batch.items, batch.lines(), strict=True):
                try:
                    guess = self._take(raw, guess, source, line)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    strange += not self._take_strange(raw, guess, source, line)
        if cutter.kind and not head.kind:
            self._others.rename(_UNKNOWN, cutter.kind, source)
        if cutter.damaged or strange:
            self._gaps.append(Gap(source, f"damaged in {cutter.damaged + strange} places; what stands there was not read"))
        if cutter.cut:
            self._gaps.append(Gap(source, f"ends in the middle of the list, behind item {cutter.items}"))
        return cutter

    def _take(self, raw: msgspec.Raw, kind: str | None, source: str, line: int) -> str | None:
        """Give an item to the screen of its kind; returns the kind it has, a guess for the next."""
        for _ in range(3):
            kind = kind or _kind_by_shape(raw)
            screen = self._screens.get(kind or "")
            named = screen.take(raw, source, line) if screen else self._others.take(raw, kind or _UNKNOWN, source, line)
            if named is None:
                break
            kind = named
        return kind

    def _take_strange(self, raw: msgspec.Raw, kind: str | None, source: str, line: int) -> bool:
        """Keep an item that has not the form of its kind, with what is no UTF-8 replaced; whether it is an object at all."""
        text = bytes(raw).decode("utf-8", "replace").encode()
        try:
            self._take(msgspec.Raw(text), kind, source, line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if not text.startswith(b"{"):
                return False
            self._others.keep(kind or _UNKNOWN, Kept(source, line, text))
        return True

    # --- what matters -------------------------------------------------------------------------------------------

    def documents(self) -> Iterator[Document | Gap]:
        """Documents and gaps of all lists that were read."""
        broken = self._pods.settle()
        yield from self._rows()
        yield from self._objects("Pod", self._siblings(broken))
        yield from self._objects("Pod", broken)
        traces, more = self._pods.traces()
        yield from self._objects("Pod", traces)
        if more:
            yield Gap("healthy pods", f"of those with other labels than the first {len(traces)}, nothing was kept")
        yield from self._chosen_nodes()
        yield from self._told()
        for kind, kept in self._others:
            yield from self._objects(kind, kept)
            if self._others.dropped.get(kind):
                yield Gap(_command(kind), f"only the first {len(kept)} were kept")
        yield from self._gaps

    @property
    def _now(self) -> datetime:
        return self._clock.now or datetime.fromtimestamp(0, UTC)

    def _rows(self) -> Iterator[Document]:
        """The rows of all broken pods, each at its place in the file; and which namespaces were screened."""
        by_place: dict[tuple[str, str], list[tuple[int, dict[str, str]]]] = {
            (namespace, source): [] for namespace, source in self._pods.namespaces.items()
        }
        for suspect in self._pods.broken:
            by_place.setdefault((suspect.namespace, suspect.source), []).append((suspect.line, suspect.cells(self._clock.now)))
        for (namespace, source), rows in sorted(by_place.items()):
            rows.sort(key=lambda row: row[1]["NAME"])
            cells = [[row[column] for column in POD_COLUMNS] for _, row in rows]
            command = f"kubectl get pods -n {namespace} -o wide"
            table = documents.table(command, POD_COLUMNS, cells, self._now, {"namespace": namespace})
            table = replace(table, source=source)
            yield replace(table, lines=table.lines[:1], hints={"namespace": namespace, "screens": "Pod"})
            for (line, _), text in zip(rows, table.lines[1:], strict=True):
                yield replace(table, lines=[table.lines[0], text], first_line=line - 1)

    def _siblings(self, broken: Sequence[Kept]) -> list[Kept]:
        """Labels and owners of the broken pods that others stand for: whose they are is evidence, too."""
        full = {each.name for each in broken}
        others = [each for each in self._pods.broken if f"{each.namespace}/{each.name}" not in full]
        return [Kept(each.source, each.line, each.identity) for each in others]

    def _chosen_nodes(self) -> Iterator[Document | Gap]:
        """Broken nodes and those that broken pods run on; all when they are few, or when a pod waits for one."""
        nodes = self._nodes.nodes
        if not nodes:
            return
        chosen = dict.fromkeys(sorted(self._nodes.broken))
        suffering = Counter(each.node for each in self._pods.broken if each.node in nodes)
        chosen.update(dict.fromkeys(name for name, _ in sorted(suffering.items(), key=lambda pair: (-pair[1], pair[0]))))
        waiting = any(each.node is None for each in self._pods.broken)
        if len(nodes) <= _FEW_NODES or waiting:
            chosen.update(dict.fromkeys(sorted(nodes)))
        names = list(chosen)[:_MOST_NODES]
        yield from self._objects("Node", [nodes[name] for name in names], {"lists": "Node"} if len(names) == len(nodes) else {})
        if len(chosen) > len(names):
            yield Gap(_command("Node"), f"only {len(names)} of {len(nodes)} were looked at: the broken ones first")

    def _told(self) -> Iterator[Document | Gap]:
        """Warnings about broken pods, and a few of each wording about everything else."""
        if not self._events.warnings:
            return
        subjects = {(each.namespace, each.name) for each in self._pods.broken}
        warnings = self._events.warnings

        def decoded() -> Iterator[dict[str, Any]]:
            for at, kept in enumerate(warnings):
                yield {**msgspec.json.decode(kept.data), _AT: at}

        yield from self._objects("Event", [warnings[item[_AT]] for item in telling_events(decoded(), subjects)])
        if self._events.dropped:
            yield Gap(
                _command("Event"), f"{self._events.dropped} warnings behind the first {len(self._events.warnings)}: too many"
            )

    def _objects(self, kind: str, kept: Sequence[Kept], hints: dict[str, str] | None = None) -> Iterator[Document]:
        """One document an object, at its place in the file."""
        for start in range(0, len(kept), _TOGETHER):
            some = kept[start : start + _TOGETHER]
            items = [msgspec.json.decode(each.data) for each in some]
            for item in items:
                item.setdefault("kind", kind)
            document = documents.objects(_command(kind), map(_without_values, items), self._now, hints)
            for each, line in zip(some, document.lines, strict=True):
                yield replace(document, source=each.source, lines=[line], first_line=each.line)


def _kind_by_shape(raw: msgspec.Raw) -> str | None:
    """The kind of an item that does not name it, by what only that kind has."""
    try:
        item = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(item, dict):
        return None
    if isinstance(item.get("kind"), str):
        return str(item["kind"])
    spec, status = item.get("spec"), item.get("status")
    if "involvedObject" in item or "regarding" in item:
        return "Event"
    if isinstance(status, dict) and "nodeInfo" in status:
        return "Node"
    return "Pod" if isinstance(spec, dict) and "containers" in spec and isinstance(status, dict) else None


def _without_values(item: dict[str, Any]) -> dict[str, Any]:
    """A Secret without what it holds; that it exists is evidence."""
    if item.get("kind") != "Secret":
        return item
    meta = item.get("metadata") or {}
    return {"kind": "Secret", "metadata": {key: meta[key] for key in ("name", "namespace") if key in meta}}


def _command(kind: str) -> str:
    known = KINDS.get(kind)
    return f"kubectl get {known.plural if known else kind.lower()}{' -A' if known is None or known.namespaced else ''}"
