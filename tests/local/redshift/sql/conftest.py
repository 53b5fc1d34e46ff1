"""Owns the database these tests run translated SQL in: PostgreSQL made the stand-in's, without its wire."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from local.postgres import RunningPostgres
from local.redshift.sql import bootstrap_sql, translate

Run = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def bootstrapped(running_postgres: RunningPostgres) -> str:
    """Return the DSN of a database that the bootstrap script has run in, twice: doing so again must be harmless."""
    with closing(psycopg2.connect(running_postgres.dsn())) as connection:
        connection.autocommit = True
        connection.cursor().execute("create database translated owner loader")
    dsn = running_postgres.dsn("translated")
    for _ in range(2):
        with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(bootstrap_sql())
    return dsn


@pytest.fixture
def cursor(bootstrapped: str) -> Iterator[Any]:
    """A cursor of the user `loader` in a transaction that is rolled back afterwards."""
    with closing(psycopg2.connect(bootstrapped)) as connection:
        opened = connection.cursor()
        opened.execute("set session authorization loader")
        yield opened
        connection.rollback()


@pytest.fixture
def run(cursor: Any) -> Run:
    """Runs Redshift SQL after translation; the rows of its last statement."""

    def rows(sql: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for statement in translate(sql):
            if statement.sql:
                cursor.execute(statement.sql)
                found = cursor.fetchall() if cursor.description else []
        return found

    return rows
