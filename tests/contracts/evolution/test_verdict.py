"""What changes ask of a version, and what makes up for them."""

from datetime import date
from typing import Any

import pytest

from contracts.errors import ContractInvalid
from contracts.evolution.exceptions import AcceptedChange
from contracts.evolution.verdict import Evolution, judge, judge_added, judge_removed
from contracts.evolution.versions import Bump
from tests.contracts.evolution.edits import edited, launches

TODAY = date(2026, 1, 15)


def evolution(case: dict[str, Any], version: str, accepted: tuple[AcceptedChange, ...] = ()) -> Evolution:
    old = edited(launches(), {"set": {"/version": "1.4.2"}})
    return judge(old, edited(old, {**case, "set": {**case.get("set", {}), "/version": version}}), accepted, TODAY)


def accepting(change_id: str, expires: date = TODAY, dataset: str = "launches") -> tuple[AcceptedChange, ...]:
    return (AcceptedChange(dataset, change_id, "somebody@example.com", "They were asked.", expires),)


PATTERN = {"set": {"properties/rocket/logicalTypeOptions": {"pattern": "^[0-9a-f]{8,24}$"}}}
WORDS = {"set": {"properties/rocket/description": "Otherwise said."}}
RULE = {"set": {"properties/details/required": True}}
REMOVAL = {"drop": ["properties/tbd"]}


@pytest.mark.parametrize(
    ("case", "required", "honouring", "refused"),
    [
        (PATTERN, Bump.MAJOR, ["2.0.0", "3.1.0"], ["1.4.2", "1.4.3", "1.5.0"]),
        (RULE, Bump.MINOR, ["1.5.0", "1.6.1", "2.0.0"], ["1.4.2", "1.4.3"]),
        (WORDS, Bump.PATCH, ["1.4.3", "1.5.0", "2.0.0"], ["1.4.2", "1.4.1", "0.9.0"]),
        ({}, Bump.NONE, ["1.4.2", "1.4.3", "2.0.0"], ["1.4.1", "0.9.9"]),
    ],
    ids=["breaking", "additive", "words", "nothing"],
)
def test_a_version_has_to_move_as_far_as_its_changes_ask(
    case: dict[str, Any], required: Bump, honouring: list[str], refused: list[str]
) -> None:
    assert {evolution(case, version).required for version in honouring + refused} == {required}
    assert [version for version in honouring + refused if evolution(case, version).is_honoured] == honouring


def test_no_version_makes_up_for_a_removal_that_nobody_was_told_of() -> None:
    found = evolution(REMOVAL, "2.0.0")
    assert not found.is_honoured
    assert "deprecated: true" in found.refused[0].todo


@pytest.mark.parametrize(
    "announced",
    [
        {"set": {"properties/tbd/deprecated": True}},
        {"set": {"/status": "deprecated"}},
        {"set": {"deprecated": True}},
    ],
    ids=["the property", "the contract", "the dataset"],
)
def test_an_announced_removal_is_honoured_by_a_major_version_only(announced: dict[str, Any]) -> None:
    old = edited(launches(), announced)
    for version, is_honoured in (("1.9.0", False), ("2.0.0", True)):
        new = edited(old, {**REMOVAL, "set": {"/version": version}})
        assert judge(old, new, (), TODAY).is_honoured is is_honoured


def test_a_property_inside_a_deprecated_one_is_announced_as_well() -> None:
    old = edited(launches(), {"set": {"properties/cores/deprecated": True}})
    case = {"drop": ["properties/cores/items/properties/landpad"], "set": {"/version": "2.0.0"}}
    assert judge(old, edited(old, case), (), TODAY).is_honoured


def test_an_exception_in_force_turns_a_breaking_change_into_an_accepted_one() -> None:
    accepted = accepting("pattern-changed:rocket")
    found = evolution(PATTERN, "1.5.0", accepted)
    assert (found.required, found.is_honoured) == (Bump.MINOR, True)
    assert found.changes[0].accepted is accepted[0]
    assert not evolution(PATTERN, "1.4.3", accepted).is_honoured


def test_an_exception_makes_up_for_an_unannounced_removal() -> None:
    assert evolution(REMOVAL, "1.5.0", accepting("property-removed:tbd")).is_honoured


@pytest.mark.parametrize(
    "accepted",
    [
        accepting("pattern-changed:rocket", expires=date(2026, 1, 14)),
        accepting("pattern-changed:launchpad"),
        accepting("pattern-loosened:rocket"),
        accepting("pattern-changed:rocket", dataset="cores"),
    ],
    ids=["expired", "another property", "another change", "another dataset"],
)
def test_an_exception_for_something_else_accepts_nothing(accepted: tuple[AcceptedChange, ...]) -> None:
    assert not evolution(PATTERN, "1.5.0", accepted).is_honoured


def test_a_contract_may_go_only_after_it_said_so() -> None:
    for status, is_honoured in (("active", False), ("deprecated", True), ("retired", True)):
        old = edited(launches(), {"set": {"/status": status}})
        assert judge_removed(old, (), TODAY).is_honoured is is_honoured
    assert judge_removed(launches(), accepting("contract-removed"), TODAY).is_honoured


def test_a_new_contract_may_have_any_version() -> None:
    assert judge_added(edited(launches(), {"set": {"/version": "0.1.0"}})).is_honoured


@pytest.mark.parametrize("version", ["1.5", "v1.5.0", "1.05.0", "next"])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(ContractInvalid, match=r"launches: .* is no version"):
        evolution({}, version)
