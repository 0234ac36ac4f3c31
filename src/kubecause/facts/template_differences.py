"""In which fields two pod templates differ: what a rollout brought.

The typed records are compared, so that a default written out on one side is no difference. Values of variables whose
name could name a secret are never shown, whatever was cut out of the documents before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from kubecause.facts.records import PodTemplate
from kubecause.model import Difference

MAX_DIFFERENCES = 12
_LONGEST = 80  # characters of a value that is still shown

_SECRET = re.compile(
    r"pass|pwd|secret|token|key|cred|auth|cookie|signature|sig$|connection_?string|dsn|jwt|salt|private|cert", re.IGNORECASE
)
_NAMED_BY = {  # what tells the elements of a list apart, as the API merges them
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "ports": "containerPort",
    "volumes": "name",
    "volumeMounts": "mountPath",
}
_DEFAULTS: dict[str, Any] = {  # not worth a word in a value that is told as a whole
    "initialDelaySeconds": 0,
    "timeoutSeconds": 1,
    "periodSeconds": 10,
    "successThreshold": 1,
    "failureThreshold": 3,
    "protocol": "TCP",
    "scheme": "HTTP",
    "effect": "",
    "operator": "Equal",
}
# Labels and annotations that controllers and kubectl write for themselves.
_BOOKKEEPING = frozenset({"pod-template-hash", "controller-revision-hash", "pod-template-generation"})
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_ORDER = ("image", "command", "args", "env", "envFrom", "resources", "Probe", "ports", "nodeSelector", "volume")
_PLAIN_ENV = re.compile(r"\.env\[(?P<name>.*)\]$")


def template_differences(before: PodTemplate, after: PodTemplate) -> tuple[Difference, ...]:
    """The differences, those that break programs most often first; at most :data:`MAX_DIFFERENCES`.

    :param before: template of the earlier revision.
    :returns: paths below the template's ``spec``; labels and annotations below ``metadata``.
    """
    found = list(_compare("", _plain(before.spec), _plain(after.spec)))
    for part in ("labels", "annotations"):
        old, new = getattr(before.metadata, part), getattr(after.metadata, part)
        found += _marks(f"metadata.{part}", old, new)
    return tuple(sorted(found, key=_importance)[:MAX_DIFFERENCES])


def _plain(record: msgspec.Struct) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(record)
    return plain


def _importance(difference: Difference) -> tuple[int, str]:
    for rank, word in enumerate(_ORDER):
        if word in re.split(r"[.\[\]]", difference.field) or (word in ("Probe", "volume") and word in difference.field):
            return rank, difference.field
    return len(_ORDER) + difference.field.startswith("metadata."), difference.field


def _compare(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after or (not _is_there(before) and not _is_there(after)):
        return
    name = path.rpartition(".")[2].partition("[")[0]
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from _compare(f"{path}.{key}" if path else key, before.get(key), after.get(key))
        return
    key = _NAMED_BY.get(name) if not path.endswith("]") else None
    old, new = (_by_name(each, key) for each in (before, after))
    if old is not None and new is not None:
        for element in sorted(old.keys() | new.keys()):
            yield from _compare_elements(f"{path}[{element}]", old.get(element), new.get(element))
        return
    yield _difference(path, before, after)


def _compare_elements(path: str, before: Any, after: Any) -> Iterator[Difference]:
    """Two elements of a named list; a variable with a plain value on both sides is told by its value alone."""
    variable = _PLAIN_ENV.search(path)
    if variable:
        old, new = (_variable(each) for each in (before, after))
        if old != new:
            yield _difference(path, old, new, hidden=_SECRET.search(variable["name"]) is not None)
    elif before is None or after is None:
        yield _difference(path, before, after)
    else:
        yield from _compare(path, before, after)


def _variable(entry: Any) -> Any:
    """The value of a variable, or where it comes from."""
    if not isinstance(entry, dict):
        return None
    source = entry.get("valueFrom") or {}
    if not _is_there(source):
        return entry.get("value") or ""
    for kind, word in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
        reference = source.get(kind)
        if isinstance(reference, dict) and reference:
            return f"{word} {reference.get('name')} {reference.get('key')}"
    return "a field of the pod"


def _by_name(elements: Any, key: str | None) -> dict[str, Any] | None:
    """Elements of a list by what names them; None when this is no such list or names repeat."""
    if key is None or not isinstance(elements, list):
        return None
    named = {str(each.get(key)): each for each in elements if isinstance(each, dict)}
    return named if len(named) == len(elements) else None


def _marks(path: str, before: Mapping[str, str | None], after: Mapping[str, str | None]) -> Iterator[Difference]:
    """Labels or annotations. Annotations hold anything, so only the time of a restart is shown of theirs."""
    for key in sorted(before.keys() | after.keys()):
        if key not in _BOOKKEEPING and before.get(key) != after.get(key):
            hidden = path.endswith("annotations") and key != _RESTARTED
            yield _difference(f"{path}[{key}]", before.get(key), after.get(key), hidden=hidden)


def _difference(path: str, before: Any, after: Any, *, hidden: bool = False) -> Difference:
    """Values as text, None for what is not there; when one may not be shown, both are hidden."""
    old, new = (_brief(each) for each in (before, after))
    if hidden or any(text and len(text) > _LONGEST and not path.endswith("image") for text in (old, new)):
        return Difference(path, None if old is None else "", None if new is None else "", hidden=True)
    return Difference(path, old, new)


def _is_there(value: Any) -> bool:
    return value is not None and value not in ([], {})


def _brief(value: Any) -> str | None:
    """A value in as few words as it can be told: defaults and empty parts are left out."""
    if not _is_there(value):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return " ".join(text for text in (_brief(each) for each in value) if text is not None)
    if isinstance(value, dict):
        told = {key: _brief(below) for key, below in value.items() if _DEFAULTS.get(key) != below}
        return ", ".join(f"{key} {text}" for key, text in told.items() if text not in (None, "", "false"))
    return str(value)
