"""Owns comparing the checks in `quality`: which rules came, went, or demand something else."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contracts.evolution import entries, lattice
from contracts.evolution.changes import Change, from_to, moved
from contracts.evolution.entries import Values
from contracts.evolution.lattice import Limit

_ABOUT = ("severity", "customProperties", "name", *entries.WORDS)
_EVERY = {"rowCount": "row-count", "duplicateValues": "unique"}  # how a check without an id is called


def compare_checks(
    old: Sequence[Values] | None, new: Sequence[Values] | None, where: str, column: str | None
) -> Iterator[Change]:
    """What moved between two lists of checks; two are one rule when they share their id."""
    before, after = _named(old, where), _named(new, where)
    for name in [*before, *(name for name in after if name not in before)]:
        one, other = before.get(name, {}), after.get(name, {})
        limits = _limit(one), _limit(other)
        direction = lattice.compare_limits(*limits, lattice.compare_arguments)
        yield from moved("rule", name, direction, _told(one, other), column)
        if one and other:
            yield from entries.words_changed(one, other, f"rule.{name}", ["name"])


def _named(checks: Sequence[Values] | None, where: str) -> dict[str, Values]:
    prefix = f"{where}-" if where else ""
    named = [
        {"id": f"{prefix}{_EVERY.get(str(check.get('metric')), check.get('metric', check.get('type')))}", **check}
        for check in checks or []
    ]
    return entries.by_key(named, "id")


def _limit(check: Values) -> Limit:
    """What a check demands, as `{kind, arguments}`."""
    if not check:
        return Limit(None)
    return Limit(_demand(check), entries.severity_of(check))


def _demand(check: Values) -> dict[str, Any]:
    demand = {"type": "library"} | {key: value for key, value in check.items() if key not in _ABOUT}
    implementation = check.get("implementation")
    if isinstance(implementation, Mapping) and len(implementation) == 1:
        [(kind, arguments)] = implementation.items()
        if isinstance(arguments, Mapping):
            del demand["implementation"]
            return {**demand, "implementation": kind, **arguments}
    if check.get("metric") == "rowCount":
        least = _least(demand)
        return {"metric": "rowCount", "least": least} if least is not None else demand
    return demand


def _least(demand: Mapping[str, Any]) -> int | None:
    match {key: value for key, value in demand.items() if key.startswith("must")}:
        case {"mustBeGreaterThan": int(value), **rest} if not rest:
            return value + 1
        case {"mustBeGreaterOrEqualTo": int(value), **rest} if not rest:
            return value
        case _:
            return None


def _told(old: Values, new: Values) -> str:
    if not old:
        return f"new rule, severity {entries.severity_of(new)}"
    if not new:
        return f"rule removed, severity was {entries.severity_of(old)}"
    before, after = _demand(old), _demand(new)
    words = [
        f"{key} {from_to(before.get(key), after.get(key))}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]
    severities = entries.severity_of(old), entries.severity_of(new)
    words += [f"severity {from_to(*severities)}"] if severities[0] != severities[1] else []
    return ", ".join(words)
