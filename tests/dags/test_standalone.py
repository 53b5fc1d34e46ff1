"""Tests that Airflow with its scheduler runs the DAG: its user interface, its deadline, one trace, and its clean end.

Airflow is started once and asked for one run; what it did meanwhile is noted and judged when it has ended.
"""

import gzip
import json
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]
import pytest

from loader.incidents import find_docs
from loader.pipeline import Pipeline
from loader.publish import FRONT_PAGE
from loader.run_folder import RunFolder
from local import airflow, airflow_server
from local.keeper import MARK
from local.problem import StackProblem
from local.processes import marked
from local.stack import StackState
from observability.alerts_sns import ReceivedAlert
from spacex_elt.dag import DAG
from spacex_elt.run import point_at
from spacex_elt.settings import read_settings
from spacex_elt.sources import open_source
from spacex_elt.wiring import open_pipeline, read_alerts
from tests.browser import find_browser, look_at
from tests.e2e.harness import environment, request, wipe

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

AIRFLOW_PYTHON = Path(__file__).resolve().parents[2] / ".venv-airflow" / "bin" / "python"
LATE = "[laptop] a SpaceX run is late"

#: Reads files of OTLP as Airflow's exporter sends it; the protocol's classes are in Airflow's environment.
DECODE = """
import json, pathlib, sys
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
for path in pathlib.Path(sys.argv[1]).glob("*.otlp"):
    for resource in ExportTraceServiceRequest.FromString(path.read_bytes()).resource_spans:
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            print(json.dumps([span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()]))
"""


@dataclass(frozen=True, slots=True)
class Span:
    """What tells where a span belongs."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of Airflow from its start to its end."""

    run_id: str
    state: str
    paused: Mapping[str, bool]  # by DAG
    time_allowed: timedelta  # from the run's being queued to its deadline
    alerts: Sequence[ReceivedAlert]
    listening: frozenset[tuple[str, str]]  # (process, address)
    refusal: str  # of a second start
    pages: Mapping[str, str]  # the documents, by name
    airflow_spans: Sequence[Span]
    pipeline_spans: Sequence[Span]
    left: Sequence[object]  # processes that outlived it


@contextmanager
def sink(folder: Path) -> Iterator[str]:
    """An OTLP collector that keeps each request as a file. Yields where it takes traces."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            (folder / f"{time.monotonic_ns()}.otlp").write_bytes(body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces"
        server.shutdown()
        thread.join()


class Api:
    """Airflow's REST API."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._token = ""
        self._token = self.call("GET", "/auth/token")["access_token"]

    def call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        asked = urllib.request.Request(f"{self._address}{path}", data, headers if self._token else {}, method=method)
        return wait_for(f"{method} {path}", lambda: self._answer(asked))

    def _answer(self, asked: urllib.request.Request) -> Any:
        """What is answered; nothing while Airflow's SQLite is locked, as it is when all of Airflow begins at once."""
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            said = refused.read().decode()
            assert "Database error" in said, f"{asked.method} {asked.full_url}: {refused.code} {said}"
            return None


