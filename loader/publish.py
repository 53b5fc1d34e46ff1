"""Owns the publish step: reconcile the run, write its record, keep incidents, send alerts, put the data docs up.

Equations and pages are observability's, incidents are loader/incidents.py's; here they get their counts and place.
"""

import mimetypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from contracts.errors import GateClosed, RowsDoNotReconcile, TransformFailed
from loader import layout
from loader.batch import Batch, Plan
from loader.documents import to_json
from loader.incidents import keep_incidents, looks_of
from loader.load import LoadOutput
from loader.pipeline import Pipeline
from loader.run_folder import RunFolder, read_incidents, recent_runs
from loader.steps import reason_of, refuse_failed
from observability.accounting import GateCounts, LoadCounts, balances
from observability.run_record import Balance, DatasetRecord, NotLoaded, RunRecord, TransformRecord
from observability.site import render_site
from observability.trace import read_spans
from validation.results import RawGateResult, Verdict

RUNS_ON_THE_SITE = 30
FRONT_PAGE = "index.html"


def publish_step(pipeline: Pipeline, run_id: str) -> RunRecord:
    """Tells everyone how a run went, whatever that is: refuse_bad_end says it to a scheduler.

    Incidents are sent before they are stored: a crash in between repeats an announcement, it never loses one.
    """
    folder = pipeline.run_folder(run_id)
    with pipeline.telemetry.step("publish"):
        record = _compose(pipeline, folder)
        met = keep_incidents(pipeline, looks_of(pipeline, record), run_id, record.finished_at)
        record = replace(record, incident_ids=tuple(incident.fingerprint for incident in met))
        pipeline.lake.put(layout.record_key(record.started_at, run_id), to_json(record), "application/json")
        _put_site_up(pipeline)
    return record


def _compose(pipeline: Pipeline, folder: RunFolder) -> RunRecord:
    plan, transform = folder.plan(), folder.transform()
    outputs = [(batch, folder.load_output(batch.dataset)) for batch in plan.batches]
    datasets = tuple(_dataset_record(batch, output) for batch, output in outputs if output is not None)
    spans = read_spans([*folder.telemetry("spans.jsonl"), *pipeline.own_spans()])
    return RunRecord(
        run_id=folder.run_id,
        source=plan.source,
        started_at=plan.planned_at,
        finished_at=pipeline.now(),
        verdict=_worst([record.verdict for record in datasets], transform),
        datasets=datasets,
        transform=transform,
        incident_ids=(),
        trace_id=pipeline.telemetry.trace_id,
        spans=spans,
        not_loaded=tuple(_not_loaded(folder, plan, batch) for batch, output in outputs if output is None),
    )


def _not_loaded(folder: RunFolder, plan: Plan, batch: Batch) -> NotLoaded:
    ungated = folder.ungated_shards(plan, batch.dataset)
    missing = f"the gate step of {', '.join(ungated)}" if ungated else "the load step"
    return NotLoaded(
        batch.dataset,
        batch.batch_id,
        batch.line_count,
        f"Not loaded, as far as is known: {missing} did not come to its end. The last good version is still served.",
    )


def _dataset_record(batch: Batch, output: LoadOutput) -> DatasetRecord:
    raw_gate, done = output.raw_gate, output.published
    return DatasetRecord(
        dataset=batch.dataset,
        batch_id=batch.batch_id,
        extracted=_sum(raw_gate, "line_count"),
        accepted=_sum(raw_gate, "accepted_count"),
        quarantined=_sum(raw_gate, "rejected_count"),
        duplicate=_sum(raw_gate, "duplicate_count"),
        inserted=done.inserted if done else None,
        updated=done.updated if done else None,
        unchanged=done.unchanged if done else None,
        deleted=done.deleted if done else None,
        restored=done.restored if done else None,
        verdict=output.verdict,
        reason=reason_of(output),
        raw_gate=raw_gate,
        load_gate=output.load_gate,
        balances=_balances(batch.line_count, output),
        was_already_published=output.was_already_published,
        was_superseded=output.superseded_by is not None,
        is_partial=batch.is_partial,
        replay_of=batch.replay_of,
    )


