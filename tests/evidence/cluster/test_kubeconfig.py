"""Kubeconfig files: merging, contexts, checks, and secrets that stay out of every text."""

import base64
from pathlib import Path

import pytest

from kubecause.errors import ConfigError
from kubecause.evidence.cluster import kubeconfig as module
from kubecause.evidence.cluster.kubeconfig import ConnectionSettings, load_settings

TOKEN = "s3cr3t-token-value"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def config(**changes: str) -> str:
    """A kubeconfig; keyword arguments replace the fields of its cluster, user and context, or its head."""
    parts = {
        "head": "current-context: prod",
        "cluster": "server: https://kube.example:6443",
        "user": f"token: {TOKEN}",
        "context": "cluster: c, user: u, namespace: shop",
        **changes,
    }
    return (
        f"apiVersion: v1\nkind: Config\n{parts['head']}\n"
        f"clusters:\n- name: c\n  cluster: {{{parts['cluster']}}}\n"
        f"users:\n- name: u\n  user: {{{parts['user']}}}\n"
        f"contexts:\n- name: prod\n  context: {{{parts['context']}}}\n"
    )


def load(folder: Path, text: str, **arguments: object) -> ConnectionSettings:
    """Settings from one file."""
    path = folder / "config"
    path.write_text(text, encoding="utf-8")
    return load_settings(**{"kubeconfig": str(path), "context": None, "environment": {}, **arguments})  # type: ignore[arg-type]


def test_the_current_context_is_the_connection(tmp_path: Path) -> None:
    """Server, namespace and user come from the context that the file calls current."""
    settings = load(tmp_path, config())

    assert (settings.server, settings.context, settings.namespace) == ("https://kube.example:6443", "prod", "shop")
    assert settings.credentials.token == TOKEN
    assert settings.impersonate is None
    assert not settings.insecure


def test_secrets_stay_out_of_repr_and_str(tmp_path: Path) -> None:
    """Tokens, keys, plugin arguments and a proxy's password are not part of any text."""
    text = config(
        user=f"token: {TOKEN}, client-key-data: {base64.b64encode(b'KEY-' + TOKEN.encode()).decode()}, "
        "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: get, "
        f"args: [--secret={TOKEN}], env: [{{name: A, value: {TOKEN}}}]}}",
        cluster=f"server: 'https://k:6443', proxy-url: 'http://me:{TOKEN}@proxy:3128'",
    )
    settings = load(tmp_path, text)

    assert TOKEN not in repr(settings)
    assert TOKEN not in str(settings)


def test_of_several_files_the_first_wins_each_name(tmp_path: Path) -> None:
    """As the documentation on kubeconfig files says: entries whole, current-context from the first that sets it."""
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text(config(head="current-context: ''", cluster="server: https://first"), encoding="utf-8")
    second.write_text(
        config(head="current-context: other", cluster="server: https://second, insecure-skip-tls-verify: true")
        + "- name: other\n  context: {cluster: c, user: v}\n"
        + "users:\n- name: v\n  user: {token: of-second}\n",
        encoding="utf-8",
    )
    environment = {"KUBECONFIG": f"{tmp_path / 'missing'}::{first}:{second}"}

    settings = load_settings(kubeconfig=None, context=None, environment=environment)

    assert settings.context == "other"
    assert (settings.server, settings.insecure) == ("https://first", False)
    assert settings.credentials.token == "of-second"
    assert settings.namespace == "default"


def test_paths_start_at_the_file_they_stand_in(tmp_path: Path) -> None:
    """Relative paths belong to the folder of their kubeconfig, wherever kubecause runs."""
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "ca.crt").write_text(PEM, encoding="utf-8")
    (inner / "token").write_text(TOKEN, encoding="utf-8")
    text = config(cluster="server: https://k, certificate-authority: ca.crt", user="tokenFile: token")

    settings = load(inner, text)

    assert settings.ca_data == PEM.encode()
    assert settings.credentials.token_file == str(inner / "token")


