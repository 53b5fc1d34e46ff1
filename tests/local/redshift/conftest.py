"""Owns the warehouse these tests talk to: a PostgreSQL, an S3 and the wire server, with SQL passed on untranslated."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import psycopg2
import pytest
from redshift_connector.core import Connection

from local import postgres
from local.postgres import RunningPostgres
from tests.local.redshift.warehouse import Warehouse, serving

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="session")
def running_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPostgres]:
    with postgres.running_postgres(tmp_path_factory.mktemp("warehouse") / "pg") as running:
        with closing(psycopg2.connect(running.dsn())) as connection:
            connection.autocommit = True
            connection.cursor().execute("create role loader login createrole")
            connection.cursor().execute("create database spacex owner loader")
        yield running


@pytest.fixture(scope="session")
def s3() -> Iterator["S3Client"]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_bucket(Bucket="lake")
    yield client
    client.close()
    server.stop()


@pytest.fixture(scope="session")
def warehouse(
    running_postgres: RunningPostgres, s3: "S3Client", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    environment = {
        "AWS_ENDPOINT_URL_S3": s3.meta.endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    tls = tmp_path_factory.mktemp("tls")
    with serving(running_postgres, tls, environment) as served, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(served.certificates.authority))
        yield served


@pytest.fixture
def connection(warehouse: Warehouse) -> Iterator[Connection]:
    with closing(warehouse.connect()) as opened:
        yield opened


Ask = Callable[..., list[Any]]


@pytest.fixture
def ask(connection: Connection) -> Ask:
    """Runs a statement on this test's connection; its rows."""

    def run(sql: str, values: tuple[object, ...] | None = None) -> list[Any]:
        cursor = connection.cursor()
        cursor.execute(sql, values)
        return [list(row) for row in cursor.fetchall()] if cursor.description else []

    return run


@pytest.fixture
def put(s3: "S3Client", request: pytest.FixtureRequest) -> Callable[[str, bytes], str]:
    """Puts an object under a prefix of this test's own; its URL."""

    def store(name: str, content: bytes) -> str:
        key = f"{request.node.name}/{name}"
        s3.put_object(Bucket="lake", Key=key, Body=content)
        return f"s3://lake/{key}"

    return store
