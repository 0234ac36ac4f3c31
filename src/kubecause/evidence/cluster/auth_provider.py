"""Legacy ``auth-provider`` entries: the id-token of OIDC as it stands, every other provider through the ``kubernetes`` package.

That package is the extra ``kubecause[live]``: importing it costs more time than a whole diagnosis may take, and few
kubeconfigs need it (kubectl 1.26 dropped all providers but OIDC in favour of exec plugins).

An id-token that is over is not renewed here. Renewing spends the refresh token where the identity provider rotates them,
and the new one would have to be written into the kubeconfig, as kubectl does; kubecause writes nothing, so kubectl would
be signed out.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from kubecause.errors import ConfigError
from kubecause.evidence.cluster.credentials import AuthProvider


def authorization_of(provider: AuthProvider, user: str) -> bytes:
    """The Authorization header for a user with an ``auth-provider``.

    :raises ConfigError: its token is over, the package is not installed, or the provider gives no token.
    """
    header = _of_oidc(provider, user) if provider.name == "oidc" else _of_package(provider, user)
    if not isinstance(header, str) or not header.isascii() or not header.isprintable():
        raise ConfigError(f"user {user}: auth-provider {provider.name} gave no token; sign in again")
    return header.encode()


def _of_oidc(provider: AuthProvider, user: str) -> str | None:
    token = provider.config.get("id-token")
    if not token:
        raise ConfigError(f"user {user}: auth-provider oidc has no id-token yet; run `kubectl version` once, which fetches it")
    ends = _end_of(token)
    if ends is not None and ends <= time.time():
        raise ConfigError(f"user {user}: the id-token of auth-provider oidc is over; run `kubectl version` once, which renews it")
    return f"Bearer {token}"


def _end_of(token: str) -> float | None:
    """The ``exp`` claim of a JSON Web Token (RFC 7519, section 4.1.4); None where there is none."""
    payload = token.split(".")[1:2]
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload[0] + "=" * (-len(payload[0]) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError, RecursionError):
        return None


def _of_package(provider: AuthProvider, user: str) -> object:
    try:
        from kubernetes.client import Configuration
        from kubernetes.config import load_kube_config_from_dict
    except ImportError:
        raise ConfigError(
            f'user {user}: its auth-provider {provider.name} needs one more package; pip install "kubecause[live]"'
        ) from None
    entry = {"auth-provider": {"name": provider.name, "config": dict(provider.config)}}
    config: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": "https://localhost"}}],  # never asked: only the token is wanted
        "users": [{"name": "it", "user": entry}],
    }
    answer = Configuration()
    try:
        load_kube_config_from_dict(config, context="it", client_configuration=answer, persist_config=False)
        return answer.api_key.get("BearerToken") or answer.api_key.get("authorization")
    except Exception as error:  # noqa: BLE001 - whatever the package raises; its text could hold a token
        raise ConfigError(
            f"user {user}: auth-provider {provider.name} gave no token ({type(error).__name__}); sign in again"
        ) from None
