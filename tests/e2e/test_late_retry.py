"""A run that was cut off and is taken up after a newer one must not bring the older snapshot back."""

import pytest

from loader.steps import gate_step, load_step, plan_step
from spacex_elt.run import start_sync
from spacex_elt.wiring import open_pipeline
from tests.e2e.harness import published_rows, request, run_here

pytestmark = [pytest.mark.stack]


def test_a_late_retry_leaves_the_newer_snapshot_alone(fresh: None) -> None:
    with open_pipeline("older") as pipeline:
        started = start_sync(pipeline, pipeline.run_folder("older"), request(launches=20, datasets=("cores",)))
        plan = plan_step(pipeline, "older", started.job_id, started.source, started.datasets)
        for shard in plan.shards:
            gate_step(pipeline, "older", shard.shard_id)

    run_here("newer", request(launches=30, datasets=("cores",)))
    newer = published_rows("cores")

    with open_pipeline("older") as pipeline:
        output = load_step(pipeline, "older", "cores")
    assert (output.superseded_by, output.published) == ("newer", None)
    assert published_rows("cores") == newer
