"""Owns the pieces the tests of the wire server are made of. The fixtures that put them together are conftest.py's."""

import asyncio
import gc
import gzip
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg2
import redshift_connector
from redshift_connector.core import Connection
from redshift_connector.error import Error

from local.postgres import RunningPostgres
from local.redshift.backend import PostgresAddress
from local.redshift.copy.rules import CopyRules
from local.redshift.copy.s3 import s3_store
from local.redshift.server import Server
from local.redshift.sql import Refused
from local.redshift.startup import Door
from local.redshift.tls import Certificates, ensure_certificates

ROLE = "arn:aws:iam::123456789012:role/spacex-elt-copy"
PASSWORD = "correct horse"
SIGNING_KEY = b"a key of these tests"


@dataclass(frozen=True, slots=True)
class Passed:
    """A statement as the fake translator below passes it on."""

    sql: str
    tag: str | None = None
    copy: str | None = None
    original: str = ""


def pass_on(text: str) -> list[Passed]:
    """Fake of the translator: statements divided by semicolons, three words with a meaning, all else as it is."""
    parts = [part.strip() for part in text.split(";")]
    return [replace(_passed(part), original=part) for part in parts if part]


def _passed(part: str) -> Passed:
    word = part.split(maxsplit=1)[0].lower()
    if word == "refuse":
        raise Refused("REFUSE is not supported by this Redshift stand-in", hint="Say something else.")
    if word == "vacuum":
        return Passed("", tag="VACUUM")
    if word in ("copy", "unload"):
        return Passed("", copy=part)
    if "query_group" in part and word in ("set", "reset"):
        return Passed("", tag=word.upper())
    if word == "analyze":
        return Passed("select 1 where false", tag="ANALYZE")
    return Passed(part)


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The server under test and what is behind it."""

    port: int
    postgres: RunningPostgres
    certificates: Certificates

    def connect(self, **changes: Any) -> Connection:
        given: dict[str, Any] = {
            "host": "127.0.0.1", "port": self.port, "database": "spacex", "user": "loader", "password": PASSWORD,
            "ssl": True, "sslmode": "verify-full",
        }  # fmt: skip
        return redshift_connector.connect(**(given | changes))

    def login_error(self, **changes: Any) -> str:
        """What redshift_connector says when it is not let in. It forgets to close its socket then."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            try:
                self.connect(**changes).close()
            except Error as exc:
                message = f"{type(exc).__name__} {exc}"
            else:
                message = "no error"
            gc.collect()
        return message

    def psycopg(self, **changes: Any) -> Any:
        given: dict[str, Any] = {
            "host": "127.0.0.1", "port": self.port, "dbname": "spacex", "user": "loader", "password": PASSWORD,
            "sslmode": "verify-full", "sslrootcert": str(self.certificates.authority),
        }  # fmt: skip
        return psycopg2.connect(**(given | changes))


async def serve(postgres_socket: str, tls: Path) -> None:
    """Serve as `python -m local.redshift` does, but with the fake translator; says its port when it listens."""
    server = Server(
        postgres=PostgresAddress(postgres_socket, "postgres"),
        door=Door(ensure_certificates(tls).context(), {"loader": PASSWORD, "stranger": "known to nobody"}, SIGNING_KEY),
        translate=pass_on,
        store=s3_store(),
        copy_rules=CopyRules((ROLE,), "us-east-1"),
    )
    await server.install("spacex")
    listener = await server.listen("127.0.0.1", 0)
    print(listener.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await asyncio.Event().wait()


@contextmanager
def serving(running: RunningPostgres, tls: Path, environment: Mapping[str, str]) -> Iterator[Warehouse]:
    """A warehouse whose server is a process of its own: libpq holds Python's lock where it waits for an answer."""
    command = [sys.executable, "-m", "tests.local.redshift.warehouse", running.socket_path, str(tls)]
    server = subprocess.Popen(command, env=os.environ | dict(environment), stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        port = int(server.stdout.readline())
        yield Warehouse(port, running, ensure_certificates(tls))
    finally:
        server.kill()
        server.communicate()


def json_lines(*records: object) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def zipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2])))
