"""Ask one API server, over kept-alive connections, several at once, and only ever with GET.

Retries follow client-go ``rest/request.go`` and "API Priority and Fairness": an answer 429 or 5xx says with Retry-After
when to come back. Requests that only read may be repeated, so a connection that breaks is opened again.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import time
import zlib
from collections.abc import Mapping
from typing import ClassVar, Final, Self

from kubecause import __version__
from kubecause.errors import UnreachableError
from kubecause.evidence.cluster.credentials import Header, Identity, Proof
from kubecause.evidence.cluster.dial import Dialer, TooSlowError
from kubecause.evidence.cluster.guarded import Guarded
from kubecause.evidence.cluster.kubeconfig import ConnectionSettings

_TRIES: Final = 5  # in all
_BACKOFF: Final = (0.1, 0.3, 0.8, 1.6)  # seconds, where it does not
_LONGEST_PAUSE: Final = 10.0  # seconds of a Retry-After that are waited
_PATIENCE: Final = 3.0  # times the timeout: the bound on one get() with all its retries
_WHOLE_ANSWER: Final = 6.0  # times the timeout: the bound on one answer that keeps trickling
_LARGEST: Final = 512 * 1024 * 1024  # bytes of an answer, inflated
_BLOCK: Final = 1024 * 1024
_SMALL_BLOCK: Final = 65536
_GIVE_UP: Final = 8  # requests in a row without an answer: for the length of a timeout nobody asks again


class Reply(Guarded, frozen=True):
    """One answer.

    :ivar headers: names in lower case.
    :ivar cut: the body is longer than was wanted and was not read to its end.
    """

    shown: ClassVar = ("status", "headers", "cut")

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


class Connection:
    """All requests to one API server. Safe to use from several threads.

    :ivar requests: requests sent, retries included.
    :ivar bytes_read: bytes of answers as they came over the network.
    :ivar seconds: time spent on requests, summed over those that ran at the same time.
    """

    def __init__(self, settings: ConnectionSettings, *, timeout: float = 10.0, parallel: int = 6) -> None:
        """Connect to nothing yet.

        :param timeout: seconds of silence after which an answer is given up.
        :param parallel: how many requests may run at once.
        :raises ConfigError: the proxy's address cannot be used.
        """
        self.settings = settings
        self.timeout = timeout
        self.parallel = max(1, parallel)
        self.requests = 0
        self.bytes_read = 0
        self.seconds = 0.0
        self.answered = False  # the server has answered at least once
        self.date: str | None = None  # the server's own time of its first answer (the ``Date`` header, RFC 9110)
        self._dialer = Dialer(settings, timeout)
        self._identity = Identity(settings.credentials)
        self._fixed = self._fixed_headers()
        self._slots = threading.BoundedSemaphore(self.parallel)
        self._lock = threading.Lock()
        self._idle: list[tuple[int, http.client.HTTPConnection]] = []
        self._unanswered = 0  # requests in a row
        self._gone: UnreachableError | None = None
        self._gone_until = 0.0
        self._closed = False

    def get(self, path: str, *, accept: str = "application/json", limit_bytes: int | None = None, retry: bool = True) -> Reply:
        """Ask for one path.

        :param path: with its query, below the server's own prefix; made by ``Kind.path`` or written as a constant.
        :param accept: the ``Accept`` header.
        :param limit_bytes: read only so much of the body.
        :param retry: False returns the first answer, whatever it is; only where the server is too busy (429) it is asked again.
        :return: the last answer; its status may be anything.
        :raises UnreachableError: there was no answer at all.
        :raises ConfigError: the user's credentials cannot be had.
        """
        deadline = time.monotonic() + self.timeout * _PATIENCE
        renewed = False
        attempt = 0
        while True:
            proof = self._identity.proof()
            try:
                reply = self._once(path, accept, limit_bytes, proof)
            except UnreachableError as error:
                pause = self._pause_after(error, attempt)
                if pause is None or not retry or time.monotonic() + pause > deadline:
                    raise
            else:
                if reply.status == 401 and not renewed and self._identity.renew(proof):
                    renewed = True
                    continue
                pause = _pause(reply, attempt)
                if pause is None or not (retry or reply.status == 429) or time.monotonic() + pause > deadline:
                    return reply
            time.sleep(pause)
            attempt += 1

    def close(self) -> None:
        """Close every connection; those in use close when their answer is read."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for _, line in idle:
            line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fixed_headers(self) -> list[Header]:
        host = f"[{self._dialer.host}]" if ":" in self._dialer.host else self._dialer.host
        standard = 443 if self._dialer.secure else 80
        headers: list[Header] = [
            ("Host", (host if self._dialer.port == standard else f"{host}:{self._dialer.port}").encode()),
            ("User-Agent", f"kubecause/{__version__}".encode()),
        ]
        if self.settings.compress:
            headers.append(("Accept-Encoding", b"gzip"))
        if self.settings.impersonate:
            headers.extend(self.settings.impersonate.headers())
        return headers

    def _once(self, path: str, accept: str, limit: int | None, proof: Proof) -> Reply:
        """One request, on a connection that is open already or on a new one."""
        with self._slots:
            begun = time.monotonic()
            gone = self._gone
            if gone is not None and self._unanswered >= _GIVE_UP and begun < self._gone_until:
                raise UnreachableError(gone.stage, gone.host, gone.port, gone.detail, proxy=gone.proxy)
            try:
                reply = self._on_some_line(path, accept, limit, proof)
            except UnreachableError as error:
                with self._lock:
                    self._unanswered += 1
                    self._gone, self._gone_until = error, time.monotonic() + self.timeout
                raise
            finally:
                with self._lock:
                    self.seconds += time.monotonic() - begun
            self.answered = True
            self.date = self.date or reply.headers.get("date")
            self._unanswered = 0
            return reply

    def _pause_after(self, error: UnreachableError, attempt: int) -> float | None:
        """Seconds until a request without an answer is sent again; None means never.

        A server that has answered before may be restarting; one that never did is not there. Whoever waited for the whole
        timeout has waited enough.
        """
        broke = error.stage == "http" or self.answered
        if not broke or attempt >= _TRIES - 2 or self._unanswered >= _GIVE_UP or isinstance(error.__cause__, TimeoutError):
            return None
        return _BACKOFF[attempt]

    def _on_some_line(self, path: str, accept: str, limit: int | None, proof: Proof) -> Reply:
        while True:
            line, used = self._line(proof)
            try:
                reply, reusable = self._exchange(line, path, accept, limit, proof)
            except (OSError, http.client.HTTPException, zlib.error) as error:
                line.close()
                if used and not isinstance(error, TimeoutError):
                    continue  # the server closed a connection that had been idle: nothing was lost
                refused = isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
                raise self._dialer.failure("tls" if refused else "http", error) from error
            except BaseException:
                line.close()
                raise
            self._give_back(line, proof, reusable=reusable)
            return reply

    def _line(self, proof: Proof) -> tuple[http.client.HTTPConnection, bool]:
        with self._lock:
            while self._idle:
                number, line = self._idle.pop()
                if number == proof.number:
                    return line, True
                line.close()
        line = http.client.HTTPConnection(self._dialer.host, self._dialer.port, timeout=self.timeout)
        line.auto_open = 0
        line.sock = self._dialer.open(proof)
        return line, False

    def _give_back(self, line: http.client.HTTPConnection, proof: Proof, *, reusable: bool) -> None:
        if reusable:
            with self._lock:
                if not self._closed and len(self._idle) < self.parallel:
                    self._idle.append((proof.number, line))
                    return
        line.close()

    def _exchange(
        self, line: http.client.HTTPConnection, path: str, accept: str, limit: int | None, proof: Proof
    ) -> tuple[Reply, bool]:
        """Send one request and read its answer. The only place that sends to the API server, and GET is all it can send."""
        with self._lock:
            self.requests += 1
        line.putrequest("GET", self._dialer.prefix + path, skip_host=True, skip_accept_encoding=True)
        for name, value in self._fixed:
            line.putheader(name, value)
        line.putheader("Accept", accept)
        if proof.authorization:
            line.putheader("Authorization", proof.authorization)
        line.endheaders()
        response = line.getresponse()
        body, cut = self._body(response, _LARGEST if limit is None else limit)
        headers = {name.lower(): value for name, value in response.getheaders()}
        reusable = not cut and not response.will_close
        response.close()
        return Reply(response.status, headers, body, cut), reusable

    def _body(self, response: http.client.HTTPResponse, limit: int) -> tuple[bytes, bool]:
        """The body, inflated, up to ``limit`` bytes; and whether there was more."""
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if response.headers.get("Content-Encoding") == "gzip" else None
        until = time.monotonic() + self.timeout * _WHOLE_ANSWER
        pieces: list[bytes] = []
        size = 0
        while size <= limit:
            piece = response.read(min(_BLOCK if limit > _BLOCK else _SMALL_BLOCK, limit + 1 - size))
            with self._lock:
                self.bytes_read += len(piece)
            if not piece:
                if response.length:
                    raise http.client.IncompleteRead(b"", response.length)
                if inflate and not inflate.eof:
                    raise http.client.IncompleteRead(b"")
                break
            if inflate:
                piece = inflate.decompress(piece, limit + 1 - size)
            pieces.append(piece)
            size += len(piece)
            if time.monotonic() > until:
                raise TooSlowError(f"the answer took longer than {self.timeout * _WHOLE_ANSWER:g} s")
        body = b"".join(pieces)
        return (body[:limit], True) if size > limit else (body, False)


def _pause(reply: Reply, attempt: int) -> float | None:
    """Seconds to wait before asking again; None means that the answer stands.

    A 5xx without Retry-After is asked again twice, a plain 500 once: it is more often a fault than a moment's trouble.
    """
    if reply.status != 429 and reply.status < 500:
        return None
    told = reply.headers.get("retry-after", "")
    if attempt >= _TRIES - 1:
        return None
    if told.isascii() and told.isdigit():
        seconds = float(told[:9])
        return seconds if seconds <= _LONGEST_PAUSE else None
    tries = 1 if reply.status == 500 else 2
    return _BACKOFF[attempt] if attempt < tries else None
