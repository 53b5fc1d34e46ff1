"""Owns a plain, slow reading of a contract's row rules, to compare contracts with real records.

Judging in production is the raw gate's job (validation/); this shares no code with it.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from contracts.comparisons import Agrees, AtMost, SameInstant, Together, fields_of
from contracts.model import Contract, LogicalType, Property, Rule, RuleKind, Scope

_COMPARING = {RuleKind.SAME_INSTANT, RuleKind.AGREES, RuleKind.AT_MOST, RuleKind.TOGETHER}
_TYPES: dict[LogicalType, tuple[type, ...]] = {
    LogicalType.STRING: (str,),
    LogicalType.INTEGER: (int,),
    LogicalType.NUMBER: (int, float),
    LogicalType.BOOLEAN: (bool,),
    LogicalType.TIMESTAMP: (str,),
    LogicalType.DATE: (str,),
    LogicalType.OBJECT: (dict,),
    LogicalType.ARRAY: (list,),
}


def broken_rules(contract: Contract, record: dict[str, Any]) -> list[str]:
    """The ids of the row rules that the record breaks, once for each value that breaks them."""
    by_path: dict[str, list[Rule]] = {}
    comparing = []
    for rule in contract.rules:
        if rule.kind in _COMPARING:
            comparing.append(rule)
        elif rule.scope is Scope.ROW and rule.kind is not RuleKind.SOURCE_DAMAGE:  # what a record alone cannot show
            by_path.setdefault(rule.path, []).append(rule)
    broken = [rule.rule_id for rule in by_path.get("", []) if set(record) - {prop.name for prop in contract.properties}]
    for prop in contract.properties:
        broken += _broken(by_path, prop, prop.name in record, record.get(prop.name))
    for rule in comparing:
        frames = _frames(record, list(fields_of(rule.argument)))
        broken += [rule.rule_id for values in frames if not _compares(rule.argument, values)]
    return broken


def _frames(value: Any, fields: list[str]) -> Iterator[list[Any]]:
    """The values at the paths, wherever they lie side by side: once for a record, once for each item of an array."""
    array, is_below, _ = fields[0].partition("[].")
    if not is_below:
        yield [_at(value, field) for field in fields]
        return
    items = _at(value, array)
    for item in items if isinstance(items, list) else []:
        yield from _frames(item, [field.removeprefix(f"{array}[].") for field in fields])


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _compares(argument: Any, values: list[Any]) -> bool:
    if isinstance(argument, Together):
        return len({value is None for value in values}) == 1
    try:
        return any(value is None or isinstance(value, bool) for value in values) or _agree(argument, values)
    except (TypeError, ValueError):  # of the wrong type or form, which other rules tell of
        return True


def _agree(argument: Any, values: list[Any]) -> bool:
    first, *others = values
    match argument:
        case SameInstant(tolerance_s=tolerance):
            is_instant = datetime.fromisoformat(others[0]).tzinfo is not None
            return not is_instant or bool(abs(first - datetime.fromisoformat(others[0]).timestamp()) <= tolerance)
        case Agrees(terms=terms, absolute=absolute, ratio=ratio):
            total = sum(term.times * value for term, value in zip(terms, others, strict=True))
            return bool(abs(first - total) <= max(absolute, ratio * abs(total)))
        case AtMost():
            low, high = (datetime.fromisoformat(value) if isinstance(value, str) else value for value in values)
            return bool(low <= high)
    raise AssertionError(f"the reference judge does not know {argument}")


def _broken(by_path: dict[str, list[Rule]], prop: Property, is_there: bool, value: Any) -> Iterator[str]:
    rules = {rule.kind: rule for rule in by_path.get(prop.path, [])}
    if not is_there or value is None:
        if RuleKind.REQUIRED in rules:
            yield rules[RuleKind.REQUIRED].rule_id
        return
    is_bool_as_number = isinstance(value, bool) and prop.logical_type is not LogicalType.BOOLEAN
    if is_bool_as_number or not isinstance(value, _TYPES[prop.logical_type]):
        yield rules[RuleKind.TYPE].rule_id
        return
    known = {child.name for child in prop.children}
    yield from (rule.rule_id for kind, rule in rules.items() if not _holds(kind, rule.argument, value, known))
    if isinstance(value, dict):
        for child in prop.children:
            yield from _broken(by_path, child, child.name in value, value.get(child.name))
    if isinstance(value, list):
        for item in value:
            yield from _broken(by_path, prop.children[0], True, item)


def _holds(kind: RuleKind, argument: Any, value: Any, known: set[str]) -> bool:
    if kind is RuleKind.UNKNOWN_FIELD:
        return not set(value) - known
    return _TESTS[kind](argument, value)


def _parses(logical_type: LogicalType, text: str) -> bool:
    try:
        if logical_type is LogicalType.DATE:
            return date.fromisoformat(text).isoformat() == text
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


_TESTS: dict[RuleKind, Callable[[Any, Any], bool]] = {
    RuleKind.REQUIRED: lambda _, __: True,
    RuleKind.TYPE: lambda _, __: True,
    RuleKind.FORMAT: _parses,
    RuleKind.PATTERN: lambda pattern, value: re.fullmatch(pattern.removesuffix("$"), value) is not None,
    RuleKind.ENUM: lambda allowed, value: value in allowed,
    RuleKind.MINIMUM: lambda bound, value: bool(value >= bound),
    RuleKind.MAXIMUM: lambda bound, value: bool(value <= bound),
    RuleKind.MIN_LENGTH: lambda bound, value: len(value) >= bound,
    RuleKind.MAX_LENGTH: lambda bound, value: len(value) <= bound,
    RuleKind.MAX_BYTES: lambda bound, value: len(value.encode()) <= bound,
    RuleKind.MIN_ITEMS: lambda bound, value: len(value) >= bound,
    RuleKind.MAX_ITEMS: lambda bound, value: len(value) <= bound,
}
