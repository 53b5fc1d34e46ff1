"""Owns the command that reads what was announced."""

from dataclasses import asdict

import typer

from spacex_elt.commands.output import AsJson, print_result, results

app = typer.Typer()


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
