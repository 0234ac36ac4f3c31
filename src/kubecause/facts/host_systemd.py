"""systemd units from ``systemctl status`` and ``systemctl list-units``.

Formats: systemd 219 to 256. The mark before a unit is ``●``, ``*`` (no UTF-8), ``○``, ``×`` or ``↻`` (since 247) and is
often lost in a paste; lines may be cut by the pager (``>``) or by systemctl (``…``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kubecause.facts.host_output import FieldValue, Parser, fact_at, lines_of, node_of
from kubecause.model import Document, Fact

UNIT_LIMIT = 2000  # rows of list-units that become facts

_MARK = r"(?:[●○×✕↻•*]\s*)?"
_SUFFIX = r"(?:service|socket|timer|target|mount|slice|scope|path)"
_NAME = rf"(?P<unit>[\w@:.\\-]{{1,200}}\.{_SUFFIX})"
_HEAD = re.compile(rf"\s{{0,4}}{_MARK}{_NAME}(?P<description> - .*)?$")
_ROW = re.compile(
    rf"\s*{_MARK}{_NAME}\s+(?P<load>loaded|not-found|masked|error|bad-setting|merged|stub)"
    r"\s+(?P<active>active|inactive|failed|activating|deactivating|reloading|maintenance)\s+(?P<sub>[a-z-]+)(?:\s|$)",
)
_LOADED = re.compile(r"\s*Loaded: (?P<load>[a-z-]+)(?: \((?P<detail>.*))?")
_ACTIVE = re.compile(r"\s*Active: (?P<active>[a-z]+)(?P<rest>.*)")
_SUB = re.compile(r" \((?P<sub>[a-z-]{2,30})(?P<end>\)?)")
_RESULT = re.compile(r"\(Result: (?P<result>[a-z-]{2,40})\)")
_ENDED = re.compile(r"\s*(?P<what>Main PID|Process): \d+ .*?\(code=[a-z]+, status=(?P<status>\d{1,5})")
_ENABLED = re.compile(r";\s*(?P<enabled>enabled(?:-runtime)?|disabled|static|masked|indirect|generated|linked|alias)\s*[;)]")
_JOURNAL = re.compile(
    r"\s*(?:(?:[A-Z][a-z]{2} [ \d]\d|\d{1,2}月\s{1,2}\d{1,2}) \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT[\d:.,+Z-]{8,24}) "
    r"(?P<host>[A-Za-z0-9][\w.-]{0,252}) [^\s\[:]{1,64}(?:\[\d+\])?: ",
)
_COMMAND = re.compile(r"\bsystemctl\s+(?:-\S+\s+)*status\s+(?:-\S+\s+)*(?P<unit>[\w@:.\\-]+)")
_ACTIVE_STATES = frozenset(
    ("active", "inactive", "failed", "activating", "deactivating", "reloading", "refreshing", "maintenance"),
)


class _Unit(msgspec.Struct):
    """What has been read of one unit of ``systemctl status``."""

    name: str
    load: str | None = None
    fields: dict[str, FieldValue] = msgspec.field(default_factory=dict)
    main_status: tuple[int, int] | None = None  # exit status and the line that shows it
    other_status: tuple[int, int] | None = None
    active_at: int | None = None
    host: str | None = None


def parse_systemctl_status(document: Document) -> Iterator[Fact]:
    """``unit.state`` of each unit of ``systemctl status`` or ``systemctl list-units``.

    A unit that is not installed (``not-found``) gives no fact: it is named by something, it does not fail. Of
    list-units only services and failed units count. The machine is the document's, else the one that the journal
    lines below a unit name.
    """
    units, hosts = _read_units(document)
    only_host = hosts[0] if len(hosts) == 1 else None
    for unit in units:
        if unit.active_at is None or unit.load == "not-found":
            continue
        active = str(unit.fields["active"])
        places = [unit.active_at]
        ended = unit.main_status or (unit.other_status if active not in {"active", "reloading"} else None)
        if ended:
            unit.fields["status"] = ended[0]
            places.append(ended[1])
        fields = {"unit": unit.name.removesuffix(".service"), **unit.fields, "down": _down(active, unit.fields.get("sub"))}
        yield fact_at(document, "unit.state", node_of(document, unit.host or only_host), fields, *places)
    yield from _listed_units(document, only_host)


def _read_units(document: Document) -> tuple[list[_Unit], list[str]]:
    """Walk ``systemctl status``: the units in order, and the hosts that journal lines name."""
    units: list[_Unit] = []
    hosts: dict[str, None] = {}
    for index, line in lines_of(document):
        if journal := _JOURNAL.match(line):
            hosts[journal["host"]] = None
            if units and units[-1].host is None:
                units[-1].host = journal["host"]
        elif (head := _HEAD.match(line)) and (head["description"] or _is_loaded(document, index + 1)):
            units.append(_Unit(head["unit"]))
        elif line.lstrip().startswith(("Loaded:", "Active:", "Main PID:", "Process:")):
            if not units and (command := _COMMAND.search(document.command or "")):
                units.append(_Unit(command["unit"]))
            if units:
                _read_property(units[-1], index, line)
    return units, list(hosts)


def _is_loaded(document: Document, index: int) -> bool:
    return index < len(document.lines) and document.lines[index].lstrip().startswith("Loaded:")


def _read_property(unit: _Unit, index: int, line: str) -> None:
    """Take over one ``Name: value`` line."""
    if loaded := _LOADED.match(line):
        unit.load = loaded["load"]
        if unit.load == "masked":
            unit.fields["enabled"] = "masked"
        elif enabled := _ENABLED.search(loaded["detail"] or ""):
            unit.fields["enabled"] = enabled["enabled"]
    elif (active := _ACTIVE.match(line)) and active["active"] in _ACTIVE_STATES:
        unit.active_at = index
        unit.fields["active"] = active["active"]
        if sub := _SUB.match(active["rest"]):
            unit.fields.update(_sub(sub["sub"], whole=bool(sub["end"])))
        if result := _RESULT.search(active["rest"]):
            unit.fields["result"] = result["result"]
    elif ended := _ENDED.match(line):
        if ended["what"] == "Main PID":
            unit.main_status = (int(ended["status"]), index)
        elif ended["status"] != "0" or unit.other_status is None:
            unit.other_status = (int(ended["status"]), index)


def _sub(text: str, *, whole: bool) -> dict[str, str]:
    """The sub-state; a word cut by the pager counts only when no other sub-state begins like it."""
    if whole:
        return {"sub": text}
    return {"sub": "auto-restart"} if text.startswith("auto-") else {}


def _down(active: str, sub: FieldValue | None) -> bool:
    """Whether a unit does not run: one that waits for its next restart does not, one that starts is not counted."""
    if active == "activating":
        return str(sub).startswith("auto-restart")
    return active not in {"active", "reloading", "refreshing"}


def _listed_units(document: Document, host: str | None) -> Iterator[Fact]:
    """Rows of ``systemctl list-units``: UNIT LOAD ACTIVE SUB DESCRIPTION."""
    count = 0
    for index, line in lines_of(document):
        row = _ROW.match(line)
        if not row or row["load"] == "not-found" or not (row["unit"].endswith(".service") or row["active"] == "failed"):
            continue
        fields: dict[str, FieldValue] = {
            "unit": row["unit"].removesuffix(".service"),
            "active": row["active"],
            "sub": row["sub"],
            "down": _down(row["active"], row["sub"]),
        }
        if row["load"] == "masked":
            fields["enabled"] = "masked"
        yield fact_at(document, "unit.state", node_of(document, host), fields, index)
        count += 1
        if count == UNIT_LIMIT:
            return


PARSERS: dict[str, Parser] = {"systemctl-status": parse_systemctl_status}
# The first pattern of a kind starts on the first line of a block, so that the line that names the unit is not left out.
RECOGNISERS: list[tuple[str, re.Pattern[str]]] = [
    ("systemctl-status", re.compile(rf"(?m)^[ \t]{{0,4}}{_MARK}[\w@:.\\-]+\.{_SUFFIX}(?: - [^\n]*)?\n[ \t]*Loaded: ")),
    ("systemctl-status", re.compile(r"(?m)^ {0,9}Loaded: (?:loaded|masked|not-found|error|bad-setting)\b")),
    (
        "systemctl-status",
        re.compile(r"(?m)^ {0,9}Active: (?:active|inactive|failed|activating|deactivating|reloading) \((?:Result: )?[a-z-]+"),
    ),
    ("systemctl-status", re.compile(r"(?m)^[ \t]{0,4}UNIT[ \t]+LOAD[ \t]+ACTIVE[ \t]+SUB\b")),
]
