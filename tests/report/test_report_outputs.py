"""The outputs for machines and tickets: all from the same report, valid in their format, safe with hostile evidence."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
import yaml

import samples
from kubecause import model
from kubecause.errors import UsageError
from kubecause.knowledge import schema
from kubecause.report import OUTPUTS, build, render
from kubecause.report.as_markdown import escape, fence, span
from kubecause.text import Language, Text


def _render(result: model.Result, output: str, language: Language = "en", encoding: str | None = None) -> str:
    return render(result, samples.CASES, output=output, language=language, color=False, width=100, stream_encoding=encoding)


# --- all --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_same_result_gives_the_same_bytes(output: str, language: Language) -> None:
    """Rendering twice, also in another process with another hash seed, gives equal text that ends with one line end."""
    here = _render(samples.FULL, output, language, "utf-8")
    program = (
        "import sys, samples; from kubecause.report import render\n"
        f"text = render(samples.FULL, samples.CASES, output={output!r}, language={language!r}, color=False, width=100,"
        " stream_encoding='utf-8')\n"
        "sys.stdout.buffer.write(text.encode())"
    )
    path = samples.__file__.rpartition("/")[0]
    there = subprocess.run([sys.executable, "-c", program], cwd=path, capture_output=True, check=True)
    assert there.stdout.decode() == here
    assert re.search(r"[^\n]\n\Z", here)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "gbk", "latin-1"])
def test_every_output_can_be_written_to_its_stream(output: str, encoding: str) -> None:
    """Neither Chinese nor broken characters of the evidence make writing fail."""
    for result in (samples.FULL, samples.hostile()):
        assert _render(result, output, "zh", encoding).encode(encoding)


@pytest.mark.parametrize("output", ["json", "yaml", "sarif", "markdown", "html", "junit"])
def test_no_output_carries_characters_that_hide_or_reorder(output: str) -> None:
    """Control, bidirectional and invisible characters of the evidence are spelled out or escaped everywhere."""
    assert (
        re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\ud800-\udfff]", _render(samples.hostile(), output))
        == []
    )


def test_an_unknown_output_is_a_usage_error() -> None:
    """The message names the outputs there are."""
    with pytest.raises(UsageError, match="unknown output 'pdf'; choose one of text, wide, json"):
        _render(samples.FULL, "pdf")


def test_json_does_not_load_the_terminal_library() -> None:
    """Heavy imports stay in the outputs that need them."""
    program = (
        "import sys; from kubecause import model; from kubecause.report import render\n"
        "render(model.Result('text', '-'), {}, output='json', language='en'); print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


# --- json and yaml ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_json_reads_back_as_the_report(encoding: str) -> None:
    """The JSON is the data of the report, whatever the stream can carry and the evidence holds."""
    for result in (samples.FULL, samples.EMPTY, samples.hostile()):
        assert json.loads(_render(result, "json", "zh", encoding)) == build(result, samples.CASES, "zh").to_data()


def test_json_is_readable() -> None:
    """Indented, Chinese as Chinese."""
    text = _render(samples.FULL, "json", "zh")
    assert text.startswith('{\n  "apiVersion": "kubecause/v1",\n  "kind": "Report",\n')
    assert '"title": "节点 w3 被 cordon，cart 没有其他节点可去"' in text


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_yaml_holds_the_same_data(encoding: str) -> None:
    """YAML reads back as the same data, in the same order, without aliases."""
    for result in (samples.FULL, samples.EMPTY, samples.hostile()):
        text = _render(result, "yaml", "zh", encoding)
        assert yaml.safe_load(text) == build(result, samples.CASES, "zh").to_data()
    full = _render(samples.FULL, "yaml", "zh")
    assert full.startswith("apiVersion: kubecause/v1\nkind: Report\n")
    assert "title: 节点 w3 被 cordon" in full
    assert not re.search(r"(^|\s)[&*]id\d", full)


# --- sarif ------------------------------------------------------------------------------------------------


def test_sarif_has_the_required_fields() -> None:
    """One run with a driver, a rule for every result by id and index, levels of the standard, places where known."""
    sarif = json.loads(_render(samples.FULL, "sarif"))
    assert sarif["version"] == "2.1.0"
    assert sarif["$schema"].endswith("sarif-schema-2.1.0.json")
    run = sarif["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "kubecause"
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == [each["ruleId"] for each in run["results"]]
    assert [each["level"] for each in run["results"]] == ["error", "warning", "warning"]
    assert all(each["message"]["text"] for each in run["results"])
    place = run["results"][0]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"] == {"uri": "transcript.txt"}
    assert place["physicalLocation"]["region"]["startLine"] == 812
    assert place["logicalLocations"] == [{"name": "cart", "kind": "Deployment", "fullyQualifiedName": "Deployment/shop/cart"}]
    assert "region" not in run["results"][0]["relatedLocations"][1]["physicalLocation"]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert notes[1] == {"level": "note", "message": {"text": "previous logs of pod shop/web-0: not in the bundle"}}


def test_sarif_without_evidence_names_the_entity() -> None:
    """A result needs a place; without any line it is the object itself."""
    found = samples.diagnosis("x/y", model.Entity("Node", "w2", cluster="east"))
    result = json.loads(_render(model.Result("cluster", "east", (found,)), "sarif"))["runs"][0]["results"][0]
    assert result["locations"] == [{"logicalLocations": [{"name": "w2", "kind": "Node", "fullyQualifiedName": "east/Node/w2"}]}]


def test_sarif_addresses_are_uri_references() -> None:
    """A file name with blanks or worse is percent-encoded."""
    found = samples.diagnosis("x/y", samples.NODE, proofs=(samples.proof("a", 1, "my logs/节点?#.txt"),))
    run = json.loads(_render(model.Result("capture", "c", (found,)), "sarif"))["runs"][0]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "my%20logs/%E8%8A%82%E7%82%B9%3F%23.txt"


# --- junit ------------------------------------------------------------------------------------------------


def test_junit_counts_diagnoses_as_failures_and_ruled_out_faults_as_passed() -> None:
    """Three failed and two passed tests; what was not seen stands in the output of the suite."""
    suite = ET.fromstring(_render(samples.FULL, "junit"))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("5", "3", "0")
    failed = [case for case in suite.iter("testcase") if case.find("failure") is not None]
    assert [case.get("name") for case in failed] == [
        "scheduling/node-cordoned on Deployment shop/cart",
        "cni/bridge-address-conflict on Node w2",
        "pod/crash-looping on Container shop/web-0/web",
    ]
    passed = [case.get("name") for case in suite.iter("testcase") if not len(case)]
    assert passed == ["dns/search-list-too-long", "node/disk-pressure"]
    failure = failed[0].find("failure")
    assert failure is not None
    assert failure.get("message") == "[confirmed] Node w3 is cordoned and cart fits nowhere else"
    assert "[client] kubectl uncordon w3" in (failure.text or "")
    assert "previous logs of pod shop/web-0" in (suite.findtext("system-out") or "")


def test_junit_survives_hostile_evidence() -> None:
    """The XML is well-formed and has the elements it should have, no others."""
    tree = ET.fromstring(_render(samples.hostile(), "junit"))
    assert {element.tag for element in tree.iter()} == {"testsuites", "testsuite", "testcase", "failure", "system-out"}


# --- html -------------------------------------------------------------------------------------------------

_VOID = {"meta"}


class _Page(HTMLParser):
    """Collects tags, and texts of quotations, and checks that every tag is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.quoted: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"class", "lang", "charset", "name", "content", "http-equiv", "href", "rel"}
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        if "pre" in self.open:
            self.quoted.append(data)


