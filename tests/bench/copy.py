"""Measures the Redshift stand-in: COPY against PostgreSQL's own, small queries, a dbt run's catalog. `make bench-copy`.

Not a test: machines are shared, so nothing here passes or fails. A ratio compares what was measured in one run.
"""

import argparse
import gzip
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
import orjson
import psutil
import psycopg2
import redshift_connector
from isal import isal_zlib
from redshift_connector.core import Connection

from contracts.derive.redshift import columns, jsonpaths
from contracts.read import read_contracts
from local import postgres_home, stack
from local.parts import postgres_directory
from local.stack import StackState
from local.stack_env import COPY_ROLE, LAKE_BUCKET, WAREHOUSE_DATABASE, WAREHOUSE_USER
from tests.bench.corpus import Record, landed_launches

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OBJECT_COUNT: Final = 8
QUERY_COUNT: Final = 1000
ROUNDS: Final = 7
PREFIX: Final = "bench-copy/"

_LEAN_COLUMNS: Final = {
    "id": "varchar(24) not null",
    "flight_number": "integer not null",
    "name": "varchar(256) not null",
    "date_utc": "timestamptz not null",
    "date_unix": "bigint not null",
    "success": "boolean",
    "rocket": "varchar(24) not null",
    "details": "varchar(8192)",
    "cores": "super not null",
}
# What dbt-redshift asks in a run, as its macros write it.
_CATALOG_QUERIES: Final = (
    "select pg_backend_pid()",
    "select nspname as name from pg_namespace where nspname ilike 'public'",
    """select 'spacex' as database, tablename as name, schemaname as schema, 'table' as type
       from pg_tables where schemaname ilike 'public'
       union all
       select 'spacex' as database, viewname as name, schemaname as schema, 'view' as type
       from pg_views where schemaname ilike 'public'""",
    """select table_name as name, table_schema as schema from information_schema.tables
       where table_schema ilike 'public'""",
    """select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale
       from information_schema.columns where table_name = 'bench' and table_schema = 'public'
       order by ordinal_position""",
    'select "schema", "table", diststyle, sortkey1, "size", tbl_rows from svv_table_info where "schema" = \'public\'',
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A table, and the lines that fill it."""

    ddl: str
    column_names: tuple[str, ...]
    json_paths: str
    line: Callable[[Record], bytes]


def main() -> None:
    """Prints what COPY and small queries take."""
    asked = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-copy-") as folder, _stack(Path(folder)) as state:
        os.environ["SSL_CERT_FILE"] = state.env["SSL_CERT_FILE"]
        _print_head()
        with closing(_connect(state)) as connection, closing(_s3(state)) as s3:
            _measure_copy(state, connection, s3, asked.rows, _shape(asked.shape))
        with closing(_connect(state)) as connection:
            connection.autocommit = True
            _measure_queries(connection)


def _measure_copy(state: StackState, connection: Connection, s3: "S3Client", row_count: int, shape: Shape) -> None:
    plain_bytes = _put_objects(s3, row_count, shape)
    cursor = connection.cursor()
    cursor.execute(f"create table bench ({shape.ddl})")
    connection.commit()
    print(f"{row_count:,} rows, {plain_bytes / row_count:,.0f} bytes of JSON each, {plain_bytes / 1e6:,.0f} MB")
    names = ", ".join(f'"{name}"' for name in shape.column_names)
    statement = (
        f"copy bench ({names}) from 's3://{LAKE_BUCKET}/{PREFIX}rows-' iam_role '{COPY_ROLE}' "
        f"format as json 's3://{LAKE_BUCKET}/{PREFIX}paths.json' gzip timeformat 'auto'"
    )
    copy_s = _timed(lambda: cursor.execute(statement))
    connection.commit()
    assert cursor.execute("select count(*) from bench").fetchone() == [row_count]
    memory_mb = _memory_of_the_server(state) / 1e6
    download_s = _timed(lambda: _download(s3))
    postgres_s = _timed_postgres(state, row_count)
    floor_s = download_s + postgres_s
    print(f"| COPY by the stand-in | {copy_s:.2f} s | {row_count / copy_s:,.0f} rows/s | server {memory_mb:.0f} MB |")
    print(f"| floor: PostgreSQL's COPY of ready text | {postgres_s:.2f} s |")
    print(f"| floor: download and gunzip | {download_s:.2f} s |")
    print(f"| COPY / floor | {copy_s / floor_s:.2f} | at most 2.5 is asked |")


def _measure_queries(connection: Connection) -> None:
    cursor = connection.cursor()
    cursor.execute("select 1")

    def ask_often() -> None:
        for _ in range(QUERY_COUNT):
            cursor.execute("select 1")
            cursor.fetchall()

    rounds = [_timed(ask_often) for _ in range(ROUNDS)]
    print(
        f"| {QUERY_COUNT} x select 1, of {ROUNDS} rounds | fastest {min(rounds):.3f} s, "
        f"median {statistics.median(rounds):.3f} s | below 0.3 s is asked |"
    )
    times = []
    for round_number in range(30):
        for sql in _CATALOG_QUERIES:

            def ask(text: str = f"{sql} -- {round_number}") -> None:  # a text of its own: nothing is found translated
                cursor.execute(text)
                cursor.fetchall()

            times.append(_timed(ask))
    print(
        f"| catalog query, new text | median {statistics.median(times) * 1000:.1f} ms, "
        f"p95 {statistics.quantiles(times, n=20)[-1] * 1000:.1f} ms | below 10 ms is asked |"
    )


def _timed(action: Callable[[], object]) -> float:
    began_s = time.monotonic()
    action()
    return time.monotonic() - began_s


def _timed_postgres(state: StackState, row_count: int) -> float:
    """PostgreSQL's own COPY of the same rows into a table like the first, from text that is ready."""
    home = postgres_home.prepare(postgres_directory(state.state_dir))
    with (
        closing(psycopg2.connect(home.dsn(WAREHOUSE_DATABASE))) as session,
        session.cursor() as at,
        tempfile.TemporaryFile() as text,
    ):
        at.copy_expert("copy bench to stdout", text)
        at.execute("create table floor (like bench including constraints including defaults)")
        session.commit()
        text.seek(0)
        taken_s = _timed(lambda: at.copy_expert("copy floor from stdin", text, size=1 << 18))
        session.commit()
        at.execute("select count(*) from floor")
        assert at.fetchone() == (row_count,)
    return taken_s


def _download(s3: "S3Client") -> None:
    for number in range(OBJECT_COUNT):
        inflate = isal_zlib.decompressobj(31)
        body = s3.get_object(Bucket=LAKE_BUCKET, Key=f"{PREFIX}rows-{number}.gz")["Body"]
        for chunk in body.iter_chunks(1 << 20):
            inflate.decompress(chunk)


def _put_objects(s3: "S3Client", row_count: int, shape: Shape) -> int:
    launches = landed_launches()
    plain_bytes = 0
    for number in range(OBJECT_COUNT):
        share = row_count // OBJECT_COUNT + (number < row_count % OBJECT_COUNT)
        content = b"".join(shape.line(record) + b"\n" for record in itertools.islice(launches, share))
        plain_bytes += len(content)
        s3.put_object(
            Bucket=LAKE_BUCKET, Key=f"{PREFIX}rows-{number}.gz", Body=gzip.compress(content, compresslevel=6, mtime=0)
        )
    s3.put_object(Bucket=LAKE_BUCKET, Key=f"{PREFIX}paths.json", Body=shape.json_paths.encode())
    return plain_bytes


def _shape(name: str) -> Shape:
    if name == "lean":
        paths = json.dumps({"jsonpaths": [f"$['_airbyte_data']['{column}']" for column in _LEAN_COLUMNS]})
        ddl = ", ".join(f'"{column}" {kind}' for column, kind in _LEAN_COLUMNS.items())
        return Shape(ddl, tuple(_LEAN_COLUMNS), paths, _lean_line)
    contract = read_contracts()["launches"]
    ddl = ", ".join(column.definition() for column in columns(contract))
    return Shape(ddl, tuple(column.name for column in columns(contract)), jsonpaths(contract), orjson.dumps)


def _lean_line(landed: Record) -> bytes:
    record = landed["_airbyte_data"]
    core = {name: record["cores"][0][name] for name in ("core", "flight", "reused")} if record["cores"] else {}
    return orjson.dumps(
        {"_airbyte_data": {**{name: record[name] for name in _LEAN_COLUMNS}, "cores": [core]}, "_airbyte_meta": {}}
    )


@contextmanager
def _stack(folder: Path) -> Iterator[StackState]:
    state = stack.up(folder, lambda text: print(text, file=sys.stderr), owner=os.getpid())
    try:
        yield state
    finally:
        stack.reset(folder, lambda text: print(text, file=sys.stderr))


def _connect(state: StackState) -> Connection:
    settings = json.loads((state.state_dir / "settings.json").read_text(encoding="utf-8"))
    return redshift_connector.connect(
        host="127.0.0.1",
        port=settings["ports"]["redshift"],
        database=WAREHOUSE_DATABASE,
        user=WAREHOUSE_USER,
        password=settings["warehouse_password"],
    )


def _s3(state: StackState) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=state.env["AWS_ENDPOINT_URL_S3"],
        region_name=state.env["AWS_REGION"],
        aws_access_key_id=state.env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=state.env["AWS_SECRET_ACCESS_KEY"],
    )


def _memory_of_the_server(state: StackState) -> float:
    (part,) = [part for part in stack.status(state.state_dir).parts if part.name == "redshift"]
    server = psutil.Process(part.pid)
    return float(sum(process.memory_info().rss for process in (server, *server.children(recursive=True))))


def _print_head() -> None:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}, Python {sys.version.split()[0]}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.copy", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument(
        "--shape", choices=("lean", "whole"), default="lean", help="whole: launches as the product loads"
    )
    return parser


if __name__ == "__main__":
    main()
