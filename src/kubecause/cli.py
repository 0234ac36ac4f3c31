"""The command line: arguments in, one call each, an exit code out.

Nothing is decided about evidence here. Heavy imports (msgspec, PyYAML, hyperscan, rich, the stages) stand inside the
functions that need them, so that ``kubecause --help`` answers at once; ``tests/test_cli.py`` holds that.
"""

from __future__ import annotations

import argparse
import enum
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from kubecause import __version__
from kubecause.errors import EvidenceError, KnowledgeError, KubecauseError, UsageError

if TYPE_CHECKING:
    from kubecause.knowledge.schema import Case
    from kubecause.model import Result
    from kubecause.report.view import Report
    from kubecause.text import Language

OUTPUTS = ("text", "wide", "json", "yaml", "markdown", "html", "sarif", "junit")
_FAILING: Mapping[str, frozenset[str]] = {
    "never": frozenset(),
    "error": frozenset({"error"}),
    "warning": frozenset({"error", "warning"}),
}


class Exit(enum.IntEnum):
    """What the exit code tells a script."""

    LOOKED = 0
    TOOL_FAILED = 1
    WRONG_USAGE = 2
    FAIL_ON = 3
    NOTHING_SEEN = 4
    INTERRUPTED = 130  # 128 + SIGINT, as shells count


# --- entry points -----------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``kubecause`` with the given arguments (default: those of the process) and return its exit code."""
    options = argparse.Namespace(verbose=False)
    try:
        build_parser().parse_args(arguments, options)
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except SystemExit as end:  # argparse: --help, --version, wrong usage
        return end.code if isinstance(end.code, int) else Exit.LOOKED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except UsageError as error:
        return _complain(str(error), Exit.WRONG_USAGE)
    except EvidenceError as error:
        return _complain(str(error), Exit.NOTHING_SEEN)
    except KnowledgeError as error:
        more = f" (and {len(error.problems) - 1} more; `kubecause cases lint` lists them)" if len(error.problems) > 1 else ""
        return _complain(f"the case files are broken: {''.join(error.problems[:1])}{more}", Exit.TOOL_FAILED)
    except KubecauseError as error:
        return _complain(str(error), Exit.TOOL_FAILED)
    except Exception as error:
        return _report_bug(error, verbose=options.verbose)


def main_plugin(arguments: Sequence[str] | None = None) -> int:
    """Answer ``kubectl cause …``, which is ``kubecause why …``: kubectl hands its plugins all arguments."""
    return main(["why", *(sys.argv[1:] if arguments is None else arguments)])


# --- arguments --------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """argparse, but an error is one line that says what to do."""

    def error(self, message: str) -> NoReturn:
        self.exit(Exit.WRONG_USAGE, f"kubecause: {_one_line(message)}; see `{self.prog} --help`\n")


_AddCommand = Callable[..., argparse.ArgumentParser]


