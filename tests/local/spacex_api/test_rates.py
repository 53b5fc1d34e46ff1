"""Holds the notation of faults to what it promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.spacex_api.rates import FaultRefused, FaultSpec, dice, pick

KNOWN = ("wrong-type", "empty-collection")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wrong-type:1%", FaultSpec("launches", "wrong-type", 0.01)),
        ("wrong-type:0.01", FaultSpec("launches", "wrong-type", 0.01)),
        ("payloads/wrong-type:50%", FaultSpec("payloads", "wrong-type", 0.5)),
        ("empty-collection", FaultSpec("launches", "empty-collection", 0.01)),
        ("wrong-type:0", FaultSpec("launches", "wrong-type", 0.0)),
    ],
)
def test_a_fault_is_a_dataset_a_name_and_a_rate(text: str, expected: FaultSpec) -> None:
    assert FaultSpec.parse(text, KNOWN) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wrong_type:1%", "no fault 'wrong_type'. Expected one of: empty-collection, wrong-type"),
        ("wrong-type:often", "'often' is no rate"),
        ("wrong-type:101%", "not between 0 and 1"),
        ("wrong-type:-1", "not between 0 and 1"),
        ("wrong-type:nan", "not between 0 and 1"),
        ("/wrong-type:1%", "names no dataset"),
        ("", "no fault ''"),
    ],
)
def test_a_fault_that_cannot_be_says_what_could(text: str, message: str) -> None:
    with pytest.raises(FaultRefused) as refused:
        FaultSpec.parse(text, KNOWN)
    assert message in str(refused.value)


@given(st.integers(1, 500), st.floats(0.0001, 1), st.integers())
def test_a_rate_above_zero_strikes_at_least_one_and_never_the_same_twice(count: int, rate: float, seed: int) -> None:
    struck = pick(dice(seed), range(count), rate, total=count)
    assert 1 <= len(struck) <= count
    assert struck == sorted(set(struck))
    assert abs(len(struck) - count * rate) <= 1
    assert struck == pick(dice(seed), range(count), rate, total=count)


def test_a_rate_of_zero_strikes_nothing() -> None:
    assert pick(dice(1), range(100), 0, total=100) == []
