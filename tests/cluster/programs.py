"""Where the programs of a cluster come from: the environment, PATH, the cache, or a build with Go."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .daemons import SYSTEM_PATH, RangeError

VERSION = "v1.34.4"
TOOLS = Path(__file__).parent / "tools"
_STAMP = "-X k8s.io/component-base/version"

# Which folder below tools/ builds which programs, from which packages.
BUILDS: Mapping[str, Mapping[str, str]] = {
    "kubernetes": {
        name: f"k8s.io/kubernetes/cmd/{name}"
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
    },
    "etcd": {"etcd": "go.etcd.io/etcd/server/v3"},
    "services": {
        "registry": "github.com/distribution/distribution/v3/cmd/registry",
        "coredns": "github.com/coredns/coredns",
    },
}
FLAGS = {
    "kubernetes": f"-s -w {_STAMP}.gitVersion={VERSION} {_STAMP}.gitMajor=1 {_STAMP}.gitMinor=34",
    "etcd": "-s -w",
    "services": "-s -w",
}
CONTROL_PLANE = ("kube-apiserver", "etcd", "kubectl")
CONTROLLERS = ("kube-controller-manager", "kube-scheduler")
NODES = ("kubelet", "kube-proxy", "registry", "coredns")
ALL = (*CONTROL_PLANE, *CONTROLLERS, *NODES)

# Programs that the system's packages bring, by package.
PACKAGES = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "iptables-restore": "iptables",
    "conntrack": "conntrack",
    "socat": "socat",
    "ipvsadm": "ipvsadm",
    "busybox": "busybox-static",
    "nsenter": "util-linux",
    "ip": "iproute2",
    "openssl": "openssl",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}


class MissingProgramsError(RangeError):
    """A program is neither there nor can it be built."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The path of each program."""

    paths: Mapping[str, Path]

    def __getitem__(self, name: str) -> str:
        return str(self.paths[name])


def cache_folder() -> Path:
    """Where built programs are kept: outside the tree, one folder a version."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "kubecause" / "programs" / VERSION


def find_programs(names: Iterable[str], *, build: bool = False) -> Programs:
    """Each program from ``KUBEBUILDER_ASSETS``, PATH, the cache, or a build; raises MissingProgramsError with one line."""
    wanted = list(names)
    missing = [name for name in wanted if _find(name) is None]
    if missing and build:
        _build(missing)
        missing = [name for name in wanted if _find(name) is None]
    if missing:
        raise MissingProgramsError(
            f"no {', '.join(missing)} in KUBEBUILDER_ASSETS, on PATH or in {cache_folder()}:"
            " `python -m tests.cluster build` builds them (Go 1.25 or newer, about 15 minutes once)"
        )
    return Programs({name: path for name in wanted if (path := _find(name)) is not None})


def missing_packages() -> list[str]:
    """Debian packages of which some program is not installed."""
    absent = {package for name, package in PACKAGES.items() if shutil.which(name, path=SYSTEM_PATH) is None}
    return sorted(absent)


def install_packages() -> None:
    """Install what is missing with apt-get; raises MissingProgramsError where that does not work."""
    packages = missing_packages()
    if not packages:
        return
    if shutil.which("apt-get") is None:
        raise MissingProgramsError(f"no apt-get here: install the programs of Debian's {', '.join(packages)} in another way")
    print(f"installing {' '.join(packages)} …", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", *words], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingProgramsError(f"apt-get install {' '.join(packages)} failed: {done.stderr.strip()[-400:]}")


def find_go() -> str | None:
    """The Go tool, also where it is installed by hand."""
    return shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")


def _find(name: str) -> Path | None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    places = [Path(assets) / name] if assets else []
    found = shutil.which(name)
    places += [Path(found)] if found and _fits(name, found) else []
    places.append(cache_folder() / name)
    # Resolved: the range puts a link to kubectl on PATH, which must not come to point at itself.
    return next((place.resolve() for place in places if place.is_file() and os.access(place, os.X_OK)), None)


@cache
def _fits(name: str, path: str) -> bool:
    """Whether a program that happens to be on PATH is of the version that the tests are about."""
    if name not in BUILDS["kubernetes"]:
        return True
    words = ["version", "--client"] if name == "kubectl" else ["--version"]
    said = subprocess.run([path, *words], capture_output=True, text=True, check=False, timeout=30)
    return VERSION.rpartition(".")[0] in said.stdout


def _build(missing: list[str]) -> None:
    """Build what is missing into the cache; two builds at a time wait for each other."""
    go = find_go()
    if go is None:
        raise MissingProgramsError(f"building {', '.join(missing)} needs Go 1.25 or newer and there is no `go` on PATH")
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{VERSION}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for tool, packages in BUILDS.items():
            for name in [name for name in packages if name in missing and _find(name) is None]:
                print(f"building {name} …", file=sys.stderr, flush=True)
                fresh = folder / f".{name}.new"
                command = [go, "build", "-trimpath", "-ldflags", FLAGS[tool], "-o", str(fresh), packages[name]]
                go_build(command, TOOLS / tool)
                fresh.rename(folder / name)


def go_build(command: list[str], folder: Path) -> None:
    """Run Go without C, in a module's folder; raises MissingProgramsError with the end of what it said."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingProgramsError(f"{' '.join(command[:2])} in {folder} failed: {done.stderr.strip()[-600:]}")
