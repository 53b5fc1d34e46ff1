"""Owns what a draft says of one property: its type and limits, as far as its profile shows them.

A guess that rejects records is made only where being wrong is unlikely: types, required, forms of ids. Ranges and
enums are warnings, rounded outwards, until a person has thought about them.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from validation.field_profile import FieldProfile
from validation.forms import Form
from validation.profile import Profile

ENOUGH: Final = 20  # values of which a range or an enum is guessed; of fewer it would be an accident
MOST_ALLOWED: Final = 10  # values of an enum
REPEATED: Final = 4  # how often each of them was seen, on average

_HEX_ID: Final = "^[0-9a-f]{24}$"
_UUID: Final = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_URL: Final = "^https?://[^ ]+$"
_LOCAL: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
_WIDEST: Final = 65_535

_OF_TYPE: Final[Mapping[str, tuple[str, str]]] = {
    # A range is a warning, so it keeps no value out of the column: BIGINT takes every integer that the gate lets pass.
    "integer": ("integer", "BIGINT"),
    "float": ("number", "DOUBLE PRECISION"),
    "boolean": ("boolean", "BOOLEAN"),
    "object": ("object", "SUPER"),
    "array": ("array", "SUPER"),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a property is and what it may hold; `rules` are the notes on its rules, by kind."""

    logical_type: str
    physical_type: str
    options: Mapping[str, Any]
    allowed: tuple[str, ...]
    rules: Mapping[str, Mapping[str, str]]
    is_personal: bool  # looks like something about a person: no value of it stands in the draft
    doubt: str  # what a person must settle, in words; empty where nothing is in doubt


def shape(field: FieldProfile) -> Shape:
    """The shape that every value of the profile fits, but for those of a rarer JSON type."""
    by_type = {name: count for name, count in field.by_type.items() if name != "null"}
    if not by_type:
        return _shape("string", "VARCHAR(256)", doubt="only null was seen, the type is a guess")
    if by_type.keys() == {"integer", "float"}:
        by_type = {"float": sum(by_type.values())}
    commonest = max(by_type, key=lambda name: (by_type[name], name))
    doubt = ""
    if len(by_type) > 1:
        told = ", ".join(f"{count} {name}" for name, count in by_type.items())
        doubt = f"values of several types ({told}) cannot be told in one: all but {commonest} are rejected"
    if commonest == "string":
        return _text(field, doubt)
    logical, physical = _OF_TYPE[commonest]
    options = _range(field) if logical in {"integer", "number"} else {}
    notes = {kind: _warning(f"Seen {_words(field)}; rounded outwards.") for kind in options}
    return _shape(logical, physical, options=options, rules=notes, doubt=doubt)


def _shape(logical: str, physical: str, **more: Any) -> Shape:
    plain: dict[str, Any] = {"options": {}, "allowed": (), "rules": {}, "is_personal": False, "doubt": ""}
    return Shape(logical, physical, **{**plain, **more})


def _warning(reason: str) -> Mapping[str, str]:
    return {"severity": "warning", "reason": reason}


def _words(field: FieldProfile) -> str:
    found = field.ranges["number"]
    return f"from {found.least} to {found.greatest} in {field.scalar_count} values"


def _text(field: FieldProfile, doubt: str) -> Shape:
    width = field.utf8_bytes[1] if field.utf8_bytes else 0
    match sorted(field.forms):
        case [Form.HEX_ID]:
            found = _shape("string", "VARCHAR(24)", options={"pattern": _HEX_ID}, doubt=doubt)
        case [Form.UUID]:
            found = _shape("string", "VARCHAR(36)", options={"pattern": _UUID}, doubt=doubt)
        case [Form.INSTANT]:
            found = _shape("timestamp", "TIMESTAMPTZ", doubt=doubt)
        case [Form.DAY]:
            found = _shape("date", "DATE", doubt=doubt)
        case [Form.LOCAL_INSTANT] | [Form.INSTANT, Form.LOCAL_INSTANT]:
            reason = "An instant on a local clock, kept as text: a column of instants would lose the offset."
            found = _patterned("VARCHAR(64)", _LOCAL, reason, doubt)
        case [Form.URL]:
            found = _patterned(_varchar(width), _URL, f"All {field.scalar_count} values seen are links.", doubt)
        case forms if Form.EMAIL in forms:
            found = _shape("string", _varchar(width), is_personal=True, doubt=doubt)
        case _:
            allowed = tuple(_allowed(field))
            notes = {"enum": _warning(f"All the values of {field.scalar_count} seen.")} if allowed else {}
            found = _shape("string", _varchar(width), allowed=allowed, rules=notes, doubt=doubt)
    return found


def _patterned(column: str, pattern: str, reason: str, doubt: str) -> Shape:
    return _shape("string", column, options={"pattern": pattern}, rules={"pattern": _warning(reason)}, doubt=doubt)


def _allowed(field: FieldProfile) -> Iterator[str]:
    values = [value for value, _ in field.values or () if isinstance(value, str)]
    if 1 < len(values) <= MOST_ALLOWED and field.scalar_count >= max(ENOUGH, REPEATED * len(values)):
        yield from values


def _varchar(width: int) -> str:
    """Twice the widest value seen, rounded up to a power of two: a column is hard to widen, room costs nothing."""
    return f"VARCHAR({min(_WIDEST, max(16, 2 ** math.ceil(math.log2(max(1, 2 * width)))))})"


def _range(field: FieldProfile) -> dict[str, int | float]:
    found = field.ranges.get("number")
    if found is None or field.scalar_count < ENOUGH or found.least == found.greatest:
        return {}
    least, greatest = found.least, found.greatest
    assert not isinstance(least, str) and not isinstance(greatest, str)  # noqa: S101 - of numbers, by its name
    bounds = {"minimum": -rounded_up(-least), "maximum": rounded_up(greatest)}
    return {name: bound for name, bound in bounds.items() if math.isfinite(bound)}


def rounded_up(number: int | float) -> int | float:
    """The next of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, … that is no smaller; of a negative number likewise, towards 0."""
    exact = Decimal(str(number))
    if not exact:
        return 0
    steps = [Decimal(step).scaleb(exact.adjusted()) for step in (1, 2, 5, 10)]
    if exact > 0:
        found = min(step for step in steps if step >= exact)
    else:
        found = -max(step for step in steps if step <= -exact)
    return int(found) if found == found.to_integral_value() else float(found)


def is_required(profile: Profile, path: str) -> bool:
    """Whether the field was there, and not null, wherever the object around it was."""
    field = profile.at(path)
    return field.count > 0 and not field.null_count and not profile.missing_count(path)


def example(field: FieldProfile) -> Any:
    """A value that was seen, or None where none is known."""
    if field.values:
        return field.values[0][0]
    numbers = field.ranges.get("number")
    return field.example if numbers is None else numbers.least
