#!/usr/bin/env python3
"""Write the lists of a made-up cluster as the API server or kubectl returns them: pods.json, events.json, nodes.json.

The same options give the same bytes. 150,000 pods are 1.5 GB: `gen_state.py OUT --pods 150000 --nodes 5000 --events 300000`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from cluster_state import ClusterState, Object

_WITHOUT_KIND = ("apiVersion", "kind")  # the API server leaves both out of the items of a list


def write_list(path: Path, kind: str, items: Iterable[Object], *, indent: bool) -> int:
    """Write one list; returns how many items it has.

    :param indent: as ``kubectl get -o json`` prints it, without managed fields; else as the API server answers, on one line.
    """
    count = 0
    with path.open("w", encoding="utf-8") as file:
        if indent:
            file.write('{\n    "apiVersion": "v1",\n    "items": [\n')
        else:
            file.write(f'{{"kind":"{kind}List","apiVersion":"v1","metadata":{{"resourceVersion":"8421337"}},"items":[')
        for item in items:
            if indent:
                item["metadata"].pop("managedFields", None)
                text = json.dumps(item, indent=4, sort_keys=True, ensure_ascii=False).replace("\n", "\n        ")
                file.write((",\n" if count else "") + "        " + text)
            else:
                bare = {key: value for key, value in item.items() if key not in _WITHOUT_KIND}
                file.write(("," if count else "") + json.dumps(bare, separators=(",", ":"), ensure_ascii=False))
            count += 1
        if indent:
            file.write('\n    ],\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n')
        else:
            file.write("]}\n")
    return count


def main() -> int:
    """Write what the options name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder for the lists; made when it is not there")
    parser.add_argument("--pods", type=int, default=20_000)
    parser.add_argument("--nodes", type=int, default=500)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--broken", type=int, default=100, help="pods that are broken")
    parser.add_argument("--causes", type=int, default=5, help="different causes among them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--indent", action="store_true", help="as kubectl prints it, else as the API server answers")
    options = parser.parse_args()
    if min(options.pods, options.nodes) < 1 or not 0 <= options.broken <= options.pods:
        parser.error("at least one pod and one node, and no more broken pods than pods")
    state = ClusterState(options.nodes, options.pods, options.events, options.broken, options.causes, options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    lists = (("pods", "Pod", state.pod_objects), ("events", "Event", state.event_objects), ("nodes", "Node", state.node_objects))
    for name, kind, items in lists:
        path = options.out / f"{name}.json"
        count = write_list(path, kind, items(), indent=options.indent)
        print(f"{path}: {count} items, {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
