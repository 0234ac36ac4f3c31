"""Refusals that clients of a database report alike: the fault is on the side that explains all of them (rule 6).

Read-only mode and exhausted connections live on the database; a wrong password or port on the one client that has it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from kubecause.facts.joins import Joins
from kubecause.facts.records_network import Service
from kubecause.facts.records_pod import Pod
from kubecause.facts.store import Store, Thing
from kubecause.model import Channel, Entity, Fact, Proof

REFUSAL_LITERALS = (
    "read-only option", "super-read-only", "read-only transaction", "database is read-only", "read-only mode",
    "not master and slaveok", "notwritableprimary", "read only replica", "too many connections", "too many clients already",
    "remaining connection slots", "max number of clients reached", "connection pool exhausted", "access denied for user",
    "password authentication failed", "authentication failed", "login failed for user", "wrongpass",
    "noauth authentication required", "communications link failure", "can't connect to mysql server",
    "could not connect to server", "connection to server at", "mongoserverselectionerror",
    "can't connect to server on", "28p01", "authenticationfailed", "no pg_hba.conf entry", "err invalid password",
    "write against a read only", "read-write mode during recovery",
)  # fmt: skip
_WHY = (
    (
        "read-only",
        re.compile(
            r"--(?:super-)?read-only option|read-only transaction|database (?:is|is in) read-?only|not ?master and slaveOk|"
            r"NotWritablePrimary|You can't write against a read only|read-write mode during recovery",
            re.IGNORECASE,
        ),
    ),
    (
        "connections",
        re.compile(
            r"too many connections|too many clients already|remaining connection slots|max number of clients reached",
            re.IGNORECASE,
        ),
    ),
    (
        "credentials",
        re.compile(
            r"access denied for user '(?P<user>[^']*)'@'(?P<from>[^']*)' \(using password: YES\)|"
            r"password authentication failed for user \"?(?P<user2>[^\"\s]+)|login failed for user '(?P<user3>[^']*)'|"
            r"Authentication failed\.?$|WRONGPASS|\b28P01\b|codeName: ['\"]?AuthenticationFailed|no pg_hba\.conf entry|"
            r"ERR invalid password",
            re.IGNORECASE,
        ),
    ),
    (
        "port",
        re.compile(
            r"communications link failure|can't connect to (?:mysql )?server on '(?P<address>[^']+)'|"
            r"connection to server at \"?(?P<address2>[\w.-]+)\"?.{0,80}(?:refused|timed out)|"
            r"could not connect to server: connection (?:refused|timed out)",
            re.IGNORECASE,
        ),
    ),
)
_PORTS = {"mysql": {3306}, "postgres": {5432}, "mongo": {27017}, "redis": {6379}, "mssql": {1433}}
_FLAVOUR = (
    ("mysql", re.compile(r"mysql|mariadb|jdbc|hikari|SqlExceptionHelper|super-read-only", re.IGNORECASE)),
    ("postgres", re.compile(r"postgres|psql|pq:|psycopg|PSQLException|remaining connection slots", re.IGNORECASE)),
    ("mongo", re.compile(r"mongo|slaveOk|NotWritablePrimary", re.IGNORECASE)),
    ("redis", re.compile(r"redis|WRONGPASS|NOAUTH|READONLY", re.IGNORECASE)),
)


class Refusal(msgspec.Struct):
    """What one client says of its database."""

    client: Entity
    why: str
    flavour: str | None
    proof: Proof
    names: dict[str, str]
    scope: str | None


def database_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``database.rejects`` for each reason and the workload it lives on."""
    refusals = list(_refusals(store, joins))
    databases = _databases(store, joins)
    if Channel.APP_LOG in store.seen:
        store.saw("database.rejects")
    by_why: dict[str, list[Refusal]] = defaultdict(list)
    for refusal in refusals:
        by_why[refusal.why].append(refusal)
    for why, found in sorted(by_why.items()):
        if why in ("read-only", "connections"):
            yield from _on_database(why, found, databases, joins)
        else:
            yield from _on_clients(why, found, databases, store, joins)


