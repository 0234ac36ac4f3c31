"""The reasoning over many facts at once; each analysis adds facts that cases then match like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubecause.facts.joins import Joins
from kubecause.facts.store import Store
from kubecause.match import addresses, databases, listening, periodic, ports, resolvers, scheduling
from kubecause.match.addresses import address_facts
from kubecause.match.components import component_facts
from kubecause.match.databases import database_facts
from kubecause.match.gateways import gateway_facts
from kubecause.match.ingresses import ingress_facts
from kubecause.match.kubelets import kubelet_facts
from kubecause.match.leases import lease_facts
from kubecause.match.local_addresses import local_address_facts
from kubecause.match.periodic import periodic_facts
from kubecause.match.placement import placement_facts
from kubecause.match.policies import policy_facts
from kubecause.match.ports import host_port_facts, port_facts
from kubecause.match.probe_errors import probe_error_facts
from kubecause.match.probes import probe_facts
from kubecause.match.quotas import quota_facts
from kubecause.match.resolvers import resolver_facts
from kubecause.match.scheduling import scheduling_facts
from kubecause.match.service_paths import service_path_facts
from kubecause.match.services import service_facts
from kubecause.match.traffic import traffic_facts
from kubecause.match.volumes import claim_facts
from kubecause.model import Fact

Analysis = Callable[[Store, Joins], Iterator[Fact]]

# In this order: later ones may read what earlier ones found.
ANALYSES: tuple[Analysis, ...] = (
    lease_facts,
    kubelet_facts,
    scheduling_facts,
    placement_facts,
    claim_facts,
    quota_facts,
    component_facts,
    service_facts,
    service_path_facts,
    ingress_facts,
    address_facts,
    local_address_facts,
    policy_facts,
    resolver_facts,
    port_facts,
    host_port_facts,
    probe_facts,
    probe_error_facts,
    database_facts,
    gateway_facts,
    traffic_facts,
    periodic_facts,
)

# Words in log lines that analyses read although no case may listen for them.
LITERALS: tuple[str, ...] = (
    *addresses.FAILURE_LITERALS,
    *databases.REFUSAL_LITERALS,
    *listening.LISTEN_LITERALS,
    *periodic.LITERALS,
    *ports.IN_USE_LITERALS,
    *resolvers.LITERALS,
    "exceeded quota",
    *scheduling.LITERALS,
)


def run_analyses(store: Store, joins: Joins) -> None:
    """Add the facts of every analysis to the store."""
    for analysis in ANALYSES:
        for fact in list(analysis(store, joins)):
            store.add_fact(fact)
