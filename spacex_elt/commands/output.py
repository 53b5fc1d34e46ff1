"""Owns how commands speak: results on stdout, complaints on stderr."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from spacex_elt.console import print_line, stderr_console, stdout_console

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def results() -> Console:
    """Where tables go. A pipe or a log has no width of its own: it gets enough for whole words."""
    console = stdout_console()
    return console if console.is_terminal else stdout_console(max(console.width, 160))


def complain(text: str) -> None:
    """One message about what went wrong."""
    stderr_console().print(f"[red]✗[/] {escape(text)}", soft_wrap=True)


def print_result(result: Any) -> None:
    """The one line of JSON that a step ends with: what the scheduler hands on."""
    print_line(json.dumps(result, separators=(",", ":"), default=str))
