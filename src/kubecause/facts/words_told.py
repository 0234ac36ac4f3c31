"""Words that a workload is told in variables and arguments, some of which are names of the services that it calls."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain

from kubecause.facts.records import Workload
from kubecause.facts.store import Thing, worked_out_once

_WORD = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_CALLED = re.compile(r"(?:://(?:[^@/\s]{1,100}@)?|(?:^|[=@,\s])(?=[a-z0-9.-]{1,253}:\d{2,5}\b))([a-z0-9][a-z0-9.-]{0,252})")
_LOOKED_AT = 300  # characters of a value


@worked_out_once
def words_told(workload: Thing) -> frozenset[str]:
    """Words in variables and called addresses in arguments, which may be names of services."""
    if not isinstance(workload.record, Workload):
        return frozenset()
    containers = workload.record.spec.template.spec.lasting
    told = {variable.value or "" for each in containers for variable in each.env}
    told.update(found[1] for each in containers for word in (*each.command, *each.args) for found in _CALLED.finditer(word))
    return frozenset(chain.from_iterable(_words_of(value[:_LOOKED_AT]) for value in told))


@lru_cache(maxsize=4096)
def _words_of(value: str) -> tuple[str, ...]:
    """Words of a value; many workloads are told the same."""
    return tuple(_WORD.findall(value))
