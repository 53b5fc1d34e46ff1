"""Ways to log in to the warehouse: a secret, a cluster or a workgroup, and never two of them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar
from urllib.parse import parse_qs

import pytest

from contracts.errors import ServiceUnavailable, UsageError
from loader.warehouse import WarehouseAddress
from spacex_elt.settings import Settings, read_settings
from spacex_elt.warehouse_login import warehouse_login
from tests.e2e.harness import environment

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_XML = 'xmlns="http://redshift.amazonaws.com/doc/2012-12-01/"'
NEEDED = dict.fromkeys(
    ("ENVIRONMENT", "DOCS_BUCKET", "DOCS_URL", "COPY_ROLE_ARN", "ALERT_TOPIC_ARN", "LAKE_BUCKET", "AIRBYTE_URL"), "x"
) | {"AIRBYTE_CONNECTION_ID": "x", "AIRBYTE_SOURCE_ID": "x"}


class Redshift(BaseHTTPRequestHandler):
    """The two services' APIs as AWS describes them, for one cluster and one workgroup."""

    asked: ClassVar[list[dict[str, str]]] = []
    has_endpoint: ClassVar[bool] = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if target := self.headers.get("X-Amz-Target"):
            self._answer(*self._serverless(target.rpartition(".")[2], json.loads(body)))
        else:
            self._answer(*self._provisioned({name: values[0] for name, values in parse_qs(body).items()}))

    def _provisioned(self, asked: dict[str, str]) -> tuple[int, str]:
        self.asked.append(asked)
        action = asked["Action"]
        if asked["ClusterIdentifier"] != "prod":
            return 404, f"<ErrorResponse {_XML}><Error><Code>ClusterNotFound</Code></Error></ErrorResponse>"
        if action == "DescribeClusters":
            endpoint = "<Endpoint><Address>prod.example.com</Address><Port>5439</Port></Endpoint>"
            found = f"<ClusterStatus>paused</ClusterStatus>{endpoint if self.has_endpoint else ''}"
            told = f"<Clusters><Cluster>{found}</Cluster></Clusters>"
        else:
            ends = (NOW + timedelta(seconds=int(asked["DurationSeconds"]))).isoformat()
            told = f"<DbUser>IAMR:loader</DbUser><DbPassword>hunter2</DbPassword><Expiration>{ends}</Expiration>"
        return 200, f"<{action}Response {_XML}><{action}Result>{told}</{action}Result></{action}Response>"

    def _serverless(self, action: str, asked: dict[str, str]) -> tuple[int, str]:
        self.asked.append({"Action": action} | {name: str(value) for name, value in asked.items()})
        if asked["workgroupName"] != "prod":
            return 400, json.dumps({"__type": "ResourceNotFoundException", "message": "none"})
        if action == "GetWorkgroup":
            endpoint = {"endpoint": {"address": "wg.example.com", "port": 5439}} if self.has_endpoint else {}
            return 200, json.dumps({"workgroup": {"status": "CREATING", **endpoint}})
        ends = (NOW + timedelta(seconds=int(asked["durationSeconds"]))).timestamp()
        return 200, json.dumps({"dbUser": "IAMR:loader", "dbPassword": "hunter2", "expiration": ends})

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module", autouse=True)
def aws() -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Redshift)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with environment(
        {
            "AWS_ENDPOINT_URL_REDSHIFT": url,
            "AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS": url,
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
        }
    ):
        yield
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Redshift, "asked", [])
    monkeypatch.setattr(Redshift, "has_endpoint", True)


@contextmanager
def told(**ways: str) -> Iterator[Settings]:
    names = {f"SPACEX_ELT_{name}": value for name, value in NEEDED.items()}
    with environment(names | {f"SPACEX_ELT_WAREHOUSE_{name.upper()}": value for name, value in ways.items()}):
        yield read_settings()


WAYS = {
    "cluster": ("prod.example.com", {"ClusterIdentifier": "prod", "DbName": "spacex", "DurationSeconds": "3600"}),
    "workgroup": ("wg.example.com", {"workgroupName": "prod", "dbName": "spacex", "durationSeconds": "3600"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_our_role_is_let_in_for_an_hour(way: str) -> None:
    host, expected = WAYS[way]
    with told(**{way: "prod"}, database="spacex") as settings:
        address = warehouse_login(settings, lambda: NOW)()
    assert address == WarehouseAddress(host, 5439, "spacex", "IAMR:loader", "hunter2")
    assert "hunter2" not in f"{address} {address!r}"
    assert expected.items() <= Redshift.asked[-1].items()


@pytest.mark.parametrize("way", WAYS)
def test_a_login_is_asked_for_anew_in_good_time_and_not_before(way: str) -> None:
    now = [NOW]
    with told(**{way: "prod"}, database="spacex") as settings:
        find = warehouse_login(settings, lambda: now[0])
        find()
        asked = len(Redshift.asked)
        now[0] = NOW + timedelta(minutes=24)
        find()
        assert len(Redshift.asked) == asked
        now[0] = NOW + timedelta(minutes=26)
        find()
        assert len(Redshift.asked) == 2 * asked


@pytest.mark.parametrize("way", WAYS)
def test_one_that_is_not_there_is_a_wrong_setting(way: str) -> None:
    with told(**{way: "elsewhere"}, database="spacex") as settings:
        find = warehouse_login(settings, lambda: NOW)
    with pytest.raises(UsageError, match=f"SPACEX_ELT_WAREHOUSE_{way.upper()}"):
        find()


@pytest.mark.parametrize("way", WAYS)
def test_one_that_is_not_up_is_worth_a_retry(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Redshift, "has_endpoint", False)
    with told(**{way: "prod"}, database="spacex") as settings:
        find = warehouse_login(settings, lambda: NOW)
    with pytest.raises(ServiceUnavailable, match="has no endpoint"):
        find()


WRONG: dict[str, dict[str, str]] = {
    "none": {},
    "two": {"cluster": "prod", "workgroup": "prod", "database": "spacex"},
    "a secret and a cluster": {"secret_id": "s", "cluster": "prod"},
    "a cluster without a database": {"cluster": "prod"},
    "a secret with a database": {"secret_id": "s", "database": "spacex"},
}


@pytest.mark.parametrize("ways", WRONG.values(), ids=WRONG)
def test_exactly_one_way_is_set(ways: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"set (exactly one of )?SPACEX_ELT_WAREHOUSE_"), told(**ways):
        pass
