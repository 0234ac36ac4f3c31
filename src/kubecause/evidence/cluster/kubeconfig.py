"""From kubeconfig files to one connection: which server, trusted how, asked as whom.

Rules: client-go ``tools/clientcmd/client_config.go`` (contexts, defaults, checks) and ``rest/config.go``
(``InClusterConfig``): a configuration that is empty means the ServiceAccount of the pod kubecause runs in, if any.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from kubecause.errors import ConfigError
from kubecause.evidence.cluster.credentials import AuthProvider, Credentials, ExecPlugin, Impersonation
from kubecause.evidence.cluster.guarded import Guarded
from kubecause.evidence.cluster.kubeconfig_files import Entry, Merged, merged

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_EXEC_EXTENSION = "client.authentication.k8s.io/exec"
_EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_INTERACTIVE = ("Never", "IfAvailable", "Always")


class ConnectionSettings(Guarded, frozen=True):
    """Everything a connection needs to know; secrets stand in fields that ``repr`` leaves out.

    :ivar server: ``https://host:port``, with a path below which the API lies, if any.
    :ivar context: the context's name; None inside a cluster.
    :ivar namespace: the context's namespace, ``default`` where it names none.
    :ivar ca_data: the certificates to trust as PEM; None means the system's.
    :ivar compress: whether answers may be compressed (``disable-compression`` of the cluster entry).
    """

    shown: ClassVar = ("server", "context", "namespace", "insecure", "tls_server_name", "credentials", "impersonate", "compress")

    server: str
    context: str | None
    namespace: str
    ca_data: bytes | None
    insecure: bool
    tls_server_name: str | None
    proxy_url: str | None
    credentials: Credentials
    impersonate: Impersonation | None
    compress: bool = True
    environment: Mapping[str, str] = msgspec.field(default_factory=dict)  # where a proxy may be named


def load_settings(
    *,
    kubeconfig: str | None,
    context: str | None,
    environment: Mapping[str, str],
    as_user: str | None = None,
    as_groups: Sequence[str] = (),
) -> ConnectionSettings:
    """Find the cluster that kubectl would talk to with the same flags and environment.

    :param kubeconfig: ``--kubeconfig``.
    :param context: ``--context``; None means the current one.
    :param environment: ``KUBECONFIG``, ``HOME``, ``KUBERNETES_SERVICE_HOST`` and ``_PORT``, ``HTTPS_PROXY``, ``NO_PROXY``.
    :param as_user: ``--as``.
    :param as_groups: ``--as-group``, as often as it was given.
    :raises ConfigError: no cluster is configured, or a file is missing, damaged or names what is not there.
    """
    config = merged(kubeconfig, environment)
    if config.empty and not kubeconfig and not context:
        if not _inside_a_cluster(environment):
            raise ConfigError(_nothing_configured(config, environment))
        return _in_cluster(environment, as_user, as_groups)
    name, chosen = _context(config, context)
    cluster_name = chosen.text("cluster")
    cluster = config.clusters.get(cluster_name or "")
    if cluster is None:
        raise ConfigError(
            f"{chosen.place}.cluster: there is no cluster {_quoted(cluster_name)}; known: {_known(config.clusters)}"
        )
    user_name = chosen.text("user")
    user = config.users.get(user_name or "")
    if user is None and user_name:
        raise ConfigError(f"{chosen.place}.user: there is no user {_quoted(user_name)}; known: {_known(config.users)}")
    ca_data = cluster.pem("certificate-authority")
    insecure = cluster.flag("insecure-skip-tls-verify")
    credentials = _credentials(user, user_name or "", cluster) if user else Credentials()
    secure = bool(ca_data or insecure or credentials.certificate)
    return ConnectionSettings(
        server=_server(cluster, secure=secure),
        context=name,
        namespace=chosen.text("namespace") or "default",
        ca_data=None if insecure else ca_data,
        insecure=insecure,
        tls_server_name=cluster.text("tls-server-name"),
        proxy_url=cluster.text("proxy-url"),
        credentials=credentials,
        impersonate=_impersonation(user, as_user, as_groups),
        compress=not cluster.flag("disable-compression"),
        environment=environment,
    )


def _context(config: Merged, wanted: str | None) -> tuple[str, Entry]:
    files = ", ".join(str(path) for path in config.files) or "no kubeconfig file"
    name = wanted or config.current_context
    if name is None:
        raise ConfigError(f"{files}: no current-context is set; name one with --context: {_known(config.contexts)}")
    found = config.contexts.get(name)
    if found is None:
        raise ConfigError(f"{files}: there is no context {_quoted(name)}; name one with --context: {_known(config.contexts)}")
    return name, found


def _nothing_configured(config: Merged, environment: Mapping[str, str]) -> str:
    if config.files:
        where = ", ".join(str(path) for path in config.files) + " is empty"
    elif environment.get("KUBECONFIG"):
        where = f"KUBECONFIG={environment['KUBECONFIG']} names no file that exists"
    else:
        where = "no ~/.kube/config"
    return f"no cluster is configured ({where}; kubectl would try localhost:8080); set KUBECONFIG or --kubeconfig"


def _known(entries: Mapping[str, Entry]) -> str:
    names = sorted(entries)
    return (", ".join(names[:8]) + (", …" if len(names) > 8 else "")) or "none"


def _quoted(name: str | None) -> str:
    return f'"{name or ""}"'


def _server(cluster: Entry, *, secure: bool) -> str:
    """The address with a scheme; without one client-go takes https where any TLS setting is given, else http."""
    server = cluster.text("server")
    if server is None:
        raise ConfigError(f"{cluster.place}.server: is missing")
    if "://" not in server:
        server = f"{'https' if secure else 'http'}://{server}"
    try:
        parts = urlsplit(server)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid or " " in server:
        raise ConfigError(f"{cluster.place}.server: not an address such as https://host:6443")
    return server.rstrip("/")


def _credentials(user: Entry, name: str, cluster: Entry) -> Credentials:
    certificate, key = user.pem("client-certificate"), user.pem("client-key")
    if certificate is not None and key is None:
        raise ConfigError(f"{user.place}: has a client-certificate, but no client-key")
    token, username = user.text("token"), user.text("username")
    if token and any(ord(letter) < 0x21 or ord(letter) > 0x7E for letter in token):
        raise ConfigError(f"{user.place}.token: holds a character that no token has")
    token_file = user.path("tokenFile")
    if username and (token or token_file):
        raise ConfigError(f"{user.place}: both a token and a username; only one is allowed")
    provider = user.part("auth-provider")
    plugin = user.part("exec")
    if provider and plugin:
        raise ConfigError(f"{user.place}: both exec and auth-provider; only one is allowed")
    return Credentials(
        user=name,
        token=token,
        token_file=str(token_file) if token_file else None,
        username=username,
        password=user.text("password"),
        certificate=certificate,
        key=key,
        plugin=_plugin(plugin, name, cluster) if plugin else None,
        provider=_provider(provider) if provider else None,
    )


def _plugin(entry: Entry, user: str, cluster: Entry) -> ExecPlugin:
    version, command = entry.text("apiVersion"), entry.text("command")
    if version not in _EXEC_VERSIONS:
        raise ConfigError(
            f"{entry.place}.apiVersion: must be {_EXEC_VERSIONS[0]} or v1beta1; update the plugin's kubeconfig entry"
        )
    if command is None:
        raise ConfigError(f"{entry.place}.command: is missing")
    if "/" in command:
        command = str(entry.file.parent / command)
    interactive = entry.text("interactiveMode")
    if interactive is None:
        if version == _EXEC_VERSIONS[0]:
            raise ConfigError(f"{entry.place}.interactiveMode: must be set for user {user}: Never, IfAvailable or Always")
        interactive = "IfAvailable"
    if interactive not in _INTERACTIVE:
        raise ConfigError(f"{entry.place}.interactiveMode: must be Never, IfAvailable or Always")
    env = []
    for item in entry.parts("env"):
        name = item.text("name")
        if name is None:
            raise ConfigError(f"{item.place}.name: is missing")
        env.append((name, item.text("value") or ""))
    return ExecPlugin(
        api_version=version,
        command=command,
        args=entry.texts("args"),
        env=tuple(env),
        install_hint=" ".join(str(entry.fields.get("installHint") or "").split()),
        interactive=interactive,
        cluster=_cluster_info(cluster) if entry.flag("provideClusterInfo") else None,
    )


def _cluster_info(cluster: Entry) -> dict[str, Any]:
    """What a plugin may know about the cluster: the fields of ``ExecCredentialSpec.cluster``."""
    ca_data = cluster.pem("certificate-authority")
    info: dict[str, Any] = {
        "server": cluster.text("server"),
        "tls-server-name": cluster.text("tls-server-name"),
        "insecure-skip-tls-verify": cluster.flag("insecure-skip-tls-verify") or None,
        "certificate-authority-data": base64.b64encode(ca_data).decode() if ca_data else None,
        "proxy-url": cluster.text("proxy-url"),
        "disable-compression": cluster.flag("disable-compression") or None,
    }
    for extension in cluster.parts("extensions"):
        if extension.text("name") == _EXEC_EXTENSION:
            info["config"] = extension.fields.get("extension")
    return {name: value for name, value in info.items() if value is not None}


def _provider(entry: Entry) -> AuthProvider:
    name = entry.text("name")
    if name is None:
        raise ConfigError(f"{entry.place}.name: is missing")
    config = entry.part("config")
    fields = config.fields if config else {}
    return AuthProvider(name, {str(key): str(value) for key, value in fields.items() if isinstance(value, (str, int))})


def _impersonation(user: Entry | None, as_user: str | None, as_groups: Sequence[str]) -> Impersonation | None:
    """``--as`` and ``--as-group`` win over the kubeconfig's ``as`` and ``as-groups``, each for itself, as with kubectl."""
    name = as_user or (user.text("as") if user else None)
    groups = tuple(as_groups) or (user.texts("as-groups") if user else ())
    uid = user.text("as-uid") if user else None
    extra: list[tuple[str, str]] = []
    entry = user.part("as-user-extra") if user else None
    if entry is not None:
        extra = [(str(key), value) for key in entry.fields for value in entry.texts(key)]
    if name is None:
        if groups or uid or extra:
            raise ConfigError("groups, a uid or extra fields to act as, but no user; add --as USER")
        return None
    for text in (name, uid or "", *groups, *(value for _, value in extra)):
        if any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in text):
            raise ConfigError("--as: a name to act as holds a control character")
    return Impersonation(name, uid, groups, tuple(extra))


