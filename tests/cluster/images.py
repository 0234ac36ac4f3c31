"""Images without docker: a docker-archive is a tar of tars, written here and loaded with ``ctr``, pushed with HTTP."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .daemons import SYSTEM_PATH, RangeError
from .programs import TOOLS, MissingProgramsError, Programs, cache_folder, find_go, go_build

PAUSE = "kubecause.test/pause:1"
SHELL = "kubecause.test/shell:1"
SERVICE = "kubecause.test/service:1"
COREDNS = "kubecause.test/coredns:1"
DATA = "kubecause.test/data:1"  # says nothing to run
STRANGER = "kubecause.test/stranger:1"  # is to run as a user that it does not have
FOREIGN = "kubecause.test/foreign:1"  # for a processor that no node has
MISLABELLED = "kubecause.test/mislabelled:1"  # says that it fits, but its program is for another processor
DAMAGED = "kubecause.test/damaged:1"  # the registry's copy of its layer is not what was pushed
TO_PULL = frozenset({FOREIGN, MISLABELLED, DAMAGED})  # only registries have them
PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
GROUP = "root:x:0:\nnobody:x:65534:\n"


@dataclass(frozen=True)
class Image:
    """An image of one layer: programs by their path inside, symbolic links, and what it starts."""

    name: str
    files: Mapping[str, Path]
    links: Mapping[str, str]
    entrypoint: Sequence[str]
    user: str = ""
    runs: bool = True  # whether it says what to run
    architecture: str = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)

    @cached_property
    def layer(self) -> bytes:
        """The layer as a tar: the same content gives the same bytes."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for folder in ("bin", "etc", "root", "tmp", "var", "var/run"):
                archive.addfile(_entry(folder, tarfile.DIRTYPE, mode=0o1777 if folder == "tmp" else 0o755))
            for path, text in (("etc/passwd", PASSWD), ("etc/group", GROUP)):
                archive.addfile(_entry(path, size=len(text), mode=0o644), io.BytesIO(text.encode()))
            for path, source in self.files.items():
                with source.open("rb") as stream:
                    archive.addfile(_entry(path.lstrip("/"), size=source.stat().st_size), stream)
            for link, target in self.links.items():
                entry = _entry(link.lstrip("/"), tarfile.SYMTYPE)
                entry.linkname = target
                archive.addfile(entry)
        return buffer.getvalue()

    @cached_property
    def config(self) -> bytes:
        """The image's configuration."""
        content: dict[str, Any] = {
            "architecture": self.architecture,
            "os": "linux",
            "config": {"Entrypoint": list(self.entrypoint) or None, "Env": ["PATH=/bin:/"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(self.layer)]},
        }
        if not self.entrypoint and self.runs:
            content["config"]["Cmd"] = ["/bin/sh"]
        if self.user:
            content["config"]["User"] = self.user
        return json.dumps(content, sort_keys=True).encode()

    @property
    def manifest(self) -> bytes:
        """The manifest that a registry stores."""
        kind = "application/vnd.docker"
        layer = {"mediaType": f"{kind}.image.rootfs.diff.tar", "size": len(self.layer), "digest": digest(self.layer)}
        config = {"mediaType": f"{kind}.container.image.v1+json", "size": len(self.config), "digest": digest(self.config)}
        content = {"schemaVersion": 2, "mediaType": f"{kind}.distribution.manifest.v2+json", "config": config, "layers": [layer]}
        return json.dumps(content).encode()

    @property
    def list_of_platforms(self) -> bytes:
        """The manifest list that names the one platform the image is for; runtimes choose by it."""
        kind = "application/vnd.docker.distribution.manifest"
        platform = {"architecture": self.architecture, "os": "linux"}
        one = {"mediaType": f"{kind}.v2+json", "size": len(self.manifest), "digest": digest(self.manifest), "platform": platform}
        return json.dumps({"schemaVersion": 2, "mediaType": f"{kind}.list.v2+json", "manifests": [one]}).encode()

    def save(self, path: Path) -> None:
        """Write the docker-archive."""
        manifest = json.dumps([{"Config": "config.json", "RepoTags": [self.name], "Layers": ["layer.tar"]}]).encode()
        with tarfile.open(path, "w") as archive:
            for name, content in (("layer.tar", self.layer), ("config.json", self.config), ("manifest.json", manifest)):
                archive.addfile(_entry(name, size=len(content)), io.BytesIO(content))


def digest(content: bytes) -> str:
    """How images name content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def images(programs: Programs) -> Iterator[Image]:
    """Every image of the range; raises RangeError when a static busybox is missing."""
    found = shutil.which("busybox", path=SYSTEM_PATH)
    if found is None:
        raise RangeError("no busybox on PATH: apt-get install busybox-static")
    busybox = Path(found)
    applets = subprocess.run([found, "--list"], capture_output=True, text=True, check=True).stdout.split()
    links = {f"bin/{applet}": "/bin/busybox" for applet in applets if applet != "busybox"}
    yield Image(PAUSE, {"bin/busybox": busybox}, {}, ["/bin/busybox", "sleep", "2147483647"])
    yield Image(SHELL, {"bin/busybox": busybox}, links, [])
    yield Image(SERVICE, {"service": build_service()}, {}, ["/service"])
    yield Image(COREDNS, {"coredns": Path(programs["coredns"])}, {}, ["/coredns"])
    yield Image(DATA, {"bin/busybox": busybox}, {}, [], runs=False)
    yield Image(STRANGER, {"service": build_service()}, {}, ["/service"], user="somebody")
    yield Image(FOREIGN, {"service": build_service()}, {}, ["/service"], architecture="s390x")
    yield Image(MISLABELLED, {"service": _of_another_processor(build_service())}, {}, ["/service"])
    yield Image(DAMAGED, {"service": build_service(), "damaged": build_service()}, {}, ["/service"])


def build_service() -> Path:
    """The small Go program that fails as services do, built once a version of its source; raises MissingProgramsError."""
    source = TOOLS / "service"
    content = b"".join(path.read_bytes() for path in sorted(source.iterdir()))
    target = cache_folder() / f"service-{hashlib.sha256(content).hexdigest()[:12]}"
    if not target.exists():
        go = find_go()
        if go is None:
            raise MissingProgramsError("the service image of the test range is built with Go 1.22 or newer: install golang-go")
        fresh = target.with_suffix(".new")
        target.parent.mkdir(parents=True, exist_ok=True)
        go_build([go, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(fresh), "."], source)
        fresh.rename(target)
    return target


def _of_another_processor(program: Path) -> Path:
    """A copy of a program whose ELF header names another processor (e_machine, elf(5)): the kernel refuses to start it."""
    target = program.with_name(f"{program.name}-other")
    content = bytearray(program.read_bytes())
    content[18:20] = (22).to_bytes(2, "little")  # EM_S390
    target.write_bytes(content)
    target.chmod(0o755)
    return target


def _entry(name: str, kind: bytes = tarfile.REGTYPE, *, size: int = 0, mode: int = 0o755) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.size, entry.mode = kind, size, mode
    return entry
