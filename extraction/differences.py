"""Compares what an Airbyte server holds with what the files ask for. Values in, values out; secrets are never shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.errors import UsageError
from extraction.files import Record, Wanted

SECRETS = ("access_key_id", "secret_access_key")
ABSENT = "(none)"
_SET = "(set)"
_TYPES = ("sourceType", "destinationType")  # some servers repeat in the configuration what kind of thing it is of
_ALTERING = ("mappers", "selectedFields", "namespace")  # of a stream: with these, records do not land as they are


@dataclass(frozen=True, slots=True)
class Found:
    """What a server holds of it, each as the public API answers; None for what is not there."""

    definition: Record | None = None
    source: Record | None = None
    destination: Record | None = None
    connection: Record | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One setting, in words: what it is on the server, what the files say."""

    key: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the files say."""

    kind: str  # definition, source, destination or connection
    name: str
    is_new: bool
    changes: tuple[Change, ...]


def compare(wanted: Wanted, found: Found, *, send_keys: bool = False) -> tuple[Difference, ...]:
    """What has to be made or changed, in the order in which that can be done.

    Airbyte never shows a key: one that is there counts as the right one, unless `send_keys`. Raises UsageError for
    what no server can change: a source of another definition, a destination of another type.
    """
    _refuse_other_kinds(wanted, found)
    asked = _destination(wanted.destination_name, wanted.destination)
    there = found.destination
    held = _destination(there["name"], there["configuration"]) if there else None
    if held and send_keys:
        held |= {key: "(unknown)" for key in held if key.rpartition(".")[2] in SECRETS}
    pairs = (
        ("definition", wanted.definition_name, _definition(found.definition), {"manifest": wanted.manifest}),
        ("source", wanted.source_name, _source(found.source), _named(wanted.source_name, wanted.source)),
        ("destination", wanted.destination_name, held, asked),
        ("connection", wanted.connection["name"], _connection(found.connection), _settings(wanted.connection)),
    )
    differences = (_difference(kind, name, held, asked) for kind, name, held, asked in pairs)
    return tuple(difference for difference in differences if difference)


def _difference(kind: str, name: str, held: Record | None, asked: Record) -> Difference | None:
    if held is None:
        shown = {"streams": [s["name"] for s in asked["manifest"]["streams"]]} if kind == "definition" else asked
        changes = tuple(Change(key, ABSENT, _word(value)) for key, value in sorted(_leaves(shown)))
        return Difference(kind, name, True, changes)
    old, new = dict(_leaves(held)), dict(_leaves(asked))
    changes = tuple(
        Change(key, _word(old.get(key, ABSENT)), _word(new.get(key, ABSENT)))
        for key in sorted(old.keys() | new.keys())
        if old.get(key, ABSENT) != new.get(key, ABSENT)
    )
    return Difference(kind, name, False, changes) if changes else None


def _refuse_other_kinds(wanted: Wanted, found: Found) -> None:
    if found.source and (not found.definition or found.source["definitionId"] != found.definition["id"]):
        raise UsageError(
            f"the server's source {found.source['name']!r} is not made from the custom source "
            f"{wanted.definition_name!r}, and Airbyte cannot change that. Rename or delete it (and the connection "
            f"{wanted.connection['name']!r}), then apply again."
        )
    if found.destination and found.destination["destinationType"] != wanted.destination_type:
        raise UsageError(
            f"the server's destination {found.destination['name']!r} is of type "
            f"{found.destination['destinationType']}, not {wanted.destination_type}, and Airbyte cannot change that. "
            f"Rename or delete it (and the connection {wanted.connection['name']!r}), then apply again."
        )


def _definition(found: Record | None) -> dict[str, Any] | None:
    return {"manifest": found["manifest"]} if found else None


def _source(found: Record | None) -> dict[str, Any] | None:
    return _named(found["name"], found["configuration"]) if found else None


def _named(name: str, configuration: Record) -> dict[str, Any]:
    kept = {key: value for key, value in configuration.items() if key not in _TYPES}
    return {"name": name, "configuration": kept}


def _destination(name: str, configuration: Record) -> dict[str, Any]:
    """Flat already, so that a key can be told apart from a setting of the same name elsewhere."""
    shown = {key: _SET if key in SECRETS and value else value for key, value in configuration.items()}
    return dict(_leaves(_named(name, shown)))


def _connection(found: Record | None) -> dict[str, Any] | None:
    return _settings(found) if found else None


def _settings(connection: Record) -> dict[str, Any]:
    """What the files decide of a connection, with Airbyte's defaults."""
    schedule = connection["schedule"]
    return {
        "name": connection["name"],
        "status": connection.get("status") or "active",
        "prefix": connection.get("prefix") or "",
        "namespaceDefinition": connection.get("namespaceDefinition") or "destination",
        "nonBreakingSchemaUpdatesBehavior": connection.get("nonBreakingSchemaUpdatesBehavior") or "ignore",
        "schedule": {key: schedule[key] for key in ("scheduleType", "cronExpression") if schedule.get(key)},
        "streams": [_stream(stream) for stream in connection["configurations"].get("streams") or []],
    }


def _stream(stream: Record) -> dict[str, Any]:
    altering = {key: str(stream[key]) for key in _ALTERING if stream.get(key)}
    return {"name": stream["name"], "syncMode": stream.get("syncMode"), **altering}


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting by its path. Items that have names are told by them, so their order says nothing."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) and "name" in item for item in value):
        for item in value:
            rest = {key: part for key, part in item.items() if key != "name"}
            yield from _leaves(rest, f"{path}[{item['name']}]")
    else:
        yield path, value


def _word(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "(empty)"
    return str(value) if value != "" else "(empty)"
