"""Owns the commands that move data: the whole run and its single steps."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contracts.errors import Retry
from spacex_elt.commands.options import Datasets, Faults, Launches, Seed, Source
from spacex_elt.commands.output import AsJson, complain, print_result, results
from spacex_elt.progress import Progress

if TYPE_CHECKING:
    from loader.load import LoadOutput
    from validation.results import ShardResult

app = typer.Typer()

RunId = Annotated[str, typer.Option(help="The run; its documents lie in the lake under runs/<run-id>/.")]


@app.command()
def run(
    source: Source = "sample",
    launches: Launches = 205,
    seed: Seed = 42,
    fault: Faults = None,
    dataset: Datasets = None,
    run_id: Annotated[str | None, typer.Option(help="Go on with this run, from the source it began with.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the whole pipeline: sync, plan, gate, load, transform, publish.

    Example: spacex-elt run --source sample --fault wrong-type:1%
    """
    from loader.incidents import find_docs
    from loader.publish import refuse_bad_end
    from observability.trace import trace_summary
    from spacex_elt import report
    from spacex_elt.run import new_run_id
    from spacex_elt.run import run as run_pipeline
    from spacex_elt.sources import SourceRequest
    from spacex_elt.wiring import open_pipeline

    run_id = run_id or new_run_id(datetime.now(UTC))
    request = SourceRequest(source, launches, seed, tuple(fault or ()), tuple(dataset or ()))
    with open_pipeline(run_id) as pipeline:
        progress = Progress()
        progress.say(f"run {run_id}")
        try:
            record = run_pipeline(pipeline, run_id, request, progress)
        except Retry:
            again = f"spacex-elt run --run-id {run_id} {request.as_options()}".rstrip()
            complain(f"run {run_id} stopped here. When the cause is gone, go on with: {again}")
            raise
        docs = find_docs(pipeline, run_id)
    if as_json:
        print_result(report.run_as_json(record, docs))
    else:
        report.print_run(results(), record, docs, trace_summary(record.spans))
    refuse_bad_end(record)


@app.command()
def plan(
    run_id: RunId,
    job_id: Annotated[str, typer.Option(help="The Airbyte job that landed the data.")],
    source: Annotated[
        str | None, typer.Option(help="Words for where the data came from (default: the name of Airbyte's source).")
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="What the job extracts (default: what is selected).")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Load it again, and over a later snapshot if it is an older sync's.")
    ] = False,
) -> None:
    """Find what a sync landed, split the work into shards, and say which container takes which.

    Example: spacex-elt plan --run-id nightly-1 --job-id 42
    """
    from loader.plan import SHARD_BYTES
    from loader.steps import plan_step
    from spacex_elt.wiring import open_pipeline

    with open_pipeline(run_id) as pipeline:
        selected = [name for name in pipeline.sync_server.selected_streams() if name in pipeline.contracts]
        words = source or pipeline.sync_server.source_name()
        made = plan_step(pipeline, run_id, job_id, words, dataset or selected, is_forced=force)
    print_result(
        {
            "run_id": run_id,
            "datasets": [batch.dataset for batch in made.batches],
            "shards": [shard.shard_id for shard in made.shards],
            "lines": {batch.dataset: batch.line_count for batch in made.batches},
            "containers": [asdict(container) for container in made.containers(SHARD_BYTES)],
        }
    )


@app.command()
def gate(
    run_id: RunId, shard: Annotated[list[str], typer.Option(help="A shard, as the plan names it; may be repeated.")]
) -> None:
    """Take shards through the raw contract; set aside what breaks it.

    Example: spacex-elt gate --run-id nightly-1 --shard cores-0 --shard launches-0
    """
    from loader.steps import gate_step
    from spacex_elt.wiring import open_pipeline

    with open_pipeline(run_id) as pipeline, pipeline.telemetry.step("gate"):
        results = [gate_step(pipeline, run_id, shard_id).result for shard_id in shard]
    print_result({"run_id": run_id, "shards": [_gated(result) for result in results]})


def _gated(result: "ShardResult") -> dict[str, Any]:
    return {
        "shard": result.shard_id,
        "lines": result.line_count,
        "accepted": result.accepted_count,
        "quarantined": result.rejected_count,
        "duplicate": result.duplicate_count,
        "first_rejection": result.first_rejection,
    }


@app.command()
def load(
    run_id: RunId, dataset: Annotated[list[str], typer.Option(help="A dataset to load; may be repeated.")]
) -> None:
    """COPY datasets into staging, take each through the load gate, publish each in one transaction.

    One that is held does not stop the others. Ends with 13 when rows of one do not reconcile, else with 11 when a gate
    holds one. Example: spacex-elt load --run-id nightly-1 --dataset cores --dataset launches
    """
    from loader.steps import load_step, refuse_held
    from spacex_elt.wiring import open_pipeline

    with open_pipeline(run_id) as pipeline, pipeline.telemetry.step("load"):
        outputs = {name: load_step(pipeline, run_id, name) for name in dataset}
    print_result({"run_id": run_id, "datasets": [_loaded(name, output) for name, output in outputs.items()]})
    refuse_held(outputs)


def _loaded(dataset: str, output: "LoadOutput") -> dict[str, Any]:
    from loader.steps import reason_of

    return {
        "dataset": dataset,
        "verdict": output.verdict.value,
        "reason": reason_of(output),
        "published": asdict(output.published) if output.published is not None else None,
        "was_already_published": output.was_already_published,
        "superseded_by": output.superseded_by,
    }


@app.command()
def transform(run_id: RunId) -> None:
    """Build and test the marts with dbt.

    Ends with 14 when a test or model fails. Example: spacex-elt transform --run-id nightly-1
    """
    from loader.steps import refuse_failed, transform_step
    from spacex_elt.wiring import open_pipeline

    with open_pipeline(run_id) as pipeline:
        record = transform_step(pipeline, run_id)
    verdict = record.verdict.value
    print_result({"run_id": run_id, "verdict": verdict, "reason": record.reason, "counts": dict(record.counts)})
    refuse_failed(record)


@app.command()
def publish(run_id: RunId) -> None:
    """Reconcile the run, write its record, raise or resolve incidents, publish the data docs.

    Then ends as the run did: with 13 when rows do not reconcile or a dataset was extracted and not loaded, else with 11
    when a gate said no-go, else with 14 when dbt failed or did not run. Example: spacex-elt publish --run-id nightly-1
    """
    from loader.incidents import find_docs
    from loader.publish import publish_step, refuse_bad_end
    from spacex_elt.wiring import open_pipeline

    with open_pipeline(run_id) as pipeline:
        record = publish_step(pipeline, run_id)
        docs = find_docs(pipeline, run_id)
    not_loaded = [each.dataset for each in record.not_loaded]
    print_result({"run_id": run_id, "verdict": record.outcome, "not_loaded": not_loaded, "docs": docs})
    refuse_bad_end(record)