def _inside_a_cluster(environment: Mapping[str, str]) -> bool:
    return bool(
        environment.get("KUBERNETES_SERVICE_HOST")
        and environment.get("KUBERNETES_SERVICE_PORT")
        and (SERVICE_ACCOUNT / "token").is_file()
    )


def _in_cluster(environment: Mapping[str, str], as_user: str | None, as_groups: Sequence[str]) -> ConnectionSettings:
    host, port = environment["KUBERNETES_SERVICE_HOST"], environment["KUBERNETES_SERVICE_PORT"]
    try:
        ipaddress.IPv6Address(host)
        host = f"[{host}]"
    except ValueError:
        pass
    try:
        ca_data = (SERVICE_ACCOUNT / "ca.crt").read_bytes()
    except OSError:
        ca_data = None  # client-go goes on with the system's certificates too
    try:
        namespace = (SERVICE_ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        namespace = ""
    return ConnectionSettings(
        server=f"https://{host}:{port}",
        context=None,
        namespace=environment.get("POD_NAMESPACE") or namespace or "default",
        ca_data=ca_data,
        insecure=False,
        tls_server_name=None,
        proxy_url=None,
        credentials=Credentials(user=None, token_file=str(SERVICE_ACCOUNT / "token")),
        impersonate=_impersonation(None, as_user, as_groups),
        environment=environment,
    )
