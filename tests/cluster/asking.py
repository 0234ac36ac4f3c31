"""Asking kubecause about a scenario, the way people do, and judging the answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .daemons import RangeError
from .range import Range
from .scenarios import Scenario
from .staging import Stage

IDENTITIES = ("admin", "role", "view")
OUTPUTS = ("json", "text")
_LIMIT = 90.0
_ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said first, and whether it is right."""

    identity: str
    fault: str | None
    entity: str | None
    status: str | None
    fault_right: bool
    entity_right: bool
    wrongly_confirmed: bool
    seconds: float
    gaps: int
    also: tuple[str, ...]  # the faults of the diagnoses after the first

    @property
    def right(self) -> bool:
        """Both."""
        return self.fault_right and self.entity_right


def ask(stage: Stage, identity: str) -> Answer:
    """Run ``kubecause why`` as one of the range's users; raises RangeError when it fails."""
    words = [stage.filled(word) for word in stage.scenario.read]
    started = time.monotonic()
    printed = kubecause(["why", *words, "--kubeconfig", str(stage.cluster.plane.kubeconfig(identity)), "-o", "json"])
    seconds = time.monotonic() - started
    (stage.folder / f"{identity}.json").write_text(printed, encoding="utf-8")
    return judge(stage, identity, json.loads(printed), seconds)


def judge(stage: Stage, identity: str, report: Mapping[str, Any], seconds: float) -> Answer:
    """Compare the first diagnosis with what the scenario wants."""
    scenario, diagnoses = stage.scenario, report["diagnoses"]
    first = diagnoses[0] if diagnoses else None
    if scenario.silent:
        fault_right = entity_right = not diagnoses and not report["symptoms"]
    else:
        fault_right = first is not None and first["fault"] in scenario.faults
        entity_right = first is not None and same_entity(stage, first["entity"])
    if identity == "view" and scenario.unseen and (first is None or first["status"] != "confirmed"):
        fault_right = entity_right = True  # what cannot be seen may stay open, but never be a wrong certainty
    return Answer(
        identity=identity,
        fault=first and first["fault"],
        entity=first and shown(first["entity"]),
        status=first and first["status"],
        fault_right=fault_right,
        entity_right=entity_right,
        wrongly_confirmed=bool(first and first["status"] == "confirmed" and not fault_right),
        seconds=seconds,
        gaps=len(report["gaps"]),
        also=tuple(one["fault"] for one in diagnoses[1:]),
    )


def same_entity(stage: Stage, entity: Mapping[str, Any]) -> bool:
    """Kind, name and namespace; the scenario's own namespace unless it names another or none. A name of null fits any."""
    wanted = {"namespace": stage.scenario.namespace, **stage.scenario.entity}
    for field, value in wanted.items():
        if field == "name" and value is None:
            continue
        if (stage.filled(value) if value else value) != entity.get(field):
            return False
    return True


def shown(entity: Mapping[str, Any]) -> str:
    """``Deployment s-x/web``."""
    name = "/".join(str(part) for part in (entity.get("namespace"), entity.get("pod"), entity.get("name")) if part)
    return f"{entity.get('kind')} {name}".strip()


def expected(scenario: Scenario) -> str:
    """The same of what a scenario wants."""
    if scenario.silent:
        return "nothing"
    return shown({"namespace": scenario.namespace, **scenario.entity})


def same_from_bundle(stage: Stage, identity: str = "admin") -> str:
    """Collect, and diagnose again from the bundle: the same report byte for byte, or what differs; empty when the same.

    One process diagnoses, prints and saves, because a cluster is never asked twice with the same answer: times pass.
    """
    bundle = stage.folder / f"{identity}.tar.zst"
    bundle.unlink(missing_ok=True)
    words = [stage.filled(word) for word in stage.scenario.read]
    config = str(stage.cluster.plane.kubeconfig(identity))
    _run([sys.executable, str(Path(__file__).with_name("save_and_print.py")), str(bundle), *words, "--kubeconfig", config])
    for output in OUTPUTS:
        live = bundle.with_name(f"{bundle.name}.{output}").read_text(encoding="utf-8")
        again = kubecause(["read", str(bundle), "-o", output, "--lang", "en"])
        if live.rstrip("\n") != again.rstrip("\n"):
            bundle.with_name(f"{bundle.name}.again.{output}").write_text(again, encoding="utf-8")
            return f"-o {output} differs"
    return ""


def kubecause(arguments: Sequence[str]) -> str:
    """Run the command line; raises RangeError when it fails."""
    program = Path(sys.executable).with_name("kubecause")
    return _run([str(program), *arguments])


def _run(command: Sequence[str]) -> str:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}
    try:
        done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False, timeout=_LIMIT)
    except subprocess.TimeoutExpired:
        raise RangeError(f"`{' '.join(command)}` did not end in {_LIMIT:g} s") from None
    # 4: nothing could be looked at; that is an answer too, with gaps.
    if done.returncode not in {0, 4}:
        raise RangeError(f"`{' '.join(command)}` ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout


def bind_role(cluster: Range) -> None:
    """Give the user ``role`` what ``kubecause rbac`` prints, and nothing else."""
    cluster.plane.kubectl("apply", "-f", "-", stdin=kubecause(["rbac", "--user", "role"]))
