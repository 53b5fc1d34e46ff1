"""Two transforms of one warehouse at once: dbt's temporary names are the same in both, so one waits for the other."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from loader.steps import gate_step, load_step, plan_step
from spacex_elt.run import start_sync
from spacex_elt.wiring import open_pipeline
from tests.e2e.harness import MARTS, request
from tests.spacex_elt.program import start

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def test_two_transforms_at_once_both_go(fresh: None, stack_environment: dict[str, str]) -> None:
    with open_pipeline("first") as pipeline:
        started = start_sync(pipeline, pipeline.run_folder("first"), request(launches=30, datasets=MARTS))
        plan = plan_step(pipeline, "first", started.job_id, started.source, started.datasets)
        for shard in plan.shards:
            gate_step(pipeline, "first", shard.shard_id)
        for batch in plan.batches:
            load_step(pipeline, "first", batch.dataset)
    with open_pipeline("second") as pipeline:
        plan_step(pipeline, "second", started.job_id, started.source, started.datasets)

    with ThreadPoolExecutor(max_workers=2) as pool:
        transforms = [
            pool.submit(start, "transform", "--run-id", run_id, env=stack_environment) for run_id in ("first", "second")
        ]
        ended = [each.result() for each in transforms]

    assert [(done.returncode, done.stderr) for done in ended] == [(0, "")] * 2
    assert ['"verdict":"go"' in done.stdout for done in ended] == [True, True]
