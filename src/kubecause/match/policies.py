"""Connections that time out and that a NetworkPolicy does not admit: on the client's way out or on the server's way in.

Rules ("Network Policies"): without a policy for a direction everything is admitted; once one selects a pod, only what some rule
of some such policy admits. An absent ``from``, ``to`` or ``ports`` admits all. Ports are those of pods. Plugins drop what is not
admitted, so a client waits in vain; whether a plugin enforces policies at all, no object tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from kubecause.facts.joins import Joins
from kubecause.facts.records import Workload
from kubecause.facts.records_network import (
    EgressPolicyRule,
    IngressPolicyRule,
    NetworkPolicy,
    PolicyPeer,
    PolicyPort,
    Service,
    ServicePort,
)
from kubecause.facts.records_pod import LabelSelector, Pod
from kubecause.facts.store import Store, Thing
from kubecause.match.addresses import failing_lines
from kubecause.match.resolvers import is_cluster_dns, waits_for_dns
from kubecause.match.selectors import Labels, labels_match
from kubecause.model import Entity, Fact, Proof

# While connecting: who waits for an answer afterwards was admitted.
_WAITED = re.compile(r"dial \w+ \S+ i/o timeout|connect(?:ion)?.?time(?:d.?)?out|ETIMEDOUT", re.IGNORECASE)
_TARGET = re.compile(
    r"(?<![\w.-])(?P<host>[a-z0-9][a-z0-9.-]{0,252}):(?P<port>\d{2,5})\b|://(?P<url>[a-z0-9][a-z0-9.-]{0,252})(?=[/\s\"']|$)",
    re.IGNORECASE,
)
_NAME_LABEL = "kubernetes.io/metadata.name"  # of every namespace, from 1.22 on
_DNS_PORT = 53

_Rule = IngressPolicyRule | EgressPolicyRule


class _Side(msgspec.Struct, frozen=True):
    """Pods of one template."""

    workload: Entity
    labels: Labels
    namespace: str


class _Call(msgspec.Struct, frozen=True):
    """A client that waits for a server in vain.

    :ivar ports: of the server's pods, as number and protocol; empty where nothing tells.
    """

    client: _Side
    server: _Side
    service: Entity
    ports: frozenset[tuple[int, str]]
    proofs: tuple[Proof, ...]


def policy_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``policy.blocks``: a policy that selects the client or the server, while none admits the connection."""
    records = store.records("NetworkPolicy", NetworkPolicy)
    policies = [(thing, policy) for thing, policy in records if thing.live and thing.whole]
    if policies or any(kind == "NetworkPolicy" for kind, _ in store.listed):
        store.saw("policy.blocks")
    if not policies:
        return
    told: set[tuple[Entity, Entity]] = set()
    for call in _calls(store, joins):
        for egress in (True, False):
            blocking = _blocking(call, policies, store, egress=egress)
            if blocking and (call.client.workload, call.service) not in told:
                told.add((call.client.workload, call.service))
                yield _fact(call, blocking, egress=egress)


def _fact(call: _Call, policy: Thing, *, egress: bool) -> Fact:
    fields = {
        "policy": policy.entity.name,
        "direction": "egress" if egress else "ingress",
        "client": f"{call.client.namespace}/{call.client.workload.name}",
        "target": f"{call.service.namespace}/{call.service.name}",
        "dns": any(port == _DNS_PORT for port, _ in call.ports) or None,
        "suffers": (call.client.workload,),
    }
    side = call.client if egress else call.server
    known = {key: value for key, value in fields.items() if value is not None}
    return Fact("policy.blocks", side.workload, known, policy.proof("spec", "object") + call.proofs)


# --- who waits for whom -------------------------------------------------------------------------------------


def _calls(store: Store, joins: Joins) -> Iterator[_Call]:
    """Each once; pods on the host network are left out, since policies are not about them."""
    judged: set[tuple[Entity, Entity, int | None]] = set()
    for workload, lines in failing_lines(store, joins).items():
        client = _side(workload, store)
        if client is None:
            continue
        for line in lines:
            for service, port in () if line["healed"] else _targets(str(line["text"]), client.namespace, store, joins):
                if (workload, service.entity, port) in judged:
                    continue
                judged.add((workload, service.entity, port))
                for server in _behind(service, store, joins):
                    yield _Call(client, server, service.entity, _ports(service, port, server, store), line.proofs[:1])


def _targets(text: str, namespace: str, store: Store, joins: Joins) -> Iterator[tuple[Thing, int | None]]:
    """Services with ready pods to which a line tells of no connection; the cluster DNS where a lookup waited."""
    if waits_for_dns(text):
        servers = (each for each in store.of_kind("Service") if is_cluster_dns(each) and joins.ready_endpoints(each))
        yield from ((each, _DNS_PORT) for each in servers)
    elif _WAITED.search(text):
        for found in _TARGET.finditer(text):
            service = joins.service_called(found["host"] or found["url"], namespace)
            if service and service.live and joins.ready_endpoints(service):
                yield service, int(found["port"]) if found["port"] else None


