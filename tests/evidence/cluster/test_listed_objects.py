"""Objects of lists: what is left of them is the same whether or not they were decoded."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from kubecause.evidence.cluster import documents
from kubecause.evidence.cluster.kinds import KINDS
from kubecause.evidence.cluster.listed import Listed, listed, record_of

DEPLOYMENT = KINDS["Deployment"]
SECRET = "hunter2hunter2"

TELLING: list[dict[str, Any]] = [
    {"env": [{"name": "DB_PASSWORD", "value": SECRET}]},
    {"env": [{"value": SECRET, "name": "DB_PASSWORD"}]},
    {"env": [{"name": "DB_PASSWORD", "extra": 1, "value": SECRET}]},
    {"env": [{"name": "DATABASE_URL", "value": f"postgres://app:{SECRET}@db.shop:5432/orders"}]},
    {"args": ["--token", SECRET, "--port", "80"]},
    {"args": [f"--api-key={SECRET}"]},
    {"command": ["sh", "-c", f"set -e\nmysql -u root -p{SECRET} shop"]},
    {"command": ["sh", "-c", f'curl -H "Authorization: Bearer {SECRET}" http://a']},
    {"password": SECRET},
    {"settings": {"clientSecret": SECRET, "other": "x"}},
    {"note": f"密码：{SECRET}"},
    {"note": "ghp_" + 24 * "a"},
    {"note": "abcdef.0123456789abcdef"},
]
HARMLESS: list[dict[str, Any]] = [
    {"env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db-password", "key": "password"}}}]},
    {"env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "DB_HOST", "value": "db.example.com"}]},
    {"volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]},
    {"volumes": [{"name": "tls", "secret": {"secretName": "web-tls", "defaultMode": 420}}]},
    {"tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300}]},
    {"image": "registry.example/auth@sha256:0123", "automountServiceAccountToken": False, "imagePullSecrets": [{"name": "r"}]},
]


def raw(body: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A Deployment with something in its spec, as a list holds it."""
    meta: dict[str, Any] = {
        "name": "web",
        "namespace": "shop",
        "uid": "u1",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": f'{{"password":"{SECRET}"}}', "note": "x"},
        "managedFields": [{"manager": "kubectl", "operation": "Apply", "time": "2026-11-28T11:00:00Z", "fieldsV1": {"f:a": {}}}],
    }
    return {"metadata": meta, "spec": body, **more}


def as_json(item: dict[str, Any]) -> msgspec.Raw:
    """An object as the API server writes it: compact."""
    return msgspec.Raw(json.dumps(item, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.mark.parametrize("body", [*TELLING, *HARMLESS])
def test_a_listed_object_holds_what_a_decoded_one_holds(body: dict[str, Any]) -> None:
    """Pruned, and with the same secrets cut; nothing else is changed."""
    item = raw(body)
    [kept] = listed([as_json(item)], DEPLOYMENT)
    [line] = documents.lines_of([{**item, "apiVersion": "apps/v1", "kind": "Deployment"}])

    assert json.loads(line) == kept.item()
    assert (kept.namespace, kept.name, kept.uid) == ("shop", "web", "u1")


@pytest.mark.parametrize("body", TELLING)
def test_what_is_secret_does_not_leave_a_list(body: dict[str, Any]) -> None:
    """Wherever it stands, in whatever order."""
    [kept] = listed([as_json(raw(body))], DEPLOYMENT)

    assert "<redacted>" in kept.line
    assert SECRET not in kept.line


@pytest.mark.parametrize("body", TELLING)
@pytest.mark.parametrize("separators", [(", ", ": "), (",", " :"), (",\n", ":\t")])
def test_an_object_that_is_not_compact_becomes_one_line_without_secrets(
    body: dict[str, Any], separators: tuple[str, str]
) -> None:
    """A server of another kind may write blanks and lines between the parts."""
    text = json.dumps(raw(body), separators=separators, ensure_ascii=False)
    [kept] = listed([msgspec.Raw(text.encode())], DEPLOYMENT)

    assert SECRET not in kept.line
    assert "\n" not in kept.line


def test_other_objects_of_the_list_do_not_matter() -> None:
    """The one with a secret is cut, in its place."""
    bodies = [HARMLESS[0], TELLING[0], HARMLESS[2]]
    kept = listed([as_json(raw(body)) for body in bodies], DEPLOYMENT)

    assert [False, True, False] == ["<redacted>" in each.line for each in kept]


def test_parts_that_are_null_are_read_as_missing() -> None:
    """Controllers written in other languages send them."""
    item = {"metadata": {"name": "n1", "managedFields": None, "annotations": None}, "status": None, "spec": None}
    [kept] = listed([as_json(item)], KINDS["Node"])

    assert (kept.namespace, kept.name, kept.item()["kind"]) == (None, "n1", "Node")


def test_what_is_no_object_is_refused() -> None:
    """The list says so; nothing is made up."""
    with pytest.raises(msgspec.DecodeError):
        listed([msgspec.Raw(b'"text"')], DEPLOYMENT)


def test_a_part_is_read_without_the_rest() -> None:
    """Of an object as text and of a decoded one."""

    class Part(msgspec.Struct):
        spec: dict[str, Any]

    [kept] = listed([as_json(raw({"replicas": 2}))], DEPLOYMENT)

    assert isinstance(kept, Listed)
    assert {"replicas": 2} == record_of(kept, Part).spec == record_of(kept.item(), Part).spec
