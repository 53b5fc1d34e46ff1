"""Owns the warehouse these tests build in: a database of its own behind the stack's Redshift stand-in."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from contracts.read import read_contracts
from loader.load import prepare_warehouse
from loader.warehouse import WarehouseAddress, connect
from local.parts import postgres_directory
from local.postgres_home import prepare
from local.redshift.sql import bootstrap_sql
from local.stack import StackState
from tests.dbt.warehouse import Records, Warehouse
from tests.validation.recordings import recorded

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "dbt_build"


@pytest.fixture(scope="module")
def warehouse(stack: StackState) -> Iterator[Warehouse]:
    home = prepare(postgres_directory(stack.state_dir))
    with closing(psycopg2.connect(home.dsn())) as session:
        session.autocommit = True
        session.cursor().execute(f"create database {DATABASE} owner loader")
    with closing(psycopg2.connect(home.dsn(DATABASE))) as session:
        session.cursor().execute(bootstrap_sql())
        session.commit()
    login = json.loads((stack.state_dir / "redshift-credentials.json").read_bytes())
    port = next(part.ports["redshift"] for part in stack.parts if part.name == "redshift")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", stack.env["SSL_CERT_FILE"])
        address = WarehouseAddress("127.0.0.1", port, DATABASE, "loader", login["loader"])
        contracts = read_contracts(ROOT / "contracts")
        with connect(address) as opened:
            prepare_warehouse(opened, contracts)
        yield Warehouse(address, list(contracts.values()))


@pytest.fixture(scope="module")
def recordings() -> Records:
    return {name: recorded("api-2021-04-22", name) for name in read_contracts(ROOT / "contracts")}
