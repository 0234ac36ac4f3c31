"""Screens the pods of saved lists as they pass: of broken ones a few are kept whole, healthy ones leave a trace.

The same triage as that of a live cluster (:mod:`kubecause.evidence.cluster.screen`), over the objects instead of the
server's tables. Nothing here keeps the bytes of a batch alive: what is kept is copied.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Protocol

import msgspec

from kubecause.evidence.cluster.screen import RECENT, PodRow, is_broken, representatives
from kubecause.evidence.pod_states import PodState, ScreenedPod, age, moment, state_of

_TRACES = 5000  # healthy pods that leave a trace
_KNOWN_LABELS = 50_000
# Labels that differ between the pods of one template: kubernetes.io "Well-Known Labels".
_OF_ONE_POD = re.compile(
    rb'"(?:pod-template-hash|controller-revision-hash|pod-template-generation|statefulset\.kubernetes\.io/pod-name'
    rb'|apps\.kubernetes\.io/pod-index|(?:batch\.kubernetes\.io/)?(?:controller-uid|job-name))"\s*:\s*"[^"]*"\s*,?\s*'
)


class Kept(msgspec.Struct, frozen=True):
    """An object that is handed over.

    :param line: where it begins in its file. :param name: of a pod; all pods of a list may stand on one line.
    """

    source: str
    line: int
    data: bytes
    name: str = ""


class Screen(Protocol):
    """What takes the items of one kind."""

    def take(self, raw: msgspec.Raw, source: str, line: int) -> str | None:
        """Keep what matters of an item; returns the kind it names, where that is another.

        :raises msgspec.DecodeError: when it has not the form of its kind.
        """


class Clock:
    """The newest time that an object carries: the evidence was collected then, or a little later."""

    def __init__(self) -> None:
        self._text = ""
        self.now: datetime | None = None

    def saw(self, text: str | None) -> None:
        """Take a time of the past as the API writes it; such texts sort as the times do."""
        if text and text > self._text:
            found = moment(text)
            if found:
                self._text, self.now = text, found


# --- pods -------------------------------------------------------------------------------------------------


class Suspect(msgspec.Struct, frozen=True):
    """A pod that is broken, or may be.

    :param identity: the pod as JSON with its labels and owners alone.
    """

    namespace: str
    name: str
    node: str | None
    address: str | None
    created: str | None
    state: PodState
    identity: bytes
    source: str
    line: int

    def cells(self, now: datetime | None) -> dict[str, str]:
        """Its row in ``kubectl get pods -o wide``."""
        restarts, ago = self.state.restarts, age(self.state.restarted, now)
        return {
            "NAME": self.name,
            "READY": self.state.ready,
            "STATUS": self.state.status,
            "RESTARTS": f"{restarts} ({ago} ago)" if restarts and ago else str(restarts),
            "AGE": age(self.created, now) or "<unknown>",
            "IP": self.address or "<none>",
            "NODE": self.node or "<none>",
        }


class _TraceMeta(msgspec.Struct, omit_defaults=True, frozen=True, gc=False, rename="camel"):
    name: str = ""
    namespace: str = ""
    labels: msgspec.Raw = msgspec.Raw()
    owner_references: msgspec.Raw = msgspec.Raw()


class _Identity(msgspec.Struct, omit_defaults=True, frozen=True, gc=False, rename="camel"):
    """Which pod it is and whose."""

    metadata: _TraceMeta = _TraceMeta()


class _TraceContainer(msgspec.Struct, omit_defaults=True, frozen=True, gc=False, rename="camel"):
    name: str = ""
    ports: msgspec.Raw = msgspec.Raw()


class _TraceSpec(msgspec.Struct, omit_defaults=True, frozen=True, gc=False, rename="camel"):
    containers: list[_TraceContainer] = []


class _TraceStatus(msgspec.Struct, omit_defaults=True, frozen=True, gc=False, rename="camel"):
    phase: str = ""
    conditions: msgspec.Raw = msgspec.Raw()


class _Trace(msgspec.Struct, omit_defaults=True, frozen=True, gc=False, rename="camel"):
    """What a healthy pod leaves: what services select and reach. One stands for all with the same labels."""

    kind: str = ""
    metadata: _TraceMeta = _TraceMeta()
    spec: _TraceSpec = _TraceSpec()
    status: _TraceStatus = _TraceStatus()


_pod = msgspec.json.Decoder(ScreenedPod)
_trace = msgspec.json.Decoder(_Trace)
_identity = msgspec.json.Decoder(_Identity)


class PodScreen:
    """Broken pods with one full object for each owner and state; healthy ones by their labels."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._groups: dict[tuple[str, str, str, str], list[tuple[PodRow, Kept]]] = {}
        self._restarted: list[Suspect] = []  # healthy now; whether it was lately is known once all times are
        self._latest: dict[tuple[str, str], tuple[Suspect, bytes]] = {}  # of each owner, the one that restarted last
        self._traces: dict[tuple[str, bytes], Kept] = {}
        self._known: set[tuple[str, bytes]] = set()  # labels that have left one
        self.broken: list[Suspect] = []
        self.namespaces: dict[str, str] = {}  # with the file each was seen in first

    def take(self, raw: msgspec.Raw, source: str, line: int) -> str | None:
        """Screen a pod."""
        pod = _pod.decode(raw)
        if pod.kind not in (None, "Pod"):
            return pod.kind
        meta = pod.metadata
        if meta.namespace not in self.namespaces:
            self.namespaces[meta.namespace] = source
        self._clock.saw(meta.creation_timestamp)
        if pod.runs_well:
            running = pod.status.container_statuses[0].state if pod.status.container_statuses else None
            self._clock.saw(running.running.started_at if running and running.running else None)
            self._leave_trace(pod, raw, source, line)
            return None
        state = state_of(pod)
        self._clock.saw(state.restarted)
        cells = {"STATUS": state.status, "READY": state.ready, "NODE": pod.spec.node_name or "<none>"}
        suspect = Suspect(
            namespace=meta.namespace,
            name=meta.name,
            node=pod.spec.node_name,
            address=pod.status.pod_ip,
            created=meta.creation_timestamp,
            state=state,
            identity=msgspec.json.encode(_identity.decode(raw)),
            source=source,
            line=line,
        )
        if is_broken({**cells, "RESTARTS": "0"}):
            self.broken.append(suspect)
            self._keep(suspect, bytes(raw))
        else:
            if state.status == "Running":
                self._leave_trace(pod, raw, source, line)
            if state.restarts and self._is_recent(state):
                self._doubt(suspect, raw)
        return None

    def settle(self) -> list[Kept]:
        """Once all times are known: judge the restarted pods; returns the objects that stand for the broken ones."""
        self.broken += [each for each in self._restarted if is_broken(each.cells(self._clock.now))]
        for suspect, data in self._latest.values():
            if is_broken(suspect.cells(self._clock.now)):
                self._keep(suspect, data)
        self._restarted.clear()
        self._latest.clear()
        return [kept for group in sorted(self._groups) for _, kept in self._groups[group]]

    def traces(self) -> tuple[list[Kept], bool]:
        """The healthy pods that stand for those with the same labels, and whether there were more."""
        return list(self._traces.values()), len(self._traces) >= _TRACES

    def _is_recent(self, state: PodState) -> bool:
        """Whether the last restart may be recent: what is old by the newest time so far stays old."""
        last = moment(state.restarted)
        return last is None or self._clock.now is None or (self._clock.now - last).total_seconds() < RECENT

    def _doubt(self, suspect: Suspect, raw: msgspec.Raw) -> None:
        self._restarted.append(suspect)
        key = (suspect.namespace, PodRow(suspect.namespace, suspect.name, {}).owner)
        held = self._latest.get(key)
        if held is None or (suspect.state.restarted or "") > (held[0].state.restarted or ""):
            self._latest[key] = (suspect, bytes(raw))

    def _keep(self, suspect: Suspect, data: bytes) -> None:
        row = PodRow(suspect.namespace, suspect.name, suspect.cells(None))
        key = (row.namespace, row.owner, row.status, suspect.state.ready)
        kept = [
            *self._groups.get(key, ()),
            (row, Kept(suspect.source, suspect.line, data, f"{suspect.namespace}/{suspect.name}")),
        ]
        if len(kept) > 1:
            chosen = {id(each) for each in representatives(each for each, _ in kept)}
            kept = [each for each in kept if id(each[0]) in chosen]
        self._groups[key] = kept

    def _leave_trace(self, pod: ScreenedPod, raw: msgspec.Raw, source: str, line: int) -> None:
        labels = bytes(pod.metadata.labels)
        if not labels or (pod.metadata.namespace, labels) in self._known or len(self._traces) >= _TRACES:
            return
        if len(self._known) < _KNOWN_LABELS:
            self._known.add((pod.metadata.namespace, labels))
        key = (pod.metadata.namespace, _OF_ONE_POD.sub(b"", labels))
        if key not in self._traces:
            self._traces[key] = Kept(source, line, msgspec.json.encode(_trace.decode(raw)))
