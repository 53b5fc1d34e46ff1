"""Owns what is loaded: two datasets in three snapshots, of which the last one has every fate a row can have."""

import copy
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from loader.pipeline import Pipeline
from loader.plan import Request, make_plan
from loader.steps import gate_step
from local.spacex_api.simulator import simulate
from tests.loader.landing import envelope, land, sync_job

DATASETS = ("capsules", "cores")
RUNS = ("first", "second", "third")
_SEED = 11
_HISTORY = 200  # launches that are simulated
_COUNT = 20  # records in a dataset

Record = dict[str, Any]


def prepare(pipeline: Pipeline, run_id: str) -> None:
    """Lands a run's snapshot in two objects per dataset, and takes it through plan and gate."""
    sync_id = RUNS.index(run_id) + 1
    snapshot = _snapshots()[run_id]
    for dataset, records in snapshot.items():
        half = len(records) // 2
        for part, some in enumerate((records[:half], records[half:])):
            land(pipeline.lake, dataset, [envelope(record, sync_id) for record in some], sync_id, part)
    job = sync_job(sync_id, {dataset: len(records) for dataset, records in snapshot.items()})
    planned_at = datetime(2026, 3, 21, tzinfo=UTC)
    plan = make_plan(pipeline.lake, Request(run_id, "a test", job, DATASETS, pipeline.contracts, planned_at))
    pipeline.run_folder(run_id).write("plan.json", plan)
    for shard in plan.shards:
        gate_step(pipeline, run_id, shard.shard_id)


def _snapshots() -> dict[str, dict[str, list[Record]]]:
    history = simulate(_HISTORY, _SEED)
    records = {dataset: history[dataset][:_COUNT] for dataset in DATASETS}
    first = {dataset: some[: _COUNT - 3] for dataset, some in records.items()}
    return {
        "first": first,
        "second": {dataset: [*some[:5], *some[6:]] for dataset, some in first.items()},
        "third": {dataset: _with_every_fate(some) for dataset, some in records.items()},
    }


def _with_every_fate(records: Sequence[Record]) -> list[Record]:
    """Against the second snapshot: 5 is restored, 7 deleted, 3 updated, 9 quarantined and kept, the last are inserted,
    11 and 2 come twice (in one object, and in both).
    """
    made = [copy.deepcopy(record) for record in records]
    made[3]["last_update"] = "Changed since."
    made[9]["reuse_count"] = "five"
    return [*made[:7], *made[8:12], made[11], *made[12:], made[2]]
