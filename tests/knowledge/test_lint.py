"""Every house rule for case files has an example that breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_samples import ID, PATHS, SYMPTOM, TEXT, changed, linted, written

from kubecause.facts import paths
from kubecause.knowledge import lint, load_catalogue, load_folder
from kubecause.knowledge.lint import all_rules
from kubecause.knowledge.lint_signals import OPERATORS
from kubecause.knowledge.loader import CASES, load_file
from kubecause.match.operators import OPERATORS as MATCHED

FILE = f"{ID}.yaml"


def test_a_good_case_breaks_no_rule(tmp_path: Path) -> None:
    """The samples are clean, so each issue below comes from its edit."""
    written(tmp_path, SYMPTOM, "node/not-ready")

    assert linted(tmp_path) == []


# Each row: the rule broken, the edits that break it, the line named, and the start of what lint says.
BROKEN = [
    ("in_catalogue", [("id: kubelet/not-running", "id: kubelet/tired")], 1, "kubelet/tired is not in the fault catalogue"),
    ("agrees_with_catalogue", [("entity: node", "entity: pod")], 2, "entity is pod, but the catalogue says node"),
    ("agrees_with_catalogue", [("words:", "symptom: true\nwords:")], 9, "symptom is true, but the catalogue says false"),
    ("effects_exist", [("fault: node/not-ready", "fault: node/gone")], 24, "leads_to node/gone, which is not in the"),
    ("effects_exist", [("via: self", "via: moon")], 24, "via moon is not a path; known: node.components, self"),
    (
        "effects_exist",
        [("leads_to:", "leads_to:\n  - {fault: node/not-ready, via: self}")],
        25,
        "leads_to node/not-ready via self is listed",
    ),
    ("relatives_exist", [("look:", "yields_to: kubelet/none\nlook:")], 21, "yields_to kubelet/none, which is not in the"),
    ("relatives_exist", [("look:", "yields_to: kubelet/not-running\nlook:")], 21, "yields_to names the case itself"),
    ("relatives_exist", [("look:", "not_this: [{fault: a/b, tell: other}]\nlook:")], 21, "not_this a/b, which is not in the"),
    (
        "has_references",
        [("\n  - {url: 'https://kubernetes.io/docs/', tells: how the kubelet is run}", " []")],
        46,
        "references is empty",
    ),
    (
        "has_references",
        [("https://kubernetes.io/docs/", "ftp://kubernetes.io")],
        47,
        "reference 'ftp://kubernetes.io' is not an http",
    ),
    ("has_references", [("https://kubernetes.io/docs/", "the manual")], 47, "reference 'the manual' is not an http"),
    (
        "has_references",
        [("tells: how the kubelet is run", "tells: ''")],
        47,
        "reference https://kubernetes.io/docs/ does not tell",
    ),
    (
        "conditions_fit_signals",
        [("match: said or down", "match: said or dawn or down")],
        19,
        "match names the signal dawn, which does not exist; did you mean down?",
    ),
    ("conditions_fit_signals", [("match: said or down", "match: said or")], 19, "match: column 8: expected the name of a signal"),
    ("conditions_fit_signals", [("match: said or down", "match: down")], 11, "signal said is used in no condition"),
    ("conditions_fit_signals", [("match: said or down", "match: not said or down")], 19, "match holds when no signal does"),
    (
        "one_kind_of_signal",
        [("    fact: unit.state", "    contains: kubelet\n    fact: unit.state")],
        15,
        "signal down has both fact and contains",
    ),
    (
        "one_kind_of_signal",
        [("    contains: Unit kubelet.service entered failed state\n", "")],
        11,
        "signal said has neither contains nor regex",
    ),
    ("one_kind_of_signal", [("    in: [client, paste]\n", "")], 11, "signal said does not say where it looks"),
    (
        "one_kind_of_signal",
        [("    capture:", "    bind: {a: b}\n    capture:")],
        11,
        "signal said has where or bind without fact",
    ),
    (
        "one_kind_of_signal",
        [("    capture:", "    reason: Failed\n    capture:")],
        14,
        "signal said has reason, but does not look in event",
    ),
    ("one_kind_of_signal", [("    capture:", "    at_least: 0\n    capture:")], 14, "signal said: at_least must be 1 or more"),
    (
        "facts_exist",
        [("fact: unit.state", "fact: unit.states")],
        16,
        "signal down: there is no fact unit.states; did you mean unit.state?",
    ),
    ("facts_exist", [("where: {unit:", "where: {units:")], 17, "signal down: unit.state has no field units; it has unit, active"),
    ("facts_exist", [("bind: {state: active}", "bind: {state: actively}")], 18, "signal down: unit.state has no field actively"),
    ("facts_exist", [("active|in:", "active|within:")], 17, "unknown operator within; known: in, not"),
    ("facts_exist", [("active|in:", "active:")], 17, "active must equal one plain value; for several use active|in"),
    (
        "facts_exist",
        [("active|in:", "active|gt:")],
        17,
        "active|gt takes a number or a decimal number, not ['inactive', 'failed']",
    ),
    (
        "patterns_are_safe",
        [("code=(?P<code>\\d+)", "code=(?P<code>\\d+")],
        14,
        "signal said: pattern does not compile: missing )",
    ),
    ("patterns_are_safe", [("(?P<code>\\d+)", "(?P<code>(a+)+)")], 14, "signal said: pattern repeats a part that itself repeats"),
    (
        "patterns_are_safe",
        [("(?P<code>\\d+)", "(?P<Code>\\d+)"), ("code: 255", "")],
        14,
        "signal said: pattern group name Code: use a to z",
    ),
    ("patterns_are_safe", [("code=(?P<code>\\d+)", "(?P<code>.*).*.*")], 14, "signal said: pattern has 3 open wildcards"),
    (
        "patterns_are_safe",
        [("active|in: [inactive, failed]", "active|matches: '(x*)*'")],
        17,
        "signal down: pattern repeats a part",
    ),
    (
        "literals_are_telling",
        [("contains: Unit kubelet.service entered failed state", "contains: state")],
        13,
        "signal said: contains 'state' is shorter than 6",
    ),
    (
        "literals_are_telling",
        [("contains: Unit", "contains: '12345678'\n    with: Unit")],
        13,
        "signal said: contains '12345678' holds no letter",
    ),
    ("literals_are_telling", [("    capture:", "    with: ''\n    capture:")], 14, "signal said: with holds an empty text"),
    ("both_languages", [("zh: 启动它", "zh: ''")], 26, "fixes[0].title.zh is empty"),
    ("both_languages", [("zh: 启动它", "zh: start")], 26, "fixes[0].title.zh holds no Chinese character"),
    ("both_languages", [("en: Start it", "en: ' '")], 26, "fixes[0].title.en is empty"),
    ("both_languages", [("en: Start it", "en: 启动")], 26, "fixes[0].title.en holds Chinese characters"),
    ("chinese_punctuation", [("zh: 启动它", "zh: '启动,它'")], 26, "fixes[0].title.zh has `,` between Chinese characters"),
    ("short_titles", [("en: kubelet does", f"en: {'very ' * 20}kubelet does")], 4, "title.en has 130 characters, at most 90"),
    ("placeholders_are_bound", [("en: Start it", "en: Start <unit>")], 26, "<unit> in fixes[0].title.en is bound by no signal"),
    (
        "placeholders_are_bound",
        [("run: systemctl start kubelet", "run: systemctl start <unit>")],
        28,
        "<unit> in fixes[0].steps[0].run is bound",
    ),
    (
        "causes_have_fixes",
        [(TEXT[TEXT.index("fixes:") : TEXT.index("examples:")], "")],
        1,
        "fixes is empty; a cause needs at least one",
    ),
    (
        "causes_can_be_settled",
        [("confirmed: down\n", ""), (TEXT[TEXT.index("look:") : TEXT.index("leads_to:")], "")],
        19,
        "needs confirmed",
    ),
    (
        "risk_has_harm",
        [("    harm: {en: pods restart, zh: Pod 会重启}\n", "")],
        30,
        "fixes[1] is disruptive, but harm does not say",
    ),
    (
        "mildest_first",
        [("risk: safe", "risk: destructive\n    harm: {en: all, zh: 全部}")],
        31,
        "fixes[1] is disruptive and stands after a destructive",
    ),
    ("fixes_are_complete", [("steps: [{at: node, run: systemctl start kubelet}]", "steps: []")], 28, "fixes[0] has no steps"),
    ("fixes_are_complete", [("run: systemctl start kubelet", "run: ''")], 28, "fixes[0].steps[0] runs nothing"),
    ("fixes_are_complete", [("expect: active}", "expect: ''}")], 29, "fixes[0].verify needs a command and what it must print"),
    ("looks_are_complete", [("run: systemctl status kubelet", "run: ''")], 22, "look[0] runs nothing"),
    (
        "enough_examples",
        [(TEXT[TEXT.index("    - {name: another") : TEXT.index("references:")], ""), ("  miss:", "  miss: []")],
        44,
        "examples.miss is empty",
    ),
    ("enough_examples", [("name: another unit", "name: journal")], 45, "example name 'journal' is empty or used twice"),
    (
        "examples_hold_evidence",
        [(", in: client, text: Unit cups.service entered failed state", "")],
        45,
        "example 'another unit' holds neither text nor facts",
    ),
    (
        "examples_hold_evidence",
        [("in: client, text: Unit cups", "text: Unit cups")],
        45,
        "example 'another unit' does not say where its text was read",
    ),
    (
        "examples_hold_evidence",
        [("{kind: unit.state, ", "{kind: unit, ")],
        42,
        "example 'systemctl': there is no fact unit; name one in kind",
    ),
    (
        "examples_hold_evidence",
        [("entity: {kind: Node, name: w1}, ", "")],
        42,
        "example 'systemctl': entity must name what the fact is about",
    ),
    (
        "examples_hold_evidence",
        [("active: failed, down", "activ: failed, down")],
        42,
        "example 'systemctl': unit.state has no field activ",
    ),
    ("signals_are_proved", [("expect: {by: down, status", "expect: {by: said, status")], 15, "no hit example proves signal down"),
    ("expectations_are_known", [("by: down, ", "")], 43, "hit 'systemctl': expect.by must name the signal that fires"),
    (
        "expectations_are_known",
        [("status: confirmed", "status: sure")],
        43,
        "hit 'systemctl': status is one of confirmed, probable",
    ),
    (
        "expectations_are_known",
        [("state: failed", "mood: failed")],
        43,
        "hit 'systemctl' expects the name mood, which no signal binds",
    ),
    (
        "texts_say_it",
        [("systemd: Unit kubelet.service", "systemd: Unit cups.service")],
        37,
        "hit 'journal': its text does not hold what signal said",
    ),
    ("texts_say_it", [("code: 255", "code: 254")], 40, "hit 'journal' binds code to '255', not '254'"),
    (
        "texts_say_it",
        [("in: client\n", "in: app-log\n")],
        37,
        "hit 'journal' is read in app-log, where signal said does not look",
    ),
]


@pytest.mark.parametrize(
    ("rule", "edits", "line", "message"), BROKEN, ids=[f"{row[0]}-{number}" for number, row in enumerate(BROKEN)]
)
def test_a_broken_rule_is_named(tmp_path: Path, rule: str, edits: list[tuple[str, str]], line: int, message: str) -> None:
    """The edit makes lint name the rule's message at the line of the key, and the rule exists."""
    fault = "kubelet/tired" if rule == "in_catalogue" else ID

    found = [
        (issue.path.removeprefix(f"{tmp_path}/"), issue.line, issue.message) for issue in linted(tmp_path, *edits, fault=fault)
    ]

    assert any((path, at) == (f"{fault}.yaml", line) and text.startswith(message) for path, at, text in found), found
    assert rule in {each.__name__ for each in all_rules()}


