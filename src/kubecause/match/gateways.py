"""Routes of an API gateway that lead to another backend than all its other routes suggest.

Route tables name paths after services (``/api/v1/orderservice/**`` → ``order-service``). Where most routes of a table
follow that habit, a route that does not, although the service it is named after exists, is wrong.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from kubecause.facts.joins import Joins
from kubecause.facts.records import ConfigMap, Workload
from kubecause.facts.records_pod import PodSpec
from kubecause.facts.store import Store, Thing
from kubecause.model import Entity, Fact, Proof

_SPRING = re.compile(
    r"uri:\s*['\"]?(?:lb|https?)://(?P<backend>[^\s'\"]{1,200})(?P<between>.{0,300}?)Path=(?P<path>/[^\s,'\"]{1,200})", re.DOTALL
)
_NGINX = re.compile(
    r"location\s+(?:[=~^*]{1,2}\s+)?(?P<path>/[^\s{]{0,200})\s*\{(?P<between>[^}]{0,600}?)proxy_pass\s+https?://(?P<backend>[^\s;/]{1,200})",
    re.DOTALL,
)
_DEFAULT = re.compile(r"\$\{[^:}]*:(?P<default>[^}]+)\}")
_MIN_ROUTES = 5
_HABIT = 0.7  # share of the routes that must follow the naming habit


class Route(msgspec.Struct, frozen=True):
    """One route: a path and the service it leads to."""

    path: str
    backend: str
    text: str


def gateway_facts(store: Store, joins: Joins) -> Iterator[Fact]:
    """``gateway.misroute`` on the workload that mounts the route table."""
    services = sorted({thing.entity.name or "" for thing in store.of_kind("Service")})
    if not services:
        return
    for thing, config in store.records("ConfigMap", ConfigMap):
        for key, text in sorted(config.data.items()):
            routes = list(_routes(text or ""))
            if len(routes) >= _MIN_ROUTES:
                store.saw("gateway.misroute")
                yield from _misroutes(thing, key, routes, services, store, joins)


def _routes(text: str) -> Iterator[Route]:
    for pattern in (_SPRING, _NGINX):
        for found in pattern.finditer(text[:200_000]):
            backend = _DEFAULT.sub(lambda default: default["default"], found["backend"]).split(":")[0].split(".")[0]
            yield Route(found["path"], backend, f"{found['path']} -> {backend}")


def _misroutes(
    thing: Thing, key: str, routes: Sequence[Route], services: Sequence[str], store: Store, joins: Joins
) -> Iterator[Fact]:
    cores = _cores(services)
    noise = _common([[w for w in re.split(r"[/_*.-]+", route.path.lower()) if w] for route in routes])
    words = [word for word, _ in _common_words(services)]
    named = {route: _named_after(route, cores, noise, words) for route in routes}
    fitting = [route for route, service in named.items() if service == route.backend]
    if len(fitting) < _HABIT * sum(1 for service in named.values() if service):
        return
    for route, service in named.items():
        if service and service != route.backend:
            yield _fact(thing, key, route, service, store, joins)


def _common(lists: Sequence[Sequence[str]]) -> set[str]:
    counts = Counter(word for words in lists for word in set(words))
    return {word for word, count in counts.items() if count > len(lists) / 2}


def _common_words(services: Sequence[str]) -> list[tuple[str, int]]:
    counts = Counter(word for service in services for word in set(service.split("-")))
    return [(word, count) for word, count in counts.most_common() if count > len(services) / 2]


def _cores(services: Sequence[str]) -> dict[str, str]:
    """What tells services apart: their names without the words that most of them share."""
    common = {word for word, _ in _common_words(services)}
    cores: dict[str, str] = {}
    for service in services:
        core = "".join(word for word in service.split("-") if word not in common)
        if core:
            cores[core] = service
    return cores


def _named_after(route: Route, cores: dict[str, str], noise: set[str], words: Sequence[str]) -> str | None:
    """The service whose distinguishing name a path carries; None when none or several."""
    found = set()
    for segment in re.split(r"[/*]+", route.path.lower()):
        if not segment or segment in noise:
            continue
        core = re.sub(r"[_.-]", "", segment)
        for word in words:
            core = core.replace(word, "")
        if core in cores:
            found.add(cores[core])
    return found.pop() if len(found) == 1 else None


def _fact(thing: Thing, key: str, route: Route, meant: str, store: Store, joins: Joins) -> Fact:
    gateway = _mounts(thing, store)
    service = store.named("Service", meant, thing.entity.namespace)
    behind = sorted(joins.workloads_of_service.get(service.entity, ()), key=lambda e: e.sort_key) if service else []
    fields = {
        "path": route.path,
        "backend": route.backend,
        "meant": meant,
        "config": f"{thing.entity.name}/{key}",
        "suffers": behind[0] if behind else None,
    }
    place = thing.proof("data")[0]
    proof = Proof(place.source, route.text, field=f"data.{key}")
    entity = gateway or Entity("Workload", None, thing.entity.namespace, scope=place.source)
    return Fact("gateway.misroute", entity, {k: v for k, v in fields.items() if v is not None}, (proof,))


def _mounts(config: Thing, store: Store) -> Entity | None:
    for kind in ("Deployment", "StatefulSet", "DaemonSet"):
        for thing, workload in store.records(kind, Workload):
            if thing.entity.namespace in (config.entity.namespace, None) and config.entity.name in _config_maps(
                workload.spec.template.spec
            ):
                return thing.entity
    return None


def _config_maps(spec: PodSpec) -> set[str]:
    return {v.config_map.name for v in spec.volumes if v.config_map} | {
        source.config_map_ref.name for c in spec.containers for source in c.env_from if source.config_map_ref
    }
