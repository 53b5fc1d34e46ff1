from dataclasses import replace

from contracts.model import Severity
from observability.failures import (
    load_gate_failures,
    raw_gate_failures,
    reconcile_failures,
    transform_failures,
)
from observability.run_record import Balance, ModelRecord, TransformRecord
from tests.observability.hand_made import contract, raw_gate
from validation.results import CheckResult, LoadGateResult, Verdict

LAUNCHES = contract("launches")
TOO_MANY = CheckResult("reject-limit", False, Severity.ERROR, "21 of 205 records rejected (10.2 %)", "at most 2 %")
NO_GO = raw_gate(
    "launches",
    lines=205,
    rejected=21,
    verdict=Verdict.NO_GO,
    violations={"id-pattern": 20, "name-required": 3},
    set_checks=[TOO_MANY],
)
SHRUNK = CheckResult("launches-row-count", False, Severity.ERROR, "1 record", "at least 142")


def test_a_gate_that_lets_the_batch_go_has_no_failure() -> None:
    assert raw_gate_failures(replace(NO_GO, verdict=Verdict.QUARANTINE), LAUNCHES) == ()
    assert load_gate_failures(LoadGateResult("launches", "b", 5, (SHRUNK,), Verdict.GO, "")) == ()


def test_too_many_rejects_are_one_failure_with_numbers_rules_and_first_violation() -> None:
    (failure,) = raw_gate_failures(NO_GO, LAUNCHES)
    assert failure.rule_id == "reject-limit"
    assert failure.headline == "launches is held: 21 of 205 records rejected (10.2 %, limit 2 %)"
    assert failure.details == (
        "Records: 205 read, 184 accepted, 21 rejected, 0 duplicate",
        "Batch: batch-launches",
        "First violation: name is null (rule name-required)",
        "Rule broken: id-pattern by 20",
        "Rule broken: name-required by 3",
    )
    assert failure.next_step == "spacex-elt quarantine show launches"


def test_a_broken_set_rule_is_the_cause_even_when_rows_were_rejected_too() -> None:
    (failure,) = raw_gate_failures(replace(NO_GO, set_checks=(SHRUNK,)), LAUNCHES)
    assert failure.rule_id == "launches-row-count"
    assert "found 1 record, expected at least 142" in failure.headline


def test_each_expectation_that_holds_the_batch_is_a_failure() -> None:
    told = replace(SHRUNK, rule_id="told-only", severity=Severity.WARNING)
    result = LoadGateResult("launches", "b", 5, (SHRUNK, told), Verdict.NO_GO, "1 expectation failed")
    assert [failure.rule_id for failure in load_gate_failures(result)] == ["launches-row-count"]


def test_what_dbt_only_skipped_is_no_cause() -> None:
    nodes = (
        ModelRecord("stg_spacex__launches", "model", "success", 0.4, None, None),
        ModelRecord("not_null_fct_launches_launch_id", "test", "fail", 0.1, 3, "Got 3 results"),
        ModelRecord("fct_core_flights", "model", "skipped", 0.0, None, None),
    )
    result = TransformRecord(Verdict.NO_GO, "1 of 3 failed", {"success": 1, "fail": 1, "skipped": 1}, nodes)
    (failure,) = transform_failures(result)
    assert failure.rule_id == "not_null_fct_launches_launch_id"
    assert "Failing rows: 3" in failure.details


def test_rows_that_do_not_add_up_are_one_failure_naming_each_equation() -> None:
    broken = (Balance("manifest = copied", 200, 199), Balance("copied = staged", 199, None))
    (failure,) = reconcile_failures("launches", (Balance("accepted = manifest", 200, 200), *broken))
    assert failure.details == ("manifest = copied: 200 against 199", "copied = staged: 199 against not counted")
    assert reconcile_failures("launches", (Balance("a = b", 1, 1),)) == ()
