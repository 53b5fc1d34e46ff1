"""The load gate on the warehouse itself: the tables, the dialect and the driver that production has."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.derive.expectations import expectations
from contracts.derive.redshift import columns, staging_table_ddl
from contracts.errors import ServiceUnavailable
from contracts.model import Contract, RuleKind
from contracts.read import read_contracts
from contracts.sample import good_record
from loader.warehouse import Session, WarehouseAddress, connect
from local.stack import StackState
from spacex_elt.secrets import read_warehouse_address
from spacex_elt.settings import read_settings
from tests.e2e.harness import environment
from validation.load_gate import STAGING_SCHEMA, check_staging
from validation.results import Verdict

pytestmark = [
    pytest.mark.stack,
    pytest.mark.filterwarnings("ignore:ssl[.]:DeprecationWarning"),  # redshift_connector on Python 3.11
]

CONTRACTS = read_contracts()
BATCH = "loadgatetest"


@pytest.fixture(scope="module")
def warehouse(stack: StackState) -> Iterator[WarehouseAddress]:
    with environment({"SPACEX_ELT_ENV_FILE": str(stack.state_dir / "stack.env")}):
        yield read_warehouse_address(read_settings().warehouse_secret_id)


@pytest.fixture
def session(warehouse: WarehouseAddress) -> Iterator[Session]:
    """A session in which nothing is left behind."""
    with connect(warehouse) as opened:
        yield opened
        for dataset in CONTRACTS:
            opened.run(f"drop table if exists {STAGING_SCHEMA}.{dataset}__{BATCH}")
        opened.commit()


def stage(session: Session, contract: Contract, records: list[dict[str, Any]]) -> None:
    """Fills a staging table as the loader makes it."""
    table = f"{STAGING_SCHEMA}.{contract.dataset}__{BATCH}"
    session.run(f"create schema if not exists {STAGING_SCHEMA}")
    session.run(staging_table_ddl(contract, table))
    envelope = {"_airbyte_raw_id": "raw", "_airbyte_extracted_at_ms": 1, "_airbyte_generation_id": 1}
    filled = columns(contract)
    names = ", ".join(f'"{column.name}"' for column in filled)
    for record in records:
        row = {**{name.lower(): value for name, value in record.items()}, **envelope}  # as Redshift folds names
        values = ", ".join(literal(row[column.name], column.type) for column in filled)
        session.run(f"insert into {table} ({names}) select {values}")
    session.commit()


def literal(value: Any, column_type: str) -> str:
    if value is None:
        return "null"
    text = json.dumps(value) if column_type == "SUPER" else str(value)
    quoted = "'" + text.replace("'", "''") + "'"
    if column_type == "SUPER":
        return f"json_parse({quoted})"
    return f"cast({quoted} as {column_type.lower()})"


def named(contract: Contract, count: int) -> list[dict[str, Any]]:
    """Records that share no value that is to be unique."""
    good = good_record(contract)
    unique = [rule.path for rule in contract.rules if rule.kind is RuleKind.UNIQUE]
    return [
        {**good, **{name: _own(good[name], number) for name in unique}, contract.key.name: f"{number:024x}"}
        for number in range(count)
    ]


def _own(value: Any, number: int) -> Any:
    return value + number if isinstance(value, int) else f"{value} {number}"


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_a_staged_table_that_keeps_its_contract_is_let_through(
    dataset: str, warehouse: WarehouseAddress, session: Session
) -> None:
    contract = CONTRACTS[dataset]
    stage(session, contract, named(contract, 3))

    result = check_staging(warehouse, contract, BATCH, f"{dataset}__{BATCH}", 3)

    assert [check for check in result.checks if not check.passed] == []
    assert [check.rule_id for check in result.checks] == [one.rule_id for one in expectations(contract)]
    assert (result.verdict, result.staged_count) == (Verdict.GO, 3)
    assert result.reason == f"{dataset} batch loadgate…: all 3 staged rows as expected"


def test_what_is_wrong_with_a_staged_table_is_told(warehouse: WarehouseAddress, session: Session) -> None:
    contract = CONTRACTS["launchpads"]
    first, second, third = named(contract, 3)
    stage(session, contract, [first, first, {**second, "launch_attempts": -1}, {**third, "id": "not hex"}])

    result = check_staging(warehouse, contract, BATCH, f"launchpads__{BATCH}", 5)

    assert result.verdict is Verdict.NO_GO
    assert {check.rule_id: check.observed for check in result.checks if not check.passed} == {
        "staged-row-count": "4 rows",
        "launch_attempts-minimum": "launch_attempts is not so in 1 row: -1",
        "id-pattern": "id is not so in 1 row: not hex",
        "id-unique": f"id repeats in 2 rows: {first['id']}",
    }
    assert "4 rows, expected the 5 rows that the raw gate accepted (rule staged-row-count)" in result.reason


def test_a_staging_table_that_is_not_there_is_trouble_and_no_verdict(warehouse: WarehouseAddress) -> None:
    with pytest.raises(ServiceUnavailable, match=r"staging_spacex\.launchpads__nowhere"):
        check_staging(warehouse, CONTRACTS["launchpads"], "nowhere", "launchpads__nowhere", 1)
