import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from observability.otlp import send_spans
from observability.telemetry import SPANS_FILE, start


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """A server that takes what a collector takes: its address, and what it was sent."""
    taken: list[tuple[str, Any]] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.path, json.loads(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_collector_gets_the_spans_as_they_are_kept(
    tmp_path: Path, collector: tuple[str, list[tuple[str, Any]]]
) -> None:
    address, taken = collector
    with start("run-1", tmp_path, environment="test") as telemetry, telemetry.step("load"):
        pass
    send_spans(address, tmp_path / SPANS_FILE)
    kept = [json.loads(line) for line in (tmp_path / SPANS_FILE).read_bytes().splitlines()]
    assert kept
    assert taken == [("/v1/traces", line) for line in kept]
    assert all("resourceSpans" in line for line in kept)


def test_a_collector_that_is_away_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / SPANS_FILE).write_text("{}\n{}\n")
    with caplog.at_level(logging.WARNING):
        send_spans("http://127.0.0.1:9", tmp_path / SPANS_FILE)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
