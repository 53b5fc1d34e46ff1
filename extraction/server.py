"""Finds, makes and changes what an Airbyte server holds, through its public API. HTTP and tokens are the caller's.

Pages are read to their end: a server has more sources than a page holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

from contracts.errors import UsageError
from extraction.differences import Difference, Found
from extraction.files import Record, Wanted

Answer = TypeVar("Answer")

PUBLIC = "/api/public/v1"
S3_DEFINITION_ID = "4816b78f-1489-44c1-9060-4b19d5fa9362"  # of Airbyte's own S3 destination, on every server
_PAGE = 100


class Api(Protocol):
    """Asks an Airbyte server. Raises UsageError or ServiceUnavailable, also when `read` cannot read the answer."""

    def call(self, method: str, path: str, body: Mapping[str, Any] | None, read: Callable[[Any], Answer]) -> Answer:
        """One request, and what `read` makes of the answer's JSON."""
        ...


@dataclass(frozen=True, slots=True)
class Ids:
    """What settings need to know of what was applied."""

    workspace: str
    source: str
    destination: str
    connection: str


def find_workspace(api: Api, workspace_id: str) -> str:
    """The workspace that was named, or the only one. Raises UsageError."""
    known = {record["workspaceId"]: record["name"] for record in _all(api, "/workspaces", ("workspaceId", "name"))}
    told = ", ".join(f"{key} ({name})" for key, name in known.items()) or "none"
    if workspace_id and workspace_id not in known:
        raise UsageError(f"there is no workspace {workspace_id}. The server has: {told}.")
    if not workspace_id and len(known) != 1:
        raise UsageError(f"set SPACEX_ELT_AIRBYTE_WORKSPACE_ID to one workspace. The server has: {told}.")
    return workspace_id or next(iter(known))


