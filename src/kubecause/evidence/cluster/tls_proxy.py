"""TLS within TLS: a proxy that is itself reached over TLS, through which the API server's TLS goes.

``ssl`` wraps sockets of the system only. What comes through such a proxy is therefore handed on through a pair of them.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from contextlib import suppress

_BLOCK = 65536  # bytes handed on at once


def over_tls(plain: socket.socket, context: ssl.SSLContext, name: str) -> socket.socket:
    """A plain socket of this machine that leads through TLS on a connected one; closing it closes both.

    :param name: whom the proxy's certificate must be for.
    :raises OSError: the handshake failed.
    """
    outer = context.wrap_socket(plain, server_hostname=name)
    patience = outer.gettimeout()
    inner, ours = socket.socketpair()
    inner.settimeout(patience)
    threading.Thread(target=pass_on, args=(outer, ours, patience), daemon=True).start()
    return inner


def pass_on(outer: ssl.SSLSocket, inner: socket.socket, patience: float | None) -> None:
    """Hand bytes on between a TLS connection and a plain one until either ends; both are closed then.

    One thread does both ways: a TLS connection is not made for two at once.

    :param patience: seconds that a side may refuse to take what came for it.
    """
    with outer, inner, suppress(OSError):
        while True:
            ready = [outer] if outer.pending() else select.select([outer, inner], [], [])[0]
            for one, other in ((outer, inner), (inner, outer)):
                if one not in ready:
                    continue
                one.settimeout(0)
                try:
                    piece = one.recv(_BLOCK)
                except (ssl.SSLWantReadError, BlockingIOError):  # half a record, or one that carries no data
                    continue
                if not piece:
                    return
                other.settimeout(patience)
                other.sendall(piece)
