"""Lists of a whole cluster are screened while they are read, and give what reading them whole gives."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubecause.evidence.files import Limits
from kubecause.evidence.list_items import ListCutter, list_head
from kubecause.evidence.pod_states import ScreenedPod, age, moment, state_of
from kubecause.evidence.targets import open_evidence
from kubecause.knowledge import load_cases
from kubecause.model import Document, Gap, Result
from kubecause.pipeline import diagnose_documents

GENERATOR = Path(__file__).resolve().parents[2] / "tools" / "gen_state.py"
SMALL = Limits(large_list=10_000)
CAUSES = {
    "config/configmap-missing",
    "image/not-found",
    "container/oom-killed",
    "container/exit-general-error",
    "probe/port-not-listening",
    "scheduling/insufficient-cpu",
}
WHOLE = Limits(large_list=100_000_000)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the lists of a cluster of 300 pods, as the API server answers."""
    return _generated(tmp_path_factory.mktemp("state"), indent=False)


def _generated(folder: Path, *, indent: bool) -> Path:
    sizes = ["--nodes", "30", "--pods", "300", "--events", "700", "--broken", "24", "--causes", "6"]
    command = [sys.executable, str(GENERATOR), str(folder), *sizes, *(["--indent"] if indent else [])]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def _evidence(path: Path, limits: Limits = SMALL) -> list[Document | Gap]:
    return list(open_evidence([str(path)], limits))


def _objects(path: Path, limits: Limits = SMALL) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for item in _evidence(path, limits)
        if isinstance(item, Document) and item.kind == "objects"
        for line in item.lines
    ]


def _gaps(path: Path) -> list[str]:
    return [f"{item.what}: {item.why}" for item in _evidence(path) if isinstance(item, Gap)]


def _diagnoses(path: Path, limits: Limits) -> dict[tuple[str, str, str], frozenset[str]]:
    result: Result = diagnose_documents(open_evidence([str(path)], limits), load_cases(), source=("capture", "x"))
    return {
        (each.finding.fault, str(each.entity), str(each.status)): frozenset(map(str, each.affected)) for each in result.diagnoses
    }


# --- the same as reading them whole -------------------------------------------------------------------------


def test_screened_lists_give_the_same_diagnoses_as_whole_ones(state: Path) -> None:
    """Six causes in 24 pods are found, with the same pods affected, whichever way the lists are read."""
    screened, whole = _diagnoses(state, SMALL), _diagnoses(state, WHOLE)

    assert whole.keys() == screened.keys()
    assert CAUSES <= {fault for fault, _, _ in screened}
    for key in screened:
        assert key[0] not in CAUSES or 4 == len(whole[key]) == len(whole[key] & screened[key]), key


def test_lists_as_kubectl_prints_them_give_the_same(state: Path, tmp_path: Path) -> None:
    """Indented lists with their kind behind the items are read item by item, too."""
    indented = _generated(tmp_path, indent=True)

    assert _diagnoses(state, SMALL).keys() == _diagnoses(indented, SMALL).keys()


def test_lists_in_an_archive_give_the_same(state: Path, tmp_path: Path) -> None:
    """A member of an archive is screened as it is unpacked."""
    path = tmp_path / "dump.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(state, "dump")

    assert _diagnoses(state, SMALL).keys() == _diagnoses(path, SMALL).keys()


def test_one_pod_stands_for_its_siblings_and_healthy_ones_leave_a_trace(state: Path) -> None:
    """In full: one pod of each broken owner; of healthy ones labels and ports, of each template once."""
    pods = [item for item in _objects(state) if item["kind"] == "Pod"]
    full = [
        pod for pod in pods if "containerStatuses" in pod.get("status", {}) or pod.get("status", {}).get("phase") == "Pending"
    ]
    traces = [pod for pod in pods if pod.get("status", {}).get("phase") == "Running" and "containerStatuses" not in pod["status"]]

    assert 6 == len(full)
    assert 28 == len(traces)
    assert all({"name", "namespace", "labels", "ownerReferences"} >= trace["metadata"].keys() for trace in traces)


def test_objects_are_found_where_they_stand(state: Path, tmp_path: Path) -> None:
    """The line of a document is that of its object in the file; the source is the file."""
    indented = _generated(tmp_path, indent=True)
    lines = (indented / "nodes.json").read_text(encoding="utf-8").splitlines()
    places = {
        json.loads(item.lines[0])["metadata"]["name"]: item.first_line
        for item in _evidence(indented)
        if isinstance(item, Document) and item.source == "nodes.json"
    }

    assert 30 == len(places)
    assert all("        {" == lines[line - 1] for line in places.values())
    assert {1} == {item.first_line for item in _evidence(state) if isinstance(item, Document) and item.source == "nodes.json"}


# --- cutting ------------------------------------------------------------------------------------------------