def build_parser() -> argparse.ArgumentParser:
    """All commands and flags; every command sets ``run`` to the function that does it."""
    parser = _Parser(
        prog="kubecause",
        description="Names the root cause of what is broken in Kubernetes, from any evidence at hand.",
        epilog="Exit codes: 0 looked, 1 the tool failed, 2 wrong usage, 3 a diagnosis at or above --fail-on, "
        "4 nothing could be looked at.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"kubecause {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    _add_why(commands.add_parser)
    _add_read(commands.add_parser)
    _add_collect(commands.add_parser)
    _add_rbac(commands.add_parser)
    _add_explain(commands.add_parser)
    _add_cases(commands.add_parser)
    return parser


def _add_read(add_command: _AddCommand) -> None:
    read = add_command(
        "read",
        help="diagnose saved evidence",
        description="Diagnose saved evidence. What each path holds is recognised by content: pasted text, a terminal "
        "transcript, a folder of command outputs, a cluster dump, must-gather, sos report, support bundle, or an archive of "
        "these. Several paths are one body of evidence.",
        allow_abbrev=False,
    )
    read.add_argument("paths", nargs="+", metavar="PATH", help="file, folder or archive; - is standard input")
    _add_report_flags(read)
    read.set_defaults(run=_read)


def _add_why(add_command: _AddCommand) -> None:
    from kubecause.cli_why import add_cluster_flags

    why = add_command(
        "why",
        help="diagnose a live cluster",
        description="Diagnose a live cluster: the named objects, else the namespace in use, else (-A) all of it. Nothing is ever "
        "changed. Installed as the kubectl plugin `kubectl cause` too.",
        allow_abbrev=False,
    )
    add_cluster_flags(why)
    _add_report_flags(why)
    why.set_defaults(run=_why)


def _add_collect(add_command: _AddCommand) -> None:
    from kubecause.cli_collect import add_collect_flags

    collect = add_command(
        "collect",
        help="save what `why` looks at, to be read later or elsewhere",
        description="Save what `why` looks at as one file without secrets; `kubecause read FILE` prints the same report.",
        allow_abbrev=False,
    )
    add_collect_flags(collect)
    collect.set_defaults(run=_collect)


def _add_rbac(add_command: _AddCommand) -> None:
    from kubecause.cli_rbac import add_rbac_flags

    rbac = add_command(
        "rbac",
        help="print the smallest role kubecause works with",
        description="Print the smallest role kubecause works with, as YAML to read and apply; nothing is applied.",
        allow_abbrev=False,
    )
    add_rbac_flags(rbac)
    rbac.set_defaults(run=_rbac)


def _add_explain(add_command: _AddCommand) -> None:
    explain = add_command(
        "explain",
        help="look up a fault, a pod status, an exit code or an error message",
        description="Look knowledge up: a fault id (scheduling/node-cordoned), a pod status (CrashLoopBackOff), an exit code "
        "(137) or an error message.",
        allow_abbrev=False,
    )
    explain.add_argument("words", nargs="+", metavar="WORD", help="what to look up; several words are one message")
    _add_report_flags(explain, ("text", "wide", "json", "yaml"))
    explain.set_defaults(run=_explain)


def _add_report_flags(parser: argparse.ArgumentParser, outputs: Sequence[str] = OUTPUTS) -> None:
    parser.add_argument("-o", "--output", choices=outputs, default="text", metavar="FORMAT", help=f"one of {', '.join(outputs)}")
    parser.add_argument("--lang", choices=("en", "zh"), help="language of the texts (default: from the locale)")
    parser.add_argument(
        "--fail-on",
        choices=tuple(_FAILING),
        default="never",
        metavar="SEVERITY",
        help="exit 3 when a diagnosis is at least this bad: error, warning or never (default)",
    )
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="text: one line a diagnosis, nothing else; no progress bar")
    loudness.add_argument("-v", "--verbose", action="store_true", help="say on standard error what was read; tracebacks of bugs")


def _add_cases(add_command: _AddCommand) -> None:
    cases = add_command("cases", help="work on the knowledge base", description="Work on the knowledge base.", allow_abbrev=False)
    actions = cases.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)
    cases_list = actions.add_parser("list", help="print id, entity, status and title of every case", allow_abbrev=False)
    cases_list.add_argument("-o", "--output", choices=("text", "json"), default="text", metavar="FORMAT", help="text or json")
    cases_list.add_argument("--lang", choices=("en", "zh"), help="language of the titles (default: from the locale)")
    lint = actions.add_parser("lint", help="check every case file: path:line: what is wrong", allow_abbrev=False)
    test = actions.add_parser("test", help="run the hit and miss examples of the cases", allow_abbrev=False)
    test.add_argument("ids", nargs="*", metavar="ID", help="fault ids (default: all)")
    new = actions.add_parser("new", help="write a new case file to fill in", allow_abbrev=False)
    new.add_argument("fault", metavar="GROUP/FAULT", help="id of the new case, such as dns/name-wrong")
    for parser, action in ((cases_list, "list"), (lint, "lint"), (test, "test"), (new, "new")):
        parser.add_argument("--folder", type=Path, metavar="DIR", help="folder of case files (default: those kubecause ships)")
        parser.add_argument("-v", "--verbose", action="store_true", help="tracebacks of bugs")
        parser.set_defaults(run=_cases, action=action)


def language_of(environment: Mapping[str, str]) -> Language:
    """The language a POSIX locale asks for: the first of LC_ALL, LC_MESSAGES and LANG that is set decides."""
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "zh" if locale.lower().startswith("zh") else "en"


# --- commands ---------------------------------------------------------------------------------------------


def _read(options: argparse.Namespace) -> int:
    """``kubecause read``: diagnose the paths as one body of evidence and print the report."""
    paths: list[str] = options.paths
    if paths.count("-") > 1:
        raise UsageError("- (standard input) is named twice; it can be read only once")
    if "-" in paths and not options.quiet and os.isatty(0):
        _say("reading what you paste; end with Ctrl-D on a line of its own")

    from kubecause.cli_progress import ReadingProgress
    from kubecause.pipeline import diagnose_path

    began = time.monotonic()
    with ReadingProgress(wanted=not options.quiet and os.isatty(2)) as progress:
        result = diagnose_path(paths, on_progress=progress)
    if options.verbose:
        _summarise(result, progress.bytes_done, time.monotonic() - began)
    return _report(result, options)


def _why(options: argparse.Namespace) -> int:
    """``kubecause why``: diagnose the cluster that kubectl would talk to."""
    from kubecause.cli_why import why

    began = time.monotonic()
    result, (requests, size) = why(options)
    if options.verbose:
        _summarise(result, size, time.monotonic() - began)
        _say(f"{requests} requests to the API server")
    return _report(result, options)


def _collect(options: argparse.Namespace) -> int:
    """``kubecause collect``: the file is the answer, one line on standard error says what is in it."""
    from kubecause.cli_collect import collect

    collected = collect(options)
    if not options.quiet:
        _say(collected.sentence)
    return Exit.LOOKED if collected.documents else Exit.NOTHING_SEEN


def _rbac(options: argparse.Namespace) -> int:
    """``kubecause rbac``: YAML on standard output."""
    from kubecause.cli_rbac import rbac

    _print(rbac(options, options.lang or language_of(os.environ)), "yaml")
    return Exit.LOOKED


