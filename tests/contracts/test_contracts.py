"""What every contract of the product must be, whatever its dataset."""

from typing import Any

from contracts.model import Contract, LogicalType, Property, RuleKind, Severity
from contracts.read import read_contracts
from tests.contracts.reference_judge import broken_rules
from tests.extraction.recordings import COLLECTIONS

CONTRACTS = read_contracts()
ONE_ROW = {"company", "roadster"}  # single objects: to lose the row is to lose the dataset
PROPERTIES = [(contract, prop) for contract in CONTRACTS.values() for prop in contract.walk()]


def test_every_collection_of_the_api_has_a_contract() -> None:
    assert list(CONTRACTS) == sorted(COLLECTIONS)


def test_every_contract_says_whose_it_is_and_what_is_promised() -> None:
    for contract in CONTRACTS.values():
        assert contract.owner
        assert contract.support_url.startswith("mailto:")
        assert (contract.latency_h, contract.freshness_h) == (24.0, 48.0)
        assert contract.reject_limit.floor_count == (0 if contract.dataset in ONE_ROW else 1)
        assert len(contract.reject_limit.reason) > 40
        assert contract.title
        assert contract.usage
        assert contract.limitations
        assert contract.grain.startswith("One row per ")


def test_launches_may_lose_one_record_or_half_a_percent() -> None:
    limit = CONTRACTS["launches"].reject_limit
    assert [limit.allows(rejected, 205) for rejected in (0, 1, 2)] == [True, True, False]
    assert limit.allows(5, 1000)
    assert not limit.allows(6, 1000)


def test_an_empty_collection_and_a_repeated_id_hold_the_batch() -> None:
    for contract in CONTRACTS.values():
        assert contract.rule("row-count").argument == 1
        assert contract.rule("row-count").severity is Severity.ERROR
        assert contract.rule("id-unique").severity is Severity.ERROR
        assert contract.key.name == "id"


def test_an_unknown_field_is_told_and_holds_nothing() -> None:
    rules = [rule for contract in CONTRACTS.values() for rule in contract.rules if rule.kind is RuleKind.UNKNOWN_FIELD]
    assert len(rules) > len(CONTRACTS)
    assert {rule.severity for rule in rules} == {Severity.WARNING}


def test_what_is_true_of_the_api_is_allowed() -> None:
    launches = CONTRACTS["launches"]
    rule_ids = {rule.rule_id for rule in launches.rules}
    assert "flight_number-unique" not in rule_ids
    assert "success-required" not in rule_ids
    assert "cores-core-required" not in rule_ids
    assert "failures-time-minimum" not in rule_ids
    assert "engines-version-min-length" not in {rule.rule_id for rule in CONTRACTS["rockets"].rules}


def test_what_leads_to_a_person_is_shown_nowhere() -> None:
    crew = {prop.path: prop.classification for prop in CONTRACTS["crew"].walk()}
    assert {path for path, classification in crew.items() if classification != "public"} == {
        "name",
        "image",
        "wikipedia",
    }


def test_a_property_that_may_be_null_says_what_null_means() -> None:
    silent = [
        f"{contract.dataset}: {prop.path}"
        for contract, prop in PROPERTIES
        if not prop.required and "null" not in prop.description.lower()
    ]
    assert silent == []


def test_every_number_that_measures_something_has_a_unit() -> None:
    ends = ("_kg", "_lbs", "_km", "_min", "_sec", "_deg", "_years", "_pct", "_unix", "_tons")
    measured = [prop for _, prop in PROPERTIES if prop.name.endswith(ends)]
    assert measured
    assert [prop.path for prop in measured if prop.unit is None] == []


def test_every_example_keeps_the_rules_of_its_property() -> None:
    for contract in CONTRACTS.values():
        assert broken_rules(contract, _example_record(contract)) == []


def _example_record(contract: Contract) -> dict[str, Any]:
    return {prop.name: _example(prop) for prop in contract.properties}


def _example(prop: Property) -> Any:
    if prop.logical_type is LogicalType.ARRAY:
        return [_example(prop.children[0])]
    if prop.logical_type is LogicalType.OBJECT:
        return {child.name: _example(child) for child in prop.children}
    assert prop.example is not None, prop.path
    return prop.example
