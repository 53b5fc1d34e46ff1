"""Owns running the product against the test session's stack: in this process, or in one that may be killed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loader.pipeline import Pipeline
from loader.warehouse import connect
from observability.run_record import RunRecord
from spacex_elt.progress import Progress
from spacex_elt.run import run
from spacex_elt.secrets import read_warehouse_address
from spacex_elt.settings import read_settings
from spacex_elt.sources import SourceRequest
from spacex_elt.wiring import open_pipeline

RECORDINGS = Path(__file__).resolve().parents[2].parent / "shared" / "spacex"

#: What the marts are built from: enough for a test of which the number of datasets is no part.
MARTS = ("cores", "launches", "launchpads", "payloads", "rockets")

#: Columns that say when and by which sync a row came, not what it says.
_TRACES = {"_airbyte_raw_id", "_airbyte_extracted_at_ms", "_airbyte_generation_id"}
_TRACES |= {"_batch_id", "_run_id", "_loaded_at", "_deleted_at"}


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """The process's environment with some variables set, and as it was afterwards."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def request(source: str = "sample", *faults: str, launches: int = 60, datasets: tuple[str, ...] = ()) -> SourceRequest:
    """What a run is asked for."""
    return SourceRequest(source, launches, 42, faults, datasets)


def run_here(run_id: str, asked: SourceRequest, progress: Progress | None = None) -> RunRecord:
    """One whole run in this process."""
    with open_pipeline(run_id) as pipeline:
        return run(pipeline, run_id, asked, progress or Progress())


def rows(sql: str) -> list[tuple[Any, ...]]:
    """A query's rows from the warehouse."""
    with connect(read_warehouse_address(read_settings().warehouse_secret_id)) as session:
        return session.rows(sql)


def wipe(pipeline: Pipeline) -> None:
    """Empties lake and warehouse, so that a test starts as on the first day."""
    for stored in list(pipeline.lake.list("")):
        pipeline.lake.delete(stored.key)
    with pipeline.warehouse() as session:
        for schema in ("raw_spacex", "staging_spacex", "pipeline", "analytics", "analytics_staging"):
            session.run(f"drop schema if exists {schema} cascade")
        session.commit()


def published_rows(dataset: str) -> list[tuple[Any, ...]]:
    """What readers see of a dataset, with nothing of when it came."""
    with connect(read_warehouse_address(read_settings().warehouse_secret_id)) as session:
        names, found = session.table(f"select * from raw_spacex.{dataset} where _deleted_at is null order by id")
    chosen = [index for index, name in enumerate(names) if name not in _TRACES]
    return [tuple(row[index] for index in chosen) for row in found]


def fates(record: RunRecord) -> dict[str, tuple[int | None, ...]]:
    """Per dataset: extracted, accepted, quarantined, duplicate, inserted, updated, unchanged, deleted."""
    return {
        each.dataset: (
            each.extracted,
            each.accepted,
            each.quarantined,
            each.duplicate,
            each.inserted,
            each.updated,
            each.unchanged,
            each.deleted,
        )
        for each in record.datasets
    }
