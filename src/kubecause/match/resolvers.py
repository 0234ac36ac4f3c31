"""Names of Services that a pod cannot look up although they exist: whom it asked, and whether it was answered.

A pod asks the cluster DNS, but on the host network it asks the resolver of its node, unless its policy is
ClusterFirstWithHostNet ("DNS for Services and Pods", Pod's DNS Policy). Messages: Go's ``net.DNSError``, ``gai_strerror`` of
glibc and musl, Node.js, Java, busybox, libpq.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kubecause.facts.joins import Joins
from kubecause.facts.records import Workload
from kubecause.facts.records_network import Service
from kubecause.facts.records_pod import Pod, PodSpec
from kubecause.facts.restarts import pod_ready
from kubecause.facts.store import Store, Thing
from kubecause.model import Channel, Entity, Fact, Need
from kubecause.vocabulary import TEXT_FACT

LITERALS = (
    *("lookup ", "enotfound", "eai_again", "unknownhostexception", "translate host name"),
    *("can't find", "can't resolve", "bad address"),
)
_NAME = r"(?P<host>[a-z0-9][\w.-]{0,252}?)\.?"
_LOOKUPS = (
    re.compile(
        rf"lookup {_NAME}(?: on (?P<server>\[?[\da-f.:]{{2,45}}\]?):53)?: (?P<answer>no such host|server misbehaving"
        r"|(?:read udp \S{3,120}: )?(?:i/o timeout|read: connection refused)|dial udp [^\r\n]{3,160})",
        re.IGNORECASE,
    ),
    re.compile(rf"(?P<answer>ENOTFOUND|EAI_AGAIN) {_NAME}(?=[\s:,'\")]|$)"),
    re.compile(rf"(?P<answer>UnknownHostException): {_NAME}(?=[\s:,'\")]|$)"),
    re.compile(rf'could not translate host name "{_NAME}" to address: (?P<answer>[^\r\n]{{3,80}})'),
    re.compile(rf"can't (?:find|resolve) '?{_NAME}(?:'|: )(?P<answer>NXDOMAIN|SERVFAIL)?"),
    re.compile(rf"(?P<answer>bad address) '{_NAME}'"),
)
_SILENT = re.compile(r"i/o timeout|connection refused|EAI_AGAIN|Temporary failure|dial udp", re.IGNORECASE)
_DENIED = re.compile(r"no such host|ENOTFOUND|NXDOMAIN|name or service not known|name does not resolve", re.IGNORECASE)
_OWN_LOGS = (Channel.APP_LOG, Channel.COMPONENT_LOG)
_CLUSTER_FIRST = "ClusterFirst"  # what the API server fills in
_OF_NODE = (_CLUSTER_FIRST, "Default", None)  # policies that mean the node's resolver on the host network


class _Lookup(msgspec.Struct, frozen=True):
    """A lookup that failed, of a name that the cluster should serve.

    :ivar service: the Service of that name; None where Services were not read, so that there may be one.
    """

    fact: Fact
    pod: Thing | None
    workload: Entity
    service: Entity | None
    host: str
    server: str | None
    silent: bool
    denied: bool


def resolver_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``name.unresolved`` of each workload and name, and ``dns.silent`` of a node where all that get no answer are."""
    lookups = {(each.workload, each.host, each.pod and each.pod.entity): each for each in _lookups(store, joins)}
    told: set[tuple[Entity, str]] = set()
    for each in lookups.values():
        if (each.workload, each.host) not in told:
            told.add((each.workload, each.host))
            yield _unresolved(each, store)
    yield from _silent([each for each in lookups.values() if each.service], store, joins)


def _lookups(store: Store, joins: Joins) -> Iterator[_Lookup]:
    for fact in store.facts[TEXT_FACT]:
        found = _failed(str(fact["text"])) if fact["channel"] in _OWN_LOGS and not fact["healed"] else None
        if found is None:
            continue
        store.saw("name.unresolved", "dns.silent")
        host = found["host"]
        service = joins.service_called(host, fact.entity.namespace)
        if (service and not service.live) or (not service and not _may_be_service(host, fact.entity.namespace, store)):
            continue
        place = joins.pod_of(fact.entity)
        yield _Lookup(
            fact=fact,
            pod=store.things.get(place) if place else None,
            workload=joins.top_owner(fact.entity),
            service=service.entity if service else None,
            host=host,
            server=found.groupdict().get("server"),
            silent=bool(_SILENT.search(found["answer"] or "")),
            denied=bool(_DENIED.search(found["answer"] or "")),
        )


def _may_be_service(host: str, namespace: str | None, store: Store) -> bool:
    """Whether a name is that of a Service in a namespace whose Services were not read; ``example.com`` could be, and is not."""
    _, _, rest = host.partition(".")
    where, _, suffix = rest.partition(".")
    where = where or namespace or ""
    sure = suffix == "svc" or suffix.startswith("svc.") or where == namespace or bool(store.named("Namespace", where))
    return sure and (not suffix or suffix.startswith("svc")) and bool(where) and not store.was_listed("Service", where)


