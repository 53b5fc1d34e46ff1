"""Owns rules across several fields as functions that say yes only where the rule surely holds in every row.

What such rules mean is said by validation/across_fields.py; when in doubt, these leave the records to the judge. Rows
are structs (validation/compiled_types.py), of which every value has the contract's type.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import chain, takewhile
from operator import attrgetter
from typing import Any, Final

from msgspec import UNSET

from contracts.comparisons import AcrossFields, Agrees, AtMost, SameInstant, Together, fields_of
from validation.compiled_types import attribute

Holds = Callable[[list[Any]], bool]  # in every one of some rows
_Get = Callable[[Any], Any]

# The judge adds seconds and their fraction as floats: near its limits it may see a little more or less than is here.
_DOUBT_S: Final = 1e-5


def compiled(comparison: AcrossFields) -> Holds:
    """Whether the comparison surely holds in every row of some records."""
    around, fields = _object_around(fields_of(comparison))
    holds = _in_objects(comparison, [_getter(field) for field in fields])
    steps = [(attrgetter(attribute(step.removesuffix("[]"))), step.count("[]")) for step in around]

    def holds_in_records(records: list[Any]) -> bool:
        rows = records
        for get, depth in steps:
            rows = [row for row in map(get, rows) if row]
            for _ in range(depth):
                rows = [row for row in chain.from_iterable(rows) if row]
        return holds(rows)

    return holds_in_records


def _object_around(fields: Sequence[str]) -> tuple[list[str], list[str]]:
    """The steps to the object that holds all these fields, and their paths from there. Without it they are all null."""
    paths = [field.split(".") for field in fields]
    depth = sum(
        1 for _ in takewhile(lambda steps: len(set(steps)) == 1, zip(*(path[:-1] for path in paths), strict=False))
    )
    return paths[0][:depth], [".".join(path[depth:]) for path in paths]


def _getter(path: str) -> _Get:
    """Reads a path without arrays in one object. What lies below something missing or null is None."""
    first, *others = [attrgetter(attribute(name)) for name in path.split(".")]
    if not others:
        return first

    def get(row: Any) -> Any:
        value = first(row)
        for step in others:
            value = step(value) if value else None
        return value

    return get


def _in_objects(comparison: AcrossFields, fields: list[_Get]) -> Holds:
    match comparison:
        case SameInstant():
            return lambda rows: _are_same(comparison, *(map(field, rows) for field in fields))
        case Agrees():
            return lambda rows: all(map(partial(_agrees, comparison), *(map(field, rows) for field in fields)))
        case AtMost():
            return lambda rows: all(map(_is_at_most, *(map(field, rows) for field in fields)))
        case Together():
            return lambda rows: _are_together(*(map(field, rows) for field in fields))


def _are_same(limits: SameInstant, seconds: Iterable[Any], instants: Iterable[Any]) -> bool:
    surely = limits.tolerance_s - _DOUBT_S
    for told, text in zip(seconds, instants, strict=True):
        if told is None or told is UNSET or not text:
            continue
        moment = _epoch_s(text)
        if moment is None:
            return False
        gap = abs(told - moment)
        if gap > surely and not (gap <= limits.tolerance_s and moment.is_integer()):
            return False
    return True


def _agrees(limits: Agrees, told: Any, *values: Any) -> bool:
    if told is None or told is UNSET:
        return True
    total = 0.0
    for value, term in zip(values, limits.terms, strict=True):
        if value is None or value is UNSET:
            return True
        total += float(value) * term.times
    gap = abs(float(told) - total)
    return gap <= limits.absolute or gap <= limits.ratio * abs(total)


def _is_at_most(least: Any, most: Any) -> bool:
    if least is None or least is UNSET or most is None or most is UNSET:
        return True
    if isinstance(least, str):
        return _is_surely_not_after(least, most)
    return float(least) <= float(most)


def _is_surely_not_after(text: str, other: str) -> bool:
    if len(text) == len(other) and text[-1:] == other[-1:] == "Z":
        return text <= other  # of one form, so in time as in the alphabet
    least, most = _epoch_s(text), _epoch_s(other)
    if least is None or most is None:
        return False
    return least <= most - _DOUBT_S or (least <= most and least.is_integer() and most.is_integer())


def _are_together(*columns: Iterable[Any]) -> bool:
    first, *others = ([value is None or value is UNSET for value in column] for column in columns)
    return all(other == first for other in others)


@lru_cache(maxsize=256)  # one instant is often compared with several
def _epoch_s(text: str) -> float | None:
    """The seconds since 1970 of a day or an instant; None for what is neither."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
