"""Owns how commands speak: results on stdout, complaints on stderr."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def results() -> Console:
    """Where tables go. A pipe or a log has no width of its own: it gets enough for whole words."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=max(console.width, 160))


def complain(text: str) -> None:
    """One message about what went wrong."""
    Console(stderr=True, highlight=False).print(f"[red]✗[/] {escape(text)}", soft_wrap=True)


def print_result(result: Any) -> None:
    """The one line of JSON that a step ends with: what the scheduler hands on."""
    print(json.dumps(result, separators=(",", ":"), default=str), flush=True)  # noqa: T201
