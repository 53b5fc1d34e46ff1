"""Owns the commands that look: alerts, warehouse. None of them moves a row."""

from dataclasses import asdict

import typer

from spacex_elt.commands.output import AsJson, print_result, results

app = typer.Typer()
warehouse_app = typer.Typer(no_args_is_help=True)
app.add_typer(warehouse_app, name="warehouse", help="Ask the warehouse.")


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
    from spacex_elt.settings import read_settings
    from spacex_elt.warehouse_login import warehouse_login

    names, rows = query_read_only(warehouse_login(read_settings())(), sql)
    if as_json:
        print_result([dict(zip(names, row, strict=True)) for row in rows])
    else:
        report.print_rows(results(), names, rows)