def test_symptoms_have_looks_and_no_fixes(tmp_path: Path) -> None:
    """A symptom with a fix, and one without look, are both refused."""
    fixes = TEXT[TEXT.index("fixes:") : TEXT.index("examples:")]
    look = SYMPTOM[SYMPTOM.index("look:") : SYMPTOM.index("leads_to:")]

    found = linted(tmp_path, ("examples:", f"{fixes}examples:"), (look, ""), text=SYMPTOM, fault="node/not-ready")

    assert ["a symptom needs look: the commands that lead to its cause", "a symptom has no fixes; they belong to its causes"] == [
        issue.message for issue in found
    ]


def test_every_rule_has_a_failing_example() -> None:
    """No rule about one case is without a row above (symptoms have a test of their own)."""
    shown = {row[0] for row in BROKEN} | {"symptoms_have_looks"}

    assert {rule.__name__ for rule in all_rules()} == shown


def test_effects_never_run_in_a_ring(tmp_path: Path) -> None:
    """A leads_to that closes a ring is an error at its own line, named once."""
    written(tmp_path, changed(("fault: pod/stuck-pending", "fault: kubelet/not-running"), text=SYMPTOM), "node/not-ready")

    found = linted(tmp_path)

    assert ["effects run in a ring: kubelet/not-running → node/not-ready → kubelet/not-running"] == [
        issue.message for issue in found
    ]
    assert (f"{tmp_path}/node/not-ready.yaml", 14) == (found[0].path, found[0].line)


