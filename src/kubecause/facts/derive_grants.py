"""Facts about standing grants of all rights: who holds them without being part of the system.

What counts as part of the system: the bindings that the API server and kubeadm make (RBAC documentation, "Default roles
and role bindings"; kubeadm "Reconfiguring", ``kubeadm:cluster-admins``), and accounts that a workload runs as: an operator
works with its rights, while nobody notices an account that only people outside use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubecause.facts.records import SYSTEM_NAMESPACES, Workload
from kubecause.facts.records_access import Account, Binding, Role, Subject
from kubecause.facts.records_pod import Pod, PodSpec
from kubecause.facts.store import Store, Thing
from kubecause.model import WORKLOAD_KINDS, Fact

KIND = "grant.standing"
_ADMIN = "cluster-admin"
_OWN = ("system:", "kubeadm:")
_BOOTSTRAPPING = "kubernetes.io/bootstrapping"  # the label of what the API server makes itself
# Groups that everybody belongs to: all rights for them are no part of any system.
_EVERYBODY = re.compile(r"system:(?:anonymous|authenticated|unauthenticated|serviceaccounts(?::.*)?)$")
# How accounts for people from outside are named, as words of a name or run together with them.
_OUTSIDER = re.compile(
    r"(?:^|[^a-z])(?:ops|sre|support|vendor|helper|maint(?:enance)?|admin|debug|external|contractor|consultant|temp|tmp)(?:[^a-z]|$)"
    r"|opsaccount|ops-account|admin-?user|supportuser"
)


def grant_facts(store: Store) -> Iterator[Fact]:
    """``grant.standing``: one fact for each subject of a binding that holds all rights, of the cluster or a namespace."""
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        for thing, binding in store.records(kind, Binding):
            store.saw(KIND)
            if thing.live and not _is_system(thing) and _grants_all(binding, thing, store):
                for subject in binding.subjects:
                    yield from _held(thing, binding, subject, store)


def _is_system(thing: Thing) -> bool:
    name = thing.entity.name or ""
    return name.startswith(_OWN) or (_BOOTSTRAPPING in thing.metadata.labels and name != _ADMIN)


def _grants_all(binding: Binding, thing: Thing, store: Store) -> bool:
    reference = binding.role_ref
    if reference.kind == "ClusterRole" and reference.name == _ADMIN:
        return True
    namespace = thing.entity.namespace if reference.kind == "Role" else None
    role = store.named(reference.kind, reference.name, namespace)
    return role is not None and isinstance(role.record, Role) and any(rule.grants_all for rule in role.record.rules or ())


def _held(thing: Thing, binding: Binding, subject: Subject, store: Store) -> Iterator[Fact]:
    """The grant of one subject, unless it is part of the system."""
    namespace = thing.entity.namespace
    account = subject.kind == "ServiceAccount"
    home = (subject.namespace or namespace) if account else None
    outsider = bool(_OUTSIDER.search(subject.name.lower())) or _marked(thing)
    users = _users(home, subject.name, store) if account else None
    if users or (not account and subject.name.startswith(_OWN) and not _EVERYBODY.match(subject.name)):
        return
    if account and home in SYSTEM_NAMESPACES and not outsider:
        return
    if namespace and not outsider and (not account or home == namespace):
        return  # who works in a namespace may own it
    fields = {
        "reach": "namespace" if namespace else "cluster",
        "namespace": namespace,
        "holder": f"{subject.kind} {home}/{subject.name}" if home else f"{subject.kind} {subject.name}",
        "holder_kind": subject.kind,
        "user": _as_user(subject, home),
        "role": binding.role_ref.name,
        "binding": thing.entity.name,
        "binding_kind": f"rolebinding -n {namespace}" if namespace else "clusterrolebinding",
        "account": subject.name if account else None,
        "account_namespace": home,
        "outsider": outsider,
        "unused": users is not None and not users if account else None,
        "tokens": ", ".join(_tokens(home, subject.name, store)) or None if account else None,
        "since": thing.metadata.creation_timestamp,
    }
    yield Fact(KIND, thing.entity, {k: v for k, v in fields.items() if v is not None}, thing.proof("subjects", "row"))


def _marked(thing: Thing) -> bool:
    """Whether labels or annotations say that the binding is for an operations account."""
    meta = thing.metadata
    return any("ops-account" in key for key in (*meta.labels, *meta.annotations))


def _as_user(subject: Subject, home: str | None) -> str:
    """The name to check its rights with: ``kubectl auth can-i --as``."""
    return f"system:serviceaccount:{home}:{subject.name}" if subject.kind == "ServiceAccount" else subject.name


def _users(namespace: str | None, name: str, store: Store) -> list[str] | None:
    """Workloads and pods that run as an account; None when none of its namespace was seen."""
    seen = False
    found = []
    for kind in ("Pod", *WORKLOAD_KINDS):
        seen = seen or store.was_listed(kind, namespace)
        for thing in store.of_kind(kind):
            if thing.entity.namespace != namespace or not thing.full:
                continue
            seen = True
            spec = _pod_spec(thing)
            if spec is not None and (spec.service_account_name or "default") == name:
                found.append(str(thing.entity))
    return found if seen else None


def _pod_spec(thing: Thing) -> PodSpec | None:
    record = thing.record
    if isinstance(record, Pod):
        return record.spec
    return record.spec.template.spec if isinstance(record, Workload) else None


def _tokens(namespace: str | None, name: str, store: Store) -> list[str]:
    """Names of the Secrets with tokens that never end, as far as the account itself lists them; no Secret is read."""
    thing = store.named("ServiceAccount", name, namespace)
    if thing is None or not isinstance(thing.record, Account):
        return []
    return [each.name for each in thing.record.secrets if each.name.startswith(f"{name}-token-")]
