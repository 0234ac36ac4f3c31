"""The command line: exit codes, streams, languages, and how quickly it answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from kubecause import __version__, cli, errors
from kubecause.cli_arguments import OUTPUTS
from kubecause.knowledge import load_catalogue

PYTHON = [sys.executable, "-m", "kubecause"]
POSIX = {**os.environ, "LC_ALL": "C.UTF-8"}


def run(*arguments: str | Path, stdin: str = "", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the real command."""
    command = [*PYTHON, *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, encoding="utf-8", env={**POSIX, **(env or {})}, check=False)


# --- start-up ---------------------------------------------------------------------------------------------


def test_help_imports_nothing_heavy() -> None:
    """After ``--help`` neither rich, yaml, msgspec nor hyperscan has been imported."""
    code = (
        "import sys; from kubecause.cli import main; code = main(['--help']);"
        "print(code, sorted({'rich', 'yaml', 'msgspec', 'hyperscan'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "0 []" == done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["read", "--help"], ["explain", "--help"], ["cases", "--help"], ["cases", "new", "--help"]]
)
def test_help_exits_0_and_goes_to_standard_output(arguments: list[str]) -> None:
    """Help is a result, not an error."""
    done = run(*arguments)

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("usage: kubecause")


def test_version() -> None:
    """``--version`` prints the name and the version."""
    done = run("--version")

    assert (0, f"kubecause {__version__}\n", "") == (done.returncode, done.stdout, done.stderr)


# --- wrong usage ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["why", "pod/a", "-A"],
        ["node"],
        ["read"],
        ["read", "x", "-o", "pdf"],
        ["read", "x", "--lang", "de"],
        ["read", "x", "--fail-on", "info"],
        ["read", "x", "-q", "-v"],
        ["read", "x", "--outp", "json"],
        ["read", "-", "-"],
        ["explain"],
        ["cases"],
        ["cases", "burn"],
        ["cases", "test", "no/such-case"],
        ["cases", "new", "No Group"],
        ["cases", "new", "../../etc/passwd"],
    ],
)
def test_wrong_usage_exits_2_with_one_line(arguments: list[str]) -> None:
    """Wrong usage exits 2 and says why in one line on standard error, nothing on standard output."""
    done = run(*arguments)

    assert (2, "") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())
    assert done.stderr.startswith("kubecause: ")


