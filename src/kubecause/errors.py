"""Every error kubecause raises on purpose.

::

    KubecauseError            one line: what is wrong, where, what to do
    ├── UsageError            the command line asks for something impossible (exit 2)
    ├── KnowledgeError        case files are broken; carries every problem found, not only the first
    └── EvidenceError         a target cannot be opened at all (exit 4: nothing could be looked at)
        ├── ConfigError       a kubeconfig cannot be used: missing, damaged, or it names what is not there
        └── UnreachableError  an API server gave no answer; says at which stage of the way it ended

Evidence that is merely damaged never raises: it becomes a :class:`kubecause.model.Gap`.
"""

from __future__ import annotations

from typing import Literal

Stage = Literal["name", "route", "connect", "tls", "http"]


class KubecauseError(Exception):
    """Something the user can mend; its text is the whole message."""


class UsageError(KubecauseError):
    """The command line asks for something impossible."""


class EvidenceError(KubecauseError):
    """A target cannot be opened at all."""


class ConfigError(EvidenceError):
    """A kubeconfig, or what it refers to, cannot be used; the text names the file and the field."""


class UnreachableError(EvidenceError):
    """An API server gave no answer at all.

    :param stage: where the way to it ended: its name was not resolved, no route, no connection, no TLS, no HTTP answer.
    :param host: the host that was asked: the API server's, or the proxy's where the proxy is what failed.
    :param port: its port.
    :param detail: the system's own text (``Connection refused``, ``certificate has expired``).
    :param proxy: whether the host is a proxy on the way.
    """

    def __init__(self, stage: Stage, host: str, port: int, detail: str, *, proxy: bool = False) -> None:
        name = "the proxy to the API server" if proxy else "the API server"
        at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        super().__init__(f"{name} at {at} cannot be reached: {detail}; check the address (--context) and the network")
        self.stage: Stage = stage
        self.host = host
        self.port = port
        self.detail = detail
        self.proxy = proxy


class KnowledgeError(KubecauseError):
    """Case files are broken.

    :param problems: one line each, ``path:line: what is wrong``.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
