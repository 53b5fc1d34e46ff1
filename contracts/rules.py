"""Owns which rules follow from a property, and what they are called. Reading properties is contracts/read.py's job."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contracts import patterns, physical
from contracts.comparisons import AcrossFields, Agrees, AtMost, Reference, SameInstant, Shrinkage, Together, fields_of
from contracts.model import DriftPolicy, LogicalType, Property, Rule, RuleKind, Scope, Severity

_DIMENSIONS = {
    RuleKind.REQUIRED: "completeness",
    RuleKind.ROW_COUNT: "completeness",
    RuleKind.SHRINKAGE: "completeness",
    RuleKind.SOURCE_DAMAGE: "accuracy",
    RuleKind.REFERENCE: "consistency",
    RuleKind.SAME_INSTANT: "consistency",
    RuleKind.AGREES: "consistency",
    RuleKind.AT_MOST: "consistency",
    RuleKind.TOGETHER: "consistency",
    RuleKind.UNIQUE: "uniqueness",
    RuleKind.MINIMUM: "accuracy",
    RuleKind.MAXIMUM: "accuracy",
}

_DRIFT_SEVERITY = {
    DriftPolicy.WARN: Severity.WARNING,
    DriftPolicy.QUARANTINE: Severity.ERROR,
    DriftPolicy.NO_GO: Severity.ERROR,
}

_TYPE_WORDS = {
    LogicalType.STRING: "a JSON string",
    LogicalType.INTEGER: "a JSON number without a fraction",
    LogicalType.NUMBER: "a JSON number",
    LogicalType.BOOLEAN: "true or false",
    LogicalType.TIMESTAMP: "a JSON string",
    LogicalType.DATE: "a JSON string",
    LogicalType.OBJECT: "a JSON object",
    LogicalType.ARRAY: "a JSON array",
}

_FORMAT_WORDS = {
    LogicalType.TIMESTAMP: "an ISO 8601 instant with its offset or Z",
    LogicalType.DATE: "a day as yyyy-mm-dd",
}

_PLAIN_WORDS = {
    RuleKind.REQUIRED: "{subject} is there and not null",
    RuleKind.PATTERN: "{subject} matches {argument}",
    RuleKind.MINIMUM: "{subject} is at least {argument}",
    RuleKind.MAXIMUM: "{subject} is at most {argument}",
    RuleKind.MIN_LENGTH: "{subject} has at least {argument} characters",
    RuleKind.MAX_LENGTH: "{subject} has at most {argument} characters",
    RuleKind.MAX_BYTES: "{subject} has at most {argument} bytes as UTF-8, the width of its column",
    RuleKind.MIN_ITEMS: "{subject} has at least {argument} items",
    RuleKind.MAX_ITEMS: "{subject} has at most {argument} items",
    RuleKind.UNKNOWN_FIELD: "{subject} has no field that the contract does not know",
    RuleKind.SOURCE_DAMAGE: "the sync passed every value of {subject} on as it was",
    RuleKind.UNIQUE: "no two records share a value of {subject}",
    RuleKind.ROW_COUNT: "the dataset has at least {argument} records",
}


_KIND_OF: Mapping[type, RuleKind] = {
    SameInstant: RuleKind.SAME_INSTANT,
    Agrees: RuleKind.AGREES,
    AtMost: RuleKind.AT_MOST,
    Together: RuleKind.TOGETHER,
}


@dataclass(frozen=True, slots=True)
class Note:
    """What a contract says of one rule beyond the standard's keys: how bad a breach is, and why the rule exists."""

    severity: Severity = Severity.ERROR
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a contract demands of a property beyond its type; None or empty where it demands nothing."""

    pattern: str | None = None
    allowed: tuple[Any, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    notes: Mapping[RuleKind, Note] = field(default_factory=dict)


def rule_id(path: str, kind: RuleKind) -> str:
    """The name of a rule: `cores[].core` + required = `cores-core-required`, `cores[]` + type = `cores-item-type`.

    The record itself has the path "" and gives the kind alone: `unknown-field`, `row-count`.
    """
    if path.endswith("[]"):
        path = f"{path[:-2]}.item"
    words = path.replace("[]", "").replace(".", "-")
    return f"{words}-{kind}" if words else str(kind)


def of_property(prop: Property, limits: Limits, drift: DriftPolicy) -> Iterator[Rule]:
    """The row rules of one property, its children's not included."""
    arguments = _arguments(prop, limits)
    for kind, argument in arguments.items():
        yield _row_rule(prop.path, kind, argument, limits.notes.get(kind, Note()))
    if prop.logical_type is LogicalType.OBJECT:
        yield from unknown_field(prop.path, drift)


def unknown_field(path: str, drift: DriftPolicy) -> Iterator[Rule]:
    """The rule about fields that the contract does not know; none where they are simply allowed."""
    if drift is not DriftPolicy.ALLOW:
        yield _row_rule(path, RuleKind.UNKNOWN_FIELD, drift, Note(_DRIFT_SEVERITY[drift]))


def source_damage(drift: DriftPolicy) -> Iterator[Rule]:
    """The rule about fields that the sync says it nulled or truncated; none where that is simply allowed."""
    if drift is not DriftPolicy.ALLOW:
        yield _row_rule("", RuleKind.SOURCE_DAMAGE, drift, Note(_DRIFT_SEVERITY[drift]))


def across_fields(comparison: AcrossFields, note: Note, name: str) -> Rule:
    """A row rule that compares several fields of a record."""
    return replace(_row_rule(fields_of(comparison)[0], _KIND_OF[type(comparison)], comparison, note), rule_id=name)


