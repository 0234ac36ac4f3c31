"""The pod part of ``kubectl describe``: a pod, or the pod template of a workload."""

from __future__ import annotations

import re
from typing import Any

from kubecause.facts.drafts import Draft, put
from kubecause.facts.outline import Node

_PROBES = {"Liveness": "livenessProbe", "Readiness": "readinessProbe", "Startup": "startupProbe"}
_PROBE = re.compile(
    r"(?P<how>http-get|tcp-socket|grpc|exec)\s+(?P<what>.*?)\s+delay=(?P<delay>\d+)s\s+timeout=(?P<timeout>\d+)s\s+period=(?P<period>\d+)s"
    r"\s+#success=(?P<success>\d+)\s+#failure=(?P<failure>\d+)"
)
_HTTP = re.compile(r"(?P<scheme>https?)://(?P<host>[^:/]*)(?::(?P<port>[\w-]+))?(?P<path>/\S*)?")
_OF_CONTAINER = frozenset({"State", "Last State", "Ready", "Restart Count"})
_TERMINAL = {"Reason": "reason", "Message": "message", "Started": "startedAt", "Finished": "finishedAt"}


def pod_fields(root: Node, draft: Draft) -> None:
    """Fill a pod draft from its describe output."""
    data = draft.data
    node = root.child("Node")
    if node and node.value not in ("", "<none>"):
        put(data, "spec.nodeName", node.value.split("/")[0])
        draft.prove("spec.nodeName", node.line, node.text)
    status = root.child("Status")
    if status:
        word = status.value.split()[0] if status.value else ""
        put(data, "status.phase", "Running" if word == "Terminating" else word)
        if word == "Terminating":
            put(data, "metadata.deletionTimestamp", "set")
            put(data, "status.printed", "Terminating")
        draft.prove("status.phase", status.line, status.text)
    for key, path in (
        ("Reason", "status.reason"),
        ("Message", "status.message"),
        ("Start Time", "status.startTime"),
        ("IP", "status.podIP"),
    ):
        found = root.child(key)
        if found and found.value:
            put(data, path, found.value)
            draft.prove(path, found.line, found.text)
    _spec(root, draft, data)
    for section, statuses in (("Containers", "containerStatuses"), ("Init Containers", "initContainerStatuses")):
        block = root.child(section)
        if block:
            put(data, f"status.{statuses}", [_container_status(c, draft) for c in block.children if c.children])
    if "containerStatuses" not in data.get("status", {}) and (bare := _bare_container(root)):
        put(data, "status.containerStatuses", [_container_status(bare, draft)])


def _bare_container(root: Node) -> Node | None:
    """The states of one container that were pasted without what stands above them, its first line perhaps without its indent."""
    parts = [node for node in root.walk() if node.key in _OF_CONTAINER]
    return Node("", "", "", root.line, root.indent, parts) if any(part.key in ("State", "Last State") for part in parts) else None


def template_fields(template: Node, draft: Draft) -> dict[str, Any]:
    """The pod template below ``Pod Template:``."""
    data: dict[str, Any] = {}
    _spec(template, draft, data)
    return data


def _spec(root: Node, draft: Draft, data: dict[str, Any]) -> None:
    for section, key in (("Containers", "containers"), ("Init Containers", "initContainers")):
        block = root.child(section)
        if block:
            put(data, f"spec.{key}", [_container(node, draft) for node in block.children if node.children])
    account = root.child("Service Account")
    if account and account.value:
        put(data, "spec.serviceAccountName", account.value)
        draft.prove("spec.serviceAccountName", account.line, account.text)
    selector = root.child("Node-Selectors")
    if selector:
        pairs = dict(text.partition("=")[::2] for text, _ in selector.items() if "=" in text)
        put(data, "spec.nodeSelector", pairs)
        draft.prove("spec.nodeSelector", selector.line, selector.text)
    tolerations = root.child("Tolerations")
    if tolerations:
        put(data, "spec.tolerations", [_toleration(text) for text, _ in tolerations.items()])
        draft.prove("spec.tolerations", tolerations.line, tolerations.text)
    spread = root.child("Topology Spread Constraints")
    if spread:
        put(data, "spec.topologySpreadConstraints", [_spread(text) for text, _ in spread.items()])
    volumes = root.child("Volumes")
    if volumes:
        put(data, "spec.volumes", [_volume(node, draft) for node in volumes.children if node.children])


