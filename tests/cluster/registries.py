"""Registries for pulls that work and pulls that fail: the real program, five ways."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .certificates import self_signed
from .control_plane import free_port
from .daemons import Daemon, RangeError, wait_for
from .images import DAMAGED, FOREIGN, SERVICE, SHELL, TO_PULL, Image, digest
from .network import GATEWAY
from .programs import Programs

USER = "puller"
PASSWORD = "range-only"
# Each with its preferred port and what is behind it.
KINDS: Mapping[str, int] = {
    "http": 5001,  # plain HTTP that containerd takes for HTTPS
    "ok": 5002,  # plain HTTP, configured: pulls work
    "auth": 5003,  # configured, wants a name and a password
    "tls": 5004,  # HTTPS with a certificate that signs itself
    "closed": 5005,  # nobody listens
}


@dataclass(slots=True)
class Registries:
    """The registries on the bridge's address; ``ports`` are chosen when the range is made."""

    folder: Path
    programs: Programs
    ports: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def pick_ports() -> dict[str, int]:
        """A port for each."""
        return {kind: free_port(port) for kind, port in KINDS.items()}

    def address(self, kind: str) -> str:
        """``host:port``."""
        return f"{GATEWAY}:{self.ports[kind]}"

    def environment(self) -> dict[str, str]:
        """What scenarios know about them."""
        addresses = {f"REGISTRY_{kind.upper()}": self.address(kind) for kind in KINDS}
        return {**addresses, "REGISTRY_USER": USER, "REGISTRY_PASSWORD": PASSWORD}

    def start(self, images: Iterable[Image]) -> None:
        """Start them and push the shell and service images into each, and those that only wait to be pulled into one; once."""
        (self.folder / "registries").mkdir(parents=True, exist_ok=True)
        made = list(images)
        for kind in KINDS:
            if kind == "closed":
                continue
            daemon = self.daemon(kind)
            daemon.resume()
            if daemon.alive():
                continue
            self._write_config(kind)
            daemon.write()
            daemon.start()
            wait_for(lambda kind=kind: self._answers(kind), 20, f"registry {kind} does not answer, see {daemon.log}")  # type: ignore[misc]
            for image in made:
                if image.name in {SHELL, SERVICE} or (kind == "ok" and image.name in TO_PULL):
                    self._push(kind, image)
                if kind == "ok" and image.name == DAMAGED:
                    self._damage(kind, digest(image.layer))

    def stop(self) -> None:
        """End them."""
        for kind in KINDS:
            if kind != "closed":
                self.daemon(kind).stop()

    def hosts(self) -> dict[str, str]:
        """The ``hosts.toml`` of those that nodes are told about, by registry address."""
        configured = {kind: f"http://{self.address(kind)}" for kind in ("ok", "auth")}
        return {
            self.address(kind): f'server = "{url}"\n[host."{url}"]\n  capabilities = ["pull", "resolve"]\n'
            for kind, url in configured.items()
        }

    def daemon(self, kind: str) -> Daemon:
        """One of them as a program."""
        command = [self.programs["registry"], "serve", str(self._path(f"{kind}.yml"))]
        return Daemon(self.folder, f"registry-{kind}", command, environment={"OTEL_TRACES_EXPORTER": "none"})

    def _path(self, name: str) -> Path:
        return self.folder / "registries" / name

    def _write_config(self, kind: str) -> None:
        serving: dict[str, object] = {"addr": self.address(kind), "secret": "range"}
        config: dict[str, object] = {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self._path(kind))}},
            "http": serving,
        }
        if kind == "tls":
            pair = self_signed(self.folder / "registries", "registry", hosts=(GATEWAY,))
            serving["tls"] = {"certificate": str(pair.certificate), "key": str(pair.key)}
        if kind == "auth":
            # The registry takes bcrypt alone.
            self._path("htpasswd").write_text(f"{USER}:{_bcrypt(PASSWORD)}\n", encoding="utf-8")
            config["auth"] = {"htpasswd": {"realm": "range", "path": str(self._path("htpasswd"))}}
        self._path(f"{kind}.yml").write_text(json.dumps(config), encoding="utf-8")

    def _connect(self, kind: str) -> http.client.HTTPConnection:
        if kind == "tls":
            context = ssl.create_default_context(cafile=str(self._path("registry.crt")))
            return http.client.HTTPSConnection(GATEWAY, self.ports[kind], timeout=20, context=context)
        return http.client.HTTPConnection(GATEWAY, self.ports[kind], timeout=20)

    def _request(self, kind: str, method: str, path: str, body: bytes = b"", media: str = "application/octet-stream") -> str:
        """One request; gives the Location header."""
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        headers = {"Content-Type": media, **({"Authorization": f"Basic {login}"} if kind == "auth" else {})}
        connection = self._connect(kind)
        try:
            connection.request(method, path, body=body, headers=headers)
            reply = connection.getresponse()
            said = reply.read()
        finally:
            connection.close()
        if reply.status >= 400:
            raise RangeError(f"registry {kind}: {method} {path}: {reply.status} {said[:300].decode(errors='replace')}")
        return reply.headers.get("Location") or ""

    def _answers(self, kind: str) -> bool:
        try:
            self._request(kind, "GET", "/v2/")
        except OSError:
            time.sleep(0.1)
            return False
        return True

    def _damage(self, kind: str, layer: str) -> None:
        """Change a stored layer, as a bad disk does; its size stays."""
        name = layer.partition(":")[2]
        data = self._path(kind) / "docker" / "registry" / "v2" / "blobs" / "sha256" / name[:2] / name / "data"
        with data.open("r+b") as stored:
            stored.seek(4096)
            stored.write(b"damaged")

    def _push(self, kind: str, image: Image) -> None:
        name, _, tag = image.name.partition("/")[2].partition(":")
        for content in (image.layer, image.config):
            where = urlsplit(self._request(kind, "POST", f"/v2/{name}/blobs/uploads/"))
            query = f"{where.query}&digest={digest(content)}"
            self._request(kind, "PUT", f"{where.path}?{query}", content)
        media = "application/vnd.docker.distribution.manifest.v2+json"
        if image.name != FOREIGN:
            self._request(kind, "PUT", f"/v2/{name}/manifests/{tag}", image.manifest, media)
            return
        self._request(kind, "PUT", f"/v2/{name}/manifests/{digest(image.manifest)}", image.manifest, media)
        media = "application/vnd.docker.distribution.manifest.list.v2+json"
        self._request(kind, "PUT", f"/v2/{name}/manifests/{tag}", image.list_of_platforms, media)


def _bcrypt(password: str) -> str:
    """A bcrypt hash by the C library, which Python from 3.13 on does not reach any more."""
    script = "print crypt($ARGV[0], $ARGV[1])"
    done = subprocess.run(
        ["perl", "-e", script, password, "$2y$05$abcdefghijklmnopqrstuu"], capture_output=True, text=True, check=True
    )
    if not done.stdout.startswith("$2y$"):
        raise RangeError("the C library of this machine makes no bcrypt hashes (Debian's libcrypt1 does)")
    return done.stdout
