"""Tests what is left when a side is killed: a clear error, nothing half-done, and a server that goes on."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest

from tests.local.redshift.conftest import Ask
from tests.local.redshift.warehouse import PASSWORD, ROLE, Warehouse, json_lines

_CLIENT = """
import psycopg2, sys
connection = psycopg2.connect(sys.argv[1])
print(connection.get_backend_pid(), flush=True)
connection.cursor().execute(sys.argv[2])
"""


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def start_client(warehouse: Warehouse, statement: str) -> tuple["subprocess.Popen[str]", int]:
    dsn = (
        f"host=127.0.0.1 port={warehouse.port} dbname=spacex user=loader password='{PASSWORD}' "
        f"sslmode=verify-full sslrootcert={warehouse.certificates.authority}"
    )
    client = subprocess.Popen([sys.executable, "-c", _CLIENT, dsn, statement], stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None
    return client, int(client.stdout.readline())


def is_busy(warehouse: Warehouse, pid: int) -> bool:
    return bool(superuser(warehouse, f"select 1 from pg_stat_activity where pid = {pid} and state = 'active'"))


def is_there(warehouse: Warehouse, pid: int) -> bool:
    return bool(superuser(warehouse, f"select 1 from pg_stat_activity where pid = {pid}"))


def superuser(warehouse: Warehouse, sql: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(warehouse.postgres.dsn("spacex"))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(sql)
        return cursor.fetchall()


def test_a_killed_client_leaves_no_statement_running(warehouse: Warehouse) -> None:
    client, pid = start_client(warehouse, "select pg_sleep(300)")
    wait_until(lambda: is_busy(warehouse, pid))
    client.kill()
    client.communicate()
    wait_until(lambda: not is_there(warehouse, pid))


def test_a_client_killed_while_it_copies_leaves_no_row(
    warehouse: Warehouse, ask: Ask, put: Callable[[str, bytes], str]
) -> None:
    ask("commit")
    ask("create table half_done (id int, filler varchar(1000))")
    ask("commit")
    url = put("rows.json", json_lines(*[{"id": n, "filler": "x" * 900} for n in range(2000)]))
    put("manifest", b'{"entries":[%s]}' % b",".join([b'{"url":"%s"}' % url.encode()] * 400))
    manifest = url.replace("rows.json", "manifest")
    client, pid = start_client(
        warehouse, f"copy half_done from '{manifest}' iam_role '{ROLE}' format json 'auto' manifest"
    )
    wait_until(lambda: bool(superuser(warehouse, f"select 1 from pg_stat_progress_copy where pid = {pid}")))
    client.kill()
    client.communicate()
    wait_until(lambda: not is_there(warehouse, pid))
    assert ask("select count(*) from half_done") == [[0]]
    assert ask("select status from sys_load_history where table_name = 'half_done'") == [["failed"]]


def test_a_killed_session_of_postgresql_is_told_and_others_come_in(warehouse: Warehouse) -> None:
    with closing(warehouse.psycopg()) as connection:
        superuser(warehouse, f"select pg_terminate_backend({connection.get_backend_pid()})")
        with pytest.raises(psycopg2.OperationalError, match=r"terminating connection|closed unexpectedly"):
            connection.cursor().execute("select 1")
    with closing(warehouse.psycopg()) as connection, connection.cursor() as cursor:
        cursor.execute("select 1")
        assert cursor.fetchone() == (1,)


def test_a_session_of_postgresql_killed_without_warning_ends_only_its_client(warehouse: Warehouse) -> None:
    # kill -9 of one session makes PostgreSQL restart all of them; the server must outlive that.
    with closing(warehouse.psycopg()) as connection, closing(warehouse.psycopg()) as other:
        os.kill(connection.get_backend_pid(), signal.SIGKILL)
        with pytest.raises(psycopg2.OperationalError, match=r"terminating connection|closed unexpectedly"):
            connection.cursor().execute("select 1")
        with pytest.raises(psycopg2.OperationalError, match=r"terminating connection|closed unexpectedly"):
            while True:  # it may answer until PostgreSQL has noticed
                other.cursor().execute("select 1")

    def comes_in() -> bool:
        try:
            warehouse.psycopg().close()
        except psycopg2.OperationalError as exc:
            assert re.search("accepting connections|recovery mode|starting up", str(exc))
            return False
        return True

    wait_until(comes_in)


def test_a_cancelled_copy_loads_nothing_and_the_connection_lives_on(
    warehouse: Warehouse, ask: Ask, put: Callable[[str, bytes], str]
) -> None:
    ask("create table if not exists cancelled (id int, filler varchar(1000))")
    ask("commit")
    url = put("rows.json", json_lines(*[{"id": n, "filler": "x" * 900} for n in range(2000)]))
    put("manifest", b'{"entries":[%s]}' % b",".join([b'{"url":"%s"}' % url.encode()] * 400))
    manifest = url.replace("rows.json", "manifest")
    with closing(warehouse.psycopg()) as connection, connection.cursor() as cursor:
        pid = connection.get_backend_pid()

        def cancel() -> None:
            wait_until(lambda: bool(superuser(warehouse, f"select 1 from pg_stat_progress_copy where pid = {pid}")))
            connection.cancel()

        canceller = threading.Thread(target=cancel)
        canceller.start()
        with pytest.raises(psycopg2.errors.QueryCanceled):
            cursor.execute(f"copy cancelled from '{manifest}' iam_role '{ROLE}' format as json 'auto' manifest")
        canceller.join()
        connection.rollback()
        cursor.execute("select count(*) from cancelled")
        assert cursor.fetchone() == (0,)
        cursor.execute("select status from sys_query_history where session_id = %s and query_type = 'COPY'", (pid,))
        assert cursor.fetchall() == [("canceled",)]
        cursor.execute("select status from sys_load_history where session_id = %s", (pid,))
        assert cursor.fetchall() == [("failed",)]
