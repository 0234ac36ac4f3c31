"""In which fields two pod templates differ."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubecause.facts.records import PodTemplate
from kubecause.facts.template_differences import MAX_DIFFERENCES, template_differences
from kubecause.model import Difference


def template(container: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None, **spec: Any) -> PodTemplate:
    """A template of one container."""
    containers = [{"name": "web", "image": "web:1", **(container or {})}]
    return msgspec.convert({"metadata": metadata or {}, "spec": {"containers": containers, **spec}}, PodTemplate)


def env(**variables: str) -> dict[str, Any]:
    """A container with variables."""
    return {"env": [{"name": name, "value": value} for name, value in variables.items()]}


def source(name: str, kind: str, of: str, key: str) -> dict[str, Any]:
    """A container with a variable that is read from elsewhere."""
    return {"env": [{"name": name, "valueFrom": {kind: {"name": of, "key": key}}}]}


WEB = "containers[web]"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (template(), template(), []),
        (template(), template({"image": "web:2"}), [Difference(f"{WEB}.image", "web:1", "web:2")]),
        (template(), template({"command": ["run", "-v"]}), [Difference(f"{WEB}.command", None, "run -v")]),
        (template({"args": ["-a", "1"]}), template({"args": ["-a", "2"]}), [Difference(f"{WEB}.args", "-a 1", "-a 2")]),
        (template(env(MODE="a")), template(env(MODE="b")), [Difference(f"{WEB}.env[MODE]", "a", "b")]),
        (template(env(MODE="a")), template(), [Difference(f"{WEB}.env[MODE]", "a", None)]),
        (template(env(MODE="a", A="1")), template(env(A="1", MODE="a")), []),  # their order is nobody's wish
        (
            template(source("DB", "configMapKeyRef", "cart", "host")),
            template(source("DB", "configMapKeyRef", "cart", "db-host")),
            [Difference(f"{WEB}.env[DB]", "ConfigMap cart host", "ConfigMap cart db-host")],
        ),
        (
            template({"resources": {"limits": {"memory": "1Gi"}}}),
            template({"resources": {"limits": {"memory": "64Mi"}}}),
            [Difference(f"{WEB}.resources.limits.memory", "1Gi", "64Mi")],
        ),
        (
            template(),
            template({"livenessProbe": {"httpGet": {"path": "/up", "port": 80}, "periodSeconds": 5}}),
            [
                Difference(
                    f"{WEB}.livenessProbe",
                    None,
                    "httpGet port 80, path /up, periodSeconds 5",
                )
            ],
        ),
        (template(nodeSelector={"disk": "ssd"}), template(), [Difference("nodeSelector.disk", "ssd", None)]),
        (
            template(volumes=[{"name": "cfg", "configMap": {"name": "a"}}]),
            template(volumes=[{"name": "cfg", "configMap": {"name": "b"}}]),
            [Difference("volumes[cfg].configMap.name", "a", "b")],
        ),
        (
            template(),
            template(initContainers=[{"name": "wait", "image": "sh:1"}]),
            [Difference("initContainers[wait]", None, "name wait, image sh:1")],
        ),
        (
            template({"ports": [{"containerPort": 80}]}),
            template({"ports": [{"containerPort": 81}]}),
            [
                Difference(f"{WEB}.ports[80]", "containerPort 80", None),
                Difference(f"{WEB}.ports[81]", None, "containerPort 81"),
            ],
        ),
    ],
)
def test_differences_are_named_by_their_path(before: PodTemplate, after: PodTemplate, expected: list[Difference]) -> None:
    """Lists of named things are compared by name; what is only on one side is told whole."""
    assert template_differences(before, after) == tuple(expected)


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "apiToken", "SECRET", "AWS_ACCESS_KEY_ID", "PGPASS", "AUTH", "SENTRY_DSN", "TLS_CERT", "Credentials"]
)
def test_values_of_secret_names_are_never_told(name: str) -> None:
    """That they changed is told."""
    (found,) = template_differences(template(env(**{name: "old"})), template(env(**{name: "new"})))
    assert found == Difference(f"{WEB}.env[{name}]", "", "", hidden=True)


def test_a_secret_that_came_or_went_shows_which(  # the words around it depend on it
) -> None:
    """A hidden value that was not there is None, like any other."""
    (found,) = template_differences(template(), template(env(TOKEN="x")))
    assert (found.before, found.after, found.hidden) == (None, "", True)


def test_long_values_are_left_out_and_images_never() -> None:
    """A page of settings helps nobody; an image is told however long its name."""
    image = f"registry.test/{'a' * 90}"
    found = template_differences(template(env(MODE="a")), template({**env(MODE="b" * 81), "image": image}))
    assert found == (Difference(f"{WEB}.image", "web:1", image), Difference(f"{WEB}.env[MODE]", "", "", hidden=True))


def test_what_controllers_write_is_no_difference() -> None:
    """The hash of the template differs whenever the template does."""
    before = template(metadata={"labels": {"pod-template-hash": "a"}})
    assert template_differences(before, template(metadata={"labels": {"pod-template-hash": "b"}})) == ()


def test_annotations_are_told_without_their_values() -> None:
    """Helm's checksum says that a configuration changed; only the time of a restart is told as it stands."""
    after = {"checksum/config": "b1", "kubectl.kubernetes.io/restartedAt": "2026-11-28T10:00:00Z"}
    found = template_differences(
        template(metadata={"annotations": {"checksum/config": "a1"}}), template(metadata={"annotations": after})
    )
    assert found == (
        Difference("metadata.annotations[checksum/config]", "", "", hidden=True),
        Difference("metadata.annotations[kubectl.kubernetes.io/restartedAt]", None, "2026-11-28T10:00:00Z"),
    )


def test_what_breaks_programs_stands_first_and_the_rest_is_bounded() -> None:
    """The image stands before forty variables, of which some are left out."""
    found = template_differences(template(), template({**env(**{f"A{n}": "1" for n in range(40)}), "image": "web:2"}))
    assert (found[0].field, len(found)) == (f"{WEB}.image", MAX_DIFFERENCES)


def test_names_that_repeat_are_compared_as_a_whole() -> None:
    """Two variables of one name, which the API allows, make the list one value."""
    twice = {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}
    (found,) = template_differences(template(), template(twice))
    assert found.field == f"{WEB}.env"
