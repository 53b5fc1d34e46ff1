"""The recorded list of what outside judges of the Redshift stand-in say: it is read whole, and a change is told."""

import pytest

from tests.judges.redshift.outcomes import Kind, Reason, module_of, name_of, read_expected, surprise, surprises
from tests.judges.redshift.suites import Outcome

REFUSED = Reason(Kind.REFUSED, "functions are not made here", "CREATE FUNCTION is not supported")
SKIPPED = Reason(Kind.SKIPPED, "it needs AWS", "needs an account")


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (None, Outcome("passed")),
        (REFUSED, Outcome("failed", "ERROR: CREATE FUNCTION is not supported here")),
        (SKIPPED, Outcome("skipped", "needs an account")),
    ],
)
def test_what_is_expected_is_no_surprise(expected: Reason | None, found: Outcome) -> None:
    assert surprise(expected, found) == ""


@pytest.mark.parametrize(
    ("expected", "found", "words"),
    [
        (None, Outcome("failed", "boom"), "it is to pass, but failed: boom"),
        (None, Outcome("skipped", "no time"), "it is to pass, but skipped"),
        (REFUSED, Outcome("passed"), "take it off the list"),
        (REFUSED, Outcome("failed", "relation x does not exist"), "does not say 'CREATE FUNCTION is not supported'"),
        (SKIPPED, Outcome("failed", "needs an account"), "it is to be skipped"),
    ],
)
def test_anything_else_is(expected: Reason | None, found: Outcome, words: str) -> None:
    assert words in surprise(expected, found)


def test_a_new_test_and_one_that_did_not_run_are_surprises() -> None:
    told = surprises({"adapter.test_a::test_old": None}, {"adapter.test_a::test_new": Outcome("passed")})
    assert told == {
        "adapter.test_a::test_new": "it is new: expected.yaml does not name it",
        "adapter.test_a::test_old": "it did not run",
    }


@pytest.mark.parametrize("test", ["TestBasic::test_seed", "test_seed"])
def test_a_test_is_named_after_its_module(test: str) -> None:
    assert module_of(name_of("adapter.test_basic", test)) == "adapter.test_basic"


def test_every_reason_is_given_for_some_test() -> None:
    expected = read_expected()
    assert any(reason is None for reason in expected.values())
    assert all(reason is None or reason.why for reason in expected.values())
