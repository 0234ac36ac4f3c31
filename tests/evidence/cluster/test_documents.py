"""Answers of the API server as documents: complete for reasoning, without secrets and without ballast."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from kubecause.evidence.cluster import documents
from kubecause.model import Channel

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def pod(**spec: Any) -> dict[str, Any]:
    """A pod as the API returns it, with one container."""
    container = {"name": "app", "image": "web:1", **spec}
    meta = {
        "name": "web-0",
        "namespace": "shop",
        "labels": {"auth": "none", "app": "web"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": '{"password":"hunter2hunter2"}', "note": "x"},
        "managedFields": [
            {"manager": "kubectl", "operation": "Apply", "time": "2026-11-28T11:00:00Z", "fieldsV1": {"f:spec": {"f:x": {}}}}
        ],
    }
    return {"kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}


def read_back(item: dict[str, Any]) -> dict[str, Any]:
    """The object as the document holds it."""
    document = documents.objects("kubectl get pods web-0 -n shop", [item], NOW)
    [line] = document.lines
    return dict(json.loads(line))


def test_secrets_of_variables_and_flags_are_cut() -> None:
    """Values whose variable or flag names a secret never reach a document; the others stay."""
    env = [{"name": "DB_PASSWORD", "value": "hunter2hunter2"}, {"name": "DB_HOST", "value": "db.shop"}]
    args = ["--token", "abcd1234efgh5678", "--api-key=abcd1234efgh5678", "--port", "80"]

    container = read_back(pod(env=env, args=args))["spec"]["containers"][0]

    assert [{"name": "DB_PASSWORD", "value": "<redacted>"}, env[1]] == container["env"]
    assert "abcd1234efgh5678" not in json.dumps(container)
    assert ["--port", "80"] == container["args"][-2:]


def test_a_url_with_credentials_loses_only_these() -> None:
    """A connection string keeps host and port, which are evidence."""
    env = [{"name": "DATABASE_URL", "value": "postgres://app:hunter2hunter2@db.shop:5432/orders"}]

    [variable] = read_back(pod(env=env))["spec"]["containers"][0]["env"]

    assert "hunter2hunter2" not in variable["value"]
    assert "db.shop:5432" in variable["value"]


def test_ballast_goes_and_who_changed_what_stays() -> None:
    """Managed fields keep manager, operation and time; the copy of the last applied object is dropped."""
    meta = read_back(pod())["metadata"]

    assert [{"manager": "kubectl", "operation": "Apply", "time": "2026-11-28T11:00:00Z"}] == meta["managedFields"]
    assert {"note": "x"} == meta["annotations"]


def test_labels_are_never_taken_for_secrets() -> None:
    """A label called ``auth`` selects pods; cutting it would break every join."""
    assert {"auth": "none", "app": "web"} == read_back(pod())["metadata"]["labels"]


def test_references_to_secrets_keep_their_names() -> None:
    """Which Secret and key a pod asks for is evidence."""
    reference = {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}

    assert [reference] == read_back(pod(env=[reference]))["spec"]["containers"][0]["env"]


def test_tables_read_like_kubectl() -> None:
    """Columns stand three blanks apart and empty cells are ``<none>``, as kubectl prints them."""
    table = documents.table("kubectl get pods -n shop", ["Name", "Ready", "Node"], [["web-0", "0/1", None]], NOW)

    assert ["NAME    READY   NODE", "web-0   0/1     <none>"] == list(table.lines)


def test_logs_are_cleaned_and_cut() -> None:
    """Colours and secrets of a log are gone before it is a document."""
    log = documents.log("kubectl logs web-0", "\x1b[31mpassword=hunter2hunter2 failed\x1b[0m\nnext\n", Channel.APP_LOG, NOW, {})

    assert 2 == len(log.lines)
    assert "hunter2hunter2" not in log.lines[0]
    assert "\x1b" not in log.lines[0]
