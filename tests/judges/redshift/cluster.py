"""Owns the Redshift stand-in that outside judges talk to: alone, new, and with the users and groups they name."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from local.postgres import RunningPostgres, running_postgres
from local.redshift.sql import bootstrap_sql

DATABASE = "judged"
USER = "judge"
_PASSWORD = "correct horse"
_OTHERS = ("dbt_test_user_1", "dbt_test_user_2", "dbt_test_user_3", "dbt_test_group_1")
_PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Cluster:
    """A stand-in that listens."""

    port: int
    authority: Path
    postgres: RunningPostgres

    @property
    def env(self) -> dict[str, str]:
        """How dbt-redshift's tests are told of a cluster. Those for IAM and for a second database stay unset."""
        return {
            "REDSHIFT_TEST_HOST": "127.0.0.1",
            "REDSHIFT_TEST_PORT": str(self.port),
            "REDSHIFT_TEST_DBNAME": DATABASE,
            "REDSHIFT_TEST_USER": USER,
            "REDSHIFT_TEST_PASS": _PASSWORD,
            "REDSHIFT_TEST_REGION": "us-east-1",
            **{name.upper(): name for name in _OTHERS},
            "SSL_CERT_FILE": str(self.authority),
        }


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Cluster]:
    """Run a stand-in below `folder` for as long as the block lasts."""
    with running_postgres(folder / "pg") as postgres:
        _provision(postgres)
        credentials = folder / "credentials.json"
        credentials.write_text(json.dumps({USER: _PASSWORD}), encoding="utf-8")
        command = [
            sys.executable, "-m", "local.redshift", "--port", "0", "--postgres-socket", postgres.socket_path,
            "--database", DATABASE, "--credentials", str(credentials), "--tls", str(folder / "tls"),
        ]  # fmt: skip
        log = folder / "redshift.log"
        with log.open("wb") as output:
            server = subprocess.Popen(command, stderr=output, env=os.environ | _NO_AWS)
        try:
            yield Cluster(_port(server, log), folder / "tls" / "ca.pem", postgres)
        finally:
            server.terminate()
            server.wait(20)


#: It asks no S3 for anything, and must not find one of whoever runs the tests.
_NO_AWS = {
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}


def _provision(postgres: RunningPostgres) -> None:
    with closing(psycopg2.connect(postgres.dsn())) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(f"create role {USER} login")
        for name in _OTHERS:
            cursor.execute(f"create role {name} {'login' if 'user' in name else ''}")
        cursor.execute(f"create database {DATABASE} owner {USER}")
    with closing(psycopg2.connect(postgres.dsn(DATABASE))) as connection, connection:
        connection.cursor().execute(bootstrap_sql())


def _port(server: "subprocess.Popen[bytes]", log: Path) -> int:
    deadline = time.monotonic() + _PATIENCE_S
    while not (said := re.search(r"listening on \S+:(\d+)", text := log.read_text(encoding="utf-8"))):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the Redshift stand-in did not come up: {text}")
        time.sleep(0.05)
    return int(said[1])
