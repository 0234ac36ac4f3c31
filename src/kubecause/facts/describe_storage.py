"""``kubectl describe`` of claims, volumes, classes and quotas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kubecause.facts.drafts import Detail, Draft, put
from kubecause.facts.outline import Node
from kubecause.model import Document


def claim_fields(root: Node, draft: Draft) -> None:
    """Fill the draft of a PersistentVolumeClaim."""
    data = draft.data
    storage_class = root.child("StorageClass")
    if storage_class:
        put(data, "spec.storageClassName", storage_class.value)
        draft.prove("spec.storageClassName", storage_class.line, storage_class.text)
    status = root.child("Status")
    if status:
        put(data, "status.phase", status.value.split()[0] if status.value else None)
        draft.prove("status.phase", status.line, status.text)
    if root.value_of("Volume"):
        put(data, "spec.volumeName", root.value_of("Volume"))
    if root.value_of("Capacity"):
        put(data, "status.capacity", {"storage": root.value_of("Capacity")})
    used = root.child("Used By", "Mounted By")
    if used:
        put(data, "status.usedBy", [text for text, _ in used.items()])


_MODES = {"RWO": "ReadWriteOnce", "ROX": "ReadOnlyMany", "RWX": "ReadWriteMany", "RWOP": "ReadWriteOncePod"}


def access_modes(text: str) -> list[str]:
    """``RWO,RWX`` or full names as the API's names."""
    return [_MODES.get(part.strip(), part.strip()) for part in re.split(r"[,\s]+", text.strip("[]")) if part.strip()]


def volume_fields(root: Node, draft: Draft) -> None:
    """Fill the draft of a PersistentVolume."""
    data = draft.data
    claim = root.value_of("Claim")
    if "/" in claim:
        namespace, _, name = claim.partition("/")
        put(data, "spec.claimRef", {"name": name, "namespace": namespace})
    for key, path in (("StorageClass", "spec.storageClassName"), ("Status", "status.phase"), ("Message", "status.message")):
        node = root.child(key)
        if node:
            put(data, path, (node.value.split() or [""])[0] if key == "Status" else node.value)  # Terminating (lasts 2h)
            draft.prove(path, node.line, node.text)
    if root.value_of("Capacity"):
        put(data, "spec.capacity", {"storage": root.value_of("Capacity")})
    if root.value_of("Access Modes"):
        put(data, "spec.accessModes", access_modes(root.value_of("Access Modes")))
    terms = [
        {
            "key": key,
            "operator": {"in": "In", "notin": "NotIn"}[op.replace(" ", "")],
            "values": re.split(r"[,\s]+", values.strip()),
        }
        for node in root.walk()
        for key, op, values in re.findall(r"([\w./-]+) (in|not in) \[([^\]]*)\]", node.text)
    ]
    if terms:
        put(data, "spec.nodeAffinity.required.nodeSelectorTerms", [{"matchExpressions": terms}])


def storage_class_fields(root: Node, draft: Draft) -> None:
    """Fill the draft of a StorageClass."""
    draft.data["provisioner"] = root.value_of("Provisioner")
    draft.data["volumeBindingMode"] = root.value_of("VolumeBindingMode") or None


def quota_fields(root: Node, draft: Draft) -> None:
    """Fill the draft of a ResourceQuota."""
    hard, used = _quota_rows(root.children, draft)
    put(draft.data, "status.hard", hard)
    put(draft.data, "status.used", used)


def _quota_rows(nodes: Sequence[Node], draft: Draft) -> tuple[dict[str, str], dict[str, str]]:
    hard, used = {}, {}
    for node in nodes:
        found = re.match(r"([a-z][\w./-]*)\s+(\d\S*)\s+(\d\S*)$", node.text)
        if found:
            used[found[1]], hard[found[1]] = found[2], found[3]
            draft.prove(f"status.used.{found[1]}", node.line, node.text)
    return hard, used


def namespace_quotas(top: list[Node], document: Document) -> Iterator[Draft]:
    """``Resource Quotas`` inside ``describe namespace``, one draft each."""
    root = Node("", "", "", document.first_line, -1, top)
    section = next((node for node in top if node.text.rstrip(":") == "Resource Quotas"), None)
    rows: list[Node] = []
    name = ""
    for node in [*(section.children if section else []), Node("", "Name", "", 0, 0)]:
        if node.key == "Name":
            if name:
                draft = Draft("ResourceQuota", name, root.value_of("Name") or None, Detail.DESCRIBE, {"metadata": {}}, document)
                hard, used = _quota_rows(rows, draft)
                put(draft.data, "status", {"hard": hard, "used": used})
                yield draft
            name, rows = node.value, []
        else:
            rows.append(node)
