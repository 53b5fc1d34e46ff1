"""Owns temporary passwords: what AWS' API gives out (control_plane.py) and what the door takes (startup.py).

A password says whom it lets in, where and until when, and is signed; so neither side keeps a list.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import orjson

PREFIXES = ("IAM:", "IAMA:", "IAMR:")


@dataclass(frozen=True, slots=True)
class Pass:
    """Whom a temporary password lets in."""

    login: str  # the name to log in with, prefix included
    user: str  # the database's user
    database: str | None  # None: any
    creates_user: bool  # when there is none of that name
    expires_at: float  # seconds since 1970


def issue(key: bytes, allowed: Pass) -> str:
    """A password for it."""
    payload = orjson.dumps(asdict(allowed))
    return f"{_text(payload)}.{_text(_signature(key, payload))}"


def read(key: bytes, password: str) -> Pass | None:
    """What a password of ours says, if it has not expired; None for anything else."""
    payload_text, _, signature_text = password.partition(".")
    try:
        payload, signature = _bytes(payload_text), _bytes(signature_text)
    except (binascii.Error, ValueError):
        return None
    if not hmac.compare_digest(signature, _signature(key, payload)):
        return None
    found = Pass(**orjson.loads(payload))
    return found if datetime.now(UTC).timestamp() < found.expires_at else None


def _signature(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