def test_plugin_is_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``kubectl cause …`` does what ``kubecause why …`` does, a kubeconfig that is not there included."""
    missing = str(tmp_path / "none")
    answers = []
    for run_it, words in ((cli.main_plugin, ["-A"]), (cli.main, ["why", "-A"])):
        code = run_it([*words, "--kubeconfig", missing])
        answers.append((code, capsys.readouterr().out))

    assert answers[0] == answers[1]
    assert (0, True) == (answers[0][0], "client/kubeconfig-missing" in answers[0][1])


# --- read -------------------------------------------------------------------------------------------------

SICK = "0/3 nodes are available: 3 node(s) had untolerated taint {team: blue}. preemption: 0/3 nodes are available\n"


def test_a_missing_path_exits_4_with_one_line(tmp_path: Path) -> None:
    """A target that cannot be opened means that nothing was looked at: exit 4, one line that names it."""
    done = run("read", tmp_path / "absent")

    assert (4, "") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())
    assert "absent" in done.stderr


def test_a_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """Control characters of a path do not reach standard error."""
    done = run("read", tmp_path / "\x1b[2Jabsent")

    assert 4 == done.returncode
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("output", OUTPUTS)
def test_every_output_is_printed(output: str) -> None:
    """Each format prints something to standard output, nothing to standard error, and exits 0."""
    done = run("read", "-", "-o", output, stdin=SICK)

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.strip()
    assert done.stdout.endswith("\n")


def test_json_is_the_contract() -> None:
    """``-o json`` is one document of the public form."""
    report = json.loads(run("read", "-", "-o", "json", stdin=SICK).stdout)

    assert ("kubecause/v1", "Report") == (report["apiVersion"], report["kind"])
    assert {"source", "diagnoses", "symptoms", "clear", "gaps"} <= set(report)


def test_the_same_evidence_gives_the_same_bytes() -> None:
    """Two runs print the same."""
    first, second = (run("read", "-", "-o", "json", stdin=SICK).stdout for _ in range(2))

    assert first == second


def test_json_is_utf_8_in_any_locale() -> None:
    """A document for machines is UTF-8 even where the terminal speaks ASCII."""
    environment = {**POSIX, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}

    done = subprocess.run(
        [*PYTHON, "read", "-", "-o", "json", "--lang", "zh"],
        input=SICK.encode(),
        capture_output=True,
        env=environment,
        check=False,
    )

    assert 0 == done.returncode
    assert "Report" == json.loads(done.stdout.decode("utf-8"))["kind"]


def test_text_survives_a_terminal_without_chinese() -> None:
    """What the terminal cannot show is replaced, not a traceback."""
    environment = {**POSIX, "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}

    done = subprocess.run(
        [*PYTHON, "read", "-", "--lang", "zh"], input=SICK.encode(), capture_output=True, env=environment, check=False
    )

    assert (0, b"") == (done.returncode, done.stderr)


def test_fail_on_exits_3_only_when_something_is_that_bad() -> None:
    """``--fail-on error`` turns a diagnosis of that severity into exit 3; ``never`` does not."""
    diagnoses = json.loads(run("read", "-", "-o", "json", stdin=SICK).stdout)["diagnoses"]
    assert "error" in {diagnosis["severity"] for diagnosis in diagnoses}

    codes = [run("read", "-", "--fail-on", severity, stdin=SICK).returncode for severity in ("error", "warning", "never")]

    assert [3, 3, 0] == codes


def test_healthy_evidence_does_not_fail() -> None:
    """Without a diagnosis ``--fail-on warning`` exits 0."""
    healthy = "NAME    READY   STATUS    RESTARTS   AGE\nweb-0   1/1     Running   0          3d\n"

    assert 0 == run("read", "-", "--fail-on", "warning", stdin=healthy).returncode


def test_quiet_prints_one_line_a_diagnosis() -> None:
    """``-q`` prints as many lines as there are diagnoses, each with status and fault id."""
    diagnoses = json.loads(run("read", "-", "-o", "json", stdin=SICK).stdout)["diagnoses"]
    assert diagnoses

    done = run("read", "-q", "-", stdin=SICK)

    assert len(diagnoses) == len(done.stdout.splitlines())
    for line, diagnosis in zip(done.stdout.splitlines(), diagnoses, strict=True):
        assert line.startswith(f"{diagnosis['status']}: ")
        assert diagnosis["fault"] in line


def test_verbose_says_what_was_read_on_standard_error() -> None:
    """``-v`` leaves the report alone and adds a summary on standard error."""
    quiet, verbose = run("read", "-", stdin=SICK), run("read", "-v", "-", stdin=SICK)

    assert quiet.stdout == verbose.stdout
    assert "diagnoses" in verbose.stderr
    assert "gaps" in verbose.stderr


def test_several_paths_are_one_body_of_evidence(tmp_path: Path) -> None:
    """Two files give one report."""
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(SICK, encoding="utf-8")

    done = run("read", tmp_path / "a.txt", tmp_path / "b.txt", "-o", "json")

    assert 0 == done.returncode
    assert "Report" == json.loads(done.stdout)["kind"]


def test_a_reader_that_goes_away_is_no_error() -> None:
    """``kubecause … | head -c 0`` ends without a word on standard error."""
    command = f"'{sys.executable}' -m kubecause cases list | head -c 1 >/dev/null"

    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, env=POSIX, check=False)

    assert "" == done.stderr


def test_a_report_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """When standard output takes no more (here: a file size limit), exit 1 with one line."""
    command = f"ulimit -f 0; '{sys.executable}' -m kubecause read - > '{tmp_path}/report'"

    done = subprocess.run(["/bin/sh", "-c", command], input=SICK, capture_output=True, text=True, env=POSIX, check=False)

    assert 1 == done.returncode
    assert 1 == len(done.stderr.splitlines())
    assert "standard output" in done.stderr


def test_a_closed_standard_output_is_one_line() -> None:
    """A caller that closed standard output gets exit 1 and one line."""
    command = f"'{sys.executable}' -m kubecause explain 137 >&-"

    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, env=POSIX, check=False)

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))


# --- explain ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["137"], ["CrashLoopBackOff"], ["ImagePullBackOff"]])
def test_explain_knows_everyday_words(words: list[str]) -> None:
    """Exit codes and pod statuses are explained."""
    done = run("explain", *words)

    assert (0, "") == (done.returncode, done.stderr)
    assert words[0] in done.stdout


def test_explain_says_that_it_does_not_know() -> None:
    """A word nobody knows is answered in one line on standard error; the look-up itself did work."""
    done = run("explain", "zzqxj")

    assert (0, "") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())
    assert "zzqxj" in done.stderr


def test_explain_takes_a_message_of_several_words() -> None:
    """The words of a message need no quotes."""
    apart = run("explain", "connection", "refused")

    assert run("explain", "connection refused").stdout == apart.stdout


# --- cases ------------------------------------------------------------------------------------------------


def test_cases_list_in_two_forms() -> None:
    """Text and JSON name the same cases in the same order."""
    text, data = run("cases", "list").stdout.splitlines(), json.loads(run("cases", "list", "-o", "json").stdout)

    assert text
    assert [item["id"] for item in data["items"]] == [line.split()[0] for line in text]
    assert {"id", "entity", "status", "severity", "symptom", "title"} == set(data["items"][0])


def test_cases_list_in_chinese() -> None:
    """``--lang`` chooses the titles."""
    english, chinese = (run("cases", "list", "--lang", language).stdout for language in ("en", "zh"))

    assert english != chinese


def test_shipped_cases_have_no_lint_errors() -> None:
    """``cases lint`` exits 0 over the cases kubecause ships."""
    done = run("cases", "lint")

    assert (0, "") == (done.returncode, done.stderr), done.stdout


def test_shipped_examples_pass() -> None:
    """``cases test`` exits 0 over the cases kubecause ships."""
    done = run("cases", "test")

    assert (0, "") == (done.returncode, done.stderr), done.stdout


def test_a_new_case_fails_lint_until_it_is_filled(tmp_path: Path) -> None:
    """``cases new`` writes a file, and lint names each empty field as ``path:line: message``."""
    made = run("cases", "new", "dns/name-wrong", "--folder", tmp_path)
    file = tmp_path / "dns" / "name-wrong.yaml"
    assert (0, f"{file}\n", "") == (made.returncode, made.stdout, made.stderr)

    linted = run("cases", "lint", "--folder", tmp_path)

    assert 1 == linted.returncode
    assert linted.stdout
    for line in linted.stdout.splitlines():
        place, number, _ = line.split(":", 2)
        assert (str(file), True) == (place, number.isdigit())


def test_a_new_case_knows_the_catalogue(tmp_path: Path) -> None:
    """For a fault of the catalogue the entity is filled in and its sentence stands beside the title to write."""
    run("cases", "new", "scheduling/node-cordoned", "--folder", tmp_path)

    text = (tmp_path / "scheduling" / "node-cordoned.yaml").read_text(encoding="utf-8")
    fault = load_catalogue()["scheduling/node-cordoned"]

    assert f"entity: {fault.entity}" in text
    assert f"the catalogue says: {fault.en}" in text


def test_a_case_is_never_overwritten(tmp_path: Path) -> None:
    """``cases new`` refuses an id whose file exists and leaves the file alone."""
    file = tmp_path / "dns" / "name-wrong.yaml"
    file.parent.mkdir()
    file.write_text("kept\n", encoding="utf-8")

    done = run("cases", "new", "dns/name-wrong", "--folder", tmp_path)

    assert (2, "") == (done.returncode, done.stdout)
    assert "kept\n" == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("action", [["list"], ["test"], ["lint"]])
def test_a_missing_folder_is_one_line(action: Sequence[str], tmp_path: Path) -> None:
    """A folder of cases that does not exist exits 1 and is named in one line."""
    done = run("cases", *action, "--folder", tmp_path / "absent")

    said = done.stdout + done.stderr
    assert (1, 1) == (done.returncode, len(said.splitlines()))
    assert "absent" in said


# --- languages, bugs, interruptions -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "de_DE.UTF-8", "LC_ALL": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
        ({"LANG": "C.UTF-8"}, "en"),
    ],
)
def test_language_follows_the_locale(environment: dict[str, str], language: str) -> None:
    """LC_ALL beats LC_MESSAGES beats LANG; an empty variable counts as unset; anything not Chinese is English."""
    assert language == cli.language_of(environment)


def test_the_locale_decides_unless_a_flag_does() -> None:
    """A Chinese locale gives the Chinese text; ``--lang en`` overrules it."""
    chinese = {"LC_ALL": "zh_CN.UTF-8", "PYTHONUTF8": "1"}
    by_locale, overruled = (run("read", "-", *flags, stdin=SICK, env=chinese).stdout for flags in ([], ["--lang", "en"]))

    assert run("read", "-", "--lang", "zh", stdin=SICK).stdout == by_locale
    assert run("read", "-", "--lang", "en", stdin=SICK).stdout == overruled
    assert by_locale != overruled


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``read`` raise an error that nothing expected."""

    def raising(_options: object) -> int:
        raise error

    monkeypatch.setitem(cli._COMMANDS, "read", raising)


