"""The order among types and limits."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import physical
from contracts.evolution.changes import Direction, mirrored
from contracts.evolution.lattice import (
    Limit,
    compare_limits,
    compare_logical_types,
    compare_patterns,
    compare_sets,
    is_lossless,
    less_is_tighter,
    more_is_tighter,
)
from contracts.model import LogicalType, Severity

COLUMNS = [
    *("SMALLINT", "INTEGER", "BIGINT", "VARCHAR(1)", "VARCHAR(24)", "VARCHAR(65535)"),
    *("DOUBLE PRECISION", "BOOLEAN", "TIMESTAMPTZ", "DATE", "SUPER"),
]
WIDENINGS = {
    ("SMALLINT", "INTEGER"),
    ("INTEGER", "BIGINT"),
    ("SMALLINT", "BIGINT"),
    ("VARCHAR(1)", "VARCHAR(24)"),
    ("VARCHAR(24)", "VARCHAR(65535)"),
}
OTHERS = {
    ("BIGINT", "INTEGER"),
    ("INTEGER", "DOUBLE PRECISION"),
    ("DATE", "TIMESTAMPTZ"),
    ("VARCHAR(24)", "VARCHAR(1)"),
    ("BOOLEAN", "SMALLINT"),
}


@pytest.mark.parametrize("pair", sorted(WIDENINGS))
def test_a_wider_column_holds_every_value(pair: tuple[str, str]) -> None:
    assert is_lossless(*pair)
    assert not is_lossless(*reversed(pair))


@pytest.mark.parametrize("pair", sorted(OTHERS))
def test_any_other_column_does_not(pair: tuple[str, str]) -> None:
    assert not is_lossless(*pair)


def test_the_lattice_is_an_order() -> None:
    assert all(is_lossless(one, one) for one in COLUMNS)
    for one, two, three in product(COLUMNS, repeat=3):
        if is_lossless(one, two) and is_lossless(two, three):
            assert is_lossless(one, three)
        if is_lossless(one, two) and is_lossless(two, one):
            assert one == two


def test_a_lossless_column_takes_whatever_its_bounds_say() -> None:
    for one, two in product(COLUMNS, repeat=2):
        before, after = physical.parse(one), physical.parse(two)
        assert before is not None
        assert after is not None
        if is_lossless(one, two) and before.maximum is not None and after.maximum is not None:
            assert before.maximum <= after.maximum
        if is_lossless(one, two):
            assert before.fits == after.fits


def test_only_whole_numbers_become_numbers() -> None:
    moved = {
        (one, two): compare_logical_types(one, two)
        for one, two in product(map(str, LogicalType), repeat=2)
        if compare_logical_types(one, two) not in (Direction.SAME, Direction.CHANGED)
    }
    assert moved == {("integer", "number"): Direction.LOOSENED, ("number", "integer"): Direction.TIGHTENED}


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [
        ("^[a-z]{2}$", "[a-z]{2}", Direction.SAME),
        ("[a-z]{2}", "[a-z]{3}", Direction.CHANGED),
        (r"\d+", r"\d*", Direction.CHANGED),
    ],
)
def test_patterns_are_the_same_or_cannot_be_ordered(old: str, new: str, direction: Direction) -> None:
    assert compare_patterns(old, new) is direction


NUMBERS = st.one_of(st.none(), st.integers(-5, 5))
SEVERITIES = st.sampled_from(list(Severity))


@given(NUMBERS, SEVERITIES, NUMBERS, SEVERITIES, st.sampled_from([more_is_tighter, less_is_tighter]))
def test_the_way_back_of_a_limit_mirrors_it(old: Any, was: Severity, new: Any, now: Severity, compare: Any) -> None:
    before, after = Limit(old, was), Limit(new, now)
    assert compare_limits(after, before, compare) is mirrored(compare_limits(before, after, compare))


@given(NUMBERS, NUMBERS, st.integers(-6, 6))
def test_a_tighter_least_number_accepts_no_value_more(old: int | None, new: int | None, value: int) -> None:
    direction = compare_limits(Limit(old), Limit(new), more_is_tighter)
    was_accepted, is_accepted = (limit is None or value >= limit for limit in (old, new))
    if direction in (Direction.TIGHTENED, Direction.SAME):
        assert was_accepted or not is_accepted
    if direction in (Direction.LOOSENED, Direction.SAME):
        assert is_accepted or not was_accepted


@given(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd")))
def test_sets_are_ordered_by_what_they_hold(old: set[str], new: set[str]) -> None:
    expected = {
        (True, True): Direction.SAME,
        (True, False): Direction.LOOSENED,
        (False, True): Direction.TIGHTENED,
        (False, False): Direction.CHANGED,
    }
    assert compare_sets(old, new) is expected[(old <= new, new <= old)]


def test_true_is_not_one() -> None:
    assert compare_sets([True], [1]) is Direction.CHANGED
