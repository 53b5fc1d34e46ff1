"""The Airbyte adapter against a server that answers as it is told, and following a job to its end."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from contracts.errors import PipelineError, ServiceUnavailable, UsageError
from loader.airbyte import AirbyteServer, SyncJob, wait_for, wait_for_end
from loader.airbyte_http import AirbyteHttp

STREAMS = "/api/public/v1/connections/the-connection"


@dataclass
class Scripted:
    """What the server answers next, and what it was asked."""

    status: int = 200
    body: bytes = b"{}"
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def says(self, body: Any, status: int = 200) -> None:
        self.status, self.body = status, body if isinstance(body, bytes) else json.dumps(body).encode()


def at(url: str) -> AirbyteServer:
    return AirbyteServer(AirbyteHttp(url), "the-connection", "the-source")


@pytest.fixture
def script() -> Scripted:
    return Scripted()


@pytest.fixture
def server(script: Scripted) -> Iterator[AirbyteServer]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.asked.append((self.command, self.path, json.loads(body) if body else None))
            self.send_response(script.status)
            self.send_header("Content-Length", str(len(script.body)))
            self.end_headers()
            self.wfile.write(script.body)

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 http.server's names

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield at(f"http://127.0.0.1:{http.server_address[1]}")
        http.shutdown()


def job_answer(status: str = "succeeded", **attempt: Any) -> dict[str, Any]:
    job = {"id": 7, "status": status, "createdAt": 1_700_000_000, "updatedAt": 1_700_000_060}
    return {"job": job, "attempts": [{"attempt": attempt}]}


def stream(name: str, **stats: Any) -> dict[str, Any]:
    return {"streamName": name, "stats": stats}


def test_a_job_is_told_with_its_times_and_its_counts_per_stream(server: AirbyteServer, script: Scripted) -> None:
    script.says(job_answer(streamStats=[stream("launches", recordsCommitted=205), stream("cores", recordsCommitted=0)]))

    assert server.job("7") == SyncJob(
        "7", "succeeded", 1_700_000_000, 1_700_000_060, {"launches": 205, "cores": 0}, None
    )
    assert script.asked == [("POST", "/api/v1/jobs/get", {"id": 7})]


@pytest.mark.parametrize("stats", [None, [], [stream("cores")], [stream("cores", recordsCommitted=None)]])
def test_a_count_that_is_not_told_is_not_made_up(server: AirbyteServer, script: Scripted, stats: Any) -> None:
    script.says(job_answer("running", streamStats=stats))
    assert server.job("7").committed_counts == {}


def test_a_job_without_an_attempt_yet_is_a_job(server: AirbyteServer, script: Scripted) -> None:
    script.says({**job_answer("pending"), "attempts": []})
    assert (server.job("7").is_running, server.job("7").committed_counts) == (True, {})


def test_of_several_attempts_the_last_one_counts(server: AirbyteServer, script: Scripted) -> None:
    answer = job_answer(streamStats=[stream("cores", recordsCommitted=3)])
    answer["attempts"].append({"attempt": {"streamStats": [stream("cores", recordsCommitted=72)]}})
    script.says(answer)
    assert server.job("7").committed_counts == {"cores": 72}


@pytest.mark.parametrize(
    ("status", "is_running"),
    [
        ("pending", True),
        ("queued", True),
        ("running", True),
        ("incomplete", True),
        ("succeeded", False),
        ("failed", False),
        ("cancelled", False),
    ],
)
def test_a_job_runs_until_its_status_is_final(
    server: AirbyteServer, script: Scripted, status: str, is_running: bool
) -> None:
    script.says(job_answer(status))
    assert server.job("7").is_running is is_running


def failed(*messages: str | None) -> dict[str, Any]:
    return job_answer("failed", failureSummary={"failures": [{"externalMessage": text} for text in messages]})


def test_a_failure_is_told_in_one_line(server: AirbyteServer, script: Scripted) -> None:
    script.says(failed("the API answered\n  500"))
    assert server.job("7").failure == "the API answered 500"


def test_a_long_failure_is_shortened_and_others_are_counted(server: AirbyteServer, script: Scripted) -> None:
    script.says(failed("x" * 2000, "the same", "again"))
    assert server.job("7").failure == "x" * 400 + "… (and 2 more streams)"


@pytest.mark.parametrize("job_id", ["", "latest", "-1", "1.5", "²", "٣", "7; drop"])
def test_what_is_no_job_id_is_refused_before_anybody_is_asked(
    server: AirbyteServer, script: Scripted, job_id: str
) -> None:
    with pytest.raises(UsageError, match="is no Airbyte job id"):
        server.job(job_id)
    assert script.asked == []


def test_starting_a_sync_names_the_connection(server: AirbyteServer, script: Scripted) -> None:
    script.says({"jobId": 8, "status": "running"})
    assert server.start_sync() == "8"
    assert script.asked == [("POST", "/api/public/v1/jobs", {"connectionId": "the-connection", "jobType": "sync"})]


def test_the_job_that_runs_is_found_among_those_that_ended(server: AirbyteServer, script: Scripted) -> None:
    script.says({"data": [{"jobId": 9, "status": "succeeded"}, {"jobId": 8, "status": "running"}]})
    assert server.running_job_id() == "8"
    script.says({"data": [{"jobId": 9, "status": "succeeded"}]})
    assert server.running_job_id() is None
    script.says({"data": []})
    assert server.running_job_id() is None


def test_the_source_and_the_streams_are_configured(server: AirbyteServer, script: Scripted) -> None:
    server.point_source_at("http://127.0.0.1:1/v4", "live")
    server.select_streams(["cores"])

    configuration = {"base_url": "http://127.0.0.1:1/v4"}
    streams = [{"name": "cores", "syncMode": "full_refresh_append"}]
    assert script.asked == [
        ("PATCH", "/api/public/v1/sources/the-source", {"name": "live", "configuration": configuration}),
        ("PATCH", STREAMS, {"configurations": {"streams": streams}}),
    ]


def test_the_name_that_the_source_goes_by_is_read_back(server: AirbyteServer, script: Scripted) -> None:
    script.says({"name": "sample (seed 42, 205 launches)"})
    assert server.source_name() == "sample (seed 42, 205 launches)"
    assert script.asked == [("GET", "/api/public/v1/sources/the-source", None)]


def test_the_selected_streams_are_read_back(server: AirbyteServer, script: Scripted) -> None:
    script.says({"configurations": {"streams": [{"name": "cores"}, {"name": "launches"}]}})
    assert server.selected_streams() == ("cores", "launches")


Call = Callable[[AirbyteServer], object]
CALLS: dict[str, Call] = {
    "job": lambda server: server.job("7"),
    "start": lambda server: server.start_sync(),
    "running": lambda server: server.running_job_id(),
    "streams": lambda server: server.selected_streams(),
    "source": lambda server: server.point_source_at("http://127.0.0.1:1", "live"),
    "name": lambda server: server.source_name(),
}


def failure_of(call: Call, server: AirbyteServer) -> PipelineError:
    with pytest.raises(PipelineError) as told:
        call(server)
    return told.value


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_for_people_to_correct(
    server: AirbyteServer, script: Scripted, call: Call, status: int
) -> None:
    script.says({}, status)
    error = failure_of(call, server)
    assert isinstance(error, UsageError)
    assert "asks for no token" in str(error)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("status", [400, 404, 422])
def test_what_the_server_does_not_know_is_told_in_its_words(
    server: AirbyteServer, script: Scripted, call: Call, status: int
) -> None:
    script.says({"detail": "there is no such thing"}, status)
    error = failure_of(call, server)
    assert isinstance(error, UsageError)
    assert "there is no such thing" in str(error)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("status", [409, 429, 500, 502, 503])
def test_a_server_in_trouble_is_worth_a_retry(server: AirbyteServer, script: Scripted, call: Call, status: int) -> None:
    script.says({"detail": "a sync is already running" + "x" * 5000}, status)
    error = failure_of(call, server)
    assert isinstance(error, ServiceUnavailable)
    assert f"{status} " in str(error)
    assert len(str(error)) < 600


@pytest.mark.parametrize("name", ["job", "start", "running", "streams", "name"])
@pytest.mark.parametrize(
    "body", [b"<html>a proxy</html>", b"", b"[]", b"null", b'{"data": [{}], "job": {}}', b'{"data": null}']
)
def test_an_answer_that_is_not_airbytes_is_told(
    server: AirbyteServer, script: Scripted, name: str, body: bytes
) -> None:
    script.says(body)
    error = failure_of(CALLS[name], server)
    assert isinstance(error, ServiceUnavailable)
    assert "is not one of Airbyte's" in str(error)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_server_that_does_not_answer_is_worth_a_retry(call: Call) -> None:
    error = failure_of(call, at("http://127.0.0.1:1"))
    assert isinstance(error, ServiceUnavailable)
    assert "http://127.0.0.1:1/api/" in str(error)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://127.0.0.1", "http://"])
def test_what_is_no_address_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(UsageError, match="SPACEX_ELT_AIRBYTE_URL"):
        at(url).start_sync()


@dataclass
class Stepping:
    """A sync server whose job goes through these states, the last one for good."""

    states: list[str]

    def job(self, job_id: str) -> SyncJob:
        status = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return SyncJob(job_id, status, 0, 0, {"cores": 1}, "the source broke" if status == "failed" else None)

    def point_source_at(self, base_url: str, name: str) -> None: ...
    def source_name(self) -> str:
        return "the source"

    def select_streams(self, names: Sequence[str]) -> None: ...
    def selected_streams(self) -> tuple[str, ...]:
        return ()

    def start_sync(self) -> str:
        return "1"

    def running_job_id(self) -> str | None:
        return None


def test_a_job_is_followed_to_its_good_end() -> None:
    assert wait_for(Stepping(["pending", "running", "succeeded"]), "1", 60).status == "succeeded"


@pytest.mark.parametrize(("status", "reason"), [("failed", "the source broke"), ("cancelled", "it gave no reason")])
def test_a_job_that_ends_badly_is_service_trouble_with_its_reason(status: str, reason: str) -> None:
    with pytest.raises(ServiceUnavailable, match=f"ended {status}: {reason}"):
        wait_for(Stepping(["running", status]), "1", 60)


def test_a_bad_end_is_an_end() -> None:
    assert wait_for_end(Stepping(["running", "failed"]), "1", 60).status == "failed"


def test_a_job_that_never_ends_is_left_alone_after_a_while() -> None:
    with pytest.raises(ServiceUnavailable, match="is still running after 0 s"):
        wait_for(Stepping(["running"]), "1", 0)
