"""Owns what a profile tells of one path. Finding the values at a path is validation/profile.py's job.

A field's profile is a value: merging is commutative and associative, so however records are split and ordered, the
profile is the same.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from validation.distinct import Distinct, distinct
from validation.forms import Form, form_of, moment

MOST_VALUES: Final = 32  # frequencies are told of so many different values, and not of more
LONGEST_VALUE: Final = 64  # characters of a text whose frequency is told
LONGEST_EXAMPLE: Final = 200  # characters of a text that may stand for all

Scalar = str | bool | int | float
Span = tuple[int, int]  # least and most
Counts = Mapping[str, int]  # in the order of their names

_NAMES: Final[Mapping[type, str]] = {
    type(None): "null",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "float",
    dict: "object",
    list: "array",
}
_SCALARS: Final = ("string", "boolean", "integer", "float")


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest of the numbers, instants or days of one path, as they were written."""

    least: Scalar
    greatest: Scalar


@dataclass(frozen=True, slots=True)
class FieldProfile:
    """What was seen at one path, such as `cores[].flight`. Of a path that is not shown, only counts and lengths."""

    path: str
    by_type: Counts  # null, string, boolean, integer, float, object, array
    is_shown: bool = True
    whole_floats: int = 0  # floats without a fraction: 5.0
    forms: Counts = field(default_factory=dict)  # of strings
    characters: Span | None = None  # of strings
    utf8_bytes: Span | None = None  # of strings
    items: Span | None = None  # of arrays
    ranges: Mapping[str, Range] = field(default_factory=dict)  # of numbers, instants and days
    distinct: Distinct = field(
        default_factory=Distinct
    )  # strings, numbers and booleans; numbers are one value when they are equal
    values: tuple[tuple[Scalar, int], ...] | None = ()  # the commonest first; None: too many, too long or not shown
    example: str | None = None  # one of the texts, always the same one

    @property
    def count(self) -> int:
        """How often anything was there, null included."""
        return sum(self.by_type.values())

    @property
    def null_count(self) -> int:
        """How often null was there."""
        return self.by_type.get("null", 0)

    @property
    def scalar_count(self) -> int:
        """How often a string, number or boolean was there."""
        return sum(self.by_type.get(name, 0) for name in _SCALARS)

    def merge(self, other: "FieldProfile") -> "FieldProfile":
        """The profile of both sets of values of this path together."""
        return FieldProfile(
            path=self.path,
            by_type=_sum(self.by_type, other.by_type),
            is_shown=self.is_shown and other.is_shown,
            whole_floats=self.whole_floats + other.whole_floats,
            forms=_sum(self.forms, other.forms),
            characters=_widest(self.characters, other.characters),
            utf8_bytes=_widest(self.utf8_bytes, other.utf8_bytes),
            items=_widest(self.items, other.items),
            ranges=_merge_ranges(self.ranges, other.ranges),
            distinct=self.distinct.merge(other.distinct),
            values=_merge_values(self.values, other.values),
            example=_example(text for text in (self.example, other.example) if text is not None),
        )


def field_profile(path: str, values: Sequence[Any], *, is_shown: bool) -> FieldProfile:
    """The profile of the JSON values found at a path. Takes many at once: each different text is looked at once."""
    kinds = Counter(map(type, values))
    texts = Counter(value for value in values if type(value) is str) if str in kinds else Counter[str]()
    flags = Counter(value for value in values if type(value) is bool) if bool in kinds else Counter[bool]()
    numbers = Counter(map(_plain, (value for value in values if type(value) is int or type(value) is float)))
    forms = {text: form_of(text) for text in texts}
    seen = [(value, count) for counter in (texts, flags, numbers) for value, count in counter.items()]
    return FieldProfile(
        path=path,
        by_type=dict(sorted((_NAMES[kind], count) for kind, count in kinds.items())),
        is_shown=is_shown,
        whole_floats=sum(value.is_integer() for value in values if type(value) is float) if float in kinds else 0,
        forms=_form_counts(texts, forms),
        characters=_span(map(len, texts)),
        utf8_bytes=_span(len(text.encode("utf-8", "surrogatepass")) for text in texts),
        items=_span(len(value) for value in values if type(value) is list) if list in kinds else None,
        ranges=_ranges(numbers, forms) if is_shown else {},
        distinct=distinct(_spelled(value) for value, _ in seen) if is_shown else Distinct(),
        values=_told(seen) if is_shown else None,
        example=_example(texts) if is_shown else None,
    )


