"""Fixes written for Deployments, turned into what the API takes for pods, Jobs and CronJobs."""

from kubecause.knowledge.schema import Fix, Step, Verify
from kubecause.knowledge.template_changes import fixes_for
from kubecause.text import Text

STATUS = Verify(at="client", run="kubectl -n <namespace> rollout status <kind>/<name>", expect="successfully rolled out")
RAISE = Fix(
    title=Text(en="Raise the limit", zh="调高上限"),
    risk="disruptive",
    changes="template",
    steps=[
        Step(at="client", run="kubectl -n <namespace> create configmap <configmap>"),
        Step(at="client", run="kubectl -n <namespace> set resources <kind>/<name> --limits=memory=<new-limit>"),
        Step(at="client", run="kubectl -n <namespace> rollout restart <kind>/<name>"),
    ],
    verify=STATUS,
)
UNDO = Fix(
    title=Text(en="Undo", zh="回滚"),
    risk="disruptive",
    changes="revision",
    steps=[Step(at="client", run="kubectl -n <namespace> rollout undo <kind>/<name>")],
    verify=STATUS,
)
FREE = Fix(title=Text(en="Free memory", zh="释放内存"), risk="safe", steps=[Step(at="node", run="free")], verify=STATUS)


def commands(kind: str, *fixes: Fix) -> list[str]:
    """All commands that would be printed, checks included."""
    return [run for fix in fixes_for(kind, fixes) for run in (*(step.run for step in fix.steps), fix.verify.run)]


def test_deployments_keep_what_the_case_says() -> None:
    """Nothing is rewritten where kubectl takes the commands as they are."""
    assert [RAISE, UNDO, FREE] == fixes_for("Deployment", [RAISE, UNDO, FREE])


def test_a_pod_is_replaced() -> None:
    """The API refuses to change the resources of a pod; steps on other objects stay."""
    assert [
        "kubectl -n <namespace> create configmap <configmap>",
        "kubectl -n <namespace> get pod <name> -o yaml > <name>.yaml",
        "${EDITOR:-vi} <name>.yaml",
        "kubectl -n <namespace> replace --force -f <name>.yaml",
        "kubectl -n <namespace> get pod <name>",
    ] == commands("Pod", RAISE)


def test_a_job_is_made_anew() -> None:
    """The template of a Job is immutable."""
    assert "kubectl -n <namespace> delete job <name>" in commands("Job", RAISE)
    assert not any("set resources" in run or "rollout" in run for run in commands("Job", RAISE, UNDO))


def test_a_cronjob_takes_the_change_and_one_run_proves_it() -> None:
    """CronJobs can be edited but not rolled out."""
    runs = commands("CronJob", RAISE, UNDO)

    assert "kubectl -n <namespace> set resources <kind>/<name> --limits=memory=<new-limit>" in runs
    assert "kubectl -n <namespace> create job <name>-check --from=cronjob/<name>" in runs
    assert not any("rollout" in run for run in runs)


def test_fixes_that_change_no_template_stay() -> None:
    """They say nothing about the kind."""
    assert [FREE] == fixes_for("Pod", [UNDO, FREE])
