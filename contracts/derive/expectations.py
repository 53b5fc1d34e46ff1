"""Owns the checks of the load gate as plain values, for columns of a staged table.

Turning them into a Great Expectations suite and running it is validation's job.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contracts import patterns, physical
from contracts.derive.redshift import staging_columns
from contracts.model import Contract, Property, Rule, RuleKind, Severity

COLUMNS_RULE_ID = "staged-columns"
ROW_COUNT_RULE_ID = "staged-row-count"


class ExpectationKind(StrEnum):
    """What an expectation compares. `argument` holds what it compares with."""

    COLUMNS = "columns"  # argument: tuple of column names, in order
    ROW_COUNT = "row-count"  # argument: None; the number of accepted records is given when the gate runs
    NOT_NULL = "not-null"  # argument: None
    UNIQUE = "unique"  # argument: None
    ENUM = "enum"  # argument: tuple of the allowed values; null passes
    MINIMUM = "minimum"  # argument: int | float, inclusive; null passes
    MAXIMUM = "maximum"  # argument: int | float, inclusive; null passes
    PATTERN = "pattern"  # argument: str, POSIX, anchored, for Redshift's `~`; null passes


_KINDS = {
    RuleKind.REQUIRED: ExpectationKind.NOT_NULL,
    RuleKind.UNIQUE: ExpectationKind.UNIQUE,
    RuleKind.ENUM: ExpectationKind.ENUM,
    RuleKind.MINIMUM: ExpectationKind.MINIMUM,
    RuleKind.MAXIMUM: ExpectationKind.MAXIMUM,
    RuleKind.PATTERN: ExpectationKind.PATTERN,
}


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that must hold of a staged table. `column` is None when it is about the table."""

    rule_id: str
    kind: ExpectationKind
    column: str | None
    argument: Any
    severity: Severity


def expectations(contract: Contract) -> tuple[Expectation, ...]:
    """What the load gate checks: the table's shape first, then column by column, as the contract's rules stand."""
    return (*_about_the_table(contract), *_about_columns(contract))


def _about_the_table(contract: Contract) -> Iterator[Expectation]:
    names = tuple(column.name for column in staging_columns(contract))
    yield Expectation(COLUMNS_RULE_ID, ExpectationKind.COLUMNS, None, names, Severity.ERROR)
    yield Expectation(ROW_COUNT_RULE_ID, ExpectationKind.ROW_COUNT, None, None, Severity.ERROR)


def _about_columns(contract: Contract) -> Iterator[Expectation]:
    columns = {prop.path: prop for prop in contract.properties}
    for rule in contract.rules:
        if rule.path in columns and rule.kind in _KINDS and not _is_kept_by_type(rule, columns[rule.path]):
            column = columns[rule.path].column
            yield Expectation(rule.rule_id, _KINDS[rule.kind], column, _argument(rule), rule.severity)


def _is_kept_by_type(rule: Rule, prop: Property) -> bool:
    """Whether the column's own type already refuses what the rule refuses: a check of it could never fail."""
    column = physical.parse(str(prop.physical_type))
    if column is None:
        return False
    bounds = {RuleKind.MINIMUM: column.minimum, RuleKind.MAXIMUM: column.maximum}
    return rule.kind in bounds and rule.argument == bounds[rule.kind]


def _argument(rule: Rule) -> Any:
    return patterns.parse(rule.argument).posix if rule.kind is RuleKind.PATTERN else rule.argument
