"""Members of etcd from ``etcdctl endpoint status``: table, simple (comma separated) and JSON, etcd 3.3 to 3.6."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from kubecause.facts.host_output import FieldValue, Parser, fact_at, lines_of, size_bytes, unnamed
from kubecause.model import Document, Fact

MEMBER_LIMIT = 100
JSON_LIMIT = 1_000_000  # characters

_Fields = dict[str, FieldValue | None]
_Member = tuple[_Fields, list[int]]  # and the lines that show it

_ENDPOINT = re.compile(r"(?:https?://)?[\w.\[\]:-]{1,253}:\d{1,5}")
_SIZE = re.compile(r"\d{1,9}(?:\.\d{1,3})? ?[kMGT]?B")
_PLAIN = re.compile(r"(?:true|false|\d*|[\d.]+%?|\d[\w.+-]*)")


def parse_etcd_status(document: Document) -> Iterator[Fact]:
    """``etcd.status`` of each member; ``db_size`` in bytes (rounded by etcdctl except in JSON), ``errors`` only if any."""
    members = _printed_members(document) or _json_members(document)
    for fields, places in members[:MEMBER_LIMIT]:
        yield fact_at(document, "etcd.status", unnamed(document, "Cluster"), fields, *places)


def _printed_members(document: Document) -> list[_Member]:
    """Rows of the table and the simple format; a long error goes on in rows without an endpoint."""
    columns: list[str] = []
    members: list[_Member] = []
    for index, line in lines_of(document):
        fields: _Fields | None = None
        if line.lstrip().startswith("|"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")[:40]]
            row = dict(zip(columns, cells, strict=False)) if len(cells) == len(columns) else {}
            if "ENDPOINT" in cells:
                columns = cells
            elif row.get("ERRORS") and not row.get("ENDPOINT") and members and members[-1][0]["errors"]:
                members[-1][0]["errors"] = f"{members[-1][0]['errors']} {row['ERRORS']}"[:1000]
                members[-1][1].append(index)
            else:
                fields = _from_row(row)
        elif line.count(",") >= 5:
            fields = _from_cells([cell.strip() for cell in line.split(",")[:40]])
        if fields and len(members) < MEMBER_LIMIT:
            members.append((fields, [index]))
    return members


def _from_row(row: Mapping[str, str]) -> _Fields | None:
    """A row of ``-w table``; the columns grew with every version."""
    if not _ENDPOINT.fullmatch(row.get("ENDPOINT", "")):
        return None
    return {
        "endpoint": row["ENDPOINT"],
        "leader": _boolean(row.get("IS LEADER", "")),
        "learner": _boolean(row.get("IS LEARNER", "")),
        "db_size": size_bytes(row.get("DB SIZE", row.get("DB SIZE/IN USE", "").split("/")[0]), base=1000),
        "errors": row.get("ERRORS") or None,
    }


def _from_cells(cells: Sequence[str]) -> _Fields | None:
    """A line of the simple format: sizes and truth values are found by their shape, errors come after the Raft indexes."""
    if not _ENDPOINT.fullmatch(cells[0]):
        return None
    truths = [place for place, cell in enumerate(cells) if cell in {"true", "false"}]
    size = next((cell for cell in cells if _SIZE.fullmatch(cell)), None)
    if not truths or size is None:
        return None
    leader = truths[0]
    learner = leader + 1 if leader + 1 in truths else None
    errors = ", ".join(cell for cell in cells[(learner or leader) + 1 :] if not _PLAIN.fullmatch(cell))
    return {
        "endpoint": cells[0],
        "leader": cells[leader] == "true",
        "learner": cells[learner] == "true" if learner else None,
        "db_size": size_bytes(size, base=1000),
        "errors": errors or None,
    }


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text)


def _json_members(document: Document) -> list[_Member]:
    """``-w json``, on one line or indented."""
    start = next((index for index, line in enumerate(document.lines) if line.lstrip().startswith("[")), None)
    if start is None or sum(len(line) + 1 for line in document.lines[start:]) > JSON_LIMIT:
        return []
    try:
        members, _ = json.JSONDecoder().raw_decode("\n".join(document.lines[start:]).lstrip())
    except (ValueError, RecursionError):
        return []
    if not isinstance(members, list):
        return []
    lines = [index for index, line in enumerate(document.lines) if '"Endpoint"' in line] or [start]
    found = ((place, _from_json(member)) for place, member in enumerate(members[:MEMBER_LIMIT]))
    return [(fields, [lines[min(place, len(lines) - 1)]]) for place, fields in found if fields]


def _from_json(member: object) -> _Fields | None:
    """One member; a member is leader when it names itself as leader. Fields that are zero or false are left out."""
    if not isinstance(member, dict) or not isinstance(status := member.get("Status"), dict):
        return None
    endpoint, header, size = member.get("Endpoint"), status.get("header"), status.get("dbSize")
    own = header.get("member_id") if isinstance(header, dict) else None
    errors = status.get("errors")
    return {
        "endpoint": endpoint if isinstance(endpoint, str) else None,
        "leader": own == status.get("leader") if own is not None else None,
        "learner": status.get("isLearner") is True,
        "db_size": size if isinstance(size, int) and not isinstance(size, bool) else None,
        "errors": ", ".join(str(error) for error in errors[:10])[:1000] if isinstance(errors, list) and errors else None,
    }


PARSERS: dict[str, Parser] = {"etcd-status": parse_etcd_status}
RECOGNISERS: list[tuple[str, re.Pattern[str]]] = [
    ("etcd-status", re.compile(r"(?m)^[ \t]*\|[ \t]*ENDPOINT[ \t]*\|[^\n]{0,300}\bIS LEADER\b")),
    ("etcd-status", re.compile(r"(?m)^\S{1,260}:\d+, [\da-f]{8,16}, \d+\.\d+\.\d+\S*, [^\n]{0,60}\b(?:true|false),")),
    ("etcd-status", re.compile(r'(?m)^[ \t]*\[[ \t]*\{[ \t]*"Endpoint"[ \t]*:[^\n]{0,300}\s*"Status"')),
]
