"""A page of terminal lines: a gutter of labels on the left, prose broken to the width, commands never broken."""

from __future__ import annotations

import io
from collections.abc import Sequence

import msgspec
from rich.cells import cell_len

from kubecause.report.lines import fit, wrap
from kubecause.report.neutral import neutralise, one_line

MIN_WIDTH = 60
_PROSE = 110  # longer lines are hard to read, however wide the terminal is
_MARGIN = 3

Part = str | tuple[str, str]
"""A piece of a line: text, or text and its style."""

STRONG, FAINT = "bold", "dim"


class Symbols(msgspec.Struct, frozen=True):
    """What is drawn; both sets survive a pager and a log file."""

    left_out: str
    last: str
    means: str


UNICODE = Symbols("…", "└─ ", "→ ")
ASCII = Symbols("...", "`-- ", "-> ")


class Page:
    """Collects lines.

    :param width: cells a line; less than 60 counts as 60.
    :param labels: every label that may stand in the gutter, which is as wide as the widest.
    """

    def __init__(self, width: int, symbols: Symbols, labels: list[str]) -> None:
        self._width = max(width, MIN_WIDTH)
        self._lines: list[Sequence[Part]] = []
        self._gutter = max(cell_len(each) for each in labels) + 2
        self._label = ""
        self.symbols = symbols

    def label(self, label: str) -> None:
        """Put a label in the gutter of the next row."""
        self._label = label

    def room(self, indent: int = 0) -> int:
        """Cells right of the gutter."""
        return min(self._width, _PROSE) - _MARGIN - self._gutter - indent

    def blank(self) -> None:
        """An empty line, unless there is one or nothing stands above."""
        if self._lines and _plain(self._lines[-1]):
            self._lines.append(())

    def row(self, *parts: Part, indent: int = 0) -> None:
        """One line right of the gutter, never broken."""
        pad = " " * (self._gutter - cell_len(self._label) + indent)
        self._lines.append((" " * _MARGIN, (self._label, STRONG), pad, *parts))
        self._label = ""

    def prose(self, text: str, *, style: str = "", indent: int = 0, most: int | None = None) -> None:
        """A paragraph right of the gutter, cut after ``most`` lines."""
        lines = wrap(one_line(text), self.room(indent))
        if most and len(lines) > most:
            mark = self.symbols.left_out
            lines[most - 1] = fit(lines[most - 1], self.room(indent) - cell_len(mark)).rstrip(" .,;:，。；：、") + mark
        for line in lines[:most]:
            self.row((line, style), indent=indent)

    def whole(self, text: str, *, before: str = "", style: str = "", indent: int = 0) -> None:
        """Text that is copied or searched for: its own lines and no others, all of them behind ``before``."""
        for line in neutralise(text).rstrip("\n").split("\n"):
            self.row((before, FAINT), (line, style), indent=indent)
            before = " " * cell_len(before)

    def heading(self, text: str, style: str = STRONG) -> None:
        """A line that begins at the left edge."""
        self.head("", text, style)

    def head(self, number: str, text: str, style: str, *, lead: int = 0, lead_style: str = "") -> None:
        """A numbered line at the left edge, broken with a hanging indent; its first ``lead`` characters have their own style."""
        hang = max(_MARGIN, cell_len(number)) if number else 0
        for index, line in enumerate(wrap(one_line(text), min(self._width, _PROSE) - hang)):
            leading = 0 if index else lead
            before = "" if index else number
            pad = " " * (hang - cell_len(before))
            self._lines.append(((before, lead_style), pad, (line[:leading], f"{style} {lead_style}"), (line[leading:], style)))

    def print(self, *, color: bool) -> str:
        """All lines, each ending with a line end."""
        return self._colored() if color else "".join(f"{_plain(line)}\n" for line in self._lines)

    def _colored(self) -> str:
        from rich.console import Console  # takes longer to load than to print
        from rich.text import Text

        # Every setting is given: rich would ask the environment for those that are not, and the bytes would depend on it.
        console = Console(
            file=io.StringIO(),
            width=self._width,
            height=25,
            color_system="standard",
            force_terminal=True,
            force_jupyter=False,
            force_interactive=False,
            no_color=False,
            legacy_windows=False,
            markup=False,
            highlight=False,
            emoji=False,
        )
        with console.capture() as printed:
            for parts in self._lines:
                line = Text.assemble(*parts)
                line.rstrip()
                console.print(line, soft_wrap=True)
        return printed.get()


def _plain(line: Sequence[Part]) -> str:
    return "".join(part if isinstance(part, str) else part[0] for part in line).rstrip()
