"""Tokens: got once, held until they end, renewed when the server says so, and never told to anybody else."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from contracts.errors import ServiceUnavailable, UsageError
from loader.airbyte_http import AirbyteHttp, ClientCredentials

SECRET = "hunter2"
KNOWN = ClientCredentials("the-client", SECRET)
TOKENS = "/api/public/v1/applications/token"


@dataclass
class Guarded:
    """A server that lets in whoever shows its newest token, of those that `lasts_s` long hold."""

    url: str = ""
    lasts_s: Any = 900
    token_body: bytes | None = None
    given: int = 0
    is_closed: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, what the Authorization header said

    def answer(self, path: str, shown: str, body: Any) -> tuple[int, Any]:
        self.asked.append((path, shown))
        if path != TOKENS:
            return (200, {"name": "open"}) if shown == f"Bearer token-{self.given}" else (401, {"detail": "no"})
        if self.is_closed or body.get("client_secret") != SECRET or body.get("client_id") != "the-client":
            return 401, {"detail": f"not {body.get('client_secret')}"}
        self.given += 1
        return 200, {"access_token": f"token-{self.given}", "token_type": "Bearer", "expires_in": self.lasts_s}


@pytest.fixture
def guarded() -> Iterator[Guarded]:
    script = Guarded()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, told = script.answer(
                self.path, self.headers.get("Authorization", ""), json.loads(body) if body else None
            )
            raw = json.dumps(told).encode()
            if self.path == TOKENS and script.token_body is not None:
                raw = script.token_body
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = answer  # noqa: N815 http.server's names

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        script.url = f"http://127.0.0.1:{http.server_address[1]}"
        yield script
        http.shutdown()


def ask(http: AirbyteHttp) -> str:
    return http.call("GET", "/x", None, lambda answer: str(answer["name"]))


def test_one_token_serves_many_requests(guarded: Guarded) -> None:
    http = AirbyteHttp(guarded.url, lambda: KNOWN)
    assert [ask(http), ask(http)] == ["open", "open"]
    assert guarded.asked == [(TOKENS, ""), ("/x", "Bearer token-1"), ("/x", "Bearer token-1")]


def test_a_token_that_is_about_to_end_is_not_used_again(guarded: Guarded) -> None:
    guarded.lasts_s = -1
    http = AirbyteHttp(guarded.url, lambda: KNOWN)
    ask(http)
    ask(http)
    assert [path for path, _ in guarded.asked] == [TOKENS, "/x", TOKENS, "/x"]


def test_a_token_that_the_server_does_not_take_any_more_is_renewed_once(guarded: Guarded) -> None:
    http = AirbyteHttp(guarded.url, lambda: KNOWN)
    ask(http)
    guarded.given += 1  # as a restart with another key would have it
    assert ask(http) == "open"
    assert [path for path, _ in guarded.asked] == [TOKENS, "/x", "/x", TOKENS, "/x"]


def test_credentials_are_read_when_the_first_request_is_made(guarded: Guarded) -> None:
    read: list[str] = []

    def credentials() -> ClientCredentials:
        read.append("read")
        return KNOWN

    http = AirbyteHttp(guarded.url, credentials)
    assert read == []
    ask(http)
    assert read == ["read"]


def test_a_server_that_asks_for_no_token_is_shown_none(guarded: Guarded) -> None:
    with pytest.raises(UsageError, match="SPACEX_ELT_AIRBYTE_SECRET_ID is not set"):
        ask(AirbyteHttp(guarded.url))
    assert guarded.asked == [("/x", "")]


@pytest.mark.parametrize("credentials", [ClientCredentials("the-client", "wrong"), ClientCredentials("who", SECRET)])
def test_credentials_that_are_refused_are_for_people_to_correct(
    guarded: Guarded, credentials: ClientCredentials
) -> None:
    with pytest.raises(UsageError, match="the secret that SPACEX_ELT_AIRBYTE_SECRET_ID names") as told:
        ask(AirbyteHttp(guarded.url, lambda: credentials))
    assert credentials.client_secret not in str(told.value)


def test_credentials_withdrawn_later_are_refused_after_one_more_try(guarded: Guarded) -> None:
    http = AirbyteHttp(guarded.url, lambda: KNOWN)
    ask(http)
    guarded.given, guarded.is_closed = 9, True
    with pytest.raises(UsageError, match="applications/token"):
        ask(http)
    assert [path for path, _ in guarded.asked][2:] == ["/x", TOKENS]


@pytest.mark.parametrize(
    "body", [b"", b"<html>hunter2</html>", b"[]", b'{"access_token": 5}', b'{"access_token": "hunter2\\nX: y"}']
)
def test_an_answer_that_is_no_token_is_service_trouble_and_is_not_shown(guarded: Guarded, body: bytes) -> None:
    guarded.token_body = body
    with pytest.raises(ServiceUnavailable, match="is not one of Airbyte's") as told:
        ask(AirbyteHttp(guarded.url, lambda: KNOWN))
    assert SECRET not in str(told.value)


def test_a_secret_is_in_no_words_about_the_credentials() -> None:
    assert SECRET not in f"{KNOWN} {KNOWN!r}"
