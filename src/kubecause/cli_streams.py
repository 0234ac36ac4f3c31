"""What the commands print and how they end: reports on standard output, one line on standard error, an exit code."""

from __future__ import annotations

import enum
import os
import sys
from pathlib import Path
from typing import TextIO

from kubecause import __version__
from kubecause.errors import KubecauseError


class Exit(enum.IntEnum):
    """What the exit code tells a script."""

    LOOKED = 0
    TOOL_FAILED = 1
    WRONG_USAGE = 2
    FAIL_ON = 3
    NOTHING_SEEN = 4
    INTERRUPTED = 130  # 128 + SIGINT, as shells count


def print_text(text: str, output: str) -> None:
    """Write a report to standard output.

    Documents for machines are UTF-8 whatever the locale; on a terminal, what it cannot show becomes ``?``. A reader
    that went away (``| head``) is no error.
    """
    if not text:
        return
    stream: TextIO | None = sys.stdout
    if stream is None:
        raise KubecauseError("standard output is closed; give the report somewhere to go")
    reconfigure = getattr(stream, "reconfigure", None)  # a replaced stream (StringIO) needs no encoding
    if reconfigure is not None:
        reconfigure(errors="replace", **({} if output in ("text", "wide") else {"encoding": "utf-8"}))
    try:
        stream.write(text if text.endswith("\n") else text + "\n")
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains again when it flushes at exit
        if not isinstance(error, BrokenPipeError):
            raise KubecauseError(f"cannot write the report to standard output: {error.strerror}") from error


def one_line(text: str) -> str:
    """One line without control characters: file names and evidence must not steer a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))


def say(message: str, *, program: str = "kubecause") -> None:
    """A line on standard error."""
    print(f"{program}: {one_line(message)}", file=sys.stderr)


def complain(message: str, code: Exit, *, program: str = "kubecause") -> Exit:
    """A line on standard error, and the exit code that goes with it."""
    say(message, program=program)
    return code


def report_bug(error: Exception, *, verbose: bool) -> Exit:
    """One line for a bug of ours.

    Type and place only: the text of an unexpected error may quote evidence that no redaction has seen.
    """
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place is not None else ""
    if verbose:
        import traceback

        traceback.print_exception(error)
    advice = "" if verbose else "; run it again with -v and send us what it prints"
    message = f"this is a bug in kubecause {__version__}: {type(error).__name__}{where}; please report it{advice}"
    return complain(message, Exit.TOOL_FAILED)
