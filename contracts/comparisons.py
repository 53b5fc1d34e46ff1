"""Owns what rules across several fields, datasets or loads compare: the arguments of such rules, and reading them.

ODCS has no words for these, so they stand in `quality` checks of type `custom` with our own engine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

ENGINE: Final = "spacex-elt"


@dataclass(frozen=True, slots=True)
class SameInstant:
    """The seconds since 1970 at one path are the instant at another, within a tolerance."""

    seconds: str
    instant: str
    tolerance_s: float


@dataclass(frozen=True, slots=True)
class Term:
    """One summand: the number at a path, times a factor."""

    field: str
    times: float


@dataclass(frozen=True, slots=True)
class Agrees:
    """The number at a path is the sum of the terms. Either tolerance suffices; `ratio` is of the sum, 0 to 1."""

    field: str
    terms: tuple[Term, ...]
    absolute: float
    ratio: float

    @property
    def tolerance_words(self) -> str:
        """`1 or 1 %`; empty where the two must be equal."""
        told = [f"{self.absolute:g}"] if self.absolute else []
        told += [f"{100 * self.ratio:g} %"] if self.ratio else []
        return " or ".join(told)


@dataclass(frozen=True, slots=True)
class AtMost:
    """The number, day or instant at a path is at most the one at another."""

    field: str
    of: str


@dataclass(frozen=True, slots=True)
class Together:
    """The values at these paths are all there, or all null or missing."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """How many rows fewer than published last a batch may have: above the floor, no more than the ratio of them."""

    max_ratio: float
    floor_count: int

    def allows(self, record_count: int, published_count: int) -> bool:
        """Whether a batch of that many records may follow that many published rows."""
        lost = published_count - record_count
        return lost <= self.floor_count or lost <= self.max_ratio * published_count


@dataclass(frozen=True, slots=True)
class Reference:
    """Values name records of another dataset (or of this one) by that field."""

    dataset: str
    field: str


AcrossFields = SameInstant | Agrees | AtMost | Together


def fields_of(comparison: AcrossFields) -> tuple[str, ...]:
    """The paths that a comparison reads. The first is the one that a breach is told of."""
    match comparison:
        case SameInstant(seconds, instant):
            return seconds, instant
        case Agrees(field, terms):
            return field, *(term.field for term in terms)
        case AtMost(field, of):
            return field, of
        case Together(fields):
            return fields


def read_comparison(implementation: Any) -> AcrossFields | Shrinkage:
    """What a custom check of ours says. Raises ValueError, with the form expected."""
    if not isinstance(implementation, dict) or len(implementation) != 1:
        raise ValueError(f"expected one of {', '.join(_READERS)}")
    ((word, value),) = implementation.items()
    if word not in _READERS:
        raise ValueError(f"no check of ours is called {word!r}; known: {', '.join(_READERS)}")
    form, read = _READERS[word]
    try:
        return read(_Given(value))
    except _WrongForm:
        raise ValueError(f"expected {word}: {form}") from None


class _WrongForm(Exception):
    """What is given does not have the form expected."""


class _Given:
    """The keys of a check, each taken once; what nobody took is wrong as well."""

    def __init__(self, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise _WrongForm
        self._left = dict(value)

    def text(self, key: str) -> str:
        value = self._left.pop(key, None)
        if not isinstance(value, str) or not value:
            raise _WrongForm
        return value

    def number(self, key: str, default: float | None = None) -> float:
        value = self._left.pop(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise _WrongForm
        return float(value)

    def whole_number(self, key: str) -> int:
        value = self.number(key)
        if not value.is_integer():
            raise _WrongForm
        return int(value)

    def factor(self, key: str) -> float:
        value = self._left.pop(key, 1)
        if isinstance(value, bool) or not isinstance(value, int | float) or value == 0:
            raise _WrongForm
        return float(value)

    def several(self, key: str) -> list[Any]:
        value = self._left.pop(key, None)
        if not isinstance(value, list) or not value:
            raise _WrongForm
        return value

    def inner(self, key: str) -> "_Given":
        return _Given(self._left.pop(key, {}))

    def done(self) -> None:
        if self._left:
            raise _WrongForm


def _same_instant(given: _Given) -> SameInstant:
    found = SameInstant(given.text("seconds"), given.text("instant"), given.number("toleranceS"))
    given.done()
    return found


def _agrees(given: _Given) -> Agrees:
    field, tolerance = given.text("field"), given.inner("tolerance")
    terms = tuple(map(_term, map(_Given, given.several("sum"))))
    found = Agrees(field, terms, tolerance.number("absolute", 0), tolerance.number("ratio", 0))
    tolerance.done()
    given.done()
    return found


def _term(given: _Given) -> Term:
    found = Term(given.text("field"), given.factor("times"))
    given.done()
    return found


def _at_most(given: _Given) -> AtMost:
    found = AtMost(given.text("field"), given.text("of"))
    given.done()
    return found


def _together(given: _Given) -> Together:
    fields = given.several("fields")
    given.done()
    if len(fields) < 2 or len(set(map(str, fields))) < len(fields) or not all(isinstance(one, str) for one in fields):
        raise _WrongForm
    return Together(tuple(fields))


def _shrinkage(given: _Given) -> Shrinkage:
    found = Shrinkage(given.number("maxRatio"), given.whole_number("floorCount"))
    given.done()
    if found.max_ratio > 1:
        raise _WrongForm
    return found


_READERS: Final[Mapping[str, tuple[str, Callable[[_Given], AcrossFields | Shrinkage]]]] = {
    "sameInstant": ("{seconds: <field>, instant: <field>, toleranceS: <seconds>}", _same_instant),
    "agrees": (
        "{field: <field>, sum: [{field: <field>, times: <factor>}], tolerance: {absolute: <number>, ratio: 0 to 1}}",
        _agrees,
    ),
    "atMost": ("{field: <field>, of: <field>}", _at_most),
    "together": ("{fields: [<field>, <field>, …]}", _together),
    "shrinkage": ("{maxRatio: 0 to 1, floorCount: <whole number>}", _shrinkage),
}
