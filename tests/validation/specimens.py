"""Records made from a contract: a good one, and for each rule ones that break only it.

What a value breaks is decided here a second time, in plain Python, so that the gate is not asked about itself.
"""

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from contracts.model import Contract, LogicalType, Property, Rule, RuleKind, Scope, Severity

UNKNOWN_NAME = "a_field_nobody_knows"

Record = dict[str, Any]


@dataclass(frozen=True)
class Specimen:
    """A record that breaks one rule, at one place."""

    rule_id: str
    path: str
    record: Record
    warned: tuple[str, ...] = ()  # rules that only warn and that whatever breaks this one breaks too

    def __str__(self) -> str:
        return f"{self.rule_id} at {self.path}"


def good_record(contract: Contract) -> Record:
    """A record with every field there: each value is the contract's own example, each array has the least items."""
    return {prop.name: _good_value(contract, prop) for prop in contract.properties}


def _good_value(contract: Contract, prop: Property) -> Any:
    if prop.logical_type is LogicalType.OBJECT:
        return {child.name: _good_value(contract, child) for child in prop.children}
    if prop.logical_type is LogicalType.ARRAY:
        (item,) = prop.children
        least = [rule.argument for rule in contract.rules if rule.path == prop.path and rule.kind is RuleKind.MIN_ITEMS]
        return [_good_value(contract, item) for _ in range(max([1, *least]))]
    assert prop.example is not None, f"{prop.path} has no example"
    return prop.example


def bad_records(contract: Contract, rule: Rule) -> list[Specimen]:
    """Records that break this row rule and no other, as many as come to mind."""
    good = good_record(contract)
    return list(_of_presence(rule, good) if rule.kind in _ABOUT_PRESENCE else _of_value(contract, rule, good))


_ABOUT_PRESENCE = {RuleKind.REQUIRED, RuleKind.UNKNOWN_FIELD}


def _of_presence(rule: Rule, good: Record) -> Iterator[Specimen]:
    concrete = rule.path.replace("[]", "[0]")
    if rule.kind is RuleKind.UNKNOWN_FIELD:
        path = f"{concrete}.{UNKNOWN_NAME}" if concrete else UNKNOWN_NAME
        yield Specimen(rule.rule_id, path, _changed(good, concrete, lambda found: {**found, UNKNOWN_NAME: 1}))
        return
    yield Specimen(rule.rule_id, concrete, _changed(good, concrete, lambda _: None))
    if not concrete.endswith("]"):
        yield Specimen(rule.rule_id, concrete, _without(good, concrete))


def _of_value(contract: Contract, rule: Rule, good: Record) -> Iterator[Specimen]:
    concrete = rule.path.replace("[]", "[0]")
    of_path = [other for other in contract.rules if other.path == rule.path and other.scope is Scope.ROW]
    values = _candidates(rule, _look_up(good, concrete))
    broken = [(value, [other for other in of_path if breaks(other, value)]) for value in values]
    alone = [(value, rules) for value, rules in broken if rules == [rule]]
    alone = alone or [(value, rules) for value, rules in broken if [one for one in rules if _is_grave(one)] == [rule]]
    for value, rules in alone:
        warned = tuple(one.rule_id for one in rules if one is not rule)
        yield Specimen(rule.rule_id, concrete, _replaced(good, concrete, value), warned)


def _is_grave(rule: Rule) -> bool:
    return rule.severity is Severity.ERROR


def _candidates(rule: Rule, good: Any) -> list[Any]:
    make = _CANDIDATES.get(rule.kind)
    assert make is not None, f"no candidates for {rule.kind}"
    return make(good, rule.argument)


def _not_in(good: Any, allowed: tuple[Any, ...]) -> list[Any]:
    return ["no-such-value", "x", good.upper() + "X"] if isinstance(good, str) else [-1, max(allowed) + 1]


def _too_long(good: str, most: int) -> list[str]:
    return [good + "x" * (most + 1 - len(good)), "é" * (most // 2 + 1)]


_CANDIDATES: dict[RuleKind, Callable[[Any, Any], list[Any]]] = {
    RuleKind.TYPE: lambda good, _: ["a text", "5", 5, 5.5, True, {}, [], {"a": 1}, [5]],
    RuleKind.FORMAT: lambda good, _: ["2021-02-30T00:00:00Z", "2021-02-30", "soon", f"{good}\n"],
    RuleKind.PATTERN: lambda good, _: [
        f"{good}\n",
        f"x{good}",
        f"{good}x",
        good.upper(),
        good[:-1],
        "!" + good[1:],
        "",
    ],
    RuleKind.ENUM: _not_in,
    RuleKind.MINIMUM: lambda good, least: [least - 1],
    RuleKind.MAXIMUM: lambda good, most: [most + 1],
    RuleKind.MIN_LENGTH: lambda good, least: [good[: least - 1]],
    RuleKind.MAX_LENGTH: _too_long,
    RuleKind.MAX_BYTES: _too_long,
    RuleKind.MIN_ITEMS: lambda good, least: [good[: least - 1]],
    RuleKind.MAX_ITEMS: lambda good, most: [good[:1] * (most + 1)],
}


def breaks(rule: Rule, value: Any) -> bool:
    """Whether a value that is there breaks a rule: the second opinion."""
    if rule.kind is RuleKind.TYPE:
        return not _HAS_TYPE[rule.argument](value)
    judge = _BREAKS.get(rule.kind)
    types, is_broken = judge if judge else ((), lambda _, __: False)
    return isinstance(value, types) and not isinstance(value, bool) and is_broken(value, rule.argument)


_HAS_TYPE: dict[LogicalType, Callable[[Any], bool]] = {
    LogicalType.STRING: lambda value: isinstance(value, str),
    LogicalType.TIMESTAMP: lambda value: isinstance(value, str),
    LogicalType.DATE: lambda value: isinstance(value, str),
    LogicalType.INTEGER: lambda value: type(value) is int,
    LogicalType.NUMBER: lambda value: type(value) in {int, float},
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


def _steps(path: str) -> list[str | int]:
    return [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]


def _look_up(record: Record, path: str) -> Any:
    value: Any = record
    for step in _steps(path):
        value = value[step]
    return value


def _changed(record: Record, path: str, change: Callable[[Any], Any]) -> Record:
    fresh: Record = copy.deepcopy(record)
    if not path:
        return dict(change(fresh))
    *parents, last = _steps(path)
    around: Any = fresh
    for step in parents:
        around = around[step]
    around[last] = change(around[last])
    return fresh


def _replaced(record: Record, path: str, value: Any) -> Record:
    return _changed(record, path, lambda _: value)


def _without(record: Record, path: str) -> Record:
    parent, _, name = path.rpartition(".")
    return _changed(record, parent, lambda found: {key: value for key, value in found.items() if key != name})
