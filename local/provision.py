"""Owns what lies in a new warehouse: its database, its user, the stand-in's own SQL. Doing it again is harmless.

The loader makes its own schemas and tables (loader/).
"""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, connection, cursor
from psycopg2.sql import SQL, Identifier, Literal

from local.ports import HOST
from local.postgres_home import PostgresHome
from local.problem import StackProblem
from local.settings import StackSettings
from local.stack_env import WAREHOUSE_DATABASE, WAREHOUSE_ROLE_USER, WAREHOUSE_USER

_BOOTSTRAP_MARK = "spacex-elt bootstrap "  # the database's comment: which version of the SQL it has


def provision(home: PostgresHome, password: str) -> None:
    """Make the warehouse's database and user, and run the stand-in's SQL in it unless this version has been run."""
    try:
        _connected(home.dsn(), lambda session: _make_user_and_database(session, password))
        _connected(home.dsn(WAREHOUSE_DATABASE), _bootstrap)
    except psycopg2.Error as error:
        raise StackProblem(
            f"The warehouse's database {WAREHOUSE_DATABASE} in {home.data} could not be set up: {error}. "
            "`spacex-elt local reset` starts afresh."
        ) from error


def warehouse_answers(settings: StackSettings, authority: Path) -> bool:
    """Tell whether the warehouse's user is let in, over TLS, and has a query answered."""
    try:
        session = psycopg2.connect(
            host=HOST,
            port=settings.ports["redshift"],
            dbname=WAREHOUSE_DATABASE,
            user=WAREHOUSE_USER,
            password=settings.warehouse_password,
            sslmode="verify-full",
            sslrootcert=str(authority),
            connect_timeout=5,
        )
        with contextlib.closing(session), session.cursor() as at:
            at.execute("select 1")
            return at.fetchone() == (1,)
    except psycopg2.Error:
        return False


def _connected(dsn: str, action: Callable[[connection], None]) -> None:
    with contextlib.closing(psycopg2.connect(dsn)) as session:
        action(session)


def _make_user_and_database(session: connection, password: str) -> None:
    session.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)  # a database is not made in a transaction
    with session.cursor() as at:
        at.execute("set log_min_error_statement = panic")  # no statement with the password into the server's log
        user = Identifier(WAREHOUSE_USER)
        verb = SQL("alter" if _exists(at, "pg_roles", "rolname", WAREHOUSE_USER) else "create")
        at.execute(SQL("{} role {} login createrole password {}").format(verb, user, Literal(password)))
        if not _exists(at, "pg_roles", "rolname", WAREHOUSE_ROLE_USER):
            at.execute(SQL("create role {} login createrole in role {}").format(Identifier(WAREHOUSE_ROLE_USER), user))
        if not _exists(at, "pg_database", "datname", WAREHOUSE_DATABASE):
            at.execute(SQL("create database {} owner {}").format(Identifier(WAREHOUSE_DATABASE), user))


def _exists(at: cursor, catalog: str, column: str, name: str) -> bool:
    at.execute(SQL("select 1 from {} where {} = %s").format(Identifier(catalog), Identifier(column)), (name,))
    return at.fetchone() is not None


def _bootstrap(session: connection) -> None:
    from local.redshift.sql import bootstrap_sql  # brings an SQL parser, which the command line can do without

    text = bootstrap_sql()
    mark = _BOOTSTRAP_MARK + hashlib.sha256(text.encode()).hexdigest()
    with session, session.cursor() as at:  # all of it or nothing, the mark included
        at.execute("select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()")
        row = at.fetchone()
        if row is not None and row[0] == mark:
            return
        at.execute(text)
        comment = SQL("comment on database {} is {}")
        at.execute(comment.format(Identifier(WAREHOUSE_DATABASE), Literal(mark)))
