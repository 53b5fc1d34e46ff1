import json
from pathlib import Path

import pytest
import yaml

from contracts.coverage import Gate, coverage
from contracts.derive import dbt
from contracts.derive.expectations import (
    COLUMNS_RULE_ID,
    ROW_COUNT_RULE_ID,
    Expectation,
    ExpectationKind,
    expectations,
)
from contracts.derive.redshift import columns, jsonpaths, raw_table_ddl, staging_table_ddl
from contracts.model import Contract, RuleKind, Severity
from contracts.read import FOLDER, read_contracts

ROOT = Path(FOLDER).parent
CONTRACTS = read_contracts()
ABOUT_THE_WHOLE = {RuleKind.ROW_COUNT, RuleKind.SHRINKAGE, RuleKind.SOURCE_DAMAGE, RuleKind.UNKNOWN_FIELD}


def test_the_published_table_of_cores() -> None:
    assert raw_table_ddl(CONTRACTS["cores"]) == (
        "-- diststyle auto: each node keeps a copy of cores while it is small.\n"
        '-- sortkey ("id"): publishing and joins look rows up by it. Raw, to be skipped unread.\n'
        "-- encode: az64 for whole numbers and times; zstd for text, as it leaves a varchar free to be widened.\n"
        "create table if not exists raw_spacex.cores (\n"
        '    "block" smallint encode az64,\n'
        '    "reuse_count" integer encode az64 not null,\n'
        '    "rtls_attempts" integer encode az64 not null,\n'
        '    "rtls_landings" integer encode az64 not null,\n'
        '    "asds_attempts" integer encode az64 not null,\n'
        '    "asds_landings" integer encode az64 not null,\n'
        '    "last_update" varchar(2048) encode zstd,\n'
        '    "launches" super not null,\n'
        '    "serial" varchar(32) encode zstd not null,\n'
        '    "status" varchar(32) encode zstd not null,\n'
        '    "id" varchar(24) encode raw not null,\n'
        '    "_airbyte_raw_id" varchar(36) encode zstd not null,\n'
        '    "_airbyte_extracted_at_ms" bigint encode az64 not null,\n'
        '    "_airbyte_generation_id" bigint encode az64 not null,\n'
        '    "_row_hash" varchar(64) encode zstd not null,\n'
        '    "_batch_id" varchar(64) encode zstd not null,\n'
        '    "_run_id" varchar(64) encode zstd not null,\n'
        '    "_loaded_at" timestamptz encode az64 not null,\n'
        '    "_deleted_at" timestamptz encode az64\n'
        ")\n"
        "diststyle auto\n"
        'sortkey ("id")\n'
    )


def test_a_staging_table_has_the_copied_columns_and_a_hash_to_fill() -> None:
    ddl = staging_table_ddl(CONTRACTS["cores"], "staging_spacex.cores__b1")
    assert "create table if not exists staging_spacex.cores__b1 (" in ddl
    assert (
        '    "_airbyte_generation_id" bigint encode az64 not null,\n    "_row_hash" varchar(64) encode zstd\n)' in ddl
    )


def test_jsonpaths_go_column_by_column() -> None:
    assert CONTRACTS
    for contract in CONTRACTS.values():
        paths = json.loads(jsonpaths(contract))["jsonpaths"]
        expected = [f"$['_airbyte_data']['{prop.name}']" for prop in contract.properties]
        assert len(paths) == len(columns(contract))
        assert paths == [
            *expected,
            "$['_airbyte_raw_id']",
            "$['_airbyte_extracted_at']",
            "$['_airbyte_generation_id']",
        ]


def test_a_column_is_named_as_redshift_folds_its_property() -> None:
    starlink = CONTRACTS["starlink"]
    assert "$['_airbyte_data']['spaceTrack']" in jsonpaths(starlink)
    assert '    "spacetrack" super not null,\n' in raw_table_ddl(starlink)
    tables = yaml.safe_load(dbt.sources_yaml([starlink]))["sources"][0]["tables"]
    assert tables[0]["columns"][0]["name"] == "spacetrack"


def _expectation(contract: Contract, rule_id: str) -> Expectation:
    return next(expectation for expectation in expectations(contract) if expectation.rule_id == rule_id)


