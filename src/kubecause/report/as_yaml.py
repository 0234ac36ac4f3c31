"""The report as YAML: the same data as the JSON, in the same order."""

from __future__ import annotations

import yaml

from kubecause.report.neutral import UNSEEN
from kubecause.report.view import Report


class _Dumper(yaml.SafeDumper):
    """Safe YAML without aliases, which people and simple parsers stumble over.

    PyYAML itself rather than libyaml: the two break lines differently, and the same report must give the same bytes.
    """

    def ignore_aliases(self, data: object) -> bool:
        """Write everything out, however often it occurs."""
        del data
        return True


def _write_string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if UNSEEN.search(text) else None  # only this style has escapes
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_string)


def to_yaml(report: Report, *, ascii_only: bool = False) -> str:
    """The report; ends with a line end.

    :param ascii_only: for a stream that cannot carry Unicode.
    """
    written: str = yaml.dump(report.to_data(), Dumper=_Dumper, allow_unicode=not ascii_only, sort_keys=False, width=110)
    return UNSEEN.sub(lambda found: f"\\U{ord(found[0]):08x}", written)
