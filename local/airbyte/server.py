"""Speaks HTTP for the Airbyte stand-in: tokens at the door, JSON in and out. What a request does is api.py's."""

import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from local.airbyte.api import Api
from local.airbyte.door import Door
from local.airbyte.jobs import JobBook
from local.airbyte.refused import Refused

_OPEN = ("/applications/token", "/health")  # what a client without a token may ask


def serve(book: JobBook, door: Door, port: int) -> ThreadingHTTPServer:
    """A server bound to 127.0.0.1; port 0 takes a free one. The caller runs `serve_forever`."""

    class Handler(_Handler):
        api = Api(book, door)

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    api: Api
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PATCH(self) -> None:
        self._answer("PATCH")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: requests are not news."""

    def _answer(self, method: str) -> None:
        kind = "application/json"
        try:
            body = self._body()
            asked = urlsplit(self.path)
            if not asked.path.endswith(_OPEN):
                self.api.door.check(self.headers.get("Authorization") or "")
            told = self.api.answer(method, asked.path, dict(parse_qsl(asked.query)), body)
            status = 200 if told is not None else 204
        except Refused as exc:
            status, told, kind = exc.status, exc.as_problem(), "application/problem+json"
        raw = json.dumps(told).encode() if told is not None else b""
        self.send_response(status)
        if raw:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _body(self) -> Mapping[str, Any]:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not raw:
            return {}
        if self.headers.get_content_type() == "application/x-www-form-urlencoded":
            return dict(parse_qsl(raw.decode("utf-8", "replace")))
        try:
            body = json.loads(raw)
        except ValueError as exc:
            raise Refused(400, "the request's body is not JSON.") from exc
        if not isinstance(body, dict):
            raise Refused(400, "the request's body is not a JSON object.")
        return body
