"""``python -m kubecause`` is the same as ``kubecause``."""

from __future__ import annotations

from kubecause.cli import command

if __name__ == "__main__":
    command()
