"""Owns the Secrets Manager adapter: a secret's name in, the warehouse's address out. Nothing here prints a value."""

import json
from contextlib import closing

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from contracts.errors import ServiceUnavailable, UsageError
from loader.warehouse import WarehouseAddress

_NEEDED = ("host", "port", "database", "username", "password")


def read_warehouse_address(secret_id: str) -> WarehouseAddress:
    """The address that a secret holds. Raises UsageError when it is missing, refused or incomplete."""
    client = boto3.client("secretsmanager", config=Config(retries={"mode": "standard", "max_attempts": 4}))
    try:
        with closing(client):
            text = client.get_secret_value(SecretId=secret_id)["SecretString"]
    except ClientError as exc:
        code = exc.response.get("Error", {}).get("Code", "")
        if code in {"ResourceNotFoundException", "AccessDeniedException", "UnrecognizedClientException"}:
            raise UsageError(f"the secret {secret_id} cannot be read ({code}). Check its name and our role.") from exc
        raise ServiceUnavailable(f"Secrets Manager failed on {secret_id} ({code}). Run the step again.") from exc
    except BotoCoreError as exc:
        raise ServiceUnavailable(f"Secrets Manager did not answer: {exc}. Run the step again.") from exc
    return _parse(secret_id, text)


def _parse(secret_id: str, text: str) -> WarehouseAddress:
    try:
        held = json.loads(text)
        missing = [name for name in _NEEDED if name not in held]
    except (ValueError, TypeError):
        missing = list(_NEEDED)
    if missing:
        raise UsageError(f"the secret {secret_id} lacks {', '.join(missing)}. Expected JSON with {', '.join(_NEEDED)}.")
    return WarehouseAddress(held["host"], int(held["port"]), held["database"], held["username"], held["password"])
