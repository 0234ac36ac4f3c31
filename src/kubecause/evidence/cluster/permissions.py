"""What kubecause may ask of an API server: resources and verbs, what each is for, and what is not seen without it.

The one table behind ``kubecause rbac``, which prints it as a role, and behind the gaps of refused requests. Everything is
read-only. Never in it: secrets (their values are in every answer), ``nodes/proxy``, ``pods/exec``, ``pods/attach`` and
``pods/portforward`` (they run or open things). ``watch`` is not needed. Rules: "Using RBAC Authorization" and "RBAC Good
Practices" of the Kubernetes documentation.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from kubecause.evidence.cluster.answers import Refused
from kubecause.model import Channel, Gap
from kubecause.text import Text

BASE = "base"


class Part(msgspec.Struct, frozen=True):
    """A part of the role, which can be left out (but for the base).

    :ivar default: whether it is in the role unless asked otherwise.
    """

    name: str
    purpose: Text
    default: bool = True


class Permission(msgspec.Struct, frozen=True):
    """What may be asked of one resource.

    :ivar resource: as refusals name it: ``pods/log``, ``deployments.apps``.
    :ivar part: the part of the role it belongs to.
    :ivar namespaced: whether a Role within one namespace can grant it.
    :ivar hides: fact kinds and channels that stay unseen when it is refused.
    """

    resource: str
    verbs: tuple[str, ...]
    part: str
    namespaced: bool
    hides: tuple[str, ...]

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.resource.partition(".")[2]

    @property
    def name(self) -> str:
        """The resource without its group, as a role names it: ``pods/log``, ``deployments``."""
        return self.resource.partition(".")[0]


PARTS: Mapping[str, Part] = {
    part.name: part
    for part in (
        Part(
            BASE,
            Text(
                en="pods with their logs and events, workloads, services, claims, quotas: what lives in namespaces",
                zh="命名空间内的资源：Pod 及其日志和事件、工作负载、Service、存储声明、配额",
            ),
        ),
        Part(
            "nodes",
            Text(
                en="conditions, taints and capacity of nodes; without them node and scheduling faults are at most probable",
                zh="节点的状况、污点和容量；缺少时，节点和调度类故障最多只能判定为“很可能”",
            ),
        ),
        Part(
            "volumes",
            Text(
                en="persistent volumes, storage classes and drivers: why a claim stays pending or a volume is not attached",
                zh="持久卷、存储类和 CSI 驱动：存储声明为何一直 Pending，卷为何挂载不上",
            ),
        ),
        Part(
            "classes",
            Text(
                en="ingress, priority and runtime classes: whether the class an object names exists",
                zh="Ingress、优先级和运行时的 class：对象引用的 class 是否存在",
            ),
        ),
        Part(
            "webhooks",
            Text(
                en="admission webhooks and aggregated APIs: what rejects or delays every change",
                zh="准入 webhook 和聚合 API：哪个组件拒绝或拖慢了所有变更",
            ),
        ),
        Part(
            "leases",
            Text(
                en="whether scheduler, controller manager and kubelets still report",
                zh="调度器、控制器管理器和 kubelet 是否仍在续约",
            ),
        ),
        Part(
            "grants",
            Text(
                en="roles and bindings: who holds standing admin rights, what an account may do; no secrets in them",
                zh="角色与绑定：谁长期持有管理员权限、某个账号能做什么；其中不含机密",
            ),
        ),
        Part(
            "crds",
            Text(
                en="definitions of custom resources; the custom resources themselves need a rule of their own (--also)",
                zh="自定义资源的定义；自定义资源本身需另加规则（--also）",
            ),
        ),
        Part(
            "metrics",
            Text(
                en="current use of memory and CPU, where metrics-server runs",
                zh="当前内存和 CPU 用量（需要部署 metrics-server）",
            ),
            default=False,
        ),
    )
}

_READ = ("get", "list")
_STATUS = str(Channel.STATUS)
# Never in a role; asked for as a table of names, where an Ingress names one and the user may list them anyway.
_HIDDEN_ELSE: Mapping[str, tuple[str, ...]] = {"secrets": ("ingress.broken",)}
_LOGS = (str(Channel.APP_LOG), str(Channel.COMPONENT_LOG))


def _permissions(text: str) -> dict[str, Permission]:
    """Rows ``resource scope part: what a refusal hides``; scope is ``ns`` or ``cluster``."""
    out = {}
    for row in text.strip().splitlines():
        left, _, hides = row.partition(":")
        resource, scope, part = left.split()
        verbs = ("get",) if resource == "pods/log" else _READ
        out[resource] = Permission(resource, verbs, part, scope == "ns", tuple(hides.split()))
    return out


PERMISSIONS: Mapping[str, Permission] = _permissions("""
pods                                                        ns       base      : pod.status container.state status
pods/log                                                    ns       base      : app-log component-log
events                                                      ns       base      : event
services                                                    ns       base      : service.state service.broken
endpoints                                                   ns       base      : service.broken
endpointslices.discovery.k8s.io                             ns       base      : service.state service.broken
configmaps                                                  ns       base      : status
serviceaccounts                                             ns       base      : grant.standing
persistentvolumeclaims                                      ns       base      : claim.state claim.unbindable
resourcequotas                                              ns       base      : quota.exceeded
limitranges                                                 ns       base      : status
namespaces                                                  ns       base      : namespace.state
replicationcontrollers                                      ns       base      : workload.replicas
deployments.apps                                            ns       base      : workload.replicas change
replicasets.apps                                            ns       base      : workload.replicas change
statefulsets.apps                                           ns       base      : workload.replicas
daemonsets.apps                                             ns       base      : workload.replicas
jobs.batch                                                  ns       base      : status
cronjobs.batch                                              ns       base      : status
horizontalpodautoscalers.autoscaling                        ns       base      : status
poddisruptionbudgets.policy                                 ns       base      : status
ingresses.networking.k8s.io                                 ns       base      : service.broken
networkpolicies.networking.k8s.io                           ns       base      : service.broken
nodes                                                       cluster  nodes     : node.state node.condition scheduling.blocked
persistentvolumes                                           cluster  volumes   : claim.unbindable
storageclasses.storage.k8s.io                               cluster  volumes   : claim.unbindable
csinodes.storage.k8s.io                                     cluster  volumes   : scheduling.blocked
csidrivers.storage.k8s.io                                   cluster  volumes   : claim.unbindable
volumeattachments.storage.k8s.io                            cluster  volumes   : status
ingressclasses.networking.k8s.io                            cluster  classes   : service.broken
priorityclasses.scheduling.k8s.io                           cluster  classes   : scheduling.blocked
runtimeclasses.node.k8s.io                                  cluster  classes   : status
validatingwebhookconfigurations.admissionregistration.k8s.io cluster webhooks  : status
mutatingwebhookconfigurations.admissionregistration.k8s.io  cluster  webhooks  : status
apiservices.apiregistration.k8s.io                          cluster  webhooks  : status
leases.coordination.k8s.io                                  ns       leases    : component.down
clusterroles.rbac.authorization.k8s.io                      cluster  grants    : grant.standing
clusterrolebindings.rbac.authorization.k8s.io               cluster  grants    : grant.standing
roles.rbac.authorization.k8s.io                             ns       grants    : grant.standing
rolebindings.rbac.authorization.k8s.io                      ns       grants    : grant.standing
customresourcedefinitions.apiextensions.k8s.io              cluster  crds      : status
nodes.metrics.k8s.io                                        cluster  metrics   : memory cpu
pods.metrics.k8s.io                                         ns       metrics   : memory cpu
""")


def permitted(verb: str, resource: str) -> bool:
    """Whether the table allows a verb on a resource (``get``, ``pods/log``)."""
    permission = PERMISSIONS.get(resource)
    return permission is not None and verb in permission.verbs


def gap_of(refused: Refused) -> Gap:
    """The gap that a refused request leaves: what it was about, why, the permission, and what stays unseen.

    A custom resource, which the table does not know, hides its conditions.
    """
    permission = PERMISSIONS.get(refused.resource)
    hides = permission.hides if permission else _HIDDEN_ELSE.get(refused.resource, (_STATUS,))
    return Gap(_what(refused), _why(refused), refused.verb, refused.resource, hides)


def _what(refused: Refused) -> str:
    if refused.resource == "pods/log":
        return f"logs of pod {refused.namespace}/{refused.name}"
    path = "/".join(part for part in (refused.namespace, refused.name) if part)
    if refused.name:
        return f"{refused.resource} {path}"
    return f"{refused.resource} of namespace {refused.namespace}" if refused.namespace else refused.resource


def _why(refused: Refused) -> str:
    if refused.status == 403:
        return f"forbidden: {refused.resource}"
    if refused.status == 401:
        return "unauthorized: the credentials were rejected"
    said = " ".join(refused.message.split())[:160]
    return f"{refused.reason}: {said}" if said else refused.reason
