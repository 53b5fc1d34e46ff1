"""Owns the faults records can be struck with, and what each does. Which records is decided by rates.py.

Every fault breaks one rule of the dataset's contract; the table below names it by the path and the kind of rule.
Faults of the service itself (an answer that is no data) are server.py's.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.spacex_api.paths import NotThere, remove_at, rule_id, set_at, value_at
from local.spacex_api.rates import FaultRefused, FaultSpec, dice, pick

Record = dict[str, Any]
Change = Callable[[Any], Any]

_LONG = "; ".join(["Δv budget, told at length"] * 2_600)  # above 65,535 bytes, the widest VARCHAR


@dataclass(frozen=True, slots=True)
class Target:
    """A place a fault may strike: the value there becomes `change(value)`."""

    path: str
    kind: str  # of the rule it breaks
    change: Change | None = None  # None: the key is taken away

    def strike(self, record: Record) -> None:
        """Changes the record. Raises NotThere when it has no such place."""
        if self.change is None:
            remove_at(record, self.path)
        else:
            set_at(record, self.path, self.change)


def _to(value: Any) -> Change:
    return lambda _old: value


def _as_text(old: Any) -> str:
    return "three" if old is None else str(old)


def _targets(kind: str, change: Change | None, *paths: str) -> tuple[Target, ...]:
    return tuple(Target(path, kind, change) for path in paths)


_REQUIRED = {
    "launches": ("date_utc", "rocket", "flight_number", "links.patch"),
    "payloads": ("name", "type", "customers"),
    "cores": ("serial", "reuse_count", "launches"),
    "rockets": ("name", "mass.kg", "engines.number"),
    "launchpads": ("name", "latitude", "launch_attempts"),
    "capsules": ("serial", "reuse_count", "launches"),
    "crew": ("name", "status", "launches"),
    "ships": ("name", "active", "roles"),
    "dragons": ("name", "diameter.meters", "thrusters[].isp"),
    "landpads": ("name", "latitude", "landing_attempts"),
    "starlink": ("spaceTrack.EPOCH", "spaceTrack.NORAD_CAT_ID", "spaceTrack"),
    "history": ("title", "event_date_utc", "links"),
}

# fault -> dataset -> the places it may strike; the first that a record has is not always the one: they take turns.
RECORD_FAULTS: Mapping[str, Mapping[str, tuple[Target, ...]]] = {
    "wrong-type": {
        "launches": _targets("type", _as_text, "flight_number", "date_unix", "upcoming", "cores[].flight"),
        "payloads": _targets("type", _as_text, "mass_kg", "reused", "norad_ids"),
        "cores": _targets("type", _as_text, "reuse_count", "block", "launches"),
        "rockets": _targets("type", _as_text, "height.meters", "active", "payload_weights[].kg"),
        "launchpads": _targets("type", _as_text, "latitude", "launch_attempts"),
        "capsules": _targets("type", _as_text, "reuse_count", "launches"),
        "crew": _targets("type", _as_text, "launches"),
        "ships": _targets("type", _as_text, "active", "mass_kg", "roles"),
        "dragons": _targets("type", _as_text, "crew_capacity", "heat_shield.size_meters", "thrusters[].isp"),
        "landpads": _targets("type", _as_text, "latitude", "landing_attempts"),
        "starlink": _targets("type", _as_text, "spaceTrack.DECAYED", "spaceTrack.PERIOD", "spaceTrack.NORAD_CAT_ID"),
        "history": _targets("type", _as_text, "event_date_unix", "links"),
    },
    "missing-field": {dataset: _targets("required", None, *paths) for dataset, paths in _REQUIRED.items()},
    "null-required": {dataset: _targets("required", _to(None), *paths) for dataset, paths in _REQUIRED.items()},
    "bad-id": {
        "launches": _targets("pattern", _to("not-an-object-id"), "id", "rocket", "launchpad", "payloads[]"),
        "payloads": _targets("pattern", _to("not-an-object-id"), "id", "launch"),
        "cores": _targets("pattern", _to("not-an-object-id"), "id", "launches[]"),
        "rockets": _targets("pattern", _to("not-an-object-id"), "id"),
        "launchpads": _targets("pattern", _to("not-an-object-id"), "id", "rockets[]"),
        "capsules": _targets("pattern", _to("not-an-object-id"), "id", "launches[]"),
        "crew": _targets("pattern", _to("not-an-object-id"), "id", "launches[]"),
        "ships": _targets("pattern", _to("not-an-object-id"), "id", "launches[]"),
        "dragons": _targets("pattern", _to("not-an-object-id"), "id"),
        "landpads": _targets("pattern", _to("not-an-object-id"), "id", "launches[]"),
        "starlink": _targets("pattern", _to("not-an-object-id"), "id", "launch"),
        "history": _targets("pattern", _to("not-an-object-id"), "id"),
    },
    "bad-enum": {
        "launches": _targets("enum", _to("fortnight"), "date_precision"),
        "cores": _targets("enum", _to("on holiday"), "status"),
        "launchpads": _targets("enum", _to("on holiday"), "status"),
        "capsules": _targets("enum", _to("on holiday"), "status", "type"),
        "crew": _targets("enum", _to("on holiday"), "status"),
        "landpads": _targets("enum", _to("on holiday"), "status", "type"),
        "starlink": _targets("enum", _to("TAI"), "spaceTrack.TIME_SYSTEM"),
    },
    "bad-date": {
        "launches": (
            *_targets("format", _to("2021-02-30T12:00:00.000Z"), "date_utc", "static_fire_date_utc"),
            *_targets("pattern", _to("2021-02-03 12:00"), "date_local"),
        ),
        "payloads": _targets("format", _to("yesterday"), "epoch"),
        "rockets": _targets("format", _to("2021-02-30"), "first_flight"),
        "dragons": _targets("format", _to("2021-02-30"), "first_flight"),
        "starlink": _targets("pattern", _to("2021-02-03 12:00"), "spaceTrack.EPOCH", "spaceTrack.CREATION_DATE"),
        "history": _targets("format", _to("yesterday"), "event_date_utc"),
    },
    "negative-count": {
        "launches": _targets("minimum", _to(-1), "flight_number", "window"),
        "payloads": _targets("minimum", _to(-1), "mass_kg", "period_min"),
        "cores": _targets("minimum", _to(-1), "reuse_count", "asds_landings"),
        "rockets": _targets("minimum", _to(-1), "cost_per_launch", "boosters"),
        "launchpads": _targets("minimum", _to(-1), "launch_attempts"),
        "capsules": _targets("minimum", _to(-1), "land_landings"),
        "ships": _targets("minimum", _to(-1), "abs", "class"),
        "dragons": _targets("minimum", _to(-1), "crew_capacity"),
        "landpads": _targets("minimum", _to(-1), "landing_successes"),
        "starlink": _targets("minimum", _to(-1), "spaceTrack.REV_AT_EPOCH", "spaceTrack.FILE"),
    },
    "out-of-range": {
        "launches": _targets("maximum", _to(1_664_985_600_000), "date_unix"),  # milliseconds taken for seconds
        "payloads": _targets("maximum", _to(400), "raan", "inclination_deg"),
        "cores": _targets("maximum", _to(40_000), "block"),
        "rockets": _targets("maximum", _to(140), "success_rate_pct"),
        "launchpads": _targets("maximum", _to(180.5), "latitude"),
        "ships": _targets("maximum", _to(10_000_000), "imo"),
        "dragons": _targets("maximum", _to(180), "sidewall_angle_deg"),
        "landpads": _targets("maximum", _to(180.5), "latitude"),
        "starlink": _targets("maximum", _to(400), "spaceTrack.INCLINATION", "spaceTrack.MEAN_ANOMALY"),
        "history": _targets("maximum", _to(1_664_985_600_000), "event_date_unix"),
    },
    "empty-array": {
        "launches": _targets("min-items", _to([]), "cores"),
        "rockets": _targets("min-items", _to([]), "payload_weights"),
        "dragons": _targets("min-items", _to([]), "thrusters"),
    },
    "null-core-item": {"launches": _targets("required", _to(None), "cores[]")},
    "empty-text": {
        "launches": _targets("min-length", _to(""), "name"),
        "payloads": _targets("min-length", _to(""), "name", "type"),
        "cores": _targets("min-length", _to(""), "serial"),
        "rockets": _targets("min-length", _to(""), "name"),
        "launchpads": _targets("min-length", _to(""), "name", "locality"),
        "capsules": _targets("min-length", _to(""), "serial"),
        "crew": _targets("min-length", _to(""), "name"),
        "ships": _targets("min-length", _to(""), "name", "type"),
        "dragons": _targets("min-length", _to(""), "name", "type"),
        "landpads": _targets("min-length", _to(""), "name", "locality"),
        "starlink": _targets("min-length", _to(""), "spaceTrack.OBJECT_NAME"),
        "history": _targets("min-length", _to(""), "title"),
    },
    "oversized-text": {
        "launches": _targets("max-bytes", _to(_LONG), "details", "name"),
        "payloads": _targets("max-bytes", _to(_LONG), "name"),
        "cores": _targets("max-bytes", _to(_LONG), "last_update"),
        "rockets": _targets("max-bytes", _to(_LONG), "description"),
        "launchpads": _targets("max-bytes", _to(_LONG), "details"),
        "capsules": _targets("max-bytes", _to(_LONG), "last_update"),
        "crew": _targets("max-bytes", _to(_LONG), "name"),
        "ships": _targets("max-bytes", _to(_LONG), "name"),
        "dragons": _targets("max-bytes", _to(_LONG), "description"),
        "landpads": _targets("max-bytes", _to(_LONG), "details"),
        "history": _targets("max-bytes", _to(_LONG), "details", "title"),
    },
}

_TEXT_FIELD = {
    "launches": "details",
    "payloads": "name",
    "cores": "last_update",
    "rockets": "description",
    "launchpads": "details",
    "capsules": "last_update",
    "crew": "name",
    "ships": "name",
    "dragons": "description",
    "landpads": "details",
    "starlink": "version",
    "history": "details",
}

COLLECTION_FAULTS = ("unknown-field", "duplicate-record", "conflicting-duplicate", "empty-collection")
DATA_FAULTS = (*RECORD_FAULTS, *COLLECTION_FAULTS)


@dataclass(frozen=True, slots=True)
class Struck:
    """One fault, done. `rule_id` is None when no rule is broken: an identical copy is only counted."""

    dataset: str
    record_id: str | None  # as served
    fault: str
    path: str
    rule_id: str | None


def datasets_with(fault: str) -> tuple[str, ...]:
    """The datasets that can have the fault, by name."""
    return tuple(sorted(RECORD_FAULTS.get(fault, _TEXT_FIELD)))


def check(spec: FaultSpec) -> None:
    """Raises FaultRefused when the dataset cannot have the fault."""
    able = datasets_with(spec.name)
    if spec.dataset not in able:
        raise FaultRefused(f"{spec.dataset} cannot have the fault {spec.name}. Expected one of: {', '.join(able)}.")


def strike(records: Sequence[Record], specs: Sequence[FaultSpec], seed: int) -> tuple[list[Record], list[Struck]]:
    """The records of one dataset with its faults, and what was done. No record is struck twice; inputs stay whole."""
    served = list(records)
    taken: set[int] = set()
    done: list[Struck] = []
    for spec in specs:
        check(spec)
        if spec.name == "empty-collection":
            if spec.rate > 0:
                return [], [Struck(spec.dataset, None, spec.name, "", "row-count")]
            continue
        done += _strike_some(served, taken, spec, seed, total=len(records))
    return served, done


def _strike_some(served: list[Record], taken: set[int], spec: FaultSpec, seed: int, total: int) -> list[Struck]:
    thrown = dice(f"{seed}:{spec.dataset}:{spec.name}")
    free = [index for index in range(len(served)) if index not in taken and _places(served[index], spec)]
    done: list[Struck] = []
    for turn, index in enumerate(pick(thrown, free, spec.rate, total)):
        taken.add(index)
        if spec.name in ("duplicate-record", "conflicting-duplicate"):
            taken.add(len(served))
            served.append(copy.deepcopy(served[index]))
            done.append(_duplicate(served[-1], spec))
        else:
            served[index] = copy.deepcopy(served[index])
            done.append(_strike_one(served[index], spec, turn))
    return done


def _places(record: Record, spec: FaultSpec) -> list[Target]:
    """Where the fault can strike this record; for faults without places, anything that is true."""
    targets = RECORD_FAULTS.get(spec.name, {}).get(spec.dataset)
    if targets is None:
        return [Target("", spec.name)]
    return [target for target in targets if _has(record, target)]


def _has(record: Record, target: Target) -> bool:
    try:
        value_at(record, target.path)
    except NotThere:
        return False
    return True


def _strike_one(record: Record, spec: FaultSpec, turn: int) -> Struck:
    if spec.name == "unknown-field":
        record["propellant_margin"] = 0.07
        return Struck(spec.dataset, record["id"], spec.name, "", "unknown-field")
    places = _places(record, spec)
    target = places[turn % len(places)]
    target.strike(record)
    return Struck(spec.dataset, record.get("id"), spec.name, target.path, rule_id(target.path, target.kind))


def _duplicate(copied: Record, spec: FaultSpec) -> Struck:
    if spec.name == "duplicate-record":
        return Struck(spec.dataset, copied["id"], spec.name, "id", None)
    field = _TEXT_FIELD[spec.dataset]
    copied[field] = f"{copied[field] or ''} (told differently)".strip()
    return Struck(spec.dataset, copied["id"], spec.name, "id", "id-unique")
