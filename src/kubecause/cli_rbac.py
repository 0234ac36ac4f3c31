"""``kubecause rbac``: the smallest role kubecause works with, as YAML to read and apply; nothing is ever applied here.

``--helper NAME`` adds a grant for somebody from outside that ends by itself: a ServiceAccount of their own, a binding, and
the commands for a token of a few hours, a kubeconfig with it, and the removal of everything.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from kubecause.errors import UsageError

if TYPE_CHECKING:
    from kubecause.evidence.cluster.permissions import Permission
    from kubecause.text import Language

ROLE = "kubecause"
HELPERS = "kubecause-helpers"  # namespace of the helpers' accounts
MOST_HOURS = 72
_API = "rbac.authorization.k8s.io"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_RESOURCE = re.compile(r"[a-z0-9]+\.[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


def add_rbac_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of ``kubecause rbac``."""
    parser.add_argument("-n", "--namespace", metavar="NS", help="a Role within this namespace instead of a ClusterRole")
    parser.add_argument("--with", dest="more", metavar="PART,…", default="", help="add optional parts: metrics")
    parser.add_argument(
        "--without",
        dest="less",
        metavar="PART,…",
        default="",
        help="leave out optional parts: nodes, volumes, classes, webhooks, leases, grants, crds",
    )
    parser.add_argument(
        "--also",
        metavar="RESOURCE.GROUP",
        action="append",
        default=[],
        help="read a custom resource too: certificates.cert-manager.io",
    )
    parser.add_argument("--user", metavar="NAME", action="append", default=[], help="bind the role to this user")
    parser.add_argument("--group", metavar="NAME", action="append", default=[], help="bind the role to this group")
    parser.add_argument("--helper", metavar="NAME", help="a grant for a helper from outside, which ends by itself")
    parser.add_argument(
        "--hours", metavar="N", type=int, default=8, help=f"how long the helper's token works: 1 to {MOST_HOURS} (default 8)"
    )
    parser.add_argument("--lang", choices=("en", "zh"), help="language of the comments (default: from the locale)")


class _Grant(NamedTuple):
    """What is to be printed."""

    permissions: tuple[Permission, ...]
    namespace: str | None
    users: tuple[str, ...]
    groups: tuple[str, ...]
    helper: str | None
    hours: int
    language: Language

    @property
    def home(self) -> str:
        """The namespace of the helper's ServiceAccount."""
        return self.namespace or HELPERS

    @property
    def binding(self) -> str:
        """Name of the binding."""
        return f"{ROLE}-helper-{self.helper}" if self.helper else ROLE

    @property
    def role_kind(self) -> str:
        """Role or ClusterRole."""
        return "Role" if self.namespace else "ClusterRole"

    def say(self, name: str, part: str = "") -> str:
        """A sentence in the language asked for, about a part of the role where it is about one."""
        text = _WORDS[name][self.language == "zh"]
        return text.format(helper=self.helper, hours=self.hours, role=ROLE, namespace=self.namespace, part=part)


def rbac(options: argparse.Namespace, language: Language) -> str:
    """The YAML that the flags ask for, with comments.

    :raises UsageError: for names that no object can have, parts that do not exist, and hours out of range.
    """
    return "\n".join(_lines(_grant(options, language))) + "\n"


# --- flags ------------------------------------------------------------------------------------------------


def _grant(options: argparse.Namespace, language: Language) -> _Grant:
    from kubecause.evidence.cluster.permissions import BASE, PARTS, PERMISSIONS, Permission

    optional = [name for name in PARTS if name != BASE]
    more, less = (_parts(flag, text, optional) for flag, text in (("--with", options.more), ("--without", options.less)))
    if more & less:
        raise UsageError(f"part {min(more & less)} is in --with and in --without; name it once")
    wanted = {name for name, part in PARTS.items() if name not in less and (part.default or name in more)}
    for what, name in (("namespace", options.namespace), ("--helper", options.helper)):
        if name is not None and not _LABEL.fullmatch(name):
            raise UsageError(f"{what} {name!r} is no name for an object; use lower-case letters, digits and -")
    if not 1 <= options.hours <= MOST_HOURS:
        raise UsageError(f"--hours {options.hours} is out of range; 1 to {MOST_HOURS}, for a grant that ends by itself")
    own = [p for p in PERMISSIONS.values() if p.part in wanted and (p.namespaced or not options.namespace)]
    if options.namespace:
        own = [p for p in own if p.part != "leases"]  # those that matter live in namespaces of the system
    also = [Permission(_custom(name), ("get", "list"), "also", namespaced=True, hides=()) for name in options.also]
    return _Grant(
        (*own, *also),
        options.namespace,
        tuple(options.user),
        tuple(options.group),
        options.helper,
        options.hours,
        language,
    )


