"""Owns the quick way from lines to rows: a block of lines column by column, as long as every value is a plain one.

It never decides that a line is bad: what it is not sure of is rows.py's, which goes row by row. Where it gives rows,
they are the ones that rows.py would give.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

import orjson

from local.redshift.copy.convert import (
    INTEGERS,
    LARGEST,
    SPECIAL,
    BadValue,
    Column,
    Convert,
    EmptyField,
    ExactNumber,
    InexactNumber,
    escape,
    varchar_limit,
)
from local.redshift.copy.grammar import Match, Options, TimeFormat
from local.redshift.copy.jsonpaths import Extract, NotAnObject, Step
from local.redshift.copy.lines import LONGEST_LINE

LINES_AT_ONCE = 512  # one value that is not plain costs a block its quick way
_NULL = "\\N"

_Kind = TypeVar("_Kind")
_Texts = list[str]
_Bulk = Callable[[list[object]], _Texts | None]  # of values other than null; None where one is not plain

_DAYS = re.compile(r"(?:\d{4}-\d\d-\d\d\n)*", re.ASCII)
_INSTANTS = re.compile(r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z\n)*", re.ASCII)
# A number that binary floating point, written out again, may not give back digit for digit; or a text like one.
_MAYBE_INEXACT = re.compile(rb"[:,\[\s]-?(?:\d[\d.]{15}|[\d.]+[eE])")
_BOOLEANS: Mapping[object, str] = MappingProxyType({True: "t", False: "f"})


class NotPlain(Exception):
    """The block is to be made row by row."""


@dataclass(frozen=True, slots=True)
class BlockField:
    """Where a column's values come from, and how each becomes text."""

    column: Column
    steps: tuple[Step, ...]
    extract: Extract
    convert: Convert


class BlockMaker:
    """Makes rows of whole blocks."""

    def __init__(self, fields: Sequence[BlockField], options: Options) -> None:
        self._fields = [(field, _bulk(field.column, options)) for field in fields]
        self._match = options.json if isinstance(options.json, Match) else None

    def rows(self, lines: Sequence[bytes]) -> list[str]:
        """One row a line, in their order. Raises NotPlain."""
        documents = self._documents(lines)
        parents: dict[tuple[Step, ...], list[object]] = {(): documents}
        columns = []
        for field, bulk in self._fields:
            texts = _texts(field, bulk, lines)
            values = _values(field, documents, parents)
            if None not in values:
                columns.append(texts(values))
            elif field.column.is_nullable:
                present = iter(texts([value for value in values if value is not None]))
                columns.append([_NULL if value is None else next(present) for value in values])
            else:
                raise NotPlain
        return list(map("\t".join, zip(*columns, strict=True)))

    def _documents(self, lines: Sequence[bytes]) -> list[object]:
        if max(map(len, lines)) > LONGEST_LINE:
            raise NotPlain
        try:
            documents: list[object] = list(map(orjson.loads, lines))
        except orjson.JSONDecodeError as exc:
            raise NotPlain from exc
        objects = _all_of(documents, dict)
        if self._match is not None and objects is None:
            raise NotPlain
        if self._match is Match.AUTO_IGNORECASE and objects is not None:
            return [{name.lower(): member for name, member in one.items()} for one in objects]
        return documents


def _values(field: BlockField, documents: list[object], parents: dict[tuple[Step, ...], list[object]]) -> list[object]:
    *above, name = field.steps
    try:
        if not isinstance(name, str) or not all(isinstance(step, str) for step in above):
            return list(map(field.extract, documents))
        return [parent.get(name) for parent in _parents(tuple(above), parents)]  # type: ignore[attr-defined]
    except (AttributeError, NotAnObject) as exc:  # only an object has `get`
        raise NotPlain from exc


def _parents(steps: tuple[Step, ...], known: dict[tuple[Step, ...], list[object]]) -> list[object]:
    if steps not in known:
        known[steps] = [parent.get(steps[-1]) for parent in _parents(steps[:-1], known)]  # type: ignore[attr-defined]
    return known[steps]


def _texts(field: BlockField, bulk: _Bulk | None, lines: Sequence[bytes]) -> Callable[[list[object]], _Texts]:
    def texts(values: list[object]) -> _Texts:
        found = bulk(values) if bulk is not None else None
        if found is not None:
            return found
        if field.column.type == "numeric" and float in set(map(type, values)):
            return [_one(field, value) for value in _exact(values, lines)]
        return [_one(field, value) for value in values]

    return texts


