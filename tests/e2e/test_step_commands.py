"""The steps as a scheduler calls them: a process each, work in packs, the last line read, the exit code obeyed."""

import json
import subprocess
from typing import Any

import pytest

from spacex_elt.run import start_sync
from spacex_elt.wiring import open_pipeline
from tests.e2e.harness import published_rows, request
from tests.spacex_elt.program import start

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

DATASETS = ("cores", "launches", "rockets")


def sync(run_id: str, *faults: str) -> str:
    """Lands a sample and returns the job's id."""
    with open_pipeline(run_id) as pipeline:
        asked = request("sample", *faults, launches=30, datasets=DATASETS)
        return start_sync(pipeline, pipeline.run_folder(run_id), asked).job_id


def step(variables: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """One step; its streams are one, as in a container's log."""
    done = start(*words, env=variables, stderr=subprocess.STDOUT)
    assert "Traceback" not in done.stdout
    return done


def last_line(done: "subprocess.CompletedProcess[str]") -> Any:
    """What a scheduler reads of a step that succeeded."""
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout.splitlines()[-1])


def several(option: str, names: list[str]) -> list[str]:
    return [word for name in names for word in (option, name)]


def test_a_run_of_steps_ends_as_its_worst_dataset_does_and_loads_the_others(
    fresh: None, stack_environment: dict[str, str]
) -> None:
    job_id = sync("steps-1", "launches/null-required:60%")
    run = ("--run-id", "steps-1")

    planned = last_line(step(stack_environment, "plan", *run, "--job-id", job_id))
    (container,) = planned["containers"]
    assert container == {"shards": ["cores-0", "launches-0", "rockets-0"], "datasets": list(DATASETS)}

    gated = last_line(step(stack_environment, "gate", *run, *several("--shard", container["shards"])))
    assert [each["shard"] for each in gated["shards"]] == container["shards"]

    loaded = step(stack_environment, "load", *run, *several("--dataset", ["launches", "cores"]))
    told = json.loads(next(line for line in loaded.stdout.splitlines() if line.startswith("{")))
    assert [(each["dataset"], each["verdict"]) for each in told["datasets"]] == [("launches", "no-go"), ("cores", "go")]
    assert loaded.returncode == 11
    assert "still serves the last good version of launches." in loaded.stdout
    assert published_rows("cores")
    assert published_rows("launches") == []

    # rockets was not loaded and dbt did not run: what cannot be verified is worse than a closed gate
    unfinished = step(stack_environment, "publish", *run)
    assert unfinished.returncode == 13
    assert "extracted rockets and did not load" in unfinished.stdout
    assert '"not_loaded":["rockets"]' in unfinished.stdout

    last_line(step(stack_environment, "load", *run, "--dataset", "rockets"))
    last_line(step(stack_environment, "transform", *run))
    done = step(stack_environment, "publish", *run)
    assert done.returncode == 11
    assert "launches held" in done.stdout


def test_a_forced_run_loads_a_published_batch_again_and_only_as_it_was_planned(
    fresh: None, stack_environment: dict[str, str]
) -> None:
    job_id = sync("steps-2")

    def load_rockets(run_id: str, *how: str) -> Any:
        run = ("--run-id", run_id)
        last_line(step(stack_environment, "plan", *run, "--job-id", job_id, *how))
        last_line(step(stack_environment, "gate", *run, "--shard", "rockets-0"))
        (rockets,) = last_line(step(stack_environment, "load", *run, "--dataset", "rockets"))["datasets"]
        return rockets

    assert not load_rockets("steps-2")["was_already_published"]
    assert load_rockets("steps-3")["was_already_published"]
    forced = load_rockets("steps-4", "--force")
    assert (forced["was_already_published"], forced["published"]["inserted"]) == (False, 0)

    refused = step(stack_environment, "plan", "--run-id", "steps-4", "--job-id", job_id)
    assert (refused.returncode, "is planned with --force" in refused.stdout) == (2, True)
    with open_pipeline("steps-4") as pipeline:
        assert pipeline.run_folder("steps-4").plan().source == pipeline.sync_server.source_name()


def test_a_transform_of_a_run_that_was_never_planned_is_refused(fresh: None, stack_environment: dict[str, str]) -> None:
    done = step(stack_environment, "transform", "--run-id", "never-planned")
    assert done.returncode == 2
    assert "run never-planned has no plan" in done.stdout