def set_rule(path: str, kind: RuleKind, argument: Any, note: Note, *, name: str | None = None) -> Rule:
    """A rule over the whole batch."""
    words = _words(path, kind, argument)
    return Rule(
        rule_id=name or rule_id(path, kind),
        path=path,
        kind=kind,
        argument=argument,
        scope=Scope.SET,
        severity=note.severity,
        dimension=_DIMENSIONS[kind],
        description=_sentence(words, note.reason),
    )


def _row_rule(path: str, kind: RuleKind, argument: Any, note: Note) -> Rule:
    return Rule(
        rule_id=rule_id(path, kind),
        path=path,
        kind=kind,
        argument=argument,
        scope=Scope.ROW,
        severity=note.severity,
        dimension=_DIMENSIONS.get(kind, "conformity"),
        description=_sentence(_words(path, kind, argument), note.reason),
    )


def _arguments(prop: Property, limits: Limits) -> dict[RuleKind, Any]:
    """Which rules hold for the property, with what they compare."""
    column = physical.parse(prop.physical_type) if prop.physical_type else None
    found: dict[RuleKind, Any] = {
        RuleKind.TYPE: prop.logical_type,
        RuleKind.FORMAT: prop.logical_type if prop.logical_type in _FORMAT_WORDS else None,
        RuleKind.PATTERN: limits.pattern,
        RuleKind.ENUM: limits.allowed or None,
        RuleKind.MINIMUM: _tighter(max, limits.minimum, column.minimum if column else None),
        RuleKind.MAXIMUM: _tighter(min, limits.maximum, column.maximum if column else None),
        RuleKind.MIN_LENGTH: limits.min_length,
        RuleKind.MAX_LENGTH: limits.max_length,
        RuleKind.MAX_BYTES: _max_bytes(column, limits),
        RuleKind.MIN_ITEMS: limits.min_items,
        RuleKind.MAX_ITEMS: limits.max_items,
    }
    required = {RuleKind.REQUIRED: None} if prop.required else {}
    return required | {kind: argument for kind, argument in found.items() if argument is not None}


def _tighter(choose: Any, given: int | float | None, implied: int | float | None) -> int | float | None:
    bounds = [bound for bound in (given, implied) if bound is not None]
    return choose(bounds) if bounds else None


def _max_bytes(column: physical.PhysicalType | None, limits: Limits) -> int | None:
    """The column's width, unless another rule already refuses every value that would not fit.

    A rule that can never be the only one broken could not be shown to bite.
    """
    if column is None or column.max_bytes is None:
        return None
    widths = [_pattern_width(limits), _enum_width(limits), _length_width(limits)]
    known = [width for width in widths if width is not None]
    return None if known and min(known) <= column.max_bytes else column.max_bytes


def _rejects(limits: Limits, kind: RuleKind) -> bool:
    return limits.notes.get(kind, Note()).severity is Severity.ERROR


def _pattern_width(limits: Limits) -> int | None:
    if limits.pattern is None or not _rejects(limits, RuleKind.PATTERN):
        return None
    return patterns.parse(limits.pattern).max_bytes


def _enum_width(limits: Limits) -> int | None:
    if not limits.allowed or not _rejects(limits, RuleKind.ENUM):
        return None
    return max(len(str(value).encode()) for value in limits.allowed)


def _length_width(limits: Limits) -> int | None:
    if limits.max_length is None or not _rejects(limits, RuleKind.MAX_LENGTH):
        return None
    return 4 * limits.max_length


def _words(path: str, kind: RuleKind, argument: Any) -> str:
    """What the rule says, in words that need no contract beside them."""
    subject = path or "the record"
    match kind:
        case RuleKind.TYPE:
            return f"{subject} is {_TYPE_WORDS[argument]}"
        case RuleKind.FORMAT:
            return f"{subject} is {_FORMAT_WORDS[argument]}"
        case RuleKind.ENUM:
            return f"{subject} is one of {_listed(argument)}"
        case _ if kind in _COMPARISON_WORDS:
            return _COMPARISON_WORDS[kind](subject, argument)
        case _:
            return _PLAIN_WORDS[kind].format(subject=subject, argument=argument)


def _agrees_words(subject: str, comparison: Agrees) -> str:
    terms = [term.field if term.times == 1 else f"{term.times:g} times {term.field}" for term in comparison.terms]
    tolerance = comparison.tolerance_words
    return f"{subject} is {' + '.join(terms)}" + (f", give or take {tolerance}" if tolerance else "")


def _shrinkage_words(subject: str, limit: Shrinkage) -> str:
    return (
        f"a batch has at most {100 * limit.max_ratio:g} % fewer records than were published last, "
        f"or {limit.floor_count} fewer"
    )


def _same_instant_words(subject: str, comparison: SameInstant) -> str:
    return f"{subject} is the instant of {comparison.instant}, give or take {comparison.tolerance_s:g} s"


def _at_most_words(subject: str, comparison: AtMost) -> str:
    return f"{subject} is at most {comparison.of}"


def _together_words(subject: str, comparison: Together) -> str:
    return f"{_listed(comparison.fields)} are all there or all null"


def _reference_words(subject: str, reference: Reference) -> str:
    return f"{subject} is the {reference.field} of a record of {reference.dataset}"


_COMPARISON_WORDS: Mapping[RuleKind, Callable[[str, Any], str]] = {
    RuleKind.AGREES: _agrees_words,
    RuleKind.SHRINKAGE: _shrinkage_words,
    RuleKind.SAME_INSTANT: _same_instant_words,
    RuleKind.AT_MOST: _at_most_words,
    RuleKind.TOGETHER: _together_words,
    RuleKind.REFERENCE: _reference_words,
}


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(str(value) for value in values)


def _sentence(words: str, reason: str) -> str:
    return f"{words}. {reason}" if reason else f"{words}."
