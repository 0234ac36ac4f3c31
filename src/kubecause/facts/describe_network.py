"""``kubectl describe`` of services, endpoints and ingresses."""

from __future__ import annotations

import re
from typing import Any

from kubecause.facts.describe_parts import pairs
from kubecause.facts.drafts import Draft, put
from kubecause.facts.outline import Node


def service_fields(root: Node, draft: Draft) -> None:
    """Fill the draft of a Service."""
    data = draft.data
    for key, path in (("Type", "spec.type"), ("IP", "spec.clusterIP"), ("External Traffic Policy", "spec.externalTrafficPolicy")):
        if root.value_of(key):
            put(data, path, root.value_of(key))
    selector = root.child("Selector")
    if selector:
        put(data, "spec.selector", pairs(selector.items()))
        draft.prove("spec.selector", selector.line, selector.text)
    put(data, "spec.ports", _service_ports(root, draft))
    endpoints = [node for node in root.children if node.key == "Endpoints"]
    if endpoints:
        put(data, "status.endpoints", sorted({a for node in endpoints for a in re.findall(r"[\w.:\[\]]+:\d+", node.value)}))
        draft.prove("status.endpoints", endpoints[0].line, endpoints[0].text)


def _service_ports(root: Node, draft: Draft) -> list[dict[str, Any]]:
    """``Port: grpc  80/TCP``, each followed by ``TargetPort: 8080/TCP`` and ``NodePort: …``."""
    ports: list[dict[str, Any]] = []
    for node in root.children:
        found = re.search(r"(?:(\S+)\s+)?(\d+)/(TCP|UDP|SCTP)", node.value) if node.key in ("Port", "NodePort") else None
        if node.key == "Port" and found:
            name = found[1] if found[1] not in (None, "<unset>", "<unnamed>") else None
            ports.append({"name": name, "port": int(found[2]), "protocol": found[3]})
            draft.prove(f"spec.ports.{found[2]}", node.line, node.text)
        elif node.key == "NodePort" and found and ports:
            ports[-1]["nodePort"] = int(found[2])
        elif node.key == "TargetPort" and ports:
            target = node.value.partition("/")[0]
            ports[-1]["targetPort"] = int(target) if target.isdigit() else target
            draft.prove(f"spec.ports.{ports[-1]['port']}.targetPort", node.line, node.text)
    return ports


def endpoints_fields(root: Node, draft: Draft) -> None:
    """Fill the draft of an Endpoints object."""
    subsets: list[dict[str, Any]] = []
    for node in (child for section in root.children if section.key == "Subsets" for child in section.children):
        if node.key == "Addresses":
            subsets.append({"addresses": _addresses(node.value), "ports": []})
            draft.prove("subsets", node.line, node.text)
        elif subsets and node.key == "NotReadyAddresses":
            subsets[-1]["notReadyAddresses"] = _addresses(node.value)
        elif subsets and node.key == "Ports":
            for row in node.children:
                found = re.match(r"(\S+)\s+(\d+)\s+(TCP|UDP|SCTP)", row.text)
                if found:
                    subsets[-1]["ports"].append({"name": found[1], "port": int(found[2]), "protocol": found[3]})
    draft.data["subsets"] = subsets


def _addresses(text: str) -> list[dict[str, str]]:
    return [{"ip": part.strip()} for part in text.split(",") if part.strip() and part.strip() != "<none>"]


def ingress_fields(root: Node, draft: Draft) -> None:
    """Fill the draft of an Ingress."""
    put(
        draft.data,
        "spec.ingressClassName",
        root.value_of("Ingress Class") if root.value_of("Ingress Class") != "<none>" else None,
    )
    rules: list[dict[str, Any]] = []
    section = root.child("Rules")
    for node in section.walk() if section else []:
        found = re.match(r"(?:(\S+)\s+)?(/\S*)\s+([\w.-]+):(\S+)\s*\((.*)\)$", node.text)
        if found:
            port: dict[str, Any] = {"number": int(found[4])} if found[4].isdigit() else {"name": found[4]}
            backend = {"service": {"name": found[3], "port": port}}
            rules.append({"host": found[1], "http": {"paths": [{"path": found[2], "backend": backend}]}})
            draft.prove(f"spec.rules.{found[3]}", node.line, node.text)
    put(draft.data, "spec.rules", rules)
    tls = root.child("TLS")
    names = [row.text.split()[0] for row in tls.children if " terminates " in f"{row.text} "] if tls else []
    put(draft.data, "spec.tls", [{"secretName": name} for name in names])
