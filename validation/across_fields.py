"""Owns what rules across several fields mean, as Polars expressions and in words.

Running them is validation/judge.py's job.
A comparison that lacks a value, or has one of the wrong type, holds: other rules tell of that.
"""

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Any

import orjson
import polars as pl

from contracts.comparisons import AcrossFields, Agrees, AtMost, SameInstant, Together, fields_of
from validation.frames import JsonKind, kind_column, value_column

_ABSENT = [JsonKind.NO_PARENT, JsonKind.MISSING, JsonKind.NULL]


def holds(comparison: AcrossFields) -> pl.Expr:
    """True where the comparison holds, false where it does not, null where there is nothing to compare."""
    match comparison:
        case SameInstant(seconds, instant, tolerance_s):
            return (_number(seconds) - _epoch_s(pl.col(value_column(instant)))).abs() <= tolerance_s
        case Agrees(field, terms, absolute, ratio):
            total = reduce(add, (_number(term.field) * term.times for term in terms))
            gap = (_number(field) - total).abs()
            return (gap <= absolute) | (gap <= ratio * total.abs())
        case AtMost(field, of):
            return _comparable(field) <= _comparable(of)
        case Together(fields):
            absent = [pl.col(kind_column(field)).is_in(_ABSENT) for field in fields]
            return pl.all_horizontal(absent) | ~pl.any_horizontal(absent)


def _number(path: str) -> pl.Expr:
    return pl.col(value_column(path)).cast(pl.Float64)


def _comparable(path: str) -> pl.Expr:
    """A value that can be compared: texts are days or instants, so their seconds are."""
    return pl.col(value_column(path)).map_batches(_as_float, return_dtype=pl.Float64)


def _as_float(series: pl.Series) -> pl.Series:
    if series.dtype != pl.String:
        return series.cast(pl.Float64)
    return pl.DataFrame({"text": series}).select(_epoch_s(pl.col("text"))).to_series()


def _epoch_s(texts: pl.Expr) -> pl.Expr:
    """The seconds since 1970 of days and of ISO 8601 instants; null for any other text."""
    whole = texts.str.slice(0, 19).str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False).dt.epoch("s")
    day = texts.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")).dt.epoch("s")
    fraction = texts.str.extract(r"T[0-9:]{8}(\.[0-9]+)", 1).cast(pl.Float64, strict=False).fill_null(0.0)
    sign = pl.when(texts.str.contains(r"-[0-9]{2}:[0-9]{2}\z")).then(-1).otherwise(1)
    hours = texts.str.extract(r"[+-]([0-9]{2}):[0-9]{2}\z", 1).cast(pl.Int64, strict=False)
    minutes = texts.str.extract(r"[+-][0-9]{2}:([0-9]{2})\z", 1).cast(pl.Int64, strict=False)
    offset = pl.when(texts.str.ends_with("Z")).then(0).otherwise(sign * (hours * 3600 + minutes * 60))
    return pl.coalesce(whole + fraction - offset, day.cast(pl.Float64))


def describe(comparison: AcrossFields, values: Mapping[str, Any], *, is_shown: bool) -> str:
    """How the values (by path; those that are there) break the comparison, in words that follow the first path."""
    told = {path: _shown(values, path, is_shown=is_shown) for path in fields_of(comparison)}
    match comparison:
        case SameInstant(seconds, instant, tolerance_s):
            return f"is {told[seconds]}; expected the instant of {instant}, {told[instant]}, within {tolerance_s:g} s"
        case Agrees(field, terms):
            total = " + ".join(
                f"{term.field} ({told[term.field]})" + (f" times {term.times:g}" if term.times != 1 else "")
                for term in terms
            )
            return f"is {told[field]}; expected {total}, {_tolerance(comparison)}"
        case AtMost(field, of):
            return f"is {told[field]}; expected at most {of}, {told[of]}"
        case Together(fields):
            there = [path for path in fields if values.get(path) is not None]
            absent = [path for path in fields if path not in there]
            return f"{', '.join(absent)} null or missing while {', '.join(there)} is there; expected all or none"


def _tolerance(comparison: Agrees) -> str:
    tolerance = comparison.tolerance_words
    return f"give or take {tolerance}" if tolerance else "exactly"


def _shown(values: Mapping[str, Any], path: str, *, is_shown: bool) -> str:
    return orjson.dumps(values[path]).decode() if is_shown and path in values else "not shown here"
