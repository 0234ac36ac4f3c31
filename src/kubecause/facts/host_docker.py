"""The Docker engine of a machine from ``docker info`` (text since 1.12, or ``--format '{{json .}}'``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from kubecause.facts.host_output import Parser, fact_at, lines_of, node_of
from kubecause.model import Document, Fact

JSON_LIMIT = 1_000_000  # characters

_LINE = re.compile(r"\s{0,4}(?P<name>Server Version|Cgroup Driver|Storage Driver|Docker Root Dir|Name): (?P<value>\S.{0,300})")
_FIELDS = {
    "Server Version": "server_version",
    "Cgroup Driver": "cgroup_driver",
    "Storage Driver": "storage_driver",
    "Docker Root Dir": "root_dir",
}
_JSON_FIELDS = {
    "ServerVersion": "server_version",
    "CgroupDriver": "cgroup_driver",
    "Driver": "storage_driver",
    "DockerRootDir": "root_dir",
}


def parse_docker_info(document: Document) -> Iterator[Fact]:
    """One ``runtime.info`` from the whole output or from the lines that a filter left; ``Name`` is the host."""
    fields: dict[str, str] = {}
    places: list[int] = []
    host: str | None = None
    for index, line in lines_of(document):
        if line.startswith("{") and '"DockerRootDir"' in document.lines[index] and (engine := _from_json(document.lines[index])):
            fields.update({name: engine[key] for key, name in _JSON_FIELDS.items() if key in engine})
            host = host or engine.get("Name")
            places.append(index)
        elif found := _LINE.fullmatch(line):
            name = _FIELDS.get(found["name"])
            if name is None:
                host = host or found["value"]
            elif name not in fields:
                fields[name] = found["value"]
                places.append(index)
    if fields:
        yield fact_at(document, "runtime.info", node_of(document, host), fields, *places)


def _from_json(text: str) -> dict[str, str]:
    """The texts at the top of a JSON object; empty when it is none."""
    if len(text) > JSON_LIMIT:
        return {}
    try:
        engine = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {key: value for key, value in engine.items() if isinstance(value, str) and value} if isinstance(engine, dict) else {}


PARSERS: dict[str, Parser] = {"docker-info": parse_docker_info}
RECOGNISERS: list[tuple[str, re.Pattern[str]]] = [
    ("docker-info", re.compile(r"(?m)^(?:Server:[ \t]*\n)?[ \t]{0,2}Containers: \d+[ \t]*\n[ \t]*Running: \d")),
    ("docker-info", re.compile(r"(?m)^ {0,2}(?:Storage Driver|Docker Root Dir|Logging Driver): \S")),
    ("docker-info", re.compile(r"(?m)^ {0,2}Cgroup Driver: (?:cgroupfs|systemd|none)[ \t]*$")),
]
