"""The matrix of rules and gates, and what happens when a rule has no gate."""

from dataclasses import replace

import pytest

from contracts.coverage import Gate, coverage, refuse_holes
from contracts.errors import ContractInvalid
from contracts.model import Contract, RuleKind
from contracts.read import read_contracts
from tests.contracts.every_kind import EVERY_KIND

CONTRACTS = {**read_contracts(), "flights": EVERY_KIND}


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_no_contract_has_a_rule_without_a_gate(dataset: str) -> None:
    assert coverage(CONTRACTS[dataset])
    refuse_holes([CONTRACTS[dataset]])


def test_each_kind_of_rule_has_its_gates() -> None:
    covered = coverage(EVERY_KIND)

    assert covered["id-unique"] == (Gate.RAW, Gate.LOAD, Gate.DBT)
    assert covered["seats-minimum"] == (Gate.RAW, Gate.LOAD)
    assert covered["same-departure"] == (Gate.RAW,)
    assert covered["source-damage"] == (Gate.RAW,)
    assert covered["no-shrinkage"] == (Gate.RAW,)
    assert covered["ship-reference"] == (Gate.DBT,)


def with_a_hole(contract: Contract) -> Contract:
    """The contract with a rule that the raw gate has no place for and no column stands for."""
    unique = contract.rule("callsign-unique")
    nested = replace(unique, rule_id="legs-crew-reference", path="legs[].crew[]", kind=RuleKind.REQUIRED)
    return replace(contract, rules=(*contract.rules, nested))


def test_a_rule_that_no_gate_enforces_is_refused_by_name() -> None:
    holed = with_a_hole(EVERY_KIND)

    assert coverage(holed)["legs-crew-reference"] == ()
    with pytest.raises(ContractInvalid, match="no gate enforces flights: legs-crew-reference"):
        refuse_holes([EVERY_KIND, holed])
