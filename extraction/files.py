"""Reads what an Airbyte server is to hold from the files of this folder. Comparing and applying are others' jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from contracts.errors import UsageError

FOLDER = Path(__file__).resolve().parent
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the files ask for, each as the public API takes it. Keys to the bucket are never shown."""

    definition_name: str
    manifest: Record
    source_name: str
    source: Record  # its configuration
    destination_name: str
    destination_type: str
    destination: Record = field(repr=False)  # its configuration, keys included
    connection: Record

    @property
    def streams(self) -> tuple[str, ...]:
        """The names of what is synced."""
        return tuple(stream["name"] for stream in self.connection["configurations"]["streams"])


def read_wanted(values: Mapping[str, str], keys: Mapping[str, str], folder: Path = FOLDER) -> Wanted:
    """The files with `${NAME}` filled in from `values` and the destination's keys added. Raises UsageError."""
    path = folder / "connection.yaml"
    code = _read(path)
    try:
        source, destination = code["source"], code["destination"]
        written = {key: _filled(value, values) for key, value in destination["configuration"].items()}
        return Wanted(
            definition_name=source["definition"],
            manifest=_read(folder / source["manifest"]),
            source_name=source["name"],
            source=source["configuration"],
            destination_name=destination["name"],
            destination_type=destination["type"],
            destination={**written, **keys},
            connection=code["connection"],
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise UsageError(f"{path} lacks {exc}. Expected it as it is delivered.") from exc


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """A value that is nothing but `${NAME}` of ours; the path format's variables are Airbyte's own."""
    name = value[2:-1] if isinstance(value, str) and value.startswith("${") and value.endswith("}") else None
    if name is None or name not in values:
        return value
    if not values[name]:
        raise UsageError(f"{name} is not set, and the destination in extraction/connection.yaml needs it.")
    return values[name]


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as exc:
        raise UsageError(f"could not read {path}: {exc}. Expected the file as it is delivered.") from exc
