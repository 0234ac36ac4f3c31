"""The command line: arguments in, one call each, an exit code out.

Nothing is decided about evidence here. Heavy imports (msgspec, PyYAML, hyperscan, rich, the stages) stand inside the
functions that need them, so that ``kubecause --help`` answers at once; ``tests/test_cli.py`` holds that.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from kubecause.cli_arguments import build_parser
from kubecause.cli_streams import Exit, complain, print_text, report_bug, say
from kubecause.errors import EvidenceError, KnowledgeError, KubecauseError, UsageError
from kubecause.memory import leave, never_tidy_up, resting_collector

if TYPE_CHECKING:
    from kubecause.knowledge.schema import Case
    from kubecause.model import Result
    from kubecause.report.view import Report
    from kubecause.text import Language

_FAILING: Mapping[str, frozenset[str]] = {
    "never": frozenset(),
    "error": frozenset({"error"}),
    "warning": frozenset({"error", "warning"}),
}


# --- entry points -----------------------------------------------------------------------------------------


def command() -> NoReturn:
    """The process ``kubecause``."""
    never_tidy_up()
    leave(main())


def plugin_command() -> NoReturn:
    """The process ``kubectl-cause``, which kubectl runs for ``kubectl cause``."""
    never_tidy_up()
    leave(main_plugin())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``kubecause`` with the given arguments (default: those of the process) and return its exit code."""
    options = argparse.Namespace(verbose=False)
    try:
        build_parser().parse_args(arguments, options)
        with resting_collector():
            return _COMMANDS[options.command](options)
    except SystemExit as end:  # argparse: --help, --version, wrong usage
        return end.code if isinstance(end.code, int) else Exit.LOOKED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except UsageError as error:
        return complain(str(error), Exit.WRONG_USAGE)
    except EvidenceError as error:
        return complain(str(error), Exit.NOTHING_SEEN)
    except KnowledgeError as error:
        more = f" (and {len(error.problems) - 1} more; `kubecause cases lint` lists them)" if len(error.problems) > 1 else ""
        return complain(f"the case files are broken: {''.join(error.problems[:1])}{more}", Exit.TOOL_FAILED)
    except KubecauseError as error:
        return complain(str(error), Exit.TOOL_FAILED)
    except Exception as error:
        return report_bug(error, verbose=options.verbose)


def main_plugin(arguments: Sequence[str] | None = None) -> int:
    """Answer ``kubectl cause …``, which is ``kubecause why …``: kubectl hands its plugins all arguments."""
    return main(["why", *(sys.argv[1:] if arguments is None else arguments)])


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
        say("reading what you paste; end with Ctrl-D on a line of its own")

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
        say(f"{requests} requests to the API server")
    return _report(result, options)


def _collect(options: argparse.Namespace) -> int:
    """``kubecause collect``: the file is the answer, one line on standard error says what is in it."""
    from kubecause.cli_collect import collect

    collected = collect(options)
    if not options.quiet:
        say(collected.sentence)
    return Exit.LOOKED if collected.documents else Exit.NOTHING_SEEN


def _rbac(options: argparse.Namespace) -> int:
    """``kubecause rbac``: YAML on standard output."""
    from kubecause.cli_rbac import rbac

    print_text(rbac(options, options.lang or language_of(os.environ)), "yaml")
    return Exit.LOOKED


def _report(result: Result, options: argparse.Namespace) -> Exit:
    """Print a result in the form and language asked for; returns the exit code it means."""
    from kubecause.knowledge import shipped
    from kubecause.report import render
    from kubecause.report.view import build

    cases = shipped().cases
    language: Language = options.lang or language_of(os.environ)
    if options.quiet and options.output in ("text", "wide"):
        print_text("\n".join(_headlines(build(result, cases, language))), options.output)
    else:
        report = render(result, cases, output=options.output, language=language)
        print_text(report, options.output)
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
    say(
        f"read {result.source_kind} {result.source_name} ({bytes_read:,} bytes) in {seconds:.1f} s: "
        f"{len(result.diagnoses)} diagnoses, {len(result.clear)} faults ruled out, {len(result.gaps)} gaps"
    )
    for gap in result.gaps:
        say(f"not looked at: {gap.what}: {gap.why}")


def _explain(options: argparse.Namespace) -> int:
    """``kubecause explain``: an unknown word is no failure; the look-up was made."""
    from kubecause.cli_explain import answer

    word = " ".join(options.words)
    language: Language = options.lang or language_of(os.environ)
    text = answer(word, options.output, language, quiet=options.quiet)
    if text is None:
        say(f"nothing is known about {word!r}; try a fault id, a pod status, an exit code or the words of an error message")
    else:
        print_text(text, options.output)
    return Exit.LOOKED


def _cases(options: argparse.Namespace) -> int:
    """``kubecause cases …``: everything authors do stands in :mod:`kubecause.cli_cases`."""
    from kubecause import cli_cases

    folder: Path | None = options.folder
    if options.action == "list":
        language: Language = options.lang or language_of(os.environ)
        print_text(cli_cases.list_cases(folder, options.output, language), options.output)
        return Exit.LOOKED
    if options.action == "new":
        print_text(cli_cases.new_case(options.fault, folder), "text")
        return Exit.LOOKED
    found = cli_cases.lint_cases(folder) if options.action == "lint" else cli_cases.check_examples(options.ids, folder)
    print_text("\n".join(found.lines), "text")
    return Exit.TOOL_FAILED if found.failed else Exit.LOOKED


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "read": _read,
    "why": _why,
    "collect": _collect,
    "rbac": _rbac,
    "explain": _explain,
    "cases": _cases,
}