def _pod(name: str, **spec: Any) -> dict[str, Any]:
    """A pod whose image cannot be pulled, so that it is handed over whole."""
    waiting = {"waiting": {"reason": "ImagePullBackOff"}}
    status = {"phase": "Pending", "containerStatuses": [{"name": "app", "ready": False, "restartCount": 0, "state": waiting}]}
    meta = {"name": name, "namespace": "shop", "creationTimestamp": "2026-11-28T10:00:00Z"}
    return {"metadata": meta, "spec": {"containers": [{"name": "app"}], "padding": "x" * 2000, **spec}, "status": status}


def _listed(items: list[dict[str, Any]], *, kind: str = "PodList", **style: Any) -> str:
    return json.dumps({"kind": kind, "apiVersion": "v1", "metadata": {}, "items": items}, **style)


def _names(path: Path) -> list[str]:
    return sorted(item["metadata"]["name"] for item in _objects(path) if "status" in item)


COMPACT: dict[str, Any] = {"separators": (",", ":")}


@pytest.mark.parametrize("style", [COMPACT, {}, {"indent": 4}, {"indent": 1, "sort_keys": True}, {**COMPACT, "sort_keys": True}])
def test_any_layout_is_cut_into_its_items(style: Mapping[str, Any], tmp_path: Path) -> None:
    """On one line with and without blanks, indented, and with the kind of the list behind its items."""
    (tmp_path / "a.json").write_text(_listed([_pod(f"web{n}-0") for n in range(40)], **style), encoding="utf-8")

    assert [f"web{n}-0" for n in range(40)] == sorted(_names(tmp_path), key=lambda name: int(name[3:-2]))
    assert [] == _gaps(tmp_path)


def test_nested_objects_and_texts_that_look_like_items_do_not_cut(tmp_path: Path) -> None:
    """Templates within an item begin like an item, and a text may hold the very bytes between two items."""
    templates = [{"metadata": {"name": f"data{n}"}, "spec": {"size": 1}} for n in range(3)]
    pods = [
        _pod(f"web{n}-0", templates=templates, note='}},{"metadata":{"name":"x"}},{"metadata"', braces="},{") for n in range(40)
    ]
    (tmp_path / "a.json").write_text(_listed(pods, **COMPACT), encoding="utf-8")

    assert 40 == len(_names(tmp_path))
    assert templates == _objects(tmp_path)[0]["spec"]["templates"]
    assert [] == _gaps(tmp_path)


