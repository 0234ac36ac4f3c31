"""``kubecause explain``: what a word is taken for, and its text in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_samples import ID, changed, two_cases, written

from kubecause.knowledge import Knowledge, explain, explain_text, load_catalogue, load_folder
from kubecause.knowledge.exit_codes import exit_code_meaning
from kubecause.knowledge.states import STATES


@pytest.fixture
def knowledge(tmp_path: Path) -> Knowledge:
    """A cause, the symptom it leads to, and the catalogue."""
    return two_cases(tmp_path)


@pytest.mark.parametrize("word", [ID, "not-running-of-nothing", "Kubelet/Not-Running"])
def test_a_fault_id_is_found(knowledge: Knowledge, word: str) -> None:
    """An id in any case of letters is the fault; a name nobody has is not."""
    assert (ID if "/" in word else None) == explain(word, knowledge, "en").fault


def test_the_last_part_of_an_id_is_enough_when_it_is_unique(knowledge: Knowledge) -> None:
    """``not-ready`` names one fault, ``not-running`` several."""
    assert explain("not-ready", knowledge, "en").fault == "node/not-ready"
    assert explain("not-running", knowledge, "en").kind == "words"


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("CrashLoopBackOff", "container/crash-loop"),
        ("crashloopbackoff", "container/crash-loop"),
        ("Init:CrashLoopBackOff", "container/crash-loop"),
        ("Init:0/2", "pod/init-container-failed"),
        ("NotReady", "node/not-ready"),
        ("Pending", "pod/stuck-pending"),
        ("Terminating", "pod/stuck-terminating"),
        ("ContainerCreating", "pod/stuck-creating"),
        ("Evicted", "pod/evicted"),
        ("OOMKilled", "container/oom-killed"),
        ("ImagePullBackOff", "image/not-found"),
        ("ErrImagePull", "image/not-found"),
        ("CreateContainerConfigError", "container/create-config-error"),
        ("RunContainerError", "runtime/oci-create-failed"),
    ],
)
def test_a_status_points_at_its_faults(knowledge: Knowledge, word: str, state: str) -> None:
    """Every word kubectl prints has a meaning and the faults it stands for."""
    explanation = explain(word, knowledge, "en")

    assert explanation.kind == "state"
    assert state == explanation.candidates[0].fault


def test_the_causes_behind_a_status_are_computed(knowledge: Knowledge) -> None:
    """Behind Pending stand the symptom itself, then each case that leads to it, nearest first."""
    found = [(candidate.fault, candidate.steps) for candidate in explain("Pending", knowledge, "en").candidates]

    assert [("pod/stuck-pending", 0), ("node/not-ready", 1), (ID, 2)] == found


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("137", 137),
        ("exit code 137", 137),
        ("Exit Code:    137", 137),
        ("exit status 1", 1),
        ("-1", 255),
        ("256", 0),
        ("300", 44),
        ("-257", 255),
        ("exited with code 2", 2),
        ("ExitCode:139", 139),
        ("Signal:9", 137),
        ("exit 127", 127),
    ],
)
def test_an_exit_code_is_decoded_to_a_byte(knowledge: Knowledge, word: str, code: int) -> None:
    """Codes are read as a process can report them: the low byte."""
    assert code == explain(word, knowledge, "en").code


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0, "Success"),
        (1, "general error"),
        (64, "EX_USAGE"),
        (78, "EX_CONFIG"),
        (79, "own code"),
        (126, "cannot be executed"),
        (127, "not found"),
        (129, "SIGHUP"),
        (137, "SIGKILL"),
        (139, "SIGSEGV"),
        (143, "SIGTERM"),
        (158, "SIGPWR"),
        (159, "SIGSYS"),
        (160, "own code"),
        (162, "real-time signal 34"),
        (192, "real-time signal 64"),
        (193, "own code"),
        (255, "-1"),
    ],
)
def test_exit_codes_mean_what_shells_and_sysexits_say(code: int, said: str) -> None:
    """The table follows sysexits.h, the shells and the signal numbers of Linux."""
    assert said in exit_code_meaning(code).text.en


def test_all_faults_of_the_tables_are_in_the_catalogue() -> None:
    """Neither states nor exit codes point at a fault that does not exist."""
    known = load_catalogue()
    named = {fault for meaning in [*STATES.values(), *map(exit_code_meaning, range(256))] for fault in meaning.faults}

    assert set() == named - known.keys()


def test_every_meaning_is_said_in_both_languages() -> None:
    """Each state and each of the 256 codes has an English and a Chinese sentence."""
    for meaning in [*STATES.values(), *map(exit_code_meaning, range(256))]:
        assert meaning.text.en.isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in meaning.text.zh)


def test_a_message_is_matched_by_the_signals(knowledge: Knowledge) -> None:
    """Case, blanks and surroundings do not count; what the message binds is filled in."""
    explanation = explain("Nov 3 w1 systemd: UNIT kubelet.service  entered failed\n state code=255", knowledge, "en")

    assert ("message", ID, {"code": "255"}) == (explanation.kind, explanation.fault, explanation.names)


def test_several_cases_that_fit_a_message_are_listed(tmp_path: Path) -> None:
    """The longest words that fit come first; half-fitting cases are left out when one fits in full."""
    written(tmp_path)
    written(
        tmp_path,
        changed(("not-running", "swap-enabled"), ("Unit kubelet.service entered", "service entered")),
        "kubelet/swap-enabled",
    )
    half = changed(("not-running", "version-skew"), ("match: said or down", "match: said and down"))
    written(tmp_path, half, "kubelet/version-skew")
    knowledge = Knowledge(load_folder(tmp_path), load_catalogue())

    explanation = explain("Unit kubelet.service entered failed state", knowledge, "en")

    assert [ID, "kubelet/swap-enabled"] == [candidate.fault for candidate in explanation.candidates]


def test_words_that_tell_it_apart_silence_a_case(tmp_path: Path) -> None:
    """A message that holds the words of a look-alike is not the case."""
    written(tmp_path, changed(("look:", "not_this: [{fault: kubelet/swap-enabled, tell: swap is on}]\nlook:")))
    knowledge = Knowledge(load_folder(tmp_path), load_catalogue())

    assert explain("Unit kubelet.service entered failed state, swap is on", knowledge, "en").kind != "message"


def test_retired_cases_are_not_matched(tmp_path: Path) -> None:
    """A retired case keeps its id and recognises nothing."""
    knowledge = Knowledge(load_folder(written(tmp_path, changed(("status: tested", "status: retired")))), load_catalogue())

    assert explain("Unit kubelet.service entered failed state", knowledge, "en").kind != "message"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("why is my pod in CrashLoopBackOff all day", "state"),
        ("the container foo exited with code 137 yesterday", "exit-code"),
        ("zzzz qqqq", "unknown"),
        ("   ", "unknown"),
        ("\\" * 50_000, "unknown"),
    ],
)
def test_other_texts(knowledge: Knowledge, message: str, kind: str) -> None:
    """A state or exit code inside a sentence is found; nothing comes of noise, however long."""
    assert kind == explain(message, knowledge, "en").kind


def test_words_find_titles_in_both_languages(knowledge: Knowledge) -> None:
    """Words of a title are enough, in English or Chinese, whatever the language of the answer."""
    for word in ("kubelet does not run", "节点上的 kubelet 没有运行", "systemctl kubelet"):
        assert ID in [candidate.fault for candidate in explain(word, knowledge, "en").candidates], word


def test_a_broken_pattern_does_not_break_explain(tmp_path: Path) -> None:
    """A case that lint has not seen yet is skipped."""
    knowledge = Knowledge(load_folder(written(tmp_path, changed(("code=(?P<code>\\d+)", "code=(")))), load_catalogue())

    assert explain("Unit kubelet.service entered failed state", knowledge, "en").kind != "message"


def test_the_text_of_a_fault(knowledge: Knowledge) -> None:
    """A fault is told in full: what, why, signs, effects, looks, fixes with risk and check, references."""
    text = explain_text(explain(ID, knowledge, "en"), "en")

    assert text == (
        "kubelet/not-running\n"
        "kubelet does not run on <node>\n"
        "\n"
        "The unit kubelet is <state>. The node reports nothing.\n"
        "\n"
        "Why: It was stopped or fails at its start.\n"
        "\n"
        "Recognised by:\n"
        "  Unit kubelet.service entered failed state\n"
        "  unit.state unit=kubelet, active|in=['inactive', 'failed']\n"
        "\n"
        "Leads to:\n"
        "  node/not-ready\n"
        "\n"
        "Look:\n"
        "  [node] systemctl status kubelet  # whether it runs\n"
        "\n"
        "Fixes, mildest first:\n"
        "  1. Start it (safe)\n"
        "     [node] systemctl start kubelet\n"
        "     then [node] systemctl is-active kubelet shows active\n"
        "  2. Install it anew (disruptive; harm: pods restart)\n"
        "     [node] <your-package-manager> install kubelet\n"
        "     then [node] systemctl is-active kubelet shows active\n"
        "\n"
        "References:\n"
        "  https://kubernetes.io/docs/  # how the kubelet is run\n"
    )


@pytest.mark.parametrize(
    ("word", "lines"),
    [
        (
            ID,
            ["节点 <node> 上的 kubelet 没有运行", "原因：被停止，或启动失败。", "  2. 重新安装（会中断业务；影响：Pod 会重启）"],
        ),
        ("Pending", ["对应的症状：", "可能的原因：", "  kubelet/not-running：节点 <node> 上的 kubelet 没有运行", "中间状态："]),
        ("-1", ["退出码 255（-1）", "应用返回 -1、ssh 失败，或运行时丢失了状态（节点重启后 reason 为 Unknown）。"]),
        ("qqqq", ["qqqq：没有找到相关内容；可以试试故障 id、Pod 状态、退出码或错误信息中的文字"]),
        ("node/cordoned", ["目录中已列出，但还没有编写案例。"]),
        ("Unit kubelet.service entered failed state", ["节点 <node> 上的 kubelet 没有运行"]),
    ],
)
def test_the_chinese_text(knowledge: Knowledge, word: str, lines: list[str]) -> None:
    """Labels, marks and texts are Chinese when Chinese is asked for."""
    printed = explain_text(explain(word, knowledge, "zh"), "zh").splitlines()

    assert [] == [line for line in lines if line not in printed], printed


def test_a_state_shows_where_to_look(knowledge: Knowledge) -> None:
    """The looks of the one symptom case of a state are printed with it."""
    assert (
        "  [client] kubectl describe node <node>  # its conditions"
        in explain_text(explain("NotReady", knowledge, "en"), "en").splitlines()
    )
