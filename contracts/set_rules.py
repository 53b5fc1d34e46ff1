"""Owns reading `quality` checks: the standard's metrics over a whole dataset, and our own across fields and loads.

Only what a gate enforces is taken; any other check is refused by name, so that none is dropped in silence.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from contracts import rules
from contracts.comparisons import (
    ENGINE,
    AcrossFields,
    Agrees,
    AtMost,
    SameInstant,
    Shrinkage,
    fields_of,
    read_comparison,
)
from contracts.document import KeyPath, Problem
from contracts.model import LogicalType, Property, Rule, RuleKind, Severity, frame_path
from contracts.properties import read_note
from contracts.rules import Note

_KNOWN_KEYS = {"id", "type", "metric", "dimension", "severity", "description", "unit", "businessImpact", "name", "tags"}


def read_set_rules(
    table: Mapping[str, Any], properties: tuple[Property, ...], at: KeyPath, problems: list[Problem]
) -> tuple[Rule, ...]:
    """The set rules of a schema object. Those of the dataset come first, then those of properties."""
    found = list(_table_rules(table, properties, at, problems))
    by_name = {prop.name: prop for prop in properties}
    for index, item in enumerate(table.get("properties") or []):
        here = (*at, "properties", index)
        found += _property_rules(item, by_name.get(str(item["name"])), here, problems)
    return tuple(found)


def _table_rules(
    table: Mapping[str, Any], properties: tuple[Property, ...], at: KeyPath, problems: list[Problem]
) -> Iterator[Rule]:
    for index, check in enumerate(table.get("quality") or []):
        here = (*at, "quality", index)
        if check.get("type") == "custom":
            yield from _own_rule(check, properties, here, problems)
            continue
        if not _is_library(check, "rowCount", here, problems):
            continue
        least = _least(check)
        if least is None:
            message = "a row count is judged by its least: mustBeGreaterThan or mustBeGreaterOrEqualTo"
            problems.append(Problem(here, message))
            continue
        yield rules.set_rule("", RuleKind.ROW_COUNT, least, _note(check, here, problems), name=check.get("id"))


def _own_rule(
    check: Mapping[str, Any], properties: tuple[Property, ...], at: KeyPath, problems: list[Problem]
) -> Iterator[Rule]:
    """A check in our own words."""
    name, note = str(check.get("id") or ""), _note(check, at, problems)
    if check.get("engine") != ENGINE:
        problems.append(Problem((*at, "engine"), f"no gate runs {check.get('engine')!r}; known: {ENGINE}"))
        return
    for key in set(check) - _KNOWN_KEYS - {"engine", "implementation"}:
        problems.append(Problem((*at, key), f"no gate takes {key!r} of a check into account"))
    if not name or not note.reason:
        problems.append(Problem(at, "a check of ours needs an id, which its rule is called by, and a description: why"))
        return
    try:
        comparison = read_comparison(check.get("implementation"))
        if isinstance(comparison, Shrinkage):
            yield rules.set_rule("", RuleKind.SHRINKAGE, comparison, note, name=name)
            return
        _refuse_unfit(comparison, properties)
    except ValueError as exc:
        problems.append(Problem((*at, "implementation"), str(exc)))
        return
    yield rules.across_fields(comparison, note, name)


def _refuse_unfit(comparison: AcrossFields, properties: tuple[Property, ...]) -> None:
    """Raises ValueError for fields that are not there, do not stand side by side, or cannot be compared."""
    known = {prop.path: prop for prop in _walk(properties)}
    fields = fields_of(comparison)
    for field in fields:
        if field not in known:
            raise ValueError(f"there is no property {field}")
    if len({frame_path(field) for field in fields}) > 1:
        raise ValueError(f"{', '.join(fields)} do not lie in the same array, so that none belongs to one of the others")
    types = [known[field].logical_type for field in fields]
    numbers = {LogicalType.INTEGER, LogicalType.NUMBER}
    match comparison:
        case SameInstant():
            # A text may hold instants too, where a column of instants would lose what it tells (its offset).
            is_fit = types[0] in numbers and types[1] in {LogicalType.TIMESTAMP, LogicalType.STRING}
        case Agrees():
            is_fit = numbers.issuperset(types)
        case AtMost():
            is_fit = any(one.issuperset(types) for one in (numbers, {LogicalType.TIMESTAMP}, {LogicalType.DATE}))
        case _:
            is_fit = True
    if not is_fit:
        raise ValueError(f"values of the types {', '.join(types)} cannot be compared like this")


def _walk(properties: tuple[Property, ...]) -> Iterator[Property]:
    for prop in properties:
        yield prop
        yield from _walk(prop.children)


def _property_rules(
    item: Mapping[str, Any], prop: Property | None, at: KeyPath, problems: list[Problem]
) -> Iterator[Rule]:
    _refuse_below(item, at, problems)
    checks = list(enumerate(item.get("quality") or []))
    is_unique = bool(item.get("unique", False))
    if prop is not None and is_unique and prop.children:
        problems.append(Problem((*at, "unique"), f"no gate compares values of type {prop.logical_type}"))
    if prop is not None and is_unique and not checks:
        yield rules.set_rule(prop.path, RuleKind.UNIQUE, None, Note())
    for index, check in checks:
        here = (*at, "quality", index)
        if prop is None or not _is_library(check, "duplicateValues", here, problems):
            continue
        if check.get("mustBe") != 0 or check.get("unit", "rows") != "rows":
            problems.append(Problem(here, "duplicates are judged by mustBe: 0 rows alone"))
            continue
        note = _note(check, here, problems)
        if note.severity is Severity.ERROR and not is_unique:  # a warning is no promise that there are none
            problems.append(Problem(here, "a property without duplicates says unique: true as well"))
            continue
        yield rules.set_rule(prop.path, RuleKind.UNIQUE, None, note, name=check.get("id"))


def _refuse_below(item: Mapping[str, Any], at: KeyPath, problems: list[Problem]) -> None:
    """Nested properties have no set rules: no gate looks at a set of them."""
    below = [((*at, "properties", index), child) for index, child in enumerate(item.get("properties") or [])]
    if "items" in item:
        below.append(((*at, "items"), item["items"]))
    for here, child in below:
        for key in ("unique", "quality"):
            if child.get(key):
                problems.append(Problem((*here, key), f"no gate enforces {key!r} on a nested property"))
        _refuse_below(child, here, problems)


def _is_library(check: Mapping[str, Any], metric: str, at: KeyPath, problems: list[Problem]) -> bool:
    kind, given = check.get("type", "library"), check.get("metric")
    if kind == "library" and given == metric:
        unknown = [key for key in check if key not in _KNOWN_KEYS and not key.startswith("mustBe")]
        for key in unknown:
            problems.append(Problem((*at, key), f"no gate takes {key!r} of a {metric} check into account"))
        return not unknown
    what = f"the metric {given!r}" if kind == "library" else f"a quality check of type {kind!r}"
    problems.append(Problem(at, f"no gate enforces {what} here; known: {metric}"))
    return False


def _least(check: Mapping[str, Any]) -> int | None:
    operators = {key: value for key, value in check.items() if key.startswith("must")}
    match operators:
        case {"mustBeGreaterThan": int(value), **rest} if not rest:
            return value + 1
        case {"mustBeGreaterOrEqualTo": int(value), **rest} if not rest:
            return value
        case _:
            return None


def _note(check: Mapping[str, Any], at: KeyPath, problems: list[Problem]) -> Note:
    try:
        return read_note({"severity": check.get("severity", "error"), "reason": check.get("description", "")})
    except ValueError as exc:
        problems.append(Problem((*at, "severity"), str(exc)))
        return Note()
