"""Owns reading an entry of a contract as plain values: our custom properties, severities, and what is only words.

Old versions are read as they were written, also where today's reader (contracts/read.py) would refuse them.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from contracts.custom import VENDOR
from contracts.evolution.changes import Change, Effect, both
from contracts.evolution.lattice import Limit
from contracts.model import DriftPolicy, Severity

Values = Mapping[str, Any]

#: Keys that explain and bind nobody. Any key that is neither here nor compared for itself counts as breaking.
WORDS = frozenset(
    [
        "id",
        "description",
        "businessName",
        "examples",
        "tags",
        "synonyms",
        "context",
        "authoritativeDefinitions",
        "dimension",
        "businessImpact",
        "label",
        "method",
        "transformDescription",
    ]
)


def custom(values: Values) -> dict[str, Any]:
    """Our custom properties by name."""
    items = values.get("customProperties") or []
    return {item["property"]: item["value"] for item in items if item.get("vendor", VENDOR) == VENDOR}


def severity_of(values: Values) -> Severity:
    """The severity of a check or a note; one that nobody knows counts as an error, the strictest."""
    given = values.get("severity", "error")
    return Severity(given) if given in list(Severity) else Severity.ERROR


def notes(values: Values) -> dict[str, Values]:
    """What a property says of its rules, by their kind."""
    found = custom(values).get("rules")
    return {kind: note for kind, note in found.items() if isinstance(note, Mapping)} if isinstance(found, dict) else {}


def drift_policies(values: Values) -> dict[str, DriftPolicy]:
    """What an entry says of drift, by its kind (`unknownFields`, `damagedFields`)."""
    found = custom(values).get("driftPolicy")
    if not isinstance(found, dict):
        return {}
    return {kind: DriftPolicy(policy) for kind, policy in found.items() if policy in list(DriftPolicy)}


def drift_limit(policy: DriftPolicy) -> Limit:
    """A drift policy as a limit: how much it refuses."""
    refused = {DriftPolicy.QUARANTINE: 1, DriftPolicy.NO_GO: 2}.get(policy)
    told = {DriftPolicy.ALLOW: None, DriftPolicy.WARN: 1}.get(policy)
    return Limit(refused) if refused else Limit(told, Severity.WARNING)


def words_changed(
    old: Values, new: Values, where: str, extra: Iterable[str] = (), but: Iterable[str] = ()
) -> Iterator[Change]:
    """One change for all the words that differ. Their text is not shown: examples may be values of real records."""
    keys = [key for key in sorted(WORDS.union(extra).difference(but)) if old.get(key) != new.get(key)]
    keys += [name for name, read in _OTHER_WORDS.items() if _differ(read(old), read(new))]
    if keys:
        yield both("words", "changed", where, Effect.PATCH, f"other {', '.join(keys)}")


def _differ(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> bool:
    """Whether words differ about what is in both versions; of what came or went, another change tells."""
    return any(old[name] != new[name] for name in old.keys() & new.keys())


def _reasons(values: Values) -> dict[str, Any]:
    limit = custom(values).get("rejectLimit")
    own = {"rejectLimit": limit.get("reason")} if isinstance(limit, Mapping) else {}
    return {**own, **{kind: note.get("reason") for kind, note in notes(values).items()}}


def _about_ours(values: Values) -> dict[str, Any]:
    items = values.get("customProperties") or []
    return {item["property"]: item.get("description") for item in items if item.get("vendor", VENDOR) == VENDOR}


def _of_others(values: Values) -> dict[str, Any]:
    items = values.get("customProperties") or []
    return {"": [item for item in items if item.get("vendor", VENDOR) != VENDOR]}


def _labels(values: Values) -> dict[Any, Any]:
    return {
        repr(entry["value"]): {key: entry[key] for key in entry if key != "value"} for entry in values.get("enum") or []
    }


_OTHER_WORDS: dict[str, Callable[[Values], dict[Any, Any]]] = {
    "reasons": _reasons,
    "descriptions of custom properties": _about_ours,
    "custom properties of another vendor": _of_others,
    "descriptions of enum values": _labels,
}


def unknown_keys(old: Values, new: Values, where: str, known: Iterable[str], column: str | None) -> Iterator[Change]:
    """A change for each key that differs and whose meaning nobody here knows: it counts as breaking."""
    for key in sorted((old.keys() | new.keys()) - WORDS - set(known)):
        if old.get(key) != new.get(key):
            what = f"{key} differs; what that does cannot be decided"
            path = f"{where}.{key}" if where else key
            yield both("key", "changed", path, Effect.BREAKING, what, column)


def unknown_custom(old: Values, new: Values, where: str, known: Iterable[str], column: str | None) -> Iterator[Change]:
    """The same for our own custom properties."""
    yield from unknown_keys(custom(old), custom(new), f"{where}.customProperties".lstrip("."), known, column)


def by_key(entries: Sequence[Values] | None, *keys: str) -> dict[str, Values]:
    """Entries of a list by the first of the keys that each has; equal names are told apart by their count."""
    found: dict[str, Values] = {}
    for entry in entries or []:
        name = next((str(entry[key]) for key in keys if key in entry), json.dumps(entry, sort_keys=True))
        number = 1 + sum(other == name or other.startswith(f"{name}#") for other in found)
        found[name if number == 1 else f"{name}#{number}"] = entry
    return found
