"""Owns the program: its commands, and turning a foreseen failure into one message and one exit code."""

import logging
import signal
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from contracts.errors import PipelineError
from spacex_elt.commands import airbyte, contracts, keep, look, move, quarantine, stack, warehouse
from spacex_elt.commands.output import complain
from spacex_elt.exit_codes import ExitCode, exit_code_of


class _Program(TyperGroup):
    """Has its own last words: what leaves `invoke` is ended by typer, without a word or as a bug."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            complain("stopped. Nothing is half-published; run again with the same --run-id to go on.")
            raise typer.Exit(ExitCode.STOPPED) from None


app = typer.Typer(
    cls=_Program,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A contract-gated ELT pipeline for SpaceX launch data.",
)
app.add_typer(move.app)
app.add_typer(keep.app)
app.add_typer(look.app)
app.add_typer(contracts.app, name="contracts", help="Check, show and use data contracts.")
app.add_typer(quarantine.app, name="quarantine", help="Work on the records that a gate set aside.")
app.add_typer(airbyte.app, name="airbyte", help="Make an Airbyte server match extraction/, and check it.")
app.add_typer(warehouse.app, name="warehouse", help="Ask the warehouse, and bring it in line with the contracts.")
app.add_typer(stack.app, name="local", help="The local stack: stand-ins for AWS, Airbyte and Redshift.")


def main() -> None:
    """Runs a command. Bad input, refused data and absent services end in one message; only a bug shows a traceback."""
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    # A scheduler's way to stop us, too, leaves through every `with`: what runs in the warehouse is cancelled.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except PipelineError as exc:
        complain(str(exc))
        sys.exit(exit_code_of(exc))
    except OSError as exc:
        complain(f"this machine failed: {exc}. Expected room on the disk and a writable work folder. Run again.")
        sys.exit(ExitCode.UNAVAILABLE)
    except Exception:  # noqa: BLE001 the outermost edge: a bug is told as one, with what a report needs
        complain("this is a bug in spacex-elt. Please report it with the lines below.")
        traceback.print_exc()
        sys.exit(ExitCode.BUG)
