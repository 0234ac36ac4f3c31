"""Host command outputs: which parser reads which kind, and how the kind shows in the content."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from kubecause.facts import (
    api_access,
    host_certificates,
    host_docker,
    host_etcd,
    host_files,
    host_network,
    host_resources,
    host_systemd,
)
from kubecause.model import Document, Fact

_MODULES = (host_systemd, host_certificates, host_docker, host_etcd, host_resources, host_network, host_files, api_access)

HOST_PARSERS: dict[str, Callable[[Document], Iterator[Fact]]] = {
    kind: parser for module in _MODULES for kind, parser in module.PARSERS.items()
}
HOST_RECOGNISERS: list[tuple[str, re.Pattern[str]]] = [pair for module in _MODULES for pair in module.RECOGNISERS]
