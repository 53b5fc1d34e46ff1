"""Tests the PostgreSQL behind the stand-in: it comes up alone, keeps to a private socket, and leaves nothing."""

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from local import postgres, postgres_home
from local.problem import StackProblem
from local.processes import ProcessName, kill


def answer(pg: postgres.RunningPostgres, query: str) -> object:
    with closing(psycopg2.connect(pg.dsn())) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
        assert row is not None
        return row[0]


def test_a_postgres_answers_on_a_private_socket_and_leaves_no_file(tmp_path: Path) -> None:
    directory = tmp_path / "pg"
    with postgres.running_postgres(directory) as pg:
        assert answer(pg, "select count(*) from pg_settings where name = 'listen_addresses' and setting = ''") == 1
        assert pg.home.socket_directory.stat().st_mode & 0o007 == 0
        home = pg.home
        assert postgres_home.processes(directory)

    assert postgres_home.processes(directory) == []
    assert not directory.exists()
    assert not home.data.exists()
    assert not home.socket_directory.exists()


def test_text_sorts_by_code_point_and_folds_beyond_ascii(tmp_path: Path) -> None:
    with postgres.running_postgres(tmp_path / "pg") as pg:
        assert answer(pg, "select ('Z' < 'a')::text || lower('É')") == "trueé"


def test_a_killed_server_keeps_its_committed_rows_and_starts_again(tmp_path: Path) -> None:
    directory = tmp_path / "pg"
    home = postgres_home.prepare(directory)
    try:
        for expected in ("first", "first second"):
            with (tmp_path / "log").open("ab") as log:
                process = postgres.start(home, log.fileno())
            postgres.wait_until_ready(home, process, tmp_path / "log")
            with closing(psycopg2.connect(home.dsn())) as connection, connection, connection.cursor() as cursor:
                cursor.execute("create table if not exists kept as select 'first' as word")
                cursor.execute("select string_agg(word, ' ') from kept")
                assert cursor.fetchone() == (expected,)
                cursor.execute("insert into kept values ('second')")
            killed = ProcessName.of(process.pid)
            assert killed is not None
            kill([killed])
            process.wait()
            postgres_home.forget_dead_server(directory)
    finally:
        kill(postgres_home.processes(directory))
        postgres_home.discard(directory)


def test_data_of_another_major_version_are_refused_by_name(tmp_path: Path) -> None:
    directory = tmp_path / "pg"
    home = postgres_home.prepare(directory)
    try:
        (home.data / "PG_VERSION").write_text("9\n")
        with pytest.raises(StackProblem, match=r"written by PostgreSQL 9, but .* 18.*local reset"):
            postgres_home.prepare(directory)
    finally:
        postgres_home.discard(directory)


def test_a_directory_somebody_else_made_first_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / "pg"
    home = postgres_home.prepare(directory)
    try:
        home.socket_directory.chmod(0o777)
        with pytest.raises(StackProblem, match="expected a private directory"):
            postgres_home.prepare(directory)
    finally:
        postgres_home.discard(directory)