def _refusals(store: Store, joins: Joins) -> Iterator[Refusal]:
    seen: set[tuple[Entity, str]] = set()
    for fact in store.facts["line"]:
        if fact["channel"] not in (Channel.APP_LOG, Channel.PASTE, Channel.CLIENT, Channel.COMMAND) or not fact.proofs:
            continue
        text = str(fact["text"])
        for why, pattern in _WHY:
            found = pattern.search(text)
            client = joins.top_owner(fact.entity)
            if found and (client, why) not in seen:
                seen.add((client, why))
                names = {key.rstrip("23"): value for key, value in found.groupdict().items() if value}
                flavour = next((name for name, wording in _FLAVOUR if wording.search(text)), None)
                yield Refusal(client, why, flavour, fact.proofs[0], names, fact.scope)
                break


def _databases(store: Store, joins: Joins) -> dict[str, list[tuple[Entity, Thing]]]:
    """Workloads behind services on a database's port, by flavour, with their service."""
    found: dict[str, list[tuple[Entity, Thing]]] = defaultdict(list)
    for thing, service in store.records("Service", Service):
        for flavour, ports in _PORTS.items():
            if any(port.port in ports for port in service.spec.ports):
                for workload in sorted(joins.workloads_of_service.get(thing.entity, ()), key=lambda e: e.sort_key):
                    found[flavour].append((workload, thing))
    return found


def _on_database(
    why: str, found: Sequence[Refusal], databases: dict[str, list[tuple[Entity, Thing]]], joins: Joins
) -> Iterator[Fact]:
    """One fact on the database that the clients share; it stays nameless when nothing tells which one."""
    flavour = next((refusal.flavour for refusal in found if refusal.flavour), "mysql")
    candidates = list(dict.fromkeys(entity for entity, _ in databases.get(flavour, [])))
    clients = [refusal.client for refusal in found]
    chosen = _shared(candidates, clients, joins)
    entity = chosen or Entity("Workload", None, scope=found[0].scope or found[0].proof.source)
    fields = {
        "why": why,
        "clients": len(clients),
        "database": entity.name,
        "certain": chosen is not None,
        "suffers": tuple(client for client in clients if client.name and client != entity),
    }
    proofs = tuple(refusal.proof for refusal in found[:4])
    yield Fact("database.rejects", entity, {k: v for k, v in fields.items() if v is not None}, proofs, found[0].scope)


def _shared(candidates: Sequence[Entity], clients: Sequence[Entity], joins: Joins) -> Entity | None:
    """The database that the complaining clients call; between several, the one that changed last (rule 7)."""
    calling = [c for c in candidates if any(joins.depends(client, c) for client in clients)]
    candidates = calling or [c for c in candidates if c not in clients]
    if len(candidates) <= 1:
        return candidates[0] if candidates else None
    return min(candidates, key=lambda c: (_youngest(c, joins), c.sort_key))


def _youngest(entity: Entity, joins: Joins) -> float:
    ages = [
        pod.record.status.age for pod in joins.pods(entity) if isinstance(pod.record, Pod) and pod.record.status.age is not None
    ]
    return min(ages, default=float("inf"))


def _on_clients(
    why: str, found: Sequence[Refusal], databases: dict[str, list[tuple[Entity, Thing]]], store: Store, joins: Joins
) -> Iterator[Fact]:
    for refusal in found:
        servers = databases.get(refusal.flavour or "", [])
        if any(refusal.client == entity for entity, _ in servers):
            continue  # the database's own log repeats what somebody tried
        if why == "port" and not _healthy(servers, joins):
            continue
        troubled = any(joins.top_owner(s.entity) == refusal.client and s["looping"] for s in store.facts["container.state"])
        if not troubled and store.facts["container.state"] and refusal.client.name:
            continue
        fields = {
            "why": why,
            "clients": 1,
            "user": refusal.names.get("user"),
            "address": refusal.names.get("address"),
            "database": ", ".join(sorted({entity.name or "" for entity, _ in servers})) or None,
            "certain": why == "credentials",
        }
        yield Fact(
            "database.rejects",
            refusal.client,
            {k: v for k, v in fields.items() if v is not None},
            (refusal.proof,),
            refusal.scope,
        )


def _healthy(servers: Sequence[tuple[Entity, Thing]], joins: Joins) -> bool:
    """True when every database of this flavour has ready endpoints: who is refused then asks at the wrong door."""
    return bool(servers) and all(joins.ready_endpoints(service) != 0 for _, service in servers)
