"""Bundles of our own give back the very documents and gaps, in order, and nothing in them is believed."""

from __future__ import annotations

import io
import json
import os
import stat
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from kubecause.errors import EvidenceError, KubecauseError, UsageError
from kubecause.evidence import saved, saved_reading
from kubecause.evidence.cluster.documents import objects
from kubecause.evidence.saved import SUFFIXES, check_target, read_bundle, write_bundle
from kubecause.evidence.saved_format import INDEX, MARKER, without_secrets
from kubecause.evidence.targets import open_evidence
from kubecause.knowledge import load_cases
from kubecause.model import Channel, Document, Entity, Gap, Need
from kubecause.pipeline import diagnose_path, diagnose_source
from kubecause.report import render

CLOCK = datetime(2026, 11, 21, 8, 30, 5, 123456, tzinfo=UTC)
LEAK = "hunter2-Tr0ub4dor"
ALAS = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
ZONE = timezone(timedelta(hours=8))
POD = {"kind": "Pod", "metadata": {"name": "web-0", "namespace": "shop", "labels": {"auth": "on"}}, "spec": {"nodeName": "w1"}}


def logged(lines: list[str], name: str = "web-0", **more: Any) -> Document:
    """The log of a container."""
    command = f"kubectl logs {name} -c app -n shop"
    hints = {"namespace": "shop", "pod": name, "container": "app"}
    return Document(command, "log", Channel.APP_LOG, lines, command=command, hints=hints, collected=CLOCK, **more)


ITEMS: list[Document | Gap] = [
    Document(
        "kubectl get pod web-0 -n shop",
        "objects",
        Channel.STATUS,
        [json.dumps(POD, separators=(",", ":"))],
        command="kubectl get pod web-0 -n shop",
        hints={"namespace": "shop"},
        collected=CLOCK.astimezone(ZONE),
    ),
    Gap("nodes", "forbidden", "list", "nodes", ("node.state", "node.condition")),
    logged(["第一行 café 🚀", "", "  indented\twith tab", "a carriage\rreturn", "\x1b[31mred\x1b[0m", "line\u2028separator", ""]),
    Gap("logs of pod shop/cart-0", "timed out"),
    Document("kubectl get pods -n shop", "table", Channel.COMMAND, [], host="w1", first_line=7),
    logged([""], "half-a-pair-\ud800"),
    logged(["half of a pair \ud83d at the end"], "web-1"),
]


def save(path: Path, items: list[Document | Gap] = ITEMS, **more: Any) -> str:
    """A bundle with the usual source; its path."""
    write_bundle(
        str(path), items, source=("cluster", "dev"), scope={"namespace": "shop", "objects": ["pod/web-0"]}, clock=CLOCK, **more
    )
    return str(path)


def read(path: str | Path) -> list[Document | Gap]:
    """What the evidence of a path is."""
    return list(open_evidence([str(path)]))


# --- round trips ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_documents_and_gaps_come_back_in_order(tmp_path: Path, suffix: str) -> None:
    """Every field of every document and gap is what it was, in every form a bundle has."""
    path = save(tmp_path / f"b{suffix}")

    assert ITEMS == read(path)


@pytest.mark.parametrize("suffix", [".tar.zst", ".tar.gz", ".tar"])
def test_compression_follows_the_name(tmp_path: Path, suffix: str) -> None:
    """The name decides what the file is."""
    head = Path(save(tmp_path / f"b{suffix}")).read_bytes()[:4]

    assert {".tar.zst": b"\x28\xb5\x2f\xfd", ".tar.gz": b"\x1f\x8b\x08\x00", ".tar": MARKER[:4].encode()}[suffix] == head


def test_the_marker_tells_what_was_collected(tmp_path: Path) -> None:
    """Source, scope, clock and counts are there before any document is read."""
    found = read_bundle(save(tmp_path / "b.tar.zst"))

    assert found is not None
    assert (("cluster", "dev"), CLOCK, 5, 2) == (found.source, found.clock, found.documents, found.gaps)
    assert {"namespace": "shop", "objects": ["pod/web-0"]} == found.scope
    assert ITEMS == list(found.items())


