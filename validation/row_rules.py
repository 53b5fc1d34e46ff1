"""Owns what each row rule means, as a Polars expression and in words. Running them is validation/judge.py's job.

What rules across several fields mean is validation/across_fields.py's.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
import polars as pl

from contracts.errors import ContractInvalid
from contracts.model import ACROSS_FIELDS, LogicalType, Rule, RuleKind
from validation import across_fields
from validation.frames import KINDS_OF_TYPE, JsonKind

SHOWN_CHARACTERS: Final = 80  # how much of a value a message shows

# ISO 8601 instants as an API writes them. [0-9], because \d also means the digits of other scripts to Polars.
_INSTANT: Final = (
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])\z"
)
_DAY: Final = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z"

_NOUNS: Final = {
    JsonKind.STRING: "a string",
    JsonKind.INTEGER: "an integer",
    JsonKind.FLOAT: "a number with a fraction",
    JsonKind.BOOLEAN: "a boolean",
    JsonKind.OBJECT: "an object",
    JsonKind.ARRAY: "an array",
}
_EXPECTED_NOUNS: Final = {
    LogicalType.STRING: "a string",
    LogicalType.TIMESTAMP: "a string",
    LogicalType.DATE: "a string",
    LogicalType.INTEGER: "an integer",
    LogicalType.NUMBER: "a number",
    LogicalType.BOOLEAN: "a boolean",
    LogicalType.OBJECT: "an object",
    LogicalType.ARRAY: "an array",
}

KIND_RULES: Final = frozenset(
    {RuleKind.REQUIRED, RuleKind.TYPE, RuleKind.TOGETHER}
)  # judged on the column of JSON kinds


def holds(rule: Rule, column: pl.Expr) -> pl.Expr:
    """True where the rule holds, false where it is broken, null where there is nothing to judge.

    `column` is the path's kinds for the rules of KIND_RULES, else its values. Raises ContractInvalid for a rule that
    cannot be judged row by row.
    """
    if rule.kind is RuleKind.PATTERN:
        _refuse_bad_pattern(rule)
    if rule.kind in ACROSS_FIELDS:
        return across_fields.holds(rule.argument)
    meaning = _MEANINGS.get(rule.kind)
    if meaning is None:
        raise ContractInvalid(f"rule {rule.rule_id}: the raw gate cannot judge {rule.kind} record by record")
    return meaning(column, rule.argument)


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


def _refuse_bad_pattern(rule: Rule) -> None:
    try:
        pl.Series([""]).str.contains(_whole(rule.argument))
    except pl.exceptions.ComputeError as exc:
        raise ContractInvalid(
            f"rule {rule.rule_id}: the pattern {rule.argument!r} cannot be judged. Polars' regular expressions have"
            f" no look-around and no back-references: say it another way ({exc})"
        ) from exc


def _has_type(kinds: pl.Expr, expected: LogicalType) -> pl.Expr:
    silent = {JsonKind.NO_PARENT, JsonKind.MISSING, JsonKind.NULL}
    return kinds.is_in(sorted(KINDS_OF_TYPE[expected] | silent))


def _is_real(column: pl.Expr, form: LogicalType) -> pl.Expr:
    """Whether a text names an instant or a day that exists: 2021-02-30 has the shape and is none."""
    shape = _INSTANT if form is LogicalType.TIMESTAMP else _DAY
    day = column.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    exists = day.is_not_null() & ~column.str.starts_with("0000")
    return column.is_null() | (column.str.contains(shape) & exists)


_MEANINGS: Mapping[RuleKind, Callable[[pl.Expr, Any], pl.Expr]] = {
    RuleKind.REQUIRED: lambda kinds, _: ~kinds.is_in([JsonKind.MISSING, JsonKind.NULL]),
    RuleKind.TYPE: _has_type,
    RuleKind.FORMAT: _is_real,
    RuleKind.PATTERN: lambda texts, pattern: texts.str.contains(_whole(pattern)),
    RuleKind.ENUM: lambda values, allowed: values.is_in(list(allowed)),
    RuleKind.MINIMUM: operator.ge,
    RuleKind.MAXIMUM: operator.le,
    RuleKind.MIN_LENGTH: lambda texts, least: texts.str.len_chars() >= least,
    RuleKind.MAX_LENGTH: lambda texts, most: texts.str.len_chars() <= most,
    RuleKind.MAX_BYTES: lambda texts, most: texts.str.len_bytes() <= most,
    RuleKind.MIN_ITEMS: operator.ge,
    RuleKind.MAX_ITEMS: operator.le,
    RuleKind.UNKNOWN_FIELD: lambda unknown_names, _: unknown_names.is_null(),
}


def describe(rule: Rule, value: Any, *, is_shown: bool) -> str:
    """How `value` breaks `rule`, in words that follow its path. Holds the value only when it may be shown."""
    match rule.kind:
        case RuleKind.TYPE:
            noun = _noun(value)
            return f"is {noun}{f', {_shown(value)}' if is_shown else ''}; expected {_EXPECTED_NOUNS[rule.argument]}"
        case RuleKind.MIN_LENGTH | RuleKind.MAX_LENGTH:
            return f"is {len(value)} characters long; expected {_bound(rule)}"
        case RuleKind.MAX_BYTES:
            return f"is {len(value.encode())} bytes long in UTF-8; expected {_bound(rule)}"
        case RuleKind.MIN_ITEMS | RuleKind.MAX_ITEMS:
            return f"has {len(value)} items; expected {_bound(rule)}"
    return f"is {_shown(value) if is_shown else 'not shown here'}; expected {_expected(rule)}"


def _expected(rule: Rule) -> str:
    match rule.kind:
        case RuleKind.FORMAT if rule.argument is LogicalType.TIMESTAMP:
            return "an instant that exists, as in 2021-04-22T09:49:00Z"
        case RuleKind.FORMAT:
            return "a day that exists, as in 2021-04-22"
        case RuleKind.PATTERN:
            return f"a text of the form {rule.argument}"
        case RuleKind.ENUM:
            return f"one of {', '.join(str(allowed) for allowed in rule.argument)}"
    return _bound(rule)


def _bound(rule: Rule) -> str:
    is_lower = rule.kind in {RuleKind.MINIMUM, RuleKind.MIN_LENGTH, RuleKind.MIN_ITEMS}
    return f"at {'least' if is_lower else 'most'} {rule.argument}"


def _noun(value: Any) -> str:
    kinds = {str: JsonKind.STRING, int: JsonKind.INTEGER, float: JsonKind.FLOAT, bool: JsonKind.BOOLEAN}
    return _NOUNS[kinds.get(type(value), JsonKind.OBJECT if isinstance(value, dict) else JsonKind.ARRAY)]


def _shown(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
