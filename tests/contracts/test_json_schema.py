"""The JSON Schemas that follow from a contract."""

import copy
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest

from contracts.derive.json_schema import json_schema, strict_json_schema
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
    schema = strict_json_schema(hand_made.contract())

    assert schema["properties"]["status"] == {"type": ["string", "null"], "enum": ["active", "retired", None]}
    assert schema["properties"]["id"]["type"] == "string"
    assert schema["required"] == ["id"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (DriftPolicy.ALLOW, (True, True)),
        (DriftPolicy.WARN, (True, False)),
        (DriftPolicy.QUARANTINE, (False, False)),
        (DriftPolicy.NO_GO, (False, False)),
    ],
)
def test_whether_the_two_schemas_take_a_field_that_the_contract_does_not_know(
    policy: DriftPolicy, expected: tuple[bool, bool]
) -> None:
    severity = Severity.WARNING if policy is DriftPolicy.WARN else Severity.ERROR
    contract = hand_made.contract(rule("", RuleKind.UNKNOWN_FIELD, policy, severity))
    record = {**copy.deepcopy(good()), "unknown": 1}
    strict = jsonschema_rs.Draft4Validator(strict_json_schema(contract))

    assert (accepts(json_schema(contract), record), strict.is_valid(record)) == expected


@pytest.mark.parametrize(
    ("text", "passes"), [("x" * 12, True), ("x" * 13, False), ("é" * 3, True), ("é" * 6, False), (None, True)]
)
def test_the_strict_schema_takes_a_text_only_if_it_surely_fits_its_column(text: str | None, passes: bool) -> None:
    contract = hand_made.contract(rule("name", RuleKind.MAX_BYTES, 12))

    assert jsonschema_rs.Draft4Validator(strict_json_schema(contract)).is_valid(good(name=text)) is passes


@pytest.mark.parametrize("number", [5.0, 1e5, -0.0, True, 2**63, -(2**63) - 1])
def test_what_is_no_64_bit_integer_as_written_is_no_integer_to_the_strict_schema(number: Any) -> None:
    contract = hand_made.contract(rule("active", RuleKind.TYPE, LogicalType.BOOLEAN))

    assert jsonschema_rs.Draft4Validator(strict_json_schema(contract)).is_valid(good(seats=5))
    assert not jsonschema_rs.Draft4Validator(strict_json_schema(contract)).is_valid(good(seats=number))
