"""Owns turning Parquet files into rows for PostgreSQL. Columns go by their place, and their types must be the table's.

What becomes of a value is rows.py's business, as with JSON.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

import polars
from polars.exceptions import PolarsError

from local.redshift.copy.convert import Column, ExactNumber
from local.redshift.copy.failure import load_error
from local.redshift.copy.rows import RowMaker

_ROWS_AT_ONCE = 20_000
_TAKEN_BY: Mapping[type[polars.DataType], frozenset[str]] = MappingProxyType(
    {
        polars.Boolean: frozenset(("bool",)),
        polars.Int8: frozenset(("int2",)),
        polars.Int16: frozenset(("int2",)),
        polars.Int32: frozenset(("int4",)),
        polars.Int64: frozenset(("int8",)),
        polars.Float32: frozenset(("float4",)),
        polars.Float64: frozenset(("float8",)),
        polars.Decimal: frozenset(("numeric",)),
        polars.String: frozenset(("varchar", "bpchar", "text")),
        polars.Date: frozenset(("date",)),
        polars.Datetime: frozenset(("timestamp", "timestamptz")),
    }
)


def parquet_rows(
    content: Iterable[bytes], columns: Sequence[Column], maker: RowMaker, name: str
) -> Iterator[list[str]]:
    """The rows of a file, some at a time. Raises CopyFailed: no Parquet, or its columns are not the table's."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        for chunk in content:
            file.write(chunk)
        file.flush()
        try:
            _check(polars.read_parquet_schema(file.name), columns, name)
            scan = polars.scan_parquet(file.name)
            row_count = scan.select(polars.len()).collect().item()
            for first in range(0, row_count, _ROWS_AT_ONCE):
                frame = scan.slice(first, _ROWS_AT_ONCE).collect()
                yield maker.values([list(map(_plain, row)) for row in frame.iter_rows()], first + 1, name)
        except PolarsError as exc:
            raise load_error("Invalid Parquet file.", f"File '{name}': {exc}") from exc


def _check(schema: Mapping[str, polars.DataType], columns: Sequence[Column], name: str) -> None:
    if len(schema) != len(columns):
        raise load_error(
            "Unmatched number of columns between table and file.",
            f"Table columns: {len(columns)}, Data columns: {len(schema)}, File name: {name}",
        )
    for column, (found, kind) in zip(columns, schema.items(), strict=True):
        is_taken = column.type in _TAKEN_BY.get(type(kind), ())
        if isinstance(kind, polars.Datetime):
            is_taken = column.type == ("timestamp" if kind.time_zone is None else "timestamptz")
        if not is_taken:
            raise load_error(
                f"File '{name}' has an incompatible Parquet schema for column '{column.name}'.",
                f"Column type: {column.type}, Parquet schema: {found} {kind}",
            )


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return ExactNumber(f"{value:f}") if isinstance(value, Decimal) else value
