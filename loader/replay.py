"""Owns the replay step: quarantined records of one batch, planned once more for the ordinary steps to take on.

Choosing them is loader/selection.py's job, judging and loading them the other steps' (loader/steps.py), as of any
batch; what comes of them is said in the journal by loader/outcome.py.
"""

import gzip
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby

from contracts.errors import RowsDoNotReconcile, UsageError
from loader import layout
from loader.batch import Batch, LandedObject, Plan, batch_identity, split_into_shards
from loader.decisions import Decision, History, Journal, ReplayBegun, ReplayedObject
from loader.edits import EditedRow, Line
from loader.lines import count_lines
from loader.pipeline import Pipeline
from loader.plan import SHARD_BYTES
from loader.run_folder import RunFolder
from loader.selection import ReplayRequest, Selection, select
from loader.store import ObjectStore
from validation.raw_gate import GATE_VERSION
from validation.wording import counted

_REQUEST = "replay.json"


def replay_step(pipeline: Pipeline, run_id: str, request: ReplayRequest, edits: Sequence[EditedRow] = ()) -> Plan:
    """Plans a run out of quarantined records. A run's first plan stays its plan, and asking again gives it back.

    The records are the run's then: no other replay takes them until it has ended. Raises UsageError when nothing is
    selected, or when the records' snapshot is not published itself.
    """
    folder = pipeline.run_folder(run_id)
    with pipeline.telemetry.step("replay"):
        made = folder.find(Plan, "plan.json")
        if made is not None:
            _refuse_other(folder, request)
        else:
            made = _begun(pipeline, folder, request, edits)
            folder.write("plan.json", made)
        pipeline.telemetry.count_rows(request.dataset, "plan", {"extracted": made.batch(request.dataset).line_count})
        return made


def _begun(pipeline: Pipeline, folder: RunFolder, request: ReplayRequest, edits: Sequence[EditedRow]) -> Plan:
    """Plans the run, and takes the records in the journal, each for this run alone."""
    found: list[Plan] = []

    def decide(history: History) -> Decision | None:
        before = history.replay_of_run(folder.run_id)
        if before is not None:
            _refuse_other(folder, request)
        selection = select(pipeline, request, edits, folder.run_id, history)
        made = _planned(pipeline, folder.run_id, request, selection)
        found[:] = [made]
        folder.write(_REQUEST, request)
        begun = _taken(made, selection, request)
        return None if before is not None and before.same_but_for_time(begun) else begun

    Journal(pipeline.lake, pipeline.contract(request.dataset).dataset).decide(decide)
    return found[0]


def _taken(plan: Plan, selection: Selection, request: ReplayRequest) -> ReplayBegun:
    """The word that these records are the run's, line by line of the objects that it was planned with."""
    batch = plan.batch(selection.dataset)
    ids = [
        tuple(line.record.quarantine_id for line in lines)
        for _, lines in groupby(selection.lines, key=lambda line: line.record.object_key)
    ]
    return ReplayBegun(
        run_id=plan.run_id,
        batch_id=batch.batch_id,
        replay_of=batch.replay_of,
        by=request.by or f"run {plan.run_id}",
        why=request.why,
        began_at=plan.planned_at,
        objects=tuple(ReplayedObject(landed.key, of) for landed, of in zip(batch.objects, ids, strict=True)),
        edits=tuple(line.edit for line in selection.lines if line.edit is not None),
    )


def _refuse_other(folder: RunFolder, request: ReplayRequest) -> None:
    if folder.find(ReplayRequest, _REQUEST) != request:
        raise UsageError(f"run {folder.run_id} is planned for something else. It goes on with that; start a new run.")


def _planned(pipeline: Pipeline, run_id: str, request: ReplayRequest, selection: Selection) -> Plan:
    contract = pipeline.contract(selection.dataset)
    objects = tuple(_written(pipeline.lake, selection))
    batch = Batch(
        dataset=selection.dataset,
        batch_id=batch_identity(selection.dataset, objects, contract.content_hash, GATE_VERSION),
        contract_version=contract.version,
        objects=objects,
        expected_count=len(selection.lines),
        is_partial=True,
        snapshot_at_ms=selection.snapshot_at_ms,
        replay_of=selection.batch_id,
    )
    if batch.line_count != batch.expected_count:
        raise RowsDoNotReconcile(
            f"{selection.dataset} batch {batch.batch_id}: {batch.expected_count} records were selected and "
            f"s3://{pipeline.lake.bucket}/{layout.replay_prefix(selection.dataset, selection.selection_id)} holds "
            f"{batch.line_count} lines. Nothing was planned."
        )
    shards = split_into_shards(batch, SHARD_BYTES)
    job_id = f"replay {selection.selection_id}"  # in the place of a sync's: nothing else may plan this run
    return Plan(run_id, _words(request, selection), job_id, pipeline.now(), (batch,), shards)


def _words(request: ReplayRequest, selection: Selection) -> str:
    """Where the data came from, for people."""
    by = [f"rule {rule_id}" for rule_id in request.rules]
    by += [counted(len(request.keys), "key")] if request.keys else []
    edited = sum(line.edit is not None for line in selection.lines)
    by += [f"{edited} edited"] if edited else []
    return f"replay of {selection.dataset} batch {selection.batch_id}" + (f" ({', '.join(by)})" if by else "")


def _written(store: ObjectStore, selection: Selection) -> Iterator[LandedObject]:
    """Writes the selected lines, as they lay, one object per object they landed in; again gives the same bytes."""
    prefix = layout.replay_prefix(selection.dataset, selection.selection_id)
    for origin, lines in groupby(selection.lines, key=lambda line: line.record.object_key):
        key = prefix + layout.file_name(origin)
        stored = store.put(key, _compressed(lines), "application/gzip")
        with closing(store.open(key, stored.etag)) as body:
            line_count, damage = count_lines(body)
        yield LandedObject(key, stored.etag, stored.size_bytes, line_count, damage)


def _compressed(lines: Iterable[Line]) -> bytes:
    return gzip.compress(b"".join(line.raw + b"\n" for line in lines), mtime=0)