def waits_for_dns(text: str) -> bool:
    """Whether a line tells of a lookup that nobody answered."""
    found = _failed(text)
    return bool(found and _SILENT.search(found["answer"] or ""))


def _failed(text: str) -> re.Match[str] | None:
    """The failed lookup that a line tells of."""
    return next((found for pattern in _LOOKUPS if (found := pattern.search(text))), None)


def _unresolved(lookup: _Lookup, store: Store) -> Fact:
    if lookup.service is None:
        parts = lookup.host.split(".")
        asked = Need("client.address-wrong", Entity("Namespace", parts[1] if len(parts) > 1 else lookup.workload.namespace))
        return Fact("name.unresolved", lookup.workload, {"host": lookup.host, "asks": (asked,)}, lookup.fact.proofs[:1])
    spec, thing = _spec(lookup, store)
    on_host = bool(spec and spec.host_network)
    policy = (spec.dns_policy or _CLUSTER_FIRST) if spec else None
    fields = {
        "host": lookup.host,
        "service": f"{lookup.service.namespace}/{lookup.service.name}",
        "alias_of": _alias(lookup.service, store),
        "server": lookup.server,
        "answered": not lookup.silent,
        "denied": lookup.denied or None,
        "policy": policy,
        "of_node": bool(spec and _asks_node(spec)) and lookup.server not in _dns_addresses(store),
    }
    proofs = thing.proof("spec.hostNetwork", "spec.template.spec.hostNetwork") if thing and on_host else ()
    known = {key: value for key, value in fields.items() if value is not None}
    return Fact("name.unresolved", lookup.workload, known, lookup.fact.proofs[:1] + proofs)


def _alias(service: Entity, store: Store) -> str | None:
    """The name that a Service of type ExternalName stands for."""
    record = store.things[service].record
    return record.spec.external_name if isinstance(record, Service) and record.spec.type == "ExternalName" else None


def _spec(lookup: _Lookup, store: Store) -> tuple[PodSpec | None, Thing | None]:
    """How the pods are made: by one of them, or by the template."""
    if lookup.pod and isinstance(lookup.pod.record, Pod):
        return lookup.pod.record.spec, lookup.pod
    thing = store.things.get(lookup.workload)
    return (thing.record.spec.template.spec, thing) if thing and isinstance(thing.record, Workload) else (None, None)


def _dns_addresses(store: Store) -> set[str | None]:
    """The cluster's addresses of the cluster DNS: a pod that asks there asks no node, whatever its policy says."""
    found = {s.spec.cluster_ip for thing, s in store.records("Service", Service) if is_cluster_dns(thing)}
    return found - {None}


def _silent(lookups: list[_Lookup], store: Store, joins: Joins) -> Iterator[Fact]:
    """The node of all pods that get no answer from a cluster DNS that is ready; none where pods of several nodes complain."""
    blocked = {each for fact in store.facts["policy.blocks"] if fact["dns"] for each in fact["suffers"]}
    unanswered = [each for each in lookups if each.silent and _suffers(each) and each.workload not in blocked]
    nodes = {joins.node_of(each.pod.entity) for each in unanswered if each.pod}
    servers = [each for each in store.of_kind("Service") if is_cluster_dns(each)]
    if len(nodes) != 1 or None in nodes or not any(joins.ready_endpoints(each) for each in servers):
        return
    [node] = nodes
    found = store.named("Node", node or "")
    pods = {each.pod.entity for each in unanswered if each.pod}
    server = next((each.server for each in unanswered if each.server), None)
    fields = {"server": server, "pods": len(pods)}
    yield Fact(
        "dns.silent",
        found.entity if found else Entity("Node", node),
        {key: value for key, value in fields.items() if value is not None},
        tuple(proof for each in unanswered[:3] for proof in each.fact.proofs[:1]),
    )


def _suffers(lookup: _Lookup) -> bool:
    """Whether a pod that asks the cluster DNS is not ready; lines of others may be old."""
    record = lookup.pod.record if lookup.pod else None
    return isinstance(record, Pod) and pod_ready(record) is False and not _asks_node(record.spec)


def _asks_node(spec: PodSpec) -> bool:
    """Whether pods ask the resolver of their node, and no server that they name themselves (policy None)."""
    return spec.host_network and spec.dns_policy in _OF_NODE


def is_cluster_dns(service: Thing) -> bool:
    """The Service of the cluster DNS keeps label and name of its predecessor, everywhere."""
    named = service.entity.name == "kube-dns" or service.metadata.labels.get("k8s-app") == "kube-dns"
    return named and service.entity.namespace == "kube-system"