def _parts(flag: str, text: str, known: Sequence[str]) -> set[str]:
    names = {name.strip() for name in text.split(",") if name.strip()}
    if strange := names - set(known):
        raise UsageError(f"{flag} {min(strange)} is no optional part; known: {', '.join(known)}")
    return names


def _custom(name: str) -> str:
    if not _RESOURCE.fullmatch(name):
        raise UsageError(f"--also {name!r} is no custom resource; write its plural and group, as in certificates.cert-manager.io")
    return name


# --- YAML -------------------------------------------------------------------------------------------------


def _lines(grant: _Grant) -> Iterator[str]:
    yield from _comment(grant, "head", "left_out", "gaps", *(["in_namespace"] if grant.namespace else []))
    if grant.helper:
        yield "#"
        yield from _comment(grant, "helper", "helper_sees", "helper_ends")
        yield from _account(grant)
    yield from _role(grant)
    if grant.helper or grant.users or grant.groups or grant.namespace:
        yield from _binding(grant)
    else:
        yield from _comment(grant, "bind")
    if grant.helper:
        yield from _steps(grant)


def _comment(grant: _Grant, *names: str, indent: str = "", part: str = "") -> Iterator[str]:
    for name in names:
        for line in grant.say(name, part).splitlines():
            yield f"{indent}# {line}".rstrip()


def _object(kind: str, name: str, namespace: str | None = None, api: str = f"{_API}/v1") -> Iterator[str]:
    yield from (f"apiVersion: {api}", f"kind: {kind}", "metadata:", f"  name: {name}")
    if namespace:
        yield f"  namespace: {namespace}"
    yield "  labels:"
    yield "    app.kubernetes.io/part-of: kubecause"


def _account(grant: _Grant) -> Iterator[str]:
    if not grant.namespace:
        yield from _object("Namespace", HELPERS, api="v1")
        yield "---"
    yield from _object("ServiceAccount", str(grant.helper), grant.home, api="v1")
    yield "automountServiceAccountToken: false"
    yield "---"


def _role(grant: _Grant) -> Iterator[str]:
    from kubecause.evidence.cluster.permissions import BASE, PARTS

    yield from _object(grant.role_kind, ROLE, grant.namespace)
    yield "rules:"
    for name in dict.fromkeys(p.part for p in grant.permissions):
        if name in PARTS:
            yield f"  # {name}: {PARTS[name].purpose.to(grant.language)}"
            if name != BASE:
                yield from _comment(grant, "optional" if PARTS[name].default else "added", indent="  ", part=name)
        else:
            yield from _comment(grant, "also", indent="  ")
        yield from _rules([p for p in grant.permissions if p.part == name], in_namespace=bool(grant.namespace))


def _rules(permissions: Iterable[Permission], *, in_namespace: bool) -> Iterator[str]:
    """One rule for each group and set of verbs; a Role can grant reading its own namespace, but not listing namespaces."""
    rules: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for permission in permissions:
        verbs = ("get",) if in_namespace and permission.resource == "namespaces" else permission.verbs
        rules.setdefault((permission.group, verbs), []).append(permission.name)
    for (group, verbs), resources in rules.items():
        yield f"  - apiGroups: [{group or _quoted('')}]"
        yield f"    resources: [{', '.join(resources)}]"
        yield f"    verbs: [{', '.join(verbs)}]"


def _binding(grant: _Grant) -> Iterator[str]:
    yield "---"
    yield from _object(f"{grant.role_kind}Binding", grant.binding, grant.namespace)
    yield from ("roleRef:", f"  apiGroup: {_API}", f"  kind: {grant.role_kind}", f"  name: {ROLE}")
    subjects = [("User", name) for name in grant.users] + [("Group", name) for name in grant.groups]
    if not subjects and not grant.helper:
        yield from _comment(grant, "nobody")
        yield "subjects: []"
        return
    yield "subjects:"
    for kind, name in subjects:
        yield from (f"  - apiGroup: {_API}", f"    kind: {kind}", f"    name: {_quoted(name)}")
    if grant.helper:
        yield from ("  - kind: ServiceAccount", f"    name: {grant.helper}", f"    namespace: {grant.home}")


def _quoted(text: str) -> str:
    """A string that YAML reads as it is: JSON is YAML."""
    return json.dumps(text)


