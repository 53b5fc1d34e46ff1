"""Owns who may come in: tokens for known clients, as OAuth's client credentials flow gives them, and their end.

A token says until when it holds and is signed, so that it outlives a restart of the server, as Airbyte's do.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.airbyte.refused import Refused
from local.problem import StackProblem

TOKEN_SECONDS = 180  # newer servers give 900; a client that lives with the shorter life lives with both


@dataclass(frozen=True, slots=True, repr=False)  # no repr: it would put the secrets into logs
class Door:
    """Gives tokens to clients it knows. One that knows none is open, as a server with authentication switched off."""

    secrets: Mapping[str, str]  # by client id
    now: Callable[[], float]  # epoch seconds

    def token(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """`PublicAccessTokenResponse`. Raises Refused for a client it does not know."""
        grant = asked.get("grant_type", asked.get("grant-type", "client_credentials"))
        if grant != "client_credentials":
            raise Refused(400, f"grant type {grant!r} is not known. Expected client_credentials.")
        client, secret = str(asked.get("client_id")), str(asked.get("client_secret"))
        held = self.secrets.get(client, "")
        if self.secrets and not (held and hmac.compare_digest(held.encode(), secret.encode())):
            raise Refused(401, "the client id and secret do not belong to an application of this server.")
        expires = int(self.now()) + TOKEN_SECONDS
        token = f"{client}.{expires}.{self._signature(client, expires)}"
        return {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}

    def check(self, authorization: str) -> None:
        """Lets a request in by its Authorization header. Raises Refused."""
        if self.secrets and not self._holds(authorization.removeprefix("Bearer ")):
            raise Refused(401, "the request has no access token that holds now. Get one from applications/token.")

    def _holds(self, token: str) -> bool:
        client, _, rest = token.partition(".")
        expires, _, signature = rest.partition(".")
        if client not in self.secrets or not (expires.isascii() and expires.isdecimal()):
            return False
        is_ours = hmac.compare_digest(signature.encode(), self._signature(client, int(expires)).encode())
        return is_ours and int(expires) > self.now()

    def _signature(self, client: str, expires: int) -> str:
        key = self.secrets.get(client, "").encode()
        return hmac.new(key, f"{client}.{expires}".encode(), hashlib.sha256).hexdigest()


def read_secrets(path: Path | None) -> dict[str, str]:
    """The clients that a private file {"client id": "secret"} names; none without a file. Raises StackProblem."""
    if path is None:
        return {}
    try:
        held = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise StackProblem(f"could not read the clients in {path}: {type(exc).__name__}.") from exc
    if not isinstance(held, dict) or not held or not all(isinstance(value, str) and value for value in held.values()):
        raise StackProblem(f'{path} names no clients. Expected JSON: {{"client id": "secret"}}.')
    return held
