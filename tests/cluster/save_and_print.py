"""Diagnose a cluster once: print the report in several outputs and save the bundle of the very same evidence.

``save_and_print.py BUNDLE [flags of kubecause why]`` writes BUNDLE and BUNDLE.OUTPUT for each output.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kubecause.cli_why import add_cluster_flags, open_source
from kubecause.evidence.saved import write_bundle
from kubecause.knowledge import load_cases
from kubecause.model import Document, Gap
from kubecause.pipeline import diagnose_source
from kubecause.report import render


def main(bundle: str, *flags: str) -> None:
    """One run of the pipeline, kept in both ways."""
    import os

    parser = argparse.ArgumentParser()
    add_cluster_flags(parser)
    cases = load_cases()
    source = open_source(parser.parse_args(flags), os.environ)
    items: list[Document | Gap] = []
    try:
        result = diagnose_source(source, cases, keep=items.append)
    finally:
        source.close()
    write_bundle(bundle, items, source=(source.kind, source.name), scope={}, clock=source.clock, force=True)
    for output in ("json", "text"):
        Path(f"{bundle}.{output}").write_text(render(result, cases.cases, output=output, language="en"), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
