"""Owns the consoles: results on stdout, the rest on stderr. A reader that leaves early changes no outcome."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TextIO

from rich.console import Console


class PatientConsole(Console):
    """Goes quiet when whoever read has left: what a command ends with is still its verdict."""

    def on_broken_pipe(self) -> None:
        """Rich would end the program here, with the code that stands for a bug."""
        self.quiet = True
        silence(self.file)  # type: ignore[arg-type]


def stdout_console(width: int | None = None) -> Console:
    """Where results go."""
    return PatientConsole(highlight=False, width=width)


def stderr_console() -> Console:
    """Where progress and complaints go."""
    return PatientConsole(stderr=True, highlight=False)


def print_line(text: str) -> None:
    """One line on stdout, as it is."""
    try:
        print(text, flush=True)  # noqa: T201
    except BrokenPipeError:
        silence(sys.stdout)


def print_pieces(pieces: Iterable[str]) -> None:
    """Text on stdout as it is, piece by piece."""
    try:
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)


def silence(stream: TextIO) -> None:
    """Lets what is written to a stream that nobody reads any more go nowhere, also at the interpreter's end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
