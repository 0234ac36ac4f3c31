"""Which keys name a secret: settings, environment variables, JSON fields, command-line flags, HTTP headers."""

from __future__ import annotations

import re
from functools import lru_cache

# Every key that is_secret_key accepts holds one of these, whatever its case.
NAME_LITERALS = ("pass", "pwd", "secret", "token", "credential", "key", "auth", "cookie", "sig", "connectionstring", "dockerc")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STEMS = ("password", "passwords", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "credential", "credentials")
_KEY_OWNERS = _words(
    "api access secret private certificate encryption encrypt account signing sign master shared storage ssh deploy app auth "
    "session hmac aes rsa jwt webhook license tls-client crypto cipher"
)
_NEUTRAL = _words(
    "old new current previous prod production dev test staging value data raw plain plaintext base64 b64 base hash string "
    "default main primary secondary backup dockercfg dockerconfigjson"
)
_BENIGN = _words(
    "name names ref refs file files path dir url uri host endpoint type class ttl expiration expires expiry expire seconds "
    "minutes ms timeout size length count limit id enabled enable disabled required policy provider manager version "
    "namespace store mount audience audiences issuer format location max min field header algorithm alg rotation interval "
    "reviewer controller username user port mode plugin cache"
)
_NEVER = frozenset({"pwd", "oldpwd", "initial-cluster-token", "bypass", "compass", "cancellationtoken"})
_ALWAYS = _words(
    "sig pass pgpass auth _auth masterauth client-key-data dockerconfigjson dockercfg x-amz-signature secret_id secretid cookie "
    "set-cookie connectionstring accountkey sharedaccesskey proxy-authorization"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def _is_stem(word: str) -> bool:
    return word.endswith(_STEMS) or (word.endswith("pass") and word not in _NEVER)


@lru_cache(maxsize=4096)
def is_secret_key(key: str) -> bool:
    """Whether a value under this key is a secret.

    ``DB_PASSWORD``, ``clientSecret``, ``--docker-password``, ``.dockerconfigjson`` are; ``imagePullSecrets``,
    ``secretName``, ``tokenExpirationSeconds``, ``--token-auth-file`` are not: the last word says what a key holds.
    """
    bare = key[-80:].strip("-.")
    low = bare.lower()
    if low in _NEVER:
        return False
    if low in _ALWAYS:
        return True
    words = [word.lower() for word in _WORDS.findall(bare)]
    while len(words) > 1 and (words[-1] in _NEUTRAL or words[-1].isdigit() or words[-1] == "v"):
        words.pop()
    if not words or words[-1] in _BENIGN:
        return False
    last = words[-1]
    if last.endswith("key"):
        before = (words[-2] if len(words) > 1 else "") if last == "key" else last[:-3]
        return before.endswith(tuple(_KEY_OWNERS))
    if _is_stem(last):
        return True
    # An environment variable is a name somebody chose to say everything: DB_PASSWORD_ORDERS.
    return "_" in bare and bare == bare.upper() and any(_is_stem(word) for word in words)
