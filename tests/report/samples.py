"""Small results and cases, made by hand, that the tests of the report share."""

from __future__ import annotations

from datetime import UTC, datetime

from kubecause import model
from kubecause.knowledge import schema
from kubecause.text import Text

HOSTILE = (
    "\x1b[2J\x1b[31mred\x1b[0m [bold]loud[/bold] \u202eevil \x9b1A \x07 ``` ```` <script>alert(1)</script> \x00 "
    "& ]]> | # *x* _y_ </pre>\n"
    "```\n<img src=x>\n\ud800"
)

CORDON_LINE = (
    "Warning  FailedScheduling  4m8s (x12 over 58m)  default-scheduler  0/4 nodes are available: 1 node(s) had untolerated "
    "taint {node-role.kubernetes.io/control-plane: }, 1 node(s) were unschedulable, 2 node(s) didn't match Pod's node "
    "affinity/selector. preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling."
)
BRIDGE_LINE = (
    'Jan 12 03:04:05 w2 containerd[812]: time="2026-01-12T03:04:05.123456789+08:00" level=error msg="RunPodSandbox for '
    '&PodSandboxMetadata{Name:api-7c9,Uid:5b1d,Namespace:shop,Attempt:0,} failed, error" error="failed to setup '
    'network for sandbox \\"8b1d\\": plugin type=\\"bridge\\" failed (add): failed to set bridge addr: '
    '\\"cni0\\" already has an IP address different from 10.244.1.1/24"'
)

_NO_EXAMPLES = schema.Examples(hit=[], miss=[])

CORDON = schema.Case(
    id="scheduling/node-cordoned",
    entity="node",
    status="tested",
    title=Text(
        en="Node <node> is cordoned and <workload> fits nowhere else",
        zh="节点 <node> 被 cordon，<workload> 没有其他节点可去",
    ),
    what=Text(
        en="Node <node> accepts no new pods, and it is the only one that satisfies what <workload> asks for. Its pods wait as "
        "Pending until the node is opened again or another node qualifies.",
        zh="节点 <node> 不再接受新 Pod，而满足 <workload> 调度要求的只有它。"
        "在它恢复调度或出现其他合适的节点之前，这些 Pod 会一直 Pending。",
    ),
    why=Text(
        en="Somebody ran kubectl cordon or drain before maintenance and did not undo it, or an autoscaler or upgrade "
        "stopped halfway.",
        zh="维护前执行过 kubectl cordon 或 drain，之后没有恢复；也可能是自动伸缩或升级中途停下了。",
    ),
    signals={
        "unschedulable": schema.Signal(
            channels=[model.Channel.EVENT],
            contains=["node(s) were unschedulable"],
            says=Text(en="the scheduler skipped <node> because it is cordoned", zh="调度器因为 <node> 被 cordon 而跳过了它"),
        ),
        "state": schema.Signal(
            fact="node.state",
            where={"unschedulable": True},
            says=Text(en="<node> is marked unschedulable", zh="<node> 标记为不可调度"),
        ),
    },
    match="unschedulable or state",
    confirmed="unschedulable and state",
    examples=_NO_EXAMPLES,
    references=[schema.Reference(url="https://kubernetes.io/docs/concepts/architecture/nodes/", tells="what cordoning does")],
    look=[
        schema.Look(
            at="client",
            run="kubectl get node <node> -o jsonpath='{.spec.unschedulable}'",
            tells=Text(en="true while it is cordoned", zh="为 true 表示仍处于 cordon 状态"),
        )
    ],
    fixes=[
        schema.Fix(
            title=Text(en="Open the node again", zh="恢复该节点的调度"),
            risk="safe",
            steps=[schema.Step(at="client", run="kubectl uncordon <node>")],
            verify=schema.Verify(at="client", run="kubectl get node <node>", expect="Ready"),
        ),
        schema.Fix(
            title=Text(en="Move the pods to another node", zh="把 Pod 迁到其他节点"),
            risk="disruptive",
            harm=Text(en="all pods of <workload> restart", zh="<workload> 的全部 Pod 会重启"),
            when=Text(en="the node is still being worked on", zh="节点仍在维护中"),
            steps=[
                schema.Step(at="client", run="kubectl label node <target> <label>"),
                schema.Step(
                    at="node",
                    run="systemctl restart kubelet\nsystemctl status kubelet",
                    only=Text(en="if the kubelet does not see the label", zh="kubelet 没有识别到标签时"),
                ),
            ],
            verify=schema.Verify(at="client", run="kubectl get pod -n <namespace> -o wide", expect="Running on <target>"),
        ),
    ],
)

