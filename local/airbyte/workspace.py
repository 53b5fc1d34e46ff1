"""Owns what the workspace holds: source definitions, sources, destinations, connections. Jobs are jobs.py's.

Kept in one file under the state folder, so a server that was killed knows what it was told. What would need the real
server to be met (a connector's check, the discovery of a schema) is answered from the manifest.
"""

import copy
import json
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import jsonschema

from local.airbyte import DEFINITION_ID, S3_DEFINITION_ID, WORKSPACE_ID
from local.airbyte.damage import check_damage
from local.airbyte.job_faults import JobFaults
from local.airbyte.refused import Refused
from local.airbyte.setup import CONNECTION_DEFAULTS, Record, Setup
from local.spacex_api.rates import FaultRefused

Kind = Literal["definition", "source", "destination", "connection"]

MASK = "**********"
SECRETS = ("access_key_id", "secret_access_key")
_S3_NEEDS = ("s3_bucket_name", "s3_bucket_path", "s3_bucket_region", "format")
_SYNC_MODES = ("full_refresh_overwrite", "full_refresh_append")  # what a source without a cursor can do
_CONNECTION_KEYS = {
    "name", "configurations", "schedule", "status", "prefix", "namespaceDefinition", "namespaceFormat",
    "nonBreakingSchemaUpdatesBehavior", "tags",
}  # fmt: skip


