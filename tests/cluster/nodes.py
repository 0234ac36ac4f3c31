"""A node: a network namespace with containerd, kubelet, kube-proxy and a name server in it, all real."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .control_plane import ControlPlane
from .daemons import Daemon, RangeError, run, wait_for
from .network import NodeNetwork, host_resolvers
from .node_files import cni_config, containerd_config, kubelet_config, names_config, proxy_config, write_json, write_text
from .programs import Programs

CGROUPS = Path("/sys/fs/cgroup")
PROGRAMS = ("names", "containerd", "kubelet", "kube-proxy")


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the range. Its files are below ``nodes/NAME`` of the range's folder."""

    range_folder: Path
    programs: Programs
    plane: ControlPlane
    network: NodeNetwork

    @property
    def name(self) -> str:
        """``node-1``."""
        return self.network.name

    @property
    def folder(self) -> Path:
        """Everything this node writes."""
        return self.range_folder / "nodes" / self.name

    def start_runtime(self, nodes: list[NodeNetwork]) -> None:
        """Network, cgroups, name server and containerd: all that images can be loaded into."""
        self.network.up(nodes, host_resolvers())
        make_cgroups(self.name)
        for name in ("manifests", "certs.d"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.write_files()
        for name in PROGRAMS:
            self.daemon(name).write()
        self.daemon("names").start()
        self.daemon("containerd").start()
        wait_for(self._containerd_answers, 30, f"containerd of {self.name} does not answer, see {self.daemon('containerd').log}")

    def start_kubelet(self) -> None:
        """Join the cluster."""
        self.daemon("kubelet").start()
        self.daemon("kube-proxy").start()

    def wait_ready(self, within: float = 60) -> None:
        """Wait until the API server calls the node Ready; raises RangeError with the end of the kubelet's log."""
        try:
            wait_for(self.registered, within, "")
            # The controller's own ranges would contradict the one that CNI uses.
            if not self.field("{.spec.podCIDR}"):
                patch = f'{{"spec":{{"podCIDR":"{self.network.pods}","podCIDRs":["{self.network.pods}"]}}}}'
                self.plane.kubectl("patch", "node", self.name, "-p", patch)
            wait_for(self.ready, within, "")
        except RangeError:
            raise RangeError(f"{self.name} did not get Ready in {within:g} s: {self.daemon('kubelet').last_lines()}") from None

    def registered(self) -> bool:
        """Whether its Node object exists."""
        return self.field("{.metadata.name}") == self.name

    def ready(self) -> bool:
        """Whether it is Ready, schedulable and without taints."""
        return (
            self.field('{.status.conditions[?(@.type=="Ready")].status} {.spec.taints} {.spec.unschedulable}').strip() == "True"
        )

    def field(self, path: str) -> str:
        """A field of its Node object, empty when there is none."""
        wanted = ("get", "node", self.name, "--ignore-not-found", "--request-timeout=3s", "-o", f"jsonpath={path}")
        return self.plane.kubectl(*wanted, check=False)

    def write_files(self) -> None:
        """Write every configuration as it is on a healthy node."""
        proxy = self.plane.kubeconfig("system:kube-proxy")
        cni = self.folder / "cni" / "10-pods.conflist"
        for path in cni.parent.glob("*"):  # the folder itself stays: containerd watches it
            if path != cni:
                path.unlink()
        write_json(cni, cni_config(self.folder, self.network))
        write_json(self.folder / "kubelet.json", kubelet_config(self.folder, self.network))
        write_json(self.folder / "kube-proxy.json", proxy_config(self.network, proxy))
        write_text(self.folder / "containerd.toml", containerd_config(self.folder))
        write_text(self.folder / "resolv.conf", f"nameserver {self.network.address}\n")
        write_text(self.folder / "Corefile", names_config([self.network.address, *host_resolvers()]))

    def heal(self) -> None:
        """Back to a healthy node: its files as they were written first, its programs running with them."""
        for path in (self.folder / "manifests").iterdir():
            path.unlink()
        before = {path: path.read_bytes() for path in self._configurations()}
        commands = {name: self.daemon(name).script.read_bytes() for name in PROGRAMS}
        self.write_files()
        changed = {path.name for path in self._configurations() if before.get(path) != path.read_bytes()}
        gone = {path.name for path in before if not path.exists()}
        for name in PROGRAMS:
            daemon = self.daemon(name)
            daemon.write()
            stale = daemon.script.read_bytes() != commands[name] or bool(daemon.arguments_added())
            files = {"containerd": {"containerd.toml"}, "kubelet": {"kubelet.json", "resolv.conf"}, "names": {"Corefile"}}
            if stale or files.get(name, {f"{name}.json"}) & (changed | gone):
                daemon.stop()
            daemon.resume()
            daemon.start()
        wait_for(self._containerd_answers, 30, f"containerd of {self.name} does not answer")
        self._heal_bridge()
        if not self.registered():  # a kubelet registers when it starts, and never again
            self.daemon("kubelet").stop()
            self.daemon("kubelet").start()

    def _heal_bridge(self) -> None:
        """A bridge with a wrong address stays wrong; the pods on it are made anew elsewhere or later."""
        shown = self.network.inside("ip", "-o", "-4", "addr", "show", "dev", "cni0", check=False)
        wanted = self.network.pods.replace(".0/24", ".1/24")
        if shown and f"inet {wanted} " not in shown:
            self.network.inside("ip", "link", "del", "cni0", check=False)
            mine = ("delete", "pods", "-n", "kube-system", f"--field-selector=spec.nodeName={self.name}", "--wait=false")
            self.plane.kubectl(*mine, check=False)

    def _configurations(self) -> Iterator[Path]:
        yield from (path for path in self.folder.iterdir() if path.is_file() and path.suffix in {".json", ".toml", ".conf", ""})
        yield from (self.folder / "cni").glob("*")

    def ctr(self, *arguments: str, check: bool = True) -> str:
        """Run ``ctr`` on the node's containerd, in the namespace of Kubernetes."""
        return run("ctr", "-a", f"{self.folder}/containerd.sock", "-n", "k8s.io", *arguments, check=check, within=300)

    def _containerd_answers(self) -> bool:
        return "linux" in self.ctr("version", check=False) or "Server:" in self.ctr("version", check=False)

    def stop(self) -> None:
        """End everything that runs on the node and remove what it mounted; its files stay."""
        for name in reversed(PROGRAMS):
            self.daemon(name).stop(within=5)
        end = time.monotonic() + 20
        while (pids := [*self.network.processes(), *cgroup_processes(self.name)]) and time.monotonic() < end:
            for pid in set(pids):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.2)
        unmount_below(self.folder)
        remove_cgroups(self.name)
        self.network.down()

    def daemon(self, name: str) -> Daemon:
        """One of the node's programs by name."""
        files = self.folder
        command = {
            "names": [self.programs["coredns"], f"-conf={files / 'Corefile'}"],
            "containerd": ["containerd", f"--config={files / 'containerd.toml'}"],
            "kubelet": [
                self.programs["kubelet"],
                f"--config={files / 'kubelet.json'}",
                f"--kubeconfig={self.plane.kubeconfig(f'system:node:{self.name}')}",
                f"--root-dir={files / 'kubelet'}",
                f"--cert-dir={files / 'kubelet-certs'}",
                f"--hostname-override={self.name}",
                f"--node-ip={self.network.address}",
                f"--node-labels=topology.kubernetes.io/zone=zone-{self.network.number}",
            ],
            "kube-proxy": [self.programs["kube-proxy"], f"--config={files / 'kube-proxy.json'}"],
        }
        return Daemon(self.range_folder, f"{self.name}.{name}", command[name], netns=self.name)


