"""Owns the commands that keep things in order: replaying quarantine, and upkeep of lake and warehouse."""

from dataclasses import asdict
from typing import Annotated

import typer

from spacex_elt.commands.move import RunId
from spacex_elt.commands.output import print_result

app = typer.Typer()

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@app.command()
def replay(
    run_id: RunId,
    dataset: Annotated[str, typer.Option(help="The dataset whose quarantine to replay.")],
    rule: Annotated[list[str] | None, typer.Option(help="Only records that broke one of these rules.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="Only records of these keys.")] = None,
    batch: Annotated[
        str, typer.Option(help="The batch whose quarantine it is (default: the newest that set rows aside).")
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Also records that three replays did not publish, or another run has taken.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Plan a run out of quarantined records: gate, load, transform and publish then take them like any others.

    Example: spacex-elt replay --run-id replay-1 --dataset launches --rule cores-core-required
    """
    from loader.plan import SHARD_BYTES
    from loader.replay import replay_step
    from loader.selection import ReplayRequest, select
    from spacex_elt.wiring import open_pipeline

    rules, keys = tuple(sorted({*(rule or ())})), tuple(sorted({*(key or ())}))
    request = ReplayRequest(dataset, rules, keys, batch, is_again=again)
    with open_pipeline(run_id) as pipeline:
        made = None if dry_run else replay_step(pipeline, run_id, request)
        selected = made.batch(dataset).line_count if made else len(select(pipeline, request, run_id=run_id).lines)
    print_result(
        {
            "run_id": run_id,
            "dataset": dataset,
            "selected": selected,
            "containers": [asdict(container) for container in made.containers(SHARD_BYTES)] if made else [],
        }
    )


@app.command()
def maintain(run_id: RunId, dry_run: DryRun = False) -> None:
    """Delete what is past its retention from lake and staging; VACUUM and ANALYZE the tables.

    Example: spacex-elt maintain --run-id weekly-1 --dry-run
    """
    from loader.maintain import Retention, look_step, maintain_step
    from spacex_elt.settings import read_settings
    from spacex_elt.wiring import open_pipeline

    with open_pipeline(run_id) as pipeline:
        settings = read_settings()
        retention = Retention(settings.quarantine_retention_days, settings.lake_retention_days)
        done = look_step(pipeline, retention) if dry_run else maintain_step(pipeline, run_id, retention)
    print_result({"run_id": run_id, "dry_run": dry_run, **asdict(done)})