def _balances(landed_count: int, output: LoadOutput) -> tuple[Balance, ...]:
    raw_gate, done = output.raw_gate, output.published
    gate = GateCounts(
        extracted=_sum(raw_gate, "line_count"),
        accepted=_sum(raw_gate, "accepted_count"),
        quarantined=_sum(raw_gate, "rejected_count"),
        duplicate=_sum(raw_gate, "duplicate_count"),
        landed=landed_count,
    )
    if done is not None:
        fates = (done.inserted, done.restored, done.updated, done.unchanged, done.kept, done.live)
        return balances(gate, LoadCounts(output.manifest_count, output.copied_count, done.staged, *fates))
    if output.trouble is not None:  # what cannot be counted any more does not hold
        return balances(gate, LoadCounts(output.manifest_count, *[None] * 8))
    return balances(gate, None)


def _sum(raw_gate: RawGateResult, name: str) -> int:
    return sum(getattr(shard, name) for shard in raw_gate.shards)


def _worst(verdicts: list[Verdict], transform: TransformRecord | None) -> Verdict:
    every = [*verdicts, *([transform.verdict] if transform else [])]
    for verdict in (Verdict.NO_GO, Verdict.QUARANTINE):
        if verdict in every:
            return verdict
    return Verdict.GO


def _put_site_up(pipeline: Pipeline) -> None:
    """Renders the data docs from the last runs and stores every page, the front page last."""
    runs = recent_runs(pipeline.lake, RUNS_ON_THE_SITE)
    pages = dict(render_site(pipeline.contracts, runs, read_incidents(pipeline.lake), pipeline.now()))
    front_page = pages.pop(FRONT_PAGE)
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda page: _put_page(pipeline, *page), pages.items()))
    _put_page(pipeline, FRONT_PAGE, front_page)


def _put_page(pipeline: Pipeline, path: str, body: bytes) -> None:
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    pipeline.docs.put(path, body, f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)


def refuse_bad_end(record: RunRecord) -> None:
    """Raises what a run came to: RowsDoNotReconcile, else GateClosed, else TransformFailed; nothing for a good run."""
    refuse_imbalance(record)
    refuse_not_loaded(record)
    refuse_no_go(record)
    if record.transform is not None:
        refuse_failed(record.transform)
    elif record.lacks_transform:
        raise TransformFailed(
            f"run {record.run_id}: the marts were not built although datasets were published: the transform step did "
            "not come to its end. They hold what they held before. Run it again with the same run id."
        )


def refuse_not_loaded(record: RunRecord) -> None:
    """Raises RowsDoNotReconcile when the run extracted a dataset of which it has no outcome."""
    if record.not_loaded:
        names = ", ".join(each.dataset for each in record.not_loaded)
        raise RowsDoNotReconcile(
            f"run {record.run_id} extracted {names} and did not load them, as far as is known: a step did not come to "
            "its end, so their rows cannot be reconciled. The last good version is still served. Run it again with "
            "the same run id."
        )


def refuse_no_go(record: RunRecord) -> None:
    """Raises GateClosed when a gate of the run said no-go."""
    held = [dataset for dataset in record.datasets if dataset.verdict is Verdict.NO_GO]
    if held:
        names = ", ".join(dataset.dataset for dataset in held)
        looks = [f"spacex-elt quarantine show {dataset.dataset}" for dataset in held if dataset.quarantined]
        look = f"Look at the rows: {looks[0]}. " if looks else ""
        raise GateClosed(
            f"{names} held: the warehouse still serves the last good version. {look}Read the alert: spacex-elt alerts."
        )


def refuse_imbalance(record: RunRecord) -> None:
    """Raises RowsDoNotReconcile when an equation of the run does not hold, or a count of it is missing."""
    broken = [(dataset, balance) for dataset in record.datasets for balance in dataset.balances if not balance.holds]
    if broken:
        dataset, first = broken[0]
        raise RowsDoNotReconcile(
            f"{dataset.dataset} batch {dataset.batch_id}: {first.equation} does not hold: {_told(first.left)} against "
            f"{_told(first.right)}. {len(broken)} equations fail in run {record.run_id}; its page lists them."
        )


def _told(count: int | None) -> str:
    return "not counted" if count is None else f"{count:,}"