def test_a_case_may_not_lead_to_itself(tmp_path: Path) -> None:
    """The shortest ring is found too."""
    found = linted(tmp_path, ("fault: node/not-ready", "fault: kubelet/not-running"))

    assert ["effects run in a ring: kubelet/not-running → kubelet/not-running"] == [issue.message for issue in found]


def test_a_signal_behind_not_needs_no_hit(tmp_path: Path) -> None:
    """What can only silence a case cannot fire in a hit, so none is asked for."""
    edits = [("match: said or down", "match: said and not down"), ("confirmed: down\n", "")]
    hit = TEXT[TEXT.index("    - name: systemctl") : TEXT.index("  miss:")]

    assert linted(tmp_path, *edits, (hit, "")) == []


def test_one_line_of_an_example_is_enough(tmp_path: Path) -> None:
    """What silences a signal in one line of an example does not silence it in the next."""
    without = ("    capture:", "    without: cups\n    capture:")
    lines = ("      text: 'systemd: Unit", "      text: 'cups is fine\n\n        systemd: Unit")

    assert linted(tmp_path, without, lines) == []


def test_a_dash_keeps_a_placeholder_for_the_reader(tmp_path: Path) -> None:
    """<your-registry> is for the reader and needs no signal, while <pod> is always known."""
    assert linted(tmp_path, ("run: systemctl start kubelet", "run: echo <your-registry> <pod> <state> <code>")) == []