BRIDGE = schema.Case(
    id="cni/bridge-address-conflict",
    entity="node",
    status="tested",
    title=Text(en="Bridge <bridge> keeps an address from another pod subnet", zh="网桥 <bridge> 仍保留旧 Pod 网段的地址"),
    what=Text(
        en="Node <node> now owns the pod subnet of <wanted>, but <bridge> still carries another address and the bridge plugin "
        "refuses to change it. No new pod on the node gets a network; running pods are untouched.",
        zh="节点 <node> 现在的 Pod 网关应为 <wanted>，但 <bridge> 上仍是别的地址，bridge 插件拒绝修改。"
        "该节点上的新 Pod 都拿不到网络，已运行的 Pod 不受影响。",
    ),
    why=Text(
        en="The bridge outlives the subnet. It is left over when a node is reset and joined again, deleted and registered anew "
        "with another podCIDR, moved to another CNI plugin, or given a new flannel lease.",
        zh="网桥比网段活得久：节点 reset 后重新加入、"
        "删除后重新注册并分到新的 podCIDR、更换 CNI 插件、flannel 租约变化，都会留下旧网桥。",
    ),
    signals={
        "refused": schema.Signal(
            contains=['"cni0" already has an IP address different from'],
            says=Text(en="the plugin refused to change the address", zh="插件拒绝修改地址"),
        )
    },
    match="refused",
    examples=_NO_EXAMPLES,
    references=[],
    severity="warning",
    look=[
        schema.Look(
            at="node", run="ip -o addr show <bridge>", tells=Text(en="the address the bridge really has", zh="网桥实际的地址")
        )
    ],
    fixes=[
        schema.Fix(
            title=Text(en="Delete the bridge; the next pod recreates it", zh="删除网桥，下一个 Pod 会重建它"),
            risk="destructive",
            harm=Text(en="every bridged pod on the node loses its network", zh="该节点上所有使用网桥的 Pod 断网"),
            steps=[schema.Step(at="node", run="ip link delete <bridge>")],
            verify=schema.Verify(at="node", run="ip -o addr show <bridge>", expect="<wanted>"),
        )
    ],
)

LOOPING = schema.Case(
    id="pod/crash-looping",
    entity="container",
    status="tested",
    title=Text(en="Container <container> keeps restarting", zh="容器 <container> 反复重启"),
    what=Text(en="It ends soon after each start.", zh="容器每次启动后很快退出。"),
    why=Text(en="Many causes end like this.", zh="很多原因都会表现成这样。"),
    signals={},
    match="seen",
    examples=_NO_EXAMPLES,
    references=[],
    severity="warning",
    symptom=True,
    fixes=[
        schema.Fix(
            title=Text(en="Never shown", zh="不显示"),
            risk="safe",
            steps=[schema.Step(at="client", run="true")],
            verify=schema.Verify(at="client", run="true", expect=""),
        )
    ],
)

CASES = {each.id: each for each in (CORDON, BRIDGE, LOOPING)}

CART = model.Entity("Deployment", "cart", "shop")
CONTAINER = model.Entity("Container", "web", "shop", pod="web-0")
NODE = model.Entity("Node", "w2")
PODS = tuple(model.Entity("Pod", f"cart-79b49f5555-{number:05}", "shop") for number in range(23))


def proof(text: str, line: int = 812, source: str = "transcript.txt") -> model.Proof:
    """A line of a document."""
    return model.Proof(source, text, line=line)


