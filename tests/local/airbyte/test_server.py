"""Holds the running Airbyte stand-in to the server's API: jobs and their ends, settings, what lies in the bucket."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from local.airbyte import CONNECTION_ID, DESTINATION_ID, SOURCE_ID
from local.spacex_api.server import SpacexApi
from local.spacex_api.source import Replay, Sample, spoil
from tests.extraction.recordings import recorded, snapshot

ROOT = Path(__file__).parents[3]
APPEND = "full_refresh_append"
ENDED = {"succeeded", "failed", "cancelled"}
CREDENTIALS = {"aws_access_key_id": "stand-in", "aws_secret_access_key": "stand-in", "region_name": "us-east-1"}


@dataclass
class Lake:
    """A bucket behind an S3 endpoint."""

    endpoint: str
    bucket: str = "lake"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": "stand-in",
            "AWS_SECRET_ACCESS_KEY": "stand-in",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def client(self) -> Any:
        return boto3.client("s3", endpoint_url=self.endpoint, **CREDENTIALS)  # type: ignore[call-overload]

    def keys(self, prefix: str = "landing/") -> list[str]:
        found = self.client().list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]

    def lines(self, key: str) -> list[dict[str, Any]]:
        body = self.client().get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in gzip.decompress(body).splitlines()]

    def of_sync(self, stream: str, sync_id: int) -> list[dict[str, Any]]:
        """The envelopes one sync landed for a stream."""
        lines = [line for key in self.keys(f"landing/{stream}/") for line in self.lines(key)]
        return [line for line in lines if line["_airbyte_meta"]["sync_id"] == sync_id]


class Server:
    """The stand-in as a process."""

    def __init__(self, state: Path, lake: Lake, *options: str) -> None:
        command = [sys.executable, "-m", "local.airbyte", "--state", str(state), "--bucket", lake.bucket, *options]
        self.process = subprocess.Popen(command, cwd=ROOT, env=lake.environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        told = self.process.stdout.readline()
        assert told, "the server ended before it listened"
        self.url: str = json.loads(told)["url"]

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"{self.url}{path}", json=body, timeout=10)

    def configure(
        self, base_url: str, *streams: str, faults: tuple[str, ...] = (), job_faults: tuple[str, ...] = ()
    ) -> None:
        ordered = {"destination_faults": list(faults), "job_faults": list(job_faults)}
        settings = {"base_url": base_url, "max_retries": 0, **ordered}
        answers = [
            self.call("PATCH", f"/api/public/v1/sources/{SOURCE_ID}", {"configuration": settings}),
            self.call(
                "PATCH",
                f"/api/public/v1/connections/{CONNECTION_ID}",
                {
                    "configurations": {
                        "streams": [{"name": name, "syncMode": "full_refresh_append"} for name in streams]
                    }
                },
            ),
        ]
        assert [answer.status_code for answer in answers] == [200, 200]

    def start(self) -> int:
        answer = self.call("POST", "/api/public/v1/jobs", {"connectionId": CONNECTION_ID, "jobType": "sync"})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["jobId"])

    def public(self, job_id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/api/public/v1/jobs/{job_id}").json()
        return found

    def attempt(self, job_id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.call("POST", "/api/v1/jobs/get", {"id": job_id}).json()["attempts"][0]["attempt"]
        return found

    def committed(self, job_id: int) -> dict[str, int]:
        return {
            stream["streamName"]: stream["stats"]["recordsCommitted"] for stream in self.attempt(job_id)["streamStats"]
        }

    def failures(self, job_id: int) -> list[str]:
        summary = self.attempt(job_id).get("failureSummary", {"failures": []})
        return [failure["externalMessage"] for failure in summary["failures"]]

    def follow(self, job_id: int) -> str:
        for _ in range(600):
            status = str(self.public(job_id)["status"])
            if status in ENDED:
                return status
            time.sleep(0.05)
        raise AssertionError(f"job {job_id} did not end: {self.public(job_id)}")

    def sync(self) -> int:
        job_id = self.start()
        assert self.follow(job_id) == "succeeded", self.failures(job_id)
        return job_id

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(timeout=20)


@pytest.fixture(scope="module")
def lake() -> Iterator[Lake]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    lake = Lake(f"http://{host}:{port}")
    lake.client().create_bucket(Bucket=lake.bucket)
    yield lake
    server.stop()


@pytest.fixture(scope="module")
def server(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("airbyte"), lake)
    yield server
    assert server.end() == 0


@pytest.fixture(scope="module")
def api() -> Iterator[SpacexApi]:
    with SpacexApi(spoil(Sample(40, 7), (), seed=7)) as api:
        yield api


def test_recorded_answers_land_unchanged_one_line_a_record(server: Server, lake: Lake) -> None:
    with SpacexApi(spoil(Replay(snapshot()), (), seed=0)) as replay:
        server.configure(replay.url, "launches", "payloads", "roadster")
        job_id = server.sync()
    for stream in ("launches", "payloads", "roadster"):
        landed = [line["_airbyte_data"] for line in lake.of_sync(stream, job_id)]
        assert json.dumps(landed) == json.dumps(recorded(stream))
    assert server.committed(job_id) == {"launches": 142, "payloads": 166, "roadster": 1}


def test_a_sync_is_a_generation_of_its_own_beside_the_earlier_ones(server: Server, lake: Lake, api: SpacexApi) -> None:
    server.configure(api.url, "rockets")
    first, second = server.sync(), server.sync()
    generations = [{line["_airbyte_generation_id"] for line in lake.of_sync("rockets", job)} for job in (first, second)]
    assert [len(found) for found in generations] == [1, 1]
    assert max(generations[0]) < min(generations[1])
    key = max(lake.keys("landing/rockets/"))
    metadata = lake.client().head_object(Bucket=lake.bucket, Key=key)["Metadata"]
    assert metadata == {"ab-generation-id": str(max(generations[1]))}


def test_a_job_is_reported_as_both_apis_report_it(server: Server, api: SpacexApi) -> None:
    server.configure(api.url, "rockets", "launchpads")
    job_id = server.sync()
    public = server.public(job_id)
    assert public["status"] == "succeeded"
    assert public["rowsSynced"] == 10
    assert set(public) == {
        "jobId",
        "status",
        "jobType",
        "startTime",
        "connectionId",
        "lastUpdatedAt",
        "duration",
        "bytesSynced",
        "rowsSynced",
    }
    told = server.call("POST", "/api/v1/jobs/get", {"id": job_id}).json()
    assert told["job"]["status"] == "succeeded"
    assert told["job"]["configId"] == CONNECTION_ID
    attempt = told["attempts"][0]["attempt"]
    assert attempt["totalStats"]["recordsEmitted"] == attempt["recordsSynced"] == 10
    assert "failureSummary" not in attempt
    assert any("rockets" in line for line in told["attempts"][0]["logs"]["logLines"])


def test_an_empty_collection_is_counted_as_zero_and_leaves_no_object(server: Server, lake: Lake) -> None:
    with SpacexApi(spoil(Sample(40, 7), ["empty-collection:1"], seed=7)) as empty:
        server.configure(empty.url, "launches", "rockets")
        job_id = server.sync()
    assert server.committed(job_id) == {"launches": 0, "rockets": 4}
    assert lake.of_sync("launches", job_id) == []


def test_a_stream_that_fails_fails_the_job_by_name_and_the_others_stay_landed(server: Server, lake: Lake) -> None:
    faults = ["launches/not-json:1", "cores/server-error:1"]
    with SpacexApi(spoil(Sample(40, 7), faults, seed=7)) as broken:
        server.configure(broken.url, "launches", "cores", "rockets")
        job_id = server.start()
        assert server.follow(job_id) == "failed"
    failures = server.failures(job_id)
    assert any(message.startswith("stream launches: ") and "JSON" in message for message in failures)
    assert any(message.startswith("stream cores: ") and "out of order" in message for message in failures)
    assert len(failures) == 2
    assert server.committed(job_id) == {"launches": 0, "cores": 0, "rockets": 4}
    assert len(lake.of_sync("rockets", job_id)) == 4
    assert server.attempt(job_id)["failureSummary"]["partialSuccess"] is True


def test_an_api_that_does_not_answer_fails_the_job_with_its_address(server: Server) -> None:
    server.configure("http://127.0.0.1:9/v4", "rockets")
    job_id = server.start()
    assert server.follow(job_id) == "failed"
    assert any("stream rockets" in message for message in server.failures(job_id))


def test_damage_is_done_to_landed_objects_on_request_and_recorded(server: Server, lake: Lake, api: SpacexApi) -> None:
    server.configure(api.url, "launches", faults=("truncated-line:5%",))
    job_id = server.sync()
    struck = [fault for fault in server.call("GET", "/_faults").json()["faults"] if fault["jobId"] == job_id]
    assert len(struck) == 2
    body = lake.client().get_object(Bucket=lake.bucket, Key=struck[0]["key"])["Body"].read()
    lines = gzip.decompress(body).splitlines()
    assert len(lines) == 40
    for fault in struck:
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            json.loads(lines[fault["line"] - 1])


def test_damage_nobody_knows_is_refused(server: Server) -> None:
    body = {"configuration": {"destination_faults": ["moths:1%"]}}
    answer = server.call("PATCH", f"/api/public/v1/sources/{SOURCE_ID}", body)
    assert answer.status_code == 400
    assert "no fault 'moths'" in answer.json()["detail"]


def test_settings_are_given_back_as_they_were_set(server: Server, api: SpacexApi) -> None:
    server.configure(api.url, "cores", "rockets")
    source = server.call("GET", f"/api/public/v1/sources/{SOURCE_ID}").json()
    connection = server.call("GET", f"/api/public/v1/connections/{CONNECTION_ID}").json()
    destination = server.call("GET", f"/api/public/v1/destinations/{DESTINATION_ID}").json()
    assert source["configuration"]["base_url"] == api.url
    assert [stream["name"] for stream in connection["configurations"]["streams"]] == ["cores", "rockets"]
    assert destination["configuration"]["s3_bucket_path"] == "landing"


def test_a_stream_the_source_does_not_have_is_refused_with_those_it_has(server: Server) -> None:
    body = {"configurations": {"streams": [{"name": "fairings"}]}}
    answer = server.call("PATCH", f"/api/public/v1/connections/{CONNECTION_ID}", body)
    assert answer.status_code == 400
    assert "no stream fairings. It has: launches" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/public/v1/jobs/999999", None, 404),
        ("POST", "/api/v1/jobs/get", {"id": 999999}, 404),
        ("POST", "/api/v1/jobs/get", {"id": "x"}, 422),
        ("POST", "/api/public/v1/jobs", {"connectionId": "another", "jobType": "sync"}, 404),
        ("POST", "/api/public/v1/jobs", {"connectionId": CONNECTION_ID, "jobType": "reset"}, 422),
        ("GET", "/api/public/v1/sources/another", None, 404),
        ("GET", "/api/public/v1/organizations", None, 404),
        ("POST", "/api/public/v1/jobs", [1], 400),
    ],
)
def test_what_the_server_cannot_do_it_says(server: Server, method: str, path: str, body: Any, status: int) -> None:
    answer = server.call(method, path, body)
    assert answer.status_code == status
    assert answer.json()["detail"]


@pytest.fixture
def slow_api() -> Iterator[SpacexApi]:
    with SpacexApi(spoil(Sample(40, 7), ["cores/slow:1"], seed=7)) as api:
        yield api


def test_one_sync_runs_at_a_time_and_a_cancelled_one_ends(server: Server, slow_api: SpacexApi) -> None:
    server.configure(slow_api.url, "cores")
    job_id = server.start()
    second = server.call("POST", "/api/public/v1/jobs", {"connectionId": CONNECTION_ID, "jobType": "sync"})
    assert second.status_code == 409
    assert f"job {job_id}" in second.json()["detail"]
    cancelled = server.call("DELETE", f"/api/public/v1/jobs/{job_id}").json()
    assert cancelled["status"] == "cancelled"
    assert server.follow(job_id) == "cancelled"


def test_a_killed_server_knows_its_jobs_again_and_the_running_one_failed(
    lake: Lake, slow_api: SpacexApi, tmp_path: Path
) -> None:
    first = Server(tmp_path, lake)
    first.configure(slow_api.url, "rockets")
    done = first.sync()
    first.configure(slow_api.url, "rockets", "cores")
    cut_off = first.start()
    for _ in range(200):
        if first.committed(cut_off)["rockets"]:
            break
        time.sleep(0.05)
    first.process.kill()
    first.process.wait()
    assert first.process.stdout is not None
    first.process.stdout.close()

    again = Server(tmp_path, lake)
    try:
        assert again.public(done)["status"] == "succeeded"
        assert again.public(cut_off)["status"] == "failed"
        assert "server stopped" in again.failures(cut_off)[0]
        # The objects it had landed stay: an incomplete generation, which the job's status tells.
        assert len(again.committed(cut_off)) == 2
        again.configure(slow_api.url, "rockets")
        assert again.sync() == cut_off + 1
    finally:
        assert again.end() == 0


def test_a_bucket_that_is_not_there_fails_the_job_and_names_it(lake: Lake, api: SpacexApi, tmp_path: Path) -> None:
    server = Server(tmp_path, Lake(lake.endpoint, bucket="nowhere"))
    try:
        server.configure(api.url, "rockets")
        job_id = server.start()
        assert server.follow(job_id) == "failed"
        assert any("could not write to s3://nowhere/landing/" in message for message in server.failures(job_id))
        assert server.committed(job_id) == {"rockets": 0}
    finally:
        assert server.end() == 0
