"""The kinds of fact there are: what they are about, which fields they carry and what each field means.

Case files may use nothing else (``kubecause cases lint`` checks it) and parsers may produce nothing else (a test
checks that). Facts marked ``line`` are text: signals search them by ``in`` and ``contains`` instead of ``fact``.
"""

from __future__ import annotations

from kubecause.vocabulary import hosts, objects, reasoning
from kubecause.vocabulary.kind import FactKind

__all__ = ["FACT_KINDS", "TEXT_FACT", "FactKind"]

FACT_KINDS: dict[str, FactKind] = objects.KINDS | hosts.KINDS | reasoning.KINDS

TEXT_FACT = "line"  # a line or message in one of model.Channel; its field is ``text``
