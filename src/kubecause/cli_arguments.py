"""The commands and flags of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from kubecause import __version__
from kubecause.cli_streams import Exit, one_line

OUTPUTS = ("text", "wide", "json", "yaml", "markdown", "html", "sarif", "junit")
FAIL_ON = ("never", "error", "warning")


class _Parser(argparse.ArgumentParser):
    """argparse, but an error is one line that says what to do."""

    def error(self, message: str) -> NoReturn:
        self.exit(Exit.WRONG_USAGE, f"kubecause: {one_line(message)}; see `{self.prog} --help`\n")


_AddCommand = Callable[..., argparse.ArgumentParser]


def build_parser() -> argparse.ArgumentParser:
    """All commands and flags; every command sets ``command`` to its name."""
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
    read.set_defaults(command="read")


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
    why.set_defaults(command="why")


def _add_collect(add_command: _AddCommand) -> None:
    from kubecause.cli_collect import add_collect_flags

    collect = add_command(
        "collect",
        help="save what `why` looks at, to be read later or elsewhere",
        description="Save what `why` looks at as one file without secrets; `kubecause read FILE` prints the same report.",
        allow_abbrev=False,
    )
    add_collect_flags(collect)
    collect.set_defaults(command="collect")


def _add_rbac(add_command: _AddCommand) -> None:
    from kubecause.cli_rbac import add_rbac_flags

    rbac = add_command(
        "rbac",
        help="print the smallest role kubecause works with",
        description="Print the smallest role kubecause works with, as YAML to read and apply; nothing is applied.",
        allow_abbrev=False,
    )
    add_rbac_flags(rbac)
    rbac.set_defaults(command="rbac")


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
    explain.set_defaults(command="explain")


def _add_report_flags(parser: argparse.ArgumentParser, outputs: Sequence[str] = OUTPUTS) -> None:
    parser.add_argument("-o", "--output", choices=outputs, default="text", metavar="FORMAT", help=f"one of {', '.join(outputs)}")
    parser.add_argument("--lang", choices=("en", "zh"), help="language of the texts (default: from the locale)")
    parser.add_argument(
        "--fail-on",
        choices=FAIL_ON,
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
        parser.set_defaults(command="cases", action=action)
