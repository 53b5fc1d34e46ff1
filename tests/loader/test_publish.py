"""The publish step on fakes: what a run comes to, who hears of it, and how often."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import GateClosed, RowsDoNotReconcile, ServiceUnavailable, TransformFailed
from contracts.model import Severity
from contracts.read import FOLDER, read_contracts
from loader.batch import Batch, LandedObject, Plan, Shard
from loader.gate import GateOutput
from loader.load import LoadOutput, PublishedCounts
from loader.pipeline import Pipeline
from loader.publish import publish_step, refuse_bad_end, refuse_imbalance
from loader.run_folder import RunFolder, gate_name, load_name, read_incidents, recent_runs
from loader.store import StoredObject
from observability.alerts import Announcement
from observability.incidents import IncidentState
from observability.run_record import RunRecord, TransformRecord
from observability.telemetry import start
from tests.loader.memory_store import MemoryStore
from tests.loader.test_airbyte import Stepping
from tests.observability.hand_made import raw_gate, transform_record
from validation.results import CheckResult, LoadGateResult, Verdict

BEGAN = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
CONTRACTS = read_contracts(FOLDER)
CORES, ROCKETS = "cores", "rockets"


@dataclass
class RecordingAlerts:
    """Keeps what was sent; refuses to send while `is_broken`."""

    sent: list[Announcement] = field(default_factory=list)
    is_broken: bool = False

    def send(self, announcement: Announcement) -> None:
        if self.is_broken:
            raise ServiceUnavailable("SNS did not answer")
        self.sent.append(announcement)

    @property
    def subjects(self) -> list[str]:
        return [announcement.subject for announcement in self.sent]


@dataclass
class Stage:
    """A lake, a docs bucket and people who listen; each run gets a pipeline of its own."""

    folder: Path
    lake: MemoryStore = field(default_factory=lambda: MemoryStore("lake"))
    docs: MemoryStore = field(default_factory=lambda: MemoryStore("docs"))
    alerts: RecordingAlerts = field(default_factory=RecordingAlerts)
    day: int = 0

    def tell(self, run_id: str, *outputs: LoadOutput, transform: TransformRecord | None = None, lines: int = 5) -> None:
        """Writes what the steps before publishing say of a run; one dataset per output, each with `lines` landed."""
        self.day += 1
        batches = tuple(_batch(output.raw_gate.dataset, lines) for output in outputs)
        shards = tuple(Shard(f"{b.dataset}-0", b.dataset, b.batch_id, b.objects) for b in batches)
        run = RunFolder(self.lake, run_id)
        run.write("plan.json", Plan(run_id, "a test", "1", BEGAN + timedelta(days=self.day), batches, shards))
        for output in outputs:
            run.write(load_name(output.raw_gate.dataset), output)
        if transform is not None:
            run.write("transform.json", transform)

    def publish(self, run_id: str) -> RunRecord:
        telemetry_dir = self.folder / run_id
        telemetry_dir.mkdir(exist_ok=True)
        with start(run_id, telemetry_dir, environment="test") as telemetry:
            pipeline = Pipeline(
                environment="test",
                contracts=CONTRACTS,
                lake=self.lake,
                docs=self.docs,
                docs_url="http://docs.example",
                sync_server=Stepping(["succeeded"]),
                warehouse_address=_nowhere,
                copy_role_arn="",
                alerts=self.alerts,
                telemetry=telemetry,
                telemetry_dir=telemetry_dir,
                dbt_project_dir=self.folder,
                work_dir=self.folder,
                now=lambda: BEGAN + timedelta(days=self.day, minutes=1),
            )
            return publish_step(pipeline, run_id)

    def run(self, run_id: str, *outputs: LoadOutput, transform: TransformRecord | None = None) -> RunRecord:
        self.tell(run_id, *outputs, transform=transform)
        return self.publish(run_id)


def _nowhere() -> Any:
    raise AssertionError("publishing needs no warehouse")


def _batch(dataset: str, lines: int) -> Batch:
    landed = LandedObject(f"landing/{dataset}/2026_03_21_1774122247000_0.jsonl.gz", "e", 10, lines, None)
    return Batch(dataset, f"batch-{dataset}", "1.0.0", (landed,), lines)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


COUNTS = PublishedCounts(staged=5, inserted=2, updated=1, unchanged=2, deleted=1, kept=0, live=5)


def good(dataset: str = CORES, counts: PublishedCounts = COUNTS) -> LoadOutput:
    gate = LoadGateResult(dataset, f"batch-{dataset}", 5, (), Verdict.GO, "fine")
    return LoadOutput(raw_gate(dataset, lines=5), gate, 5, 5, counts, was_already_published=False)


def held(dataset: str = CORES, rule_id: str = "row-count") -> LoadOutput:
    check = CheckResult(rule_id, False, Severity.ERROR, "5 rows", "at least 10")
    gate = raw_gate(dataset, lines=5, verdict=Verdict.NO_GO, reason="too few", set_checks=[check])
    return LoadOutput(gate, None, None, None, None, was_already_published=False)


def held_by_the_load_gate(dataset: str = CORES) -> LoadOutput:
    check = CheckResult("id-unique", False, Severity.ERROR, "2 twice", "none")
    gate = LoadGateResult(dataset, f"batch-{dataset}", 5, (check,), Verdict.NO_GO, "ids repeat")
    return LoadOutput(raw_gate(dataset, lines=5), gate, 5, 5, None, was_already_published=False)


def test_a_record_says_what_each_step_said(stage: Stage) -> None:
    record = stage.run("run-1", good(), transform=transform_record())

    (cores,) = record.datasets
    assert (cores.extracted, cores.accepted, cores.quarantined, cores.duplicate) == (5, 5, 0, 0)
    assert (cores.inserted, cores.updated, cores.unchanged, cores.deleted) == (2, 1, 2, 1)
    assert (record.verdict, cores.verdict, record.source) == (Verdict.GO, Verdict.GO, "a test")
    assert record.transform == transform_record()
    assert record.started_at < record.finished_at
    assert [balance for balance in cores.balances if not balance.holds] == []
    assert len(cores.balances) == 7


def test_the_record_is_kept_in_the_lake_as_it_was_returned(stage: Stage) -> None:
    record = stage.run("run-1", good())
    assert recent_runs(stage.lake, 5) == [record]


def test_a_held_dataset_has_no_counts_behind_its_gate(stage: Stage) -> None:
    record = stage.run("run-1", held(), good(ROCKETS))

    cores, rockets = record.datasets
    assert (cores.inserted, cores.updated, cores.unchanged, cores.deleted) == (None,) * 4
    assert (cores.verdict, cores.reason, len(cores.balances)) == (Verdict.NO_GO, "too few", 2)
    assert rockets.verdict is Verdict.GO
    assert record.verdict is Verdict.NO_GO


def test_a_load_gates_reason_is_the_datasets(stage: Stage) -> None:
    record = stage.run("run-1", held_by_the_load_gate())
    assert (record.datasets[0].verdict, record.datasets[0].reason) == (Verdict.NO_GO, "ids repeat")


@pytest.mark.parametrize(
    ("gates", "transform", "expected"),
    [
        ([Verdict.GO, Verdict.GO], None, Verdict.GO),
        ([Verdict.GO, Verdict.QUARANTINE], Verdict.GO, Verdict.QUARANTINE),
        ([Verdict.QUARANTINE, Verdict.GO], Verdict.NO_GO, Verdict.NO_GO),
        ([Verdict.NO_GO, Verdict.QUARANTINE], Verdict.GO, Verdict.NO_GO),
    ],
)
def test_the_runs_verdict_is_the_worst_of_all(
    stage: Stage, gates: list[Verdict], transform: Verdict | None, expected: Verdict
) -> None:
    outputs = [_with_verdict(name, verdict) for name, verdict in zip((CORES, ROCKETS), gates, strict=True)]
    record = stage.run("run-1", *outputs, transform=transform_record(transform) if transform else None)
    assert record.verdict is expected


def _with_verdict(dataset: str, verdict: Verdict) -> LoadOutput:
    if verdict is Verdict.NO_GO:
        return held(dataset)
    output = good(dataset)
    return replace(output, raw_gate=replace(output.raw_gate, verdict=verdict))


def test_a_closed_gate_is_announced_once_however_often_it_is_met(stage: Stage) -> None:
    for day in range(3):
        stage.run(f"run-{day}", held())

    assert len(stage.alerts.sent) == 1
    assert "cores is held" in stage.alerts.subjects[0]
    (incident,) = read_incidents(stage.lake)
    assert (incident.state, incident.run_ids) == (IncidentState.OPEN, ("run-0", "run-1", "run-2"))


def test_a_gate_that_opens_again_is_announced_once_as_resolved(stage: Stage) -> None:
    stage.run("run-0", held())
    for day in range(1, 4):
        stage.run(f"run-{day}", good())

    assert ["Resolved" in subject for subject in stage.alerts.subjects] == [False, True]
    assert [incident.state for incident in read_incidents(stage.lake)] == [IncidentState.RESOLVED]


def test_a_gate_that_closes_again_is_announced_again(stage: Stage) -> None:
    for day, output in enumerate([held(), good(), held()]):
        stage.run(f"run-{day}", output)
    assert ["Resolved" in subject for subject in stage.alerts.subjects] == [False, True, False]


def test_a_run_that_did_not_touch_a_dataset_resolves_nothing_of_it(stage: Stage) -> None:
    stage.run("run-0", held(CORES))
    stage.run("run-1", good(ROCKETS))
    assert len(stage.alerts.sent) == 1
    assert read_incidents(stage.lake)[0].state is IncidentState.OPEN


def test_a_run_held_by_the_raw_gate_says_nothing_of_the_load_gate(stage: Stage) -> None:
    stage.run("run-0", held_by_the_load_gate())
    stage.run("run-1", held())
    states = {incident.gate: incident.state for incident in read_incidents(stage.lake)}
    assert states == {"load": IncidentState.OPEN, "raw": IncidentState.OPEN}


def test_the_marts_have_their_own_incident(stage: Stage) -> None:
    node = replace(transform_record().nodes[0], status="error", message="broken")
    broken = replace(transform_record(Verdict.NO_GO), nodes=(node,))

    record = stage.run("run-0", good(), transform=broken)
    stage.run("run-1", good(), transform=transform_record())

    assert len(record.incident_ids) == 1
    assert ["fct_launches" in subject for subject in stage.alerts.subjects] == [True, True]


def test_publishing_again_says_nothing_again_and_changes_nothing(stage: Stage) -> None:
    first = stage.run("run-1", held())
    before = {stored.key: stage.lake.get(stored.key) for stored in stage.lake.list("incidents/")}

    again = stage.publish("run-1")

    assert len(stage.alerts.sent) == 1
    assert {stored.key: stage.lake.get(stored.key) for stored in stage.lake.list("incidents/")} == before
    assert again.incident_ids == first.incident_ids == tuple(incident.fingerprint for incident in _open(stage))
    assert len(recent_runs(stage.lake, 5)) == 1


def _open(stage: Stage) -> list[Any]:
    return [incident for incident in read_incidents(stage.lake) if incident.state is IncidentState.OPEN]


def test_an_announcement_that_could_not_be_sent_is_sent_by_the_next_try(stage: Stage) -> None:
    stage.tell("run-1", held())
    stage.alerts.is_broken = True
    with pytest.raises(ServiceUnavailable):
        stage.publish("run-1")
    assert read_incidents(stage.lake) == []

    stage.alerts.is_broken = False
    stage.publish("run-1")
    assert len(stage.alerts.sent) == 1


BROKEN: dict[str, Callable[[LoadOutput], LoadOutput]] = {
    "extracted = lines in landing": lambda output: replace(output, raw_gate=raw_gate(CORES, lines=4)),
    "accepted = manifest": lambda output: replace(output, manifest_count=6),
    "copied = staged": lambda output: replace(output, published=replace(COUNTS, staged=6)),
    "staged = inserted + restored + updated + unchanged": lambda output: replace(
        output, published=replace(COUNTS, inserted=3)
    ),
    "staged + kept = live rows": lambda output: replace(output, published=replace(COUNTS, live=9)),
}


@pytest.mark.parametrize("equation", BROKEN)
def test_rows_that_do_not_add_up_are_told_to_everyone_and_then_refused(stage: Stage, equation: str) -> None:
    record = stage.run("run-1", BROKEN[equation](good()))

    with pytest.raises(RowsDoNotReconcile, match=r"batch-cores: .* does not hold.*run run-1"):
        refuse_imbalance(record)
    assert len(stage.alerts.sent) == 1
    assert "do not reconcile" in stage.alerts.subjects[0]
    assert recent_runs(stage.lake, 5) == [record]
    assert equation in {balance.equation for balance in record.datasets[0].balances if not balance.holds}
    assert "index.html" in {stored.key for stored in stage.docs.list("")}


def test_rows_that_add_up_are_not_refused(stage: Stage) -> None:
    refuse_imbalance(stage.run("run-1", good(), held(ROCKETS)))


def test_rows_that_were_lost_on_the_way_are_told_though_nobody_counted_them(stage: Stage) -> None:
    output = replace(good(), load_gate=None, published=None, copied_count=None, trouble="COPY loaded 4 of 5")

    record = stage.run("run-1", output, good(ROCKETS))

    assert [(each.verdict, each.inserted) for each in record.datasets] == [(Verdict.NO_GO, None), (Verdict.GO, 2)]
    assert record.datasets[0].reason == "COPY loaded 4 of 5"
    assert ["do not reconcile" in subject for subject in stage.alerts.subjects] == [True]
    with pytest.raises(RowsDoNotReconcile, match="not counted"):
        refuse_imbalance(record)


def test_a_snapshot_that_came_too_late_is_nobodys_fault(stage: Stage) -> None:
    output = replace(good(), load_gate=None, published=None, copied_count=None, superseded_by="run-9")

    record = stage.run("run-1", output)

    assert (record.verdict, record.datasets[0].was_superseded) == (Verdict.GO, True)
    assert "run run-9 published a later snapshot" in record.datasets[0].reason
    assert stage.alerts.sent == []
    refuse_imbalance(record)


def test_the_site_has_a_page_for_the_run_and_its_front_page_comes_last(stage: Stage) -> None:
    stage.run("run-1", good())
    assert stage.docs.writes[-1] == "index.html"
    assert "runs/run-1.html" in stage.docs.writes


def test_the_front_page_is_not_touched_when_another_page_cannot_be_stored(stage: Stage) -> None:
    class Full(MemoryStore):
        def put(self, key: str, body: bytes, content_type: str) -> StoredObject:
            if key.startswith("runs/"):
                raise ServiceUnavailable("full")
            return super().put(key, body, content_type)

    stage.docs = Full("docs")
    stage.tell("run-1", good())
    with pytest.raises(ServiceUnavailable):
        stage.publish("run-1")
    assert "index.html" not in stage.docs.writes


def lose(stage: Stage, run_id: str, dataset: str) -> None:
    """Leaves a run as a load step that did not come to its end does."""
    stage.lake.delete(f"runs/{run_id}/{load_name(dataset)}")


def gated(stage: Stage, run_id: str, dataset: str) -> None:
    (shard,) = raw_gate(dataset, lines=5).shards
    RunFolder(stage.lake, run_id).write(gate_name(f"{dataset}-0"), GateOutput(shard, ()))


def test_a_dataset_that_a_step_did_not_finish_is_told_as_not_loaded_and_judged_by_nobody(stage: Stage) -> None:
    stage.tell("run-1", good(), good(ROCKETS), transform=transform_record())
    gated(stage, "run-1", CORES)
    lose(stage, "run-1", CORES)

    record = stage.publish("run-1")

    (cores,) = record.not_loaded
    assert (cores.dataset, cores.batch_id, cores.extracted) == (CORES, "batch-cores", 5)
    assert "the load step did not come to its end. The last good version is still served." in cores.reason
    assert [each.dataset for each in record.datasets] == [ROCKETS]
    assert (record.verdict, record.outcome, record.is_finished) == (Verdict.GO, "unfinished", False)
    assert stage.alerts.sent == []
    assert recent_runs(stage.lake, 5) == [record]
    with pytest.raises(
        RowsDoNotReconcile, match=r"extracted cores and did not load.*Run it again with the same run id"
    ):
        refuse_bad_end(record)


def test_a_dataset_whose_gate_did_not_finish_names_the_shard(stage: Stage) -> None:
    stage.tell("run-1", good())
    lose(stage, "run-1", CORES)
    assert "the gate step of cores-0 did not come to its end" in stage.publish("run-1").not_loaded[0].reason


def test_a_dataset_that_was_not_loaded_resolves_no_incident_and_the_finished_run_does(stage: Stage) -> None:
    stage.run("run-1", held())
    stage.tell("run-2", good(), transform=transform_record())
    lose(stage, "run-2", CORES)

    assert stage.publish("run-2").incident_ids == ()
    assert [incident.run_ids for incident in _open(stage)] == [("run-1",)]

    RunFolder(stage.lake, "run-2").write(load_name(CORES), good())
    record = stage.publish("run-2")
    assert _open(stage) == []
    assert (record.is_finished, record.outcome, len(recent_runs(stage.lake, 5))) == (True, "go", 2)
    refuse_bad_end(record)


def test_marts_that_were_not_built_from_what_was_loaded_are_no_good_end(stage: Stage) -> None:
    record = stage.run("run-1", good())
    assert (record.lacks_transform, record.outcome) == (True, "unfinished")
    with pytest.raises(TransformFailed, match="the marts were not built"):
        refuse_bad_end(record)


def test_marts_need_no_transform_when_nothing_new_was_published(stage: Stage) -> None:
    record = stage.run("run-1", replace(good(), load_gate=None, published=None, superseded_by="run-9"))
    assert record.is_finished
    refuse_bad_end(record)


def test_a_run_ends_with_the_worst_of_what_it_came_to(stage: Stage) -> None:
    failed = transform_record(Verdict.NO_GO)
    miscounted = replace(good(ROCKETS), manifest_count=6)
    for run_id, outputs, expected in (
        ("run-1", (held(), miscounted), RowsDoNotReconcile),
        ("run-2", (held(), good(ROCKETS)), GateClosed),
        ("run-3", (good(), good(ROCKETS)), TransformFailed),
    ):
        record = stage.run(run_id, *outputs, transform=failed)
        with pytest.raises(expected):
            refuse_bad_end(record)
    refuse_bad_end(stage.run("run-4", good(), transform=transform_record()))
