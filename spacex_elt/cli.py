"""Owns the program: its commands, and turning a foreseen failure into one message and one exit code."""

import logging
import os
import sys
import traceback

import typer

from contracts.errors import PipelineError
from spacex_elt.commands import look, move, stack
from spacex_elt.commands.output import complain
from spacex_elt.exit_codes import ExitCode, exit_code_of

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A contract-gated ELT pipeline for SpaceX launch data.",
)
app.add_typer(move.app)
app.add_typer(look.app)
app.add_typer(stack.app, name="local", help="The local stack: stand-ins for AWS, Airbyte and Redshift.")


def main() -> None:
    """Runs a command. Bad input, refused data and absent services end in one message; only a bug shows a traceback."""
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    try:
        app()
    except PipelineError as exc:
        complain(str(exc))
        sys.exit(exit_code_of(exc))
    except KeyboardInterrupt:
        complain("stopped. Nothing is half-published; run again with the same --run-id to go on.")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read our output has left
        sys.exit(ExitCode.OK)
    except OSError as exc:
        complain(f"this machine failed: {exc}. Expected room on the disk and a writable work folder. Run again.")
        sys.exit(ExitCode.UNAVAILABLE)
    except Exception:  # noqa: BLE001 the outermost edge: a bug is told as one, with what a report needs
        complain("this is a bug in spacex-elt. Please report it with the lines below.")
        traceback.print_exc()
        sys.exit(ExitCode.BUG)
