"""Owns the commands about contracts: check, show and derive from them. None of them needs a service."""

from pathlib import Path
from typing import Annotated

import typer

from spacex_elt.commands.contracts_diff import contracts_diff
from spacex_elt.commands.contracts_infer import contracts_infer
from spacex_elt.commands.contracts_shadow import contracts_shadow
from spacex_elt.console import stderr_console

app = typer.Typer(no_args_is_help=True)
app.command("diff")(contracts_diff)
app.command("infer")(contracts_infer)
app.command("shadow")(contracts_shadow)


@app.command("lint")
def contracts_lint(
    paths: Annotated[list[Path] | None, typer.Argument(help="Contract files (default: all of the product's).")] = None,
) -> None:
    """Check contracts against the ODCS schema, odcslint and our own rules. Ends with 10 when one is wrong.

    Example: spacex-elt contracts lint
    """
    from contracts.errors import ContractInvalid
    from contracts.lint import lint
    from contracts.read import FOLDER

    chosen = paths or sorted(FOLDER.glob("*.odcs.yaml"))
    findings = lint(chosen)
    for finding in findings:
        stderr_console().print(str(finding), soft_wrap=True, markup=False)
    if findings:
        raise ContractInvalid(f"{len(findings)} findings in {len(chosen)} contracts; each is above with file and line.")
    stderr_console().print(f"{len(chosen)} contracts are right.")
