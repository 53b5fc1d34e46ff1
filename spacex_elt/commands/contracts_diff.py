"""Owns the command that compares contracts. What changed and what follows is contracts/evolution's job."""

from pathlib import Path
from typing import Annotated

import typer

from spacex_elt.commands.output import AsJson, print_result, results


def contracts_diff(
    old: Annotated[Path | None, typer.Argument(help="The older contract file.")] = None,
    new: Annotated[Path | None, typer.Argument(help="The newer one. Without files: all, against the release.")] = None,
    released: Annotated[bool, typer.Option("--released", help="Against the newest release tag (the default).")] = False,
    against: Annotated[str, typer.Option(help="Against this tag, branch or commit instead.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what changed in contracts, for whom it breaks what, and the version it asks for. Ends with 10 if not given.

    Compares two files, or every contract of the product with the same file at the newest tag vX.Y.Z.

    Example: spacex-elt contracts diff
    """
    from contracts.errors import ContractInvalid, UsageError
    from contracts.evolution.consumers import read_consumers
    from contracts.evolution.diff import diff_files, diff_released
    from contracts.evolution.exceptions import today
    from contracts.read import FOLDER
    from spacex_elt import diff_report

    if (old is None) != (new is None) or (old is not None and (released or against)) or (released and against):
        raise UsageError(
            "compare either two files (contracts diff OLD NEW), or all contracts with a release "
            "(contracts diff, --released, or --against REF)."
        )
    report = (
        diff_files(old, new, today())
        if old is not None and new is not None
        else diff_released(FOLDER, against, today())
    )
    consumers = read_consumers(FOLDER.parent / "dbt")
    if as_json:
        print_result(diff_report.as_json(report, consumers))
    else:
        diff_report.print_diff(results(), report, consumers)
    if not report.is_honoured:
        raise ContractInvalid(diff_report.refusal(report))
