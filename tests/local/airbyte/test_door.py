"""Who comes in to the Airbyte stand-in, and for how long."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.airbyte.door import TOKEN_SECONDS, Door, read_secrets
from local.airbyte.refused import Refused
from local.problem import StackProblem
from tests.local.airbyte.stand_in import Lake, Server

ASKED = {"client_id": "us", "client_secret": "hunter2", "grant-type": "client_credentials"}


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(clock: Clock) -> Door:
    return Door({"us": "hunter2"}, clock)


def test_a_token_holds_three_minutes_and_no_longer(door: Door, clock: Clock) -> None:
    told = door.token(ASKED)
    assert (told["token_type"], told["expires_in"], TOKEN_SECONDS) == ("Bearer", 180, 180)
    clock.now += 179
    door.check(f"Bearer {told['access_token']}")
    clock.now += 1
    with pytest.raises(Refused) as refused:
        door.check(f"Bearer {told['access_token']}")
    assert refused.value.status == 401


def test_a_token_outlives_a_restart_of_the_server_and_not_a_change_of_the_secret(door: Door, clock: Clock) -> None:
    token = door.token(ASKED)["access_token"]
    Door({"us": "hunter2"}, clock).check(f"Bearer {token}")
    with pytest.raises(Refused):
        Door({"us": "another"}, clock).check(f"Bearer {token}")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"client_id": "us"},
        {**ASKED, "client_secret": "hunter"},
        {**ASKED, "client_id": "them"},
        {"clientId": "us", "clientSecret": "hunter2"},
        {**ASKED, "client_id": "them", "client_secret": ""},
    ],
)
def test_nobody_else_gets_a_token(door: Door, asked: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        door.token(asked)
    assert refused.value.status == 401


@pytest.mark.parametrize("shown", ["", "Bearer ", "Bearer us", "Bearer us.9999999999.", "Bearer them.9.x", "Basic us"])
def test_what_is_no_token_is_refused(door: Door, shown: str) -> None:
    with pytest.raises(Refused):
        door.check(shown)


def test_a_token_whose_end_was_moved_is_refused(door: Door) -> None:
    client, expires, signature = door.token(ASKED)["access_token"].split(".")
    with pytest.raises(Refused):
        door.check(f"Bearer {client}.{int(expires) + 60}.{signature}")


def test_a_door_that_knows_nobody_is_open() -> None:
    Door({}, Clock()).check("")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"us": ""}', '{"us": 5}'])
def test_a_file_without_clients_is_told_without_what_it_holds(tmp_path: Path, text: str) -> None:
    path = tmp_path / "clients.json"
    path.write_text(text)
    with pytest.raises(StackProblem, match=r"clients\.json"):
        read_secrets(path)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("guarded")
    clients = folder / "clients.json"
    clients.write_text(json.dumps({"us": "hunter2"}))
    server = Server(folder / "state", Lake("http://127.0.0.1:1"), "--credentials", str(clients))
    yield server
    assert server.end() == 0


def test_every_route_but_token_and_health_asks_for_a_token(guarded: Server) -> None:
    closed = ["workspaces", "jobs", "sources", "destinations", "connections", "jobs/1"]
    refused = [guarded.call("GET", f"/api/public/v1/{path}") for path in closed]
    refused += [guarded.call("POST", "/api/v1/jobs/get", {"id": 1}), guarded.call("GET", "/_faults")]
    assert [answer.status_code for answer in refused] == [401] * 8
    assert {answer.headers["Content-Type"] for answer in refused} == {"application/problem+json"}
    assert guarded.call("GET", "/api/public/v1/health").status_code == 200


@pytest.mark.parametrize("base", ["/api/public/v1", "/api/v1"])
def test_a_token_is_given_for_json_and_for_a_form_and_opens_the_door(guarded: Server, base: str) -> None:
    url = f"{guarded.url}{base}/applications/token"
    for told in (requests.post(url, json=ASKED, timeout=10), requests.post(url, data=ASKED, timeout=10)):
        shown = {"Authorization": f"Bearer {told.json()['access_token']}"}
        assert requests.get(f"{guarded.url}/api/public/v1/jobs", headers=shown, timeout=10).status_code == 200
