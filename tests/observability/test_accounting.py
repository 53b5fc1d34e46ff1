from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.accounting import GateCounts, LoadCounts, balances

GATE = GateCounts(extracted=205, accepted=200, quarantined=3, duplicate=2, landed=205)
LOAD = LoadCounts(
    manifest=200, copied=200, staged=200, inserted=40, restored=10, updated=20, unchanged=130, kept=3, live=203
)


def test_every_row_accounted_for_holds_on_every_leg() -> None:
    found = balances(GATE, LOAD)
    assert [(balance.equation, balance.left, balance.right) for balance in found] == [
        ("extracted = lines in landing", 205, 205),
        ("extracted = accepted + quarantined + duplicate", 205, 205),
        ("accepted = manifest", 200, 200),
        ("manifest = copied", 200, 200),
        ("copied = staged", 200, 200),
        ("staged = inserted + restored + updated + unchanged", 200, 200),
        ("staged + kept = live rows", 203, 203),
    ]
    assert all(balance.holds for balance in found)


def test_a_held_batch_is_accounted_for_as_far_as_it_went() -> None:
    assert [balance.equation for balance in balances(GATE, None)] == [
        "extracted = lines in landing",
        "extracted = accepted + quarantined + duplicate",
    ]


@pytest.mark.parametrize("name", [each.name for each in fields(GateCounts)])
def test_one_row_more_or_less_at_the_gate_breaks_a_balance(name: str) -> None:
    assert not all(balance.holds for balance in balances(replace(GATE, **{name: getattr(GATE, name) + 1}), LOAD))


@pytest.mark.parametrize("name", [each.name for each in fields(LoadCounts)])
@pytest.mark.parametrize("wrong", [-1, 1, None])
def test_one_row_more_or_less_or_uncounted_in_the_load_breaks_a_balance(name: str, wrong: int | None) -> None:
    count = None if wrong is None else getattr(LOAD, name) + wrong
    assert not all(balance.holds for balance in balances(GATE, replace(LOAD, **{name: count})))


def test_two_counts_that_were_both_not_taken_do_not_agree() -> None:
    found = {each.equation: each for each in balances(GATE, replace(LOAD, manifest=None, copied=None))}
    assert not found["manifest = copied"].holds


COUNT = st.integers(0, 10**6)


@given(accepted=COUNT, quarantined=COUNT, duplicate=COUNT, inserted=COUNT, updated=COUNT, kept=COUNT)
def test_true_counts_always_balance(
    accepted: int, quarantined: int, duplicate: int, inserted: int, updated: int, kept: int
) -> None:
    inserted, updated = min(inserted, accepted), min(updated, accepted - min(inserted, accepted))
    lines = accepted + quarantined + duplicate
    gate = GateCounts(lines, accepted, quarantined, duplicate, lines)
    unchanged = accepted - inserted - updated
    load = LoadCounts(accepted, accepted, accepted, inserted, 0, updated, unchanged, kept, accepted + kept)
    assert all(balance.holds for balance in balances(gate, load))
