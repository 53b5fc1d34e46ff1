"""Kill the run at each step boundary, and before a few of its writes; run again; nothing is lost or doubled.

What is killed within the load is tests/crash's.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from loader.quarantine import read_quarantine
from loader.s3 import S3Store
from loader.store import StoredObject
from observability.run_record import RunRecord
from spacex_elt.progress import Outcome, Progress
from spacex_elt.run import run
from spacex_elt.wiring import open_pipeline
from tests.e2e.harness import MARTS, environment, fates, published_rows, request, rows, run_here, wipe

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

STEPS = ("sync", "plan", "gate", "transform", "publish")
#: One bad core is within its contract's floor: the run goes on without it, so quarantine is not empty.
ASKED = request("sample", "cores/wrong-type:1%", "duplicate-record:2%", launches=40, datasets=MARTS)
RUN_ID = "crash"


class DyingProgress(Progress):
    """Dies, as a container does, right after a step."""

    def __init__(self, last_step: str) -> None:
        super().__init__()
        self._last_step = last_step

    @contextmanager
    def step(self, name: str) -> Iterator[Outcome]:
        with super().step(name) as outcome:
            yield outcome
        if name == self._last_step:
            os.kill(os.getpid(), signal.SIGKILL)


class DyingStore(S3Store):
    """Dies right before one of its writes."""

    def __init__(self, bucket: str, writes_left: int) -> None:
        super().__init__(bucket)
        self._writes_left = writes_left

    def put(self, key: str, body: bytes, content_type: str) -> StoredObject:
        if self._writes_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._writes_left -= 1
        return super().put(key, body, content_type)

    def put_file(self, key: str, path: Path, content_type: str) -> StoredObject:
        if self._writes_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._writes_left -= 1
        return super().put_file(key, path, content_type)


def die_after_step(variables: dict[str, str], step: str) -> None:
    with environment(variables):
        run_here(RUN_ID, ASKED, DyingProgress(step))


def die_before_write(variables: dict[str, str], write: int, done: "Connection[Any, Any]") -> None:
    with environment(variables), open_pipeline(RUN_ID) as pipeline:
        dying = replace(pipeline, lake=DyingStore(pipeline.lake.bucket, write))
        run(dying, RUN_ID, ASKED, Progress())
        done.send("survived")


@dataclass(frozen=True)
class State:
    """Everything that a run leaves for others, with nothing of when it was made."""

    fates: dict[str, tuple[int | None, ...]]
    tables: dict[str, list[tuple[Any, ...]]]
    ledger: list[tuple[Any, ...]]
    quarantine: list[tuple[Any, ...]]
    flights: list[tuple[Any, ...]]
    staging_left: list[tuple[Any, ...]]


def state_after(record: RunRecord) -> State:
    with open_pipeline("look") as pipeline:
        quarantine = [
            (each.dataset, each.key, [violation.rule_id for violation in each.violations])
            for dataset in pipeline.contracts
            for each in read_quarantine(pipeline.lake, dataset)
        ]
    return State(
        fates=fates(record),
        tables={dataset.dataset: published_rows(dataset.dataset) for dataset in record.datasets},
        ledger=rows("select dataset, run_id, staged_count, inserted_count from pipeline.load_ledger order by dataset"),
        quarantine=quarantine,
        flights=rows("select launch_id, core_id from analytics.fct_core_flights order by 1, 2"),
        staging_left=rows("select table_name from information_schema.tables where table_schema = 'staging_spacex'"),
    )


@pytest.fixture(scope="module")
def undisturbed(fresh: None) -> State:
    state = state_after(run_here(RUN_ID, ASKED))
    assert len(state.quarantine) == 1
    assert len(state.flights) > 10
    return state


@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_after_a_step_ends_as_if_undisturbed(
    step: str,
    undisturbed: State,
    processes: ForkServerContext,
    stack_environment: dict[str, str],
) -> None:
    with open_pipeline("wipe") as pipeline:
        wipe(pipeline)
    child = processes.Process(target=die_after_step, args=(stack_environment, step))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL

    assert state_after(run_here(RUN_ID, ASKED)) == undisturbed


@pytest.mark.parametrize("write", [1, 16])
def test_a_run_killed_before_a_write_ends_as_if_undisturbed(
    write: int,
    undisturbed: State,
    processes: ForkServerContext,
    stack_environment: dict[str, str],
) -> None:
    with open_pipeline("wipe") as pipeline:
        wipe(pipeline)
    ours, theirs = processes.Pipe()
    child = processes.Process(target=die_before_write, args=(stack_environment, write, theirs))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL, "the run has fewer writes than this test thinks"
    ours.close()

    assert state_after(run_here(RUN_ID, ASKED)) == undisturbed
