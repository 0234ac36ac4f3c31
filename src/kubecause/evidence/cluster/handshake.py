"""The TLS handshake of an API server, looked at when it fails: whom the server shows, and what a client says to it.

Wordings are kubectl's: Go's ``crypto/x509`` (``CertificateInvalidError``, ``HostnameError``, ``UnknownAuthorityError``),
``crypto/tls`` and ``net/http``. The moment of the check is left out, so that the same fault gives the same text.
No credentials are sent before the server's certificate is verified.
"""

from __future__ import annotations

import email.utils
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from kubecause.errors import ConfigError
from kubecause.evidence.cluster.certificates import Certificate, read_der, read_pem
from kubecause.evidence.cluster.credentials import Proof
from kubecause.evidence.cluster.dial import make_context, told
from kubecause.evidence.cluster.kubeconfig import ConnectionSettings

Dial = Callable[[], socket.socket]

UNABLE = "Unable to connect to the server: "
_VERIFY = f"{UNABLE}tls: failed to verify certificate: x509: "
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of openssl/x509_vfy.h: dates are judged on their own
_WRONG_PURPOSE = 26  # X509_V_ERR_INVALID_PURPOSE
_SKEW = timedelta(minutes=5)  # clocks that differ less are one clock
_HEAD_BYTES = 16 * 1024


class Step(msgspec.Struct, frozen=True):
    """One step of the way to the server, and how it ended; printed as ``stage: outcome: words``."""

    stage: str
    outcome: str
    words: str

    def __str__(self) -> str:
        return f"{self.stage}: {self.outcome}: {' '.join(self.words.split())}"


class Shown(msgspec.Struct, frozen=True):
    """What a handshake without verification brought: the server's certificate, and its clock where it told it."""

    certificate: Certificate
    clock: datetime | None


def stamp(moment: datetime) -> str:
    """A moment as Go prints it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def look(dial: Dial, settings: ConnectionSettings, host: str) -> Shown | Step:
    """Shake hands without trust, as nobody: which certificate is shown; or how the handshake failed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with context.wrap_socket(dial(), server_hostname=settings.tls_server_name or host) as line:
            encoded = line.getpeercert(binary_form=True)
            certificate = read_der(encoded or b"")
            return Shown(certificate, _server_clock(line, host))
    except TimeoutError:
        return Step("tls", "timeout", f"{UNABLE}net/http: TLS handshake timeout")
    except ssl.SSLError as error:
        if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG"):
            return _no_tls(dial, Step("tls", "no-tls", f"{UNABLE}tls: first record does not look like a TLS handshake"))
        if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return _no_tls(dial, Step("tls", "closed", f"{UNABLE}EOF"))
        return Step("tls", "rejected", f"{UNABLE}remote error: tls: {told(error, 0)}")
    except OSError:
        return _no_tls(dial, Step("tls", "closed", f"{UNABLE}EOF"))
    except ValueError as error:
        return Step("tls", "unreadable", f"{UNABLE}tls: failed to parse certificate from server: {error}")


def judge(dial: Dial, shown: Shown, settings: ConnectionSettings, host: str, now: datetime) -> Iterator[Step]:
    """Everything a client finds wrong with the certificate, in Go's order: dates, names, authority."""
    certificate = shown.certificate
    dates = _dates_step(shown, now)
    if dates:
        yield dates
    name = settings.tls_server_name or host
    if not certificate.covers(name):
        yield Step("tls", "wrong-name", f"{UNABLE}tls: failed to verify certificate: {certificate.refusal(name)}")
    yield from _authority(dial, certificate, settings, name, now)


def turned_away(dial: Dial, settings: ConnectionSettings, host: str) -> Step | None:
    """Whether a trusted server ends the connection right behind the handshake, before anything was asked.

    That is what TLS 1.3 does where a client certificate is wrong or missing (RFC 8446, 4.4.2.4); its alert is lost when
    a request is on its way already.
    """
    given = settings.credentials
    try:
        context = make_context(settings, Proof(0, certificate=given.certificate, key=given.key))
        with context.wrap_socket(dial(), server_hostname=settings.tls_server_name or host) as line:
            line.settimeout(1.0)
            line.recv(1)
    except ssl.SSLError as error:
        if "alert" in told(error, 0):
            return Step("tls", "client-rejected", f"{UNABLE}remote error: tls: {told(error, 0)}")
    except (OSError, ValueError, ConfigError):
        pass
    return None


def described(stage: str, certificate: Certificate, now: datetime) -> Step:
    """A certificate's own line: who, by whom, from when to when, for which names."""
    names = ", ".join((*certificate.dns, *certificate.addresses))
    words = f"subject={certificate.subject}; issuer={certificate.issuer}; notBefore={stamp(certificate.not_before)}"
    words += f"; notAfter={stamp(certificate.not_after)}" + (f"; names={names}" if names else "")
    return Step(stage, dated(certificate, now), words)