class Workspace:
    """The records of each kind, shaped as the public API shows them, secrets included."""

    def __init__(self, setup: Setup) -> None:
        self._lock = threading.RLock()
        self._file = setup.state / "workspace.json"
        kept = json.loads(self._file.read_text("utf-8")) if self._file.exists() else copy.deepcopy(setup.seed)
        self._records: dict[str, dict[str, Record]] = {
            kind: dict(kept.get(kind, {})) for kind in ("definition", "source", "destination", "connection")
        }
        ours, read = self._records["definition"].get(DEFINITION_ID), setup.seed.get("definition", {})
        if ours and read:  # the known source follows its file from start to start
            ours["manifest"] = read[DEFINITION_ID]["manifest"]

    def all(self, kind: Kind) -> list[Record]:
        """Every record of a kind, oldest first."""
        with self._lock:
            return copy.deepcopy(list(self._records[kind].values()))

    def one(self, kind: Kind, record_id: object) -> Record:
        """One record. Raises Refused when there is none of that id."""
        with self._lock:
            if not isinstance(record_id, str) or record_id not in self._records[kind]:
                raise Refused(404, f"there is no {kind} {record_id}.")
            return copy.deepcopy(self._records[kind][record_id])

    def streams_of(self, source: Record) -> list[str]:
        """The names of a source's streams."""
        return [stream["name"] for stream in self.one("definition", source["definitionId"])["manifest"]["streams"]]

    def create_definition(self, body: Mapping[str, Any]) -> Record:
        """A custom source from a manifest."""
        record: Record = {"id": _new_id(), "name": _name(body), "manifest": _manifest(body), "version": 1}
        return self._keep("definition", record["id"], record)

    def update_definition(self, definition_id: str, body: Mapping[str, Any]) -> Record:
        """Another manifest, as the definition's next version."""
        record = self.one("definition", definition_id)
        record |= {"manifest": _manifest(body), "version": record["version"] + 1}
        return self._keep("definition", definition_id, record)

    def create_source(self, body: Mapping[str, Any]) -> Record:
        """A source of one of the workspace's definitions."""
        self._check_workspace(body)
        if body.get("definitionId") not in self._records["definition"]:
            raise Refused(422, "definitionId names no custom source of this workspace; this stand-in runs no others.")
        record = {
            "sourceId": _new_id(),
            "name": _name(body),
            "sourceType": "declarative",
            "definitionId": body["definitionId"],
            "workspaceId": WORKSPACE_ID,
            "createdAt": int(time.time()),
            "configuration": {},
        }
        return self._configure_source(record, _configuration(body))

    def replace_source(self, source_id: str, body: Mapping[str, Any]) -> Record:
        """Another name and other settings, whole."""
        record = self.one("source", source_id) | {"name": _name(body)}
        return self._configure_source(record, _configuration(body))

    def merge_source(self, source_id: str, body: Mapping[str, Any]) -> Record:
        """Some other settings. Faults are ordered anew with each change."""
        record = self.one("source", source_id)
        record["name"] = _name(body) if "name" in body else record["name"]
        kept = {key: value for key, value in record["configuration"].items() if not key.endswith("_faults")}
        return self._configure_source(record, kept | dict(body.get("configuration") or {}))

    def take_job_faults(self, source_id: str) -> JobFaults:
        """What was ordered for the next job of a source. It is not ordered any more then."""
        with self._lock:
            record = self.one("source", source_id)
            faults = JobFaults.parse(record["configuration"].pop("job_faults", None) or ())
            self._keep("source", source_id, record)
            return faults

    def create_destination(self, body: Mapping[str, Any]) -> Record:
        """An S3 destination."""
        self._check_workspace(body)
        configuration = _configuration(body)
        kind = configuration.pop("destinationType", None)
        if kind != "s3" and body.get("definitionId") != S3_DEFINITION_ID:
            raise Refused(422, f"this stand-in writes to S3 only. Expected definitionId {S3_DEFINITION_ID}.")
        record: Record = {
            "destinationId": _new_id(),
            "name": _name(body),
            "destinationType": "s3",
            "definitionId": S3_DEFINITION_ID,
            "workspaceId": WORKSPACE_ID,
            "createdAt": int(time.time()),
            "configuration": _s3(configuration),
        }
        return self._keep("destination", record["destinationId"], record)

    def replace_destination(self, destination_id: str, body: Mapping[str, Any]) -> Record:
        """Another name and other settings, whole. A masked secret stays what it was."""
        record = self.one("destination", destination_id)
        asked = _configuration(body)
        asked.pop("destinationType", None)
        for key in SECRETS:
            if asked.get(key) == MASK and key in record["configuration"]:
                asked[key] = record["configuration"][key]
        record |= {"name": _name(body), "configuration": _s3(asked)}
        return self._keep("destination", destination_id, record)

    def merge_destination(self, destination_id: str, body: Mapping[str, Any]) -> Record:
        """Some other settings."""
        record = self.one("destination", destination_id)
        whole = record["configuration"] | dict(body.get("configuration") or {})
        return self.replace_destination(
            destination_id, {"name": body.get("name", record["name"])} | {"configuration": whole}
        )

    def create_connection(self, body: Mapping[str, Any]) -> Record:
        """A connection between a source and a destination of the workspace."""
        source = self.one("source", body.get("sourceId"))
        destination = self.one("destination", body.get("destinationId"))
        record = {
            "connectionId": _new_id(),
            "name": f"{source['name']} → {destination['name']}",
            "sourceId": source["sourceId"],
            "destinationId": destination["destinationId"],
            "workspaceId": WORKSPACE_ID,
            "createdAt": int(time.time()),
            "configurations": {"streams": [{"name": name} for name in self.streams_of(source)]},
            **CONNECTION_DEFAULTS,
        }
        return self._change_connection(
            record, {k: v for k, v in body.items() if k not in {"sourceId", "destinationId"}}
        )

    def patch_connection(self, connection_id: str, body: Mapping[str, Any]) -> Record:
        """Some other settings; streams are given whole."""
        return self._change_connection(self.one("connection", connection_id), body)

    def remove(self, kind: Kind, record_id: str) -> None:
        """Removes a record, and the connections that need it."""
        with self._lock:
            self.one(kind, record_id)
            if kind == "definition" and any(source["definitionId"] == record_id for source in self.all("source")):
                raise Refused(409, f"the definition {record_id} has sources. Delete them first.")
            if kind in {"source", "destination"}:
                for connection in self.all("connection"):
                    if connection[f"{kind}Id"] == record_id:
                        del self._records["connection"][connection["connectionId"]]
            del self._records[kind][record_id]
            self._write()

    def _configure_source(self, record: Record, configuration: Mapping[str, Any]) -> Record:
        asked = {key: value for key, value in configuration.items() if key != "sourceType"}
        manifest = self.one("definition", record["definitionId"])["manifest"]
        try:
            check_damage(asked.get("destination_faults") or ())
            JobFaults.parse(asked.get("job_faults") or ())
            jsonschema.validate(asked, manifest["spec"]["connection_specification"])
        except FaultRefused as exc:
            raise Refused(400, str(exc)) from exc
        except jsonschema.ValidationError as exc:
            raise Refused(422, f"the source's configuration is not what its spec asks for: {exc.message}") from exc
        return self._keep("source", record["sourceId"], record | {"configuration": asked})

    def _change_connection(self, record: Record, body: Mapping[str, Any]) -> Record:
        if unknown := sorted(set(body) - _CONNECTION_KEYS):
            raise Refused(400, f"a connection has no {', '.join(unknown)}.")
        asked = {key: value for key, value in body.items() if value is not None}
        record = record | asked
        if not isinstance(record["schedule"], dict) or not isinstance(record["configurations"], dict):
            raise Refused(400, "schedule and configurations are objects.")
        schedule = record["schedule"].get("scheduleType")
        if schedule not in {"manual", "cron"} or (schedule == "cron" and not record["schedule"].get("cronExpression")):
            raise Refused(400, "a schedule is {scheduleType: manual}, or cron with its cronExpression.")
        if record["status"] not in {"active", "inactive", "deprecated"}:
            raise Refused(400, f"status {record['status']!r} is not known.")
        known = self.streams_of(self.one("source", record["sourceId"]))
        streams = record["configurations"].get("streams") or []
        record["configurations"] = {"streams": list(_streams(streams, known))}
        return self._keep("connection", record["connectionId"], record)

    @staticmethod
    def _check_workspace(body: Mapping[str, Any]) -> None:
        if body.get("workspaceId") != WORKSPACE_ID:
            raise Refused(404, f"there is no workspace {body.get('workspaceId')}.")

    def _keep(self, kind: Kind, record_id: str, record: Record) -> Record:
        with self._lock:
            self._records[kind][record_id] = copy.deepcopy(record)
            self._write()
            return record

    def _write(self) -> None:
        write_json(self._file, self._records)


