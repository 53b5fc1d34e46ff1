"""Owns starting the stand-in as the stack starts it, `python -m local.redshift`, for tests of what it says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2

from local.postgres import RunningPostgres
from local.redshift.sql import bootstrap_sql
from local.redshift.tls import ensure_certificates
from tests.local.redshift.warehouse import PASSWORD, ROLE, Warehouse

_LISTENING = re.compile(r"listening on \S+:(\d+)")


@contextmanager
def real_server(
    running: RunningPostgres, folder: Path, database: str, environment: Mapping[str, str]
) -> Iterator[Warehouse]:
    """The stand-in with its own translation, in front of a database that is made for it."""
    with closing(psycopg2.connect(running.dsn())) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"create database {database} owner loader")
    with closing(psycopg2.connect(running.dsn(database))) as connection, connection:
        connection.cursor().execute(bootstrap_sql())
    credentials = folder / "credentials.json"
    credentials.write_text(json.dumps({"loader": PASSWORD}))
    command = [
        sys.executable, "-m", "local.redshift", "--port", "0", "--postgres-socket", running.socket_path,
        "--database", database, "--credentials", str(credentials), "--tls", str(folder / "tls"), "--role-arn", ROLE,
    ]  # fmt: skip
    server = subprocess.Popen(command, env=os.environ | dict(environment), stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        said = ""
        while not (found := _LISTENING.search(said)):
            line = server.stderr.readline()
            assert line, f"the stand-in did not start: {said}"
            said += line
        yield Warehouse(int(found[1]), running, ensure_certificates(folder / "tls"))
    finally:
        server.kill()
        server.communicate()
