"""What a sync must bring, by the contracts, and what is too few."""

from dataclasses import replace

import pytest

from contracts.model import Contract, RuleKind, Severity
from contracts.read import read_contracts
from extraction.checking import check, least


@pytest.fixture(scope="module")
def cores() -> Contract:
    return read_contracts()["cores"]


def needing(contract: Contract, argument: int, severity: Severity = Severity.ERROR) -> Contract:
    rules = tuple(
        replace(rule, argument=argument, severity=severity) if rule.kind is RuleKind.ROW_COUNT else rule
        for rule in contract.rules
    )
    assert rules != contract.rules
    return replace(contract, rules=rules)


def test_the_least_is_the_contracts_and_never_none_without_its_word(cores: Contract) -> None:
    assert least(needing(cores, 187)) == 187
    assert least(needing(cores, 0)) == 0
    assert least(needing(cores, 187, Severity.WARNING)) == 1


@pytest.mark.parametrize(
    ("committed", "too_few"), [({"cores": 72}, False), ({"cores": 71}, True), ({}, True), ({"launches": 99}, True)]
)
def test_a_count_below_the_least_or_one_that_was_not_told_is_too_few(
    cores: Contract, committed: dict[str, int], too_few: bool
) -> None:
    checked = check({"cores": needing(cores, 72)}, (), ("cores",), (7, committed))
    assert [count.stream for count in checked.too_few] == (["cores"] if too_few else [])


def test_before_the_first_sync_nothing_is_too_few(cores: Contract) -> None:
    checked = check({"cores": cores}, (), ("cores",), None)
    assert (checked.job_id, checked.too_few) == (None, ())
    assert [count.committed for count in checked.counts] == [None]


def test_a_dataset_with_a_contract_that_is_not_synced_is_named(cores: Contract) -> None:
    assert check({"cores": cores}, (), ("launches",), None).unselected == ("cores",)