def make_cgroups(name: str) -> None:
    """The cgroup below which a node's pods live, in every hierarchy (version 1) or in the one (version 2)."""
    if (CGROUPS / "cgroup.controllers").exists():
        folder = CGROUPS / name
        folder.mkdir(exist_ok=True)
        for parent in (CGROUPS, folder):
            for controller in (parent / "cgroup.controllers").read_text(encoding="utf-8").split():
                (parent / "cgroup.subtree_control").write_text(f"+{controller}", encoding="utf-8")
        return
    for hierarchy in _hierarchies():
        (hierarchy / name).mkdir(exist_ok=True)
        if hierarchy.name == "cpuset":  # a new cpuset is empty, and nothing can run in it
            for file in ("cpuset.cpus", "cpuset.mems"):
                (hierarchy / name / file).write_text((hierarchy / file).read_text(encoding="utf-8"), encoding="utf-8")


def cgroup_processes(name: str) -> list[int]:
    """Every process in the cgroups of a node: its pods."""
    files = [file for hierarchy in _hierarchies() for file in (hierarchy / name).rglob("cgroup.procs")]
    pids: set[int] = set()
    for file in files:
        try:
            pids |= {int(pid) for pid in file.read_text(encoding="utf-8").split()}
        except OSError:
            continue
    return sorted(pids)


def remove_cgroups(name: str) -> None:
    """Remove them, innermost first; they are empty once their processes are gone."""
    for hierarchy in {*_hierarchies(), CGROUPS / "unified"}:  # the runtime makes some there of its own accord
        top = hierarchy / name
        for folder in [*sorted(top.rglob("*/"), reverse=True), top] if top.exists() else []:
            try:
                folder.rmdir()
            except OSError:
                continue


def _hierarchies() -> list[Path]:
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return [path for path in CGROUPS.iterdir() if path.is_dir() and not path.is_symlink() and path.name != "unified"]


def unmount_below(folder: Path) -> None:
    """Unmount lazily what lies below a folder, the last mount first."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
    for point in reversed(mounts):
        if point.startswith(f"{folder}/"):
            run("umount", "-l", point.encode().decode("unicode_escape"), check=False)
