"""What the warehouse's errors are told as: try again, correct a setting, or a refusal to be explained by who asked."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from redshift_connector.error import InterfaceError, OperationalError, ProgrammingError

from contracts.errors import ServiceUnavailable, UsageError
from loader.warehouse import Session, StatementRefused, WarehouseAddress, connect, query_read_only
from local.stack import StackState
from spacex_elt.secrets import read_warehouse_address

NOWHERE = WarehouseAddress("127.0.0.1", 1, "spacex", "loader", "hunter2")


class Broken:
    """A driver's connection whose every call ends in the same error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    @contextmanager
    def cursor(self) -> Iterator["Broken"]:
        yield self

    def execute(self, *_: object) -> None:
        raise self.error

    commit = rollback = execute


def outcome_of(error: Exception) -> Exception:
    session: Any = Session(Broken(error), NOWHERE)  # type: ignore[arg-type]
    with pytest.raises(Exception) as told:
        session.run("select 1")
    return told.value


def said(code: str, message: str) -> ProgrammingError:
    return ProgrammingError({"S": "ERROR", "C": code, "M": message})


NOT_NOW = {
    "hung up": InterfaceError("communication error"),
    "nothing to read": IndexError("index out of range"),
    "reset": ConnectionResetError(104, "reset"),
    "silence": TimeoutError("timed out"),
    "shutdown": said("57P01", "terminating connection due to administrator command"),
    "too many": said("53300", "too many connections"),
    "driver": OperationalError("timed out"),
}
CONFLICTS = {
    "PostgreSQL's": said("40001", "could not serialize access"),
    "deadlock": said("40P01", "deadlock detected"),
    "Redshift's": said(
        "XX000", "1023\nDETAIL:  Serializable isolation violation on table - 126483, transactions forming"
    ),
}


@pytest.mark.parametrize("error", NOT_NOW.values(), ids=NOT_NOW)
def test_a_warehouse_that_is_away_is_worth_a_retry(error: Exception) -> None:
    told = outcome_of(error)
    assert isinstance(told, ServiceUnavailable)
    assert "redshift://loader@127.0.0.1:1/spacex did not answer" in str(told)


@pytest.mark.parametrize("error", CONFLICTS.values(), ids=CONFLICTS)
def test_a_transaction_undone_for_anothers_sake_is_worth_a_retry(error: Exception) -> None:
    told = outcome_of(error)
    assert isinstance(told, ServiceUnavailable)
    assert "undid our transaction" in str(told)


@pytest.mark.parametrize("code", ["42601", "42703", "22001", "XX000", "0A000"])
def test_any_other_refusal_keeps_its_code_and_words(code: str) -> None:
    told = outcome_of(said(code, "no"))
    assert isinstance(told, StatementRefused)
    assert (told.sqlstate, str(told)) == (code, "no")


@pytest.mark.parametrize("code", ["28P01", "28000", "3D000"])
def test_a_refused_login_is_a_wrong_setting(code: str) -> None:
    assert isinstance(outcome_of(said(code, "no")), UsageError)


def test_no_address_shows_its_password() -> None:
    assert "hunter2" not in f"{NOWHERE} {NOWHERE!r}"


def test_a_port_that_nobody_listens_on_is_worth_a_retry() -> None:
    with pytest.raises(ServiceUnavailable, match=r"127\.0\.0\.1:1/"), connect(NOWHERE):
        pass


@pytest.fixture(scope="module")
def address(on_stack: StackState) -> WarehouseAddress:
    return read_warehouse_address(on_stack.env["SPACEX_ELT_WAREHOUSE_SECRET_ID"])


@pytest.fixture
def table(address: WarehouseAddress) -> Iterator[str]:
    """A table of one row."""
    with connect(address) as session:
        session.run("create table warehouse_test (id integer)")
        session.run("insert into warehouse_test values (1)")
        session.commit()
        yield "warehouse_test"
        session.rollback()
        session.run("drop table warehouse_test")
        session.commit()


Wrong = Callable[[WarehouseAddress], WarehouseAddress]


@pytest.mark.stack
@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")  # the driver does not close it
@pytest.mark.parametrize(
    "change",
    [
        lambda address: replace(address, password="hunter2"),
        lambda address: replace(address, user="nobody"),
        lambda address: replace(address, database="nowhere"),
    ],
    ids=["password", "user", "database"],
)
def test_a_login_that_is_refused_is_a_wrong_setting_and_shows_no_password(
    address: WarehouseAddress, change: Wrong
) -> None:
    with pytest.raises(UsageError, match="refused our login") as told, connect(change(address)):
        pass
    assert "hunter2" not in str(told.value)
    del told
    gc.collect()  # the socket that the driver leaves behind, here and not in the next test


@pytest.mark.stack
def test_what_is_not_committed_is_undone(address: WarehouseAddress, table: str) -> None:
    with connect(address) as session:
        assert session.run(f"delete from {table}") == 1
    with connect(address) as session:
        assert session.rows(f"select id from {table}") == [(1,)]


@pytest.mark.stack
def test_a_row_changed_by_another_since_we_looked_is_worth_a_retry(address: WarehouseAddress, table: str) -> None:
    with connect(address) as ours, connect(address) as theirs:
        ours.rows(f"select * from {table}")
        theirs.run(f"update {table} set id = 2")
        theirs.commit()
        with pytest.raises(ServiceUnavailable, match="undid our transaction"):
            ours.run(f"update {table} set id = 3")


@pytest.mark.stack
def test_a_session_goes_on_after_a_refusal_once_it_is_rolled_back(address: WarehouseAddress) -> None:
    with connect(address) as session:
        with pytest.raises(StatementRefused) as told:
            session.run("select nothing from nowhere")
        assert told.value.sqlstate == "42P01"
        session.rollback()
        assert session.rows("select 1") == [(1,)]


@pytest.mark.stack
@pytest.mark.parametrize("sql", ["select 7 % 4", "select 3 where 'abc' like 'a%'", "select 3 -- 100 %", "select 3;"])
def test_a_query_may_be_spelled_as_people_spell_them(address: WarehouseAddress, sql: str) -> None:
    assert query_read_only(address, sql)[1] == [(3,)]


@pytest.mark.stack
@pytest.mark.parametrize(
    "sql",
    [
        "delete from {table}",
        "update {table} set id = 2",
        "insert into {table} values (2)",
        "drop table {table}",
        "create table other_test (id integer)",
        "commit; delete from {table}",
        "set transaction read write",
        "",
        "select 1 +",
    ],
)
def test_what_is_no_query_is_refused_and_changes_nothing(address: WarehouseAddress, table: str, sql: str) -> None:
    with pytest.raises(UsageError, match="refused the query"):
        query_read_only(address, sql.format(table=table))
    with connect(address) as session:
        assert session.rows(f"select id from {table}") == [(1,)]
