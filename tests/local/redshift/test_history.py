"""Tests that sys_query_history tells of every statement, how it ended, and in which query group it ran."""

from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest
from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError

from tests.local.redshift.conftest import Ask
from tests.local.redshift.warehouse import ROLE, Warehouse, json_lines

_MINE = (
    "select query_type, status, returned_rows, query_text from sys_query_history where session_id = %s order by 1, 4"
)


def test_statements_are_told_with_their_end(connection: Connection, ask: Ask) -> None:
    ((pid,),) = ask("select pg_backend_pid()")
    ask("create temp table counted as select 1 as n")
    ask("insert into counted values (2)")
    ask("select n from counted")
    with pytest.raises(ProgrammingError, match="22012"):
        ask("select n / 0 from counted")
    connection.rollback()
    told = ask(_MINE, (pid,))
    assert ["CTAS", "success", 0, "create temp table counted as select 1 as n"] in told
    assert ["INSERT", "success", 0, "insert into counted values (2)"] in told
    assert ["SELECT", "success", 2, "select n from counted"] in told
    assert ["SELECT", "failed", 0, "select n / 0 from counted"] in told
    assert ["UTILITY", "success", 0, "rollback"] in told
    errors = ask("select error_message from sys_query_history where session_id = %s and status = 'failed'", (pid,))
    assert errors == [["division by zero"]]


def test_a_script_is_told_statement_by_statement(warehouse: Warehouse) -> None:
    with closing(warehouse.psycopg()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("set search_path to public; select 7 as one; vacuum; select 8 as two")
        with pytest.raises(psycopg2.Error):
            cursor.execute("select 9 as three; select 1 / 0; select 10 as four")
        cursor.execute(
            "select query_text, query_label, status from sys_query_history "
            "where session_id = pg_backend_pid() order by query_id"
        )
        assert cursor.fetchall() == [
            ("set search_path to public", "default", "success"),
            ("select 7 as one", "default", "success"),
            ("vacuum", "default", "success"),
            ("select 8 as two", "default", "success"),
            ("select 9 as three", "default", "success"),
            ("select 1 / 0", "default", "failed"),
        ]


def test_a_statement_carries_the_label_of_its_query_group(ask: Ask) -> None:
    ask("set query_group to 'publish'")
    ask("select 'in the group'")
    ask("reset query_group")
    ask("select 'outside'")
    assert ask(
        "select query_text, query_label from sys_query_history where session_id = pg_backend_pid() "
        "and query_type = 'SELECT' order by query_id"
    ) == [["select 'in the group'", "publish"], ["select 'outside'", "default"]]


def test_a_copy_has_the_number_under_which_its_load_is_told(ask: Ask, put: Callable[[str, bytes], str]) -> None:
    ask("create temp table loaded (id int)")
    url = put("a", json_lines({"id": 1}))
    ask(f"copy loaded from '{url}' iam_role '{ROLE}' json")
    found = ask(
        "select q.query_type, q.status, l.loaded_rows from sys_query_history as q "
        f"join sys_load_history as l on q.query_id = l.query_id where l.data_source = '{url}'"
    )
    assert found == [["COPY", "success", 1]]


def test_more_statements_than_are_kept_in_memory_are_told(warehouse: Warehouse) -> None:
    with closing(warehouse.psycopg()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for _ in range(3):
            cursor.execute("; ".join(["select 'many'"] * 400))
        cursor.execute(
            "select count(*) from sys_query_history where query_text = 'select ''many''' "
            "and session_id = pg_backend_pid()"
        )
        assert cursor.fetchone() == (1200,)
