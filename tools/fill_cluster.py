#!/usr/bin/env python3
"""Fill an API server without controllers with a made-up cluster, or take its broken workloads away again.

16 threads with kept-alive connections; a process of its own, so that the memory it takes is not counted as that of the
programs `bench_cluster.py` starts afterwards.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import ssl
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cluster_state import ClusterState, Object

_THREADS = 16
_PATHS = {
    "Namespace": "/api/v1/namespaces",
    "Node": "/api/v1/nodes",
    "Pod": "/api/v1/namespaces/{namespace}/pods",
    "Service": "/api/v1/namespaces/{namespace}/services",
    "Event": "/api/v1/namespaces/{namespace}/events",
    "Deployment": "/apis/apps/v1/namespaces/{namespace}/deployments",
    "ReplicaSet": "/apis/apps/v1/namespaces/{namespace}/replicasets",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
}
_SERVER_SETS = ("uid", "resourceVersion", "creationTimestamp")
_AT_ONCE = b'{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,"propagationPolicy":"Orphan"}'


class FillError(Exception):
    """The server refused an object."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where to send, and as whom."""

    host: str
    port: int
    token: str
    context: ssl.SSLContext

    @staticmethod
    def of_kubeconfig(path: Path) -> Server:
        """The one server and user of a kubeconfig that the tests' control plane wrote (JSON, with a token)."""
        config = json.loads(path.read_text(encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        where = urlsplit(cluster["server"])
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        return Server(where.hostname or "", where.port or 443, user["token"], ssl.create_default_context(cadata=authority))


Call = tuple[str, str, bytes]  # method, path, body


def creations(item: Object) -> Iterator[Call]:
    """The requests that make an object as it is, with its status."""
    kind, meta = item["kind"], item["metadata"]
    item = {**item, "metadata": {key: value for key, value in meta.items() if key not in _SERVER_SETS}}
    path = _PATHS[kind].format(namespace=meta.get("namespace"))
    yield "POST", path, _json(item)
    if kind == "Node":
        yield "PUT", f"{path}/{meta['name']}", _json(item)  # admission has put a taint on it, and nothing takes it away
    elif "status" in item:
        yield "PUT", f"{path}/{meta['name']}/status", _json(item)


def deletion(item: Object) -> Iterator[Call]:
    """The request that takes an object away."""
    meta = item["metadata"]
    yield "DELETE", f"{_PATHS[item['kind']].format(namespace=meta.get('namespace'))}/{meta['name']}", _AT_ONCE


def _json(item: Mapping[str, Any]) -> bytes:
    return json.dumps(item, separators=(",", ":"), ensure_ascii=False).encode()


class Sender:
    """Sends sequences of requests, several sequences at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._errors: list[str] = []
        self.sent = 0

    def send(self, sequences: Iterable[Sequence[Call]]) -> None:
        """Send all of them; raises FillError with the first refusal."""
        waiting = iter(sequences)
        threads = [threading.Thread(target=self._work, args=(waiting,)) for _ in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._errors:
            raise FillError(self._errors[0])

    def _work(self, waiting: Iterator[Sequence[Call]]) -> None:
        line = http.client.HTTPSConnection(self._server.host, self._server.port, context=self._server.context, timeout=120)
        headers = {"Authorization": f"Bearer {self._server.token}", "Content-Type": "application/json"}
        while not self._errors:
            with self._lock:
                calls = next(waiting, None)
            if calls is None:
                break
            for method, path, body in calls:
                line.request(method, path, body, headers)
                answer = line.getresponse()
                said = answer.read()
                self.sent += 1
                if answer.status >= 300 and answer.status not in (404, 409):
                    self._errors.append(f"{method} {path}: {answer.status} {said[:500].decode(errors='replace')}")
                    break
        line.close()


def objects_of(state: ClusterState, *, places: bool, workloads: bool) -> Iterator[Object]:
    """Everything of a cluster in the order it can be made; ``places`` = with namespaces and nodes."""
    if places:
        for name in state.namespaces():
            yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        yield from state.node_objects()
    if workloads:
        yield from state.workload_objects()
    yield from state.pod_objects()
    yield from state.event_objects()


def main() -> int:
    """Fill the server as the options say; one line on standard output when done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kubeconfig", type=Path)
    for name, usual in (("nodes", 200), ("pods", 2000), ("events", 4000), ("broken", 0), ("causes", 0)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--tag", default="", help="part of the names of all workloads")
    parser.add_argument("--now", default=datetime.now(UTC).isoformat(), help="the time that all ages count from")
    parser.add_argument("--places", action="store_true", help="make namespaces and nodes, too")
    parser.add_argument("--no-workloads", dest="workloads", action="store_false", help="pods without Deployments and Services")
    parser.add_argument("--delete", action="store_true", help="take these workloads away again")
    options = parser.parse_args()
    state = ClusterState(
        nodes=options.nodes, pods=options.pods, events=options.events, broken=options.broken, causes=options.causes,
        tag=options.tag, now=datetime.fromisoformat(options.now), managed_fields=False,
    )  # fmt: skip
    sender = Sender(Server.of_kubeconfig(options.kubeconfig))
    began = time.monotonic()
    made = objects_of(state, places=options.places, workloads=options.workloads)
    try:
        sender.send(tuple(deletion(item) if options.delete else creations(item)) for item in made)
    except (FillError, OSError) as error:
        print(f"fill: {error}", file=sys.stderr)
        return 1
    print(f"{sender.sent} requests in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
