"""``python -m tests.cluster``: start the test range, run scenarios on it, take it down."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from .asking import IDENTITIES
from .daemons import RangeError, wait_for
from .programs import ALL, find_programs, install_packages
from .range import DEFAULT_FOLDER, Range, changes, open_range
from .running import PARALLEL, Plan, run_scenarios, save_outcomes, summary
from .scenarios import Scenario, load_scenarios
from .staging import Stage


def main() -> int:
    """Run one command; errors are one line."""
    arguments = _parser().parse_args()
    try:
        return int(arguments.command(arguments))
    except RangeError as error:
        print(f"tests.cluster: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where the range keeps everything")
    commands = parser.add_subparsers(required=True)
    up = commands.add_parser("up", help="start the range, or what of it does not run")
    up.add_argument("--fresh", action="store_true", help="take a range that runs down first")
    up.set_defaults(command=_up)
    commands.add_parser("down", help="end it and leave the machine as it was").set_defaults(command=_down)
    commands.add_parser("reset", help="delete all namespaces of scenarios, heal the nodes").set_defaults(command=_reset)
    commands.add_parser("heal", help="everything of the range itself as it was at its start").set_defaults(command=_heal)
    run = commands.add_parser("run", help="make the faults of scenarios and ask kubecause about them")
    run.add_argument("names", nargs="*", metavar="NAME", help="scenarios, or files of scenarios (default: all)")
    run.add_argument("--as", dest="identities", default="admin", help="admin, role, view, or several with commas")
    run.add_argument("--quick", action="store_true", help="of the scenarios that run alone, only those marked quick")
    run.add_argument("--shared", action="store_true", help="none of the scenarios that run alone")
    run.add_argument("--bundles", action="store_true", help="collect too, and compare the report from the bundle")
    run.add_argument("--keep", action="store_true", help="leave the faults standing")
    run.add_argument("--no-ask", dest="ask", action="store_false", help="only make the faults and wait until they show")
    run.add_argument("--parallel", type=int, default=PARALLEL, help="scenarios at a time")
    run.add_argument("--json", type=Path, help="write all outcomes to this file")
    run.set_defaults(command=_run)
    commands.add_parser("list", help="print the scenarios").set_defaults(command=_list, names=[])
    clear = commands.add_parser("clear", help="remove what `run --keep` left")
    clear.add_argument("names", nargs="*", metavar="NAME")
    clear.set_defaults(command=_clear)
    commands.add_parser("build", help="build the programs that are missing").set_defaults(command=_build)
    commands.add_parser("prepare", help="install packages and build programs that are missing").set_defaults(command=_prepare)
    commands.add_parser("changes", help="say what a range changes on this machine").set_defaults(command=_changes)
    return parser


def _up(arguments: argparse.Namespace) -> int:
    opened = open_range(arguments.folder, build=True)
    if arguments.fresh:
        opened.stop()
        opened = open_range(arguments.folder, build=True)
    if not opened.healthy():
        opened.start()
    _tell(opened)
    return 0


def _tell(opened: Range) -> None:
    print(f"folder      {opened.folder}")
    for user in ("admin", "view", "role"):
        print(f"{user:11} {opened.plane.kubeconfig(user)}")
    print(f"shell       . {opened.folder}/env.sh")


def _down(arguments: argparse.Namespace) -> int:
    open_range(arguments.folder).stop()
    return 0


def _reset(arguments: argparse.Namespace) -> int:
    open_range(arguments.folder).reset()
    return 0


def _heal(arguments: argparse.Namespace) -> int:
    open_range(arguments.folder).heal()
    return 0


def _chosen(arguments: argparse.Namespace) -> list[Scenario]:
    """The scenarios named; what is wrong with others is told and does not stop these."""
    problems: list[str] = []
    chosen = load_scenarios(arguments.names, problems=problems)
    for problem in problems:
        print(f"left out: {problem}", file=sys.stderr)
    return chosen


def _run(arguments: argparse.Namespace) -> int:
    chosen = _chosen(arguments)
    if arguments.quick:
        chosen = [one for one in chosen if one.quick or not one.alone]
    if arguments.shared:
        chosen = [one for one in chosen if not one.alone]
    identities = arguments.identities.split(",")
    if unknown := set(identities) - set(IDENTITIES):
        raise RangeError(f"--as knows {', '.join(IDENTITIES)}, not {', '.join(sorted(unknown))}")
    cluster = open_range(arguments.folder)
    if not cluster.plane.daemon("etcd").alive() and not cluster.plane.daemon("kube-apiserver").alive():
        raise RangeError("the range is not up: python -m tests.cluster up")
    # Somebody else's scenario may have a node down just now.
    wait_for(cluster.healthy, 300, "the range is not healthy: python -m tests.cluster heal", every=2)
    plan = Plan(identities, arguments.bundles, arguments.keep, arguments.ask, arguments.parallel)
    started = time.monotonic()
    outcomes = run_scenarios(cluster, chosen, plan, lambda outcome: print(outcome.line(), flush=True))
    print(f"{len(outcomes)} scenarios in {time.monotonic() - started:.0f} s, {sum(not one.right for one in outcomes)} not right")
    print("\n".join(summary(outcomes, identities) if plan.ask else []))
    print(f"reports and what kubectl showed: {cluster.folder}/scenarios/NAME/")
    if arguments.json:
        save_outcomes(arguments.json, outcomes)
    return 0 if all(one.right for one in outcomes) else 3


def _list(arguments: argparse.Namespace) -> int:
    for one in _chosen(arguments):
        marks = " ".join(word for word, is_set in (("alone", one.alone), ("quick", one.quick)) if is_set)
        print(f"{one.file:14} {one.name:40} {one.faults[0]:40} {marks:12} {one.about}")
    return 0


def _clear(arguments: argparse.Namespace) -> int:
    cluster = open_range(arguments.folder)
    for one in _chosen(arguments):
        Stage(cluster, one).clear()
    return 0


def _build(_: argparse.Namespace) -> int:
    find_programs(ALL, build=True)
    return 0


def _prepare(_: argparse.Namespace) -> int:
    if os.geteuid() != 0:
        raise RangeError("the test range needs root: it makes network namespaces, mounts and cgroups")
    install_packages()
    find_programs(ALL, build=True)
    return 0


def _changes(_: argparse.Namespace) -> int:
    print(changes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
