"""Owns the Secrets Manager adapter: a secret's name in, an address or credentials out. Nothing here prints a value."""

import json
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import boto3
from botocore.config import Config

from contracts.errors import UsageError
from loader.airbyte_http import ClientCredentials
from loader.warehouse import WarehouseAddress
from observability.aws_errors import translated

_WAREHOUSE = ("host", "port", "database", "username", "password")
_AIRBYTE = ("client_id", "client_secret")
_S3 = ("access_key_id", "secret_access_key")
_RETRIES = Config(retries={"mode": "standard", "max_attempts": 4})


def read_warehouse_address(secret_id: str) -> WarehouseAddress:
    """The address that a secret holds. Raises UsageError when it is missing, refused or incomplete."""
    held = _read(secret_id, "SPACEX_ELT_WAREHOUSE_SECRET_ID", _WAREHOUSE)
    port = str(held["port"])
    if not port.isdecimal():
        raise UsageError(f"the secret {secret_id} has a port that is no number. Expected Redshift's, such as 5439.")
    return WarehouseAddress(held["host"], int(port), held["database"], held["username"], held["password"])


def read_airbyte_credentials(secret_id: str) -> ClientCredentials:
    """The application of the Airbyte server that a secret holds. Raises UsageError as above."""
    held = _read(secret_id, "SPACEX_ELT_AIRBYTE_SECRET_ID", _AIRBYTE)
    return ClientCredentials(str(held["client_id"]), str(held["client_secret"]))


def read_s3_keys(secret_id: str) -> dict[str, str]:
    """The keys that Airbyte writes to the lake with, named as its S3 destination names them."""
    held = _read(secret_id, "SPACEX_ELT_AIRBYTE_S3_SECRET_ID", _S3)
    return {name: str(held[name]) for name in _S3}


def _read(secret_id: str, setting: str, needed: Sequence[str]) -> dict[str, Any]:
    with (
        translated(f"the secret {secret_id}", setting),
        closing(boto3.client("secretsmanager", config=_RETRIES)) as client,
    ):
        text = client.get_secret_value(SecretId=secret_id).get("SecretString", "")
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    if not isinstance(held, dict):
        held = {}
    missing = [name for name in needed if not held.get(name)]
    if missing:
        raise UsageError(f"the secret {secret_id} lacks {', '.join(missing)}. Expected JSON with {', '.join(needed)}.")
    return held