def _behind(service: Thing, store: Store, joins: Joins) -> Iterator[_Side]:
    """What a Service selects; its selector alone stands for workloads that were not read."""
    workloads = sorted(joins.workloads_of_service.get(service.entity, ()), key=lambda each: each.sort_key)
    sides = [side for each in workloads if (side := _side(each, store))]
    if not workloads and isinstance(service.record, Service) and service.record.spec.selector:
        sides = [_Side(service.entity, service.record.spec.selector, service.entity.namespace or "")]
    yield from sides


def _side(workload: Entity, store: Store) -> _Side | None:
    thing = store.things.get(workload)
    if thing is None:
        return None
    if isinstance(thing.record, Workload):
        spec, labels = thing.record.spec.template.spec, thing.record.spec.template.metadata.labels
    elif isinstance(thing.record, Pod):
        spec, labels = thing.record.spec, thing.metadata.labels
    else:
        return None
    return _Side(workload, labels, workload.namespace or "") if labels and not spec.host_network else None


def _ports(service: Thing, port: int | None, server: _Side, store: Store) -> frozenset[tuple[int, str]]:
    """The ports of the pods behind a port of a Service; none where a name cannot be looked up."""
    if not isinstance(service.record, Service):
        return frozenset()
    offered = [each for each in service.record.spec.ports if port is None or each.port == port]
    numbers = [(_number(each, server, store), each.protocol) for each in offered]
    if any(number is None for number, _ in numbers):
        return frozenset()
    return frozenset((number, protocol) for number, protocol in numbers if number is not None)


def _number(port: ServicePort, server: _Side, store: Store) -> int | None:
    target = port.target_port if port.target_port not in (None, "", 0) else port.port
    if isinstance(target, int) or str(target).isdigit():
        return int(str(target))
    thing = store.things.get(server.workload)
    if thing is None or not isinstance(thing.record, Workload):
        return None
    containers = thing.record.spec.template.spec.containers
    return next((each.container_port for container in containers for each in container.ports if each.name == target), None)


# --- what is admitted ---------------------------------------------------------------------------------------


def _blocking(call: _Call, policies: Sequence[tuple[Thing, NetworkPolicy]], store: Store, *, egress: bool) -> Thing | None:
    """The first policy of a direction that selects its side, where none of those admits the call."""
    side, peer = (call.client, call.server) if egress else (call.server, call.client)
    selecting = [
        (thing, policy)
        for thing, policy in policies
        if thing.entity.namespace == side.namespace
        and _speaks(policy, egress=egress)
        and labels_match(side.labels, policy.spec.pod_selector)
    ]
    for _, policy in selecting:
        rules: Sequence[_Rule] = policy.spec.egress if egress else policy.spec.ingress
        if any(_admits(rule, peer, call.ports, side.namespace, store) for rule in rules):
            return None
    return selecting[0][0] if selecting else None


def _speaks(policy: NetworkPolicy, *, egress: bool) -> bool:
    """Whether a policy is about a direction; without ``policyTypes`` always about ingress, about egress if it has rules."""
    types = policy.spec.policy_types
    if egress:
        return "Egress" in types or (not types and bool(policy.spec.egress))
    return "Ingress" in types or not types


def _admits(rule: _Rule, peer: _Side, ports: frozenset[tuple[int, str]], home: str, store: Store) -> bool:
    """Whether a rule admits a peer on the ports, or may do so as far as is known."""
    at_port = not rule.ports or not ports or any(_is_port(port, ports) for port in rule.ports)
    return at_port and (not rule.peers or any(_is_peer(each, peer, home, store) for each in rule.peers))


def _is_port(port: PolicyPort, ports: Iterable[tuple[int, str]]) -> bool:
    if port.port is None:
        return any(protocol == (port.protocol or "TCP") for _, protocol in ports)
    if not isinstance(port.port, int):
        return True  # a name, which the pods may have given to any port
    last = port.end_port or port.port
    return any(port.port <= number <= last and protocol == (port.protocol or "TCP") for number, protocol in ports)


def _is_peer(admitted: PolicyPeer, peer: _Side, home: str, store: Store) -> bool:
    if admitted.ip_block is not None:
        return True  # the address of the pod may be in it
    if admitted.namespace_selector is None:
        if peer.namespace != home:
            return False
    elif not _namespace_may_match(admitted.namespace_selector, peer.namespace, store):
        return False
    return admitted.pod_selector is None or labels_match(peer.labels, admitted.pod_selector)


def _namespace_may_match(selector: LabelSelector, namespace: str, store: Store) -> bool:
    """Whether a selector selects a namespace; it may where the labels of the namespace were not read."""
    thing = store.named("Namespace", namespace)
    labels = thing.metadata.labels if thing and thing.full else None
    if labels is not None:
        return labels_match({_NAME_LABEL: namespace, **labels}, selector)
    keys = {*selector.match_labels, *(each.key for each in selector.match_expressions)}
    return not keys <= {_NAME_LABEL} or labels_match({_NAME_LABEL: namespace}, selector)
