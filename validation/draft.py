"""Owns the first draft of a contract: what a profile shows, in the form of a contract, with the words left to people.

What one property is guessed to be is validation/draft_property.py's job. Every word that a person must write begins
with TODO, which `spacex-elt contracts lint` refuses.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from validation.draft_property import example, is_required, shape
from validation.field_profile import FieldProfile
from validation.forms import Form
from validation.profile import Profile

_COLUMN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,126}")
_NESTED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY_BYTES: Final = 64  # what a key has at most; longer texts are no names of things
_SHARED: Final = 0.9  # of a property's values are keys of another dataset: then it refers to it


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of one dataset."""

    dataset: str
    profile: Profile
    paths: tuple[str, ...]  # in the order they were met
    key: str = ""  # the path whose values are all different; empty when there is none
    references: Mapping[str, str] = field(default_factory=dict)  # by path: `rockets.id`


@dataclass(frozen=True, slots=True)
class Draft:
    """The values of a contract, and what could not be said in it or is in doubt, path by path."""

    values: Mapping[str, Any]
    doubts: Mapping[str, str]


def key_candidates(profile: Profile, paths: Sequence[str]) -> list[str]:
    """The columns that could be the key, likeliest first: never missing or null, of one type, nearly all different."""
    found = [path for path in paths if _COLUMN.fullmatch(path) and _may_be_key(profile, path)]
    return sorted(found, key=lambda path: (path != "id", not _is_id(profile.at(path)), not path.endswith("_id")))


def _may_be_key(profile: Profile, path: str) -> bool:
    seen = profile.at(path)
    if not is_required(profile, path) or seen.by_type.keys() not in ({"string"}, {"integer"}):
        return False
    if seen.utf8_bytes and (seen.utf8_bytes[1] > _KEY_BYTES or Form.EMPTY in seen.forms):
        return False
    return seen.distinct.count == seen.count if seen.distinct.is_exact else seen.distinct.count > 0.7 * seen.count


def _is_id(seen: FieldProfile) -> bool:
    return seen.forms.keys() in ({Form.HEX_ID}, {Form.UUID})


def references(seen: Seen, others: Sequence[Seen]) -> dict[str, str]:
    """The properties whose values are nearly all keys of another dataset: `rockets.id` by path. Ids alone count."""
    keys = {f"{other.dataset}.{other.key}": other.profile.at(other.key) for other in others if other.key}
    found = {}
    for path in seen.paths:
        own = seen.profile.at(path)
        if path == seen.key or not _is_id(own):
            continue
        shares = {to: own.distinct.share_within(key.distinct) for to, key in keys.items() if _is_id(key)}
        best = max(shares, key=lambda to: shares[to], default="")
        if best and shares[best] >= _SHARED:
            found[path] = best
    return found


def draft(seen: Seen) -> Draft:
    """The draft of a contract for what was seen. Equal profiles give equal drafts."""
    return _Drafting(seen).draft()


