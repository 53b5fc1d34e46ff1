"""The load gate on a PostgreSQL of its own, where Great Expectations asks the same questions as on Redshift."""

import json
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from contracts.derive.expectations import Expectation, ExpectationKind, expectations
from contracts.derive.redshift import staging_columns
from contracts.errors import ServiceUnavailable
from contracts.model import Contract, LogicalType, Rule, RuleKind, Severity
from contracts.read import read_contracts
from contracts.sample import as_others, good_record, good_records
from contracts.specimens import bad_records, breaking_records
from local import postgres
from tests.contracts.every_kind import EVERY_KIND
from validation import load_gate
from validation.load_gate import check_staging, context, run_suite, warm_up
from validation.results import CheckResult, Verdict
from validation.suite import Told, check_of

CONTRACTS = {**read_contracts(), "flights": EVERY_KIND}
SEED = 7
LAUNCHPADS = CONTRACTS["launchpads"]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.RunningPostgres]:
    warm_up()
    with postgres.running_postgres(tmp_path_factory.mktemp("load-gate") / "pg") as running:
        with closing(psycopg2.connect(running.dsn())) as connection, connection, connection.cursor() as cursor:
            cursor.execute(f"create schema {load_gate.STAGING_SCHEMA}")
        yield running


def stage(warehouse: postgres.RunningPostgres, contract: Contract, *records: dict[str, Any], drop: str = "") -> str:
    """Makes a staging table of these records, its columns without constraints. Returns its name."""
    columns = [column for column in staging_columns(contract) if column.name != drop]
    table = f"{contract.dataset}__b"
    definitions = ", ".join(f'"{column.name}" {column.type.replace("SUPER", "jsonb")}' for column in columns)
    with closing(psycopg2.connect(warehouse.dsn())) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"drop table if exists {load_gate.STAGING_SCHEMA}.{table}")
        cursor.execute(f"create table {load_gate.STAGING_SCHEMA}.{table} ({definitions})")
        for record in records:
            folded = {name.lower(): value for name, value in record.items()}  # as Redshift folds names
            values = [folded.get(column.name) for column in columns]
            plain = [json.dumps(value) if isinstance(value, dict | list) else value for value in values]
            marks = ", ".join(["%s"] * len(plain))
            cursor.execute(f"insert into {load_gate.STAGING_SCHEMA}.{table} values ({marks})", plain)
    return table


def answers(warehouse: postgres.RunningPostgres, contract: Contract, table: str, staged_count: int) -> dict[str, Told]:
    url = f"postgresql+psycopg2://{postgres.SUPERUSER}@localhost/{postgres.SUPERUSER}"
    datasource = context().data_sources.add_postgres(
        "pg", connection_string=f"{url}?host={warehouse.host}&port={warehouse.port}"
    )
    told = run_suite(datasource, table, expectations(contract), staged_count)
    return {one.expectation.rule_id: one for one in told}


def judged(
    warehouse: postgres.RunningPostgres, contract: Contract, table: str, staged_count: int
) -> dict[str, CheckResult]:
    told = answers(warehouse, contract, table, staged_count)
    return {rule_id: check_of(contract, one) for rule_id, one in told.items()}


def failed(checks: dict[str, CheckResult]) -> dict[str, tuple[str, str]]:
    return {rule_id: (check.observed, check.expected) for rule_id, check in checks.items() if not check.passed}


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_a_staged_table_that_keeps_its_contract_passes_every_expectation(
    dataset: str, warehouse: postgres.RunningPostgres
) -> None:
    contract = CONTRACTS[dataset]
    records = list(good_records(contract, 2, SEED))

    checks = judged(warehouse, contract, stage(warehouse, contract, *records), 2)

    assert failed(checks) == {}
    assert list(checks) == [one.rule_id for one in expectations(contract)]
    assert checks["staged-row-count"].observed == "2 rows"


def test_lost_rows_are_found(warehouse: postgres.RunningPostgres) -> None:
    checks = judged(warehouse, LAUNCHPADS, stage(warehouse, LAUNCHPADS, good_record(LAUNCHPADS)), 2)

    assert failed(checks) == {"staged-row-count": ("1 row", "the 2 rows that the raw gate accepted")}


def test_a_column_that_is_not_there_is_told_and_not_taken_for_trouble(warehouse: postgres.RunningPostgres) -> None:
    table = stage(warehouse, LAUNCHPADS, good_record(LAUNCHPADS), drop="region")

    checks = judged(warehouse, LAUNCHPADS, table, 1)

    assert list(failed(checks)) == ["staged-columns"]
    assert checks["staged-columns"].observed == "columns without region"


def test_a_key_that_is_staged_twice_is_found(warehouse: postgres.RunningPostgres) -> None:
    good = good_record(LAUNCHPADS)

    checks = judged(warehouse, LAUNCHPADS, stage(warehouse, LAUNCHPADS, good, good), 2)

    assert failed(checks) == {"id-unique": (f"id repeats in 2 rows: {good['id']}", "no id twice")}