def _spread(text: str) -> dict[str, Any]:
    """``topology.kubernetes.io/zone:DoNotSchedule when max skew 1 is exceeded for selector app=web``."""
    found = re.match(r"(\S+):(\w+) when max skew (\d+) is exceeded(?: for selector (.*))?", text)
    if not found:
        return {}
    labels = dict(part.partition("=")[::2] for part in (found[4] or "").split(",") if "=" in part)
    return {
        "topologyKey": found[1],
        "whenUnsatisfiable": found[2],
        "maxSkew": int(found[3]),
        "labelSelector": {"matchLabels": labels},
    }


def _toleration(text: str) -> dict[str, Any]:
    """``key=value:Effect op=Exists for 300s`` in its many abbreviations."""
    found = re.match(r"(?P<key>[^=:\s]*)(?:=(?P<value>[^:\s]*))?(?::(?P<effect>\w+))?(?:\s+op=(?P<op>\w+))?", text)
    if not found:
        return {}
    operator = found["op"] or ("Equal" if found["value"] is not None else "Exists")
    return {"key": found["key"] or None, "value": found["value"], "effect": found["effect"], "operator": operator}


def _container(node: Node, draft: Draft) -> dict[str, Any]:
    name = node.key
    container: dict[str, Any] = {"name": name, "image": node.value_of("Image")}
    place = f"spec.containers.{name}"
    image = node.child("Image")
    if image:
        draft.prove(f"{place}.image", image.line, image.text)
    ports = node.child("Port", "Ports")
    if ports:
        container["ports"] = [
            {"containerPort": int(number), "protocol": protocol} | ({"name": name} if name else {})
            for number, protocol, name in re.findall(r"(\d+)/(TCP|UDP|SCTP)(?: \(([\w-]+)\))?", ports.value)
        ]
        draft.prove(f"{place}.ports", ports.line, ports.text)
        hosts = [int(n) for n in re.findall(r"(\d+)/", node.value_of("Host Port", "Host Ports"))]
        for port, host in zip(container["ports"], hosts, strict=False):
            if host:
                port["hostPort"] = host
    for key, field in (("Command", "command"), ("Args", "args")):
        block = node.child(key)
        if block:
            container[field] = [text for text, _ in block.items()]
            draft.prove(f"{place}.{field}", block.line, " ".join(text for text, _ in block.items())[:300])
    container["resources"] = {}
    for key, field in (("Limits", "limits"), ("Requests", "requests")):
        block = node.child(key)
        if block:
            container["resources"][field] = {row.key: row.value for row in block.children}
            draft.prove(f"{place}.resources.{field}", block.line, " ".join([block.text, *(row.text for row in block.children)]))
    for key, field in _PROBES.items():
        probe = node.child(key)
        found = _probe(probe.value) if probe else None
        if probe and found:
            container[field] = found
            draft.prove(f"{place}.{field}", probe.line, probe.text)
    _environment(node, container, draft)
    mounts = node.child("Mounts")
    if mounts:
        container["volumeMounts"] = [m for text, _ in mounts.items() if (m := _mount(text))]
    return container


def _environment(node: Node, container: dict[str, Any], draft: Draft) -> None:
    env = []
    block = node.child("Environment")
    for row in block.children if block else []:
        if row.key == row.text and not row.value:
            continue
        variable: dict[str, Any] = {"name": row.key}
        reference = re.search(
            r"<set to the key '([^']+)' (?:in|of) (secret|config map) '([^']+)'>(?:\s+Optional: (\w+))?", row.value
        )
        if reference:
            target = "secretKeyRef" if reference[2] == "secret" else "configMapKeyRef"
            variable["valueFrom"] = {target: {"key": reference[1], "name": reference[3], "optional": reference[4] == "true"}}
        else:
            variable["value"] = row.value
        env.append(variable)
        draft.prove(f"spec.containers.{container['name']}.env.{row.key}", row.line, row.text)
    container["env"] = env
    sources = node.child("Environment Variables from")
    if sources:
        container["envFrom"] = [
            {"secretRef" if kind == "Secret" else "configMapRef": {"name": name, "optional": optional == "true"}}
            for row in sources.children
            for name, kind, optional in re.findall(r"(\S+)\s+(Secret|ConfigMap)\s+.*?Optional: (\w+)", row.text)
        ]


