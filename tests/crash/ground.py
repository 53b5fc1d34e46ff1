"""Owns the ground that every load starts from, and what it leaves: warehouse and lake, put back and read fast.

Both are met directly, beside the proxies: PostgreSQL by its socket, S3 by its port.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, cursor

from local import postgres_home, stack_env
from local.parts import postgres_directory
from tests.crash.servers import Servers

_START = "start"
# A sequence logs its values some ahead, and a template's copy takes that for done: after a crash the copy would hand
# out numbers twice. This makes the next value logged.
_LOG_SEQUENCES = """
select setval(format('%I.%I', schemaname, sequencename)::regclass, last_value)
from pg_sequences where last_value is not null
"""
_TABLES = """
select table_schema || '.' || table_name from information_schema.tables
where table_schema in ('raw_spacex', 'staging_spacex', 'pipeline') order by 1
"""


@dataclass(frozen=True)
class State:
    """All of the warehouse and the lake that a load may touch, with nothing of when it was made."""

    tables: Mapping[str, tuple[tuple[Any, ...], ...]]
    objects: Mapping[str, str]  # ETag by key; without telemetry

    def published(self, dataset: str) -> tuple[Any, ...]:
        """What one transaction must change as a whole: a dataset's rows, and its rows in the ledger."""
        ledger = self.tables["pipeline.load_ledger"]
        return self.tables[f"raw_spacex.{dataset}"], tuple(row for row in ledger if dataset in row)

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr((sorted(self.tables.items()), sorted(self.objects.items()))).encode()).hexdigest()

    def differences(self, other: "State") -> list[str]:
        """What differs, in words."""
        return [
            _compared(f"{kind} {name}", mine.get(name), theirs.get(name))
            for kind, mine, theirs in (("table", self.tables, other.tables), ("object", self.objects, other.objects))
            for name in sorted({*mine, *theirs})
            if mine.get(name) != theirs.get(name)
        ]


def _compared(what: str, now: Any, expected: Any) -> str:
    if now is None or expected is None:
        return f"{what} is {'missing' if now is None else 'left over'}"
    if isinstance(now, str):
        return f"{what} is another"
    lost, extra = set(expected) - set(now), set(now) - set(expected)
    return f"{what} has {len(now)} rows, expected {len(expected)}: {len(lost)} lost or other, {len(extra)} wrong"


EMPTY = State({}, {})


@dataclass
class Ground:
    """The state a load starts from, once it is kept."""

    servers: Servers
    _objects: dict[str, str] = field(default_factory=dict)
    _bodies: dict[str, bytes] = field(default_factory=dict)
    _mark: str = ""
    _kept_at: datetime | None = None

    def __post_init__(self) -> None:
        self._home = postgres_home.prepare(postgres_directory(self.servers.state_dir))
        chosen = self.servers.settings
        self._s3 = boto3.session.Session(
            chosen.s3_access_key, chosen.s3_secret_key, region_name=stack_env.REGION
        ).client("s3", endpoint_url=stack_env.url(chosen, "s3"))

    def keep(self) -> State:
        """Make the present state the one to start from, and return it."""
        self.rows(_LOG_SEQUENCES)
        with self._at("postgres") as at:
            at.execute(
                "select shobj_description(oid, 'pg_database') from pg_database where datname = %s",
                (stack_env.WAREHOUSE_DATABASE,),
            )
            ((self._mark,),) = at.fetchall()
            _hang_up(at)
            at.execute(f"create database {_START} template {stack_env.WAREHOUSE_DATABASE}")
        self._objects = self._listed()
        self._bodies = {key: self._body(key) for key in self._objects if key.startswith("runs/")}
        self._kept_at = datetime.now(UTC)
        return self.state()

    def put_back(self) -> None:
        """Make the state as it was kept."""
        name, user = stack_env.WAREHOUSE_DATABASE, stack_env.WAREHOUSE_USER
        with self._at("postgres") as at:
            _hang_up(at)
            at.execute(f"drop database {name} with (force)")
            at.execute(f"create database {name} template {_START} owner {user}")
            at.execute(f"comment on database {name} is %s", (self._mark,))  # a template's comment is not taken over
        now = self._listed()
        for key in now.keys() - self._objects.keys():
            self._s3.delete_object(Bucket=stack_env.LAKE_BUCKET, Key=key)
        for key, body in self._bodies.items():
            if now.get(key) != self._objects[key]:
                self._s3.put_object(Bucket=stack_env.LAKE_BUCKET, Key=key, Body=body)

    def state(self) -> State:
        """The present state."""
        with self._at(stack_env.WAREHOUSE_DATABASE) as at:
            at.execute(_TABLES)
            tables = {name: self._rows(at, name) for (name,) in at.fetchall()}
        objects = {key: etag for key, etag in self._listed().items() if "/telemetry/" not in key}
        return State(tables, objects)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """A query's rows."""
        with self._at(stack_env.WAREHOUSE_DATABASE) as at:
            at.execute(sql)
            return at.fetchall()

    def _rows(self, at: cursor, table: str) -> tuple[tuple[Any, ...], ...]:
        at.execute(f"select * from {table}")
        return tuple(sorted((tuple(map(self._lasting, row)) for row in at.fetchall()), key=repr))

    def _lasting(self, value: Any) -> Any:
        """A value, but for an instant of this load: it is another each time."""
        if isinstance(value, datetime):
            instant = value if value.tzinfo else value.replace(tzinfo=UTC)
            is_new = self._kept_at is not None and self._kept_at <= instant <= datetime.now(UTC)
            return "during the load" if is_new else instant
        return repr(value) if isinstance(value, list | dict) else value

    def _listed(self) -> dict[str, str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=stack_env.LAKE_BUCKET)
        return {found["Key"]: found["ETag"] for page in pages for found in page.get("Contents", ())}

    def _body(self, key: str) -> bytes:
        return self._s3.get_object(Bucket=stack_env.LAKE_BUCKET, Key=key)["Body"].read()

    @contextmanager
    def _at(self, database: str) -> Iterator[cursor]:
        connection = psycopg2.connect(self._home.dsn(database))
        try:
            connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
            with connection.cursor() as at:
                yield at
        finally:
            connection.close()


def _hang_up(at: cursor) -> None:
    at.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s",
        (stack_env.WAREHOUSE_DATABASE,),
    )
