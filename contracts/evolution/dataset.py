"""Owns finding everything that changed between two versions of a contract. What a version owes is verdict.py's job.

Compares the files' plain values, not the typed view: so nothing is missed that the typed view does not hold, and an
older version stays readable when today's reader has become stricter.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from contracts.evolution import entries, lattice, rules
from contracts.evolution.changes import Change, Direction, Effect, both, from_to, moved
from contracts.evolution.entries import Values
from contracts.evolution.lattice import Limit
from contracts.evolution.properties import Surroundings, compare_properties, deprecation, drift_moved
from contracts.model import DriftPolicy

_TOP = ["version", "id", "status", "servers", "schema", "roles", "slaProperties", "customProperties"]
_TOP_WORDS = [
    "kind",
    "apiVersion",
    "tenant",
    "name",
    "description",
    "domain",
    "context",
    "support",
    "team",
    "contractCreatedTs",
]
_TABLE = [
    "name",
    "physicalName",
    "logicalType",
    "deprecated",
    "properties",
    "quality",
    "customProperties",
    "dataGranularityDescription",
]
_DRIFT_DEFAULTS = {"unknownFields": DriftPolicy.WARN, "damagedFields": DriftPolicy.ALLOW}
_ENDING = ("deprecated", "retired")

#: Service levels of which more is better; of all other numbers in the standard, less is.
_MORE_IS_BETTER = frozenset({"availability", "throughput", "retention"})
_LESS_IS_BETTER = frozenset(
    {"latency", "freshness", "frequency", "errorRate", "timeToDetect", "timeToNotify", "timeToRepair"}
)
_HOURS = {"h": 1, "hr": 1, "hour": 1, "hours": 1, "d": 24, "day": 24, "days": 24}


def is_ending(values: Values) -> bool:
    """Whether the contract said that its dataset will go."""
    return values.get("status") in _ENDING or bool(_table(values).get("deprecated"))


def changes(old: Values, new: Values) -> tuple[Change, ...]:
    """Every change from one version of a contract to another, the version itself left out.

    Both are contracts by the standard with one schema object each. Empty exactly when nothing but the version differs.
    """
    found = tuple(_changes(old, new))
    if not found and _without_version(old) != _without_version(new):
        return (both("words", "changed", "", Effect.PATCH, "other wording or order; no rule or property differs"),)
    return found


def _without_version(values: Values) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != "version"}


def _changes(old: Values, new: Values) -> Iterator[Change]:
    before, after = _table(old), _table(new)
    yield from _identity(old, new)
    yield from _status(old, new)
    yield from entries.words_changed(old, new, "contract", _TOP_WORDS, but=["id"])
    yield from entries.words_changed(before, after, "dataset")
    yield from entries.unknown_keys(old, new, "contract", [*_TOP, *_TOP_WORDS], None)
    yield from entries.unknown_keys(before, after, "dataset", _TABLE, None)
    yield from entries.unknown_custom(old, new, "contract", ("rejectLimit", "driftPolicy"), None)
    yield from entries.unknown_custom(before, after, "dataset", (), None)
    drifts = _drifts(old), _drifts(new)
    around = Surroundings(drifts[0]["unknownFields"], drifts[1]["unknownFields"], is_ending(old))
    yield from compare_properties(before.get("properties") or [], after.get("properties") or [], "", around)
    yield from rules.compare_checks(before.get("quality"), after.get("quality"), "", None)
    yield from _reject_limit(old, new)
    for kind in _DRIFT_DEFAULTS:
        yield from drift_moved(drifts[0][kind], drifts[1][kind], kind, None)
    yield from _service_levels(old, new)
    yield from _roles(old, new)
    yield from _servers(old, new)


def _table(values: Values) -> Values:
    table: Values = values["schema"][0]
    return table


def _identity(old: Values, new: Values) -> Iterator[Change]:
    before, after = _table(old), _table(new)
    names = [(str(table.get("name")), str(table.get("physicalName", table.get("name")))) for table in (before, after)]
    if names[0] != names[1]:
        what = f"the dataset {from_to(names[0][0], names[1][0])}; its table {from_to(names[0][1], names[1][1])}"
        yield both("dataset", "renamed", "", Effect.BREAKING, what)
    if old.get("id") != new.get("id"):
        yield both(
            "contract", "renamed", "", Effect.BREAKING, f"the contract's id {from_to(old.get('id'), new.get('id'))}"
        )
    if before.get("logicalType", "object") != after.get("logicalType", "object"):
        what = from_to(before.get("logicalType"), after.get("logicalType"))
        yield both("dataset", "changed", "logicalType", Effect.BREAKING, what)
    grains = [" ".join(str(table.get("dataGranularityDescription", "")).split()) for table in (before, after)]
    if grains[0] != grains[1]:
        yield both("grain", "changed", "", Effect.BREAKING, f"what one row is: {from_to(*grains)}")
    yield from deprecation(before, after, "", None)


def _status(old: Values, new: Values) -> Iterator[Change]:
    before, after = old.get("status"), new.get("status")
    if before == after:
        return
    if after == "retired":
        yield both("status", "changed", "", Effect.BREAKING, f"{from_to(before, after)}: nobody keeps it any more")
    elif after == "deprecated":
        yield both("deprecation", "announced", "contract", Effect.ADDITIVE, "a later version removes the dataset")
    elif before in _ENDING:
        yield both("deprecation", "withdrawn", "contract", Effect.ADDITIVE, from_to(before, after))
    else:
        yield both("status", "changed", "", Effect.PATCH, from_to(before, after))


def _reject_limit(old: Values, new: Values) -> Iterable[Change]:
    """How many records a batch may lose to quarantine: the fewer, the tighter."""
    limits = [entries.custom(values).get("rejectLimit") for values in (old, new)]
    numbers = [
        {key: value for key, value in limit.items() if key != "reason"} if isinstance(limit, Mapping) else None
        for limit in limits
    ]
    direction = lattice.compare_limits(Limit(numbers[0]), Limit(numbers[1]), lattice.compare_arguments)
    return moved("reject-limit", "", direction, from_to(*numbers))


def _drifts(values: Values) -> dict[str, DriftPolicy]:
    return _DRIFT_DEFAULTS | entries.drift_policies(values)


def _service_levels(old: Values, new: Values) -> Iterator[Change]:
    before, after = (entries.by_key(values.get("slaProperties"), "property") for values in (old, new))
    for name in [*before, *(name for name in after if name not in before)]:
        one, other = before.get(name), after.get(name)
        direction = lattice.compare_limits(
            Limit(one and _promise(one)), Limit(other and _promise(other)), _compare_levels
        )
        what = from_to(one and _level_words(one), other and _level_words(other))
        yield from moved("sla", name, direction, what)
        if one and other:
            yield from entries.words_changed(one, other, f"sla.{name}", ("driver", "scheduler", "schedule"))


def _promise(level: Values) -> dict[str, Any]:
    about = {*entries.WORDS, "driver", "scheduler", "schedule", "customProperties"}
    return {key: value for key, value in level.items() if key not in about}


def _compare_levels(old: Mapping[str, Any], new: Mapping[str, Any]) -> Direction:
    """Orders two levels of one sort over the same element; anything else is undecided."""
    sort = str(old.get("property"))
    rests = [{key: value for key, value in level.items() if key not in ("value", "unit")} for level in (old, new)]
    (unit, value), (other_unit, other_value) = _number(old), _number(new)
    is_ordered = rests[0] == rests[1] and unit == other_unit and None not in (value, other_value)
    if is_ordered and sort in _MORE_IS_BETTER:
        return lattice.more_is_tighter(value, other_value)
    if is_ordered and sort in _LESS_IS_BETTER:
        return lattice.less_is_tighter(value, other_value)
    return lattice.undecided(old, new)


def _number(level: Mapping[str, Any]) -> tuple[str, float | None]:
    """What a level counts, and how many; durations in hours."""
    value, unit = level.get("value"), str(level.get("unit", ""))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return unit, None
    return ("h", value * _HOURS[unit]) if unit in _HOURS else (unit, float(value))


def _level_words(level: Values) -> str:
    return f"{level.get('value')} {level.get('unit', '')}".strip()


def _roles(old: Values, new: Values) -> Iterator[Change]:
    before, after = (entries.by_key(values.get("roles"), "role") for values in (old, new))
    yield from _came_and_went("role", before, after)
    for name in [name for name in before if name in after]:
        one, other = before[name], after[name]
        if one.get("access") != other.get("access"):
            what = f"access {from_to(one.get('access'), other.get('access'))}"
            yield Change("role", "changed", name, Effect.BREAKING, Effect.ADDITIVE, what)
        approvers = ("firstLevelApprovers", "secondLevelApprovers")
        yield from entries.words_changed(one, other, f"role.{name}", approvers)
        yield from entries.unknown_keys(
            one, other, f"role.{name}", ("role", "access", "customProperties", *approvers), None
        )


def _servers(old: Values, new: Values) -> Iterator[Change]:
    """Where the data lie: whoever reads or writes there has to move."""
    before, after = (entries.by_key(values.get("servers"), "server") for values in (old, new))
    yield from _came_and_went("server", before, after)
    for name in [name for name in before if name in after]:
        one, other = before[name], after[name]
        keys = sorted((one.keys() | other.keys()) - entries.WORDS - {"customProperties", "environment"})
        moves = [f"{key} {from_to(one.get(key), other.get(key))}" for key in keys if one.get(key) != other.get(key)]
        if moves:
            yield both("server", "changed", name, Effect.BREAKING, ", ".join(moves))
        yield from entries.words_changed(one, other, f"server.{name}", ("environment",))


def _came_and_went(topic: str, old: Mapping[str, Values], new: Mapping[str, Values]) -> Iterator[Change]:
    for name in old:
        if name not in new:
            yield Change(topic, "removed", name, Effect.BREAKING, Effect.ADDITIVE, "removed")
    for name in new:
        if name not in old:
            yield both(topic, "added", name, Effect.ADDITIVE, "new")
