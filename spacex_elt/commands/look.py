"""Owns the commands that look: alerts, warehouse, contracts. None of them moves a row."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from spacex_elt.commands.contracts_diff import contracts_diff
from spacex_elt.commands.output import AsJson, print_result, results
from spacex_elt.console import stderr_console

app = typer.Typer()
warehouse_app = typer.Typer(no_args_is_help=True)
contracts_app = typer.Typer(no_args_is_help=True)
app.add_typer(warehouse_app, name="warehouse", help="Ask the warehouse.")
app.add_typer(contracts_app, name="contracts", help="Check data contracts.")
contracts_app.command("diff")(contracts_diff)


@app.command()
def alerts(as_json: AsJson = False) -> None:
    """Read what was announced, from the queue that subscribes to the alert topic. Messages stay there.

    Example: spacex-elt alerts
    """
    from spacex_elt.wiring import read_alerts

    messages = read_alerts()
    if as_json:
        print_result([asdict(message) for message in messages])
        return
    console = results()
    for message in messages:
        console.print(message.subject, style="bold", soft_wrap=True, markup=False)
        console.print(f"{message.text}\n", soft_wrap=True, markup=False)
    if not messages:
        console.print("Nothing was announced.")


@warehouse_app.command("query")
def warehouse_query(sql: str, as_json: AsJson = False) -> None:
    """Run one query on the warehouse, read-only.

    Example: spacex-elt warehouse query "select count(*) from analytics.fct_launches"
    """
    from loader.warehouse import query_read_only
    from spacex_elt import report
    from spacex_elt.secrets import read_warehouse_address
    from spacex_elt.settings import read_settings

    names, rows = query_read_only(read_warehouse_address(read_settings().warehouse_secret_id), sql)
    if as_json:
        print_result([dict(zip(names, row, strict=True)) for row in rows])
    else:
        report.print_rows(results(), names, rows)


@contracts_app.command("lint")
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
