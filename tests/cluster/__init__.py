"""A real Kubernetes on this machine: control plane, two nodes, registries, names, and faults made on it."""
