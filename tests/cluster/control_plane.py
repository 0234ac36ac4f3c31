"""etcd, kube-apiserver, controllers and scheduler: a control plane that answers in seconds, with or without nodes."""

from __future__ import annotations

import base64
import json
import secrets
import socket
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .certificates import KeyPair, make_key, self_signed, signed_for
from .daemons import Daemon, RangeError, wait_for
from .programs import CONTROL_PLANE, CONTROLLERS, Programs, find_programs

# Users by name with their groups. Components authenticate by token too; a node's user is system:node:NAME.
USERS: Mapping[str, str] = {
    "admin": "system:masters",
    "view": "",
    "role": "",
    "nobody": "",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "system:kube-proxy": "",
    "system:node:node-1": "system:nodes",
    "system:node:node-2": "system:nodes",
}
ADMISSION = "ResourceQuota,LimitRanger,NodeRestriction,PodSecurity"
VIEW_BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "range-view"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "view"}],
}


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one control plane."""

    api: int
    etcd: int
    etcd_peer: int
    controllers: int
    scheduler: int

    @staticmethod
    def pick(preferred: Sequence[int] = (0, 0, 0, 0, 0)) -> Ports:
        """The preferred ports where they are free, others otherwise."""
        return Ports(*(free_port(port) for port in preferred))


@dataclass(slots=True)
class ControlPlane:
    """A control plane below ``folder``, reachable as ``address`` (an address of this machine) and ``localhost``.

    ``controllers=False`` starts no controller-manager and no scheduler; ``admission=False`` lets pods be made without
    service accounts: what a server for measurements without nodes needs. ``users`` adds names with their groups.
    """

    folder: Path
    programs: Programs
    address: str
    ports: Ports
    controllers: bool = True
    admission: bool = True
    users: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start what does not run and wait until the API server is ready; raises RangeError."""
        (self.folder / "kube").mkdir(parents=True, exist_ok=True)
        make_key(self.folder / "kube" / "service-account.key")
        self.client_authority()
        self_signed(self.folder / "kube", "range-front-proxy", authority=True)
        self._write_tokens()
        for name in ("etcd", "kube-apiserver"):
            self._start(name)
        wait_for((self.folder / "kube" / "certs" / "apiserver.crt").exists, 60, self._failed("kube-apiserver"))
        for user in {**USERS, **self.users}:
            self.write_kubeconfig(user)
        wait_for(self.ready, 90, self._failed("kube-apiserver"))
        if self.controllers:
            for name in CONTROLLERS:
                self._start(name)
            wait_for(lambda: self.has("serviceaccount", "default", "default"), 60, self._failed("kube-controller-manager"))
        self.apply(VIEW_BINDING)

    def stop(self) -> None:
        """End all of it."""
        for name in (*(CONTROLLERS if self.controllers else ()), "kube-apiserver", "etcd"):
            self.daemon(name).stop()

    def _start(self, name: str) -> None:
        """Start a program, anew when it runs with other flags than it should; let it go on when it was frozen."""
        daemon = self.daemon(name)
        daemon.write()
        if daemon.arguments_added():
            daemon.stop()
        daemon.resume()
        daemon.start()

    def ready(self) -> bool:
        """Whether ``/readyz`` answers ok."""
        return self.kubectl("get", "--raw", "/readyz", "--request-timeout=2s", check=False).strip() == "ok"

    def has(self, kind: str, name: str, namespace: str) -> bool:
        """Whether an object exists."""
        return bool(self.kubectl("-n", namespace, "get", kind, name, "-o", "name", "--ignore-not-found", check=False).strip())

    def apply(self, *objects: Mapping[str, object]) -> None:
        """Create or change objects, as administrator."""
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True, within: float = 120) -> str:
        """Run kubectl as administrator; raises RangeError when it fails and ``check`` is set."""
        command = [self.programs["kubectl"], "--kubeconfig", str(self.kubeconfig("admin")), *arguments]
        try:
            done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=within)
        except subprocess.TimeoutExpired:
            raise RangeError(f"kubectl {' '.join(arguments)[:200]}: no answer in {within:g} s") from None
        if check and done.returncode:
            raise RangeError(f"kubectl {' '.join(arguments)[:200]}: {done.stderr.strip()[-800:]}")
        return done.stdout

    def kubeconfig(self, user: str) -> Path:
        """The kubeconfig file of a user."""
        return self.folder / "kube" / f"{user.replace(':', '-')}.kubeconfig"

    def token(self, user: str) -> str:
        """The bearer token of a user."""
        tokens: dict[str, str] = json.loads((self.folder / "kube" / "tokens.json").read_text(encoding="utf-8"))
        return tokens[user]

    def write_kubeconfig(self, user: str, credentials: Mapping[str, str] | None = None, namespace: str = "default") -> Path:
        """A kubeconfig with a user's token, or with the credentials given (the fields of ``users[].user``)."""
        authority = base64.b64encode((self.folder / "kube" / "certs" / "apiserver.crt").read_bytes()).decode()
        context = "kubecause-range"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": context, "cluster": {"server": self.server, "certificate-authority-data": authority}}],
            "users": [{"name": user, "user": dict(credentials or {"token": self.token(user)})}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": user, "namespace": namespace}}],
        }
        path = self.kubeconfig(user)
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")
        path.chmod(0o600)
        return path

    @property
    def server(self) -> str:
        """The URL of the API server; its certificate carries the address and ``localhost``, but not 127.0.0.1."""
        return f"https://{self.address}:{self.ports.api}"

    def client_authority(self) -> KeyPair:
        """What signs client certificates that the API server accepts."""
        return self_signed(self.folder / "kube", "range-clients", authority=True)

    def client_certificate(self, user: str, groups: tuple[str, ...] = (), *, minutes: int = 525600) -> KeyPair:
        """A client certificate for a user; negative ``minutes`` give one that has expired."""
        return signed_for(self.folder / "kube", self.client_authority(), user, groups, minutes=minutes)

    def daemon(self, name: str) -> Daemon:
        """One of the programs by name."""
        flags: dict[str, Iterable[str]] = {
            "etcd": self._etcd_flags(),
            "kube-apiserver": self._api_flags(),
            "kube-controller-manager": self._controller_flags(),
            "kube-scheduler": self._scheduler_flags(),
        }
        return Daemon(self.folder, name, [self.programs[name], *flags[name]])

    def _etcd_flags(self) -> Iterable[str]:
        client, peer = f"http://127.0.0.1:{self.ports.etcd}", f"http://127.0.0.1:{self.ports.etcd_peer}"
        yield f"--data-dir={self.folder / 'etcd'}"
        yield from (f"--listen-client-urls={client}", f"--advertise-client-urls={client}")
        yield from (f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}")
        yield from ("--unsafe-no-fsync", "--quota-backend-bytes=8589934592", "--log-level=warn")

    def _api_flags(self) -> Iterable[str]:
        kube = self.folder / "kube"
        yield f"--etcd-servers=http://127.0.0.1:{self.ports.etcd}"
        yield from ("--bind-address=0.0.0.0", f"--secure-port={self.ports.api}", f"--advertise-address={self.address}")
        yield from (f"--cert-dir={kube / 'certs'}", "--service-cluster-ip-range=10.96.0.0/16")
        yield from (f"--token-auth-file={kube / 'tokens.csv'}", "--authorization-mode=Node,RBAC")
        yield f"--client-ca-file={kube / 'range-clients.crt'}"
        yield f"--requestheader-client-ca-file={kube / 'range-front-proxy.crt'}"
        yield "--requestheader-allowed-names=front-proxy-client"
        yield "--service-account-issuer=https://kubernetes.default.svc"
        yield f"--service-account-key-file={kube / 'service-account.key'}"
        yield f"--service-account-signing-key-file={kube / 'service-account.key'}"
        yield from ("--allow-privileged=true", "--kubelet-preferred-address-types=InternalIP")
        yield "--endpoint-reconciler-type=lease"
        if self.admission:
            yield f"--enable-admission-plugins={ADMISSION}"
        else:
            yield "--disable-admission-plugins=ServiceAccount"

    def _controller_flags(self) -> Iterable[str]:
        yield from self._component_flags("system:kube-controller-manager", self.ports.controllers)
        yield f"--service-account-private-key-file={self.folder / 'kube' / 'service-account.key'}"
        yield f"--root-ca-file={self.folder / 'kube' / 'certs' / 'apiserver.crt'}"
        yield from ("--use-service-account-credentials=true", "--allocate-node-cidrs=false", "--node-monitor-grace-period=20s")

    def _scheduler_flags(self) -> Iterable[str]:
        return self._component_flags("system:kube-scheduler", self.ports.scheduler)

    def _component_flags(self, user: str, port: int) -> Iterable[str]:
        config = self.kubeconfig(user)
        yield from (f"--kubeconfig={config}", f"--authentication-kubeconfig={config}", f"--authorization-kubeconfig={config}")
        yield from (f"--secure-port={port}", "--bind-address=127.0.0.1", f"--cert-dir={self.folder / 'kube' / 'certs'}-{port}")

    def _write_tokens(self) -> None:
        """Tokens are made once: a range that is started again keeps its kubeconfigs valid."""
        kube, groups = self.folder / "kube", {**USERS, **self.users}
        path = kube / "tokens.json"
        known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        tokens = {user: known.get(user) or secrets.token_hex(16) for user in groups}
        path.write_text(json.dumps(tokens), encoding="utf-8")
        rows = [f'{token},{user},{user},"{groups[user]}"' for user, token in tokens.items()]
        (kube / "tokens.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        for secret in (path, kube / "tokens.csv"):
            secret.chmod(0o600)

    def _failed(self, name: str) -> str:
        return f"{name} did not get ready, see {self.daemon(name).log}"


def bare_control_plane(folder: Path, *, build: bool = False, users: Mapping[str, str] | None = None) -> ControlPlane:
    """Start etcd and kube-apiserver alone, for clients and measurements: needs no root, takes any object as it is.

    Nothing reconciles and no admission adds defaults of service accounts, so that objects with a status can be written by
    hand. The caller ends it with ``stop()``. Raises MissingProgramsError or RangeError.
    """
    programs = find_programs(CONTROL_PLANE, build=build)
    plane = ControlPlane(folder, programs, own_address(), Ports.pick(), controllers=False, admission=False, users=users or {})
    plane.start()
    return plane


def own_address() -> str:
    """An address of this machine that is not the loopback, which an API server may not advertise."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError as error:
            raise RangeError(f"this machine has no route, so no address to serve on: {error}") from None
        return str(probe.getsockname()[0])


def free_port(preferred: int = 0) -> int:
    """The preferred port if it is free, any free one otherwise."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RangeError("no free port on this machine")