def wait_for(what: str, found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 400
    while not (result := found()):
        assert time.monotonic() < deadline, f"{what}: not within 400 s"
        time.sleep(1)
    return result


@pytest.fixture(scope="module")
def seen(stack: StackState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("standalone")
    variables = {
        "SPACEX_ELT_ENV_FILE": str(stack.state_dir / "stack.env"),
        "SPACEX_ELT_WORK_DIR": str(folder / "work"),
    }
    with environment(variables), open_pipeline("standalone") as pipeline:
        wipe(pipeline)  # fewer rows than another test left would be a loss of rows, which holds them
        yield observe(pipeline, stack.state_dir, folder)


def observe(pipeline: Pipeline, state_dir: Path, folder: Path) -> Seen:
    mark = airflow.environment(state_dir)[MARK]
    with open_source(request(launches=20), tuple(pipeline.contracts)) as source, sink(folder) as traces:
        point_at(pipeline.sync_server, source)
        telling = {  # as dags/startup.sh has it
            "AIRFLOW__TRACES__OTEL_ON": "True",
            "OTEL_TRACES_EXPORTER": "otlp_proto_http",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": traces,
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
        }
        with airflow_server.serve(state_dir, DAG, told=telling) as address:
            api = Api(address)
            run_id = api.call("POST", f"/api/v2/dags/{DAG}/dagRuns", {"logical_date": None})["dag_run_id"]
            # It waits while the day's own run, which begins when the DAG is unpaused, is under way.
            time_allowed = miss_deadline(state_dir / "airflow" / "airflow.db", run_id)
            refusal = second_start(state_dir)
            run = f"/api/v2/dags/{DAG}/dagRuns/{run_id}"
            state = wait_for(
                "the end of the run",
                lambda: (found := api.call("GET", run)["state"]) in ("success", "failed") and found,
            )
            alerts = wait_for("an alert", lambda: [each for each in read_alerts() if each.subject == LATE])
            paused = {each["dag_id"]: each["is_paused"] for each in api.call("GET", "/api/v2/dags")["dags"]}
            listening = frozenset(all_listening(mark))
            pages = look(pipeline, address, run_id, folder) if find_browser() else {}
        left = marked(MARK, mark)
    return Seen(
        run_id, state, paused, time_allowed, alerts, listening, refusal, pages,
        sent_spans(folder), stored_spans(pipeline, run_id), left,
    )  # fmt: skip


def miss_deadline(database: Path, run_id: str) -> timedelta:
    """Sets the run's deadline back to the past, as if it had taken too long. Returns how long it might have taken."""
    which = "dagrun_id = (select id from dag_run where run_id = ?)"
    with sqlite3.connect(database, timeout=60) as session:
        ((due, queued),) = session.execute(
            "select deadline_time, queued_at from deadline join dag_run on dag_run.id = dagrun_id where run_id = ?",
            (run_id,),
        ).fetchall()
        session.execute(f"update deadline set deadline_time = '2026-01-01 00:00:00.000000' where {which}", (run_id,))
    session.close()
    return datetime.fromisoformat(due) - datetime.fromisoformat(queued)


def second_start(state_dir: Path) -> str:
    try:
        with airflow_server.serve(state_dir, DAG):
            return ""
    except StackProblem as problem:
        return str(problem)


def all_listening(mark: str) -> Iterator[tuple[str, str]]:
    for name in marked(MARK, mark):
        process = psutil.Process(name.pid)
        for connection in process.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN or connection.type != 1:  # a datagram socket always listens
                yield process.name(), connection.laddr.ip


def look(pipeline: Pipeline, address: str, run_id: str, folder: Path) -> dict[str, str]:
    docs = read_settings().docs_url
    urls = {
        "dag": f"{address}/dags/{DAG}",
        "run": f"{address}/dags/{DAG}/runs/{run_id}",
        "docs": f"{docs}/{FRONT_PAGE}",
        "docs run": find_docs(pipeline, run_id),
    }
    return {name: look_at(url, folder / f"{name}.png") for name, url in urls.items()}


def sent_spans(folder: Path) -> list[Span]:
    """What Airflow sent to the sink."""
    done = subprocess.run([AIRFLOW_PYTHON, "-c", DECODE, folder], check=True, capture_output=True, text=True)
    return [Span(*json.loads(line)) for line in done.stdout.splitlines()]


def stored_spans(pipeline: Pipeline, run_id: str) -> list[Span]:
    """What the run's containers left in the lake."""
    return [
        Span(span["name"], span["traceId"], span["spanId"], span.get("parentSpanId", ""))
        for line in RunFolder(pipeline.lake, run_id).telemetry("spans.jsonl")
        if line.strip()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def test_a_run_triggered_through_the_api_succeeds(seen: Seen) -> None:
    assert seen.state == "success"


def test_only_the_daily_dag_is_unpaused(seen: Seen) -> None:
    assert seen.paused == {"spacex_elt": False, "spacex_elt_maintenance": True, "spacex_elt_replay": True}


def test_airflow_listens_on_this_machine_only(seen: Seen) -> None:
    assert seen.listening
    assert {address for _, address in seen.listening} == {"127.0.0.1"}, seen.listening


def test_a_second_airflow_is_refused(seen: Seen) -> None:
    assert "Airflow is already at work on this stack" in seen.refusal


def test_no_process_outlives_it(seen: Seen) -> None:
    assert seen.left == []


def test_the_run_has_an_hour(seen: Seen) -> None:
    assert timedelta(minutes=59) < seen.time_allowed < timedelta(minutes=61)


def test_a_missed_deadline_is_announced_once(seen: Seen) -> None:
    (alert,) = seen.alerts
    assert alert.attributes == {"severity": "warning", "environment": "laptop"}


def test_the_user_interface_shows_the_dag_and_the_run(seen: Seen) -> None:
    if not find_browser():
        pytest.skip("there is no Chromium on this machine (Debian's package: chromium)")
    assert DAG in seen.pages["dag"]
    assert seen.run_id in seen.pages["run"]
    assert "Success" in seen.pages["run"]


def test_the_data_docs_show_the_run(seen: Seen) -> None:
    if not find_browser():
        pytest.skip("there is no Chromium on this machine (Debian's package: chromium)")
    assert "healthy" in seen.pages["docs"]
    assert seen.run_id in seen.pages["docs"]
    assert seen.run_id in seen.pages["docs run"]


def test_containers_and_airflow_share_one_trace(seen: Seen) -> None:
    (dag_run,) = [span for span in seen.airflow_spans if span.name.startswith("dag_run") and of_run(span, seen)]
    assert {span.trace_id for span in seen.pipeline_spans} == {dag_run.trace_id}


def of_run(span: Span, seen: Seen) -> bool:
    return span.trace_id in {each.trace_id for each in seen.pipeline_spans}


def test_each_container_is_below_its_task_of_airflow(seen: Seen) -> None:
    inside = {span.span_id for span in seen.pipeline_spans}
    sent = {span.span_id: span for span in seen.airflow_spans}
    tops = [span for span in seen.pipeline_spans if span.parent_id not in inside]
    above = {span.name: sent[span.parent_id].name for span in tops}
    assert above == {
        "plan": "task_run.plan",
        "gate": "task_run.gate[0]",
        "load": "task_run.load[0]",
        "transform": "task_run.transform",
        "publish": "task_run.publish",
    }
