"""The last stage: diagnoses become text. One :class:`~kubecause.report.view.Report` is built, every output renders it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from typing import Literal, get_args

from kubecause import model, text
from kubecause.errors import UsageError
from kubecause.knowledge import schema
from kubecause.report.view import Report, build
from kubecause.report.words import words_of

Output = Literal["text", "wide", "json", "yaml", "markdown", "html", "sarif", "junit"]
OUTPUTS: tuple[str, ...] = get_args(Output)

DEFAULT_WIDTH = 100

__all__ = ["DEFAULT_WIDTH", "OUTPUTS", "Output", "Report", "build", "render", "render_report"]


def render(
    result: model.Result,
    cases: Mapping[str, schema.Case],
    *,
    output: str,
    language: text.Language,
    color: bool | None = None,
    width: int | None = None,
    stream_encoding: str | None = None,
) -> str:
    """What one run found out, in one of the output formats; ends with a line end.

    :param cases: case of every fault id of the result.
    :param color: None: as the terminal, ``NO_COLOR`` and ``FORCE_COLOR`` say. Used by text and wide.
    :param width: cells a line; None: the terminal's, else 100. Used by text and wide.
    :param stream_encoding: what the text will be written with; everything returned can be. None: that of standard output
        for text and wide, UTF-8 for the others.
    :raises UsageError: for an output there is not.
    """
    report = build(result, cases, language)
    return render_report(report, output=output, language=language, color=color, width=width, stream_encoding=stream_encoding)


def render_report(
    report: Report,
    *,
    output: str,
    language: text.Language,
    color: bool | None = None,
    width: int | None = None,
    stream_encoding: str | None = None,
) -> str:
    """The same for a report that is built already; ``language`` must be the one it was built in."""
    words = words_of(language)
    if output in ("text", "wide"):
        from kubecause.report.as_text import to_text

        encoding = stream_encoding or getattr(sys.stdout, "encoding", None) or "ascii"
        printed = to_text(
            report,
            words,
            wide=output == "wide",
            color=_wants_color(os.environ) if color is None else color,
            width=width or _terminal_width(),
            unicode=_is_unicode(encoding),
        )
        return _encodable(printed, encoding, "backslashreplace")
    encoding = stream_encoding or "utf-8"
    if output == "json":
        from kubecause.report.as_json import to_json

        printed = to_json(report)
        return printed if _fits(printed, encoding) else to_json(report, ascii_only=True)
    if output == "yaml":
        from kubecause.report.as_yaml import to_yaml

        printed = to_yaml(report)
        return printed if _fits(printed, encoding) else to_yaml(report, ascii_only=True)
    if output == "sarif":
        from kubecause.report.as_sarif import to_sarif

        printed = to_sarif(report, words)
        return printed if _fits(printed, encoding) else to_sarif(report, words, ascii_only=True)
    if output == "markdown":
        from kubecause.report.as_markdown import to_markdown

        return _encodable(to_markdown(report, words), encoding, "backslashreplace")
    if output == "html":
        from kubecause.report.as_html import to_html

        return _encodable(to_html(report, words), encoding, "xmlcharrefreplace")
    if output == "junit":
        from kubecause.report.as_junit import to_junit

        return _encodable(to_junit(report, words), encoding, "xmlcharrefreplace")
    raise UsageError(f"unknown output {output!r}; choose one of {', '.join(OUTPUTS)}")


def _wants_color(environment: Mapping[str, str]) -> bool:
    """``NO_COLOR`` (no-color.org), then ``FORCE_COLOR`` (force-color.org), then the terminal; empty variables do not count."""
    if environment.get("NO_COLOR"):
        return False
    if forced := environment.get("FORCE_COLOR"):
        return forced != "0"
    return sys.stdout.isatty() and environment.get("TERM") != "dumb"


def _terminal_width() -> int:
    """Cells of the terminal's line; a file or a pipe has 100."""
    return shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns if sys.stdout.isatty() else DEFAULT_WIDTH


def _is_unicode(encoding: str) -> bool:
    return encoding.lower().replace("-", "").replace("_", "") in ("utf8", "utf8sig", "utf16", "utf32")


def _fits(printed: str, encoding: str) -> bool:
    return _encodable(printed, encoding, "backslashreplace") == printed


def _encodable(printed: str, encoding: str, errors: str) -> str:
    """The text with what the encoding cannot carry replaced; an unknown encoding counts as ASCII."""
    try:
        return printed.encode(encoding, errors).decode(encoding)
    except LookupError:
        return printed.encode("ascii", errors).decode("ascii")
