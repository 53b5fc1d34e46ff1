"""Owns what each request to Airbyte's public and configuration API does. HTTP is server.py's, words answers.py's."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from local.airbyte import WORKSPACE_ID, answers
from local.airbyte.door import Door
from local.airbyte.jobs import Job, JobBook
from local.airbyte.refused import Refused
from local.airbyte.workspace import Kind, shown

_STATUSES = ("pending", "queued", "running", "incomplete", "failed", "succeeded", "cancelled")
_PAGE = 20  # what a list brings when nobody says how many


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `parts` are what the path's pattern caught; `query` holds the last value of each name."""

    path: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    body: Mapping[str, Any] = field(default_factory=dict)


Route = Callable[["Api", Asked], Any]


@dataclass(frozen=True, slots=True)
class Api:
    """The requests of the product and of Airflow's provider. What they answer goes out as JSON, None as no content."""

    book: JobBook
    door: Door

    def token(self, asked: Asked) -> Any:
        """Lets an application in."""
        return self.door.token(asked.body)

    def health(self, _asked: Asked) -> Any:
        """The configuration API's health check."""
        return {"available": True}

    def workspaces(self, asked: Asked) -> Any:
        """The one workspace."""
        return _page(asked, [answers.workspace()])

    def create_job(self, asked: Asked) -> Any:
        """Starts a sync."""
        if asked.body.get("jobType") != "sync":
            raise Refused(422, f"jobType {asked.body.get('jobType')!r} is not known here. Expected 'sync'.")
        return answers.public_job(self.book.start(asked.body.get("connectionId")))

    def sync(self, asked: Asked) -> Any:
        """Starts a sync, asked for through the configuration API."""
        return answers.config_job(self.book.start(asked.body.get("connectionId")), [])

    def list_jobs(self, asked: Asked) -> Any:
        """Jobs that match, newest first unless asked otherwise."""
        status, connection, kind = (asked.query.get(name) for name in ("status", "connectionId", "jobType"))
        if status is not None and status not in _STATUSES:
            raise Refused(400, f"status {status!r} is not known. Expected one of: {', '.join(_STATUSES)}.")
        jobs = [
            self.book.answer(job.job_id)
            for job in _ordered(self.book.jobs(), asked.query.get("orderBy", "createdAt|DESC"))
            if connection in (None, job.connection_id) and kind in (None, "sync")
        ]
        return _page(asked, [answers.public_job(job) for job in jobs if status in (None, job.status)])

    def get_job(self, asked: Asked) -> Any:
        """One job, without counts per stream."""
        return answers.public_job(self.book.answer(int(asked.parts[0])))

    def cancel_job(self, asked: Asked) -> Any:
        """Ends a job."""
        return answers.public_job(self.book.cancel(int(asked.parts[0])))

    def read_job(self, asked: Asked) -> Any:
        """One job with its attempt and the counts per stream."""
        job_id = asked.body.get("id")
        if not isinstance(job_id, int):
            raise Refused(422, f"id {job_id!r} is no job id. Expected a number.")
        return answers.config_job(self.book.job(job_id), self.book.log_lines(job_id))

    def create_source(self, asked: Asked) -> Any:
        """A new source."""
        return self.book.workspace.create_source(asked.body)

    def patch_source(self, asked: Asked) -> Any:
        """Changes some of a source's settings."""
        return self.book.workspace.merge_source(asked.parts[0], asked.body)

    def put_source(self, asked: Asked) -> Any:
        """Gives a source other settings."""
        return self.book.workspace.replace_source(asked.parts[0], asked.body)

    def create_destination(self, asked: Asked) -> Any:
        """A new destination."""
        return shown(self.book.workspace.create_destination(asked.body))

    def patch_destination(self, asked: Asked) -> Any:
        """Changes some of a destination's settings."""
        return shown(self.book.workspace.merge_destination(asked.parts[0], asked.body))

    def put_destination(self, asked: Asked) -> Any:
        """Gives a destination other settings."""
        return shown(self.book.workspace.replace_destination(asked.parts[0], asked.body))

    def create_connection(self, asked: Asked) -> Any:
        """A new connection."""
        return self.book.workspace.create_connection(asked.body)

    def patch_connection(self, asked: Asked) -> Any:
        """Changes some of a connection's settings."""
        return self.book.workspace.patch_connection(asked.parts[0], asked.body)

    def definitions(self, asked: Asked) -> Any:
        """The workspace's custom sources."""
        _check_workspace(asked)
        return _page(asked, self.book.workspace.all("definition"))

    def get_definition(self, asked: Asked) -> Any:
        """One custom source with its manifest."""
        _check_workspace(asked)
        return self.book.workspace.one("definition", asked.parts[1])

    def create_definition(self, asked: Asked) -> Any:
        """A new custom source."""
        _check_workspace(asked)
        return self.book.workspace.create_definition(asked.body)

    def put_definition(self, asked: Asked) -> Any:
        """Gives a custom source another manifest."""
        _check_workspace(asked)
        return self.book.workspace.update_definition(asked.parts[1], asked.body)

    def delete_definition(self, asked: Asked) -> Any:
        """Removes a custom source and answers with what it was."""
        _check_workspace(asked)
        was = self.book.workspace.one("definition", asked.parts[1])
        self.book.workspace.remove("definition", asked.parts[1])
        return was

    def faults(self, _asked: Asked) -> Any:
        """Damage that was done to landed objects, per job: no part of Airbyte, the stand-in's own word."""
        return {
            "faults": [{"jobId": job.job_id, **entry} for job in reversed(self.book.jobs()) for entry in job.damage]
        }

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Any:
        """Finds the request's route and goes it. Raises Refused."""
        for verb, pattern, route in ROUTES:
            if verb == method and (match := re.fullmatch(pattern, path)):
                return route(self, Asked(path, match.groups(), query, body))
        raise Refused(404, f"this stand-in has no {method} {path}.")