def _one(field: BlockField, value: object) -> str:
    try:
        return field.convert(value)
    except EmptyField as exc:
        if not field.column.is_nullable:
            raise NotPlain from exc
        return _NULL
    except (BadValue, InexactNumber) as exc:
        raise NotPlain from exc


def _exact(values: list[object], lines: Sequence[bytes]) -> list[object]:
    """Numbers as they were written. With 15 digits or fewer, binary floating point gives them back."""
    if any(map(_MAYBE_INEXACT.search, lines)):
        raise NotPlain
    return [ExactNumber(f"{Decimal(repr(value)):f}") if type(value) is float else value for value in values]


def _bulk(column: Column, options: Options) -> _Bulk | None:
    make = _BULK.get(column.type)
    return make(column, options) if make else None


def _integers(column: Column, options: Options) -> _Bulk:
    bits, _ = INTEGERS[column.type]
    low, high = -(1 << bits), (1 << bits) - 1

    def texts(values: list[object]) -> _Texts | None:
        numbers = _all_of(values, int)
        if numbers is None or (numbers and not low <= min(numbers) <= max(numbers) <= high):
            return None
        return list(map(str, numbers))

    return texts


def _floats(column: Column, options: Options) -> _Bulk:
    largest = LARGEST[column.type]

    def texts(values: list[object]) -> _Texts | None:
        numbers = _all_of(values, float)
        if numbers is None or (numbers and not -largest <= min(numbers) <= max(numbers) <= largest):
            return None
        return list(map(repr, numbers))

    return texts


def _booleans(column: Column, options: Options) -> _Bulk:
    def texts(values: list[object]) -> _Texts | None:
        found = _all_of(values, bool)
        return None if found is None else [_BOOLEANS[value] for value in found]

    return texts


def _varchars(column: Column, options: Options) -> _Bulk:
    limit = varchar_limit(column)

    def texts(values: list[object]) -> _Texts | None:
        found = _all_of(values, str)
        if found is None:
            return None
        together = "".join(found)
        longest = max(map(len, found), default=0)
        if longest > limit or "\0" in together:
            return None
        is_surely_short = longest * 4 <= limit or together.isascii()  # a character has four bytes at most
        if not is_surely_short and max(len(text.encode()) for text in found) > limit:
            return None
        if SPECIAL.search(together) is None:
            return found
        return [escape(text) if SPECIAL.search(text) else text for text in found]

    return texts


def _supers(column: Column, options: Options) -> _Bulk:
    def texts(values: list[object]) -> _Texts | None:
        together = b"\n".join(map(orjson.dumps, values)).decode()  # a line end inside a value is written as an escape
        return None if "\\" in together or not values else together.split("\n")

    return texts


def _dates(column: Column, options: Options) -> _Bulk:
    def texts(values: list[object]) -> _Texts | None:
        found = _all_of(values, str)
        if found is None or _together(found, _DAYS) is None or not _are_valid(date.fromisoformat, found):
            return None
        return found

    return texts


def _timestamps(column: Column, options: Options) -> _Bulk | None:
    if options.time_format is not TimeFormat.AUTO:
        return None
    ending = "+00\n" if column.type == "timestamptz" else "\n"

    def texts(values: list[object]) -> _Texts | None:
        found = _all_of(values, str)
        together = _together(found, _INSTANTS) if found else None
        if together is None or not _are_valid(datetime.fromisoformat, found or []):
            return None
        return together.replace("Z\n", ending).removesuffix("\n").split("\n")

    return texts


def _together(texts: list[str], shape: re.Pattern[str]) -> str | None:
    """The texts with a line end after each; None unless each is of that shape."""
    together = "\n".join([*texts, ""])
    return together if together.count("\n") == len(texts) and shape.fullmatch(together) else None


def _are_valid(read: Callable[[str], object], texts: list[str]) -> bool:
    try:
        for text in texts:
            read(text)
    except ValueError:
        return False
    return True


def _all_of(values: list[object], kind: type[_Kind]) -> list[_Kind] | None:
    """The same list if nothing else is in it. Booleans are no integers here."""
    return values if set(map(type, values)) <= {kind} else None  # type: ignore[return-value]


_BULK: Mapping[str, Callable[[Column, Options], _Bulk | None]] = MappingProxyType(
    {
        "int2": _integers,
        "int4": _integers,
        "int8": _integers,
        "float4": _floats,
        "float8": _floats,
        "bool": _booleans,
        "varchar": _varchars,
        "text": _varchars,
        "date": _dates,
        "timestamp": _timestamps,
        "timestamptz": _timestamps,
        "super": _supers,
        "jsonb": _supers,
    }
)
