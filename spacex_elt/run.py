"""Owns `spacex-elt run`: the steps in order, in one process, as the scheduler calls them one by one.

What a step does is loader/steps.py's job. A run cut off anywhere goes on with the same `--run-id`.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.errors import PipelineError, UsageError
from loader.airbyte import SyncServer, wait_for, wait_for_end
from loader.batch import Plan
from loader.edits import EditedRow
from loader.pipeline import Pipeline
from loader.publish import publish_step
from loader.replay import replay_step
from loader.run_folder import RunFolder, SyncStarted
from loader.selection import ReplayRequest
from loader.steps import gate_step, load_step, plan_step, transform_step
from observability.alerts import Alerts, Announcement
from observability.run_record import RunRecord
from spacex_elt.progress import Progress
from spacex_elt.settings import read_settings
from spacex_elt.sources import Source, SourceRequest, damage_landing, open_source
from spacex_elt.wiring import airbyte_http
from validation.results import Verdict

SYNC_TIMEOUT_S = 3600.0
REQUEST = "request.json"


def new_run_id(now: datetime) -> str:
    """A run id that sorts by time."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def run(pipeline: Pipeline, run_id: str, request: SourceRequest, progress: Progress) -> RunRecord:
    """Runs every step and returns the record. Raises only what stops a run: service trouble, configuration, bugs."""
    pipeline = replace(pipeline, alerts=_TellingAlerts(pipeline.alerts, progress))
    request = _remembered(pipeline.run_folder(run_id), request)
    with pipeline.telemetry.run(source=request.source):
        synced = _sync(pipeline, run_id, request, progress)
        with progress.step("plan") as outcome:
            plan = plan_step(pipeline, run_id, synced.job_id, synced.source, synced.datasets)
            outcome.words = f"{len(plan.batches)} batches, {sum(batch.line_count for batch in plan.batches):,} lines"
        return _go_on(pipeline, plan, progress)


def replay(
    pipeline: Pipeline, run_id: str, request: ReplayRequest, edits: Sequence[EditedRow], progress: Progress
) -> RunRecord:
    """Replays quarantined records through every step, and returns the record. Raises what `run` does."""
    pipeline = replace(pipeline, alerts=_TellingAlerts(pipeline.alerts, progress))
    with pipeline.telemetry.run(source=f"quarantine of {request.dataset}"):
        with progress.step("replay") as outcome:
            plan = replay_step(pipeline, run_id, request, edits)
            outcome.words = f"{plan.source}: {plan.batch(request.dataset).line_count:,} lines"
        return _go_on(pipeline, plan, progress)


def _go_on(pipeline: Pipeline, plan: Plan, progress: Progress) -> RunRecord:
    """What follows a plan."""
    _gate(pipeline, plan, progress)
    _load(pipeline, plan, progress)
    with progress.step("transform") as outcome:
        transform = transform_step(pipeline, plan.run_id, outcome.tell)
        outcome.words, outcome.is_trouble = transform.reason, transform.verdict is Verdict.NO_GO
    with progress.step("publish") as outcome:
        record = publish_step(pipeline, plan.run_id)
        outcome.words = f"run record and data docs of {len(record.datasets)} datasets"
    return record


@dataclass(frozen=True, slots=True)
class _TellingAlerts:
    """Sends alerts where they go, and shows them to whoever watches the run."""

    sent_on: Alerts
    progress: Progress

    def send(self, announcement: Announcement) -> None:
        self.sent_on.send(announcement)
        self.progress.say(f"ALERT {announcement.subject}")


def _remembered(folder: RunFolder, request: SourceRequest) -> SourceRequest:
    """What the run was first asked for: going on with it never takes another source by accident."""
    first = folder.find(SourceRequest, REQUEST)
    if first is not None and first != request and request != SourceRequest():
        raise UsageError(
            f"run {folder.run_id} began with: {first.as_options() or 'the defaults'}. It goes on with that only: leave "
            "the other options out, or start a new run."
        )
    return first or request


def _sync(pipeline: Pipeline, run_id: str, request: SourceRequest, progress: Progress) -> SyncStarted:
    folder = pipeline.run_folder(run_id)
    with progress.step("sync") as outcome, pipeline.telemetry.step("sync"):
        started = folder.find_sync()
        if started is None or not _ends_well(pipeline, started):
            started = start_sync(pipeline, folder, request)
        job = pipeline.sync_server.job(started.job_id)
        counts = ", ".join(f"{count:,} {name}" for name, count in sorted(job.committed_counts.items()))
        outcome.words = f"{counts} from {started.source}"
    return started


def start_sync(pipeline: Pipeline, folder: RunFolder, request: SourceRequest) -> SyncStarted:
    """Starts a sync of the source and follows it to its end. Raises ServiceUnavailable when it fails."""
    with open_source(request, tuple(pipeline.contracts)) as source:
        server = pipeline.sync_server
        point_at(server, source)
        folder.write(REQUEST, request)
        started = SyncStarted(server.start_sync(), source.words, source.datasets)
        folder.write("sync.json", started)
        wait_for(server, started.job_id, SYNC_TIMEOUT_S)
    return started


def point_at(server: SyncServer, source: Source) -> None:
    """Makes the next sync one of this source. Waits for the end of a sync that is under way."""
    if (other := server.running_job_id()) is not None:  # somebody's, or that of a run killed before it noted it
        wait_for_end(server, other, SYNC_TIMEOUT_S)
    server.point_source_at(source.base_url, source.words)
    if source.landing_faults:
        settings = read_settings()
        damage_landing(airbyte_http(settings), settings.airbyte_source_id, source.landing_faults)
    server.select_streams(source.datasets)


def _ends_well(pipeline: Pipeline, started: SyncStarted) -> bool:
    """Whether the sync that an earlier try of this run started has landed everything, now or in a while."""
    try:
        wait_for(pipeline.sync_server, started.job_id, SYNC_TIMEOUT_S)
    except PipelineError:
        return False
    return True


def _gate(pipeline: Pipeline, plan: Plan, progress: Progress) -> None:
    with progress.step("gate") as outcome, pipeline.telemetry.step("gate"):
        results = []
        for shard in plan.shards:
            outcome.tell(shard.shard_id)
            results.append(gate_step(pipeline, plan.run_id, shard.shard_id).result)
        accepted = sum(result.accepted_count for result in results)
        rejected = sum(result.rejected_count for result in results)
        outcome.words, outcome.is_trouble = f"{accepted:,} records accepted, {rejected:,} quarantined", rejected > 0


def _load(pipeline: Pipeline, plan: Plan, progress: Progress) -> None:
    with progress.step("load") as outcome, pipeline.telemetry.step("load"):
        outputs = {}
        for batch in plan.batches:
            outcome.tell(batch.dataset)
            outputs[batch.dataset] = load_step(pipeline, plan.run_id, batch.dataset)
        held = [dataset for dataset, output in outputs.items() if output.verdict is Verdict.NO_GO]
        outcome.words = f"{sum(output.published is not None for output in outputs.values())} datasets published"
        if held:
            outcome.words += f"; held: {', '.join(held)} (the last good version is still served)"
            outcome.is_trouble = True