def diagnosis(
    fault: str,
    entity: model.Entity,
    *,
    status: model.Status = model.Status.CONFIRMED,
    chain: tuple[model.Link, ...] = (),
    affected: tuple[model.Entity, ...] = (),
    proofs: tuple[model.Proof, ...] = (),
    facts: tuple[model.Fact, ...] = (),
    signals: tuple[str, ...] = (),
    symptom: bool = False,
    confidence: float = 0.97,
    names: dict[str, str] | None = None,
) -> model.Diagnosis:
    """A diagnosis whose finding says the same."""
    finding = model.Finding(fault, entity, status, facts=facts, signals=signals)
    links = chain or (model.Link(fault, entity),)
    return model.Diagnosis(finding, entity, status, confidence, symptom, links, affected, proofs, names or {})


_STATE = model.Proof(
    "nodes.json", "true", field="items[w3].spec.unschedulable", time=datetime(2026, 1, 12, 3, 4, 5, tzinfo=UTC), count=12
)

CORDONED = diagnosis(
    "scheduling/node-cordoned",
    CART,
    chain=(model.Link("scheduling/node-cordoned", CART), model.Link("pod/stuck-pending", PODS[0])),
    affected=PODS,
    proofs=(proof(CORDON_LINE), proof(CORDON_LINE, 990), _STATE),
    facts=(model.Fact("node.state", model.Entity("Node", "w3"), proofs=(_STATE,)),),
    signals=("unschedulable", "state"),
    names={"node": "w3", "workload": "cart", "namespace": "shop"},
)

BRIDGED = diagnosis(
    "cni/bridge-address-conflict",
    NODE,
    status=model.Status.PROBABLE,
    confidence=0.7,
    chain=(
        model.Link("cni/bridge-address-conflict", NODE),
        model.Link("pod/stuck-creating", PODS[1]),
        model.Link("pod/stuck-creating", PODS[2]),
        model.Link("service/no-endpoints", model.Entity("Service", "api", "shop")),
    ),
    affected=(model.Entity("Service", "api", "shop"), PODS[1], PODS[2]),
    proofs=(proof(BRIDGE_LINE, 31, "w2/journalctl-containerd.txt"),),
    signals=("refused",),
    names={"bridge": "cni0", "node": "w2", "wanted": "10.244.1.1/24"},
)

CRASHING = diagnosis(
    "pod/crash-looping",
    CONTAINER,
    status=model.Status.POSSIBLE,
    confidence=0.4,
    symptom=True,
    affected=(CONTAINER,),
    proofs=(proof("web-0  0/1  CrashLoopBackOff  211 (2m ago)  18h", 14),),
    names={"container": "web"},
)

GAPS = (
    model.Gap("logs of pod shop/cart-0", "forbidden: pods/log", verb="get", resource="pods/log", hides=("container/oom-killed",)),
    model.Gap("previous logs of pod shop/web-0", "not in the bundle"),
)

FULL = model.Result(
    "capture", "case-17", (CORDONED, BRIDGED, CRASHING), clear=("node/disk-pressure", "dns/search-list-too-long"), gaps=GAPS
)
EMPTY = model.Result("text", "-")


def hostile() -> model.Result:
    """A result in which everything that comes from evidence tries to break out of the report."""
    entity = model.Entity("Pod", HOSTILE, HOSTILE)
    found = diagnosis(
        "cni/bridge-address-conflict",
        entity,
        status=model.Status.PROBABLE,
        chain=(model.Link("cni/bridge-address-conflict", entity), model.Link("pod/stuck-creating", entity)),
        affected=(entity,),
        proofs=(model.Proof(HOSTILE, HOSTILE, line=1), model.Proof("x", HOSTILE, field=HOSTILE)),
        names=dict.fromkeys(("bridge", "node", "wanted"), HOSTILE),
    )
    return model.Result("text", HOSTILE, (found,), gaps=(model.Gap(HOSTILE, HOSTILE, hides=(HOSTILE,)),))