@dataclass(frozen=True, slots=True)
class AirbyteWorkspace:
    """One workspace of a server."""

    api: Api
    workspace_id: str

    def find(self, wanted: Wanted) -> Found:
        """What is there of what the files name.

        The connection's own source and destination count, whatever they are called: `spacex-elt run` renames the
        source after the data it serves. Raises UsageError when a name is there twice.
        """
        connection = self._named("connections", wanted.connection["name"], _CONNECTION)
        source: Record | None
        destination: Record | None
        if connection:
            source = self._get(f"/sources/{connection['sourceId']}", _SOURCE)
            destination = self._get(f"/destinations/{connection['destinationId']}", _DESTINATION)
        else:
            source = self._named("sources", wanted.source_name, _SOURCE)
            destination = self._named("destinations", wanted.destination_name, _DESTINATION)
        definitions = _all(self.api, self._definitions, ("id", "name", "manifest"))
        return Found(_only(definitions, "custom source", wanted.definition_name), source, destination, connection)

    def apply(self, wanted: Wanted, found: Found, differences: tuple[Difference, ...]) -> Ids:
        """Makes and changes what differs, each after what it needs."""
        differing = {difference.kind for difference in differences}
        definition_id = self._put_definition(wanted, found.definition, "definition" in differing)
        source_id = self._put_source(wanted, found.source, definition_id, "source" in differing)
        destination_id = self._put_destination(wanted, found.destination, "destination" in differing)
        connection_id = found.connection and found.connection["connectionId"]
        if found.connection is None:
            ends = {"sourceId": source_id, "destinationId": destination_id}
            connection_id = self._send("POST", "/connections", {**ends, **wanted.connection}, "connectionId")
        elif "connection" in differing:
            self._send("PATCH", f"/connections/{connection_id}", wanted.connection, "connectionId")
        return Ids(self.workspace_id, source_id, destination_id, str(connection_id))

    def last_success(self, connection_id: str) -> tuple[int, dict[str, int]] | None:
        """The newest sync that succeeded, and how many records it committed per stream; None when there is none."""
        asked = {"connectionId": connection_id, "jobType": "sync", "status": "succeeded", "limit": "1"}
        path = f"{PUBLIC}/jobs?{urlencode({**asked, 'orderBy': 'createdAt|DESC'})}"
        job_id = self.api.call("GET", path, None, lambda answer: next((int(j["jobId"]) for j in answer["data"]), None))
        if job_id is None:
            return None
        return job_id, self.api.call("POST", "/api/v1/jobs/get", {"id": job_id}, _committed)

    @property
    def _definitions(self) -> str:
        return f"/workspaces/{quote(self.workspace_id)}/definitions/declarative_sources"

    def _put_definition(self, wanted: Wanted, found: Record | None, differs: bool) -> str:
        if found is None:
            body = {"name": wanted.definition_name, "manifest": wanted.manifest}
            return self._send("POST", self._definitions, body, "id")
        if differs:
            self._send("PUT", f"{self._definitions}/{found['id']}", {"manifest": wanted.manifest}, "id")
        return str(found["id"])

    def _put_source(self, wanted: Wanted, found: Record | None, definition_id: str, differs: bool) -> str:
        body = {"name": wanted.source_name, "configuration": wanted.source}
        if found is None:
            ours = {"workspaceId": self.workspace_id, "definitionId": definition_id}
            return self._send("POST", "/sources", {**body, **ours}, "sourceId")
        if differs:
            self._send("PUT", f"/sources/{found['sourceId']}", body, "sourceId")
        return str(found["sourceId"])

    def _put_destination(self, wanted: Wanted, found: Record | None, differs: bool) -> str:
        body = {"name": wanted.destination_name, "configuration": wanted.destination}
        if found is None:
            ours = {"workspaceId": self.workspace_id, "definitionId": S3_DEFINITION_ID}
            return self._send("POST", "/destinations", {**body, **ours}, "destinationId")
        if differs:
            self._send("PUT", f"/destinations/{found['destinationId']}", body, "destinationId")
        return str(found["destinationId"])

    def _send(self, method: str, path: str, body: Mapping[str, Any], key: str) -> str:
        return self.api.call(method, PUBLIC + path, body, lambda answer: str(answer[key]))

    def _get(self, path: str, needed: tuple[str, ...]) -> Record:
        return self.api.call("GET", PUBLIC + path, None, lambda answer: _checked(answer, needed))

    def _named(self, kind: str, name: str, needed: tuple[str, ...]) -> Record | None:
        records = _all(self.api, f"/{kind}", ("name", *needed), {"workspaceIds": self.workspace_id})
        return _only(records, kind.removesuffix("s"), name)


_CONNECTION = ("sourceId", "destinationId", "connectionId", "configurations", "schedule")
_SOURCE = ("name", "sourceId", "definitionId", "configuration")
_DESTINATION = ("name", "destinationId", "destinationType", "configuration")


def _all(api: Api, path: str, needed: tuple[str, ...], query: Mapping[str, str] | None = None) -> list[Record]:
    found: list[Record] = []
    while len(found) % _PAGE == 0:
        asked = urlencode({**(query or {}), "limit": _PAGE, "offset": len(found)})
        page = api.call(
            "GET", f"{PUBLIC}{path}?{asked}", None, lambda answer: [_checked(item, needed) for item in answer["data"]]
        )
        found += page
        if not page:
            break
    return found


def _checked(record: Any, needed: tuple[str, ...]) -> Record:
    """The record, when it has what will be read of it; what is raised otherwise says that it is not Airbyte's."""
    missing = [key for key in needed if record[key] is None]
    if missing:
        raise KeyError(missing[0])
    return dict(record)


def _only(records: list[Record], kind: str, name: str) -> Record | None:
    named = [record for record in records if record["name"] == name]
    if len(named) > 1:
        raise UsageError(f"the workspace has {len(named)} {kind}s named {name!r}. Rename or delete all but one.")
    return named[0] if named else None


def _committed(answer: Any) -> dict[str, int]:
    last = answer["attempts"][-1]["attempt"] if answer["attempts"] else {}
    return {
        stream["streamName"]: int(stream["stats"]["recordsCommitted"])
        for stream in last.get("streamStats") or []
        if stream["stats"].get("recordsCommitted") is not None
    }
