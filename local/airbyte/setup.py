"""Reads what a fresh server has: the source's manifest and the connection as code. Running them is jobs.py's job."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.airbyte import CONNECTION_ID, DEFINITION_ID, DESTINATION_ID, S3_DEFINITION_ID, SOURCE_ID, WORKSPACE_ID
from local.airbyte.landing import PART_BYTES
from local.problem import StackProblem

Record = dict[str, Any]

CONNECTION_DEFAULTS: Record = {
    "status": "active",
    "schedule": {"scheduleType": "manual"},
    "namespaceDefinition": "destination",
    "nonBreakingSchemaUpdatesBehavior": "ignore",
    "prefix": "",
    "tags": [],
}


@dataclass(frozen=True, slots=True)
class Setup:
    """What the server starts from, read once."""

    state: Path
    part_bytes: int
    seed: Mapping[str, Mapping[str, Record]]  # by kind, then by id, as the public API shows them


def read_setup(
    manifest: Path,
    connection: Path | None,
    *,
    state: Path,
    bucket: str,
    region: str = "us-east-1",
    is_empty: bool = False,
    part_bytes: int = PART_BYTES,
) -> Setup:
    """The setup, or StackProblem when a file is missing or says something this server cannot do."""
    state.mkdir(parents=True, exist_ok=True)
    if is_empty:
        return Setup(state.resolve(), part_bytes, {})
    source = _read(manifest)
    code = _read(connection or manifest.with_name("connection.yaml"))
    filled = {"${SPACEX_ELT_LAKE_BUCKET}": bucket, "${AWS_REGION}": region}
    try:
        seed = _seed(source, code, filled)
        known = {stream["name"] for stream in source["streams"]}
        streams = {stream["name"] for stream in code["connection"]["configurations"]["streams"]}
    except (KeyError, TypeError, AttributeError) as exc:
        raise StackProblem(f"{manifest} and its connection.yaml lack {exc}. Compare them with extraction/.") from exc
    if unknown := sorted(streams - known):
        raise StackProblem(f"the connection syncs {', '.join(unknown)}, which {manifest} does not have.")
    return Setup(state.resolve(), part_bytes, seed)


def _seed(manifest: Record, code: Record, filled: Mapping[str, str]) -> dict[str, dict[str, Record]]:
    """One record of each kind."""
    source, destination = code["source"], code["destination"]
    written = {
        key: filled.get(value, value) if isinstance(value, str) else value
        for key, value in destination["configuration"].items()
    }
    ours = {"workspaceId": WORKSPACE_ID, "createdAt": 0}
    return {
        "definition": {
            DEFINITION_ID: {"id": DEFINITION_ID, "name": source["definition"], "manifest": manifest, "version": 1},
        },
        "source": {
            SOURCE_ID: {
                **ours,
                "sourceId": SOURCE_ID,
                "name": source["name"],
                "sourceType": "declarative",
                "definitionId": DEFINITION_ID,
                "configuration": dict(source["configuration"]),
            },
        },
        "destination": {
            DESTINATION_ID: {
                **ours,
                "destinationId": DESTINATION_ID,
                "name": destination["name"],
                "destinationType": destination["type"],
                "definitionId": S3_DEFINITION_ID,
                "configuration": written,
            },
        },
        "connection": {
            CONNECTION_ID: {
                **ours,
                **CONNECTION_DEFAULTS,
                "connectionId": CONNECTION_ID,
                "sourceId": SOURCE_ID,
                "destinationId": DESTINATION_ID,
                **code["connection"],
            },
        },
    }


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as exc:
        raise StackProblem(f"could not read {path}: {exc}. Expected the source as it lies in extraction/.") from exc
