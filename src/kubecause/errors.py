"""Every error kubecause raises on purpose.

::

    KubecauseError            one line: what is wrong, where, what to do
    ├── UsageError            the command line asks for something impossible (exit 2)
    ├── KnowledgeError        case files are broken; carries every problem found, not only the first
    └── EvidenceError         a target cannot be opened at all (exit 4: nothing could be looked at)

Evidence that is merely damaged never raises: it becomes a :class:`kubecause.model.Gap`.
"""

from __future__ import annotations


class KubecauseError(Exception):
    """Something the user can mend; its text is the whole message."""


class UsageError(KubecauseError):
    """The command line asks for something impossible."""


class EvidenceError(KubecauseError):
    """A target cannot be opened at all."""


class KnowledgeError(KubecauseError):
    """Case files are broken.

    :param problems: one line each, ``path:line: what is wrong``.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
