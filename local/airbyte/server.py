"""Speaks Airbyte's public and configuration API over HTTP. What jobs do is jobs.py's; their words are answers.py's."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.airbyte import CONNECTION_ID, DESTINATION_ID, SOURCE_ID, WORKSPACE_ID, answers
from local.airbyte.jobs import JobBook, Refused
from local.spacex_api.rates import FaultRefused

Route = Callable[["Api", Mapping[str, Any], str], Any]


class Api:
    """The requests the product and Airflow's Airbyte provider make. Bodies in, bodies out; no HTTP."""

    def __init__(self, book: JobBook) -> None:
        self._book = book

    def token(self, _body: Mapping[str, Any], _id: str) -> Any:
        """Any client may come in: the server listens on this machine only."""
        return {"access_token": uuid.uuid4().hex, "token_type": "Bearer", "expires_in": 900}

    def health(self, _body: Mapping[str, Any], _id: str) -> Any:
        """The configuration API's health check."""
        return {"available": True}

    def create_job(self, body: Mapping[str, Any], _id: str) -> Any:
        """Starts a sync."""
        self._ours("connection", body.get("connectionId"), CONNECTION_ID)
        if body.get("jobType") != "sync":
            raise Refused(422, f"jobType {body.get('jobType')!r} is not known here. Expected 'sync'.")
        return answers.public_job(self._book.start())

    def sync(self, body: Mapping[str, Any], _id: str) -> Any:
        """Starts a sync, asked for through the configuration API."""
        self._ours("connection", body.get("connectionId"), CONNECTION_ID)
        return answers.config_job(self._book.start(), [])

    def list_jobs(self, _body: Mapping[str, Any], _id: str) -> Any:
        """Every job, newest first."""
        return {"data": [answers.public_job(job) for job in self._book.jobs()], "previous": "", "next": ""}

    def get_job(self, _body: Mapping[str, Any], job_id: str) -> Any:
        """One job, without counts per stream."""
        return answers.public_job(self._book.job(int(job_id)))

    def cancel_job(self, _body: Mapping[str, Any], job_id: str) -> Any:
        """Ends a job."""
        return answers.public_job(self._book.cancel(int(job_id)))

    def read_job(self, body: Mapping[str, Any], _id: str) -> Any:
        """One job with its attempt and the counts per stream."""
        if not isinstance(body.get("id"), int):
            raise Refused(422, f"id {body.get('id')!r} is no job id. Expected a number.")
        return answers.config_job(self._book.job(body["id"]), self._book.log_lines(body["id"]))

    def get_source(self, _body: Mapping[str, Any], source_id: str) -> Any:
        """The source and its settings."""
        self._ours("source", source_id, SOURCE_ID)
        return answers.source(self._book.settings)

    def patch_source(self, body: Mapping[str, Any], source_id: str) -> Any:
        """Changes some of the source's settings."""
        self._ours("source", source_id, SOURCE_ID)
        try:
            self._book.settings.configure_source(body.get("configuration") or {})
        except FaultRefused as exc:
            raise Refused(400, str(exc)) from exc
        return answers.source(self._book.settings)

    def get_connection(self, _body: Mapping[str, Any], connection_id: str) -> Any:
        """The connection and its streams."""
        self._ours("connection", connection_id, CONNECTION_ID)
        return answers.connection(self._book.settings)

    def patch_connection(self, body: Mapping[str, Any], connection_id: str) -> Any:
        """Chooses the connection's streams."""
        self._ours("connection", connection_id, CONNECTION_ID)
        streams = (body.get("configurations") or {}).get("streams")
        if streams is not None:
            self._book.settings.select([stream["name"] for stream in streams])
        return answers.connection(self._book.settings)

    def get_destination(self, _body: Mapping[str, Any], destination_id: str) -> Any:
        """The destination and its settings."""
        self._ours("destination", destination_id, DESTINATION_ID)
        return self._book.destination()

    def faults(self, _body: Mapping[str, Any], _id: str) -> Any:
        """Damage that was done to landed objects, per job: no part of Airbyte, the stand-in's own word."""
        return {
            "faults": [{"jobId": job.job_id, **entry} for job in reversed(self._book.jobs()) for entry in job.damage]
        }

    @staticmethod
    def _ours(what: str, asked: object, expected: str) -> None:
        if asked != expected:
            raise Refused(404, f"there is no {what} {asked}. This server has one: {expected}.")


_ROUTES: tuple[tuple[str, str, Route], ...] = (
    ("POST", r"/api/(?:public/)?v1/applications/token", Api.token),
    ("GET", r"/api/(?:public/)?v1/health", Api.health),
    ("POST", r"/api/public/v1/jobs", Api.create_job),
    ("GET", r"/api/public/v1/jobs", Api.list_jobs),
    ("GET", r"/api/public/v1/jobs/(\d+)", Api.get_job),
    ("DELETE", r"/api/public/v1/jobs/(\d+)", Api.cancel_job),
    ("GET", r"/api/public/v1/sources/([^/]+)", Api.get_source),
    ("PATCH", r"/api/public/v1/sources/([^/]+)", Api.patch_source),
    ("GET", r"/api/public/v1/connections/([^/]+)", Api.get_connection),
    ("PATCH", r"/api/public/v1/connections/([^/]+)", Api.patch_connection),
    ("GET", r"/api/public/v1/destinations/([^/]+)", Api.get_destination),
    ("POST", r"/api/v1/connections/sync", Api.sync),
    ("POST", r"/api/v1/jobs/get", Api.read_job),
    ("GET", r"/_faults", Api.faults),
)


def serve(book: JobBook, port: int) -> ThreadingHTTPServer:
    """A server bound to 127.0.0.1; port 0 takes a free one. The caller runs `serve_forever`."""
    api = Api(book)

    class Handler(_Handler):
        pass

    Handler.api = api
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

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: requests are not news."""

    def _answer(self, method: str) -> None:
        try:
            status, body = 200, self._route(method, self._body())
        except Refused as exc:
            status, body = exc.status, {"title": "refused", "status": exc.status, "detail": str(exc)}
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _route(self, method: str, body: Mapping[str, Any]) -> Any:
        path = self.path.split("?", 1)[0]
        for verb, pattern, route in _ROUTES:
            match = re.fullmatch(pattern, path)
            if verb == method and match:
                return route(self.api, body, match[1] if match.groups() else "")
        raise Refused(404, f"this stand-in has no {method} {path}.")

    def _body(self) -> Mapping[str, Any]:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not raw:
            return {}
        try:
            body = json.loads(raw)
        except ValueError as exc:
            raise Refused(400, "the request's body is not JSON.") from exc
        if not isinstance(body, dict):
            raise Refused(400, "the request's body is not a JSON object.")
        return body


__all__ = ["WORKSPACE_ID", "Api", "serve"]
