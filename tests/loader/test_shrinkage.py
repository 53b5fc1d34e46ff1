"""A snapshot that lost more records than the contract allows is held; the rows published before stay."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from contracts import rules
from contracts.comparisons import Shrinkage
from contracts.model import Contract, RuleKind
from contracts.rules import Note
from tests.loader.rig import Rig, thing
from validation.results import CheckResult, Verdict

pytestmark = pytest.mark.stack

LIMIT = rules.set_rule(
    "", RuleKind.SHRINKAGE, Shrinkage(max_ratio=0.25, floor_count=1), Note(reason="Things stay."), name="few-lost"
)
THINGS = [thing(f"{number:02d}") for number in range(8)]


@pytest.fixture
def shrinking(rig: Rig, new_rig: Callable[[Contract], Rig]) -> Rig:
    return new_rig(replace(rig.contract, rules=(*rig.contract.rules, LIMIT)))


def check(rig: Rig, count: int, run_id: str) -> CheckResult:
    output = rig.load(rig.land(*THINGS[:count]), run_id)
    return next(found for found in output.raw_gate.set_checks if found.rule_id == "few-lost")


def test_the_first_snapshot_has_nothing_to_be_compared_with(shrinking: Rig) -> None:
    assert check(shrinking, 1, "run-1").passed


def test_a_snapshot_may_lose_as_many_as_the_contract_allows(shrinking: Rig) -> None:
    shrinking.publish(*THINGS, run_id="run-1")

    assert check(shrinking, 6, "run-2").passed
    assert len(shrinking.live()) == 6


def test_a_snapshot_that_lost_more_is_held_and_the_rows_stay(shrinking: Rig) -> None:
    shrinking.publish(*THINGS, run_id="run-1")

    for run_id in ("run-2", "run-3"):  # again is no better: what was held is nothing to be compared with
        lost = check(shrinking, 5, run_id)
        assert not lost.passed
        assert lost.observed == "5 records"
        assert lost.expected == (
            "at most 25 %, or 1 record, fewer than the 8 rows published before (if they are gone for good: plan with "
            "--force)"
        )
    assert len(shrinking.live()) == 8


def test_a_forced_run_loads_it_all_the_same(shrinking: Rig) -> None:
    shrinking.publish(*THINGS, run_id="run-1")
    held = shrinking.land(*THINGS[:2])
    assert shrinking.load(held, "run-2").verdict is Verdict.NO_GO

    sync_id = 2
    assert shrinking.load(shrinking.gate(sync_id, 2, forced_by="run-3"), "run-3").verdict is Verdict.GO
    assert len(shrinking.live()) == 2


def test_a_retry_after_its_own_publication_tells_the_same(shrinking: Rig) -> None:
    shrinking.publish(*THINGS, run_id="run-1")
    smaller = shrinking.land(*THINGS[:6])
    first = shrinking.load(smaller, "run-2")

    assert shrinking.load(smaller, "run-2") == first
