"""``kubecause rbac``: the role allows what the live source asks and nothing else; what it prints is YAML and never a secret."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubecause.cli_rbac import ROLE, add_rbac_flags, rbac
from kubecause.errors import UsageError
from kubecause.evidence import cluster
from kubecause.evidence.cluster.api import Refused
from kubecause.evidence.cluster.kinds import KINDS, kind_of_word
from kubecause.evidence.cluster.permissions import BASE, PARTS, PERMISSIONS, gap_of, permitted
from kubecause.evidence.cluster.screen import FULL_KINDS
from kubecause.model import Channel
from kubecause.vocabulary import FACT_KINDS

Object = dict[str, Any]
READ_ONLY = {"get", "list"}
# What runs things, opens ways in, or carries values of secrets.
NEVER = (
    "secrets",
    "nodes/proxy",
    "pods/exec",
    "pods/attach",
    "pods/portforward",
    "pods/proxy",
    "services/proxy",
    "serviceaccounts/token",
)


def printed(*arguments: str, language: str = "en") -> str:
    """What the command prints."""
    parser = argparse.ArgumentParser()
    add_rbac_flags(parser)
    return rbac(parser.parse_args(arguments), "zh" if language == "zh" else "en")


def objects(*arguments: str) -> list[Object]:
    """The objects in it."""
    return [item for item in yaml.safe_load_all(printed(*arguments)) if item]


def granted(*arguments: str) -> dict[str, set[str]]:
    """Resource → verbs of the role."""
    (role,) = [item for item in objects(*arguments) if item["kind"] in ("Role", "ClusterRole")]
    out: dict[str, set[str]] = {}
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                out.setdefault(f"{resource}.{group}" if group else resource, set()).update(rule["verbs"])
    return out


# --- the table --------------------------------------------------------------------------------------------


def test_the_table_is_read_only() -> None:
    """Only get and list, of named resources, never of what is dangerous."""
    for permission in PERMISSIONS.values():
        assert set(permission.verbs) <= READ_ONLY
        assert "*" not in permission.resource
        assert permission.name not in NEVER


def test_what_a_refusal_hides_is_a_kind_of_fact() -> None:
    """Every word is known to the cases, and every resource hides something."""
    known = {*FACT_KINDS, *map(str, Channel)}

    assert {} == {p.resource: set(p.hides) - known for p in PERMISSIONS.values() if set(p.hides) - known or not p.hides}


def test_the_table_names_real_resources() -> None:
    """Group, plural and scope are those of the API; metrics come from a server of their own."""
    for permission in PERMISSIONS.values():
        kind = kind_of_word(permission.resource.partition("/")[0])
        if permission.part == "metrics":
            continue
        assert kind is not None, permission.resource
        assert kind.resource == permission.resource.partition("/")[0]
        assert permission.namespaced == (kind.namespaced or kind.kind == "Namespace")


def test_every_part_has_resources_and_words() -> None:
    """No part is empty, and each says in both languages what it is for."""
    assert set(PARTS) == {p.part for p in PERMISSIONS.values()}
    for part in PARTS.values():
        assert part.purpose.en
        assert re.search(r"[\u4e00-\u9fff]", part.purpose.zh)


# --- what the live source asks for ------------------------------------------------------------------------

VERBS = {"get": "get", "list": "list", "table": "list", "log": "get"}


def asked() -> Iterator[tuple[str, str, str, str]]:
    """Place, way of asking, verb and resource of every request with a fixed kind in the source code of the live source."""
    for path in sorted(Path(str(cluster.__file__)).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Request"):
                continue
            words = [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args[:2]]
            verb, kind = (*words, None, None)[:2]
            if isinstance(verb, str) and verb in VERBS and isinstance(kind, str) and kind in KINDS:
                yield f"{path.name}:{node.lineno}", verb, VERBS[verb], "pods/log" if verb == "log" else KINDS[kind].resource


def test_every_request_stays_within_the_table() -> None:
    """Whatever the source code asks for by name is permitted, and so are all kinds of the screen.

    Names of Secrets, as a table without objects, are used where they are permitted already; the role does not ask for it.
    """
    found = list(asked())

    assert len(found) > 20
    assert [] == [item for item in found if not permitted(item[2], item[3]) and item[1:] != ("table", "list", "secrets")]
    assert [] == [kind for kind in FULL_KINDS if not permitted("list", KINDS[kind].resource)]


def test_no_request_is_for_a_dangerous_path() -> None:
    """No address in the live source leads to exec, attach, port forwarding, a proxy, or writes."""
    for path in Path(str(cluster.__file__)).parent.glob("*.py"):
        texts = [
            node.value
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        assert [] == [text for text in texts if re.search(r"/(?:exec|attach|portforward|proxy)\b", text) and text.startswith("/")]


# --- gaps -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refused", "what", "why", "hides"),
    [
        (
            ("get", "pods/log", "shop", "cart-0", 403),
            "logs of pod shop/cart-0",
            "forbidden: pods/log",
            ("app-log", "component-log"),
        ),
        (("list", "nodes", None, None, 403), "nodes", "forbidden: nodes", ("node.state", "node.condition", "scheduling.blocked")),
        (("list", "jobs.batch", "shop", None, 403), "jobs.batch of namespace shop", "forbidden: jobs.batch", ("status",)),
        (
            ("get", "widgets.example.test", "shop", "w", 403),
            "widgets.example.test shop/w",
            "forbidden: widgets.example.test",
            ("status",),
        ),
        (
            ("get", "pods", "shop", "w", 401),
            "pods shop/w",
            "unauthorized: the credentials were rejected",
            PERMISSIONS["pods"].hides,
        ),
        (("list", "events", None, None, 429), "events", "TooManyRequests: a long message", ("event",)),
    ],
)
def test_a_refusal_is_a_gap_with_its_permission(
    refused: tuple[str, str, str | None, str | None, int], what: str, why: str, hides: tuple[str, ...]
) -> None:
    """What was asked, why not, which permission, and what may be missed."""
    reason = {401: "Unauthorized", 403: "Forbidden", 429: "TooManyRequests"}[refused[4]]

    gap = gap_of(Refused(*refused, reason, "a long\n  message"))

    assert (what, why, refused[0], refused[1], hides) == (gap.what, gap.why, gap.verb, gap.resource, gap.hides)


# --- what is printed --------------------------------------------------------------------------------------


def test_the_role_is_the_table() -> None:
    """By default everything but metrics, with exactly the verbs of the table."""
    wanted = {p.resource: set(p.verbs) for p in PERMISSIONS.values() if PARTS[p.part].default}

    assert wanted == granted()
    assert [("ClusterRole", ROLE)] == [(item["kind"], item["metadata"]["name"]) for item in objects()]


@pytest.mark.parametrize("part", [name for name in PARTS if name != BASE])
def test_parts_come_and_go(part: str) -> None:
    """Each optional part can be left out or added, with all of its resources."""
    own = {p.resource for p in PERMISSIONS.values() if p.part == part}
    flag = "--without" if PARTS[part].default else "--with"

    with_it, without_it = (granted(), granted(flag, part)) if PARTS[part].default else (granted(flag, part), granted())

    assert own == set(with_it) - set(without_it)
    assert f"--with{'out' if PARTS[part].default else ''} {part}" in printed(*(() if PARTS[part].default else (flag, part)))


def test_the_least_role_reads_namespaces_only() -> None:
    """Without any optional part nothing of the cluster is left but the names of namespaces."""
    least = granted("--without", ",".join(name for name, part in PARTS.items() if name != BASE and part.default))

    assert {"namespaces"} == {name for name in least if not PERMISSIONS[name].namespaced or name == "namespaces"}


def test_a_role_within_a_namespace() -> None:
    """A Role and its RoleBinding, for nobody yet; no resource of the cluster, and the namespace itself by name only."""
    role, binding = objects("-n", "shop")

    assert ("Role", "shop", "RoleBinding", "shop", []) == (
        role["kind"], role["metadata"]["namespace"], binding["kind"], binding["metadata"]["namespace"], binding["subjects"],
    )  # fmt: skip
    assert {"get"} == granted("-n", "shop")["namespaces"]
    assert all(PERMISSIONS[resource].namespaced for resource in granted("-n", "shop"))


def test_names_of_users_cannot_break_out() -> None:
    """Users and groups are any text; it stays a name."""
    name = 'a: b\n- {kind: "Group"} # 你好'

    _, binding = objects("--user", name, "--group", "ops")

    assert [("User", name), ("Group", "ops")] == [(subject["kind"], subject["name"]) for subject in binding["subjects"]]


def test_a_helper_gets_an_account_of_their_own() -> None:
    """Namespace, account, role and binding; no Secret, no token in it; the way back is printed."""
    text = printed("--helper", "anna", "--hours", "4")
    space, account, role, binding = objects("--helper", "anna")

    assert ["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"] == [
        i["kind"] for i in (space, account, role, binding)
    ]
    assert account["automountServiceAccountToken"] is False
    assert [{"kind": "ServiceAccount", "name": "anna", "namespace": space["metadata"]["name"]}] == binding["subjects"]
    assert (role["kind"], role["metadata"]["name"]) == (binding["roleRef"]["kind"], binding["roleRef"]["name"])
    assert "kubectl create token anna -n kubecause-helpers --duration=4h" in text
    assert "kubectl delete clusterrolebinding kubecause-helper-anna" in text
    assert "kubectl delete serviceaccount anna -n kubecause-helpers" in text


def test_a_helper_within_a_namespace() -> None:
    """With a namespace everything stays in it."""
    found = objects("--helper", "anna", "-n", "shop")

    assert ["ServiceAccount", "Role", "RoleBinding"] == [item["kind"] for item in found]
    assert {"shop"} == {item["metadata"]["namespace"] for item in found}
    assert "namespace/kubecause-helpers" not in printed("--helper", "anna", "-n", "shop")


def test_a_custom_resource_can_be_added() -> None:
    """Kinds that the table does not know are read when asked for."""
    assert READ_ONLY == granted("--also", "certificates.cert-manager.io")["certificates.cert-manager.io"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--with", "moon"], ["--without", "base"], ["--without", "nodes", "--with", "nodes"], ["--hours", "0"], ["--hours", "100"],
        ["--helper", "An na"], ["--helper", "a: b"], ["-n", "../x"], ["-n", ""], ["--also", "secrets"], ["--also", "pods/exec"],
        ["--also", "*.example.test"], ["--also", "nodes/proxy.example.test"],
    ],
)  # fmt: skip
def test_wrong_flags_are_one_line(arguments: list[str]) -> None:
    """What makes no sense is refused, with what to do."""
    with pytest.raises(UsageError) as failed:
        printed(*arguments)

    assert 1 == len(str(failed.value).splitlines())


def test_comments_speak_both_languages() -> None:
    """The objects are the same in both; the comments are in the language asked for."""
    english, chinese = (printed("--helper", "anna", language=language) for language in ("en", "zh"))

    assert list(yaml.safe_load_all(english)) == list(yaml.safe_load_all(chinese))
    assert not re.search(r"[\u4e00-\u9fff]", english)
    words = [
        line for line in chinese.splitlines() if line.startswith("# ") and "kubectl" not in line and "kubecause why" not in line
    ]
    assert all(re.search(r"[\u4e00-\u9fff]", line) for line in words)


def test_the_same_flags_print_the_same() -> None:
    """Nothing of the run is in it."""
    assert printed("--helper", "anna") == printed("--helper", "anna")