def _plain(number: int | float) -> int | float:
    """One spelling for equal numbers, so that what is told does not hang on which came first."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _spelled(value: Scalar) -> str:
    return f'"{value}' if isinstance(value, str) else str(value)


def _form_counts(texts: Counter[str], forms: Mapping[str, Form]) -> Counts:
    found: Counter[str] = Counter()
    for text, count in texts.items():
        found[forms[text].value] += count
    return dict(sorted(found.items()))


def _ranges(numbers: Iterable[int | float], forms: Mapping[str, Form]) -> dict[str, Range]:
    instants = [text for text, form in forms.items() if form in {Form.INSTANT, Form.LOCAL_INSTANT}]
    found: dict[str, list[Any]] = {
        "day": [text for text, form in forms.items() if form is Form.DAY],
        "instant": instants,
        "number": list(numbers),
    }
    return {name: _range(values, _ORDERS[name]) for name, values in found.items() if values}


def _at(text: Any) -> tuple[Any, str]:
    return moment(text), text  # the same instant may be written in two ways: one of them is told, always the same


_ORDERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "day": lambda value: value,
    "instant": _at,
    "number": lambda value: value,
}


def _range(values: Iterable[Any], order: Callable[[Any], Any]) -> Range:
    ordered = list(values)
    return Range(min(ordered, key=order), max(ordered, key=order))


def _merge_ranges(left: Mapping[str, Range], right: Mapping[str, Range]) -> dict[str, Range]:
    merged = {}
    for name in sorted(left.keys() | right.keys()):
        found = [each[name] for each in (left, right) if name in each]
        merged[name] = _range((bound for each in found for bound in (each.least, each.greatest)), _ORDERS[name])
    return merged


def _told(seen: Iterable[tuple[Scalar, int]]) -> tuple[tuple[Scalar, int], ...] | None:
    listed = list(seen)
    if len(listed) > MOST_VALUES or any(isinstance(value, str) and len(value) > LONGEST_VALUE for value, _ in listed):
        return None
    return tuple(sorted(listed, key=lambda pair: (-pair[1], _spelled(pair[0]))))


def _merge_values(
    left: tuple[tuple[Scalar, int], ...] | None, right: tuple[tuple[Scalar, int], ...] | None
) -> tuple[tuple[Scalar, int], ...] | None:
    if left is None or right is None:
        return None
    total: dict[tuple[bool, Scalar], int] = {}
    for value, count in (*left, *right):
        key = (isinstance(value, bool), value)  # True equals 1, and is none
        total[key] = total.get(key, 0) + count
    return _told((value, count) for (_, value), count in total.items())


def _example(texts: Iterable[str]) -> str | None:
    """The first by the alphabet of those that are not too long; an empty or padded one only for want of another."""
    short = [text for text in texts if len(text) <= LONGEST_EXAMPLE]
    return min(short, key=lambda text: (text.strip() != text or not text, text), default=None)


def _span(lengths: Iterable[int]) -> Span | None:
    found = list(lengths)
    return (min(found), max(found)) if found else None


def _widest(left: Span | None, right: Span | None) -> Span | None:
    if left is None or right is None:
        return left or right
    return min(left[0], right[0]), max(left[1], right[1])


def _sum(left: Counts, right: Counts) -> Counts:
    if left.keys() == right.keys():
        return {name: count + right[name] for name, count in left.items()}
    return {name: left.get(name, 0) + right.get(name, 0) for name in sorted(left.keys() | right.keys())}
