"""Owns judging records against a contract's row rules, with pandera. What a rule means is validation/row_rules.py's.

Each frame has a pandera schema and each rule a named check in it, so pandera says which rule failed on which row, and
this module says at which JSON path.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.config import ValidationDepth, config_context
from pandera.constants import CHECK_OUTPUT_KEY
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors

from contracts.classification import shown_paths
from contracts.comparisons import fields_of
from contracts.model import (
    ACROSS_FIELDS,
    Contract,
    LogicalType,
    Rule,
    RuleKind,
    frame_path,
)
from validation import across_fields
from validation.frames import Flattener, Frame, Place, kind_column, value_column, value_dtype
from validation.results import Violation
from validation.row_rules import KIND_RULES, describe, holds

Record = dict[str, Any]


class Judge:
    """Judges chunks of records. Made once per contract; raises ContractInvalid for rules that cannot be judged."""

    def __init__(self, contract: Contract) -> None:
        self._properties = {prop.path: prop for prop in contract.walk()}
        self._top_level = contract.properties
        self._shown = shown_paths(contract)
        self._rules = {rule.rule_id: rule for rule in contract.record_rules}
        self._order = {rule_id: order for order, rule_id in enumerate(self._rules)}
        self._flattener = Flattener(contract)
        self._looks: dict[str, dict[str, pl.Expr]] = {}  # by frame, then rule: whether any row fails
        for rule in self._rules.values():
            # Bound here, so that a rule that cannot be judged fails when the judge is made.
            fails = ~holds(rule, pl.col(_judged_column(rule)))
            self._looks.setdefault(frame_path(rule.path), {})[rule.rule_id] = fails.any().alias(rule.rule_id)

    @property
    def schemas(self) -> Mapping[str, pa.DataFrameSchema]:
        """What is checked, by the path of the frame it is checked on: "" for one row per record."""
        columns: dict[str, dict[str, list[Rule]]] = {}
        for rule in self._rules.values():
            columns.setdefault(frame_path(rule.path), {}).setdefault(_judged_column(rule), []).append(rule)
        return {path: self._make_schema(rules) for path, rules in columns.items()}

    def _schema_of_broken(self, path: str, frame: Frame) -> pa.DataFrameSchema | None:
        """The schema of the rules that some row of a frame breaks, None when none is broken.

        pandera takes a millisecond a rule, however few the rows: it judges those alone that have something to judge.
        """
        found = frame.data.select(*self._looks[path].values()).row(0, named=True)
        broken: dict[str, list[Rule]] = {}
        for rule_id, is_broken in found.items():
            if is_broken:
                rule = self._rules[rule_id]
                broken.setdefault(_judged_column(rule), []).append(rule)
        return self._make_schema(broken) if broken else None

    def _make_schema(self, rules_by_column: dict[str, list[Rule]]) -> pa.DataFrameSchema:
        return pa.DataFrameSchema(
            {
                column: pa.Column(
                    self._dtype(rules[0]), checks=[_check(rule) for rule in rules], nullable=True, required=True
                )
                for column, rules in rules_by_column.items()
            }
        )

    def _dtype(self, rule: Rule) -> pl.DataType:
        if rule.kind in KIND_RULES:
            return pl.UInt8()
        prop = self._properties.get(rule.path)
        return value_dtype(prop.logical_type if prop else LogicalType.OBJECT)

    def judge(self, records: Sequence[Record]) -> list[tuple[Violation, ...]]:
        """Every rule that each record breaks, wherever it does, in the contract's order."""
        found: list[list[tuple[int, Place, Violation]]] = [[] for _ in records]
        frames = self._flattener.flatten(records)
        for path in self._looks:
            schema = self._schema_of_broken(path, frames[path])
            for rule_id, place in failures(schema, frames[path]) if schema else ():
                for violation in self._violations(self._rules[rule_id], place, records[place[0]]):
                    found[place[0]].append((self._order[rule_id], place, violation))
        return [tuple(violation for *_, violation in sorted(of_record, key=_by_order)) for of_record in found]

    def _violations(self, rule: Rule, place: Place, record: Record) -> Iterator[Violation]:
        path = _concrete(rule.path, place)
        if rule.kind is RuleKind.UNKNOWN_FIELD:
            for name in sorted(_look_up(record, rule.path, place).keys() - self._known_names(rule.path)):
                yield Violation(rule.rule_id, f"{path}.{name}" if path else name, "is a field unknown to the contract")
        elif rule.kind in ACROSS_FIELDS:
            fields = fields_of(rule.argument)
            values = {field: _look_up(record, field, place) for field in fields if _is_there(record, field, place)}
            is_shown = self._shown.issuperset(fields)
            yield Violation(rule.rule_id, path, across_fields.describe(rule.argument, values, is_shown=is_shown))
        elif rule.kind is RuleKind.REQUIRED:
            yield Violation(rule.rule_id, path, "is null" if _is_there(record, rule.path, place) else "is missing")
        else:
            value = _look_up(record, rule.path, place)
            yield Violation(rule.rule_id, path, describe(rule, value, is_shown=rule.path in self._shown))

    def _known_names(self, path: str) -> set[str]:
        children = self._properties[path].children if path else self._top_level
        return {child.name for child in children}


def _by_order(found: tuple[int, Place, Violation]) -> tuple[int, Place]:
    return found[0], found[1]


def _judged_column(rule: Rule) -> str:
    return kind_column(rule.path) if rule.kind in KIND_RULES else value_column(rule.path)


def _check(rule: Rule) -> pa.Check:
    return pa.Check(_check_function(rule), name=rule.rule_id, ignore_na=True)


def _check_function(rule: Rule) -> Callable[[PolarsData], pl.LazyFrame]:
    def check(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(holds(rule, pl.col(str(data.key))))

    return check


def failures(schema: pa.DataFrameSchema, frame: Frame) -> Iterator[tuple[str, Place]]:
    """The rule and the place of each check of a schema that fails on a frame."""
    # Said here and not left to pandera's environment variables, which can switch validation off.
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            schema.validate(frame.data, lazy=True)
        except SchemaErrors as failed:
            errors = failed.schema_errors
        else:
            return
    for error in errors:
        yield from _places(error, frame)


def _places(error: SchemaError, frame: Frame) -> Iterator[tuple[str, Place]]:
    if error.reason_code is not SchemaErrorReason.DATAFRAME_CHECK or error.check_output is None:
        raise error  # the frame or a check is wrong, not the data
    for row in (~error.check_output[CHECK_OUTPUT_KEY]).arg_true():
        yield error.check.name, frame.places[row]


def _concrete(path: str, place: Place) -> str:
    """The JSON path of one row: `cores[].core` in the first core is `cores[0].core`."""
    first, *others = path.split("[]")
    return first + "".join(f"[{index}]{other}" for index, other in zip(place[1:], others, strict=True))


def _steps(path: str, place: Place) -> Iterator[str | int]:
    positions = iter(place[1:])
    for part in path.split(".") if path else ():
        name, *brackets = part.split("[]")
        yield name
        for _ in brackets:
            yield next(positions)


def _look_up(record: Record, path: str, place: Place) -> Any:
    """The value that a rule judged."""
    value: Any = record
    for step in _steps(path, place):
        value = value[step]
    return value


def _is_there(record: Record, path: str, place: Place) -> bool:
    try:
        _look_up(record, path, place)
    except (KeyError, TypeError):  # TypeError: an object around it is null
        return False
    return True
