"""The fault catalogue: the public names of everything kubecause knows, read from ``faults.yaml`` beside this module.

The catalogue holds one fault a line, ``id: {entity: …, seed: […], bench: …, symptom: true, en: sentence}``. It is read
line by line, not as YAML: its sentences stand unquoted and hold commas, where a YAML reader would cut them.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from kubecause.errors import KnowledgeError

CATALOGUE = Path(__file__).with_name("faults.yaml")

_LINE = re.compile(
    r"(?P<id>[a-z0-9-]+/[a-z0-9-]+): +\{entity: (?P<entity>[a-z]+)"
    r"(?:, seed: \[(?P<seed>[^]]*)\])?(?:, bench: (?P<bench>\w+))?(?P<symptom>, symptom: true)?, en: (?P<en>[^{}]+)\} *"
)


class Fault(msgspec.Struct, frozen=True):
    """One line of the catalogue.

    :param entity: what the fault lives on: container, pod, workload, service, node, ...
    :param seed: the seed documents that describe it.
    :param bench: its label in the public benchmark, where it has one.
    :param symptom: true for a state that always has a deeper cause.
    :param en: the fault in one sentence.
    """

    id: str
    entity: str
    en: str
    symptom: bool = False
    seed: tuple[str, ...] = ()
    bench: str | None = None


def load_catalogue(path: Path = CATALOGUE) -> dict[str, Fault]:
    """Every fault by its id, in the order of the file.

    :raises KnowledgeError: with ``path:line: message`` for every line that cannot be read and every id written twice.
    """
    faults: dict[str, Fault] = {}
    problems = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            problems.append(f"{path}:{number}: not `group/fault: {{entity: …, en: …}}` on one line")
        elif found["id"] in faults:
            problems.append(f"{path}:{number}: {found['id']} is listed twice")
        else:
            faults[found["id"]] = _fault(found)
    if problems:
        raise KnowledgeError(problems)
    return faults


def _fault(found: re.Match[str]) -> Fault:
    seed = tuple(part.strip() for part in (found["seed"] or "").split(",") if part.strip())
    return Fault(found["id"], found["entity"], found["en"].strip(), found["symptom"] is not None, seed, found["bench"])
