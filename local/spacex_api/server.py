"""Serves the stand-in for the SpaceX API on 127.0.0.1, service faults included. What it serves is source.py's."""

import json
import threading
import time
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from local.spacex_api.source import Spoiled

_SLOW_S = 3.0
_HTML = b"<!doctype html><title>Just a moment...</title><p>Checking your browser.</p>"


class SpacexApi:
    """The API while a `with` block lasts, or until `close`. `url` is the base the connector is given."""

    def __init__(self, spoiled: Spoiled, port: int = 0) -> None:
        self._requested: set[str] = set()

        class Handler(_Handler):
            api = self

        self.spoiled = spoiled
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/v4"

    def serve_forever(self) -> None:
        """Serves until `close` is called from another thread."""
        self._server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> "SpacexApi":
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def is_first(self, name: str) -> bool:
        """Whether nobody has asked for that collection before."""
        is_first = name not in self._requested
        self._requested.add(name)
        return is_first


class _Handler(BaseHTTPRequestHandler):
    api: SpacexApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.split("?", 1)[0].rstrip("/")
        if path == "/_faults":
            self._send(200, json.dumps([asdict(struck) for struck in self.api.spoiled.struck]).encode())
        elif path == "/_source":
            self._send(200, json.dumps({"source": self.api.spoiled.words}).encode())
        else:
            self._collection(path.removeprefix("/v4/"))

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: requests are not news."""

    def _collection(self, name: str) -> None:
        body = self.api.spoiled.bodies.get(name)
        if body is None:
            self._send(404, b"Not Found", "text/plain; charset=utf-8")
            return
        wrong = self.api.spoiled.service_faults(name)
        if "slow" in wrong:
            time.sleep(_SLOW_S)
        if "server-error" in wrong:
            self._send(500, b"Internal Server Error", "text/plain; charset=utf-8")
        elif "unavailable-once" in wrong and self.api.is_first(name):
            self._send(503, b"Service Unavailable", "text/plain; charset=utf-8", {"Retry-After": "0.1"})
        elif "not-json" in wrong:
            self._send(200, _HTML, "text/html; charset=utf-8")
        elif "truncated-answer" in wrong:
            self._send(200, body[: len(body) * 2 // 3])  # a proxy that cut the body and counted what was left
        else:
            self._send(200, body)

    def _send(
        self,
        status: int,
        body: bytes,
        kind: str = "application/json; charset=utf-8",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
