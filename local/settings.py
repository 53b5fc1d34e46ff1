"""Owns what makes one stack this stack: its ports and credentials, which outlive stopping and starting it.

What the product is told of them is local/stack_env.py's job.
"""

import hmac
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from local import ports
from local.files import write_private

SEAWEEDFS_PORTS = ("s3", "master", "volume", "filer", "admin")
PORT_NAMES = (*SEAWEEDFS_PORTS, "aws", "redshift", "airbyte", "airflow")


@dataclass(frozen=True, slots=True, repr=False)  # no repr: it would put the passwords into logs
class StackSettings:
    """One stack's identity, ports by name, and secrets made at random when it was first started."""

    identity: str
    ports: Mapping[str, int]
    s3_access_key: str
    s3_secret_key: str
    s3_signing_key: str
    warehouse_password: str
    airbyte_client_id: str
    airbyte_client_secret: str

    @property
    def warehouse_signing_key(self) -> str:
        """What AWS' stand-in signs temporary passwords with, and Redshift's knows them by."""
        return hmac.digest(self.warehouse_password.encode(), b"temporary passwords", "sha256").hex()


def settings_path(state_dir: Path) -> Path:
    """Where the settings lie. While this file is there with the same identity, the supervisor keeps running."""
    return state_dir / "settings.json"


def read(state_dir: Path) -> StackSettings | None:
    """Return the recorded settings; None when there are none or they are damaged."""
    try:
        return StackSettings(**json.loads(settings_path(state_dir).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def make(state_dir: Path) -> StackSettings:
    """Return settings to start with: the recorded ones, save ports that somebody else took meanwhile. Records them."""
    recorded = read(state_dir)
    chosen = ports.choose(PORT_NAMES, with_grpc=SEAWEEDFS_PORTS, recorded=recorded.ports if recorded else {})
    settings = StackSettings(
        identity=recorded.identity if recorded else secrets.token_hex(16),
        ports=chosen,
        s3_access_key=recorded.s3_access_key if recorded else "AKIA" + secrets.token_hex(8).upper(),
        s3_secret_key=recorded.s3_secret_key if recorded else secrets.token_urlsafe(30),
        s3_signing_key=recorded.s3_signing_key if recorded else secrets.token_hex(32),
        warehouse_password=recorded.warehouse_password if recorded else _password(),
        airbyte_client_id=recorded.airbyte_client_id if recorded else str(uuid.uuid4()),
        airbyte_client_secret=recorded.airbyte_client_secret if recorded else secrets.token_urlsafe(30),
    )
    write_private(settings_path(state_dir), json.dumps(asdict(settings), indent=2))
    return settings


def _password() -> str:
    # Redshift demands an upper case letter, a lower case letter and a digit.
    return "Aa1" + secrets.token_urlsafe(24)
