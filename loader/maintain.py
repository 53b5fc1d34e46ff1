"""Owns the maintain step: what is too old goes from lake and staging, and the tables are kept up.

What a snapshot in the warehouse came from is never too old; records and incidents are history and stay. Retention
itself is a setting (spacex_elt/settings.py).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.errors import ServiceUnavailable, UsageError
from loader import layout, publication
from loader.batch import Plan
from loader.incidents import keep_incidents, steps_done
from loader.load import prepare_warehouse
from loader.manifest import manifest_entries
from loader.pipeline import Pipeline
from loader.run_folder import RunFolder, finished_runs
from loader.store import ObjectStore
from loader.warehouse import Session, StatementRefused
from observability.incidents import MAINTENANCE

_QUARANTINE = "quarantine"
_DECISIONS = "decisions"
#: Folders of the lake that a retention empties. What is in no list here, above all records and incidents, stays.
_LAKE = ("landing", "digests", "accepted", "manifests", "replays", "runs")
_OTHER_VACUUM = re.compile(r"vacuum is running", re.I)
_STAGING = re.compile(r"(?P<dataset>[a-z_0-9]+)__(?P<batch_id>[0-9a-f]{16})(__[0-9a-f]{8})?")


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days things are kept, at least one each."""

    quarantine_days: int
    lake_days: int


@dataclass(frozen=True, slots=True)
class Maintenance:
    """What maintaining did, or would do."""

    deleted: Mapping[str, int]  # objects by folder of the lake
    in_use: int  # objects that are old enough and stay: a published snapshot or a run under way refers to them
    staging_dropped: int  # tables
    vacuumed: int  # tables
    analyzed: int  # tables


@dataclass(frozen=True, slots=True)
class _InUse:
    """What must stay however old it is: objects by key, whole run folders, batches with their staging tables."""

    keys: frozenset[str]
    prefixes: tuple[str, ...]
    batches: frozenset[tuple[str, str]]  # dataset, batch id

    def __contains__(self, key: str) -> bool:
        return key in self.keys or key.startswith(self.prefixes)


def maintain_step(pipeline: Pipeline, run_id: str, retention: Retention) -> Maintenance:
    """Deletes, drops and keeps up. Killed anywhere, the next run does the rest; twice finds nothing left to delete."""
    with pipeline.telemetry.step("maintain"), pipeline.warehouse() as session:
        session.work_as("maintain")
        found = _look(pipeline, session, retention)
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(pipeline.lake.delete, found.old_keys))
        for table in found.old_tables:
            session.run(f"drop table if exists {table}")
            session.commit()
        for table in found.kept_up:
            keep_up(session, table)
        done = found.told()
        pipeline.run_folder(run_id).write("maintain.json", done)
        keep_incidents(pipeline, steps_done(pipeline, MAINTENANCE, ["maintain"]), run_id, pipeline.now())
        return done


