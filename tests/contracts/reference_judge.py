"""Owns a plain, slow reading of a contract's row rules, to compare contracts with real records.

Judging in production is the raw gate's job (validation/); this shares no code with it.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from contracts.model import Contract, LogicalType, Property, Rule, RuleKind, Scope

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
    for rule in contract.rules:
        if rule.scope is Scope.ROW:
            by_path.setdefault(rule.path, []).append(rule)
    broken = [rule.rule_id for rule in by_path.get("", []) if set(record) - {prop.name for prop in contract.properties}]
    for prop in contract.properties:
        broken += _broken(by_path, prop, prop.name in record, record.get(prop.name))
    return broken


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
