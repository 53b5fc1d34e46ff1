"""Owns the steps that a scheduler calls: each idempotent, each reading and writing the run's folder in the lake.

What a step does is in the module of its name; here it is found its inputs, traced, counted and remembered.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from contracts.errors import GateClosed, RowsDoNotReconcile, TransformFailed, UsageError
from contracts.model import Contract
from loader.batch import Batch, Plan, batch_identity
from loader.gate import GateOutput, gate_shard
from loader.load import Loading, LoadOutput, load_or_tell, lock_transform, new_staging, prepare_warehouse
from loader.migrate import refuse_behind
from loader.outcome import note_outcome, refuse_taken
from loader.pipeline import Pipeline
from loader.plan import Request, make_plan
from loader.reduce import reduce_batch
from loader.run_folder import gate_name, load_gate_name, load_name, profile_name
from loader.transform import run_dbt
from observability.run_record import TransformRecord
from validation.load_gate import check_staging
from validation.raw_gate import GATE_VERSION
from validation.results import LoadGateResult, Verdict


def plan_step(
    pipeline: Pipeline, run_id: str, job_id: str, source: str, datasets: Sequence[str], *, is_forced: bool = False
) -> Plan:
    """Finds what a sync landed of `datasets` and fixes each batch's identity. A run's first plan stays its plan.

    A forced run loads its batches also when they were published before, and over a later snapshot.
    """
    folder = pipeline.run_folder(run_id)
    with pipeline.telemetry.step("plan"):
        made = folder.find(Plan, "plan.json")
        if made is not None and made.job_id != job_id:
            raise UsageError(f"run {run_id} is planned for Airbyte job {made.job_id}, not {job_id}. Start a new run.")
        if made is not None and made.is_forced != is_forced:
            raise UsageError(f"run {run_id} is planned with{'' if made.is_forced else 'out'} --force. Start a new run.")
        if made is None:
            job = pipeline.sync_server.job(job_id)
            known = tuple(pipeline.contract(dataset).dataset for dataset in datasets)
            now = pipeline.now()
            request = Request(run_id, source, job, known, pipeline.contracts, now, is_forced=is_forced)
            made = make_plan(pipeline.lake, request)
            folder.write("plan.json", made)
        for batch in made.batches:
            pipeline.telemetry.count_rows(batch.dataset, "plan", {"extracted": batch.line_count})
        return made


def gate_step(pipeline: Pipeline, run_id: str, shard_id: str) -> GateOutput:
    """Takes one shard of a run through the raw gate, below a `gate` step that the caller has opened."""
    folder = pipeline.run_folder(run_id)
    plan = folder.plan()
    try:
        shard = plan.shard(shard_id)
    except KeyError:
        known = ", ".join(each.shard_id for each in plan.shards)
        raise UsageError(f"run {run_id} has no shard {shard_id}. Expected one of: {known}.") from None
    contract, batch = _unchanged(pipeline, plan, shard.dataset)
    with pipeline.telemetry.span(shard_id, dataset=shard.dataset):
        keep = partial(folder.write, profile_name(shard_id))
        output = gate_shard(pipeline.lake, contract, batch, shard, keep)
        folder.write(gate_name(shard_id), output)
        _count_gate(pipeline, output)
        return output


def load_step(pipeline: Pipeline, run_id: str, dataset: str) -> LoadOutput:
    """Loads and publishes one dataset, as far as its gates let it, below a `load` step that the caller has opened."""
    folder = pipeline.run_folder(run_id)
    plan = folder.plan()
    if dataset not in {batch.dataset for batch in plan.batches}:
        raise UsageError(
            f"run {run_id} did not extract {dataset}. It has: {', '.join(b.dataset for b in plan.batches)}."
        )
    contract, batch = _unchanged(pipeline, plan, dataset)
    staging = new_staging(batch)

    def check(contract: Contract, batch: Batch, staged_count: int) -> LoadGateResult:
        with pipeline.telemetry.span("load gate", dataset=dataset):
            return check_staging(pipeline.warehouse_address(), contract, batch.batch_id, staging, staged_count)

    with pipeline.telemetry.span(dataset, dataset=dataset, batch_id=batch.batch_id) as span:
        loading = Loading(
            run_id=run_id,
            contract=contract,
            batch=batch,
            staging=staging,
            gated=_reduced(pipeline, contract, batch, folder.gate_outputs(plan, dataset)),
            copy_role_arn=pipeline.copy_role_arn,
            check_staging=check,
            remember=lambda result: folder.write(load_gate_name(dataset), result),
            recall=lambda: folder.load_gate(dataset),
        )
        if batch.is_partial:
            refuse_taken(pipeline.lake, run_id, dataset)
        with pipeline.warehouse() as session:
            session.work_as("load")
            prepare_warehouse(session, pipeline.contracts)
            refuse_behind(session, contract)
            output = load_or_tell(pipeline.lake, session, loading)
        if batch.is_partial:
            note_outcome(pipeline.lake, run_id, batch, output, reason_of(output), pipeline.now())
        folder.write(load_name(dataset), output)
        if output.verdict is Verdict.NO_GO:
            span.fail("no-go")
        _count_load(pipeline, dataset, output)
        return output


def transform_step(
    pipeline: Pipeline, run_id: str, on_progress: Callable[[str], None] = lambda line: None
) -> TransformRecord:
    """Builds and tests the marts with dbt. Raises nothing for a failed test: its verdict is no-go."""
    folder = pipeline.run_folder(run_id)
    with pipeline.telemetry.step("transform") as span:
        folder.plan()  # a run that was never planned has nothing to build from
        with pipeline.warehouse() as session:
            session.work_as("transform")
            prepare_warehouse(session, pipeline.contracts)
            lock_transform(session)
            address, work_dir = pipeline.warehouse_address(), pipeline.work_dir / "dbt"
            record = run_dbt(address, pipeline.dbt_project_dir, work_dir, on_progress=on_progress)
        folder.write("transform.json", record)
        if record.verdict is Verdict.NO_GO:
            span.fail("no-go")
        pipeline.telemetry.count_verdict("marts", "transform", record.verdict)
        return record


def refuse_held(outputs: Mapping[str, LoadOutput]) -> None:
    """Raises RowsDoNotReconcile, or else GateClosed, when a dataset's verdict is no-go; the message tells of each."""
    held = {dataset: output for dataset, output in outputs.items() if output.verdict is Verdict.NO_GO}
    if not held:
        return
    reasons = " ".join(reason_of(output) for output in held.values())
    told = f"{reasons} The warehouse still serves the last good version of {', '.join(held)}."
    if any(output.trouble is not None for output in held.values()):
        raise RowsDoNotReconcile(told)
    raise GateClosed(told)


