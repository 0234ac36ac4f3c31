"""Answers of an API server that is there but unwell: errors as kubectl prints them, and its own health checks.

Sources: apimachinery ``pkg/api/errors`` and kubectl ``pkg/cmd/util/helpers.go`` (the sentences), "Kubernetes API health
endpoints" and apiserver ``pkg/server/healthz`` (the lines of ``/readyz?verbose``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from kubecause.errors import UnreachableError
from kubecause.evidence.cluster.api import Api, Refused
from kubecause.evidence.cluster.connection import Connection
from kubecause.evidence.cluster.handshake import UNABLE, Step
from kubecause.evidence.redact import redact_lines
from kubecause.model import Channel, Document, Gap

KIND = "api-access"  # kind of these documents; facts/api_access.py reads it

_PATIENCE = 8.0  # seconds: each of the two checks of etcd takes two where etcd is silent
_MOST_CHECKS = 200  # lines of /readyz?verbose; an API server has about 60
_REASONS = {
    403: "Forbidden",
    404: "NotFound",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
_MESSAGES = {
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}


def unwell(api: Api) -> Iterator[Document | Gap]:
    """What the API server says about its own health: ``/readyz`` and, when that fails, ``/livez``, check by check."""
    if api.connection.timeout >= _PATIENCE:
        yield from _checked(api)
        return
    with Connection(api.connection.settings, timeout=_PATIENCE) as patient:
        yield from _checked(Api(patient))


def _checked(api: Api) -> Iterator[Document | Gap]:
    steps: list[Step] = []
    for path in ("/readyz?verbose", "/livez?verbose"):
        name = path[1:].partition("?")[0]
        try:
            status, text = api.text(path)
        except UnreachableError as error:
            steps.append(no_answer(error))
            break
        if status == 0:
            steps.append(Step("http", "timeout" if "timed out" in text else "closed", f"{UNABLE}{text}"))
            break
        if status in (401, 403, 404):
            words = said(status, text)
            yield Gap(f"{path} of the API server", words, "get", path, ("control-plane/etcd-unreachable",))
            break
        failing = [line.strip() for line in text.splitlines() if line.startswith("[-]")]
        steps += [Step("check", "failed", f"{name} {line}") for line in failing[:_MOST_CHECKS]]
        if status < 400:
            steps.append(Step("check", "passed", f"{name} check passed"))
            break
        if not failing:
            steps.append(Step("http", str(status), said(status, text)))
    if steps:
        yield document_of("kubectl get --raw /readyz?verbose", steps)


def refusal(server: str, refused: Refused) -> Document:
    """An answer of the API server that is an error, as kubectl prints it; ``server`` is the host and port that gave it."""
    message = _MESSAGES.get(refused.status, refused.message)
    asked = f" ({refused.verb} {refused.resource})" if refused.status in _MESSAGES else ""  # as client-go adds it
    words = as_kubectl(refused.status, refused.reason, message + asked)
    return document_of(f"connection to {server}", [Step("http", str(refused.status), words)])


def document_of(source: str, steps: Iterable[Step]) -> Document:
    """Steps as a document of the kind ``api-access``, one a line, without secrets."""
    lines = redact_lines([str(step) for step in steps])
    return Document(source, KIND, Channel.CLIENT, lines, collected=datetime.now(UTC).replace(microsecond=0))


def no_answer(error: UnreachableError) -> Step:
    """A server that took the connection but gave no answer to a request."""
    if "timed out" in error.detail or "took longer" in error.detail:
        return Step("http", "timeout", f"{UNABLE}net/http: request canceled (Client.Timeout exceeded while awaiting headers)")
    if error.stage == "tls" and "alert" in error.detail:
        return Step("tls", "client-rejected", f"{UNABLE}remote error: tls: {error.detail}")
    if error.stage == "connect" and "refused" in error.detail.lower():
        at = f"[{error.host}]:{error.port}" if ":" in error.host else f"{error.host}:{error.port}"
        return Step(
            "connect", "refused", f"The connection to the server {at} was refused - did you specify the right host or port?"
        )
    return Step("http", "closed", f"{UNABLE}EOF ({error.detail})")


def status_in(text: str) -> dict[str, Any] | None:
    """The Status object of an answer, where it is one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value.get("kind") == "Status" else None


def is_root(text: str) -> bool:
    """Whether a text is what an API server answers to ``/api``."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("kind") in ("APIVersions", "APIGroupDiscoveryList", "APIGroupList")


def said(status: int, text: str) -> str:
    """An answer that is an error, as kubectl prints it; the text may be a Status object or anything."""
    found = status_in(text) or {}
    return as_kubectl(status, str(found.get("reason") or ""), str(found.get("message") or text[:300]))


def as_kubectl(status: int, reason: str, message: str) -> str:
    """``Error from server (Forbidden): …``; the reasons of the API are used where the answer names none."""
    if status == 401:
        return "error: You must be logged in to the server (Unauthorized)"
    reason = reason or _REASONS.get(status, "")
    message = _MESSAGES.get(status, message) if not message.strip() or message.strip() == reason else message
    return f"Error from server{f' ({reason})' if reason else ''}: {message[:600]}"
