"""Owns the proxy before S3: it sees each request and its answer, the loader's and COPY's, and stops at both.

What happens at a point is the watch's to say (points.py).
"""

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.crash.points import Answer, Watch, When, label_of

_RESET = struct.pack("ii", 1, 0)
_OF_THE_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}
_DROPS = 8
_DROP_EVERY_S = 0.03
_SAID = {
    Answer.FAIL_500: (500, "InternalError", "We encountered an internal error. Please try again."),
    Answer.FAIL_503: (503, "SlowDown", "Please reduce your request rate."),
}


class _Connection(BaseHTTPRequestHandler):
    """One client's connection; a server of its own behind it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def setup(self) -> None:
        super().setup()
        self._upstream = http.client.HTTPConnection("127.0.0.1", self.server.s3_port, timeout=60)

    def finish(self) -> None:
        self._upstream.close()
        with contextlib.suppress(OSError):
            super().finish()

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (OSError, http.client.HTTPException):  # the client or S3 has gone
            self._reset()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self._stop("before")
        if answer in (Answer.RESET, Answer.STALL):
            return self._leave(answer)
        if answer in _SAID:
            return self._refuse(answer)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        self._upstream.request(self.command, self.path, body or None, headers)
        said = self._upstream.getresponse()
        content = said.read()
        answer = self._stop("after")
        if answer in (Answer.RESET, Answer.STALL):
            return self._leave(answer)
        if answer in _SAID:
            return self._refuse(answer)
        self._pass_on(said, content, answer)

    do_PUT = do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815

    def _stop(self, when: When) -> Answer:
        return self.server.watch.pass_by("S3", when, _label(self.command, self.path))

    def _pass_on(self, said: http.client.HTTPResponse, content: bytes, answer: Answer) -> None:
        self.send_response(said.status)
        for name, value in said.getheaders():
            if name.lower() not in _OF_THE_HOP:
                self.send_header(name, value)
        length = said.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        if length and said.status != http.HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command == "HEAD":
            return
        if answer is Answer.TRUNCATE:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        elif answer is Answer.SLOW:
            size = len(content) // _DROPS + 1
            for start in range(0, len(content), size):
                self.wfile.write(content[start : start + size])
                time.sleep(_DROP_EVERY_S)
        else:
            self.wfile.write(content)

    def _refuse(self, answer: Answer) -> None:
        status, code, message = _SAID[answer]
        content = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _leave(self, answer: Answer) -> None:
        if answer is Answer.STALL:
            with contextlib.suppress(OSError):
                self.connection.recv(1)  # until the client leaves
        self._reset()

    def _reset(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, s3_port: int, watch: Watch) -> None:
        self.s3_port = s3_port
        self.watch = watch
        super().__init__(("127.0.0.1", 0), _Connection)


class S3Proxy:
    """Listens on a port of its own and passes every request on to S3's."""

    def __init__(self, s3_port: int, watch: Watch) -> None:
        self._server = _Server(s3_port, watch)
        self.port = int(self._server.server_address[1])

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve, in threads, until the end of the block."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="S3 proxy", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def _label(method: str, path: str) -> str:
    parts = urlsplit(path)
    key = parts.path.split("/", 2)[-1]  # without the bucket
    asked = parse_qs(parts.query)
    return label_of(f"list {asked['prefix'][0]}" if "prefix" in asked else f"{method.lower()} {key}")
