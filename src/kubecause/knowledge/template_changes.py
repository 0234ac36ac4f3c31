"""How a pod template is changed where the object that carries it allows no change.

Cases write their commands for Deployments, StatefulSets and DaemonSets. The API server refuses most changes of a pod and
every change of a Job's template, and ``kubectl rollout`` knows no pods, Jobs and CronJobs (kubectl 1.34: "no status viewer
has been implemented", "pod updates may not change fields other than", "field is immutable").
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kubecause.knowledge.schema import Fix, Step, Verify
from kubecause.text import Text

_POD = (
    Step(at="client", run="kubectl -n <namespace> get pod <name> -o yaml > <name>.yaml"),
    Step(
        at="client",
        run="${EDITOR:-vi} <name>.yaml",
        only=Text(en="change it here; kubectl edit is refused", zh="在此修改；kubectl edit 无法改动 Pod 的这部分"),
    ),
    Step(at="client", run="kubectl -n <namespace> replace --force -f <name>.yaml"),
)
_JOB = (
    Step(at="client", run="kubectl -n <namespace> delete job <name>"),
    Step(
        at="client",
        run="kubectl -n <namespace> apply -f <corrected-job-manifest>",
        only=Text(en="the template of a Job that exists cannot be changed", zh="已有 Job 的模板不可修改"),
    ),
)
_CRONJOB = Step(
    at="client",
    run="kubectl -n <namespace> create job <name>-check --from=cronjob/<name>",
    only=Text(en="a first run with the new template", zh="用新模板试运行一次"),
)


def fixes_for(kind: str, fixes: Iterable[Fix]) -> list[Fix]:
    """The fixes of a case for an entity of this kind: those that name no other kinds.

    A fix that changes a template gets the commands that work on a pod, Job or CronJob; one that goes back to an earlier
    revision is left out for them, since they have none. All others stay as they are.
    """
    fitted = (_fitted(kind, fix) for fix in fixes if not fix.kinds or kind.lower() in fix.kinds)
    return [fix for fix in fitted if fix is not None]


def _fitted(kind: str, fix: Fix) -> Fix | None:
    if fix.changes is None or kind not in ("Pod", "Job", "CronJob"):
        return fix
    if fix.changes == "revision":
        return None
    if kind == "Pod":
        return msgspec.structs.replace(
            fix,
            risk="disruptive",
            harm=Text(en="the pod is deleted and made anew", zh="Pod 会被删除并重建"),
            steps=[*_elsewhere(fix), *_POD],
            verify=Verify(at="client", run="kubectl -n <namespace> get pod <name>", expect="Running"),
        )
    if kind == "Job":
        return msgspec.structs.replace(
            fix,
            risk="disruptive",
            harm=Text(en="the Job and its pods are deleted, and its work begins anew", zh="Job 及其 Pod 会被删除，任务从头开始"),
            steps=[*_elsewhere(fix), *_JOB],
            verify=Verify(at="client", run="kubectl -n <namespace> get job <name>", expect="Complete"),
        )
    return msgspec.structs.replace(
        fix,
        harm=Text(en="runs that are under way keep the old template", zh="正在运行的任务仍使用旧模板"),
        steps=[*(step for step in fix.steps if " rollout " not in step.run), _CRONJOB],
        verify=Verify(at="client", run="kubectl -n <namespace> get job <name>-check", expect="Complete"),
    )


def _elsewhere(fix: Fix) -> list[Step]:
    """The steps that touch another object than the one with the template: a ConfigMap, a node, an image."""
    return [step for step in fix.steps if "<kind>" not in step.run]