def _mount(text: str) -> dict[str, Any] | None:
    found = re.match(r"(\S+) from (\S+) \((\w+)(?:,path=\"?([^\")]*)\"?)?\)", text)
    if not found:
        return None
    mount: dict[str, Any] = {"mountPath": found[1], "name": found[2], "readOnly": found[3] == "ro"}
    if found[4]:
        mount["subPath"] = found[4]
    return mount


def _volume(node: Node, draft: Draft) -> dict[str, Any]:
    volume: dict[str, Any] = {"name": node.key}
    kind = node.value_of("Type").split(" ")[0]
    optional = node.value_of("Optional") == "true"
    if kind == "PersistentVolumeClaim":
        volume["persistentVolumeClaim"] = {"claimName": node.value_of("ClaimName")}
    elif kind == "Secret":
        volume["secret"] = {"secretName": node.value_of("SecretName"), "optional": optional}
    elif kind == "ConfigMap":
        volume["configMap"] = {"name": node.value_of("Name"), "optional": optional}
    elif kind == "HostPath":
        volume["hostPath"] = {"path": node.value_of("Path"), "type": node.value_of("HostPathType") or None}
    elif kind == "EmptyDir":
        volume["emptyDir"] = {}
    draft.prove(f"spec.volumes.{node.key}", node.line, " ".join([node.text, *(row.text for row in node.children)])[:300])
    return volume


def _probe(text: str) -> dict[str, Any] | None:
    found = _PROBE.search(text)
    if not found:
        return None
    probe: dict[str, Any] = {
        "initialDelaySeconds": int(found["delay"]),
        "timeoutSeconds": int(found["timeout"]),
        "periodSeconds": int(found["period"]),
        "successThreshold": int(found["success"]),
        "failureThreshold": int(found["failure"]),
    }
    what = found["what"]
    if found["how"] == "http-get":
        url = _HTTP.search(what)
        if url:
            probe["httpGet"] = {
                "scheme": url["scheme"].upper(),
                "host": url["host"] or None,
                "port": _port(url["port"]),
                "path": url["path"] or "/",
            }
    elif found["how"] == "exec":
        probe["exec"] = {"command": what.strip("[]").split()}
    else:
        port = re.search(r":([\w-]+)", what)
        probe["tcpSocket" if found["how"] == "tcp-socket" else "grpc"] = {"port": _port(port[1] if port else None)}
    return probe


def _port(text: str | None) -> int | str | None:
    return int(text) if text and text.isdigit() else text


def _container_status(node: Node, draft: Draft) -> dict[str, Any]:
    name = node.key
    status: dict[str, Any] = {"name": name, "state": {}, "lastState": {}}
    place = f"status.containerStatuses.{name}"
    if node.value_of("Ready"):
        status["ready"] = node.value_of("Ready") == "True"
    restarts = node.child("Restart Count")
    if restarts and restarts.value.isdigit():
        status["restartCount"] = int(restarts.value)
        draft.prove(f"{place}.restartCount", restarts.line, restarts.text)
    for key, field in (("State", "state"), ("Last State", "lastState")):
        block = node.child(key)
        if block:
            status[field] = _state(block)
            shown = " ".join([block.text, *(row.text for row in block.children if row.key in ("Reason", "Exit Code", "Message"))])
            draft.prove(f"{place}.{field}", block.line, shown[:500])
    return status


def _state(block: Node) -> dict[str, Any]:
    details: dict[str, Any] = {field: block.value_of(key) for key, field in _TERMINAL.items() if block.value_of(key)}
    message = block.child("Message")
    if message and message.children:
        details["message"] = " ".join([message.value, *(row.text for row in message.walk())])
    code = re.match(r"-?\d+", block.value_of("Exit Code"))
    if code:
        details["exitCode"] = int(code[0])
    if block.value_of("Signal").isdigit():
        details["signal"] = int(block.value_of("Signal"))
    return {block.value.lower(): details} if block.value in ("Running", "Waiting", "Terminated") else {}