def test_issues_read_as_one_line(tmp_path: Path) -> None:
    """An issue prints as path:line: severity: message, which editors can jump to."""
    issue = linted(tmp_path, ("via: self", "via: moon"))[0]

    assert f"{tmp_path}/{FILE}:24: error: via moon is not a path; known: node.components, self" == str(issue)


def test_open_wildcards_only_warn(tmp_path: Path) -> None:
    """A slow pattern is a warning, an explosive one an error."""
    found = linted(tmp_path, ("code=(?P<code>\\d+)", "(?P<code>.*).*.*"), (", code: 255", ""))

    assert ["warning"] == [issue.severity for issue in found]


def test_lint_and_matcher_know_the_same_operators() -> None:
    """An operator that lint allows is one the matcher has, and the other way round."""
    assert set(OPERATORS) == set(MATCHED) - {""}


def test_the_example_case_of_the_manual_is_clean() -> None:
    """The case that authors start from keeps every rule about one case."""
    case, problems = load_file(CASES / "cni" / "bridge-address-conflict.yaml", CASES)

    assert problems == []
    assert case is not None
    assert lint({case.id: case}, CASES, load_catalogue(), paths.PATHS) == []


def test_an_issue_without_a_file_has_no_line(tmp_path: Path) -> None:
    """Cases that were never files are linted all the same."""
    cases = load_folder(written(tmp_path, changed(("via: self", "via: moon"))))

    assert [None] == [issue.line for issue in lint(cases, tmp_path / "gone", load_catalogue(), PATHS)]
