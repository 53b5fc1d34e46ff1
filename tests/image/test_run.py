"""A whole run by the image's own steps, one process each, against the local stack."""

from pathlib import Path

import pytest

from local.stack import StackState
from spacex_elt.wiring import open_pipeline
from tests.e2e.harness import environment, request, rows, run_here
from tests.image.conftest import Image

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

_SCHEMAS = ("raw_spacex", "staging_spacex", "pipeline", "analytics", "analytics_staging")


def test_the_steps_of_the_image_take_a_sync_to_the_marts(image: Image, stack: StackState, tmp_path: Path) -> None:
    env_file = stack.state_dir / "stack.env"
    with environment({"SPACEX_ELT_ENV_FILE": str(env_file), "SPACEX_ELT_WORK_DIR": str(tmp_path)}):
        job_id = _sync_and_empty_the_warehouse()
        task = _Task(image, env_file)
        task.step("plan", "--job-id", job_id)
        with open_pipeline("look") as pipeline:
            plan = pipeline.run_folder(task.run_id).plan()
        for shard in plan.shards:
            task.step("gate", "--shard", shard.shard_id)
        for batch in plan.batches:
            task.step("load", "--dataset", batch.dataset)
        task.step("transform")
        task.step("publish")
        assert rows("select count(*) from analytics.fct_launches") == [(60,)]
    assert image.written() == []


class _Task:
    """Runs steps as tasks do: settings from the task definition, the image's own environment, nothing else."""

    run_id = "image-1"

    def __init__(self, image: Image, env_file: Path) -> None:
        pairs = (line.partition("=")[::2] for line in env_file.read_text().splitlines() if "=" in line)
        self._variables = {name: value for name, value in pairs if name != "SPACEX_ELT_WORK_DIR"}
        self._image = image

    def step(self, name: str, *options: str) -> None:
        answer = self._image.run(name, "--run-id", self.run_id, *options, **self._variables)
        assert answer.returncode == 0, f"{name}: {answer.stderr}"


def _sync_and_empty_the_warehouse() -> str:
    """Lands data by a run of its own; what that published goes again. Returns the sync's job."""
    run_here("before", request())
    with open_pipeline("before") as pipeline:
        with pipeline.warehouse() as session:
            for schema in _SCHEMAS:
                session.run(f"drop schema if exists {schema} cascade")
            session.commit()
        return pipeline.run_folder("before").plan().job_id
