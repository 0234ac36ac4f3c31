"""The knowledge base: case files, the catalogue of faults, and everything that reads, checks and searches them.

::

    shipped()             the compiled knowledge, as every command uses it       cache.py
    load_cases(folder)    the same of any folder of cases                        cache.py
    load_folder(path)     case files to typed records, strictly                  loader.py
    load_catalogue()      the fault ids                                          catalogue.py
    lint(...)             the house rules for case files                         lint.py
    explain(word, ...)    what a fault id, status, exit code or message means    search.py
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kubecause.knowledge.cache import Knowledge, load_cases, shipped
from kubecause.knowledge.catalogue import load_catalogue
from kubecause.knowledge.lint import lint

if TYPE_CHECKING:
    from kubecause.knowledge.loader import load_folder
    from kubecause.knowledge.search import explain, explain_text

__all__ = ["Knowledge", "explain", "explain_text", "lint", "load_cases", "load_catalogue", "load_folder", "shipped"]

_LATER = {
    "load_folder": "kubecause.knowledge.loader",
    "explain": "kubecause.knowledge.search",
    "explain_text": "kubecause.knowledge.search",
}


def __getattr__(name: str) -> Any:
    """Bring in the YAML reader and the search only for those who ask for them: a warm start does without."""
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