def test_nothing_is_written_to_disk(
    warehouse: postgres.RunningPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = stage(warehouse, LAUNCHPADS, good_record(LAUNCHPADS))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    judged(warehouse, LAUNCHPADS, table, 1)

    assert list(tmp_path.iterdir()) == []


def unlike(contract: Contract) -> dict[str, list[dict[str, Any]]]:
    """For each expectation that speaks of single rows, rows which break its rule and no other."""
    return {
        one.rule_id: [specimen.record for specimen in bad_records(contract, contract.rule(one.rule_id))]
        for one in expectations(contract)
        if one.column is not None and one.kind is not ExpectationKind.UNIQUE
    }


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_every_expectation_of_a_column_fails_for_the_rows_that_break_its_rule_and_for_no_other(
    dataset: str, warehouse: postgres.RunningPostgres
) -> None:
    contract = CONTRACTS[dataset]
    bad = unlike(contract)
    assert bad and all(bad.values())
    rows = [*good_records(contract, 3, SEED), *(record for records in bad.values() for record in records)]
    own = list(as_others(contract, rows, SEED))

    told = answers(warehouse, contract, stage(warehouse, _with_wide_texts(contract), *own), len(own))

    broken = {rule_id: one.broken_count for rule_id, one in told.items() if not one.passed}
    assert broken == {rule_id: len(records) for rule_id, records in bad.items()}


UNIQUE_RULES = [
    (dataset, rule)
    for dataset, contract in CONTRACTS.items()
    for rule in contract.rules
    if rule.kind is RuleKind.UNIQUE
]


@pytest.mark.parametrize(
    ("dataset", "rule"), UNIQUE_RULES, ids=[f"{name}-{rule.rule_id}" for name, rule in UNIQUE_RULES]
)
def test_a_value_that_may_not_repeat_is_found_when_it_does(
    dataset: str, rule: Rule, warehouse: postgres.RunningPostgres
) -> None:
    contract = CONTRACTS[dataset]
    rows = breaking_records(contract, rule, SEED)

    checks = judged(warehouse, contract, stage(warehouse, contract, *rows), len(rows))

    assert set(failed(checks)) == {rule.rule_id}


def _with_wide_texts(contract: Contract) -> Contract:
    """The same columns, wide enough for values that break a pattern by their length."""
    wide = [
        replace(prop, physical_type="VARCHAR(65535)") if prop.logical_type is LogicalType.STRING else prop
        for prop in contract.properties
    ]
    return replace(contract, properties=tuple(wide))


def test_values_are_named_only_of_public_columns(warehouse: postgres.RunningPostgres) -> None:
    secret = replace(
        LAUNCHPADS,
        properties=tuple(
            replace(prop, classification="restricted") if prop.name == "id" else prop for prop in LAUNCHPADS.properties
        ),
    )
    good = good_record(LAUNCHPADS)

    checks = judged(warehouse, secret, stage(warehouse, LAUNCHPADS, good, good), 2)

    assert checks["id-unique"].observed == "id repeats in 2 rows"


def test_an_expectation_that_cannot_be_computed_is_trouble_and_no_failed_check(
    warehouse: postgres.RunningPostgres,
) -> None:
    url = f"postgresql+psycopg2://{postgres.SUPERUSER}@localhost/{postgres.SUPERUSER}"
    datasource = context().data_sources.add_postgres(
        "pg", connection_string=f"{url}?host={warehouse.host}&port={warehouse.port}"
    )
    table = stage(warehouse, LAUNCHPADS, good_record(LAUNCHPADS))
    of_a_number = Expectation("launches-pattern", ExpectationKind.PATTERN, "launches", "^a$", Severity.ERROR)

    with pytest.raises(ServiceUnavailable, match="launches-pattern could not be computed"):
        run_suite(datasource, table, [of_a_number], 1)


@dataclass(frozen=True)
class Login:
    port: int
    host: str = "127.0.0.1"
    database: str = "spacex"
    user: str = "loader"
    password: str = "p@ss:w/rd"


def test_a_warehouse_that_does_not_answer_is_trouble_and_says_where() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        with pytest.raises(ServiceUnavailable, match=rf"staging_spacex\.launchpads__b1 on 127\.0\.0\.1:{port}") as told:
            check_staging(Login(port), LAUNCHPADS, "b1", "launchpads__b1", 1)

    assert "p@ss" not in str(told.value)
    assert "p%40ss" not in str(told.value)


@pytest.mark.parametrize(("severity", "holds"), [(Severity.ERROR, True), (Severity.WARNING, False)])
def test_only_an_error_holds_the_batch(severity: Severity, holds: bool) -> None:
    check = CheckResult("status-enum", False, severity, "status is not so in 1 row", "status one of a")

    assert (load_gate.verdict([check]) is Verdict.NO_GO) is holds