def look_step(pipeline: Pipeline, retention: Retention) -> Maintenance:
    """What maintaining would do now. Changes nothing."""
    with pipeline.warehouse() as session:
        return _look(pipeline, session, retention).told()


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is to do."""

    old_keys: tuple[str, ...]
    in_use_count: int
    old_tables: tuple[str, ...]
    kept_up: tuple[str, ...]

    def told(self) -> Maintenance:
        by_folder = Counter(key.split("/", 1)[0] for key in self.old_keys)
        deleted = {folder: by_folder[folder] for folder in (_QUARANTINE, _DECISIONS, *_LAKE)}
        return Maintenance(deleted, self.in_use_count, len(self.old_tables), len(self.kept_up), len(self.kept_up))


def _look(pipeline: Pipeline, session: Session, retention: Retention) -> _Found:
    now, store = pipeline.now(), pipeline.lake
    quarantine_end = now - timedelta(days=retention.quarantine_days)
    lake_end = now - timedelta(days=retention.lake_days)
    prepare_warehouse(session, pipeline.contracts)
    in_use = _in_use(store, session, lake_end)
    old = list(_written_before(store, _QUARANTINE, quarantine_end))
    # What was decided is kept like the rest of the lake, and never for less than the records that it is about.
    old += _written_before(store, _DECISIONS, min(quarantine_end, lake_end))
    old += [key for folder in _LAKE for key in _written_before(store, folder, lake_end)]
    return _Found(
        old_keys=tuple(key for key in old if key not in in_use),
        in_use_count=sum(key in in_use for key in old),
        old_tables=tuple(_old_tables(store, session, in_use, quarantine_end)),
        kept_up=(*map(publication.raw_table, pipeline.contracts.values()), publication.LEDGER),
    )


def _written_before(store: ObjectStore, folder: str, end: datetime) -> Iterator[str]:
    for stored in store.list(f"{folder}/"):
        if stored.written_at is not None and stored.written_at < end:
            yield stored.key


def _in_use(store: ObjectStore, session: Session, planned_after: datetime) -> _InUse:
    keys: set[str] = set()
    published: set[str] = set()
    for dataset, batch_id, run_id in session.rows(publication.find_newest()):
        keys.update(manifest_entries(store, dataset, batch_id))
        keys.update((layout.manifest_key(dataset, batch_id), layout.jsonpaths_key(dataset, batch_id)))
        published.add(run_id)
    session.commit()
    under_way = _runs_under_way(store, planned_after)
    batches: set[tuple[str, str]] = set()
    for run_id in published | under_way:
        plan = RunFolder(store, run_id).find(Plan, "plan.json")
        for batch in plan.batches if plan else ():
            keys.update(landed.key for landed in batch.objects)
            if run_id in under_way:
                batches.add((batch.dataset, batch.batch_id))
    return _InUse(frozenset(keys), tuple(map(layout.run_prefix, published | under_way)), frozenset(batches))


def _runs_under_way(store: ObjectStore, planned_after: datetime) -> set[str]:
    """The runs that have a plan and no record. One planned before that instant was given up."""
    finished = {layout.run_of_record(stored.key) for stored in store.list(layout.RECORDS)}
    return {
        stored.key.split("/")[1]
        for stored in store.list(layout.RUNS)
        if layout.file_name(stored.key) == "plan.json" and stored.written_at and stored.written_at >= planned_after
    } - finished


def _old_tables(store: ObjectStore, session: Session, in_use: _InUse, end: datetime) -> Iterator[str]:
    """The staging tables of batches that no run has taken up since `end`. What no record names is left alone."""
    names = [str(name) for (name,) in session.rows(publication.staging_tables())]
    session.commit()
    matches = {name: match for name in names if (match := _STAGING.fullmatch(name))}
    there = {name: (match["dataset"], match["batch_id"]) for name, match in matches.items()}
    if not there:
        return
    last_seen: dict[tuple[str, str], datetime] = {}
    for run in finished_runs(store):  # newest first
        for record in run.datasets:
            last_seen.setdefault((record.dataset, record.batch_id), run.finished_at)
    for name, batch in sorted(there.items()):
        if batch not in in_use.batches and batch in last_seen and last_seen[batch] < end:
            yield f"{publication.STAGING_SCHEMA}.{name}"


def keep_up(session: Session, table: str) -> None:
    """Gives room back and counts anew, for the planner. Neither may stand in a transaction with anything else."""
    try:
        session.run_outside(f"vacuum {table}")
        session.run_outside(f"analyze {table}")
    except StatementRefused as exc:
        if _OTHER_VACUUM.search(str(exc)):  # Redshift runs one at a time
            raise ServiceUnavailable(f"{table} was not vacuumed: {exc}. Run the step again.") from exc
        raise UsageError(
            f"the warehouse refused to keep up {table} ({exc.sqlstate}): {exc}. Expected a user who owns the table."
        ) from exc
