"""Kubeconfig files, read with care and merged as kubectl merges them.

Rules: "Organizing cluster access using kubeconfig files" in the Kubernetes documentation and client-go
``tools/clientcmd/loader.go``: of several files the first that names an entry wins it whole, the first that sets
``current-context`` wins that, relative paths start at the folder of the file they stand in.
The files are taken as hostile: bounded, plain data only, and a value of a wrong type is an error that names the field.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from kubecause.errors import ConfigError
from kubecause.evidence.cluster.guarded import Guarded

_FILE_BYTES = 8 * 1024 * 1024  # a kubeconfig of a thousand clusters has a tenth of it
_PEM_BYTES = 4 * 1024 * 1024


class Entry(Guarded, frozen=True):
    """One named cluster, user or context (or a part of one), and where it stands.

    :ivar place: what errors call it: ``/home/me/.kube/config: users[admin]``.
    """

    shown: ClassVar = ("file", "place")

    file: Path
    place: str
    fields: Mapping[str, Any]

    def text(self, name: str) -> str | None:
        """A field that holds text; None where it is missing or empty. A number or a truth value counts as its text."""
        value = self.fields.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, (bool, int, float)):
            return str(value).lower()
        if not isinstance(value, str):
            raise self.wrong(name, "text")
        if any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in value):
            raise ConfigError(f"{self.place}.{name}: holds a control character")
        return value

    def flag(self, name: str) -> bool:
        """A field that holds true or false; false where it is missing."""
        value = self.fields.get(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A field that holds a list of texts."""
        value = self.fields.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(name, "a list of texts")
        return tuple(value)

    def part(self, name: str) -> Entry | None:
        """A field that holds fields of its own; None where it is missing."""
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.wrong(name, "a mapping")
        return Entry(self.file, f"{self.place}.{name}", value)

    def parts(self, name: str) -> list[Entry]:
        """A field that holds a list of mappings."""
        value = self.fields.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(name, "a list of mappings")
        return [Entry(self.file, f"{self.place}.{name}[{at}]", item) for at, item in enumerate(value)]

    def path(self, name: str) -> Path | None:
        """A field that names a file, relative to the kubeconfig's own folder."""
        value = self.text(name)
        return None if value is None else self.file.parent / value

    def pem(self, name: str) -> bytes | None:
        """What ``<name>-data`` holds in base64, or else the file that ``<name>`` names."""
        data = self.text_of_data(f"{name}-data")
        if data is not None:
            return data
        path = self.path(name)
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                content = file.read(_PEM_BYTES + 1)
        except OSError as error:
            raise ConfigError(f"{self.place}.{name}: {path} cannot be read ({error.strerror}); check the path") from None
        if len(content) > _PEM_BYTES:
            raise ConfigError(f"{self.place}.{name}: {path} is too large for a certificate or key")
        return content

    def text_of_data(self, name: str) -> bytes | None:
        """A field that holds bytes in base64."""
        value = self.fields.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, (str, bytes)):
            raise self.wrong(name, "base64")
        try:
            return base64.b64decode("".join(value.split()) if isinstance(value, str) else value, validate=True)
        except (binascii.Error, ValueError):
            raise self.wrong(name, "base64") from None

    def wrong(self, name: str, expected: str) -> ConfigError:
        """The error for a field of a wrong type; never carries the value."""
        return ConfigError(f"{self.place}.{name}: must be {expected}")


class Merged(msgspec.Struct, frozen=True):
    """All kubeconfig files as one."""

    files: tuple[Path, ...]
    current_context: str | None
    clusters: Mapping[str, Entry]
    users: Mapping[str, Entry]
    contexts: Mapping[str, Entry]

    @property
    def empty(self) -> bool:
        """Whether nothing at all is configured: kubectl then looks whether it runs inside a cluster."""
        return not (self.clusters or self.users or self.contexts or self.current_context)


def merged(kubeconfig: str | None, environment: Mapping[str, str]) -> Merged:
    """Read and merge the files that kubectl would read.

    :param kubeconfig: ``--kubeconfig``: this one file, which must exist.
    :param environment: ``KUBECONFIG`` (a list of files, missing ones are passed over) and ``HOME``.
    :raises ConfigError: a file cannot be read or is damaged; names the file and the field.
    """
    if kubeconfig:
        path = Path(kubeconfig).absolute()
        if not path.exists():
            raise ConfigError(f"{kubeconfig}: no such file; check --kubeconfig")
        candidates = [path]
    elif environment.get("KUBECONFIG"):
        names = dict.fromkeys(name for name in environment["KUBECONFIG"].split(os.pathsep) if name)
        candidates = [Path(name).absolute() for name in names]
    else:
        home = environment.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises where there is none
        candidates = [Path(home) / ".kube" / "config"]
    files = [path for path in candidates if path.exists()]
    clusters: dict[str, Entry] = {}
    users: dict[str, Entry] = {}
    contexts: dict[str, Entry] = {}
    current = None
    for path in files:
        whole = _read(path)
        for entries, name, inner in (
            (clusters, "clusters", "cluster"),
            (users, "users", "user"),
            (contexts, "contexts", "context"),
        ):
            for key, entry in _named(whole, name, inner).items():
                entries.setdefault(key, entry)
        current = current or whole.text("current-context")
    return Merged(tuple(files), current, clusters, users, contexts)


def _named(whole: Entry, name: str, inner: str) -> dict[str, Entry]:
    """The entries of one list; where one file names an entry twice, the last counts, as in client-go's conversion."""
    out: dict[str, Entry] = {}
    for item in whole.parts(name):
        key = item.text("name")
        if key is None:
            raise ConfigError(f"{item.place}: has no name")
        fields = item.fields.get(inner) or {}
        if not isinstance(fields, dict):
            raise item.wrong(inner, "a mapping")
        out[key] = Entry(whole.file, f"{whole.file}: {name}[{key}]", fields)
    return out


def _read(path: Path) -> Entry:
    import yaml

    try:
        with path.open("rb") as file:
            content = file.read(_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the file and KUBECONFIG") from None
    if len(content) > _FILE_BYTES:
        raise ConfigError(f"{path}: larger than {_FILE_BYTES // 1024 // 1024} MiB; not a kubeconfig")
    try:
        # A loader that builds plain data only; the text of its own errors could quote secrets, the place is enough.
        fields = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise ConfigError(f"{path}: not valid YAML{line}; mend the file or name another with --kubeconfig") from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise ConfigError(f"{path}: not valid YAML; mend the file or name another with --kubeconfig") from None
    if fields is None:
        fields = {}
    if not isinstance(fields, dict) or fields.get("kind") not in ("Config", None, ""):
        raise ConfigError(f"{path}: not a kubeconfig; name another with --kubeconfig")
    return Entry(path, f"{path}: kubeconfig", fields)
