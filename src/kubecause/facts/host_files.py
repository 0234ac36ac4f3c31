"""Attributes that keep even root from changing a file: ``lsattr``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubecause.facts.host_output import FieldValue, Parser, fact_at, lines_of, node_of
from kubecause.model import Document, Fact

FILE_LIMIT = 5000
PLAIN_LIMIT = 200  # rows without a lock: enough to show that somebody looked

# e2fsprogs prints 13 to 22 letters or dashes, by version; the letters are those of chattr(1).
_FLAGS = r"[-sSuDiadAcCjItTeEFNPVxXhBMZmr]{13,24}"
_ROW = re.compile(rf"\s*(?P<flags>{_FLAGS})\s+(?P<path>\S.*)")


def parse_lsattr(document: Document) -> Iterator[Fact]:
    """``file.attributes`` of each row of ``lsattr``: all immutable or append-only files, the first others."""
    locked = plain = 0
    for index, line in lines_of(document):
        row = _ROW.match(line)
        if not row or "-" not in row["flags"]:
            continue
        immutable, append_only = "i" in row["flags"], "a" in row["flags"]
        fields: dict[str, FieldValue] = {"path": row["path"], "immutable": immutable, "append_only": append_only}
        if immutable or append_only:
            locked += 1
        else:
            plain += 1
            if plain > PLAIN_LIMIT:
                continue
        if locked > FILE_LIMIT:
            return
        yield fact_at(document, "file.attributes", node_of(document), fields, index)


PARSERS: dict[str, Parser] = {"lsattr": parse_lsattr}
RECOGNISERS: list[tuple[str, re.Pattern[str]]] = [
    ("lsattr", re.compile(rf"(?m)^(?=[a-zA-Z]{{0,23}}-){_FLAGS} \.{{0,2}}/\S*[ \t]*$")),
]
