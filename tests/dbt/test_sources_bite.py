"""For every rule that dbt tests on the published tables: rows that break only it fail its test, and no other."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from contracts.derive import dbt
from contracts.model import Contract, RuleKind, Scope
from contracts.plain_judge import Record
from contracts.sample import as_another, as_others, good_record, good_records, with_key
from contracts.specimens import bad_records, breaking_records
from loader.transform import run_dbt
from local.parts import postgres_directory
from local.postgres_home import prepare
from local.stack import StackState
from observability.run_record import TransformRecord
from tests.dbt.warehouse import Warehouse

pytestmark = pytest.mark.stack

PROJECT = Path(__file__).resolve().parents[2] / "dbt"
SEED = 7
GOOD_COUNT = 8


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dbt")


@pytest.fixture(scope="module")
def unguarded(warehouse: Warehouse, stack: StackState) -> Iterator[Warehouse]:
    """The published tables without `not null`: a test of what the table keeps itself could not fail otherwise."""
    home = prepare(postgres_directory(stack.state_dir))
    with closing(psycopg2.connect(home.dsn(warehouse.address.database))) as session, session.cursor() as cursor:
        for contract in warehouse.contracts:
            cursor.execute(
                f'alter table raw_spacex."{contract.dataset}" alter column "{contract.key.name}" drop not null'
            )
        session.commit()
    yield warehouse


def good(contract: Contract) -> list[Record]:
    return list(good_records(contract, GOOD_COUNT, SEED))


def breaking(contract: Contract, rule_id: str, first: int) -> list[Record]:
    """Rows that break one rule beside the good ones."""
    rule = contract.rule(rule_id)
    if rule.scope is Scope.ROW:
        specimens = bad_records(contract, rule)
        return list(as_others(contract, (one.record for one in specimens), SEED, first))
    if rule.kind is RuleKind.UNIQUE:
        taken = next(record[rule.path] for record in good(contract) if record[rule.path] is not None)
        return [{**as_another(contract, good_record(contract), first, SEED), rule.path: taken}]
    *_, dangling = breaking_records(contract, rule, SEED)
    other = as_another(contract, good_record(contract), first, SEED)
    unique = [one.path for one in contract.rules if one.kind is RuleKind.UNIQUE]
    return [{**dangling, **{path: other[path] for path in unique}}]


def failures(record: TransformRecord, contracts: list[Contract]) -> dict[tuple[str, str], int | None]:
    """How many rows each derived test found, where it found any."""
    found = {}
    for contract in contracts:
        for rule_id in dbt.tested_rules(contract):
            node = record.test_of(contract.dataset, rule_id)
            assert node is not None, f"{contract.dataset}: no test of {rule_id} ran"
            if node.status != "pass":
                found[contract.dataset, rule_id] = node.failures
    return found


def test_samples_of_all_datasets_pass_every_test_of_the_sources(unguarded: Warehouse, work_dir: Path) -> None:
    unguarded.fill({contract.dataset: good(contract) for contract in unguarded.contracts})

    record = run_dbt(unguarded.address, PROJECT, work_dir)

    assert failures(record, list(unguarded.contracts)) == {}


def test_each_test_of_the_sources_fails_for_the_rows_that_break_its_rule(unguarded: Warehouse, work_dir: Path) -> None:
    rows = {contract.dataset: good(contract) for contract in unguarded.contracts}
    expected = {}
    for contract in unguarded.contracts:
        for rule_id in sorted(dbt.tested_rules(contract)):
            bad = breaking(contract, rule_id, first=len(rows[contract.dataset]))
            rows[contract.dataset] += bad
            expected[contract.dataset, rule_id] = len(bad)
    unguarded.fill(json.loads(json.dumps(rows)))

    record = run_dbt(unguarded.address, PROJECT, work_dir)

    assert len(expected) > 10
    assert failures(record, list(unguarded.contracts)) == expected
