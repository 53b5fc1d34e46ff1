"""Reads what the server runs: the source's manifest and the connection as code. Running them is jobs.py's job."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.airbyte.landing import PART_BYTES, Destination
from local.problem import StackProblem


@dataclass(frozen=True, slots=True)
class Setup:
    """What the server runs, read once at its start."""

    manifest: Path
    known_streams: tuple[str, ...]
    streams: tuple[str, ...]
    source_config: Mapping[str, Any]
    bucket: str
    destination: Destination
    state: Path


def read_setup(
    manifest: Path, connection: Path | None, *, state: Path, bucket: str, part_bytes: int = PART_BYTES
) -> Setup:
    """The setup, or StackProblem when a file is missing or says something this server cannot do."""
    source = _read(manifest)
    code = _read(connection or manifest.with_name("connection.yaml"))
    try:
        known = tuple(stream["name"] for stream in source["streams"])
        streams = tuple(stream["name"] for stream in code["connection"]["configurations"]["streams"])
        settings = code["destination"]["configuration"]
        destination = Destination(settings["s3_bucket_path"], settings["s3_path_format"], part_bytes)
        source_config = code["source"]["configuration"]
    except (KeyError, TypeError) as exc:
        raise StackProblem(f"{manifest} and its connection.yaml lack {exc}. Compare them with extraction/.") from exc
    if unknown := sorted(set(streams) - set(known)):
        raise StackProblem(f"the connection syncs {', '.join(unknown)}, which {manifest} does not have.")
    state.mkdir(parents=True, exist_ok=True)
    return Setup(manifest.resolve(), known, streams, source_config, bucket, destination, state.resolve())


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as exc:
        raise StackProblem(f"could not read {path}: {exc}. Expected the source as it lies in extraction/.") from exc
