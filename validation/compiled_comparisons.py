"""Owns rules across several fields as functions that say yes only where the rule surely holds in every row.

What such rules mean is said by validation/across_fields.py; when in doubt, these leave the records to the judge. Rows
are structs (validation/compiled_types.py), of which every value has the contract's type.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from msgspec import UNSET

from contracts.comparisons import AcrossFields, Agrees, AtMost, SameInstant, Together, fields_of
from contracts.model import frame_path
from validation.compiled_types import attribute

Holds = Callable[[list[Any]], bool]
_Column = Callable[[list[Any]], list[Any]]  # the value at a path in each row, None where it is missing or null

# The judge adds seconds and their fraction as floats: near its limits it may see a little more or less than is here.
_DOUBT_S: Final = 1e-5


def compiled(comparison: AcrossFields) -> Holds:
    """Whether the comparison surely holds in every row of some records."""
    frame = frame_path(fields_of(comparison)[0])
    holds = _in_rows(comparison, len(frame) + 1 if frame else 0)
    if not frame:
        return holds
    arrays = [_column(path.strip(".")) for path in frame.split("[]")[:-1]]
    return lambda records: holds(_items(records, arrays))


def _items(rows: list[Any], arrays: list[_Column]) -> list[Any]:
    for array in arrays:
        rows = [item for item in chain.from_iterable(filter(None, array(rows))) if item is not None]
    return rows


def _column(path: str) -> _Column:
    """Reads a path without arrays. What lies below something missing or null is None."""
    getters = [attrgetter(attribute(name)) for name in path.split(".")]

    def column(rows: list[Any]) -> list[Any]:
        values = rows
        for get in getters:
            values = [None if row is None or (value := get(row)) is UNSET else value for row in values]
        return values

    return column


def _in_rows(comparison: AcrossFields, prefix_length: int) -> Holds:
    columns = [_column(field[prefix_length:]) for field in fields_of(comparison)]
    match comparison:
        case SameInstant():
            return lambda rows: _are_same(comparison, *(column(rows) for column in columns))
        case Agrees():
            return lambda rows: all(
                _agrees(comparison, *row) for row in zip(*(column(rows) for column in columns), strict=True)
            )
        case AtMost():
            return lambda rows: all(map(_is_at_most, *(column(rows) for column in columns)))
        case Together():
            return lambda rows: all(map(_are_together, *(column(rows) for column in columns)))


def _are_same(limits: SameInstant, seconds: list[Any], instants: list[Any]) -> bool:
    surely = limits.tolerance_s - _DOUBT_S
    for told, text in zip(seconds, instants, strict=True):
        if told is None or text is None:
            continue
        moment = _epoch_s(text)
        if moment is None:
            return False
        gap = abs(told - moment)
        if gap > surely and not (gap <= limits.tolerance_s and moment.is_integer()):
            return False
    return True


def _agrees(limits: Agrees, told: float | None, *values: float | None) -> bool:
    if told is None:
        return True
    total = 0.0
    for value, term in zip(values, limits.terms, strict=True):
        if value is None:
            return True
        total += float(value) * term.times
    gap = abs(float(told) - total)
    return gap <= limits.absolute or gap <= limits.ratio * abs(total)


def _is_at_most(least: Any, most: Any) -> bool:
    if least is None or most is None:
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


def _are_together(*values: Any) -> bool:
    absent = sum(value is None for value in values)
    return absent in (0, len(values))


@lru_cache(maxsize=256)  # one instant is often compared with several
def _epoch_s(text: str) -> float | None:
    """The seconds since 1970 of a day or an instant; None for what is neither."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
