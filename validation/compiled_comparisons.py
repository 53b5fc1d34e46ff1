"""Owns rules across several fields as functions of one record that say yes only where the rule surely holds.

What such rules mean is said by validation/across_fields.py; when in doubt, these leave the record to the judge. They
are given records of which every value has the contract's type.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from contracts.comparisons import AcrossFields, Agrees, AtMost, SameInstant, Together, fields_of
from contracts.model import frame_path

Record = dict[str, Any]
Holds = Callable[[Record], bool]
_Get = Callable[[Any], Any]  # a field of one row: of the record, or of one item of an array
_HoldsInRow = Callable[[Any], bool]

# The judge adds seconds and their fraction as floats: near its limits it may see a little more or less than is here.
_DOUBT_S: Final = 1e-5


def compiled(comparison: AcrossFields) -> Holds:
    """Whether the comparison surely holds in every row of a record."""
    frame = frame_path(fields_of(comparison)[0])
    holds = _in_row(comparison, len(frame) + 1 if frame else 0)
    if not frame:
        return holds
    arrays = [_getter(path.strip(".")) for path in frame.split("[]")[:-1]]
    return lambda record: all(holds(item) for item in _items(record, arrays) if item is not None)


def _items(record: Record, arrays: list[_Get]) -> list[Any]:
    rows: list[Any] = [record]
    for array in arrays:
        rows = [item for row in rows if row is not None for item in array(row) or ()]
    return rows


def _getter(path: str) -> _Get:
    """Reads a path without arrays. What lies below something missing or null is None, as what is missing itself."""
    first, *others = path.split(".")
    if not others:
        return lambda row: row.get(first)

    def get(row: Any) -> Any:
        value = row.get(first)
        for name in others:
            if value is None:
                return None
            value = value.get(name)
        return value

    return get


def _in_row(comparison: AcrossFields, prefix_length: int) -> _HoldsInRow:
    def get(field: str) -> _Get:
        return _getter(field[prefix_length:])

    match comparison:
        case SameInstant(seconds, instant, tolerance_s):
            return _same_instant(get(seconds), get(instant), tolerance_s)
        case Agrees(field, terms):
            return _agrees(comparison, get(field), [(get(term.field), term.times) for term in terms])
        case AtMost(field, of):
            return _at_most(get(field), get(of))
        case Together(fields):
            return _together([get(field) for field in fields])


def _same_instant(seconds: _Get, instant: _Get, tolerance_s: float) -> _HoldsInRow:
    def holds(row: Any) -> bool:
        told, text = seconds(row), instant(row)
        if told is None or text is None:
            return True
        moment = _epoch_s(text)
        if moment is None:
            return False
        gap = abs(told - moment)
        return gap <= tolerance_s - _DOUBT_S or (gap <= tolerance_s and moment.is_integer())

    return holds


def _agrees(limits: Agrees, field: _Get, terms: list[tuple[_Get, float]]) -> _HoldsInRow:
    def holds(row: Any) -> bool:
        told = field(row)
        values = [get(row) for get, _ in terms]
        if told is None or None in values:
            return True
        total: float = 0.0
        for value, (_, times) in zip(values, terms, strict=True):
            total += float(value) * times
        gap = abs(float(told) - total)
        return gap <= limits.absolute or gap <= limits.ratio * abs(total)

    return holds


def _at_most(field: _Get, of: _Get) -> _HoldsInRow:
    def holds(row: Any) -> bool:
        least, most = field(row), of(row)
        if least is None or most is None:
            return True
        if isinstance(least, str):
            return _is_surely_not_after(least, most)
        return float(least) <= float(most)

    return holds


def _is_surely_not_after(text: str, other: str) -> bool:
    if len(text) == len(other) and text[-1:] == other[-1:] == "Z":
        return text <= other  # of one form, so in time as in the alphabet
    least, most = _epoch_s(text), _epoch_s(other)
    if least is None or most is None:
        return False
    return least <= most - _DOUBT_S or (least <= most and least.is_integer() and most.is_integer())


def _together(fields: list[_Get]) -> _HoldsInRow:
    first, *others = fields

    def holds(row: Any) -> bool:
        is_absent = first(row) is None
        return all((other(row) is None) is is_absent for other in others)

    return holds


@lru_cache(maxsize=256)  # one instant is often compared with several
def _epoch_s(text: str) -> float | None:
    """The seconds since 1970 of a day or an instant; None for what is neither."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
