"""Owns the Secrets Manager adapter: a secret's name in, the warehouse's address out. Nothing here prints a value."""

import json
from contextlib import closing

import boto3
from botocore.config import Config

from contracts.errors import UsageError
from loader.warehouse import WarehouseAddress
from observability.aws_errors import translated

_NEEDED = ("host", "port", "database", "username", "password")
_RETRIES = Config(retries={"mode": "standard", "max_attempts": 4})


def read_warehouse_address(secret_id: str) -> WarehouseAddress:
    """The address that a secret holds. Raises UsageError when it is missing, refused or incomplete."""
    with (
        translated(f"the secret {secret_id}", "SPACEX_ELT_WAREHOUSE_SECRET_ID"),
        closing(boto3.client("secretsmanager", config=_RETRIES)) as client,
    ):
        text = client.get_secret_value(SecretId=secret_id).get("SecretString", "")
    return _parse(secret_id, text)


def _parse(secret_id: str, text: str) -> WarehouseAddress:
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    if not isinstance(held, dict):
        held = {}
    missing = [name for name in _NEEDED if not held.get(name)]
    if missing:
        raise UsageError(f"the secret {secret_id} lacks {', '.join(missing)}. Expected JSON with {', '.join(_NEEDED)}.")
    port = str(held["port"])
    if not port.isdecimal():
        raise UsageError(f"the secret {secret_id} has a port that is no number. Expected Redshift's, such as 5439.")
    return WarehouseAddress(held["host"], int(port), held["database"], held["username"], held["password"])