def test_a_bug_is_one_line_without_evidence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An unexpected error exits 1 with one line that asks for a report and quotes nothing that was read."""
    fail_with(ValueError("token=s3cret"), monkeypatch)

    code = cli.main(["read", "x"])

    printed = capsys.readouterr()
    assert (1, "") == (code, printed.out)
    assert 1 == len(printed.err.splitlines())
    assert "please report" in printed.err
    assert "s3cret" not in printed.err


def test_a_bug_shows_its_traceback_when_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With ``-v`` the traceback is printed as well."""
    fail_with(ValueError("odd"), monkeypatch)

    code = cli.main(["read", "-v", "x"])

    assert 1 == code
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (errors.UsageError("no"), 2),
        (errors.EvidenceError("no"), 4),
        (errors.KnowledgeError(["a.yaml:1: no", "b.yaml:2: no"]), 1),
        (errors.KubecauseError("two\nlines"), 1),
    ],
)
def test_each_error_has_its_exit_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Errors raised on purpose end in their exit code, with one line at most and no traceback."""
    fail_with(error, monkeypatch)

    assert code == cli.main(["read", "x"])
    assert len(capsys.readouterr().err.splitlines()) <= 1


def test_progress_needs_patience(capsys: pytest.CaptureFixture[str]) -> None:
    """Reading that is over at once shows no bar, and what was read is counted all the same."""
    from kubecause.cli_progress import ReadingProgress

    with ReadingProgress(wanted=True) as progress:
        progress(10, 100)
        progress(100, 100)

    assert (100, "") == (progress.bytes_done, capsys.readouterr().err)


def test_progress_is_drawn_on_standard_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """After the patience is over a bar appears on standard error, and standard output stays clean."""
    from kubecause.cli_progress import ReadingProgress

    monkeypatch.setenv("FORCE_COLOR", "1")
    with ReadingProgress(wanted=True, patience=0.0) as progress:
        progress(10, None)
        progress(50, 100)

    printed = capsys.readouterr()
    assert "" == printed.out
    assert "reading" in printed.err
