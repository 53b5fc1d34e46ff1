"""The smoke run: asks a warehouse all the statements beside this, loads a few rows, and says what is not as written.

`make smoke-redshift`: against the warehouse of the settings in force, so of the deployment that SPACEX_ELT_ENV_FILE
names, or of the local stack. It works in a schema of its own, which it makes and drops. docs/redshift-stand-in.md.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import redshift_connector
from redshift_connector.core import Connection
from redshift_connector.error import Error

from contracts.errors import PipelineError, ServiceUnavailable, UsageError
from loader.s3 import S3Store
from loader.warehouse import WarehouseAddress
from spacex_elt.exit_codes import exit_code_of
from spacex_elt.settings import read_settings
from spacex_elt.warehouse_login import warehouse_login
from tests.smoke import statements

SCHEMA = "spacex_elt_smoke"
_PREFIX = f"{SCHEMA}/"
_RECORDS = ({"id": 1, "name": "Falcon 1"}, {"id": 2, "name": "Falcon 9 – Ø"}, {"id": 3, "name": None})


@dataclass(frozen=True, slots=True)
class Difference:
    """A statement after which the warehouse said something else than is written."""

    sql: str
    wanted: str
    said: str
    page: str

    def __str__(self) -> str:
        return f"{self.sql}\n    wanted: {self.wanted}\n    said:   {self.said}\n    {statements.PAGES}{self.page}"


@dataclass(frozen=True, slots=True)
class Lake:
    """Where COPY reads from: a bucket, a role that may, and how an object gets there."""

    bucket: str
    role_arn: str
    put: Callable[[str, bytes], object]


def main() -> int:
    """Ask the warehouse of the settings; 0 when all is as written, 1 when something is not."""
    try:
        settings = read_settings()
        address = warehouse_login(settings)()
        with closing(S3Store(settings.lake_bucket)) as store, _connected(address) as connection:
            lake = Lake(
                settings.lake_bucket, settings.copy_role_arn, lambda key, body: store.put(key, body, "text/plain")
            )
            return report(connection, str(address), lake)
    except PipelineError as exc:
        print(f"the smoke run did not happen: {exc}", file=sys.stderr)
        return int(exit_code_of(exc))


def report(connection: Connection, address: str, lake: Lake) -> int:
    """Ask, load, and print what was found."""
    version = _value(connection, "select version()")
    is_stand_in = "stand-in" in version
    print(f"{address}: {version}")
    if is_stand_in:
        print("This is the Redshift stand-in, not AWS: the run shows that the statements are as written here, no more.")
    with _tables(connection):
        differences = [*asked(connection, is_stand_in=is_stand_in), *loaded(connection, lake)]
    for difference in differences:
        print(f"\n{difference}")
    count = len(statements.refused()) + len(statements.accepted()) + len(statements.questions())
    print(f"\n{count} statements asked, 1 load made: {len(differences)} differences")
    return 1 if differences else 0


def asked(connection: Connection, *, is_stand_in: bool) -> Iterator[Difference]:
    """What is accepted and should not be, refused and should not be, or answered otherwise.

    Which SQLSTATE Redshift refuses with is not documented, so any will do there; of the stand-in, only those written.
    """
    for one in statements.refused():
        outcome = statements.run(connection, one.script, is_outside=one.is_outside)
        if not outcome.sqlstate or (is_stand_in and outcome.sqlstate not in one.sqlstates):
            yield Difference(one.sql, f"refused ({' or '.join(one.sqlstates)})", str(outcome), one.page)
    for one in statements.accepted():
        outcome = statements.run(connection, one.script, is_outside=one.is_outside)
        if outcome.sqlstate:
            yield Difference(one.sql, "accepted", str(outcome), one.page)
    yield from answered(connection, is_stand_in=is_stand_in)


def answered(connection: Connection, *, is_stand_in: bool) -> Iterator[Difference]:
    """What is answered otherwise."""
    for question in statements.questions():
        outcome = statements.run(connection, question.script, is_outside=question.is_outside)
        wanted = statements.expected_here(question) if is_stand_in else question.rows
        if wanted != (outcome.sqlstate or outcome.rows):
            yield Difference(question.sql, str(wanted), f"{outcome}: {outcome.rows}", question.page)


def loaded(connection: Connection, lake: Lake) -> Iterator[Difference]:
    """Load three rows by a manifest, publish them once though it is tried twice, and count at each step."""
    body = gzip.compress(b"".join(json.dumps(record).encode() + b"\n" for record in _RECORDS), mtime=0)
    entry = {
        "url": f"s3://{lake.bucket}/{_PREFIX}rows.jsonl.gz",
        "mandatory": True,
        "meta": {"content_length": len(body)},
    }
    lake.put(f"{_PREFIX}rows.jsonl.gz", body)
    lake.put(f"{_PREFIX}manifest", json.dumps({"entries": [entry]}).encode())
    cursor = connection.cursor()
    for sql in (
        "create table staged (id integer not null, name varchar(16))",
        "create table published (id integer not null, name varchar(16))",
        "create table ledger (batch varchar(8) not null)",
        f"copy staged from 's3://{lake.bucket}/{_PREFIX}manifest' iam_role '{lake.role_arn}'"
        " format as json 'auto' gzip manifest maxerror 0",
    ):
        cursor.execute(sql)
    yield from _counted(connection, "select pg_last_copy_count()", len(_RECORDS))
    for _ in range(2):
        cursor.execute("begin")
        cursor.execute("lock ledger")
        if _value(connection, "select count(*) from ledger where batch = 'smoke'") == "0":
            cursor.execute("insert into ledger values ('smoke')")
            cursor.execute("insert into published select * from staged")
        cursor.execute("commit")
    yield from _counted(connection, "select count(*) from published", len(_RECORDS))
    yield from _counted(connection, "select count(*) from published where octet_length(name) = 15", 1)


def _counted(connection: Connection, sql: str, wanted: int) -> Iterator[Difference]:
    said = _value(connection, sql)
    if said != str(wanted):
        yield Difference(sql, str(wanted), said, "r_COPY.html")


def _value(connection: Connection, sql: str) -> str:
    cursor = connection.cursor()
    cursor.execute(sql)
    return str(cursor.fetchall()[0][0])


@contextmanager
def _tables(connection: Connection) -> Iterator[None]:
    cursor = connection.cursor()
    try:
        cursor.execute(f"create schema {SCHEMA}")
    except Error as exc:
        raise UsageError(
            f"the schema {SCHEMA} cannot be made: {exc}. Expected none of that name, and the right to make one. "
            f"If it is left of a run that was broken off: drop schema {SCHEMA} cascade."
        ) from exc
    try:
        cursor.execute(f"set search_path to {SCHEMA}")
        for sql in statements.tables():
            cursor.execute(sql)
        yield
    finally:
        cursor.execute("rollback")
        cursor.execute(f"drop schema {SCHEMA} cascade")


@contextmanager
def _connected(address: WarehouseAddress) -> Iterator[Connection]:
    try:
        connection = redshift_connector.connect(
            host=address.host,
            port=address.port,
            database=address.database,
            user=address.user,
            password=address.password,
            ssl=True,
            sslmode="verify-full",
        )
    except (Error, OSError) as exc:
        raise ServiceUnavailable(f"the warehouse {address} did not let us in: {exc}. Check it and its secret.") from exc
    with closing(connection):
        connection.autocommit = True
        yield connection


if __name__ == "__main__":
    sys.exit(main())
