"""Kinds that only the cluster knows: custom resources and aggregated APIs, by one or two requests.

Aggregated discovery (``apidiscovery.k8s.io``) is served by Kubernetes 1.27 (``v2beta1``) and 1.30 (``v2``) and later; see
"Kubernetes API Concepts", section "Aggregated discovery".
"""

from __future__ import annotations

import threading

import msgspec

from kubecause.errors import UnreachableError
from kubecause.evidence.cluster.answers import decoded
from kubecause.evidence.cluster.connection import Connection
from kubecause.evidence.cluster.kinds import Kind

_ACCEPT = ",".join(
    f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")
)


class _Name(msgspec.Struct, frozen=True):
    kind: str = ""


class _Resource(msgspec.Struct, frozen=True):
    resource: str = ""
    response: _Name = msgspec.field(default=_Name(), name="responseKind")
    scope: str = ""
    singular: str = msgspec.field(default="", name="singularResource")
    short: list[str] = msgspec.field(default_factory=list, name="shortNames")
    verbs: list[str] = []


class _Version(msgspec.Struct, frozen=True):
    version: str = ""
    resources: list[_Resource] = []
    freshness: str = ""


class _Meta(msgspec.Struct, frozen=True):
    name: str = ""


class _Group(msgspec.Struct, frozen=True):
    metadata: _Meta = _Meta()
    versions: list[_Version] = []


class _Groups(msgspec.Struct, frozen=True):
    kind: str = ""
    items: list[_Group] = []


class Discovery:
    """What the cluster serves, asked once. Safe to use from several threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._kinds: list[tuple[Kind, str]] | None = None  # with the singular

    def kinds(self) -> list[Kind]:
        """Every kind that can be read, the preferred version of each group first; empty where discovery is refused."""
        return [kind for kind, _ in self._all()]

    def of_word(self, word: str) -> Kind | None:
        """The kind that kubectl means by a word: plural, singular, kind or short name, with or without ``.group``."""
        word = word.lower()
        name, _, group = word.partition(".")
        whole = [(kind, singular) for kind, singular in self._all() if _means(kind, singular, name)]
        for kind, _ in whole:
            if not group or group in {kind.group, f"{kind.version}.{kind.group}"}:
                return kind
        return next((kind for kind, _ in whole if group and kind.group.startswith(f"{group}.")), None)

    def of_object(self, api_version: str, kind: str) -> Kind | None:
        """The kind of an object or owner reference; another version of the group where this one is not served."""
        group, _, version = api_version.rpartition("/")
        same = [found for found in self.kinds() if found.group == group and found.kind == kind]
        return next((found for found in same if found.version == version), same[0] if same else None)

    def _all(self) -> list[tuple[Kind, str]]:
        with self._lock:
            if self._kinds is None:
                self._kinds = [pair for path in ("/api", "/apis") for pair in self._ask(path)]
            return self._kinds

    def _ask(self, path: str) -> list[tuple[Kind, str]]:
        try:
            reply = self._connection.get(path, accept=_ACCEPT)
        except UnreachableError:
            return []
        groups = decoded(reply, _Groups) if reply.status == 200 else None
        if groups is None or groups.kind != "APIGroupDiscoveryList":
            return []
        out = []
        for group in groups.items:
            for version in group.versions:
                for one in version.resources:
                    if {"get", "list"} & set(one.verbs) and one.resource and one.response.kind:
                        kind = Kind(
                            one.response.kind,
                            one.resource,
                            group.metadata.name,
                            version.version,
                            one.scope == "Namespaced",
                            tuple(one.short),
                        )
                        out.append((kind, one.singular))
        return out


def _means(kind: Kind, singular: str, name: str) -> bool:
    return name in {kind.plural, singular, kind.kind.lower()} or name in kind.short