def test_an_unpacked_bundle_reads_the_same(tmp_path: Path) -> None:
    """A folder with the members gives the same; what lies beside them is read as usual."""
    folder = unpacked(save(tmp_path / "b.tar.gz"), tmp_path / "folder")

    found = read_bundle(str(folder))

    assert found is not None
    assert ("cluster", "dev") == found.source
    assert ITEMS == read(folder)
    (folder / "note.txt").write_text("what the customer said\n", encoding="utf-8")
    assert [*ITEMS[-1:], "note.txt"] == [
        ITEMS[-1],
        *(item.source for item in read(folder)[len(ITEMS) :] if isinstance(item, Document)),
    ]


def test_a_bundle_within_a_bundle_of_evidence_is_recognised(tmp_path: Path) -> None:
    """Below a folder, and in an archive of archives, it is read the same way."""
    (tmp_path / "case").mkdir()
    inner = save(tmp_path / "case" / "b.tar.zst")
    outer = tmp_path / "outer.tar.gz"
    with tarfile.open(outer, "w:gz") as archive:
        archive.add(inner, "inner.tar.zst")

    assert ITEMS == read(tmp_path / "case")
    assert ITEMS == read(outer)


def test_a_person_can_look_inside(tmp_path: Path) -> None:
    """Members have readable names and hold the lines as they are."""
    folder = unpacked(save(tmp_path / "b.tar"), tmp_path / "folder")

    assert "documents/0001-kubectl_get_pod_web-0_-n_shop.txt" in names(folder)
    assert "第一行 café 🚀" == (folder / "documents/0002-kubectl_logs_web-0_-c_app_-n_shop.txt").read_text("utf-8").split("\n")[0]


