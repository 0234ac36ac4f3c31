"""The engine from docker info."""

from __future__ import annotations

import json

from host_samples import document, facts

from kubecause.facts.host_docker import parse_docker_info
from kubecause.model import Entity


def test_docker_info() -> None:
    """Version, drivers and data folder; the engine names its host."""
    [fact] = facts("docker-info", "docker-info")

    assert fact.fields == {
        "server_version": "20.10.24+dfsg1",
        "storage_driver": "vfs",
        "cgroup_driver": "cgroupfs",
        "root_dir": "/var/tmp/data",
    }
    assert fact.entity == Entity("Node", "vm")


def test_a_single_line() -> None:
    """What grep left is enough for its field."""
    [fact] = facts("docker-info-grep", "docker-info", command="docker info |grep Cgroup", host="kubernetes")

    assert (fact.fields, fact.entity) == ({"cgroup_driver": "cgroupfs"}, Entity("Node", "kubernetes"))


def test_json() -> None:
    """The JSON format gives the same fields."""
    text = json.dumps(
        {"ServerVersion": "24.0.7", "CgroupDriver": "systemd", "Driver": "overlay2", "DockerRootDir": "/data", "Name": "w1"}
    )

    [fact] = parse_docker_info(document(text, "docker-info"))

    assert fact.fields == {
        "server_version": "24.0.7",
        "cgroup_driver": "systemd",
        "storage_driver": "overlay2",
        "root_dir": "/data",
    }
    assert fact.entity.name == "w1"


def test_no_engine() -> None:
    """A client that reaches no daemon tells nothing about one."""
    text = "Client:\n Debug Mode: false\n\nServer:\nERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock."

    assert list(parse_docker_info(document(text, "docker-info"))) == []
