"""Owns records made from a contract that break one rule: for each rule, as many as come to mind.

What a record breaks is decided by contracts/plain_judge.py, so that no gate is asked about itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from contracts.comparisons import Agrees, AtMost, SameInstant, fields_of
from contracts.errors import UsageError
from contracts.model import ACROSS_FIELDS, Contract, LogicalType, Rule, RuleKind, frame_path
from contracts.plain_judge import Absent, Breach, Record, breaches, instances, look_up, seconds_of, within
from contracts.sample import as_another, good_record, good_records, wanted_at
from contracts.sample_repair import repaired, set_at
from contracts.sample_values import moment_of, scalar

_BOUNDS = {RuleKind.MINIMUM, RuleKind.MAXIMUM}
_OF_64_BITS = {-(2**63), 2**63 - 1}

UNKNOWN_NAME = "a_field_nobody_knows"


@dataclass(frozen=True)
class Specimen:
    """A record that breaks one rule, at one place."""

    rule_id: str
    path: str
    record: Record
    told: tuple[Breach, ...]  # that breach, and those of rules which only warn and are broken by whatever breaks it;
    # none for a number beyond 64 bits: no reader takes its line
    changes: tuple[dict[str, str], ...] = ()  # what the envelope says the sync did to the record

    def __str__(self) -> str:
        return f"{self.rule_id} at {self.path}"


def bad_records(contract: Contract, rule: Rule) -> list[Specimen]:
    """Records that break this row rule and no other, as many as come to mind."""
    good = good_record(contract)
    if rule.kind is RuleKind.SOURCE_DAMAGE:
        return [_damaged(contract, rule, good)]
    near = replace(contract, rules=tuple(other for other in contract.rules if _touch(rule, other)))
    found = [
        specimen
        for place, record in _variants(contract, rule, good)
        if (specimen := _specimen(contract, near, rule, place, record)) is not None
    ]
    return [one for one in found if len(one.told) <= 1] or found


def _touch(rule: Rule, other: Rule) -> bool:
    """Whether a change of what one rule reads can matter to another. Asking the others would only take time."""
    return any(
        left == right or left.startswith((f"{right}.", f"{right}[")) or right.startswith((f"{left}.", f"{left}["))
        for left in _paths(rule)
        for right in _paths(other)
    )


def _paths(rule: Rule) -> tuple[str, ...]:
    return fields_of(rule.argument) if rule.kind in ACROSS_FIELDS else (rule.path,)


def _damaged(contract: Contract, rule: Rule, good: Record) -> Specimen:
    field = next(prop.name for prop in contract.properties if not prop.required)
    change = {"field": field, "change": "NULLED", "reason": "SOURCE_SERIALIZATION_ERROR"}
    record = repaired(contract, {**good, field: None}, fixed={field})
    return Specimen(rule.rule_id, field, record, (Breach(rule.rule_id, field),), (change,))


def _specimen(contract: Contract, near: Contract, rule: Rule, place: str, record: Record) -> Specimen | None:
    """The record, if need be with its other fields brought in line, when it breaks the rule alone. Else None."""
    if rule.kind in _BOUNDS and rule.argument in _OF_64_BITS:
        return Specimen(rule.rule_id, place, record, ())
    others = replace(contract, rules=tuple(other for other in contract.rules if other is not rule))
    in_line: list[Callable[[], tuple[Contract, Record]]] = [
        lambda: (near, record),
        lambda: (contract, repaired(others, record, {place})),
        lambda: (contract, _without_partners(others, rule, record, place)),
    ]
    for bring in in_line:
        judging, settled = bring()
        told = breaches(judging, settled)
        if _is_alone(contract, rule, told):
            path = next(breach.path for breach in told if breach.rule_id == rule.rule_id)
            return Specimen(rule.rule_id, path, settled, tuple(told))
    return None


def _is_alone(contract: Contract, rule: Rule, told: list[Breach]) -> bool:
    """Whether the rule is broken once, and beside it only rules that warn where this one rejects."""
    others = [contract.rule(breach.rule_id) for breach in told if breach.rule_id != rule.rule_id]
    is_told_once = len(told) - len(others) == 1
    return is_told_once and not any(other.rejects for other in others) and (rule.rejects or not others)


def _without_partners(contract: Contract, rule: Rule, record: Record, place: str) -> Record:
    """The record with null in every field that another rule compares with the changed one."""
    required = {other.path for other in contract.rules if other.kind is RuleKind.REQUIRED}
    frame = frame_path(rule.path)
    around = next((at for at, _ in instances(record, frame) if place.startswith(at)), "")
    fresh = repaired(contract, record, {place})
    for other in contract.rules:
        fields = fields_of(other.argument) if other.kind in ACROSS_FIELDS else ()
        if rule.path in fields:
            for field in {*fields} - {rule.path} - required:
                if look_up(fresh, within(field, frame, around)) is not Absent.FIELD:
                    set_at(fresh, within(field, frame, around), None)
    return fresh


def _variants(contract: Contract, rule: Rule, good: Record) -> Iterator[tuple[str, Record]]:
    """Records changed at one place, and where."""
    if rule.kind in ACROSS_FIELDS:
        for field, value in _unlike(rule, good):
            yield _changed(good, _first(field), value)
        return
    place = _first(rule.path)
    if rule.kind is RuleKind.UNKNOWN_FIELD:
        yield _changed(good, f"{place}.{UNKNOWN_NAME}" if place else UNKNOWN_NAME, 1)
    elif rule.kind is RuleKind.REQUIRED:
        yield _changed(good, place, None)
        if not place.endswith("]"):
            yield _changed(good, place, Absent.FIELD)
    else:
        for value in _CANDIDATES[rule.kind](look_up(good, place), rule.argument):
            yield _changed(good, place, value)


def _first(path: str) -> str:
    return path.replace("[]", "[0]")


def _changed(good: Record, place: str, value: Any) -> tuple[str, Record]:
    fresh = _copied(good)
    set_at(fresh, place, value)
    return place, fresh


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _unlike(rule: Rule, good: Record) -> Iterator[tuple[str, Any]]:
    """For a rule across fields: each field with values that disagree with the others."""
    for field in fields_of(rule.argument):
        value = look_up(good, _first(field))
        match rule.argument:
            case SameInstant(_, _, tolerance_s):
                yield from ((field, _moved(value, step * (tolerance_s + 61))) for step in (1, -1))
            case AtMost(first, of):
                step = -1 if field == of else 1
                other = look_up(good, _first(of if field == first else first))
                yield field, _moved(other, step * (1 if type(other) in {int, float} else 86_400))
            case Agrees(_, _, absolute, ratio):
                gap = 2 * (absolute + ratio * abs(value) + 1)
                yield from ((field, value + step * (round(gap) if isinstance(value, int) else gap)) for step in (1, -1))
            case _:
                yield from ((field, nothing) for nothing in (None, Absent.FIELD))


def _moved(value: Any, by: float) -> Any:
    """A number, a day or an instant, so many units or seconds later."""
    if type(value) in {int, float}:
        return value + (int(by) if isinstance(value, int) else by)
    seconds = seconds_of(value)
    moment = None if seconds is None else moment_of(seconds + by)
    if moment is None:
        return value
    if len(value) == len("2021-04-22"):
        return moment.date().isoformat()
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _not_in(good: Any, allowed: tuple[Any, ...]) -> list[Any]:
    return ["no-such-value", "x", good.upper() + "X"] if isinstance(good, str) else [-1, max(allowed) + 1]


def _too_long(good: str, most: int) -> list[str]:
    return [good + "x" * (most + 1 - len(good)), "é" * (most // 2 + 1)]


def _other_types(good: Any, expected: LogicalType) -> list[Any]:
    return ["a text", "5", 5, 5.5, True, {}, [], {"a": 1}, [5]]


def _unlike_pattern(good: str, pattern: str) -> list[str]:
    return [f"{good}\n", f"x{good}", f"{good}x", good.upper(), good[:-1], "!" + good[1:], ""]


def _below(good: Any, least: float) -> list[Any]:
    return [least - 1] if isinstance(good, int) or abs(least) > 1e9 else [least - 1, least - 0.001]


def _above(good: Any, most: float) -> list[Any]:
    return [most + 1] if isinstance(good, int) or abs(most) > 1e9 else [most + 1, most + 0.001]


_CANDIDATES: dict[RuleKind, Callable[[Any, Any], list[Any]]] = {
    RuleKind.TYPE: _other_types,
    RuleKind.FORMAT: lambda good, _: ["2021-02-30T00:00:00Z", "2021-02-30", "soon", f"{good}\n"],
    RuleKind.PATTERN: _unlike_pattern,
    RuleKind.ENUM: _not_in,
    RuleKind.MINIMUM: _below,
    RuleKind.MAXIMUM: _above,
    RuleKind.MIN_LENGTH: lambda good, least: [good[: least - 1]],
    RuleKind.MAX_LENGTH: _too_long,
    RuleKind.MAX_BYTES: _too_long,
    RuleKind.MIN_ITEMS: lambda good, least: [good[: least - 1]],
    RuleKind.MAX_ITEMS: lambda good, most: [good[:1] * (most + 1)],
}


def breaking_records(contract: Contract, rule: Rule, seed: int) -> list[Record]:
    """As few records as break this set rule and no other, beside those that it needs to be broken.

    Raises UsageError for a rule about what was published before: no records break it by themselves.
    """
    least = max([1, *(other.argument for other in contract.rules if other.kind is RuleKind.ROW_COUNT)])
    match rule.kind:
        case RuleKind.ROW_COUNT:
            return list(good_records(contract, rule.argument - 1, seed))
        case RuleKind.UNIQUE:
            first, *others = good_records(contract, max(2, least), seed)
            value = first[rule.path] or scalar(wanted_at(contract, rule.path), Random(seed))  # noqa: S311
            return [{**first, rule.path: value}, *others[:-1], {**others[-1], rule.path: value}]
        case RuleKind.REFERENCE:
            return [*good_records(contract, least, seed), _dangling(contract, rule, seed, least)]
    raise UsageError(
        f"{rule.rule_id} compares a batch with the rows published before: no records break it by themselves. "
        "To see it break, publish a sample, then one with fewer records (--count)."
    )


def _dangling(contract: Contract, rule: Rule, seed: int, index: int) -> Record:
    """A good record that names, in the property of the rule, a record that no sample has."""
    record = as_another(contract, good_record(contract), index, seed)
    place = _first(rule.path)
    stranger = scalar(wanted_at(contract, rule.path), Random(f"{seed}/nobody"))  # noqa: S311 - a sample, not a secret
    return repaired(contract, _changed(record, place, stranger)[1], {place})