def _all(kind: Kind) -> Route:
    def route(api: Api, asked: Asked) -> Any:
        found = api.book.workspace.all(kind)
        return _page(asked, [shown(record) for record in found] if kind == "destination" else found)

    return route


def _one(kind: Kind) -> Route:
    def route(api: Api, asked: Asked) -> Any:
        found = api.book.workspace.one(kind, asked.parts[0])
        return shown(found) if kind == "destination" else found

    return route


def _remove(kind: Kind) -> Route:
    return lambda api, asked: api.book.workspace.remove(kind, asked.parts[0])


def _check_workspace(asked: Asked) -> None:
    if asked.parts[0] != WORKSPACE_ID:
        raise Refused(404, f"there is no workspace {asked.parts[0]}.")


def _ordered(jobs: list[Job], order: str) -> list[Job]:
    name, _, direction = order.partition("|")
    if name not in {"createdAt", "updatedAt"} or direction not in {"ASC", "DESC"}:
        raise Refused(400, f"orderBy {order!r} is not known. Expected createdAt or updatedAt, then |ASC or |DESC.")
    moment: Callable[[Job], float] = (
        (lambda job: job.created_at) if name == "createdAt" else (lambda job: job.updated_at)
    )
    return sorted(jobs, key=moment, reverse=direction == "DESC")


def _page(asked: Asked, found: list[dict[str, Any]]) -> dict[str, Any]:
    """A part of a list, with the addresses of the next and the previous one where there are any."""
    try:
        limit, offset = int(asked.query.get("limit", _PAGE)), int(asked.query.get("offset", 0))
    except ValueError:
        limit = offset = -1
    if not 1 <= limit <= 100 or offset < 0:
        raise Refused(400, "limit is a number from 1 to 100, offset one from 0.")

    def at(start: int) -> str:
        return f"{asked.path}?{urlencode({**asked.query, 'limit': limit, 'offset': start})}"

    return {
        "data": found[offset : offset + limit],
        "previous": at(max(0, offset - limit)) if offset else "",
        "next": at(offset + limit) if offset + limit < len(found) else "",
    }


_DEFINITIONS = r"/api/public/v1/workspaces/([^/]+)/definitions/declarative_sources"

ROUTES: tuple[tuple[str, str, Route], ...] = (
    ("POST", r"/api/(?:public/)?v1/applications/token", Api.token),
    ("GET", r"/api/(?:public/)?v1/health", Api.health),
    ("GET", r"/api/public/v1/workspaces", Api.workspaces),
    ("POST", r"/api/public/v1/jobs", Api.create_job),
    ("GET", r"/api/public/v1/jobs", Api.list_jobs),
    ("GET", r"/api/public/v1/jobs/(\d+)", Api.get_job),
    ("DELETE", r"/api/public/v1/jobs/(\d+)", Api.cancel_job),
    ("GET", r"/api/public/v1/sources", _all("source")),
    ("POST", r"/api/public/v1/sources", Api.create_source),
    ("GET", r"/api/public/v1/sources/([^/]+)", _one("source")),
    ("PATCH", r"/api/public/v1/sources/([^/]+)", Api.patch_source),
    ("PUT", r"/api/public/v1/sources/([^/]+)", Api.put_source),
    ("DELETE", r"/api/public/v1/sources/([^/]+)", _remove("source")),
    ("GET", r"/api/public/v1/destinations", _all("destination")),
    ("POST", r"/api/public/v1/destinations", Api.create_destination),
    ("GET", r"/api/public/v1/destinations/([^/]+)", _one("destination")),
    ("PATCH", r"/api/public/v1/destinations/([^/]+)", Api.patch_destination),
    ("PUT", r"/api/public/v1/destinations/([^/]+)", Api.put_destination),
    ("DELETE", r"/api/public/v1/destinations/([^/]+)", _remove("destination")),
    ("GET", r"/api/public/v1/connections", _all("connection")),
    ("POST", r"/api/public/v1/connections", Api.create_connection),
    ("GET", r"/api/public/v1/connections/([^/]+)", _one("connection")),
    ("PATCH", r"/api/public/v1/connections/([^/]+)", Api.patch_connection),
    ("DELETE", r"/api/public/v1/connections/([^/]+)", _remove("connection")),
    ("GET", _DEFINITIONS, Api.definitions),
    ("POST", _DEFINITIONS, Api.create_definition),
    ("GET", _DEFINITIONS + "/([^/]+)", Api.get_definition),
    ("PUT", _DEFINITIONS + "/([^/]+)", Api.put_definition),
    ("DELETE", _DEFINITIONS + "/([^/]+)", Api.delete_definition),
    ("POST", r"/api/v1/connections/sync", Api.sync),
    ("POST", r"/api/v1/jobs/get", Api.read_job),
    ("GET", r"/_faults", Api.faults),
)
