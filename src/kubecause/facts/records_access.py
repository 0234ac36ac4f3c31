"""Objects that say who may do what: roles, their bindings, and the accounts of programs."""

from __future__ import annotations

import msgspec

from kubecause.facts.records_pod import Metadata, Part


class Rule(Part):
    """One rule of a role; ``*`` stands for everything."""

    api_groups: list[str] = []
    resources: list[str] = []
    verbs: list[str] = []

    @property
    def grants_all(self) -> bool:
        """Every verb on every resource of every group."""
        return "*" in self.verbs and "*" in self.resources and "*" in self.api_groups


class Role(Part):
    """A Role or ClusterRole."""

    metadata: Metadata = msgspec.field(default_factory=Metadata)
    rules: list[Rule] | None = None  # null until the rules of other roles are gathered in it


class RoleReference(Part):
    kind: str = ""
    name: str = ""


class Subject(Part):
    kind: str = ""
    name: str = ""
    namespace: str | None = None


class Binding(Part):
    """A RoleBinding or ClusterRoleBinding."""

    metadata: Metadata = msgspec.field(default_factory=Metadata)
    role_ref: RoleReference = msgspec.field(default_factory=RoleReference)
    subjects: list[Subject] = []


class SecretReference(Part):
    name: str = ""


class Account(Part):
    """A ServiceAccount."""

    metadata: Metadata = msgspec.field(default_factory=Metadata)
    secrets: list[SecretReference] = []  # tokens without an end, as they were made for every account before 1.24