def _parsed(result: model.Result, language: Language = "en") -> _Page:
    page = _Page()
    page.feed(_render(result, "html", language))
    page.close()
    assert page.open == []
    return page


def test_html_is_one_static_page() -> None:
    """No script, nothing loaded, light and dark, the cause in the title, the evidence quoted whole."""
    text = _render(samples.FULL, "html", "zh")
    page = _parsed(samples.FULL, "zh")
    assert text.startswith('<!DOCTYPE html>\n<html lang="zh">')
    assert "<title>节点 w3 被 cordon，cart 没有其他节点可去</title>" in text
    assert "prefers-color-scheme: dark" in text
    assert page.tags.isdisjoint({"script", "img", "link", "iframe", "object", "form", "base"})
    assert f"\n{samples.CORDON_LINE}" in page.quoted


def test_html_escapes_everything_that_comes_from_evidence() -> None:
    """Hostile evidence adds no element: the page has those of a harmless one, and the words are still there to read."""
    assert _parsed(samples.hostile()).tags <= _parsed(samples.FULL).tags
    assert "<script" not in _render(samples.hostile(), "html")
    assert "<img" not in _render(samples.hostile(), "html")
    assert any("<script>alert(1)</script>" in each and "</pre>" in each for each in _parsed(samples.hostile()).quoted)