def shown(record: Record) -> Record:
    """A destination as an answer shows it: its type once more in its configuration, its secrets masked."""
    configuration = {key: MASK if key in SECRETS else value for key, value in record["configuration"].items()}
    return record | {"configuration": {"destinationType": record["destinationType"], **configuration}}


def write_json(path: Path, value: Any) -> None:
    """Writes a file so that a kill leaves the old one or the new one."""
    written = path.with_suffix(".tmp")
    written.write_text(json.dumps(value), "utf-8")
    written.replace(path)


def _streams(asked: Any, known: list[str]) -> Iterable[Record]:
    if not isinstance(asked, list) or not all(isinstance(stream, dict) for stream in asked):
        raise Refused(400, "streams is a list of objects.")
    named = [stream.get("name") for stream in asked]
    unknown = sorted({str(name) for name in named if name not in known})
    if unknown or not named or len(set(named)) < len(named):
        wrong = ", ".join(unknown) or ("(one twice)" if named else "(none named)")
        raise Refused(400, f"the source has no stream {wrong}. It has: {', '.join(known)}.")
    for stream in asked:
        mode = stream.get("syncMode") or "full_refresh_overwrite"
        if mode not in _SYNC_MODES:
            raise Refused(400, f"stream {stream['name']} has no sync mode {mode}. It has: {', '.join(_SYNC_MODES)}.")
        yield {"cursorField": [], "primaryKey": [["id"]], "mappers": [], **stream, "syncMode": mode}


def _s3(configuration: Record) -> Record:
    missing = [key for key in _S3_NEEDS if not configuration.get(key)]
    if missing:
        raise Refused(422, f"the destination's configuration lacks {', '.join(missing)}.")
    return configuration


def _configuration(body: Mapping[str, Any]) -> Record:
    configuration = body.get("configuration")
    if not isinstance(configuration, dict):
        raise Refused(422, "configuration is missing. Expected an object.")
    return dict(configuration)


def _name(body: Mapping[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise Refused(422, "name is missing. Expected some text.")
    return name


def _manifest(body: Mapping[str, Any]) -> Record:
    manifest = body.get("manifest")
    if not isinstance(manifest, dict) or manifest.get("type") != "DeclarativeSource":
        raise Refused(422, "manifest is missing. Expected a DeclarativeSource as an object.")
    if not isinstance(manifest.get("streams"), list) or "connection_specification" not in manifest.get("spec", {}):
        raise Refused(422, "the manifest lacks streams or a spec.")
    return manifest


def _new_id() -> str:
    return str(uuid.uuid4())
