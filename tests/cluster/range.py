"""The whole test range: control plane, nodes, names and registries below one folder; only one fits on a machine."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .control_plane import ControlPlane, Ports
from .daemons import RangeError, run, wait_for
from .dns import dns_objects
from .images import TO_PULL, Image, images
from .network import GATEWAY, NodeNetwork, bridge_down, bridge_up
from .nodes import Node
from .programs import ALL, PACKAGES, Programs, find_programs, missing_packages
from .registries import Registries

DEFAULT_FOLDER = Path("/tmp/kubecause-range")
NETWORKS = [NodeNetwork(1), NodeNetwork(2)]
STEPS = Path(__file__).parent / "tools" / "steps"
SYSTEM_NAMESPACES = {"default", "kube-system", "kube-public", "kube-node-lease"}

# What programs leave in fixed places; removed at the end where it was not there before.
FIXED_PLACES = (
    "/run/containerd",
    "/var/lib/cni",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
    "/run/xtables.lock",
)
# What the kubelet sets for the whole machine.
SYSCTLS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops")


@dataclass(slots=True)
class Range:
    """A running range; ``open_range`` finds or starts it."""

    folder: Path
    programs: Programs
    plane: ControlPlane
    nodes: list[Node]
    registries: Registries

    def start(self) -> None:
        """Start whatever does not run and wait until everything is ready; raises RangeError."""
        made = list(images(self.programs))
        bridge_up(NETWORKS)
        with ThreadPoolExecutor() as pool:
            plane = pool.submit(self.plane.start)
            registries = pool.submit(self.registries.start, made)
            archives = self._save_images(image for image in made if image.name not in TO_PULL)
            plane.result()
            list(pool.map(lambda node: self._start_node(node, archives), self.nodes))
            registries.result()
            self.plane.apply(*dns_objects())
            list(pool.map(Node.wait_ready, self.nodes))
        self.wait_healthy()

    def _start_node(self, node: Node, archives: Iterable[Path]) -> None:
        node.start_runtime(NETWORKS)
        self._name_registries(node)
        self.load_images(node, archives)
        node.start_kubelet()

    def _name_registries(self, node: Node) -> None:
        for registry, text in self.registries.hosts().items():
            path = node.folder / "certs.d" / registry / "hosts.toml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def _save_images(self, made: Iterable[Image]) -> list[Path]:
        folder = self.folder / "images"
        folder.mkdir(exist_ok=True)
        paths = []
        for image in made:
            path = folder / f"{image.name.rpartition('/')[2].replace(':', '-')}.tar"
            if not path.exists():
                image.save(path)
            paths.append(path)
        return paths

    def load_images(self, node: Node, archives: Iterable[Path] | None = None) -> None:
        """Load what the node lacks."""
        known = node.ctr("images", "ls", "-q")
        for path in archives or sorted((self.folder / "images").glob("*.tar")):
            name, _, tag = path.stem.rpartition("-")
            if f"kubecause.test/{name}:{tag}" not in known:
                node.ctr("images", "import", str(path))

    def wait_healthy(self, within: float = 90) -> None:
        """Wait until nodes are Ready and the cluster's names are served."""
        for node in self.nodes:
            wait_for(node.ready, within, f"{node.name} is not Ready", every=0.5)
        wait_for(self.names_served, within, "CoreDNS is not ready", every=0.5)

    def names_served(self) -> bool:
        """Whether CoreDNS runs as often as it should."""
        fields = "jsonpath={.status.readyReplicas}/{.status.replicas}/{.spec.replicas}/{.status.updatedReplicas}"
        said = self.plane.kubectl("-n", "kube-system", "get", "deploy", "coredns", "-o", fields, check=False)
        counts = said.split("/")
        return len(set(counts)) == 1 and counts[0].isdigit()

    def heal(self) -> None:
        """Everything back as it was at the start: programs, files, nodes, names."""
        self.plane.start()
        for node in self.nodes:
            node.heal()
            self._name_registries(node)
            self.load_images(node)
        self.registries.start([])
        self.plane.apply(*dns_objects())
        for node in self.nodes:
            self.plane.kubectl("uncordon", node.name, check=False)
            node.wait_ready()
        if not self.names_served():  # pods that crashed with another configuration would wait minutes for their next try
            broken = ("delete", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "--force", "--grace-period=0")
            self.plane.kubectl(*broken, check=False)
        self.wait_healthy()

    def reset(self) -> None:
        """Delete every namespace that is not the system's, then heal."""
        named = self.plane.kubectl("get", "ns", "-o", "name").split()
        for name in [name for name in named if name.partition("/")[2] not in SYSTEM_NAMESPACES]:
            self.plane.kubectl("delete", name, "--wait=false")
        self.heal()

    def stop(self) -> None:
        """End it and leave the machine as it was; the folder goes too."""
        for node in self.nodes:
            node.stop()
        self.plane.stop()
        self.registries.stop()
        bridge_down()
        before = self._read_state().get("before", {})
        for name, value in before.get("sysctls", {}).items():
            Path("/proc/sys", name).write_text(value, encoding="utf-8")
        for place in FIXED_PLACES:
            if place not in before.get("places", FIXED_PLACES):
                _remove(Path(place))
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """What steps see: kubectl and the range's own commands on PATH, addresses, folders."""
        path = [str(self.folder / "bin"), str(STEPS), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        return {
            **os.environ,
            "PATH": ":".join(path),
            "KUBECONFIG": str(self.plane.kubeconfig("admin")),
            "RANGE": str(self.folder),
            **self.registries.environment(),
        }

    def healthy(self) -> bool:
        """Whether it answers, its nodes are Ready and its names are served."""
        answers = self.plane.daemon("kube-apiserver").alive() and self.plane.ready()
        return answers and all(node.ready() for node in self.nodes) and self.names_served()

    def _read_state(self) -> dict[str, Any]:
        return read_state(self.folder)


def open_range(folder: Path = DEFAULT_FOLDER, *, build: bool = False) -> Range:
    """The range below a folder, not started: its ports are chosen now or were before.

    Raises MissingProgramsError when programs are neither there nor built, RangeError without root or packages.
    """
    if os.geteuid() != 0:
        raise RangeError("the test range needs root: it makes network namespaces, mounts and cgroups")
    if packages := missing_packages():
        raise RangeError(f"the test range needs packages: apt-get install {' '.join(packages)}")
    programs = find_programs(ALL, build=build)
    folder.mkdir(parents=True, exist_ok=True)
    state = read_state(folder)
    if not state:
        state = {
            "ports": asdict(Ports.pick((6443, 2379, 2380, 10257, 10259))),
            "registries": Registries.pick_ports(),
            "before": {
                "places": [place for place in FIXED_PLACES if Path(place).exists()],
                "sysctls": {name: Path("/proc/sys", name).read_text(encoding="utf-8").strip() for name in SYSCTLS},
            },
        }
        (folder / "range.json").write_text(json.dumps(state, indent=1), encoding="utf-8")
    plane = ControlPlane(folder, programs, GATEWAY, Ports(**state["ports"]))
    nodes = [Node(folder, programs, plane, network) for network in NETWORKS]
    opened = Range(folder, programs, plane, nodes, Registries(folder, programs, state["registries"]))
    _link_programs(opened)
    return opened


def read_state(folder: Path) -> dict[str, Any]:
    """What was written when the range was made; empty when there is none."""
    try:
        content: dict[str, Any] = json.loads((folder / "range.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content


def _link_programs(opened: Range) -> None:
    """Put kubectl on PATH for steps, and the settings that a shell needs to work with the range."""
    (opened.folder / "bin").mkdir(exist_ok=True)
    link = opened.folder / "bin" / "kubectl"
    link.unlink(missing_ok=True)
    link.symlink_to(opened.programs["kubectl"])
    settings = opened.environment()
    names = ["KUBECONFIG", "RANGE", *opened.registries.environment()]
    lines = [f"export {name}={settings[name]}" for name in names]
    lines.append(f'export PATH="{opened.folder / "bin"}:{STEPS}:$PATH"')
    (opened.folder / "env.sh").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _remove(path: Path) -> None:
    """Remove a place that was not there before; /run/netns is a mount of its own."""
    run("umount", "-l", str(path), check=False)
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def changes() -> str:
    """What starting a range changes on the machine, for people who are about to."""
    return (
        f"The test range, until it is taken down, makes on this machine: network namespaces {', '.join(n.name for n in NETWORKS)}"
        f" with a bridge, veth pairs and routes ({GATEWAY}/24, 10.244.0.0/16, 10.96.0.0/16), iptables rules inside them,"
        f" cgroups /{' /'.join(n.name for n in NETWORKS)}, mounts and files below {DEFAULT_FOLDER}, sysctls that the kubelet sets"
        f" ({', '.join(SYSCTLS)}).\nIt needs the Debian packages {' '.join(sorted(set(PACKAGES.values())))}"
        " and, once, Go to build Kubernetes (about 15 minutes)."
    )
