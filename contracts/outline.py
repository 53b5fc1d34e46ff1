"""Owns a contract as people read it: promises in words, columns at their depth, rules with their gates.

Pages and tables of it are made elsewhere (contracts/derive/dictionary.py, spacex_elt/contract_report.py). What is not
public is not shown: no example, no list of allowed values.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contracts import physical
from contracts.classification import PUBLIC, is_public
from contracts.coverage import Gate, coverage
from contracts.model import Contract, LogicalType, Property, Rule, RuleKind, Scope

_DAY_H = 24

# What a column's type, presence and width say already: rules of these kinds only repeat it.
_IN_THE_COLUMNS = {RuleKind.TYPE, RuleKind.REQUIRED, RuleKind.FORMAT, RuleKind.MAX_BYTES}


@dataclass(frozen=True, slots=True)
class Column:
    """One property at its depth, in words. `example` is empty where there is none or it may not be shown."""

    prop: Property
    depth: int
    name: str  # its own name, or "each item" of an array
    type: str
    presence: str
    example: str


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule in words, with the gates that enforce it."""

    rule: Rule
    words: str
    gates: tuple[Gate, ...]


def columns(contract: Contract) -> tuple[Column, ...]:
    """Every property, parents before children, in the contract's order."""
    return tuple(_columns(contract.properties, 0, is_public=True))


def rule_lines(contract: Contract) -> tuple[RuleLine, ...]:
    """Every rule in the contract's order."""
    gates = coverage(contract)
    return tuple(RuleLine(rule, _words(contract, rule), gates[rule.rule_id]) for rule in contract.rules)


def telling_rules(contract: Contract) -> tuple[RuleLine, ...]:
    """The rules that say more than the list of columns does, those over the whole dataset first."""
    types = {prop.path: prop.physical_type for prop in contract.properties}
    found = [line for line in rule_lines(contract) if _is_telling(line.rule, types.get(line.rule.path))]
    return tuple(sorted(found, key=lambda line: line.rule.scope is not Scope.SET))


def _is_telling(rule: Rule, physical_type: str | None) -> bool:
    if rule.kind in _IN_THE_COLUMNS:
        return False
    column = physical.parse(physical_type) if physical_type else None
    bounds = {RuleKind.MINIMUM: column.minimum, RuleKind.MAXIMUM: column.maximum} if column else {}
    return rule.kind not in bounds or rule.argument != bounds[rule.kind]


def promises(contract: Contract) -> tuple[tuple[str, str], ...]:
    """What the owner promises and when a batch is held, each with its name."""
    limit = contract.reject_limit
    records = "1 record" if limit.floor_count == 1 else f"{limit.floor_count} records"
    found = [
        ("Latency", f"A change of the source is published within {_time(contract.latency_h)}", contract.latency_h),
        ("Freshness", f"The newest load is at most {_time(contract.freshness_h)} old", contract.freshness_h),
        (
            "Reject limit",
            f"A batch is held when more than {records} and more than {limit.ratio * 100:g} % are rejected."
            f" {limit.reason}",
            limit,
        ),
    ]
    return tuple((name, words) for name, words, given in found if given is not None)


def _time(hours: float | None) -> str:
    if hours is None:
        return ""
    number, noun = (hours / _DAY_H, "day") if hours >= 2 * _DAY_H and hours % _DAY_H == 0 else (hours, "hour")
    return f"{number:g} {noun}{'' if number == 1 else 's'}"


def _columns(properties: Sequence[Property], depth: int, *, is_public: bool) -> Iterator[Column]:
    for prop in properties:
        shown = is_public and prop.classification == PUBLIC
        yield Column(
            prop=prop,
            depth=depth,
            name="each item" if prop.path.endswith("[]") else prop.name,
            type=_type(prop),
            presence="key" if prop.primary_key else "always there" if prop.required else "may be null",
            example=literal(prop.example) if shown and prop.example is not None else "",
        )
        yield from _columns(prop.children, depth + 1, is_public=shown)


def _type(prop: Property) -> str:
    if prop.logical_type is LogicalType.ARRAY and prop.children:
        return f"list of {prop.children[0].logical_type}s"
    return str(prop.logical_type)


def literal(value: object) -> str:
    """A value as JSON has it, texts without their quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _words(contract: Contract, rule: Rule) -> str:
    """The rule's words, begun with a capital unless they begin with a property's name."""
    if rule.kind is RuleKind.ENUM and not is_public(contract, rule.path):
        return f"{rule.path} is one of the values that the contract allows (not shown: it is not public)."
    words = rule.description
    return words if rule.path and words.startswith(rule.path) else words[:1].upper() + words[1:]
