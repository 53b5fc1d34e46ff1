"""A candidate contract beside the one in force, over batches as they landed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import UsageError
from contracts.model import Contract, DriftPolicy, Property, RuleKind, Severity
from contracts.read import FOLDER, read_contract
from loader.documents import to_json
from loader.layout import record_key
from loader.plan import Request, make_plan
from loader.run_folder import RunFolder
from loader.shadow import Example, Shadow, shadow
from observability.run_record import NotLoaded, RunRecord
from tests.loader.landing import envelope, land, sync_job
from tests.loader.memory_store import MemoryStore
from tests.observability.hand_made import NOW, run_record
from tests.validation.hand_made import PROPERTIES, contract, good, rule
from tests.validation.recordings import recorded
from validation.results import Verdict

IN_FORCE = contract()
SEATED = rule("seats", RuleKind.MAXIMUM, 3)


def candidate(*changed: Any, without: tuple[str, ...] = (), properties: tuple[Property, ...] = PROPERTIES) -> Contract:
    """The contract in force in its next version, with some rules changed or left out."""
    names = {each.rule_id for each in changed} | set(without)
    kept = tuple(each for each in IN_FORCE.rules if each.rule_id not in names)
    return replace(contract(*kept, *changed, properties=properties), version="2.0.0")


def craft(number: int, **changes: Any) -> dict[str, Any]:
    return good(id=f"{number:04x}", **changes)


@pytest.fixture
def lake() -> MemoryStore:
    return MemoryStore()


def ran(lake: MemoryStore, day: int, *objects: list[Any]) -> None:
    """A run that planned the day's sync and was recorded."""
    for part, records in enumerate(objects):
        lines = [each if isinstance(each, bytes) else envelope(each, day) for each in records]
        land(lake, "crafts", lines, day, part)
    job = sync_job(day, {"crafts": sum(map(len, objects))})
    request = Request(f"day-{day}", "a test", job, ("crafts",), {"crafts": IN_FORCE}, NOW)
    plan = make_plan(lake, request)
    RunFolder(lake, f"day-{day}").write("plan.json", plan)
    record(lake, f"day-{day}", day, plan.batches[0].batch_id)


def record(lake: MemoryStore, run_id: str, day: int, batch_id: str, dataset: str = "crafts") -> None:
    told: RunRecord = replace(
        run_record(run_id, ()),
        started_at=NOW + timedelta(days=day),
        not_loaded=(NotLoaded(dataset, batch_id, 1, "a test"),),
    )
    lake.put(record_key(told.started_at, run_id), to_json(told), "application/json")


def shadowed(lake: MemoryStore, of: Contract, most: int = 3) -> Shadow:
    before = list(lake.writes)
    found = shadow(lake, IN_FORCE, of, most)
    assert lake.writes == before, "shadow only reads"
    return found


def test_the_same_rules_change_nothing(lake: MemoryStore) -> None:
    ran(lake, 1, [craft(1), craft(2, seats=9), b"nonsense"])
    found = shadowed(lake, candidate())
    assert found.changes_nothing
    assert (found.version_in_force, found.version_of_candidate) == ("1.0.0", "2.0.0")
    assert [batch.line_count for batch in found.batches] == [3]


def test_records_that_a_tighter_rule_rejects_are_told_with_the_rule_and_the_first_of_them(lake: MemoryStore) -> None:
    ran(lake, 1, [craft(1), *(craft(number, seats=4) for number in range(2, 7)), craft(7, seats=9)], [])
    (batch,) = shadowed(lake, candidate(SEATED)).batches
    assert (batch.newly_rejected_count, batch.newly_accepted_count) == (6, 0)
    (change,) = batch.newly_rejected
    assert (change.rule_id, change.count) == ("seats-maximum", 6)
    assert change.examples[0].line_number == 1
    assert change.examples[0].key == "0001"
    assert change.examples[0].message == "is 4; expected at most 3"
    assert len(change.examples) == 3


def test_a_record_that_both_reject_is_no_news_whatever_the_reason(lake: MemoryStore) -> None:
    ran(lake, 1, [craft(1, seats=2, status="lost"), craft(2, seats=2)])
    (batch,) = shadowed(lake, candidate(rule("status", RuleKind.ENUM, ("active",)))).batches
    assert (batch.newly_rejected_count, batch.newly_accepted_count) == (0, 0)


def test_records_that_a_looser_rule_accepts_are_told_by_the_rule_in_force(lake: MemoryStore) -> None:
    ran(lake, 1, [craft(1)], [craft(2, status="lost"), craft(3, status="lost", seats=99)])
    (batch,) = shadowed(lake, candidate(rule("status", RuleKind.ENUM, ("active", "retired", "lost")))).batches
    assert batch.newly_accepted_count == 1
    (change,) = batch.newly_accepted
    assert (change.rule_id, change.count) == ("status-enum", 1)
    assert change.examples[0].line_number == 1
    assert change.examples[0].object_key.endswith("_1.jsonl.gz")


def test_a_rule_that_only_warns_now_is_told_in_records_then_and_now(lake: MemoryStore) -> None:
    ran(lake, 1, [craft(1, seats=9), craft(2, seats=9), craft(3, mass_kg=-1)])
    (batch,) = shadowed(lake, candidate(rule("seats", RuleKind.MAXIMUM, 7, Severity.WARNING))).batches
    assert batch.warnings == {"seats-maximum": (0, 2)}
    assert batch.newly_accepted_count == 2


