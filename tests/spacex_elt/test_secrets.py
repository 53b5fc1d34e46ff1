"""Addresses and credentials from their secrets, and every way in which that goes wrong. No message shows a value."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from contracts.errors import ServiceUnavailable, UsageError
from loader.warehouse import WarehouseAddress
from local.stack import StackState
from spacex_elt.secrets import read_airbyte_credentials, read_s3_keys, read_warehouse_address
from tests.e2e.harness import environment

pytestmark = pytest.mark.stack

HELD = {"host": "h", "port": 5439, "database": "d", "username": "u", "password": "hunter2"}


@pytest.fixture(scope="module", autouse=True)
def on_stack(stack: StackState) -> Iterator[None]:
    with environment(dict(stack.env)):
        yield


@pytest.fixture
def secret(request: pytest.FixtureRequest) -> Iterator[str]:
    """A secret that holds what the test says."""
    client: Any = boto3.client("secretsmanager")
    name = f"secret-of-{abs(hash(request.node.name))}"
    client.create_secret(Name=name, **request.param)
    yield name
    client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    client.close()


def holding(**changes: Any) -> dict[str, str]:
    return {"SecretString": json.dumps({**HELD, **changes})}


@pytest.mark.parametrize("secret", [holding(), holding(port="5439"), holding(engine="redshift")], indirect=True)
def test_a_secret_is_the_warehouses_address(secret: str) -> None:
    address = read_warehouse_address(secret)
    assert address == WarehouseAddress("h", 5439, "d", "u", "hunter2")
    assert "hunter2" not in f"{address} {address!r}"


@pytest.mark.parametrize(
    "secret",
    [
        {"SecretString": "hunter2"},
        {"SecretString": '["host", "port", "database", "username", "password", "hunter2"]'},
        {"SecretString": "5"},
        {"SecretBinary": b"hunter2"},
        holding(password=None),
        holding(host=""),
        holding(port="hunter2"),
    ],
    indirect=True,
    ids=["no JSON", "an array", "a number", "bytes", "no password", "no host", "no port"],
)
def test_a_secret_that_holds_something_else_is_told_without_what_it_holds(secret: str) -> None:
    with pytest.raises(UsageError, match=secret) as told:
        read_warehouse_address(secret)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    "secret", [{"SecretString": '{"client_id": "us", "client_secret": "hunter2", "more": 1}'}], indirect=True
)
def test_a_secret_holds_an_application_of_the_airbyte_server(secret: str) -> None:
    known = read_airbyte_credentials(secret)
    assert (known.client_id, known.client_secret) == ("us", "hunter2")
    with pytest.raises(UsageError, match="lacks access_key_id, secret_access_key") as told:
        read_s3_keys(secret)
    assert "hunter2" not in f"{known!r} {told.value}"


@pytest.mark.parametrize(
    "secret", [{"SecretString": '{"access_key_id": "A", "secret_access_key": "hunter2"}'}], indirect=True
)
def test_a_secret_holds_the_keys_that_airbyte_writes_with(secret: str) -> None:
    assert read_s3_keys(secret) == {"access_key_id": "A", "secret_access_key": "hunter2"}
    with pytest.raises(UsageError, match="lacks client_id, client_secret"):
        read_airbyte_credentials(secret)


@pytest.mark.parametrize("name", ["no-such-secret", ""])
def test_a_secret_that_is_not_there_is_a_wrong_setting(name: str) -> None:
    with pytest.raises(UsageError, match="SPACEX_ELT_WAREHOUSE_SECRET_ID"):
        read_warehouse_address(name)


def test_a_service_that_does_not_answer_is_worth_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(ServiceUnavailable, match="the secret warehouse did not answer"):
        read_warehouse_address("warehouse")
