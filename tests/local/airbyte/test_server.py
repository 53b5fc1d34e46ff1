"""Holds the running Airbyte stand-in to the server's API: jobs and their ends, settings, what lies in the bucket."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.airbyte import CONNECTION_ID, DESTINATION_ID, SOURCE_ID
from local.spacex_api.server import SpacexApi
from local.spacex_api.source import Replay, Sample, spoil
from tests.extraction.recordings import recorded, snapshot
from tests.local.airbyte.stand_in import APPEND, Lake, Server, running_lake


@pytest.fixture(scope="module")
def lake() -> Iterator[Lake]:
    with running_lake() as lake:
        yield lake


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


def test_a_job_says_queued_for_as_many_answers_as_ordered_and_its_creation_is_the_first(
    server: Server, api: SpacexApi
) -> None:
    server.configure(api.url, "rockets", job_faults=("queued:2",))
    created = server.call("POST", "/api/public/v1/jobs", {"connectionId": CONNECTION_ID, "jobType": "sync"}).json()
    told = [created["status"], *(server.public(created["jobId"])["status"] for _ in range(2))]
    assert told[:2] == ["queued", "queued"]
    assert told[2] in {"pending", "running", "succeeded"}
    assert server.follow(created["jobId"]) == "succeeded"
    assert server.call("GET", f"/api/public/v1/sources/{SOURCE_ID}").json()["configuration"].get("job_faults") is None
    again = server.call("POST", "/api/public/v1/jobs", {"connectionId": CONNECTION_ID, "jobType": "sync"}).json()
    assert again["status"] == "pending"
    assert server.follow(again["jobId"]) == "succeeded"


def test_a_job_that_is_ordered_to_fail_fails_after_it_was_running_and_the_next_does_not(
    server: Server, api: SpacexApi
) -> None:
    server.configure(api.url, "rockets", job_faults=("failed",))
    created = server.call("POST", "/api/public/v1/jobs", {"connectionId": CONNECTION_ID, "jobType": "sync"}).json()
    assert created["status"] == "running"
    assert server.public(created["jobId"])["status"] == "failed"
    assert server.failures(created["jobId"]) == ["the source failed, as it was ordered to"]
    assert server.committed(created["jobId"]) == {"rockets": 0}
    server.sync()


@pytest.mark.parametrize("fault", ["queued", "queued:x", "moths:1"])
def test_a_job_fault_nobody_knows_is_refused(server: Server, fault: str) -> None:
    body = {"configuration": {"job_faults": [fault]}}
    answer = server.call("PATCH", f"/api/public/v1/sources/{SOURCE_ID}", body)
    assert answer.status_code == 400
    assert "Expected queued:N, incomplete:N or failed" in answer.json()["detail"]


def test_jobs_are_listed_as_asked_for(server: Server, api: SpacexApi) -> None:
    server.configure(api.url, "rockets")
    first, second = server.sync(), server.sync()

    def listed(query: str) -> list[int]:
        return [job["jobId"] for job in server.call("GET", f"/api/public/v1/jobs?{query}").json()["data"]]

    assert listed(f"connectionId={CONNECTION_ID}&status=succeeded&limit=2") == [second, first]
    assert listed("limit=1&offset=1") == [first]
    assert second not in listed("status=failed")
    assert listed("connectionId=another") == []
    assert listed("orderBy=createdAt|ASC&limit=100")[-1] == second
    for wrong in ("status=done", "limit=0", "limit=x", "orderBy=name|ASC"):
        assert server.call("GET", f"/api/public/v1/jobs?{wrong}").status_code == 400


@pytest.mark.parametrize("stream", [{"syncMode": "full_refresh_overwrite"}, {"syncMode": APPEND, "mappers": [{}]}])
def test_what_the_stand_in_cannot_write_as_the_server_does_is_refused_at_the_sync(
    server: Server, stream: dict[str, Any]
) -> None:
    path = f"/api/public/v1/connections/{CONNECTION_ID}"
    told = server.call("PATCH", path, {"configurations": {"streams": [{"name": "rockets", **stream}]}})
    assert told.status_code == 200
    refused = server.call("POST", "/api/public/v1/jobs", {"connectionId": CONNECTION_ID, "jobType": "sync"})
    assert refused.status_code == 422
