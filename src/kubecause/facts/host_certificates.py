"""Certificates as ``openssl`` (``x509``, ``s_client``), ``curl -v`` and ``kubeadm certs check-expiration`` print them.

Whether one has expired is said only where the text says so, or against the time the document was collected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from kubecause.facts.host_output import FieldValue, Parser, fact_at, lines_of, unnamed
from kubecause.model import Document, Fact

CERTIFICATE_LIMIT = 500

_MONTHS = {
    "Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6, "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11, "Dec": 12,
}  # fmt: skip
_OPENSSL_DATE = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.\d+)? (\d{4}) (?:GMT|UTC)")
_KUBEADM_DATE = re.compile(r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}) (\d\d):(\d\d) UTC")
_ISO_DATE = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)Z")
_COMMON_NAME = re.compile(r"(?:^|[,;/\s])CN ?= ?(?P<name>[^,;/=]{1,200})")
_BUILT_IN = frozenset(("kubernetes ingress controller fake certificate", "traefik default cert"))
_ZONE_DOUBT = timedelta(hours=14)  # a collection time without a zone may be off by this much


class _Certificate(msgspec.Struct):
    """What has been read of one certificate."""

    texts: dict[str, str] = msgspec.field(default_factory=dict)  # subject, issuer, not_before, not_after, address
    said: dict[str, bool] = msgspec.field(default_factory=dict)  # expired, not_yet_valid, self_signed
    places: list[int] = msgspec.field(default_factory=list)

    def agrees(self, other: _Certificate) -> bool:
        """Whether both may be one certificate, printed twice."""
        same = {name: _plain(self.texts[name]) == _plain(other.texts[name]) for name in self.texts.keys() & other.texts.keys()}
        return same.get("subject", False) and all(same.values())


class _Reader:
    """Puts certificates together from single lines: a name that comes again starts the next one."""

    def __init__(self) -> None:
        self.done: list[_Certificate] = []
        self.current = _Certificate()
        self.address: str | None = None

    def start(self) -> None:
        """The next line belongs to another certificate."""
        if self.current.places:
            self._keep(self.current)
        self.current = _Certificate()

    def _keep(self, certificate: _Certificate) -> None:
        for known in self.done[-10:]:
            if known.agrees(certificate):
                known.texts = {**certificate.texts, **known.texts}
                known.said.update(certificate.said)
                known.places += certificate.places
                return
        if len(self.done) < CERTIFICATE_LIMIT:
            self.done.append(certificate)

    def text(self, name: str, value: str, index: int) -> None:
        """Take over one value."""
        if name in self.current.texts:
            self.start()
        self.current.texts[name] = value.strip()
        self.current.places.append(index)
        if self.address:
            self.current.texts.setdefault("address", self.address)

    def says(self, name: str, index: int) -> None:
        """Take over a judgement of the tool itself."""
        self.current.said[name] = True
        self.current.places.append(index)
        if self.address:
            self.current.texts.setdefault("address", self.address)

    def certificates(self) -> list[_Certificate]:
        """Everything read."""
        self.start()
        return self.done


def _plain(name: str) -> str:
    """A distinguished name without the blanks, slashes and order in which versions of openssl differ."""
    return ",".join(sorted(part.replace(" ", "") for part in re.split(r"[,;/]", name) if part.strip()))


def moment(text: str) -> datetime | None:
    """A date as openssl, curl or kubeadm print it, in UTC; ``None`` when it is another format."""
    text = text.strip()
    try:
        if found := _OPENSSL_DATE.match(text):
            month, day, hour, minute, second, year = found.groups()
            return datetime(int(year), _MONTHS.get(month, 0), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        if found := _KUBEADM_DATE.match(text):
            month, day, year, hour, minute = found.groups()
            return datetime(int(year), _MONTHS.get(month, 0), int(day), int(hour), int(minute), tzinfo=UTC)
        if found := _ISO_DATE.match(text):
            return datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00")
    except ValueError:
        return None
    return None


def _before(earlier: datetime | None, later: datetime | None) -> bool | None:
    """Whether one time is before another; ``None`` when one is unknown or too near to tell without a zone."""
    if earlier is None or later is None:
        return None
    doubt = timedelta(0)
    if earlier.tzinfo is None or later.tzinfo is None:
        earlier, later, doubt = _zoned(earlier), _zoned(later), _ZONE_DOUBT
    difference = later - earlier
    return None if abs(difference) <= doubt else difference > timedelta(0)


def _zoned(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _certificate_facts(document: Document, certificates: list[_Certificate]) -> Iterator[Fact]:
    for certificate in certificates:
        texts = certificate.texts
        subject, issuer = texts.get("subject"), texts.get("issuer")
        after = texts.get("not_after", "")
        end = moment(after)
        common_name = _COMMON_NAME.search(subject or "")
        fields: dict[str, FieldValue | None] = {
            "subject": subject,
            "issuer": issuer,
            "not_after": f"{end:%Y-%m-%dT%H:%M:%SZ}" if end else after or None,
            "expired": _before(end, document.collected),
            "not_yet_valid": _before(document.collected, moment(texts.get("not_before", ""))),
            "self_signed": _plain(subject) == _plain(issuer) if subject and issuer else None,
            "ingress_fake": bool(common_name and common_name["name"].strip().lower() in _BUILT_IN) if subject else None,
            "address": texts.get("address"),
            **certificate.said,
        }
        yield fact_at(document, "certificate", unnamed(document, "Client"), fields, *certificate.places)


# --- openssl ----------------------------------------------------------------------------------------------

_X509_LINE = re.compile(
    r"[#*>\s]*(?:(?:Not Before ?: ?|notBefore ?= ?)(?P<not_before>\w.*)|(?:Not After ?: ?|notAfter ?= ?)(?P<not_after>\w.*)"
    r"|(?:Subject: ?|subject ?= ?|\d{1,2} s:)(?P<subject>\S.*)|(?:Issuer: ?|issuer ?= ?|i:)(?P<issuer>\S.*)"
    r"|v:NotBefore: (?P<from>[^;]{1,40}); NotAfter: (?P<to>[^;]{1,40}))$",
)
_DEPTH = re.compile(r"\s*depth=\d{1,2} (?P<subject>\S.*)")
_NEW = re.compile(r"\s*(?:Certificate:|Certificate chain|Server certificate|-----BEGIN CERTIFICATE-----)\s*$")
_PATH_LINE = re.compile(r"(?:[-=#*:>\s]{0,40})(?P<path>[\w./][\w./@-]{0,300}\.(?:crt|pem|cert|cer|conf))[-=#*:\s]{0,40}$")
_ADDRESS_ASKED = re.compile(r"-connect[ =](?P<address>[\w.:\[\]-]{1,300})|\s-in[ =](?P<path>[^\s|;'\"$*]{1,300})")


def parse_x509(document: Document) -> Iterator[Fact]:
    """``certificate`` of each certificate of ``openssl x509 -text``, ``-dates`` or ``-subject``, and of ``s_client``.

    ``address`` is the server of ``-connect``, the file of ``-in``, or the file name printed above. ``not_after`` is
    ISO 8601 in UTC where the date could be read.
    """
    reader = _Reader()
    if asked := _ADDRESS_ASKED.search(document.command or ""):
        reader.address = asked["address"] or asked["path"]
    for index, line in lines_of(document):
        if found := _X509_LINE.match(line):
            for group, value in found.groupdict().items():
                if value:
                    reader.text({"from": "not_before", "to": "not_after"}.get(group, group), value, index)
        elif depth := _DEPTH.match(line):
            reader.start()
            reader.text("subject", depth["subject"], index)
        elif _NEW.match(line):
            reader.start()
        elif path := _PATH_LINE.match(line):
            reader.start()
            reader.address = path["path"]
        elif "verify error" in line:
            _read_verdict(reader, index, line)
    yield from _certificate_facts(document, reader.certificates())


def _read_verdict(reader: _Reader, index: int, line: str) -> None:
    """What OpenSSL says of a certificate (https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/)."""
    if "certificate has expired" in line:
        reader.says("expired", index)
    elif "certificate is not yet valid" in line:
        reader.says("not_yet_valid", index)
    elif re.search(r"self[- ]signed certificate(?! in certificate chain)", line):
        reader.says("self_signed", index)


# --- curl -v ----------------------------------------------------------------------------------------------

_CURL_LINE = re.compile(r"[*#\s]{0,20}(?P<name>subject|issuer|start date|expire date): ?(?P<value>\S.*)")
_CURL_NAMES = {"subject": "subject", "issuer": "issuer", "start date": "not_before", "expire date": "not_after"}
_CURL_BLOCK = re.compile(r"[*#\s]{0,20}(?:Server|Proxy) certificate:\s*$")
_CURL_CONNECTED = re.compile(
    r"(?:Connected|Established connection) to (?P<host>[\w.:-]{1,253}) \([^)\s]{0,60}\)? port (?P<port>\d{1,5})",
)
_CURL_URL = re.compile(r"https://(?P<host>[\w.-]{1,253}|\[[\da-fA-F:]{2,45}\])(?::(?P<port>\d{1,5}))?")


def parse_curl_verbose(document: Document) -> Iterator[Fact]:
    """``certificate`` of each server certificate of ``curl -v``, and of each certificate curl refuses."""
    reader = _Reader()
    if url := _CURL_URL.search(document.command or ""):
        reader.address = f"{url['host']}:{url['port'] or 443}"
    for index, line in lines_of(document):
        if connected := _CURL_CONNECTED.search(line):
            reader.start()
            reader.address = f"{connected['host']}:{connected['port']}"
        elif _CURL_BLOCK.match(line):
            reader.start()
        elif found := _CURL_LINE.match(line):
            reader.text(_CURL_NAMES[found["name"]], found["value"], index)
        elif "SSL certificate problem" in line or "SSL certificate verify result" in line:
            _read_verdict(reader, index, line)
    yield from _certificate_facts(document, reader.certificates())


# --- kubeadm certs check-expiration -----------------------------------------------------------------------

_EXPIRATION_ROW = re.compile(
    r"\s*(?P<name>[\w.-]{1,64})\s+(?P<date>[A-Z][a-z]{2} \d{1,2}, \d{4} \d\d:\d\d UTC)\s+(?P<left><invalid>|\d{1,6}[smhdy])"
    r"(?:\s+(?P<authority>[\w.-]{1,64}))??(?:\s+(?:yes|no))?\s*$",
)


def parse_certs_expiration(document: Document) -> Iterator[Fact]:
    """``certificate`` of each row of ``kubeadm certs check-expiration``.

    ``subject`` and ``issuer`` are kubeadm's names of the certificate and its authority. ``<invalid>`` as residual time
    means expired (https://github.com/kubernetes/apimachinery/blob/master/pkg/util/duration/duration.go).
    """
    count = 0
    for index, line in lines_of(document):
        row = _EXPIRATION_ROW.match(line)
        if not row or count == CERTIFICATE_LIMIT:
            continue
        count += 1
        end = moment(row["date"])
        fields: dict[str, FieldValue | None] = {
            "subject": row["name"],
            "issuer": row["authority"],
            "not_after": f"{end:%Y-%m-%dT%H:%M:%SZ}" if end else row["date"],
            "expired": row["left"] == "<invalid>",
        }
        yield fact_at(document, "certificate", unnamed(document, "Client"), fields, index)


PARSERS: dict[str, Parser] = {
    "x509": parse_x509,
    "curl-verbose": parse_curl_verbose,
    "certs-expiration": parse_certs_expiration,
}
RECOGNISERS: list[tuple[str, re.Pattern[str]]] = [
    ("certs-expiration", re.compile(r"(?m)^[ \t]*CERTIFICATE(?: AUTHORITY)?[ \t]+EXPIRES[ \t]+RESIDUAL TIME\b")),
    (
        "curl-verbose",
        re.compile(
            r"(?m)^[*#] *(?:Server certificate:[ \t]*$|SSL connection using |ALPN[:,] |TLSv1\.\d \((?:OUT|IN)\)"
            r"|SSL certificate problem|Trying \S+\.\.\."
            r"|Connected to \S+ \(|connect to \S+ port \d+ failed|Could not resolve host: )",
        ),
    ),
    (
        "x509",
        re.compile(
            r"(?m)^\S{0,300}\.(?:crt|pem|cert|cer|conf)\S{0,40}[ \t]*\n(?:subject ?=|issuer ?=|not(?:Before|After)=|Certificate:)"
        ),
    ),
    ("x509", re.compile(r"(?m)^[ \t]*not(?:Before|After) ?= ?[A-Z\d]|^[ \t]*Not After ?: [A-Z]")),
    ("x509", re.compile(r"(?m)^Certificate:[ \t]*\n {4}Data:|^CONNECTED\([\dA-F]{8}\)[ \t]*$|^depth=\d+ \S")),
]
