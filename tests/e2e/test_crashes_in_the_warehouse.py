"""Kill the loader before a statement of a load that inserts, updates, deletes and keeps; run it again."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from multiprocessing.context import ForkServerContext
from typing import Any

import pytest

from loader.load import LoadOutput
from loader.pipeline import Pipeline
from loader.steps import gate_step, load_step, plan_step
from loader.warehouse import Session
from spacex_elt.run import start_sync
from spacex_elt.sources import SourceRequest
from spacex_elt.wiring import open_pipeline
from tests.e2e.harness import environment, published_rows, request, rows, wipe

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

DATASETS = ("cores", "launches")
#: The second snapshot is of another size: launches and cores come, go and change, and one launch is set aside.
FIRST = request(launches=60, datasets=DATASETS)
SECOND = request("sample", "wrong-type:1%", launches=59, datasets=DATASETS)


class DyingSession(Session):
    """Dies right before the statement that starts with some words, as often as it may pass before."""

    words = ""
    passes_left = 0

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        if sql.lstrip().startswith(self.words):
            if type(self).passes_left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            type(self).passes_left -= 1
        return super().run(sql, parameters)


class DyingPipeline(Pipeline):
    """A pipeline whose loader dies."""

    @contextmanager
    def warehouse(self) -> Iterator[Session]:
        with super().warehouse() as session:
            session.__class__ = DyingSession
            yield session


def prepare(pipeline: Pipeline, run_id: str, asked: SourceRequest) -> None:
    """Everything before the load step."""
    started = start_sync(pipeline, pipeline.run_folder(run_id), asked)
    plan = plan_step(pipeline, run_id, started.job_id, started.source, started.datasets)
    for shard in plan.shards:
        gate_step(pipeline, run_id, shard.shard_id)


def load(pipeline: Pipeline, run_id: str) -> list[LoadOutput]:
    return [load_step(pipeline, run_id, dataset) for dataset in DATASETS]


def load_and_die(variables: dict[str, str], words: str, passes: int) -> None:
    with environment(variables), open_pipeline("second") as pipeline:
        DyingSession.words, DyingSession.passes_left = words, passes
        load(DyingPipeline(**{each.name: getattr(pipeline, each.name) for each in fields(pipeline)}), "second")


def state_after(outputs: list[LoadOutput]) -> list[Any]:
    """What readers and later runs see, with nothing of when it was made."""
    counts = "staged_count, inserted_count, updated_count, unchanged_count, deleted_count, kept_count, live_count"
    counts += ", restored_count"
    return [
        [output.published for output in outputs],
        [published_rows(dataset) for dataset in DATASETS],
        rows(f"select dataset, run_id, {counts} from pipeline.load_ledger order by 1, 2"),
        [rows(f"select id from raw_spacex.{dataset} where _deleted_at is not null order by 1") for dataset in DATASETS],
        rows("select table_name from information_schema.tables where table_schema = 'staging_spacex'"),
    ]


def start_again(pipeline: Pipeline) -> None:
    """An empty stack with the first snapshot loaded and the second one ready to load."""
    wipe(pipeline)
    prepare(pipeline, "first", FIRST)
    load(pipeline, "first")
    prepare(pipeline, "second", SECOND)


@pytest.fixture(scope="module")
def undisturbed(fresh: None) -> list[Any]:
    with open_pipeline("crash") as pipeline:
        start_again(pipeline)
        outputs = load(pipeline, "second")
    published = [output.published for output in outputs]
    for fate in ("inserted", "updated", "unchanged", "deleted", "kept"):
        assert sum(getattr(counts, fate) for counts in published if counts) > 0, f"nothing is {fate}: a weaker test"
    return state_after(outputs)


@pytest.mark.parametrize(
    ("words", "passes"),
    [
        ("copy ", 0),
        ("update staging_spacex", 1),
        ("lock table", 1),
        ("update raw_spacex", 1),
        ("delete from raw_spacex", 0),
        ("insert into raw_spacex", 1),
        ("insert into pipeline", 0),
        ("drop table if exists staging_spacex", 1),
    ],
)
def test_a_load_killed_before_a_statement_ends_as_if_undisturbed(
    words: str,
    passes: int,
    undisturbed: list[Any],
    processes: ForkServerContext,
    stack_environment: dict[str, str],
) -> None:
    with open_pipeline("crash") as pipeline:
        start_again(pipeline)
    child = processes.Process(target=load_and_die, args=(stack_environment, words, passes))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL, "the load has fewer such statements than this test thinks"

    with open_pipeline("second") as pipeline:
        assert state_after(load(pipeline, "second")) == undisturbed
