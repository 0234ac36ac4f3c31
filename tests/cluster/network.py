"""The network of the range: a bridge on the host, and a network namespace with a veth pair for each node."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from .daemons import run

BRIDGE = "kubecause0"
SUBNET = "10.201.0"
GATEWAY = f"{SUBNET}.1"
PODS = "10.244.0.0/16"
SERVICES = "10.96.0.0/16"
_FORWARD = ("FORWARD", "-i", BRIDGE, "-o", BRIDGE, "-j", "ACCEPT")


@dataclass(frozen=True, slots=True)
class NodeNetwork:
    """Names and addresses of node number ``number``."""

    number: int

    @property
    def name(self) -> str:
        """The name of the node and of its network namespace."""
        return f"node-{self.number}"

    @property
    def address(self) -> str:
        """Its address on the bridge."""
        return f"{SUBNET}.{10 + self.number}"

    @property
    def pods(self) -> str:
        """The range its pods get their addresses from."""
        return f"10.244.{self.number}.0/24"

    @property
    def link(self) -> str:
        """The host's end of its cable."""
        return f"kc-{self.name}"

    def up(self, others: list[NodeNetwork], resolvers: list[str]) -> None:
        """Make the namespace and its cable; ``resolvers`` are addresses on which the node answers names itself."""
        if self.exists():
            return
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "link", "set", self.link, "master", BRIDGE, "up")
        for command in (
            "link set lo up",
            "link set eth0 up",
            f"addr add {self.address}/24 dev eth0",
            f"route add default via {GATEWAY}",
            *(f"route add {other.pods} via {other.address}" for other in others if other != self),
            *(f"addr add {address}/32 dev lo" for address in resolvers if not address.startswith("127.")),
        ):
            run("ip", "-n", self.name, *command.split())
        self.inside("sysctl", "-qw", "net.ipv4.ip_forward=1")

    def down(self) -> None:
        """Remove the namespace; its end of the cable takes the other one along."""
        run("ip", "link", "del", self.link, check=False)
        run("ip", "netns", "del", self.name, check=False)

    def exists(self) -> bool:
        """Whether the namespace is there."""
        return Path("/run/netns", self.name).exists()

    def inside(self, *command: str, check: bool = True) -> str:
        """Run a command in the node's network."""
        return run("nsenter", f"--net=/run/netns/{self.name}", *command, check=check)

    def processes(self) -> list[int]:
        """What runs in the node's network: its daemons and the shims of its containers, not the pods."""
        return [int(pid) for pid in run("ip", "netns", "pids", self.name, check=False).split()]


def bridge_up(nodes: list[NodeNetwork]) -> None:
    """Make the bridge; the host reaches pods through their node and services through the first node's kube-proxy."""
    if Path("/sys/class/net", BRIDGE).exists():
        return
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "addr", "add", f"{GATEWAY}/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    for node in nodes:
        run("ip", "route", "add", node.pods, "via", node.address)
    run("ip", "route", "add", SERVICES, "via", nodes[0].address)
    # Frames between the nodes pass the host's firewall where it drops what it does not know.
    if "-P FORWARD DROP" in run("iptables", "-S", "FORWARD", check=False):
        run("iptables", "-I", *_FORWARD)


def bridge_down() -> None:
    """Remove the bridge, with it its routes, and the firewall rule."""
    run("ip", "link", "del", BRIDGE, check=False)
    while _has_rule():
        run("iptables", "-D", *_FORWARD)


def _has_rule() -> bool:
    return subprocess.run(["iptables", "-C", *_FORWARD], capture_output=True, check=False).returncode == 0


def host_resolvers() -> list[str]:
    """The name servers of this machine: programs of a node ask them, so the node must answer there itself."""
    lines = Path("/etc/resolv.conf").read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines]
    return [word[1] for word in words if len(word) > 1 and word[0] == "nameserver" and ":" not in word[1]]
