"""What a step writes, the next one reads: the same value, or a clear word why not."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.errors import UsageError
from loader.batch import Batch, LandedObject, Plan, Shard
from loader.documents import from_json, to_json
from loader.gate import GateOutput, ManifestEntry
from loader.load import LoadOutput, PublishedCounts
from loader.quarantine import QuarantinedRecord
from loader.run_folder import RunFolder, SyncStarted, gate_name, load_gate_name, load_name, read_incidents, recent_runs
from observability.incidents import Incident
from observability.run_record import RunRecord, TransformRecord
from spacex_elt.sources import SourceRequest
from tests.loader.memory_store import MemoryStore
from tests.observability.hand_made import NOW, dataset_record, raw_gate, run_record, transform_record
from validation.results import LoadGateResult, Verdict

JSON = "application/json"
KINDS = (
    SyncStarted,
    SourceRequest,
    Plan,
    GateOutput,
    LoadOutput,
    LoadGateResult,
    TransformRecord,
    RunRecord,
    Incident,
    QuarantinedRecord,
)
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(str, st.text(max_size=5))
st.register_type_strategy(Mapping, lambda kind: st.dictionaries(*map(st.from_type, get_args(kind)), max_size=2))
st.register_type_strategy(tuple, lambda kind: st.lists(st.from_type(get_args(kind)[0]), max_size=2).map(tuple))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_every_document_is_read_back_as_it_was(kind: type[Any], data: st.DataObject) -> None:
    document = data.draw(st.from_type(kind))
    assert from_json(kind, to_json(document), "somewhere") == document


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"run_id": 1}', b"\xff"])
def test_what_is_no_such_document_is_told_with_its_place(kind: type[Any], body: bytes) -> None:
    with pytest.raises(UsageError, match=f"s3://lake/x is not a {kind.__name__} of this version"):
        from_json(kind, body, "s3://lake/x")


LANDED = LandedObject("landing/cores/2026_03_21_1774122247000_0.jsonl.gz", "e", 10, 3, None)
PLAN = Plan(
    run_id="run-1",
    source="a test",
    job_id="1",
    planned_at=NOW,
    batches=(Batch("cores", "b1", "1.0.0", (LANDED,), 3),),
    shards=(Shard("cores-0", "cores", "b1", (LANDED,)), Shard("cores-1", "cores", "b1", ())),
)


@pytest.fixture
def folder() -> RunFolder:
    return RunFolder(MemoryStore(), "run-1")


def test_what_no_step_has_written_is_not_there(folder: RunFolder) -> None:
    assert folder.find_sync() is None
    assert folder.transform() is None
    assert folder.load_gate("cores") is None
    assert folder.load_output("cores") is None
    assert list(folder.telemetry("spans.jsonl")) == []


@pytest.mark.parametrize(
    ("step", "call"),
    [
        ("plan", lambda folder: folder.plan()),
        ("gate", lambda folder: folder.gate_outputs(PLAN, "cores")),
    ],
)
def test_a_step_before_its_time_names_the_one_to_run_first(folder: RunFolder, step: str, call: Any) -> None:
    with pytest.raises(UsageError, match=f"spacex-elt {step} --run-id run-1"):
        call(folder)


def test_one_gated_shard_of_two_is_not_enough(folder: RunFolder) -> None:
    (shard,) = raw_gate("cores").shards
    output = GateOutput(shard, (ManifestEntry("key", 1, 2, "etag"),))
    folder.write(gate_name("cores-0"), output)
    with pytest.raises(UsageError, match="shard cores-1 has not been through the gate"):
        folder.gate_outputs(PLAN, "cores")
    assert folder.ungated_shards(PLAN, "cores") == ("cores-1",)
    folder.write(gate_name("cores-1"), output)
    assert folder.gate_outputs(PLAN, "cores") == (output, output)
    assert folder.ungated_shards(PLAN, "cores") == ()


def test_each_document_has_its_place(folder: RunFolder) -> None:
    gate = raw_gate("cores")
    load_gate = LoadGateResult("cores", "b1", 3, (), Verdict.GO, "fine")
    output = LoadOutput(gate, load_gate, 3, 3, PublishedCounts(3, 1, 1, 1, 0, 0, 3), was_already_published=False)
    started = SyncStarted("1", "a test", ("cores",))
    for name, document in {
        "sync.json": started,
        "plan.json": PLAN,
        load_name("cores"): output,
        load_gate_name("cores"): load_gate,
        "transform.json": transform_record(),
    }.items():
        folder.write(name, document)

    assert folder.find_sync() == started
    assert folder.plan() == PLAN
    assert folder.load_output("cores") == output
    assert folder.load_gate("cores") == load_gate
    assert folder.transform() == transform_record()
    assert [stored.key for stored in folder.store.list("")] == [
        "runs/run-1/load/cores.json",
        "runs/run-1/load_gate/cores.json",
        "runs/run-1/plan.json",
        "runs/run-1/sync.json",
        "runs/run-1/transform.json",
    ]


def test_a_run_whose_name_begins_like_anothers_is_another(folder: RunFolder) -> None:
    RunFolder(folder.store, "run-10").write("sync.json", SyncStarted("1", "x", ()))
    folder.store.put("runs/run-10/telemetry/a.spans.jsonl", b"{}", JSON)
    assert folder.find_sync() is None
    assert list(folder.telemetry("spans.jsonl")) == []


def test_telemetry_of_every_process_is_read_and_no_other_file(folder: RunFolder) -> None:
    for name, body in {"a.spans.jsonl": b"1\n2\n", "a.metrics.jsonl": b"3\n", "b.spans.jsonl": b"4"}.items():
        folder.store.put(f"runs/run-1/telemetry/{name}", body, JSON)
    assert list(folder.telemetry("spans.jsonl")) == [b"1", b"2", b"4"]


def test_the_last_runs_come_newest_first_and_no_more_than_asked() -> None:
    store = MemoryStore()
    for number in range(5):
        store.put(f"records/2026-01-0{number}.json", to_json(run_record(f"run-{number}", [])), JSON)
    assert [record.run_id for record in recent_runs(store, 3)] == ["run-4", "run-3", "run-2"]


def test_a_record_in_another_versions_form_does_not_hide_the_others() -> None:
    store = MemoryStore()
    records = [run_record(f"run-{number}", [dataset_record("cores")]) for number in range(2)]
    store.put("records/1.json", to_json(records[0]), JSON)
    store.put("records/2.json", b'{"run_id": "run-9", "of": "another version"}', JSON)
    store.put("records/3.json", to_json(records[1]), JSON)
    assert recent_runs(store, 2) == [records[1], records[0]]


def test_an_incident_that_cannot_be_read_is_told_for_forgetting_it_would_announce_it_again() -> None:
    store = MemoryStore()
    store.put("incidents/f1.json", b"{}", JSON)
    with pytest.raises(UsageError, match=r"incidents/f1\.json"):
        read_incidents(store)


def test_an_unknown_batch_or_shard_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        PLAN.batch("moons")
    with pytest.raises(KeyError):
        PLAN.shard("moons-0")
    assert replace(PLAN, run_id="other").shards_of("moons") == ()