def test_the_verdict_of_each_batch_is_told_under_both_contracts(lake: MemoryStore) -> None:
    ran(lake, 1, [craft(1, seats=1), craft(2, seats=1)])
    ran(lake, 2, [craft(1), craft(2)])
    newest, oldest = shadowed(lake, candidate(SEATED)).batches
    assert (newest.run_id, oldest.run_id) == ("day-2", "day-1")
    assert (newest.verdict_in_force, newest.verdict_of_candidate) == (Verdict.GO, Verdict.NO_GO)
    assert "2 of 2 records rejected" in newest.reason_of_candidate
    assert (oldest.verdict_in_force, oldest.verdict_of_candidate) == (Verdict.GO, Verdict.GO)


def test_a_key_of_two_contents_is_a_reason_like_any_other(lake: MemoryStore) -> None:
    ran(lake, 1, [craft(1), craft(1, seats=2)])
    loose = candidate(without=("seats-maximum",))
    (batch,) = shadowed(lake, loose).batches
    assert batch.newly_rejected_count == batch.newly_accepted_count == 0
    assert batch.verdict_in_force is batch.verdict_of_candidate is Verdict.NO_GO


def test_only_the_last_batches_are_judged_and_one_that_two_runs_took_up_once(lake: MemoryStore) -> None:
    for day in (1, 2, 3):
        ran(lake, day, [craft(day)])
    again = RunFolder(lake, "day-3").plan()
    RunFolder(lake, "again").write("plan.json", replace(again, run_id="again"))
    record(lake, "again", 4, again.batches[0].batch_id)
    assert [batch.run_id for batch in shadowed(lake, candidate(), most=2).batches] == ["again", "day-2"]


def test_replays_are_no_snapshots(lake: MemoryStore) -> None:
    ran(lake, 1, [craft(1)])
    plan = RunFolder(lake, "day-1").plan()
    part = replace(plan.batches[0], is_partial=True)
    RunFolder(lake, "replay").write("plan.json", replace(plan, run_id="replay", batches=(part,)))
    record(lake, "replay", 2, "b")
    assert [batch.run_id for batch in shadowed(lake, candidate()).batches] == ["day-1"]


def test_a_batch_whose_objects_are_gone_is_told_and_the_others_are_judged(lake: MemoryStore) -> None:
    ran(lake, 1, [craft(1)])
    ran(lake, 2, [craft(2)])
    lake.delete(next(stored.key for stored in lake.list("landing/")))
    found = shadowed(lake, candidate())
    assert [batch.run_id for batch in found.batches] == ["day-2"]
    assert ["of run day-1" in gone for gone in found.gone] == [True]


def test_a_dataset_that_never_landed_is_refused(lake: MemoryStore) -> None:
    with pytest.raises(UsageError, match="no landed batch of crafts"):
        shadow(lake, IN_FORCE, candidate(), 3)


def test_no_value_is_told_that_the_contract_in_force_withholds(lake: MemoryStore) -> None:
    ran(lake, 1, [craft(1, name="Dragon")])
    open_ = tuple(replace(prop, classification="public") for prop in PROPERTIES)
    stricter = candidate(rule("name", RuleKind.PATTERN, "[a-z]+"), properties=open_)
    (batch,) = shadowed(lake, stricter).batches
    (change,) = batch.newly_rejected
    assert "not shown here" in change.examples[0].message
    assert b"Dragon" not in to_json(batch)


def test_a_key_that_is_withheld_stays_so(lake: MemoryStore) -> None:
    ran(lake, 1, [craft(1)])
    hidden = tuple(replace(prop, classification="restricted") if prop.name == "id" else prop for prop in PROPERTIES)
    (batch,) = shadowed(lake, candidate(SEATED, properties=hidden)).batches
    example: Example = batch.newly_rejected[0].examples[0]
    assert example.key is None


def test_fields_that_a_candidate_no_longer_knows_count_by_its_drift_policy(lake: MemoryStore) -> None:
    ran(lake, 1, [craft(1)])
    fewer = tuple(prop for prop in PROPERTIES if prop.name != "built_date")
    unknown = rule("", RuleKind.UNKNOWN_FIELD, DriftPolicy.QUARANTINE)
    without = tuple(each.rule_id for each in IN_FORCE.rules if each.path == "built_date")
    (batch,) = shadowed(lake, candidate(unknown, without=without, properties=fewer)).batches
    assert [(change.rule_id, change.count) for change in batch.newly_rejected] == [("record-unknown-field", 1)]


def test_a_patched_contract_of_the_launches_is_judged_by_the_recorded_ones(lake: MemoryStore, tmp_path: Path) -> None:
    records = recorded("api-2021-04-22", "launches")
    text = (FOLDER / "launches.odcs.yaml").read_text(encoding="utf-8")
    patched = tmp_path / "launches.odcs.yaml"
    patched.write_text(text.replace("          - {value: month, description: known to the month}\n", ""))
    land(lake, "launches", [envelope(each, 1) for each in records], 1)
    in_force = read_contract(FOLDER / "launches.odcs.yaml")
    job = sync_job(1, {"launches": len(records)})
    plan = make_plan(lake, Request("day-1", "a test", job, ("launches",), {"launches": in_force}, NOW))
    RunFolder(lake, "day-1").write("plan.json", plan)
    record(lake, "day-1", 1, plan.batches[0].batch_id, "launches")

    (batch,) = shadow(lake, in_force, read_contract(patched), 1).batches
    months = sum(each["date_precision"] == "month" for each in records)
    assert months
    assert [(change.rule_id, change.count) for change in batch.newly_rejected] == [("date_precision-enum", months)]
    assert (batch.verdict_in_force, batch.verdict_of_candidate) == (Verdict.GO, Verdict.NO_GO)
    assert batch.newly_accepted_count == 0