def test_data_wins_over_files(tmp_path: Path) -> None:
    """As client-go documents for every pair of ``x`` and ``x-data``."""
    data = base64.b64encode(PEM.encode()).decode()
    settings = load(
        tmp_path, config(cluster=f"server: https://k, certificate-authority: /nope, certificate-authority-data: {data}")
    )

    assert settings.ca_data == PEM.encode()


def test_home_is_where_the_default_file_lies(tmp_path: Path) -> None:
    """Without flags and KUBECONFIG it is ``~/.kube/config``."""
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(config(), encoding="utf-8")

    assert load_settings(kubeconfig=None, context="prod", environment={"HOME": str(tmp_path)}).context == "prod"


def test_a_server_without_a_scheme_is_https_only_with_tls_settings(tmp_path: Path) -> None:
    """client-go ``rest/url_utils.go``, DefaultServerURL."""
    assert load(tmp_path, config(cluster="server: 'k:8080'")).server == "http://k:8080"
    assert load(tmp_path, config(cluster="server: 'k:6443', insecure-skip-tls-verify: true")).server == "https://k:6443"


def test_a_path_below_the_server_is_kept(tmp_path: Path) -> None:
    """Rancher and other gateways serve clusters below a path."""
    assert (
        load(tmp_path, config(cluster="server: https://rancher/k8s/clusters/c-1/")).server == "https://rancher/k8s/clusters/c-1"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (config(head="current-context: gone"), 'no context "gone"; name one with --context: prod'),
        (config(head="preferences: {}"), "no current-context is set; name one with --context: prod"),
        (config(context="cluster: x, user: u"), 'contexts[prod].cluster: there is no cluster "x"; known: c'),
        (config(context="cluster: c, user: x"), 'contexts[prod].user: there is no user "x"; known: u'),
        (config(cluster="tls-server-name: a"), "clusters[c].server: is missing"),
        (config(cluster="server: 'ftp://a'"), "clusters[c].server: not an address"),
        (config(cluster="server: 'https://a:b'"), "clusters[c].server: not an address"),
        (config(cluster="server: [https://a]"), "clusters[c].server: must be text"),
        (config(cluster="server: https://a, insecure-skip-tls-verify: maybe"), "insecure-skip-tls-verify: must be true or false"),
        (config(cluster="server: https://a, certificate-authority-data: '%%%'"), "certificate-authority-data: must be base64"),
        (config(cluster="server: https://a, certificate-authority: gone.crt"), "gone.crt cannot be read (No such file"),
        (config(user=f"token: {{a: {TOKEN}}}"), "users[u].token: must be text"),
        (config(user=f'token: "{TOKEN}\\r\\nX-Evil: 1"'), "users[u].token: holds a control character"),
        (config(user=f'token: "{TOKEN} é"'), "users[u].token: holds a character that no token has"),
        (config(user=f"token: {TOKEN}, username: me, password: {TOKEN}"), "both a token and a username"),
        (config(user="client-certificate-data: QQ=="), "has a client-certificate, but no client-key"),
        (
            config(user="exec: {apiVersion: client.authentication.k8s.io/v1, command: a}"),
            "interactiveMode: must be set for user u",
        ),
        (config(user="exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: a}"), "exec.apiVersion: must be"),
        (config(user="exec: {apiVersion: client.authentication.k8s.io/v1beta1}"), "exec.command: is missing"),
        (
            config(user="exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: a, env: [{value: b}]}"),
            "env[0].name: is missing",
        ),
        (config(user="as-groups: [a]"), "no user; add --as USER"),
        (config(user="as: me, as-groups: a"), "as-groups: must be a list of texts"),
        ("a: [", "not valid YAML (line 2)"),
        ("- a", "not a kubeconfig"),
        ("kind: Deployment", "not a kubeconfig"),
        ("kind: [Config]", "not a kubeconfig"),
        ("clusters: {a: b}", "clusters: must be a list of mappings"),
        ("clusters: [{cluster: {}}]", "clusters[0]: has no name"),
        ("[" * 100000, "not valid YAML"),
        ("!!python/object/apply:os.system [id]", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_field(tmp_path: Path, text: str, says: str) -> None:
    """One line that names file and field and never the value."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)

    message = str(caught.value)
    assert says in message
    assert str(tmp_path) in message or "--as" in message
    assert "\n" not in message
    assert TOKEN not in message


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """No more than the bound is read."""
    with pytest.raises(ConfigError, match="larger than 8 MiB"):
        load(tmp_path, "#" * (8 * 1024 * 1024 + 1))


def test_without_any_configuration_localhost_is_named(tmp_path: Path) -> None:
    """Kubectl's own fallback is named, as its error message is what people know."""
    with pytest.raises(ConfigError, match=r"no cluster is configured \(no ~/.kube/config; kubectl would try localhost:8080\)"):
        load_settings(kubeconfig=None, context=None, environment={"HOME": str(tmp_path)})
    with pytest.raises(ConfigError, match=r"KUBECONFIG=/gone names no file that exists"):
        load_settings(kubeconfig=None, context=None, environment={"HOME": str(tmp_path), "KUBECONFIG": "/gone"})


def test_a_named_file_must_exist() -> None:
    """Unlike a file of KUBECONFIG, which is passed over."""
    with pytest.raises(ConfigError, match="/gone: no such file; check --kubeconfig"):
        load_settings(kubeconfig="/gone", context=None, environment={})


def test_inside_a_pod_the_service_account_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Address from the environment, the rest from the mounted files."""
    for name, content in (("token", TOKEN), ("ca.crt", PEM), ("namespace", "shop")):
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.setattr(module, "SERVICE_ACCOUNT", tmp_path)
    environment = {"HOME": "/nowhere", "KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}

    settings = load_settings(kubeconfig=None, context=None, environment=environment)

    assert (settings.server, settings.context, settings.namespace) == ("https://[fd00::1]:443", None, "shop")
    assert settings.ca_data == PEM.encode()
    assert settings.credentials.token_file == str(tmp_path / "token")


def test_a_kubeconfig_wins_over_the_service_account(tmp_path: Path) -> None:
    """Inside a cluster too, as with kubectl."""
    environment = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}

    assert load(tmp_path, config(), environment=environment).context == "prod"


def test_impersonation_from_file_and_flags(tmp_path: Path) -> None:
    """Flags win over the file, each for itself, as kubectl's overrides are merged."""
    text = config(user="as: jane, as-uid: u-1, as-groups: [dev, ops], as-user-extra: {example.org/Scopes: [view, list]}")

    from_file = load(tmp_path, text).impersonate
    from_flags = load(tmp_path, text, as_user="joe").impersonate

    assert from_file is not None
    assert from_file.headers() == [
        ("Impersonate-User", b"jane"),
        ("Impersonate-Uid", b"u-1"),
        ("Impersonate-Group", b"dev"),
        ("Impersonate-Group", b"ops"),
        ("Impersonate-Extra-example.org%2Fscopes", b"view"),
        ("Impersonate-Extra-example.org%2Fscopes", b"list"),
    ]
    assert from_flags is not None
    assert (from_flags.user, from_flags.groups) == ("joe", ("dev", "ops"))
    groups = load(tmp_path, config(), as_user="joe", as_groups=["a"]).impersonate
    assert groups is not None
    assert groups.groups == ("a",)


def test_an_exec_plugin_with_a_path_starts_at_its_file(tmp_path: Path) -> None:
    """Its command is a path like others, and it is told about the cluster when it wants to be."""
    text = config(
        cluster="server: https://k, tls-server-name: n, extensions: [{name: client.authentication.k8s.io/exec, extension: {a: 1}}]",
        user="exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/get, interactiveMode: Never, "
        "provideClusterInfo: true, installHint: 'Get it\n at example.org'}",
    )

    plugin = load(tmp_path, text).credentials.plugin

    assert plugin is not None
    assert plugin.command == str(tmp_path / "bin/get")
    assert plugin.install_hint == "Get it at example.org"
    assert plugin.cluster == {"server": "https://k", "tls-server-name": "n", "config": {"a": 1}}
