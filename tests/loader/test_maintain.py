"""Maintaining on the stack: what is too old goes, what somebody refers to stays, and a rerun finds nothing left."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from contracts.errors import ServiceUnavailable, UsageError
from contracts.model import Contract
from loader.batch import Plan
from loader.decisions import State, Triage
from loader.maintain import Maintenance, Retention, keep_up, look_step, maintain_step
from loader.plan import Request, make_plan
from loader.publish import publish_step
from loader.queue import Wanted, triage
from loader.steps import gate_step, load_step
from loader.store import ObjectStore
from loader.warehouse import StatementRefused
from observability.run_record import RunRecord
from spacex_elt.settings import read_settings
from spacex_elt.wiring import open_pipeline
from tests.e2e.harness import environment, wipe
from tests.loader.landing import DAY_S, EPOCH_MS, compressed, envelope, sync_job
from tests.loader.rig import Rig, thing, things

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

KEPT = Retention(quarantine_days=90, lake_days=400)
FOLDERS = ("quarantine", "decisions", "landing", "digests", "accepted", "manifests", "replays", "runs")
NOTHING = dict.fromkeys(FOLDERS, 0)


@dataclass
class Scene:
    """A lake with a dataset's runs in it, looked at so many days later: the store's own clock cannot be set."""

    rig: Rig
    pipeline: Any

    @property
    def dataset(self) -> str:
        return self.rig.contract.dataset

    def later(self, days: float) -> Any:
        now = self.pipeline.now() + timedelta(days=days)
        return replace(self.pipeline, now=lambda: now)

    def land(self, run_id: str, day: int, *texts: Any) -> Plan:
        """Lands a snapshot, one row a text, and plans it."""
        lines = [envelope(thing(f"k{number}", text=text), day) for number, text in enumerate(texts)]
        key = f"landing/{self.dataset}/2026_03_21_{EPOCH_MS + day * DAY_S * 1000}_0.jsonl.gz"
        self.pipeline.lake.put(key, compressed(lines), "application/gzip")
        job = sync_job(day, {self.dataset: len(texts)})
        known = {self.dataset: self.rig.contract}
        request = Request(run_id, "a test", job, (self.dataset,), known, self.pipeline.now())
        plan = make_plan(self.pipeline.lake, request)
        self.pipeline.run_folder(run_id).write("plan.json", plan)
        return plan

    def run(self, run_id: str, day: int, *texts: Any) -> RunRecord:
        """A whole run; a text that is no text goes to quarantine."""
        for shard in self.land(run_id, day, *texts).shards:
            gate_step(self.pipeline, run_id, shard.shard_id)
        load_step(self.pipeline, run_id, self.dataset)
        return publish_step(self.pipeline, run_id)

    def leave_staging(self, record: RunRecord) -> None:
        """What a batch that the load gate held leaves behind."""
        with self.rig.session() as session:
            session.run(
                f"create table staging_spacex.{self.dataset}__{record.datasets[0].batch_id}__0a1b2c3d (id integer)"
            )
            session.commit()

    def maintain(self, days: float) -> Maintenance:
        return maintain_step(self.later(days), "upkeep", KEPT)

    def lying(self, folder: str = "") -> list[str]:
        return [stored.key for stored in self.pipeline.lake.list(folder)]


@pytest.fixture
def scene(new_rig: Callable[[Contract], Rig]) -> Iterator[Scene]:
    contract = things(f"maintained_{uuid4().hex[:8]}")
    with open_pipeline("maintenance") as pipeline:
        wipe(pipeline)
        yield Scene(new_rig(contract), replace(pipeline, contracts={contract.dataset: contract}))


def test_young_things_stay_and_the_tables_are_kept_up(scene: Scene) -> None:
    scene.run("run-1", 1, "a", 5)
    before = scene.lying()

    done = scene.maintain(89)

    assert done == Maintenance(NOTHING, in_use=0, staging_dropped=0, vacuumed=2, analyzed=2)
    assert scene.lying() == sorted([*before, "runs/upkeep/maintain.json"])


def test_quarantine_goes_first_and_the_rest_of_the_lake_stays(scene: Scene) -> None:
    scene.run("run-1", 1, "a", 5)
    assert len(scene.lying("quarantine/")) == 1
    others = [key for key in scene.lying() if not key.startswith("quarantine/")]

    assert scene.maintain(91).deleted == {**NOTHING, "quarantine": 1}
    assert scene.lying("quarantine/") == []
    assert set(others) <= set(scene.lying())


def test_what_was_decided_about_records_outlives_them(scene: Scene) -> None:
    scene.run("run-1", 1, "a", 5)
    word = Triage(State.DISCARDED, "ana", "of no use", scene.pipeline.now(), ())
    triage(scene.pipeline.lake, scene.dataset, Wanted(), word)

    assert scene.maintain(91).deleted == {**NOTHING, "quarantine": 1}
    assert len(scene.lying("decisions/")) == 1
    keeps_records_longer = Retention(quarantine_days=500, lake_days=400)
    assert maintain_step(scene.later(450), "upkeep", keeps_records_longer).deleted["decisions"] == 0
    assert scene.maintain(401).deleted["decisions"] == 1
    assert scene.lying("decisions/") == []


def test_what_a_published_snapshot_came_from_stays_for_ever_and_what_came_before_goes(scene: Scene) -> None:
    scene.run("run-1", 1, "a", 5)
    older = {folder: scene.lying(f"{folder}/") for folder in NOTHING}
    assert all(older[folder] for folder in ("quarantine", "landing", "accepted", "manifests", "runs"))
    scene.run("run-2", 2, "b", 6)
    newer = {folder: sorted({*scene.lying(f"{folder}/")} - {*older[folder]}) for folder in NOTHING}
    history = [*scene.lying("records/"), *scene.lying("incidents/")]
    scene.pipeline.lake.put("replays/x/0123/a.jsonl.gz", b"", "application/gzip")
    rows = scene.rig.everything()

    done = scene.maintain(401)

    counts = {folder: len(older[folder]) for folder in NOTHING}
    counts |= {"quarantine": len(older["quarantine"] + newer["quarantine"]), "replays": 1}
    assert done.deleted == counts
    assert done.in_use == sum(len(newer[folder]) for folder in ("landing", "accepted", "manifests", "runs"))
    assert {key for key in scene.lying() if key not in history} == {
        *(key for folder in ("landing", "accepted", "manifests", "runs") for key in newer[folder]),
        "runs/upkeep/maintain.json",
    }
    assert len(history) == 2
    assert set(history) <= set(scene.lying())
    assert scene.rig.everything() == rows


def test_a_rerun_finds_nothing_left(scene: Scene) -> None:
    scene.run("run-1", 1, "a", 5)
    assert scene.maintain(91).deleted["quarantine"] == 1
    assert scene.maintain(91).deleted == NOTHING


def test_a_dry_run_counts_the_same_and_does_nothing(scene: Scene) -> None:
    scene.leave_staging(scene.run("run-1", 1, "a", 5))
    scene.run("run-2", 2, "b")
    before = scene.lying()

    told = look_step(scene.later(401), KEPT)

    assert scene.lying() == before
    assert len(scene.rig.staging_tables()) == 1
    assert told == scene.maintain(401)
    assert (sum(told.deleted.values()) > 5, told.staging_dropped) == (True, 1)


def test_staging_of_a_held_batch_goes_when_its_run_is_long_over(scene: Scene) -> None:
    scene.leave_staging(scene.run("run-1", 1, "a"))
    with scene.rig.session() as session:
        session.run("create table staging_spacex.no_run_names__0123456789abcdef (id integer)")
        session.run("create table staging_spacex.somebodys (id integer)")
        session.commit()

    assert scene.maintain(89).staging_dropped == 0
    assert len(scene.rig.staging_tables()) == 1
    assert scene.maintain(91).staging_dropped == 1
    assert scene.rig.staging_tables() == []
    left = scene.rig.rows("select count(*) from information_schema.tables where table_schema = 'staging_spacex'")
    assert left == [(2,)]


def test_what_a_run_under_way_works_on_stays(scene: Scene) -> None:
    record = scene.run("run-1", 1, "a")
    scene.run("run-2", 2, "b")
    scene.leave_staging(record)
    (landed,) = scene.land("backfill", 1, "a").batches[0].objects  # a late retry of the first snapshot

    done = maintain_step(scene.later(399), "upkeep", KEPT)
    assert (done.deleted, done.staging_dropped) == (NOTHING, 0)
    assert landed.key in scene.lying("landing/")

    done = maintain_step(scene.later(401), "upkeep", KEPT)  # given up long ago
    assert done.staging_dropped == 1
    assert landed.key not in scene.lying("landing/")


class Died(BaseException):
    """The process is gone."""


def test_killed_between_two_deletions_the_next_does_the_rest(scene: Scene) -> None:
    scene.run("run-1", 1, "a", 5)
    scene.run("run-2", 2, "b", 6)
    told = look_step(scene.later(401), KEPT)

    class Dying:
        """Dies right before its third deletion."""

        def __init__(self, store: ObjectStore) -> None:
            self._store = store
            self.deletions = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        def delete(self, key: str) -> None:
            self.deletions += 1
            if self.deletions > 2:
                raise Died
            self._store.delete(key)

    with pytest.raises(Died):
        maintain_step(replace(scene.later(401), lake=Dying(scene.pipeline.lake)), "upkeep", KEPT)
    rest = scene.maintain(401)
    assert sum(rest.deleted.values()) == sum(told.deleted.values()) - 2
    assert sum(look_step(scene.later(399), KEPT).deleted.values()) == 0
    assert (len(scene.lying("landing/")), scene.lying("quarantine/")) == (1, [])


@pytest.mark.parametrize("name", ["SPACEX_ELT_QUARANTINE_RETENTION_DAYS", "SPACEX_ELT_LAKE_RETENTION_DAYS"])
@pytest.mark.parametrize("value", ["0", "-1", "never"])
def test_a_retention_below_a_day_is_refused(on_stack: Any, tmp_path: Path, name: str, value: str) -> None:
    told = tmp_path / "settings.env"  # wins over the environment, in which the stack's own settings are
    told.write_text(f"{name}={value}\n")
    with environment({"SPACEX_ELT_ENV_FILE": str(told)}), pytest.raises(UsageError, match=name):
        read_settings()


@dataclass
class Refusing:
    """A warehouse session that refuses whatever stands in no transaction."""

    message: str

    def run_outside(self, sql: str) -> None:
        raise StatementRefused("XX000", self.message)


@pytest.mark.parametrize(
    ("message", "kind"), [("VACUUM is running", ServiceUnavailable), ("only the owner can vacuum", UsageError)]
)
def test_a_refused_vacuum_is_told_as_what_it_is(message: str, kind: type[Exception]) -> None:
    refusing: Any = Refusing(message)
    with pytest.raises(kind, match=message):
        keep_up(refusing, "raw_spacex.cores")