def test_the_load_gate_looks_at_the_table_and_then_at_its_columns() -> None:
    launches = CONTRACTS["launches"]
    shape, count, *_ = expectations(launches)
    assert (shape.rule_id, shape.argument[0], shape.argument[-1]) == (COLUMNS_RULE_ID, "fairings", "_row_hash")
    assert (count.rule_id, count.kind, count.argument) == (ROW_COUNT_RULE_ID, ExpectationKind.ROW_COUNT, None)
    precision = _expectation(launches, "date_precision-enum")
    assert (precision.column, precision.argument) == (
        "date_precision",
        ("half", "quarter", "year", "month", "day", "hour"),
    )
    assert _expectation(launches, "rocket-pattern").argument == "^([0-9a-f]{24})$"
    assert _expectation(launches, "id-unique").kind is ExpectationKind.UNIQUE
    assert _expectation(CONTRACTS["cores"], "status-enum").severity is Severity.WARNING


def test_the_load_gate_does_not_ask_what_the_columns_type_refuses_already() -> None:
    assert CONTRACTS["launches"].rule("flight_number-maximum").argument == 2**31 - 1
    assert "flight_number-maximum" not in {found.rule_id for found in expectations(CONTRACTS["launches"])}


def test_the_checked_in_dbt_sources_follow_from_the_contracts() -> None:
    checked_in = (ROOT / dbt.SOURCES_FILE).read_text(encoding="utf-8")
    assert checked_in == dbt.sources_yaml(CONTRACTS.values()), "stale: run `python -m contracts.derive`"


def test_dbt_sources_describe_every_column_and_test_what_the_table_does_not_keep_itself() -> None:
    source = yaml.safe_load(dbt.sources_yaml(CONTRACTS.values()))["sources"][0]
    assert (source["name"], source["schema"]) == ("spacex", "raw_spacex")
    tables = {table["name"]: table for table in source["tables"]}
    assert list(tables) == list(CONTRACTS)
    launches = tables["launches"]
    assert launches["config"]["freshness"] == {"warn_after": {"count": 48, "period": "hour"}}
    by_name = {column["name"]: column for column in launches["columns"]}
    assert list(by_name) == [prop.name for prop in CONTRACTS["launches"].properties]
    assert [next(iter(test)) for test in by_name["id"]["data_tests"]] == ["not_null", "unique"]
    assert [next(iter(test)) for test in by_name["date_precision"]["data_tests"]] == ["accepted_values"]
    assert [next(iter(test)) for test in by_name["rocket"]["data_tests"]] == ["references"]
    assert "data_tests" not in by_name["window"]
    assert by_name["window"]["config"]["meta"]["unit"] == "s"


def test_every_test_of_the_dbt_sources_looks_at_live_rows_only() -> None:
    source = yaml.safe_load(dbt.sources_yaml(CONTRACTS.values()))["sources"][0]
    columns_ = [column for table in source["tables"] for column in table["columns"]]
    tests = [body for column in columns_ for test in column.get("data_tests", []) for body in test.values()]
    assert tests
    assert {test["config"]["where"] for test in tests} == {"_deleted_at is null"}


@pytest.mark.parametrize("dataset", sorted(CONTRACTS))
def test_every_rule_is_enforced_by_a_gate(dataset: str) -> None:
    covered = coverage(CONTRACTS[dataset])
    assert covered
    assert [rule_id for rule_id, gates in covered.items() if not gates] == []
    assert list(covered) == [rule.rule_id for rule in CONTRACTS[dataset].rules]


def test_coverage_is_derived_from_what_each_gate_is_given() -> None:
    covered = coverage(CONTRACTS["launches"])
    assert covered["id-unique"] == (Gate.RAW, Gate.LOAD, Gate.DBT)
    assert covered["rocket-pattern"] == (Gate.RAW, Gate.LOAD)
    assert covered["cores-core-pattern"] == (Gate.RAW,)
    assert covered["row-count"] == (Gate.RAW,)


def test_every_rule_has_words_and_a_place() -> None:
    rules = [(contract, rule) for contract in CONTRACTS.values() for rule in contract.rules]
    assert rules
    for contract, rule in rules:
        assert rule.description.endswith(".")
        if rule.path or rule.kind not in ABOUT_THE_WHOLE:
            assert rule.path in {prop.path for prop in contract.walk()}
