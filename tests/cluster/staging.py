"""Making a scenario's fault on the range, waiting until it shows, and removing it again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .daemons import RangeError
from .range import Range
from .scenarios import Scenario, Sign, fill

_STEP_LIMIT = 240.0
_CREATED = 30.0  # seconds a namespace may take to get its service account


@dataclass(frozen=True, slots=True)
class Stage:
    """One scenario on the range."""

    cluster: Range
    scenario: Scenario

    @property
    def folder(self) -> Path:
        """Its manifests, reports and what kubectl showed."""
        return self.cluster.folder / "scenarios" / self.scenario.name

    @property
    def environment(self) -> Mapping[str, str]:
        """What its commands see."""
        return {**self.cluster.environment(), "NS": self.scenario.namespace}

    def filled(self, text: str) -> str:
        """A text of the scenario with namespace and registries in it."""
        return fill(text, self.environment)

    def make(self) -> None:
        """Namespace, objects, steps; raises RangeError with the command that failed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = self.scenario.namespace
        if set(self.scenario.namespaces) & set(namespaces(self.cluster)):  # left by somebody who looked around
            self.clear()
            wait_until_gone(self.cluster, [self.scenario])
        self.shell("kubectl create namespace $NS --dry-run=client -o yaml | kubectl apply -f - >/dev/null")
        end = time.monotonic() + _CREATED
        while not self.cluster.plane.has("serviceaccount", "default", name):
            if time.monotonic() > end:
                raise RangeError(f"namespace {name} got no service account in {_CREATED:g} s")
            time.sleep(0.3)
        if self.scenario.objects:
            path = self.folder / "objects.yaml"
            path.write_text(self.filled(self.scenario.objects), encoding="utf-8")
            self.shell(f"kubectl -n $NS apply -f {path}")
        for step in self.scenario.steps:
            self.shell(step)

    def wait(self) -> None:
        """Wait until every sign shows; raises RangeError with what was printed instead."""
        for sign in self.scenario.until:
            self._wait_for(sign)

    def _wait_for(self, sign: Sign) -> None:
        end = time.monotonic() + sign.within
        while True:
            started = time.monotonic()
            printed = self.shell(sign.run, check=False, within=min(_STEP_LIMIT, sign.within + 5))
            if re.search(sign.prints, printed):
                return
            if time.monotonic() > end:
                raise RangeError(f"after {sign.within:g} s `{sign.run}` prints no /{sign.prints}/: {printed.strip()[-400:]!r}")
            time.sleep(max(0.0, 1 - (time.monotonic() - started)))

    def keep_what_kubectl_shows(self) -> None:
        """Save objects, events and descriptions for whoever wonders about a result."""
        commands = (
            "kubectl -n $NS get all,pvc,cm,endpointslices -o wide",
            "kubectl -n $NS get events --sort-by=.lastTimestamp",
            "kubectl -n $NS describe pods",
            "kubectl -n $NS get pods -o yaml",
        )
        shown = [f"$ {command}\n{self.shell(command + ' 2>&1', check=False)}" for command in commands]
        (self.folder / "seen.txt").write_text("\n".join(shown), encoding="utf-8")

    def undo(self) -> None:
        """Run the undo steps, all of them even when one fails; raises RangeError for the first that did."""
        failures = []
        for step in self.scenario.undo:
            try:
                self.shell(step)
            except RangeError as error:
                failures.append(str(error))
        if failures:
            raise RangeError(failures[0])

    def clear(self) -> None:
        """Delete what it made, without waiting for it to be gone."""
        path = self.folder / "objects.yaml"
        if path.exists():
            self.shell(f"kubectl -n $NS delete -f {path} --ignore-not-found --wait=false --grace-period=1", check=False)
        self.shell("kubectl delete ns $NS $NS-gone --ignore-not-found --wait=false", check=False)

    def shell(self, command: str, *, check: bool = True, within: float = _STEP_LIMIT) -> str:
        """Run a bash line, which ends at its first failure if ``check`` is set; its process group ends with the time limit."""
        process = subprocess.Popen(
            ["bash", *(["-o", "pipefail", "-e"] if check else []), "-c", command],
            env=self.environment,
            cwd=self.cluster.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            printed, complaints = process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if not check:
                return ""
            raise RangeError(f"`{command[:200]}` did not end in {within:g} s") from None
        if check and process.returncode:
            raise RangeError(f"`{command[:200]}` failed: {(complaints or printed).strip()[-400:]}")
        return printed


def wait_until_gone(cluster: Range, scenarios: Iterable[Scenario], within: float = 120) -> None:
    """Wait until the namespaces of these scenarios are gone; raises RangeError with those that stay."""
    if left := drain(cluster, scenarios, within):
        raise RangeError(f"namespaces do not go: {', '.join(sorted(left))}")


def drain(cluster: Range, scenarios: Iterable[Scenario], within: float = 120) -> set[str]:
    """Wait for the namespaces of these scenarios to go and return those that stay.

    What holds a namespace back for long loses its finalizers.
    """
    mine = {name for one in scenarios for name in one.namespaces}
    started = time.monotonic()
    while left := mine & set(namespaces(cluster)):
        waited = time.monotonic() - started
        if waited > within:
            break
        if waited > within * 0.2:
            for name in left:
                release(cluster, name)
        time.sleep(1)
    return left


def namespaces(cluster: Range) -> list[str]:
    """The names of all namespaces."""
    return cluster.plane.kubectl("get", "ns", "-o", "jsonpath={.items[*].metadata.name}", check=False).split()


def release(cluster: Range, namespace: str) -> None:
    """Take the finalizers off everything in a namespace, as nobody else will."""
    plane = cluster.plane
    # Not --verbs=patch: a definition that is being deleted no longer lists that verb, though the server still takes it.
    kinds = plane.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name", check=False).split()
    said = plane.kubectl("-n", namespace, "get", ",".join(kinds), "-o", "json", "--ignore-not-found", check=False)
    for item in (json.loads(said) if said.strip() else {}).get("items", []):
        if item["metadata"].get("finalizers"):
            kind = f"{item['kind']}.{item['apiVersion'].rpartition('/')[0]}".rstrip(".")
            patch = '{"metadata":{"finalizers":null}}'
            plane.kubectl(*("-n", namespace, "patch", kind, item["metadata"]["name"], "--type=merge", "-p", patch), check=False)
    plane.kubectl("-n", namespace, "delete", "pods", "--all", "--force", "--grace-period=0", "--wait=false", check=False)
