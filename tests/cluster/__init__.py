"""A real Kubernetes on this machine: control plane, two nodes, registries, names, and faults made on it."""

import os

# Programs for administrators lie there (iptables, ip, conntrack), and not everybody's PATH names these folders.
os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
