"""The way to the API server, step by step, as ``evidence/cluster/unreachable.py`` writes it: live, or in a bundle.

One step a line, ``stage: outcome: words``; the first line names the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubecause.facts.host_output import FieldValue, Parser, fact_at, lines_of, unnamed
from kubecause.model import Document, Fact

STEP_LIMIT = 400  # steps of one document; a server has about 60 health checks

_STAGES = "kubeconfig|server|name|proxy|route|connect|tls|certificate|client-certificate|token|credentials|clock|http|check"
_STEP = re.compile(rf"(?P<stage>{_STAGES}): (?P<outcome>[a-z\d][a-z\d-]{{0,40}}): (?P<words>\S.*)")
_SERVER = re.compile(r"https?://(?P<server>(?:\[(?P<v6>[\da-fA-F:.]{2,45})\]|(?P<host>[\w.-]{1,253})):(?P<port>\d{1,5}))")
_SOURCE = re.compile(r"connection to (?P<server>(?:\[(?P<v6>[\da-fA-F:.]{2,45})\]|(?P<host>[\w.-]{1,253})):(?P<port>\d{1,5}))$")
_CERTIFICATE = {"subject": "subject", "issuer": "issuer", "notBefore": "not_before", "notAfter": "not_after", "names": "names"}
_ENDS = re.compile(r"(?:is after|ended on|ends on) (?P<not_after>[\dT:-]{10,25}Z?)")
_CHECK = re.compile(r"(?P<path>readyz|livez) \[-\](?P<check>[\w./:-]{1,200}) failed")
_REASON = re.compile(r"Error from server \((?P<reason>\w{3,40})\)")
_FORBIDDEN = re.compile(
    r"User \"(?P<user>[^\"]{1,300})\" cannot (?P<verb>[\w-]{1,40}) (?:resource|path) \"(?P<resource>[^\"]{1,300})\""
)
_FILE = re.compile(r"(?:^|(?:stat|not found:|config file|there is no) \"?)(?P<file>/[^\s\",:]{1,300})")
_CLOCK = re.compile(r"clock is (?P<difference>\d{1,9} \w{3,8} (?:ahead|behind))")


def parse_api_access(document: Document) -> Iterator[Fact]:
    """``api.access`` of each step."""
    server: dict[str, FieldValue] = {}
    found = _SOURCE.match(document.source)
    if found:
        server = _server_fields(found)
    count = 0
    for index, line in lines_of(document):
        step = _STEP.match(line)
        if not step or count == STEP_LIMIT:
            continue
        count += 1
        stage, outcome, words = step.groups()
        named = _SERVER.search(words) if stage == "server" else None
        if named:
            server = _server_fields(named)
        fields: dict[str, FieldValue | None] = {"stage": stage, "outcome": outcome, "text": words, **server}
        fields.update(_details(stage, outcome, words))
        yield fact_at(document, "api.access", unnamed(document, "Client"), fields, index)


def _server_fields(found: re.Match[str]) -> dict[str, FieldValue]:
    return {"server": found["server"], "host": found["v6"] or found["host"], "port": int(found["port"])}


def _details(stage: str, outcome: str, words: str) -> dict[str, FieldValue]:
    if stage in ("certificate", "client-certificate"):
        pairs = (part.partition("=") for part in words.split("; "))
        return {_CERTIFICATE[key]: value for key, _, value in pairs if key in _CERTIFICATE and value}
    if stage == "http":
        out: dict[str, FieldValue] = {"status": int(outcome)} if outcome.isdigit() and len(outcome) == 3 else {}
        for pattern in (_REASON, _FORBIDDEN):
            found = pattern.search(words)
            out.update(found.groupdict() if found else {})
        return out
    if stage == "proxy":
        return {"proxy": True}
    if stage == "kubeconfig":
        found = _FILE.search(words)
        return {"file": found["file"]} if found else {}
    pattern = {"check": _CHECK, "clock": _CLOCK}.get(stage, _ENDS)
    found = pattern.search(words)
    return dict(found.groupdict()) if found else {}


PARSERS: dict[str, Parser] = {"api-access": parse_api_access}
RECOGNISERS: list[tuple[str, re.Pattern[str]]] = [
    ("api-access", re.compile(r"server: (?:given: https?://\S{1,300}.*, asked with|missing: error: )")),
    ("api-access", re.compile(r"kubeconfig: (?:absent|unreadable|unusable): ")),
    ("api-access", re.compile(r"check: failed: (?:readyz|livez) \[-\]\S{1,200} failed")),
]
