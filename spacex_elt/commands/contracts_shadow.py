"""Owns `spacex-elt contracts shadow`: a candidate contract beside the one in force. Judging is loader/shadow.py's."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from spacex_elt.commands.output import AsJson, print_result, results


def contracts_shadow(
    contract_file: Annotated[Path, typer.Argument(help="The candidate: a file named <dataset>.odcs.yaml.")],
    batches: Annotated[int, typer.Option(help="How many landed batches to judge, the newest first.", min=1)] = 3,
    as_json: AsJson = False,
) -> None:
    """Tell what a candidate contract would have changed, before anyone adopts it. Writes nothing.

    The last landed batches go through the raw gate under the contract in force and under the candidate: which records
    are newly rejected or accepted, by which rule, and each batch's verdict. Values only as far as both contracts let.

    Example: spacex-elt contracts shadow contracts/candidates/launches.odcs.yaml --batches 5
    """
    from contracts.errors import UsageError
    from contracts.read import FOLDER, read_contract, read_contracts
    from loader.shadow import shadow
    from spacex_elt import shadow_report
    from spacex_elt.wiring import open_lake

    candidate = read_contract(contract_file)
    known = read_contracts(FOLDER)
    if candidate.dataset not in known:
        raise UsageError(f"no contract of {candidate.dataset} is in force. Expected one of: {', '.join(known)}.")
    with open_lake() as lake:
        found = shadow(lake, known[candidate.dataset], candidate, batches)
    if as_json:
        print_result(asdict(found))
    else:
        shadow_report.print_shadow(results(), found)