def dated(certificate: Certificate, now: datetime) -> str:
    """``expired``, ``not-yet-valid`` or ``in-date``."""
    if now > certificate.not_after:
        return "expired"
    return "not-yet-valid" if now < certificate.not_before else "in-date"


def clock_step(server: datetime | None, now: datetime) -> Step | None:
    """Whether this machine and the server agree about the time; None when the server did not tell it."""
    if server is None:
        return None
    apart = now - server
    if abs(apart) <= _SKEW:
        return Step("clock", "agrees", "this machine and the server agree about the time")
    way = "ahead" if apart > timedelta(0) else "behind"
    return Step("clock", way, f"this machine's clock is {about(abs(apart))} {way} {'of ' if way == 'ahead' else ''}the server's")


def about(span: timedelta) -> str:
    """A span in one unit."""
    for unit, seconds in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if span.total_seconds() >= seconds:
            count = round(span.total_seconds() / seconds)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"


def server_time(header: str | None) -> datetime | None:
    """The Date header of an answer (RFC 9110, 6.6.1)."""
    try:
        found = email.utils.parsedate_to_datetime(header or "")
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# --- what is wrong with it --------------------------------------------------------------------------------


def _dates_step(shown: Shown, now: datetime) -> Step | None:
    certificate, here = shown.certificate, dated(shown.certificate, now)
    if here == "in-date":
        return None
    if shown.clock and dated(certificate, shown.clock) == "in-date":
        span = f"{stamp(certificate.not_before)} to {stamp(certificate.not_after)}"
        return Step(
            "tls", "clock", f"the certificate is valid from {span}: out of date by this machine's clock, in date by the server's"
        )
    if here == "expired":
        words = f"certificate has expired or is not yet valid: current time is after {stamp(certificate.not_after)}"
    else:
        words = f"certificate has expired or is not yet valid: current time is before {stamp(certificate.not_before)}"
    return Step("tls", here, _VERIFY + words)


def _authority(dial: Dial, certificate: Certificate, settings: ConnectionSettings, name: str, now: datetime) -> Iterator[Step]:
    """Whether an authority of the kubeconfig, or of the system, signed it; dates and names are judged elsewhere."""
    known = read_pem(settings.ca_data) if settings.ca_data else []
    signers = [authority for authority in known if authority.subject_key == certificate.issuer_key]
    problem = _refused(dial, settings, name)
    if problem == _WRONG_PURPOSE:
        yield Step("tls", "wrong-purpose", f"{_VERIFY}certificate specifies an incompatible key usage")
    elif problem is not None and signers:
        candidate = f'candidate authority certificate "{signers[0].common_name}"'
        words = f"certificate signed by unknown authority (while trying to verify {candidate})"
        yield Step("tls", "other-key", _VERIFY + words)
    elif problem is not None:
        yield Step(
            "tls",
            "self-signed" if certificate.self_signed else "unknown-authority",
            f"{_VERIFY}certificate signed by unknown authority",
        )
    elif signers and all(dated(authority, now) != "in-date" for authority in signers):
        words = f"the authority {signers[0].common_name} of the kubeconfig ended on {stamp(signers[0].not_after)}"
        yield Step("tls", "ca-expired", f"{_VERIFY}certificate signed by unknown authority: {words}")


def _refused(dial: Dial, settings: ConnectionSettings, name: str) -> int | None:
    """OpenSSL's number of what is wrong with the chain; None when it is trusted, or cannot be asked for again."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags = ssl.VerifyFlags(int(ssl.VERIFY_X509_PARTIAL_CHAIN) | _NO_CHECK_TIME)
    try:
        if settings.ca_data is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(cadata=settings.ca_data.decode("ascii", "ignore"))
        with context.wrap_socket(dial(), server_hostname=name):
            return None
    except ssl.SSLCertVerificationError as error:
        return int(error.verify_code)
    except (OSError, ValueError):
        return None


def _no_tls(dial: Dial, otherwise: Step) -> Step:
    """A port that did not take the TLS greeting: whether it is one for HTTP without TLS."""
    try:
        with dial() as line:
            line.sendall(b"GET / HTTP/1.0\r\n\r\n")
            if line.recv(5) == b"HTTP/":
                return Step("tls", "plain-http", f"{UNABLE}http: server gave HTTP response to HTTPS client")
    except OSError:
        pass
    return otherwise


def _server_clock(line: ssl.SSLSocket, host: str) -> datetime | None:
    """Ask for the Date header of any answer, without credentials: the server is not trusted yet."""
    head = b""
    try:
        line.sendall(f"GET /version HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        while b"\r\n\r\n" not in head and len(head) < _HEAD_BYTES:
            piece = line.recv(4096)
            if not piece:
                break
            head += piece
    except OSError:
        return None
    for row in head.decode("latin-1").split("\r\n"):
        key, _, value = row.partition(":")
        if key.lower() == "date":
            return server_time(value.strip())
    return None
