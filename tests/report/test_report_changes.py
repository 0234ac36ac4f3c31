"""What changed shortly before stands in every output a person reads, and in the data."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html import unescape

import pytest
import yaml
from msgspec.structs import replace

import samples
from kubecause import model
from kubecause.report import build, render
from kubecause.report.changes import lead, sentence
from kubecause.report.words import words_of
from kubecause.text import Language

WHEN = datetime(2026, 1, 12, 2, 52, 5, tzinfo=UTC)
DIFFERENCES = (
    model.Difference("containers[web].image", "web:1", "web:2"),
    model.Difference("containers[web].env[MODE]", None, "strict"),
    model.Difference("nodeSelector.disk", "ssd", None),
    model.Difference("containers[web].env[DB_PASSWORD]", "", "", hidden=True),
)
ROLLOUT = model.Change("rollout", samples.CART, WHEN, 720.0, by="helm", before="6", after="7", differences=DIFFERENCES)
EDIT = model.Change("edited", model.Entity("ConfigMap", "cart-config", "shop"), WHEN, 0.0, by="kubectl-edit")
NODE = model.Change("node-joined", model.Entity("Node", "w3"), WHEN, 3700.0)
CHANGED = replace(samples.CORDONED, changes=(ROLLOUT, EDIT, NODE))


def rendered(output: str, found: model.Diagnosis = CHANGED, language: Language = "en", encoding: str = "utf-8") -> str:
    """One diagnosis in an output."""
    result = model.Result("capture", "x", (found,))
    return render(result, samples.CASES, output=output, language=language, color=False, width=100, stream_encoding=encoding)


def test_changes_are_data() -> None:
    """The keys of the contract; a hidden value is absent, one that was not there is null."""
    (found,) = json.loads(rendered("json"))["diagnoses"]
    assert found["changes"][0] == {
        "what": "rollout",
        "entity": {"kind": "Deployment", "namespace": "shop", "name": "cart"},
        "time": "2026-01-12T02:52:05Z",
        "lead": 720,
        "by": "helm",
        "before": "6",
        "after": "7",
        "differences": [
            {"field": "containers[web].image", "before": "web:1", "after": "web:2"},
            {"field": "containers[web].env[MODE]", "before": None, "after": "strict"},
            {"field": "nodeSelector.disk", "before": "ssd", "after": None},
            {"field": "containers[web].env[DB_PASSWORD]"},
        ],
        "says": "Deployment shop/cart was rolled out, revision 6 to 7 by helm: containers[web].image from web:1 to web:2; "
        "containers[web].env[MODE] added: strict; nodeSelector.disk removed, was ssd; containers[web].env[DB_PASSWORD] changed",
    }
    assert list(found["changes"][1]) == ["what", "entity", "time", "lead", "by", "says"]
    assert yaml.safe_load(rendered("yaml"))["diagnoses"][0]["changes"] == found["changes"]


def test_nothing_changed_is_no_key() -> None:
    """A report without changes is what it was before there were any."""
    for output in ("json", "yaml", "text", "wide", "markdown", "html"):
        assert "hange" not in rendered(output, samples.CRASHING).replace("exchange", "")
    (found,) = build(model.Result("capture", "x", (samples.CORDONED,)), samples.CASES, "en").diagnoses
    assert not found.changes


@pytest.mark.parametrize(
    ("change", "en", "zh"),
    [
        (
            ROLLOUT,
            "Deployment shop/cart was rolled out, revision 6 to 7 by helm: ",
            (
                "Deployment shop/cart 发布了新版本（revision 由 6 变为 7），操作者 helm：containers[web].image 由 web:1 改为 web:2；"
                "新增 containers[web].env[MODE]：strict；删除 nodeSelector.disk，原值 ssd；containers[web].env[DB_PASSWORD] 有改动"
            ),
        ),
        (EDIT, "ConfigMap shop/cart-config was edited by kubectl-edit", "ConfigMap shop/cart-config 被修改，操作者 kubectl-edit"),
        (NODE, "Node w3 joined the cluster", "Node w3 加入集群"),
        (
            replace(EDIT, what="scaled", entity=samples.CART, by=None, before="3", after="0"),
            "Deployment shop/cart was scaled from 3 to 0 replicas",
            "Deployment shop/cart 的副本数从 3 调整为 0",
        ),
        (
            replace(EDIT, what="scaled", entity=samples.CART, by=None, after="0"),
            "Deployment shop/cart was scaled to 0 replicas",
            "Deployment shop/cart 的副本数调整为 0",
        ),
        (
            replace(NODE, what="kubelet-started", before="v1.34.4", after="v1.35.0"),
            "the kubelet of Node w3 started again as v1.35.0, other nodes run v1.34.4",
            "Node w3 的 kubelet 重新启动，版本为 v1.35.0，其他节点为 v1.34.4",
        ),
        (
            model.Change("certificate-expired", model.Entity("Client", scope="a:1"), WHEN, 1.0, after="CN = kube-apiserver"),
            "a certificate expired: CN = kube-apiserver",
            "证书过期：CN = kube-apiserver",
        ),
        (
            model.Change("certificate-expired", model.Entity("Client", scope="a:1"), WHEN, 1.0),
            "a certificate expired",
            "证书过期",
        ),
        (
            replace(
                EDIT,
                by=None,
                differences=(model.Difference("x", None, "", hidden=True), model.Difference("y", "", None, hidden=True)),
            ),
            "ConfigMap shop/cart-config was edited: x added; y removed",
            "ConfigMap shop/cart-config 被修改：新增 x；删除 y",
        ),
    ],
)
def test_a_change_is_a_sentence(change: model.Change, en: str, zh: str) -> None:
    """Natural in both languages, with what is known and no more."""
    said = sentence(change, words_of("en"))
    assert said.startswith(en) if en.endswith(": ") else said == en
    assert sentence(change, words_of("zh")) == zh


@pytest.mark.parametrize("what", ["rollout", "scaled", "edited", "created", "node-joined", "node-rebooted", "kubelet-started"])
def test_every_kind_of_change_has_words(what: str) -> None:
    """In both languages; none is told by its bare name."""
    for language in ("en", "zh"):
        assert what in words_of(language).changes


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [
        (0, "in the second of the first sign", "与首个异常同一秒"),
        (59, "59 s before the first sign", "首个异常出现前 59 秒"),
        (119, "1 min before the first sign", "首个异常出现前 1 分钟"),
        (3600, "1 h before the first sign", "首个异常出现前 1 小时"),
    ],
)
def test_how_shortly_before(seconds: int, en: str, zh: str) -> None:
    """Whole units; the largest that fits."""
    assert (lead(seconds, words_of("en")), lead(seconds, words_of("zh"))) == (en, zh)


def test_text_shows_the_two_most_telling_and_wide_all() -> None:
    """A terminal gets what is needed to act, and is told how much more there is."""
    text, wide = rendered("text"), rendered("wide")

    assert "   Changed   2026-01-12T02:52:05Z (12 min before the first sign)\n" in text
    assert "               Deployment shop/cart was rolled out, revision 6 to 7 by helm:" in text
    assert "joined" not in text
    assert "and 1 more" in text.split("Changed")[1].split("Proof")[0]
    assert "Node w3 joined the cluster" in wide
    assert all(len(line) <= 100 for line in text.splitlines() if "kubectl" not in line)


def test_pages_show_them_all() -> None:
    """Markdown and HTML say what the list is."""
    for output in ("markdown", "html"):
        page = unescape(rendered(output)).replace("\\", "")
        assert "Changed shortly before" in page
        assert "2026-01-12T02:52:05Z (12 min before the first sign): Deployment shop/cart was rolled out" in page
        assert "Node w3 joined the cluster" in page
        assert "故障前的变更" in unescape(rendered(output, language="zh"))
    assert "   变更    2026-01-12T02:52:05Z（首个异常出现前 12 分钟）\n" in rendered("text", language="zh")


@pytest.mark.parametrize("output", ["text", "wide", "json", "yaml", "markdown", "html"])
def test_hostile_changes_cannot_break_out(output: str) -> None:
    """Names, values and authors come from evidence."""
    entity = model.Entity("ConfigMap", samples.HOSTILE, samples.HOSTILE)
    difference = model.Difference(samples.HOSTILE, samples.HOSTILE, "{0} {entity} {by.__class__}")
    change = model.Change("edited", entity, WHEN, 1.0, by=samples.HOSTILE, differences=(difference,))
    page = rendered(output, replace(samples.CORDONED, changes=(change,)))

    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "<script>" not in page or output not in ("html", "markdown")
    assert "{by.__class__}" in page.replace("\\", "") or output == "text"  # which cuts long lines
    assert rendered(output, replace(samples.CORDONED, changes=(change,)), encoding="ascii").isascii()
