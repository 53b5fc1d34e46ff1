"""Owns the commands that look: alerts, quarantine, warehouse. None of them moves a row."""

from dataclasses import asdict
from typing import Annotated

import typer

from spacex_elt.commands.output import AsJson, print_result, results

app = typer.Typer()
warehouse_app = typer.Typer(no_args_is_help=True)
quarantine_app = typer.Typer(no_args_is_help=True)
app.add_typer(warehouse_app, name="warehouse", help="Ask the warehouse.")
app.add_typer(quarantine_app, name="quarantine", help="Look at records that a gate set aside.")


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


@quarantine_app.command("show")
def quarantine_show(
    dataset: str,
    batch: Annotated[str, typer.Option(help="This batch (default: that of the newest run that set rows aside).")] = "",
    as_json: AsJson = False,
) -> None:
    """Show quarantined records: where each lay and every rule it broke. Values only as far as the contract lets.

    Example: spacex-elt quarantine show launches
    """
    from contracts.errors import UsageError
    from contracts.read import FOLDER, read_contracts
    from loader.quarantine import read_quarantine
    from loader.run_folder import newest_quarantine
    from spacex_elt import report
    from spacex_elt.wiring import open_lake

    known = read_contracts(FOLDER)
    if dataset not in known:
        raise UsageError(f"there is no dataset {dataset}. Expected one of: {', '.join(known)}.")
    with open_lake() as lake:
        chosen = batch or newest_quarantine(lake, dataset)
        records = list(read_quarantine(lake, dataset, chosen)) if chosen else []
    if as_json:
        print_result([{**asdict(record), "raw_base64": None} for record in records])
    else:
        report.print_quarantine(results(), dataset, records)


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
