"""Owns the commands on the warehouse itself: asking it, migrating its tables and rebuilding them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spacex_elt.commands.output import AsJson, print_result, results

if TYPE_CHECKING:
    from loader.migration import MigrationPlan
    from loader.warehouse import Session

app = typer.Typer(no_args_is_help=True)


@app.command("query")
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


@app.command("plan")
def warehouse_plan(as_json: AsJson = False) -> None:
    """Show what `warehouse apply` would do: each statement, why, and what somebody may notice. Changes nothing.

    Ends with 10 when a contract asks for what cannot be done. Example: spacex-elt warehouse plan
    """
    from contracts.read import FOLDER, read_contracts
    from loader.migrate import look, refuse_refused
    from spacex_elt.migration_report import print_plan

    contracts = read_contracts(FOLDER)
    with _session() as session:
        plan = look(session, contracts)
    if as_json:
        print_result(_as_json(plan))
    else:
        print_plan(results(), plan)
    refuse_refused(plan)


@app.command("apply")
def warehouse_apply(as_json: AsJson = False) -> None:
    """Do what `warehouse plan` shows. Killed anywhere, it goes on when it is run again; twice does nothing.

    Ends with 10 when a contract asks for what cannot be done; all else is done. Example: spacex-elt warehouse apply
    """
    from contracts.read import FOLDER, read_contracts
    from loader.migrate import migrate, refuse_refused
    from spacex_elt.migration_report import print_rest, step_words
    from spacex_elt.progress import Progress

    contracts, progress = read_contracts(FOLDER), Progress()
    with _session() as session:
        session.work_as("apply")
        plan = migrate(session, contracts, lambda step: progress.say(step_words(step)))
    if as_json:
        print_result(_as_json(plan))
    else:
        print_rest(results(), plan)
    refuse_refused(plan)


@app.command("rebuild")
def warehouse_rebuild(
    dataset: str,
    up_to: Annotated[str, typer.Option(help="The last run to take in (default: all that was published).")] = "",
    swap: Annotated[bool, typer.Option("--swap", help="Serve the rebuilt table instead of the published one.")] = False,
    as_json: AsJson = False,
) -> None:
    """Rebuild a published table beside itself from the lake, and prove by hash that the two are equal.

    Ends with 13 when they had to be equal and are not. Example: spacex-elt warehouse rebuild launches
    """
    from loader.rebuild import rebuild, refuse_different
    from spacex_elt.migration_report import print_rebuilt
    from spacex_elt.run import new_run_id
    from spacex_elt.wiring import open_pipeline

    with open_pipeline(new_run_id(datetime.now(UTC))) as pipeline:
        done = rebuild(pipeline, dataset, up_to, swap=swap)
    if as_json:
        print_result({**asdict(done), "is_equal": done.is_equal})
    else:
        print_rebuilt(results(), done)
    refuse_different(done)


@contextmanager
def _session() -> Iterator["Session"]:
    from loader.warehouse import connect
    from spacex_elt.settings import read_settings
    from spacex_elt.warehouse_login import warehouse_login

    login = warehouse_login(read_settings())
    with connect(login(), login) as session:
        yield session


def _as_json(plan: "MigrationPlan") -> dict[str, Any]:
    return {
        "steps": [{**asdict(step), "is_safe": step.is_safe} for step in plan.steps],
        "refused": [asdict(refusal) for refusal in plan.refusals],
        "notes": list(plan.notes),
    }