def test_the_same_items_give_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of the run is in a bundle but its clock."""
    for suffix in (".tar.zst", ".tar.gz", ".tar"):
        one, two = (Path(save(tmp_path / f"{name}{suffix}")).read_bytes() for name in ("one", "two"))
        assert one == two


# --- the same report --------------------------------------------------------------------------------------


class Rounds:
    """A source that answers in rounds, as a cluster does."""

    kind, name = "cluster", "dev"

    def __init__(self, *rounds: list[Document | Gap]) -> None:
        self._rounds = iter(rounds)

    def begin(self) -> list[Document | Gap]:
        """The first round."""
        return next(self._rounds)

    def foresee(self, needs: Sequence[Need]) -> None:
        """Nothing takes long here."""
        raise AssertionError(needs)

    def is_left_alone(self, entity: Entity) -> bool:
        """No pod stands for another one here."""
        del entity
        return False

    def settled_by(self, entity_kind: str, fact_kind: str) -> str:
        """Each kind of fact is asked for by itself."""
        del entity_kind
        return fact_kind

    def ask(self, needs: Sequence[Need]) -> list[Document | Gap]:
        """The next round, whatever is needed."""
        assert needs
        return next(self._rounds, [])


def waiting_pod() -> Rounds:
    """A pod that no node fits: the pod and its events first, a refusal and the nodes when they are asked for."""
    pod = {
        "kind": "Pod", "metadata": {"name": "web-0", "namespace": "shop", "uid": "1"},
        "spec": {"nodeSelector": {"disk": "ssd"}, "containers": [{"name": "app", "image": "web:1", "env": [{"name": "A_TOKEN", "value": LEAK}]}]},
        "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": ALAS}]},
    }  # fmt: skip
    event = {
        "kind": "Event", "metadata": {"name": "web-0.1", "namespace": "shop"}, "type": "Warning", "reason": "FailedScheduling", "count": 3,
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-0"}, "message": ALAS, "lastTimestamp": "2026-11-21T08:30:00Z",
    }  # fmt: skip
    node = {"kind": "Node", "metadata": {"name": "w1", "uid": "2", "labels": {"disk": "hdd"}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}}  # fmt: skip
    return Rounds(
        [objects("kubectl get pods web-0 -n shop", [pod], CLOCK), objects("kubectl get events -n shop", [event], CLOCK)],
        [Gap("leases", "forbidden: leases", "list", "leases", ("component.down",)), objects("kubectl get nodes", [node], CLOCK)],
    )


def test_a_bundle_gives_the_same_report_byte_for_byte(tmp_path: Path) -> None:
    """What was diagnosed in rounds is diagnosed at once from the bundle: the same result, in every output and language."""
    kept: list[Document | Gap] = []
    knowledge = load_cases()
    live = diagnose_source(waiting_pod(), knowledge, keep=kept.append)
    path = save(tmp_path / "b.tar.zst", kept)

    again = diagnose_path([path], knowledge=knowledge)

    folder = unpacked(save(tmp_path / "b.tar", kept), tmp_path / "folder")
    assert again == diagnose_path([str(folder)], knowledge=knowledge)
    assert "scheduling/node-selector-mismatch" == live.diagnoses[0].finding.fault
    assert live == again
    for output in ("text", "wide", "json", "yaml", "markdown", "html", "sarif", "junit"):
        for language in ("en", "zh"):
            reports = [render(result, knowledge.cases, output=output, language=language) for result in (live, again)]
            assert reports[0] == reports[1]
            assert LEAK not in reports[0]


# --- writing ----------------------------------------------------------------------------------------------


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    """The file is made with mode 0600, and nothing is left beside it."""
    path = save(tmp_path / "b.tar.zst")

    assert 0o600 == stat.S_IMODE(Path(path).stat().st_mode)
    assert ["b.tar.zst"] == [each.name for each in tmp_path.iterdir()]


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    """Without ``force`` nothing is replaced; with it, it is."""
    path = tmp_path / "b.tar"
    path.write_text("mine", encoding="utf-8")

    with pytest.raises(UsageError, match="--force"):
        save(path)
    assert "mine" == path.read_text(encoding="utf-8")

    assert ITEMS == read(save(path, force=True))


@pytest.mark.parametrize("name", ["b.zip", "b", "b.tar.xz", "nowhere/b.tar", "folder.tar"])
def test_where_it_cannot_go_is_said_first(tmp_path: Path, name: str) -> None:
    """A wrong ending, a missing folder and a folder in the way are one line each."""
    (tmp_path / "folder.tar").mkdir()

    with pytest.raises(UsageError) as failed:
        check_target(str(tmp_path / name))

    assert 1 == len(str(failed.value).splitlines())


def test_without_zstd_another_ending_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no zstd is installed, one line says so."""
    monkeypatch.setattr(saved, "zstd_module", lambda: None)

    with pytest.raises(UsageError, match=r"\.tar\.gz"):
        check_target(str(tmp_path / "b.tar.zst"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system refuses is one line, and no half of a bundle stays."""
    full = os.open("/dev/full", os.O_WRONLY)
    beside = tmp_path / ".half"
    beside.touch()
    monkeypatch.setattr(tempfile, "mkstemp", lambda **_: (full, str(beside)))

    with pytest.raises(KubecauseError, match="no space left"):
        save(tmp_path / "b.tar")

    assert [] == list(tmp_path.iterdir())


# --- secrets ----------------------------------------------------------------------------------------------

LEAKY: list[Document | Gap] = [
    logged([f"connecting with password={LEAK}", f"postgres://app:{LEAK}@db:5432/shop"]),
    Document("kubectl get pod x", "objects", Channel.STATUS, [
        json.dumps({"kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [
            {"name": "a", "env": [{"name": "DB_PASSWORD", "value": LEAK}], "args": ["--password", LEAK, f"--url=http://u:{LEAK}@h/"]}]}}),
    ]),
]  # fmt: skip


def test_no_secret_is_written(tmp_path: Path) -> None:
    """A secret that a source let through stops here; objects stay objects."""
    path = save(tmp_path / "b.tar", LEAKY)

    assert LEAK.encode() not in Path(path).read_bytes()
    kept = read(path)[1]
    assert isinstance(kept, Document)
    assert "x" == json.loads(kept.lines[0])["metadata"]["name"]


def test_no_secret_of_a_hand_made_bundle_is_read(tmp_path: Path) -> None:
    """Somebody else's bundle is redacted like any text."""
    folder = unpacked(save(tmp_path / "b.tar", [logged(["connecting"])]), tmp_path / "folder")
    (text,) = (folder / "documents").iterdir()
    text.write_text(f"password={LEAK}\n", encoding="utf-8")

    (found,) = read(folder)

    assert isinstance(found, Document)
    assert LEAK not in found.lines[0]


def test_what_has_no_secret_stays_as_it_is() -> None:
    """Redaction changes nothing twice, and objects without secrets keep their very bytes."""
    lines = ['{"kind":"Pod","metadata":{"name":"token-reader","labels":{"auth":"on"}}}', "[]", "no JSON, secret"]

    assert lines == without_secrets("objects", lines)
    for document in (item for item in LEAKY if isinstance(item, Document)):
        once = without_secrets(document.kind, document.lines)
        assert once == without_secrets(document.kind, once)


# --- hostile bundles --------------------------------------------------------------------------------------


def unpacked(path: str, folder: Path) -> Path:
    """A folder with the members of a bundle."""
    with tarfile.open(path) as archive:
        if hasattr(tarfile, "data_filter"):  # Python 3.11.4 and later
            archive.extractall(folder, filter="data")
        else:
            archive.extractall(folder)
    return folder


def names(folder: Path) -> list[str]:
    """Paths of all files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def repacked(path: str, change: Callable[[dict[str, bytes]], None]) -> str:
    """A bundle with its members changed: a dictionary in their order."""
    members: dict[str, bytes] = {}
    with tarfile.open(path) as archive:
        for info in archive:
            content = archive.extractfile(info)
            members[info.name] = content.read() if content else b""
    change(members)
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("suffix", [".tar.zst", ".tar.gz", ".tar"])
def test_a_cut_bundle_gives_what_is_there(tmp_path: Path, suffix: str) -> None:
    """Wherever it is cut there is a gap and never a traceback; what was whole before comes back."""
    whole: list[Document | Gap] = [
        logged([f"{number} {os.urandom(30).hex()}" for number in range(2000)], f"web-{name}") for name in range(5)
    ]
    data = Path(save(tmp_path / f"b{suffix}", [*whole, Gap("nodes", "forbidden")])).read_bytes()
    cut = tmp_path / f"cut{suffix}"
    for size in range(600, len(data) - 20_000, len(data) // 40):
        cut.write_bytes(data[:size])
        found = read(cut)
        gaps = [item for item in found if isinstance(item, Gap)]
        documents = [item for item in found if isinstance(item, Document)]
        assert gaps
        assert documents[:-1] == whole[: len(documents) - 1] or not documents

    assert any("ends too early" in gap.why for gap in gaps)
    assert Gap("nodes", "forbidden") in gaps
    assert len(documents) >= 4


@pytest.mark.parametrize(
    "marker",
    [
        b"", b"{", b"[]", b"null", b'{"format": "kubecause-bundle"}', b'{"format": 1, "version": "x"}', b"\xff\xfe", b"[" * 100_000,
        json.dumps({"format": "kubecause-bundle", "version": 1, "kubecause": "1", "source": {"kind": "moon", "name": "x"},
                    "clock": "2026-11-21T00:00:00Z", "documents": 0, "gaps": 0}).encode(),
    ],
)  # fmt: skip
def test_a_damaged_marker_is_said(tmp_path: Path, marker: bytes) -> None:
    """It is one line for the file itself and a gap among other evidence."""
    path = repacked(save(tmp_path / "b.tar"), lambda members: members.update({MARKER: marker}))

    with pytest.raises(EvidenceError, match="damaged"):
        read_bundle(path)
    (gap,) = read(path)
    assert isinstance(gap, Gap)


def test_a_newer_form_is_said(tmp_path: Path) -> None:
    """A bundle of a later version names the way out."""

    def age(members: dict[str, bytes]) -> None:
        members[MARKER] = json.dumps({**json.loads(members[MARKER]), "version": 2, "kubecause": "9.1"}).encode()

    path = repacked(save(tmp_path / "b.tar"), age)

    with pytest.raises(EvidenceError, match=r"9\.1.*update"):
        read_bundle(path)
    (gap,) = read(path)
    assert isinstance(gap, Gap)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{}", b"null", b"[]", b'{"document": {"file": 7}}', b'{"gap": {"what": []}}', b'{"document": "x"}', b"\xff", b"[" * 50_000,
        b'{"document": {"file": "documents/0001-x.txt", "source": "s", "kind": "log", "channel": "moon", "lines": 1}}',
        b'{"document": {"file": "documents/0001-x.txt", "source": "s", "kind": "log", "channel": "event", "lines": 1, "hints": {"a": 1}}}',
        b'{"document": {"file": "x", "source": "s", "kind": "log", "channel": "event", "lines": 1' + b"0" * 5000 + b"}}",
    ],
)  # fmt: skip
def test_a_damaged_entry_is_a_gap(tmp_path: Path, line: bytes) -> None:
    """Entries of the wrong form cost nothing but themselves."""

    def damage(members: dict[str, bytes]) -> None:
        entries = members[INDEX].split(b"\n")
        members[INDEX] = b"\n".join([line, *entries[1:]])

    found = read(repacked(save(tmp_path / "b.tar"), damage))

    assert ITEMS[1:] == [item for item in found if item in ITEMS]
    assert any(isinstance(item, Gap) and INDEX in item.what for item in found)


def test_members_out_of_place_are_gaps(tmp_path: Path) -> None:
    """A missing document, a stranger and a wrong order are told; the others come back in order."""

    def shuffle(members: dict[str, bytes]) -> None:
        first, second, third, *_ = [name for name in members if name.startswith("documents/")]
        del members[first]
        members[second] = members.pop(second)  # to the end
        members["documents/stranger.txt"] = b"x\n"
        assert third in members

    found = read(repacked(save(tmp_path / "b.tar"), shuffle))

    assert [*ITEMS[1:2], *ITEMS[3:]] == [item for item in found if item in ITEMS]
    assert 2 == sum(isinstance(item, Gap) and "not in the bundle" in item.why for item in found)
    assert any(isinstance(item, Gap) and "2 files in it are not in its index" in item.why for item in found)


def test_documents_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document larger than the bound is read up to it, by whole lines, and the rest is a gap."""
    monkeypatch.setattr(saved_reading, "DOCUMENT_BYTES", 1000)
    path = save(tmp_path / "b.tar.zst", [logged(["x" * 99] * 50), logged(["after"])])

    first, gap, after = read(path)

    assert isinstance(first, Document)
    assert ["x" * 99] * 10 == first.lines
    assert isinstance(gap, Gap)
    assert "larger than" in gap.why
    assert "10 of 50 lines" in gap.why
    assert logged(["after"]) == after


def test_a_bomb_ends_at_its_bound(tmp_path: Path) -> None:
    """A document of 101 MB is not taken whole: a gap, not the memory of the machine."""

    def blow(members: dict[str, bytes]) -> None:
        (name,) = (name for name in members if name.startswith("documents/"))
        members[name] = (b"x" * 1023 + b"\n") * (101 * 1024)

    found = read(repacked(save(tmp_path / "b.tar", [logged(["x"])]), blow))

    assert any(isinstance(item, Gap) and "larger than 100 MiB" in item.why for item in found)


def test_links_in_an_unpacked_bundle_are_not_followed(tmp_path: Path) -> None:
    """A folder cannot show files of the machine."""
    folder = unpacked(save(tmp_path / "b.tar", [logged(["x"])]), tmp_path / "folder")
    (text,) = (folder / "documents").iterdir()
    text.unlink()
    text.symlink_to("/etc/passwd")

    found = read(folder)

    assert [] == [item for item in found if isinstance(item, Document)]
    assert any(isinstance(item, Gap) and "link" in item.why for item in found)


@pytest.mark.parametrize("file", ["../secret.txt", "/etc/passwd", ""])
def test_names_do_not_leave_an_unpacked_bundle(tmp_path: Path, file: str) -> None:
    """An index cannot name files outside of its folder."""
    folder = unpacked(save(tmp_path / "b.tar", [logged(["x"])]), tmp_path / "folder")
    (tmp_path / "secret.txt").write_text("outside\n", encoding="utf-8")
    entry = json.loads((folder / INDEX).read_text("utf-8"))
    entry["document"]["file"] = file
    (folder / INDEX).write_text(json.dumps(entry) + "\n", encoding="utf-8")

    assert [] == [item for item in read(folder) if isinstance(item, Document)]


def test_other_evidence_is_no_bundle(tmp_path: Path) -> None:
    """Texts, archives, folders, nothing at all and standard input."""
    (tmp_path / "a.txt").write_text(MARKER, encoding="utf-8")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "a.txt", "a.txt")

    assert [None] * 5 == [
        read_bundle(str(path)) for path in (tmp_path / "a.txt", tmp_path / "a.tar.gz", tmp_path, tmp_path / "no", "-")
    ]
