"""kubectl cluster-info dump through a pipe: objects with logs between them."""

from typing import Any

DUMP = """\
{
    "kind": "PodList",
    "apiVersion": "v1",
    "items": [
        {"metadata": {"name": "api-0", "namespace": "shop", "uid": "1"}, "status": {"phase": "Running"}}
    ]
}
==== START logs for container main of pod shop/api-0 ====
[INFO] listening on port 8080
{"level":"info","msg":"started"
==== END logs for container main of pod shop/api-0 ====
{
    "kind": "PodList",
    "apiVersion": "v1",
    "items": [
        {"metadata": {"name": "web-0", "namespace": "other", "uid": "2"}, "status": {"phase": "Running"}}
    ]
}
"""


def test_objects_before_and_after_logs_are_read(read: Any) -> None:
    """A log between two lists hides neither of them."""
    store, _ = read(DUMP)

    assert sorted(thing.entity.name for thing in store.of_kind("Pod")) == ["api-0", "web-0"]


def test_logs_of_a_dump_belong_to_their_container(read: Any) -> None:
    """What stands between START and END is the log of the container they name."""
    store, _ = read(DUMP)

    lines = [fact for fact in store.facts["line"] if "listening" in fact["text"]]

    assert [(fact.entity.kind, fact.entity.pod, fact.entity.name) for fact in lines] == [("Container", "api-0", "main")]


def test_values_after_a_damaged_one_are_read(read: Any) -> None:
    """A damaged value costs itself, not the values after it."""
    store, _ = read('{"kind": "Pod", "metadata": {"name": "cut"\n' + DUMP.split("====", maxsplit=1)[0])

    assert [thing.entity.name for thing in store.of_kind("Pod")] == ["api-0"]
    assert any("JSON is cut" in gap.why for gap in store.gaps)
