"""Owns the commands of the local stack. The stack itself is local/'s."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from contracts.errors import ServiceUnavailable
from spacex_elt.commands.output import AsJson, print_result, results
from spacex_elt.progress import Progress
from spacex_elt.settings import state_dir
from spacex_elt.stand_ins import refuse_without_stand_ins

app = typer.Typer(no_args_is_help=True, callback=refuse_without_stand_ins)


@contextmanager
def _told() -> Iterator[None]:
    """Tells the stack's own problems as ours."""
    from local.problem import StackProblem

    try:
        yield
    except StackProblem as exc:
        raise ServiceUnavailable(str(exc)) from exc


@app.command("up")
def start_stack() -> None:
    """Start the local stack. Twice is harmless."""
    from local.stack import up

    with _told():
        up(state_dir(), Progress().say)


@app.command("down")
def stop_stack() -> None:
    """Stop the local stack and keep its data."""
    from local.stack import down

    with _told():
        down(state_dir(), Progress().say)


@app.command("status")
def show_stack(as_json: AsJson = False) -> None:
    """Show the local stack's parts."""
    from local.stack import status
    from spacex_elt.report import print_stack

    with _told():
        state = status(state_dir())
    if as_json:
        print_result(state.to_json())
    else:
        print_stack(results(), state)


@app.command("reset")
def reset_stack() -> None:
    """Stop the local stack and remove every file it made."""
    from local.stack import reset

    with _told():
        reset(state_dir(), Progress().say)
