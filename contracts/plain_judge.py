"""Owns a plain, slow reading of row rules, one record at a time: the second opinion of what a record breaks.

Judging in production is the raw gate's job (validation/). The two share no code, so that neither can hide the other's
mistakes.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from contracts.comparisons import AcrossFields, Agrees, AtMost, SameInstant, Together, fields_of
from contracts.model import ACROSS_FIELDS, Contract, DriftPolicy, LogicalType, Rule, RuleKind, Scope, frame_path

Record = dict[str, Any]


class Absent(Enum):
    """What lies where a record has no such field. Null is something else."""

    FIELD = "no such field"


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule that a record breaks, at one place: `cores[1].core`."""

    rule_id: str
    path: str


def breaches(contract: Contract, record: Record) -> list[Breach]:
    """Every row rule that the record breaks, wherever it does, in the contract's order."""
    names = {"": {prop.name for prop in contract.properties}}
    names |= {prop.path: {child.name for child in prop.children} for prop in contract.walk()}
    return [breach for rule in contract.rules for breach in _breaches(rule, record, names)]


def _breaches(rule: Rule, record: Record, names: dict[str, set[str]]) -> Iterator[Breach]:
    if rule.scope is not Scope.ROW or rule.kind is RuleKind.SOURCE_DAMAGE or rule.argument is DriftPolicy.ALLOW:
        return
    if rule.kind in ACROSS_FIELDS:
        yield from _across_fields(rule, record)
        return
    for path, value in instances(record, rule.path):
        if rule.kind is RuleKind.UNKNOWN_FIELD:
            unknown = sorted(set(value) - names[rule.path]) if isinstance(value, dict) else []
            yield from (Breach(rule.rule_id, f"{path}.{name}" if path else name) for name in unknown)
        elif breaks(rule, value):
            yield Breach(rule.rule_id, path)


def _across_fields(rule: Rule, record: Record) -> Iterator[Breach]:
    frame = frame_path(rule.path)
    for place, _ in instances(record, frame):
        values = {field: look_up(record, within(field, frame, place)) for field in fields_of(rule.argument)}
        is_orphan = look_up(record, within(rule.path, frame, place).rpartition(".")[0]) in (Absent.FIELD, None)
        if not is_orphan and not _compare(rule.argument, values):
            yield Breach(rule.rule_id, within(rule.path, frame, place))


def _compare(comparison: AcrossFields, values: dict[str, Any]) -> bool:
    """Whether the comparison holds; it does where a value is not there or is of no use."""
    match comparison:
        case Together(fields):
            return len({is_absent(values[field]) for field in fields}) == 1
        case SameInstant(seconds, instant, tolerance_s):
            given, expected = values[seconds], seconds_of(values[instant])
            return not _is_number(given) or expected is None or abs(given - expected) <= tolerance_s
        case Agrees(field, terms, absolute, ratio):
            numbers = [values[field], *(values[term.field] for term in terms)]
            if not all(map(_is_number, numbers)):
                return True
            total = sum(values[term.field] * term.times for term in terms)
            return bool(abs(values[field] - total) <= max(absolute, ratio * abs(total)))
        case AtMost(field, of):
            left, right = comparable(values[field]), comparable(values[of])
            return left is None or right is None or left <= right


def _is_number(value: Any) -> bool:
    return type(value) in {int, float}


def comparable(value: Any) -> float | None:
    """What an order can be told by: the number, or the seconds since 1970 of a day or an instant."""
    return float(value) if _is_number(value) else seconds_of(value)


def seconds_of(text: Any) -> float | None:
    """The seconds since 1970 of an instant or a day; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    is_day = len(text) == len("2021-04-22")
    return (found.replace(tzinfo=UTC) if is_day else found).timestamp() if is_day or found.tzinfo else None


def is_absent(value: Any) -> bool:
    """Whether nothing is there: null, or no such field."""
    return value is None or value is Absent.FIELD


def breaks(rule: Rule, value: Any) -> bool:
    """Whether a value breaks a rule about single values. What is not there breaks only `required`."""
    if rule.kind is RuleKind.REQUIRED:
        return is_absent(value)
    if is_absent(value):
        return False
    if rule.kind is RuleKind.TYPE:
        return not _HAS_TYPE[rule.argument](value)
    types, is_broken = _BREAKS[rule.kind]
    return isinstance(value, types) and not isinstance(value, bool) and is_broken(value, rule.argument)


_HAS_TYPE: dict[LogicalType, Callable[[Any], bool]] = {
    LogicalType.STRING: lambda value: isinstance(value, str),
    LogicalType.TIMESTAMP: lambda value: isinstance(value, str),
    LogicalType.DATE: lambda value: isinstance(value, str),
    LogicalType.INTEGER: lambda value: type(value) is int,
    LogicalType.NUMBER: _is_number,
    LogicalType.BOOLEAN: lambda value: isinstance(value, bool),
    LogicalType.OBJECT: lambda value: isinstance(value, dict),
    LogicalType.ARRAY: lambda value: isinstance(value, list),
}


def _is_unreal(text: str, form: LogicalType) -> bool:
    try:
        if form is LogicalType.DATE:
            return date.fromisoformat(text).isoformat() != text
        return datetime.fromisoformat(text).tzinfo is None or text != text.strip()
    except ValueError:
        return True


_BREAKS: dict[RuleKind, tuple[tuple[type, ...], Callable[[Any, Any], bool]]] = {
    RuleKind.FORMAT: ((str,), _is_unreal),
    RuleKind.PATTERN: ((str,), lambda text, pattern: not re.fullmatch(pattern.removesuffix("$"), text)),
    RuleKind.ENUM: ((str, int, float), lambda value, allowed: value not in allowed),
    RuleKind.MINIMUM: ((int, float), lambda number, least: number < least),
    RuleKind.MAXIMUM: ((int, float), lambda number, most: number > most),
    RuleKind.MIN_LENGTH: ((str,), lambda text, least: len(text) < least),
    RuleKind.MAX_LENGTH: ((str,), lambda text, most: len(text) > most),
    RuleKind.MAX_BYTES: ((str,), lambda text, most: len(text.encode()) > most),
    RuleKind.MIN_ITEMS: ((list,), lambda items, least: len(items) < least),
    RuleKind.MAX_ITEMS: ((list,), lambda items, most: len(items) > most),
}


def instances(record: Record, path: str) -> Iterator[tuple[str, Any]]:
    """Each place of a path with what lies there: `cores[].core` gives `cores[0].core`, `cores[1].core`, …

    A place whose surrounding object is not there is no place.
    """
    yield from _descend(record, re.findall(r"\[\]|[^.\[\]]+", path), "")


def _descend(value: Any, steps: list[str], at: str) -> Iterator[tuple[str, Any]]:
    if not steps:
        yield at, value
        return
    first, *rest = steps
    if first == "[]":
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from _descend(item, rest, f"{at}[{index}]")
    elif isinstance(value, dict):
        yield from _descend(value.get(first, Absent.FIELD), rest, f"{at}.{first}" if at else first)


def within(path: str, frame: str, place: str) -> str:
    """A path at one place of its frame: `cores[].core` at `cores[1]` is `cores[1].core`."""
    return place + path[len(frame) :] if place else path


def look_up(record: Record, place: str) -> Any:
    """What lies at a place; Absent.FIELD where nothing does."""
    value: Any = record
    for step in steps_of(place):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return Absent.FIELD
    return value


def steps_of(place: str) -> list[str | int]:
    """The keys and indexes on the way to a place."""
    return [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", place)]
