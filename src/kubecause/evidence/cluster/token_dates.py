"""When a bearer token ends, as far as the token itself tells (RFC 7519: the ``exp`` and ``nbf`` claims of a JWT)."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime

from kubecause.errors import ConfigError
from kubecause.evidence.cluster.credentials import Credentials, read_token
from kubecause.evidence.cluster.handshake import Step, stamp

_MOST = 64 * 1024  # characters of a token's claims


def token_step(given: Credentials, now: datetime) -> Step | None:
    """``token: expired`` or ``token: in-date`` with its end; None for tokens that do not tell."""
    token = given.token
    if given.token_file:
        try:
            token = read_token(given.token_file).decode("ascii")
        except (OSError, ConfigError):
            return Step("token", "unreadable", f"the token file {given.token_file} cannot be read")
    ends = end_of(token or "")
    if ends is None:
        return None
    over = now > ends
    return Step("token", "expired" if over else "in-date", f"the token {'ended' if over else 'ends'} on {stamp(ends)}")


def end_of(token: str) -> datetime | None:
    """The moment a JWT ends; None when it is no JWT or has no end."""
    parts = token.split(".")
    if len(parts) != 3 or len(parts[1]) > _MOST:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        ends = claims.get("exp") if isinstance(claims, dict) else None
        if isinstance(ends, bool) or not isinstance(ends, (int, float)):
            return None
        return datetime.fromtimestamp(ends, tz=UTC)
    except (ValueError, binascii.Error, OverflowError, OSError, RecursionError):
        return None