def _report(result: Result, options: argparse.Namespace) -> Exit:
    """Print a result in the form and language asked for; returns the exit code it means."""
    from kubecause.knowledge import load_cases
    from kubecause.report import render
    from kubecause.report.view import build

    cases = load_cases().cases
    language: Language = options.lang or language_of(os.environ)
    if options.quiet and options.output in ("text", "wide"):
        _print("\n".join(_headlines(build(result, cases, language))), options.output)
    else:
        report = render(result, cases, output=options.output, language=language)
        _print(report, options.output)
    return _exit_code(result, cases, options.fail_on)


def _headlines(report: Report) -> list[str]:
    """One line a diagnosis, in their order: what ``--quiet`` prints."""
    from kubecause.report.neutral import one_line

    return [
        one_line(f"{each.status}: {each.title} ({each.fault}) {each.entity.kind} {each.entity.path}") for each in report.diagnoses
    ]


def _exit_code(result: Result, cases: Mapping[str, Case], fail_on: str) -> Exit:
    if result.gaps and not result.diagnoses and not result.clear:
        return Exit.NOTHING_SEEN
    found = (cases.get(diagnosis.finding.fault) for diagnosis in result.diagnoses)
    if any((case.severity if case else "error") in _FAILING[fail_on] for case in found):
        return Exit.FAIL_ON
    return Exit.LOOKED


def _summarise(result: Result, bytes_read: int, seconds: float) -> None:
    """What ``--verbose`` says about the evidence, and everything that was not looked at."""
    _say(
        f"read {result.source_kind} {result.source_name} ({bytes_read:,} bytes) in {seconds:.1f} s: "
        f"{len(result.diagnoses)} diagnoses, {len(result.clear)} faults ruled out, {len(result.gaps)} gaps"
    )
    for gap in result.gaps:
        _say(f"not looked at: {gap.what}: {gap.why}")


def _explain(options: argparse.Namespace) -> int:
    """``kubecause explain``: an unknown word is no failure; the look-up was made."""
    from kubecause.cli_explain import answer

    word = " ".join(options.words)
    language: Language = options.lang or language_of(os.environ)
    text = answer(word, options.output, language, quiet=options.quiet)
    if text is None:
        _say(f"nothing is known about {word!r}; try a fault id, a pod status, an exit code or the words of an error message")
    else:
        _print(text, options.output)
    return Exit.LOOKED


def _cases(options: argparse.Namespace) -> int:
    """``kubecause cases …``: everything authors do stands in :mod:`kubecause.cli_cases`."""
    from kubecause import cli_cases

    folder: Path | None = options.folder
    if options.action == "list":
        language: Language = options.lang or language_of(os.environ)
        _print(cli_cases.list_cases(folder, options.output, language), options.output)
        return Exit.LOOKED
    if options.action == "new":
        _print(cli_cases.new_case(options.fault, folder), "text")
        return Exit.LOOKED
    found = cli_cases.lint_cases(folder) if options.action == "lint" else cli_cases.check_examples(options.ids, folder)
    _print("\n".join(found.lines), "text")
    return Exit.TOOL_FAILED if found.failed else Exit.LOOKED


# --- streams ----------------------------------------------------------------------------------------------


def _print(text: str, output: str) -> None:
    """Write a report to standard output.

    Documents for machines are UTF-8 whatever the locale; on a terminal, what it cannot show becomes ``?``. A reader
    that went away (``| head``) is no error.
    """
    if not text:
        return
    stream: TextIO | None = sys.stdout
    if stream is None:
        raise KubecauseError("standard output is closed; give the report somewhere to go")
    reconfigure = getattr(stream, "reconfigure", None)  # a replaced stream (StringIO) needs no encoding
    if reconfigure is not None:
        reconfigure(errors="replace", **({} if output in ("text", "wide") else {"encoding": "utf-8"}))
    try:
        stream.write(text if text.endswith("\n") else text + "\n")
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains again when it flushes at exit
        if not isinstance(error, BrokenPipeError):
            raise KubecauseError(f"cannot write the report to standard output: {error.strerror}") from error


def _one_line(text: str) -> str:
    """One line without control characters: file names and evidence must not steer a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))


def _say(message: str, *, program: str = "kubecause") -> None:
    print(f"{program}: {_one_line(message)}", file=sys.stderr)


def _complain(message: str, code: Exit, *, program: str = "kubecause") -> Exit:
    _say(message, program=program)
    return code


def _report_bug(error: Exception, *, verbose: bool) -> Exit:
    """One line for a bug of ours.

    Type and place only: the text of an unexpected error may quote evidence that no redaction has seen.
    """
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place is not None else ""
    if verbose:
        import traceback

        traceback.print_exception(error)
    advice = "" if verbose else "; run it again with -v and send us what it prints"
    message = f"this is a bug in kubecause {__version__}: {type(error).__name__}{where}; please report it{advice}"
    return _complain(message, Exit.TOOL_FAILED)
