"""Owns turning expectations into Great Expectations' own, and its answers into checks.

Running them is validation/load_gate.py's job.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from contracts.derive.expectations import Expectation, ExpectationKind
from contracts.errors import ServiceUnavailable
from contracts.model import Contract, Severity
from validation.results import CheckResult
from validation.wording import counted, few

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation as GreatExpectation

RULE_ID: Final = "rule_id"

# Great Expectations' name of each kind, and what it is given besides the column.
_GREAT: Final[Mapping[ExpectationKind, tuple[str, Callable[[Any], Mapping[str, Any]]]]] = {
    ExpectationKind.COLUMNS: ("ExpectTableColumnsToMatchOrderedList", lambda names: {"column_list": list(names)}),
    ExpectationKind.ROW_COUNT: ("ExpectTableRowCountToEqual", lambda count: {"value": count}),
    ExpectationKind.NOT_NULL: ("ExpectColumnValuesToNotBeNull", lambda _: {}),
    ExpectationKind.UNIQUE: ("ExpectColumnValuesToBeUnique", lambda _: {}),
    ExpectationKind.ENUM: ("ExpectColumnValuesToBeInSet", lambda allowed: {"value_set": list(allowed)}),
    ExpectationKind.MINIMUM: ("ExpectColumnValuesToBeBetween", lambda least: {"min_value": least}),
    ExpectationKind.MAXIMUM: ("ExpectColumnValuesToBeBetween", lambda most: {"max_value": most}),
    ExpectationKind.PATTERN: ("ExpectColumnValuesToMatchRegex", lambda pattern: {"regex": pattern}),
}

_SEVERITY: Final = {Severity.ERROR: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}


def argument_of(expectation: Expectation, staged_count: int) -> Any:
    """What an expectation compares with; the number of rows is known only when the gate runs."""
    return staged_count if expectation.kind is ExpectationKind.ROW_COUNT else expectation.argument


def to_great_expectations(expectation: Expectation, staged_count: int) -> "GreatExpectation":
    """The same, as Great Expectations has it."""
    from great_expectations import expectations as great

    name, arguments = _GREAT[expectation.kind]
    column = {"column": expectation.column} if expectation.column is not None else {}
    made: GreatExpectation = getattr(great, name)(
        **column,
        **arguments(argument_of(expectation, staged_count)),
        severity=_SEVERITY[expectation.severity],
        meta={RULE_ID: expectation.rule_id},
    )
    return made


def rule_id_of(result: "ExpectationValidationResult") -> str:
    """The rule whose expectation was answered."""
    config = result.expectation_config
    assert config is not None, "Great Expectations answers with the expectation it was given"  # noqa: S101
    return str((config.meta or {})[RULE_ID])


@dataclass(frozen=True, slots=True)
class Told:
    """What Great Expectations said of one expectation."""

    expectation: Expectation
    argument: Any
    passed: bool
    observed: Any  # the value of the whole table: its columns, its row count
    broken_count: int
    examples: tuple[Any, ...]

    @classmethod
    def read(cls, expectation: Expectation, result: "ExpectationValidationResult", staged_count: int) -> "Told":
        """Raises ServiceUnavailable when the expectation was not computed: that is no failed check."""
        if (raised := _exception(result.exception_info or {})) is not None:
            raise ServiceUnavailable(f"the expectation {expectation.rule_id} could not be computed: {raised}")
        found = result.result
        return cls(
            expectation=expectation,
            argument=argument_of(expectation, staged_count),
            passed=bool(result.success),  # some expectations answer with numpy's own boolean
            observed=found.get("observed_value"),
            broken_count=int(found.get("unexpected_count") or 0),
            examples=tuple(found.get("partial_unexpected_list") or ()),
        )

    @property
    def row_count(self) -> int | None:
        """How many rows the table has, when that was asked."""
        return int(self.observed) if self.expectation.kind is ExpectationKind.ROW_COUNT else None


def _exception(info: Mapping[str, Any]) -> str | None:
    """The message of what was raised. One expectation has one exception or one for each of its metrics."""
    if "raised_exception" in info:
        return str(info.get("exception_message")) if info["raised_exception"] else None
    return next((found for one in info.values() if (found := _exception(one)) is not None), None)


def check_of(contract: Contract, told: Told) -> CheckResult:
    """What was told, as a check in words. Values are shown only when the property is public."""
    expectation = told.expectation
    public = {prop.path for prop in contract.properties if prop.classification == "public"}
    return CheckResult(
        rule_id=expectation.rule_id,
        passed=told.passed,
        severity=expectation.severity,
        observed=_observed(told, is_public=expectation.column in public),
        expected=_expected(told),
    )


def _observed(told: Told, *, is_public: bool) -> str:
    kind, column = told.expectation.kind, told.expectation.column
    if kind is ExpectationKind.COLUMNS:
        return _columns(list(told.observed), list(told.argument))
    if kind is ExpectationKind.ROW_COUNT:
        return counted(int(told.observed), "row")
    if told.passed:
        return "every row"
    if kind is ExpectationKind.NOT_NULL:
        return f"{column} is null in {counted(told.broken_count, 'row')}"
    verb = "repeats" if kind is ExpectationKind.UNIQUE else "is not so"
    examples = f": {few(sorted({str(value)[:80] for value in told.examples}))}" if is_public and told.examples else ""
    return f"{column} {verb} in {counted(told.broken_count, 'row')}{examples}"


def _columns(observed: list[str], expected: list[str]) -> str:
    missing = [name for name in expected if name not in observed]
    unknown = [name for name in observed if name not in expected]
    if missing or unknown:
        parts = [("without ", missing), ("with unknown ", unknown)]
        return "columns " + " and ".join(prefix + ", ".join(names) for prefix, names in parts if names)
    return f"{len(observed)} columns" if observed == expected else "columns in another order"


def _expected(told: Told) -> str:
    kind, column, argument = told.expectation.kind, told.expectation.column, told.argument
    match kind:
        case ExpectationKind.COLUMNS:
            return f"the contract's {len(argument)} columns in order"
        case ExpectationKind.ROW_COUNT:
            return f"the {argument} rows that the raw gate accepted"
        case ExpectationKind.NOT_NULL:
            return f"{column} filled in each row"
        case ExpectationKind.UNIQUE:
            return f"no {column} twice"
    return f"{column} {_COMPARED[kind]} {', '.join(map(str, argument)) if isinstance(argument, tuple) else argument}"


_COMPARED: Final = {
    ExpectationKind.ENUM: "one of",
    ExpectationKind.MINIMUM: "at least",
    ExpectationKind.MAXIMUM: "at most",
    ExpectationKind.PATTERN: "of the form",
}
