"""``python -m kubecause`` is the same as ``kubecause``."""

from __future__ import annotations

import sys

from kubecause.cli import command

if __name__ == "__main__":
    sys.exit(command())