def test_a_list_that_is_cut_in_the_middle_is_read_up_to_there(tmp_path: Path) -> None:
    """What came before the cut counts; that the rest is missing is said."""
    text = _listed([_pod(f"web{n}-0") for n in range(40)], **COMPACT)
    (tmp_path / "a.json").write_text(text[: len(text) // 2], encoding="utf-8")

    assert 19 <= len(_names(tmp_path)) <= 20
    assert [f"a.json: ends in the middle of the list, behind item {len(_names(tmp_path))}"] == _gaps(tmp_path)


def test_damaged_items_are_left_out_and_counted(tmp_path: Path) -> None:
    """A torn item, and one whose end is lost, cost nothing but themselves."""
    pods = [json.dumps(_pod(f"web{n}-0"), **COMPACT) for n in range(40)]
    pods[5] = pods[5].replace('"phase":"Pending"', '"phase":Pending')
    pods[20] = pods[20][:-60]
    text = '{"kind":"PodList","apiVersion":"v1","items":[' + ",".join(pods) + "]}"
    (tmp_path / "a.json").write_text(text, encoding="utf-8")

    assert {f"web{n}-0" for n in range(40) if n not in (5, 20, 21)} <= set(_names(tmp_path))
    assert 1 == len(_gaps(tmp_path))
    assert "damaged in " in _gaps(tmp_path)[0]


def test_items_across_many_reads_are_put_together() -> None:
    """It does not matter how many bytes each read gives, nor where an item is torn by it."""
    data = _listed([_pod(f"web{n}-0") for n in range(9)], **COMPACT).encode()
    head = list_head(data[:4096])
    assert head
    for step in (1, 7, 2100, 5000):
        at = 0

        def read(size: int, step: int = step) -> bytes:
            nonlocal at
            piece = data[at : at + min(size, step)]
            at += len(piece)
            return piece

        cutter = ListCutter(read, head)
        items = [json.loads(bytes(raw)) for batch in cutter.batches() for raw in batch.items]
        assert [f"web{n}-0" for n in range(9)] == [item["metadata"]["name"] for item in items]
        assert (9, 0, False) == (cutter.items, cutter.damaged, cutter.cut)


def test_lists_of_mixed_kinds_and_secrets(tmp_path: Path) -> None:
    """Each item goes by its own kind; of a Secret nothing but its name is handed over."""
    secret = {"kind": "Secret", "metadata": {"name": "db", "namespace": "shop"}, "data": {"password": "aHVudGVyMmh1bnRlcjI="}}
    items = [{"kind": "Pod", **_pod("web-0")}, secret, {"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}}] * 9
    (tmp_path / "a.json").write_text(_listed(items, kind="List", **COMPACT), encoding="utf-8")

    objects = _objects(tmp_path)

    assert {"Pod", "Secret", "Service"} == {item["kind"] for item in objects}
    assert {"kind": "Secret", "metadata": {"name": "db", "namespace": "shop"}} in objects


def test_values_are_redacted(tmp_path: Path) -> None:
    """What leaves the screen has passed the redaction."""
    env = [{"name": "DB_PASSWORD", "value": "hunter2hunter2"}]
    pods = [_pod(f"web{n}-0", containers=[{"name": "app", "env": env}]) for n in range(20)]
    (tmp_path / "a.json").write_text(_listed(pods, **COMPACT), encoding="utf-8")

    assert "hunter2" not in json.dumps(_objects(tmp_path))


@pytest.mark.parametrize("text", ['{"a": 1, "items": [1, 2]}', "[]", '{"items": {"a": {}}}', "items: []"])
def test_what_is_no_list_of_objects_has_no_head(text: str) -> None:
    """Other JSON is read as before."""
    assert list_head(text.encode()) is None


# --- what kubectl prints of a pod -----------------------------------------------------------------------------


def _state(status: dict[str, Any], spec: dict[str, Any] | None = None, **meta: Any) -> tuple[str, str, int]:
    pod = {"metadata": {"name": "web-0", **meta}, "spec": spec or {"containers": [{}, {}]}, "status": status}
    found = state_of(msgspec.json.decode(json.dumps(pod), type=ScreenedPod))
    return found.ready, found.status, found.restarts


RUNS = {"ready": True, "restartCount": 1, "state": {"running": {"startedAt": "2026-11-28T10:00:00Z"}}}
DONE = {"ready": False, "restartCount": 0, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
SIDECAR = {"containers": [{}, {}], "initContainers": [{"name": "a"}, {"name": "b", "restartPolicy": "Always"}]}


@pytest.mark.parametrize(
    ("status", "spec", "meta", "expected"),
    [
        ({"phase": "Running", "containerStatuses": [RUNS, RUNS]}, None, {}, ("2/2", "Running", 2)),
        ({"phase": "Pending"}, None, {}, ("0/2", "Pending", 0)),
        ({"phase": "Failed", "reason": "Evicted"}, None, {}, ("0/2", "Evicted", 0)),
        ({"phase": "Running", "containerStatuses": [RUNS, RUNS]}, None, {"deletionTimestamp": "x"}, ("2/2", "Terminating", 2)),
        ({"phase": "Running", "reason": "NodeLost"}, None, {"deletionTimestamp": "x"}, ("0/2", "Unknown", 0)),
        ({"phase": "Succeeded", "containerStatuses": [DONE, DONE]}, None, {}, ("0/2", "Completed", 0)),
        ({"phase": "Running", "containerStatuses": [RUNS, DONE]}, None, {}, ("1/2", "NotReady", 1)),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [{"name": "a", "restartCount": 3, "state": {"terminated": {"exitCode": 2}}}],
            },
            SIDECAR,
            {},
            ("0/3", "Init:ExitCode:2", 3),
        ),
        (
            {"phase": "Pending", "initContainerStatuses": [{"name": "a", "state": {"running": {}}}]},
            SIDECAR,
            {},
            ("0/3", "Init:0/2", 0),
        ),
        (
            {
                "phase": "Running",
                "conditions": [{"type": "Initialized", "status": "True"}],
                "initContainerStatuses": [{"name": "a", **DONE}, {"name": "b", "started": True, **RUNS}],
                "containerStatuses": [RUNS, {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 4}],
            },
            SIDECAR,
            {},
            ("2/3", "CrashLoopBackOff", 6),
        ),
        (
            {"phase": "Pending", "conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]},
            None,
            {},
            ("0/2", "SchedulingGated", 0),
        ),
    ],
)
def test_the_cells_of_a_pod_are_those_of_kubectl(
    status: dict[str, Any], spec: dict[str, Any] | None, meta: dict[str, Any], expected: tuple[str, str, int]
) -> None:
    """READY, STATUS and RESTARTS as the API server prints them (printPod of 1.34)."""
    assert expected == _state(status, spec, **meta)


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ("2026-11-28T11:58:10Z", "110s"),
        ("2026-11-28T11:55:00Z", "5m"),
        ("2026-11-28T10:00:00Z", "120m"),
        ("2026-11-28T07:30:00Z", "4h30m"),
        ("2026-11-26T10:00:00Z", "2d2h"),
        ("2026-01-01T00:00:00Z", "331d"),
        ("2022-01-01T00:00:00Z", "4y332d"),
        ("nonsense", None),
    ],
)
def test_ages_are_those_of_kubectl(then: str, expected: str | None) -> None:
    """Two units while they are small, one after that (HumanDuration)."""
    assert expected == age(then, moment("2026-11-28T12:00:00Z"))
