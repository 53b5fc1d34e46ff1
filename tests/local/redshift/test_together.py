"""Tests the server with its own translation, as the stack runs it, through both drivers."""

import json
import ssl
from contextlib import closing

import boto3
import psycopg2
import pytest
import redshift_connector
from redshift_connector.error import ProgrammingError

from local.stack import StackState

pytestmark = [pytest.mark.stack]

AWKWARD = ["x\\y'z", r"\d+", "a\nb", "C:\\", "''", "%s", "$1", "naïve 🚀"]


@pytest.fixture(scope="module")
def address(stack: StackState) -> dict[str, str]:
    with closing(
        boto3.client(
            "secretsmanager",
            endpoint_url=stack.env["AWS_ENDPOINT_URL"],
            region_name=stack.env["AWS_REGION"],
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )
    ) as client:
        secret = client.get_secret_value(SecretId=stack.env["SPACEX_ELT_WAREHOUSE_SECRET_ID"])
    return dict(json.loads(secret["SecretString"]))


@pytest.mark.parametrize("value", AWKWARD)
def test_libpq_gets_its_strings_back(value: str, stack: StackState, address: dict[str, str]) -> None:
    with closing(
        psycopg2.connect(
            host=address["host"],
            port=address["port"],
            dbname=address["database"],
            user=address["username"],
            password=address["password"],
            sslmode="verify-full",
            sslrootcert=stack.env["PGSSLROOTCERT"],
        )
    ) as connection:
        cursor = connection.cursor()
        cursor.execute("select %s as told, length(%s) as length", (value, value))
        assert cursor.fetchone() == (value, len(value))


def test_a_vacuum_stands_outside_a_transaction_and_needs_its_table(
    stack: StackState, address: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", stack.env["SSL_CERT_FILE"])
    with closing(
        redshift_connector.connect(
            host=address["host"],
            port=int(address["port"]),
            database=address["database"],
            user=address["username"],
            password=address["password"],
            ssl=True,
            sslmode="verify-full",
        )
    ) as connection:
        cursor = connection.cursor()
        cursor.execute("create table kept_up (id integer)")
        connection.commit()
        with pytest.raises(ProgrammingError, match="VACUUM cannot run inside a transaction block"):
            cursor.execute("vacuum kept_up")  # the driver has begun a transaction
        connection.rollback()
        connection.autocommit = True
        cursor.execute("vacuum kept_up")
        cursor.execute("analyze kept_up")
        with pytest.raises(ProgrammingError, match='"nowhere" does not exist'):
            cursor.execute("vacuum nowhere")
        cursor.execute("drop table kept_up")


@pytest.mark.parametrize("value", AWKWARD)
def test_redshift_connector_gets_its_strings_back(
    value: str, stack: StackState, address: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", stack.env["SSL_CERT_FILE"])
    assert ssl.get_default_verify_paths().cafile == stack.env["SSL_CERT_FILE"]
    with closing(
        redshift_connector.connect(
            host=address["host"],
            port=int(address["port"]),
            database=address["database"],
            user=address["username"],
            password=address["password"],
            ssl=True,
            sslmode="verify-full",
        )
    ) as connection:
        cursor = connection.cursor()
        cursor.execute("select cast(%s as varchar(64)) as told", (value,))
        assert cursor.fetchone() == [value]
