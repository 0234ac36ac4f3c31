"""Certificates as a client sees them: who they are for, who signed them, from when to when, read from DER and PEM.

Python's ``ssl`` decodes only certificates it trusts, and those it refuses are the ones to look at. Sources: RFC 5280
sections 4.1 and 4.2.1.6 (the fields), Go's ``crypto/x509`` ``VerifyHostname`` and ``HostnameError`` (which names count and
the sentence kubectl prints).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

MOST_BYTES = 1024 * 1024  # of a certificate or bundle; real ones have a few thousand
MOST_CERTIFICATES = 200  # of a bundle

_PEM = re.compile(
    rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----\s([A-Za-z0-9+/=\s]{1,1000000})-----END (?:TRUSTED )?CERTIFICATE-----"
)
_INTEGER, _OID, _UTC_TIME, _SEQUENCE = 0x02, 0x06, 0x17, 0x30
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_DNS_NAME, _ADDRESS = 0x82, 0x87  # choices of GeneralName
_ALTERNATIVE_NAMES = bytes.fromhex("551d11")
_WORDS = {
    bytes.fromhex("550403"): "CN",
    bytes.fromhex("55040a"): "O",
    bytes.fromhex("55040b"): "OU",
    bytes.fromhex("550406"): "C",
}


class Certificate(msgspec.Struct, frozen=True):
    """What matters of one certificate.

    :ivar subject: ``O=system:masters, CN=kubernetes-admin``.
    :ivar dns: names it is valid for; ``addresses`` likewise.
    :ivar subject_key: the subject as it is encoded, to compare with the ``issuer_key`` of another.
    """

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    dns: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    subject_key: bytes = b""
    issuer_key: bytes = b""

    @property
    def self_signed(self) -> bool:
        """Whether it names itself as its issuer."""
        return self.subject_key == self.issuer_key

    @property
    def common_name(self) -> str:
        """The CN of its subject; empty when it has none."""
        found = re.search(r"(?:^|, )CN=(.+?)(?:, [A-Z]{1,2}=|$)", self.subject)
        return found[1] if found else ""

    def covers(self, host: str) -> bool:
        """Whether it is valid for a host: an address must be listed as one; ``*`` stands for the first label only."""
        address = _address(host)
        if address:
            return address in self.addresses
        wanted = host.lower().rstrip(".").split(".")
        return any(_matches(name.lower().rstrip(".").split("."), wanted) for name in self.dns)

    def refusal(self, host: str) -> str:
        """What Go says of a certificate that does not cover a host."""
        if _address(host):
            if not self.addresses:
                return f"x509: cannot validate certificate for {host} because it doesn't contain any IP SANs"
            valid = ", ".join(self.addresses)
        elif not self.dns and not self.addresses and self.common_name:
            return "x509: certificate relies on legacy Common Name field, use SANs instead"
        else:
            valid = ", ".join(self.dns)
        if not valid:
            return f"x509: certificate is not valid for any names, but wanted to match {host}"
        return f"x509: certificate is valid for {valid}, not {host}"


def read_der(data: bytes) -> Certificate:
    """Read one certificate.

    :raises ValueError: it is no certificate, or a damaged one.
    """
    try:
        return _read(data)
    except (IndexError, StopIteration, UnicodeDecodeError, OverflowError) as error:
        raise ValueError("not a certificate") from error


def read_pem(data: bytes) -> list[Certificate]:
    """All certificates of a bundle that can be read, in its order; damaged ones are left out."""
    found: list[Certificate] = []
    for match in list(_PEM.finditer(data[:MOST_BYTES]))[:MOST_CERTIFICATES]:
        try:
            found.append(read_der(base64.b64decode(match[1])))
        except (ValueError, binascii.Error):
            continue
    return found


def _address(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return None


def _matches(pattern: list[str], wanted: list[str]) -> bool:
    if len(pattern) != len(wanted):
        return False
    return all(have == want or (at == 0 and have == "*") for at, (have, want) in enumerate(zip(pattern, wanted, strict=True)))


# --- DER --------------------------------------------------------------------------------------------------


def _read(data: bytes) -> Certificate:
    """Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version, serial, algorithm, issuer, validity, subject, … } … }."""
    if len(data) > MOST_BYTES:
        raise ValueError("too long for a certificate")
    body = _only(_items(_only(_items(data), _SEQUENCE)), _SEQUENCE)
    fields = [item for item in _items(body) if item[0] != _VERSION]
    if len(fields) < 6 or fields[0][0] != _INTEGER:
        raise ValueError("not a certificate")
    issuer, validity, subject = fields[2][1], fields[3][1], fields[4][1]
    start, end = (_time(*item) for item in list(_items(validity))[:2])
    extensions = next((item[1] for item in fields if item[0] == _EXTENSIONS), b"")
    dns, addresses = _alternative_names(extensions)
    return Certificate(_name(subject), _name(issuer), start, end, dns, addresses, subject, issuer)


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element, one after the other."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7F
            if not 0 < count <= 4 or at + count > len(data):
                raise ValueError("a length that cannot be")
            length = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + length > len(data):
            raise ValueError("shorter than it says")
        yield tag, data[at : at + length]
        at += length


def _only(items: Iterator[tuple[int, bytes]], tag: int) -> bytes:
    found, content = next(items)
    if found != tag:
        raise ValueError("not a certificate")
    return content


def _time(tag: int, content: bytes) -> datetime:
    """UTCTime has two digits of the year, of which 50 and above mean 19xx (RFC 5280, 4.1.2.5.1)."""
    text = content.decode("ascii").removesuffix("Z")
    if tag == _UTC_TIME:
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _name(content: bytes) -> str:
    parts = []
    for _, group in _items(content):
        for _, pair in _items(group):
            (_, oid), (_, value) = list(_items(pair))[:2]
            word = _WORDS.get(oid)
            if word:
                text = value.decode("utf-8", "replace")
                parts.append(f"{word}={''.join(c if c.isprintable() else '?' for c in text)[:200]}")
    return ", ".join(parts)


def _alternative_names(extensions: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The subjectAltName extension: names and addresses."""
    dns: list[str] = []
    addresses: list[str] = []
    for _, listed in _items(extensions):
        for _, extension in _items(listed):
            parts = list(_items(extension))
            if not parts or parts[0] != (_OID, _ALTERNATIVE_NAMES):
                continue
            for tag, value in _items(_only(_items(parts[-1][1]), _SEQUENCE)):
                if tag == _DNS_NAME:
                    dns.append("".join(c if c.isprintable() else "?" for c in value.decode("ascii", "replace"))[:260])
                elif tag == _ADDRESS and len(value) in (4, 16):
                    addresses.append(str(ipaddress.ip_address(value)))
    return tuple(dns[:100]), tuple(addresses[:100])