class _Drafting:
    """Writes one draft, gathering doubts."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._profile = seen.profile
        self._doubts: dict[str, str] = {}
        self._children: dict[str, list[str]] = {}
        for path in seen.paths:
            if path and not path.endswith("[]"):
                parent, dot, _ = path.rpartition(".")
                self._children.setdefault(parent if dot else "", []).append(path)

    def draft(self) -> Draft:
        dataset, key = self._seen.dataset, self._seen.key
        if not key:
            self._doubts[""] = "no column is there in every record with a value of its own: name the key by hand"
        properties = [self._column(path) for path in self._columns()]
        title = dataset.replace("_", " ").capitalize()
        values = {
            "version": "1.0.0",
            "kind": "DataContract",
            "apiVersion": "v3.2.0",
            "id": f"spacex-{dataset.replace('_', '-')}",
            "name": title,
            "tags": ["spacex"],
            "status": "draft",
            "servers": _servers(dataset),
            "description": {
                "usage": "TODO: how to use it, and what to join it to.",
                "purpose": "TODO: what this is, and for whom.",
                "limitations": (
                    "TODO: what it is not good for. Settle who may see each property as well: whose classification is "
                    "not public keeps no example and no list of values here."
                ),
            },
            "domain": "spaceflight",
            "schema": [
                {
                    "name": dataset,
                    "physicalType": "table",
                    "description": "TODO: what one record is.",
                    "logicalType": "object",
                    "physicalName": dataset,
                    "dataGranularityDescription": f"TODO: one row per … ({key or 'key'}).",
                    "properties": properties,
                    "quality": [_row_count()],
                }
            ],
            "support": [{"channel": "TODO", "url": "mailto:TODO@example.com"}],
            "team": {"name": "TODO", "description": "TODO: who owns this contract."},
            "slaProperties": [_hours("latency", 24, dataset), _hours("freshness", 48, dataset)],
            "customProperties": _policies(),
        }
        return Draft(values, self._doubts)

    def _named(self, parent: str, allowed: re.Pattern[str]) -> Iterator[str]:
        for path in self._children.get(parent, []):
            if allowed.fullmatch(path.rpartition(".")[2]):
                yield path
            else:
                self._doubts[path] = "a contract cannot name this field; it is left out, and told as unknown"

    def _columns(self) -> Iterator[str]:
        """The fields that become columns: of two whose names differ in case alone, the first."""
        seen: set[str] = set()
        for path in self._named("", _COLUMN):
            if path.lower() in seen:
                self._doubts[path] = "Redshift folds names, and another field has this one; it is left out"
            else:
                seen.add(path.lower())
                yield path

    def _column(self, path: str) -> dict[str, Any]:
        found = {"name": path, **self._property(path, is_column=True)}
        if path == self._seen.key:
            found["quality"] = [_no_duplicates(path)]
        return found

    def _property(self, path: str, *, is_column: bool = False) -> dict[str, Any]:
        """The property's keys after its name, in the order of the contracts here."""
        seen, guess = self._profile.at(path), shape(self._profile.at(path))
        if guess.doubt:
            self._doubts[path] = guess.doubt
        is_key = path == self._seen.key
        within = self._within(path, guess.logical_type)
        found: dict[str, Any] = {} if path.endswith("[]") else {"description": self._description(seen, guess.doubt)}
        found |= {"primaryKey": True, "primaryKeyPosition": 1} if is_key else {}
        found["logicalType"] = guess.logical_type
        found |= {"logicalTypeOptions": dict(guess.options)} if guess.options else {}
        if is_column:  # Redshift folds names
            found["physicalType"] = guess.physical_type
            found |= {"physicalName": path.lower()} if path != path.lower() else {}
        found["required"] = is_required(self._profile, path)
        found |= {"unique": True} if is_key else {}
        found["classification"] = "restricted" if guess.is_personal else "public"
        shown = None if guess.is_personal or within else example(seen)
        found |= {"examples": [shown]} if shown is not None else {}
        found |= within
        found |= {"enum": [{"value": value} for value in guess.allowed]} if guess.allowed else {}
        return found | self._rules(path, guess.rules)

    def _within(self, path: str, logical_type: str) -> dict[str, Any]:
        if logical_type == "object":
            inner = [
                {"name": child.rpartition(".")[2], **self._property(child)} for child in self._named(path, _NESTED)
            ]
            if not inner:
                self._doubts[path] = "no object seen here had a field: say what it holds, or leave it out"
            return {"properties": inner}
        if logical_type != "array":
            return {}
        item = f"{path}[]"
        if item in self._seen.paths:
            return {"items": self._property(item)}
        self._doubts[item] = "no array seen here held anything, the type of its items is a guess"
        return {"items": {"logicalType": "string", "required": True}}

    def _rules(self, path: str, notes: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        notes = {kind: dict(note) for kind, note in notes.items()}
        found: dict[str, Any] = {}
        if path in self._seen.references:
            to = self._seen.references[path]
            found["relationships"] = [{"type": "foreignKey", "to": to}]
            notes["reference"] = {"severity": "warning", "reason": f"The values seen are keys of {to.split('.')[0]}."}
        if notes:
            found["customProperties"] = [{"property": "rules", "value": notes}]
        return found

    def _description(self, seen: FieldProfile, doubt: str) -> str:
        facts = [f"In doubt: {doubt}."] if doubt else []
        missing = self._profile.missing_count(seen.path)
        if seen.null_count:
            facts.append(f"Null in {seen.null_count} of {seen.count}.")
        if missing:
            facts.append(f"Missing in {missing} of {missing + seen.count}.")
        if seen.utf8_bytes and seen.utf8_bytes[0] != seen.utf8_bytes[1]:
            facts.append(f"The longest seen has {seen.utf8_bytes[1]} bytes.")
        unit = ", its unit" if seen.ranges.get("number") else ""
        null = ", what null means" if seen.null_count or missing else ""
        return " ".join([f"TODO: what it is{unit}{null}.", *facts])


def _servers(dataset: str) -> list[dict[str, str]]:
    return [
        {
            "server": "lake",
            "type": "s3",
            "description": "Where Airbyte lands the records, one JSON envelope per line.",
            "location": f"s3://spacex-lake/landing/{dataset}/*.jsonl.gz",
            "format": "json",
            "delimiter": "new_line",
        },
        {
            "server": "warehouse",
            "type": "redshift",
            "description": "Where the records that passed every gate are published.",
            "database": "spacex",
            "schema": "raw_spacex",
        },
    ]


def _row_count() -> dict[str, Any]:
    return {
        "id": "row-count",
        "description": "TODO: why none is not enough. Publishing an empty collection would delete every row.",
        "dimension": "completeness",
        "severity": "error",
        "type": "library",
        "metric": "rowCount",
        "mustBeGreaterOrEqualTo": 1,
    }


def _no_duplicates(key: str) -> dict[str, Any]:
    return {
        "id": f"{key.replace('_', '-')}-unique",
        "description": "Rows are matched by it from one load to the next: two of one key cannot both be true.",
        "dimension": "uniqueness",
        "severity": "error",
        "type": "library",
        "metric": "duplicateValues",
        "mustBe": 0,
    }


def _hours(name: str, hours: int, dataset: str) -> dict[str, Any]:
    words = {
        "latency": "TODO: how soon a change at the source must be published.",
        "freshness": "TODO: how old the newest load may be before people are told.",
    }
    return {
        "property": name,
        "value": hours,
        "unit": "h",
        "element": dataset,
        "driver": "operational",
        "description": words[name],
    }


def _policies() -> list[dict[str, Any]]:
    return [
        {
            "property": "rejectLimit",
            "description": "How many records a batch may lose to quarantine and still be published.",
            "value": {"ratio": 0.01, "floorCount": 1, "reason": "TODO: why this much and no more."},
        },
        {
            "property": "driftPolicy",
            "description": "What a field that this contract does not know does to its record.",
            "value": {"unknownFields": "warn"},
        },
    ]
