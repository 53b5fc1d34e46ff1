"""Owns speaking HTTP to an Airbyte server: access tokens, and what its refusals mean. What is asked is the callers'."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema

from contracts.errors import ServiceUnavailable, UsageError

Answer = TypeVar("Answer")

PUBLIC = "/api/public/v1"
_TOKEN_PATH = f"{PUBLIC}/applications/token"
_RENEWED_BEFORE_S = 30  # a token that ends while a request is under way is refused


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """An application of the Airbyte server, which may get tokens."""

    client_id: str
    client_secret: str = field(repr=False)


class AirbyteHttp:
    """One server. Without credentials it is asked without a token, as a server with authentication switched off."""

    def __init__(self, url: str, credentials: Callable[[], ClientCredentials] | None = None) -> None:
        self.url = url
        self._credentials = credentials  # asked when the first request is made, so that looking costs nothing
        self._token = ""
        self._renew_at = 0.0  # of the monotonic clock

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        read: Callable[[Any], Answer],
    ) -> Answer:
        """One request, and what `read` makes of the answer's JSON. Raises UsageError or ServiceUnavailable."""
        answer = self._send(method, path, body, self._authorization())
        if answer.status_code == 401 and self._credentials:
            self._renew_at = 0.0  # the server knows better when its tokens end: one more, once
            answer = self._send(method, path, body, self._authorization())
        return self._read(f"{method} {self.url}{path}", answer, read)

    def _authorization(self) -> dict[str, str]:
        if self._credentials is None:
            return {}
        if time.monotonic() >= self._renew_at:
            known = self._credentials()
            body = {
                "client_id": known.client_id,
                "client_secret": known.client_secret,
                "grant-type": "client_credentials",
            }
            asked_at = time.monotonic()
            answer = self._send("POST", _TOKEN_PATH, body, {})
            self._token, lasts_s = self._read(f"POST {self.url}{_TOKEN_PATH}", answer, _read_token)
            self._renew_at = asked_at + max(lasts_s / 2, lasts_s - _RENEWED_BEFORE_S)
        return {"Authorization": f"Bearer {self._token}"}

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> requests.Response:
        try:
            return requests.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=30)
        except (InvalidURL, InvalidSchema, MissingSchema) as exc:
            raise UsageError(f"{self.url!r} is no address of an Airbyte server. Check SPACEX_ELT_AIRBYTE_URL.") from exc
        except requests.RequestException as exc:
            raise ServiceUnavailable(
                f"the Airbyte server did not answer {method} {self.url}{path}: {exc}. Expected it to be up; "
                "check it (locally: spacex-elt local status), then run again."
            ) from exc

    def _read(self, where: str, answer: requests.Response, read: Callable[[Any], Answer]) -> Answer:
        if answer.status_code in {401, 403}:
            expected = (
                "Expected a client id and secret of an application there that may do this: check the secret that "
                "SPACEX_ELT_AIRBYTE_SECRET_ID names."
                if self._credentials
                else "Expected one that asks for no token, as SPACEX_ELT_AIRBYTE_SECRET_ID is not set."
            )
            raise UsageError(f"the Airbyte server refused us for {where} ({answer.status_code}). {expected}")
        if answer.status_code in {400, 404, 422}:
            raise UsageError(f"the Airbyte server does not know {where}: {answer.text[:300]}")
        if not answer.ok:
            raise ServiceUnavailable(f"the Airbyte server failed on {where}: {answer.status_code} {answer.text[:300]}")
        try:
            return read(answer.json())
        except (ValueError, LookupError, TypeError, AttributeError) as exc:
            shown = "" if where.endswith(_TOKEN_PATH) else f": {answer.text[:300]!r}"
            raise ServiceUnavailable(
                f"the answer to {where} is not one of Airbyte's{shown}. Expected its public API; check "
                "SPACEX_ELT_AIRBYTE_URL and the server's version."
            ) from exc


def _read_token(answer: Any) -> tuple[str, float]:
    token = answer["access_token"]
    if not isinstance(token, str) or not token.isprintable() or not token.isascii():
        raise TypeError
    return token, float(answer.get("expires_in") or 60)