def reason_of(output: LoadOutput) -> str:
    """One sentence: why a dataset's verdict is what it is."""
    if output.trouble is not None:
        return output.trouble
    if output.superseded_by is not None:
        return f"Not loaded: run {output.superseded_by} published a later snapshot. Nothing was changed."
    if output.load_gate is not None and output.load_gate.verdict is Verdict.NO_GO:
        return output.load_gate.reason
    return output.raw_gate.reason


def refuse_failed(record: TransformRecord) -> None:
    """Raises TransformFailed when dbt's verdict is no-go."""
    if record.verdict is Verdict.NO_GO:
        raise TransformFailed(f"{record.reason} See: the run's page in the data docs.")


def _unchanged(pipeline: Pipeline, plan: Plan, dataset: str) -> tuple[Contract, Batch]:
    """The dataset's contract and batch. Raises UsageError when the contract is not the one that was planned with."""
    contract, batch = pipeline.contract(dataset), plan.batch(dataset)
    if batch_identity(dataset, batch.objects, contract.content_hash, GATE_VERSION, batch.forced_by) != batch.batch_id:
        raise UsageError(
            f"run {plan.run_id}: the contract of {dataset} or the gate changed since the run was planned (version "
            f"{batch.contract_version} then, {contract.version} now). Start a new run."
        )
    return contract, batch


def _reduced(
    pipeline: Pipeline, contract: Contract, batch: Batch, gated: Sequence[GateOutput]
) -> tuple[GateOutput, ...]:
    """What the shards come to together; what that changes is counted beside what the gate counted."""
    if not any(output.digests for output in gated):
        return tuple(gated)
    with pipeline.telemetry.span("reduce", dataset=batch.dataset):
        reduced = reduce_batch(pipeline.lake, contract, batch, gated)
    moved = Counter[str]()
    for before, after in zip(gated, reduced, strict=True):
        moved["duplicate"] += after.result.duplicate_count - before.result.duplicate_count
        moved["quarantined"] += after.result.rejected_count - before.result.rejected_count
    if moved.total():
        pipeline.telemetry.count_rows(batch.dataset, "reduce", moved)
    return reduced


def _count_gate(pipeline: Pipeline, output: GateOutput) -> None:
    result = output.result
    fates = {
        "accepted": result.accepted_count,
        "duplicate": result.duplicate_count,
        "quarantined": result.rejected_count,
    }
    pipeline.telemetry.count_rows(result.dataset, "gate", fates)
    pipeline.telemetry.count_violations(result.dataset, result.violations_by_rule)


def _count_load(pipeline: Pipeline, dataset: str, output: LoadOutput) -> None:
    pipeline.telemetry.count_verdict(dataset, "raw", output.raw_gate.verdict)
    if output.load_gate is not None:
        pipeline.telemetry.count_verdict(dataset, "load", output.load_gate.verdict)
    if (done := output.published) is not None:
        fates = {"inserted": done.inserted, "restored": done.restored, "updated": done.updated}
        fates |= {"unchanged": done.unchanged, "deleted": done.deleted}
        pipeline.telemetry.count_rows(dataset, "load", fates)
