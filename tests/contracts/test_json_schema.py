"""The JSON Schemas that follow from a contract."""

import copy
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest

from contracts.derive.json_schema import json_schema
from contracts.model import ACROSS_FIELDS, DriftPolicy, LogicalType, RuleKind, Severity
from contracts.read import read_contracts
from contracts.sample import good_record
from contracts.specimens import bad_records
from tests.validation import hand_made
from tests.validation.hand_made import good, prop, rule
from tests.validation.recordings import recorded

CONTRACTS = read_contracts()
NO_SPECIMENS = {RuleKind.SOURCE_DAMAGE, *ACROSS_FIELDS}


def accepts(schema: dict[str, Any], record: Any) -> bool:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid(record)


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_the_published_schema_is_valid_and_takes_the_contracts_example(dataset: str) -> None:
    schema = json_schema(CONTRACTS[dataset])

    assert schema["$schema"].endswith("2020-12/schema")
    assert accepts(schema, good_record(CONTRACTS[dataset]))


@pytest.mark.parametrize(("snapshot", "dataset"), [("api-2021-04-22", dataset) for dataset in CONTRACTS])
def test_the_published_schema_takes_what_was_recorded(snapshot: str, dataset: str) -> None:
    schema = json_schema(CONTRACTS[dataset])

    assert [record for record in recorded(snapshot, dataset) if not accepts(schema, record)] == []


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_the_published_schema_refuses_what_breaks_a_rule_that_rejects_and_takes_what_is_only_warned_of(
    dataset: str,
) -> None:
    contract = CONTRACTS[dataset]
    schema = json_schema(contract)
    said = [one for one in contract.rules if one.scope == "row" and one.kind not in NO_SPECIMENS]
    assert said
    for one in said:
        for specimen in bad_records(contract, one):
            may_pass = not one.rejects or one.kind is RuleKind.MAX_BYTES
            assert may_pass or not accepts(schema, specimen.record), specimen
            assert one.rejects or accepts(schema, specimen.record), specimen


def test_the_published_schema_reads_like_the_contract() -> None:
    schema = json_schema(CONTRACTS["launches"])

    assert schema["title"] == "Launches"
    assert schema["description"].startswith("One launch, flown or planned. Every launch of a SpaceX rocket")
    assert schema["properties"]["id"] == {
        "description": CONTRACTS["launches"].key.description,
        "examples": [CONTRACTS["launches"].key.example],
        "type": "string",
        "pattern": "^(?:^[0-9a-f]{24}$)$",
    }


def test_an_example_is_shown_only_of_what_is_public() -> None:
    shown = prop("id", LogicalType.STRING)
    hidden = prop("name", LogicalType.STRING, classification="restricted")
    with_examples = tuple(replace(one, example="Dragon") for one in (shown, hidden))

    schema = json_schema(hand_made.contract(properties=with_examples))

    assert [of.get("examples") for of in schema["properties"].values()] == [["Dragon"], None]


def test_a_field_that_is_not_required_may_be_null_also_where_it_is_one_of_a_few() -> None:
    schema = json_schema(hand_made.contract())

    assert schema["properties"]["status"] == {"type": ["string", "null"], "enum": ["active", "retired", None]}
    assert schema["properties"]["id"]["type"] == "string"
    assert schema["required"] == ["id"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (DriftPolicy.ALLOW, True),
        (DriftPolicy.WARN, True),
        (DriftPolicy.QUARANTINE, False),
        (DriftPolicy.NO_GO, False),
    ],
)
def test_whether_the_schema_takes_a_field_that_the_contract_does_not_know(policy: DriftPolicy, expected: bool) -> None:
    severity = Severity.WARNING if policy is DriftPolicy.WARN else Severity.ERROR
    contract = hand_made.contract(rule("", RuleKind.UNKNOWN_FIELD, policy, severity))
    record = {**copy.deepcopy(good()), "unknown": 1}

    assert accepts(json_schema(contract), record) is expected