def test_html_links_only_web_addresses() -> None:
    """A reference with another scheme is text."""
    case = schema.Case(
        id="x/y",
        entity="pod",
        status="tested",
        title=Text(en="t", zh="t"),
        what=Text(en="w", zh="w"),
        why=Text(en="w", zh="w"),
        signals={},
        match="a",
        examples=schema.Examples(hit=[], miss=[]),
        references=[
            schema.Reference(url="javascript:alert(1)", tells="no"),
            schema.Reference(url="https://x/?a&b", tells="yes"),
        ],
    )
    result = model.Result("text", "-", (samples.diagnosis("x/y", samples.NODE),))
    text = render(result, {"x/y": case}, output="html", language="en")
    assert re.findall(r'href="([^"]*)"', text) == ["https://x/?a&amp;b"]


# --- markdown ---------------------------------------------------------------------------------------------


def _outside_fences(markdown: str) -> Iterator[str]:
    """The lines that Markdown reads as prose (CommonMark 4.5)."""
    closing = ""
    for line in markdown.split("\n"):
        ticks = re.match(r"(`{3,})", line)
        if closing:
            closing = "" if line.rstrip() == line and set(line) == {"`"} and len(line) >= len(closing) else closing
        elif ticks:
            closing = ticks[1]
        else:
            yield line
    assert not closing


def test_markdown_leads_with_the_cause() -> None:
    """The first line is the heading of the first cause; evidence and commands stand in fences."""
    text = _render(samples.FULL, "markdown")
    assert text.startswith("## 1. Node w3 is cordoned and cart fits nowhere else\n")
    assert f"```text\n{samples.CORDON_LINE}\n```\n" in text
    assert "```sh\nkubectl uncordon w3\n```\n" in text
    assert "## Symptoms without a known cause\n\n### 3. Container web keeps restarting" in text


def test_markdown_cannot_be_broken_by_evidence() -> None:
    """Fences close where they should, and outside of them every special character of the evidence is escaped."""
    prose = "\n".join(_outside_fences(_render(samples.hostile(), "markdown")))
    without_code = re.sub(r"(`{5,}) ?.*? ?\1", "", prose)
    assert re.findall(r"(?<!\\)[<>\[\]|#]", without_code.replace("## ", "", 1).replace("## ", "")) == [
        "[",
        "]",
    ]  # those of the risk
    assert re.findall(r"(?m)^<", prose) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a*b_c`d", r"a\*b\_c\`d"),
        ("<img> [x](y) | #", r"\<img\> \[x\](y) \| \#"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("=== x", r"\=== x"),
        ("a\n# b", r"a \# b"),
    ],
)
def test_prose_is_escaped(text: str, expected: str) -> None:
    """No text becomes a heading, list, link, table, code or emphasis."""
    assert expected == escape(text)


def test_fences_and_spans_are_longer_than_what_they_hold() -> None:
    """Backticks inside never end the code."""
    assert fence("a\n````\nb") == "`````text\na\n````\nb\n`````"
    assert span("a`b``c") == "```a`b``c```"
    assert span("`a`") == "`` `a` ``"