def _steps(grant: _Grant) -> Iterator[str]:
    """What to do with it, as comments behind the objects."""
    name, home = grant.helper, grant.home
    config = f"kubectl --kubeconfig={name}.kubeconfig config"
    view = "kubectl config view --minify --flatten"
    scope = f" --namespace={home}" if grant.namespace else ""
    remove = [f"kubectl delete {grant.role_kind.lower()}binding {grant.binding}" + (f" -n {home}" if grant.namespace else "")]
    remove.append(f"kubectl delete serviceaccount {name} -n {home}")
    last = (
        f"kubectl delete role {ROLE} -n {home}" if grant.namespace else f"kubectl delete namespace/{HELPERS} clusterrole/{ROLE}"
    )
    asked = f"-n {home}" if grant.namespace else "-A"
    steps: tuple[tuple[str, list[str]], ...] = (
        ("token", [f"TOKEN=$(kubectl create token {name} -n {home} --duration={grant.hours}h)"]),
        (
            "kubeconfig",
            [
                f"SERVER=$({view} -o jsonpath='{{.clusters[0].cluster.server}}')",
                f"{view} --raw -o jsonpath='{{.clusters[0].cluster.certificate-authority-data}}' | base64 -d > {name}.ca.crt",
                f'{config} set-cluster cluster --server="$SERVER" --certificate-authority={name}.ca.crt --embed-certs',
                f'{config} set-credentials {name} --token="$TOKEN"',
                f"{config} set-context {name} --cluster=cluster --user={name}{scope}",
                f"{config} use-context {name}",
            ],
        ),
        (
            "check",
            [
                f"kubectl --kubeconfig={name}.kubeconfig auth can-i list pods {asked}",
                f"kubectl --kubeconfig={name}.kubeconfig auth can-i get secrets {asked}",
                f"kubecause why {asked} --kubeconfig={name}.kubeconfig",
            ],
        ),
        ("remove", remove),
        ("remove_last", [last]),
    )
    yield "---"
    for title, commands in steps:
        yield from _comment(grant, title)
        yield from (f"#   {command}" for command in commands)


_WORDS: dict[str, tuple[str, str]] = {
    "head": (
        "What kubecause may read: get and list, nothing else. This text is only printed; read it, then apply it yourself.",
        "kubecause 需要的读取权限：只有 get 和 list。以下内容仅打印，不会自动应用；请先审阅，再自行 apply。",
    ),
    "left_out": (
        "Left out on purpose: secrets, nodes/proxy, pods/exec, pods/attach, pods/portforward, watch, and every verb that writes.",
        "有意不包含：secrets、nodes/proxy、pods/exec、pods/attach、pods/portforward、watch，以及一切写操作。",
    ),
    "gaps": (
        "What is not granted becomes a gap in the report that names the permission and what it may hide.",
        "未授予的权限会列入报告的“没有看到的信息”，并注明缺少哪项权限、可能漏掉什么。",
    ),
    "in_namespace": (
        "This is a Role for namespace {namespace}: nodes, volumes and classes of the cluster stay unseen.",
        "这是命名空间 {namespace} 内的 Role：看不到集群级的节点、存储卷和各种 class。",
    ),
    "bind": (
        "Give it to somebody, for example:\n  kubectl create clusterrolebinding {role} --clusterrole={role} --user=NAME",
        "授予使用者，例如：\n  kubectl create clusterrolebinding {role} --clusterrole={role} --user=NAME",
    ),
    "nobody": (
        "Nobody yet: use --user NAME, --group NAME or --helper NAME.",
        "尚未授予任何人：请用 --user NAME、--group NAME 或 --helper NAME 指定。",
    ),
    "also": (
        "custom resources asked for with --also",
        "用 --also 指定的自定义资源",
    ),
    "optional": ("Optional: --without {part} leaves it out.", "可选：--without {part} 可去掉。"),
    "added": ("Asked for with --with {part}.", "由 --with {part} 加入。"),
    "helper": (
        "A grant for the helper {helper}, for {hours} hours: an account of its own, the role, and a token that expires.",
        "授予协助人员 {helper} 的临时权限，有效 {hours} 小时：独立账号、只读角色、会过期的令牌。",
    ),
    "helper_sees": (
        "Logs and config maps show what applications write there; -n NS narrows the grant to one namespace.",
        "日志和 ConfigMap 会暴露应用写入的内容；加 -n NS 可把授权限制在一个命名空间内。",
    ),
    "helper_ends": (
        "No Secret is made, and no pod uses the account. When the work is done, remove everything (step 4).",
        "不创建 Secret，也没有 Pod 使用该账号。排障结束后请全部删除（第 4 步）。",
    ),
    "token": (
        "1. After applying the objects above, make a token for {hours} hours (kubectl 1.24 or newer; the server may allow less):",
        "1. 应用以上对象后，签发有效期 {hours} 小时的令牌（需要 kubectl 1.24 以上；服务端可能限制得更短）：",
    ),
    "kubeconfig": (
        "2. Make a kubeconfig with it, and send it over a channel you trust:",
        "2. 用它生成 kubeconfig，并通过可信渠道发送：",
    ),
    "check": (
        "3. Check what it may do (yes, then no), and use it:",
        "3. 确认权限范围（应依次为 yes、no），然后使用：",
    ),
    "remove": (
        "4. When the work is done, take everything away; the rights end at once, the token within seconds:",
        "4. 工作结束后全部收回；权限立即失效，令牌在数秒内失效：",
    ),
    "remove_last": (
        "   and, when nobody else uses them:",
        "   如果没有其他人在用，再执行：",
    ),
}
