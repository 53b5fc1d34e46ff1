"""Owns the files an UNLOAD writes: rows as CSV, JSON or Parquet, in temporary files. Putting them on S3 is run.py's."""

import gzip
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import IO, Any

import orjson
import polars

from local.redshift.messages import JSONB_OID, SUPER_OID
from local.redshift.unload.grammar import Format, UnloadOptions, not_supported

_ROWS_OF_PARQUET = 250_000  # in one file, because it is made in memory
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_UNESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_BOOL, _INT8, _INT2, _INT4, _FLOAT4, _FLOAT8, _NUMERIC = 16, 20, 21, 23, 700, 701, 1700
_DATE, _TIMESTAMP, _TIMESTAMPTZ = 1082, 1114, 1184
_SUPERS = (SUPER_OID, JSONB_OID)
_TEXTS = (25, 1042, 1043)
_NUMBERS = (_INT2, _INT4, _INT8, _NUMERIC, _FLOAT4, _FLOAT8)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the query's result, in PostgreSQL's terms."""

    name: str
    type: int
    modifier: int


class Part(ABC):
    """One of the parts that are written side by side, in one file or in several one after the other."""

    @abstractmethod
    def add(self, rows: Sequence[bytes]) -> None:
        """Write rows, as PostgreSQL's COPY gives them."""

    @abstractmethod
    def files(self) -> list[IO[bytes]]:
        """The files, each at its beginning; the same ones each time. Nothing is added after that."""

    @abstractmethod
    def close(self) -> None:
        """Forget the files."""


def part(columns: Sequence[Column], options: UnloadOptions) -> Part:
    """A part without rows. Raises CopyFailed where a column's type has no place in the format."""
    if options.format is Format.PARQUET:
        return _ParquetPart(columns)
    return _TextPart(columns, options)


def copy_sql(query: str, options: UnloadOptions) -> str:
    """PostgreSQL's statement that gives the rows."""
    if options.format is Format.CSV:
        null_text = options.null_text.replace("'", "''")
        delimiter = f"E'\\x{ord(options.delimiter):02x}'"
        return f"copy ({query}) to stdout with (format csv, delimiter {delimiter}, null '{null_text}')"
    return f"copy ({query}) to stdout"


class _TextPart(Part):
    def __init__(self, columns: Sequence[Column], options: UnloadOptions) -> None:
        self._columns = columns
        self._is_json = options.format is Format.JSON
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (lives until it is on S3)
        self._out: Any = gzip.GzipFile(fileobj=self._file, mode="wb", mtime=0) if options.is_gzip else self._file
        if options.has_header:
            names = (f'"{name}"' if re.search(r'[",\s]', name) else name for name in (one.name for one in columns))
            self._out.write(options.delimiter.join(names).encode() + b"\n")

    def add(self, rows: Sequence[bytes]) -> None:
        self._out.write(b"".join(self._json(row) for row in rows) if self._is_json else b"".join(rows))

    def files(self) -> list[IO[bytes]]:
        if self._out is not self._file:
            self._out.close()
        self._file.seek(0)
        return [self._file]

    def close(self) -> None:
        self._file.close()

    def _json(self, row: bytes) -> bytes:
        members = (
            orjson.dumps(column.name).decode() + ":" + _json(column, value)
            for column, value in zip(self._columns, _values(row), strict=True)
        )
        return ("{" + ",".join(members) + "}\n").encode()


class _ParquetPart(Part):
    def __init__(self, columns: Sequence[Column]) -> None:
        if len({column.name for column in columns}) < len(columns):
            raise not_supported("two columns of one name in Parquet")
        self._columns = columns
        self._kinds = [_parquet(column) for column in columns]
        self._rows: list[list[object]] = []
        self._files: list[IO[bytes]] = []

    def add(self, rows: Sequence[bytes]) -> None:
        self._rows += map(self._read, rows)
        if len(self._rows) >= _ROWS_OF_PARQUET:
            self._write()

    def files(self) -> list[IO[bytes]]:
        if self._rows or not self._files:
            self._write()
        return self._files

    def close(self) -> None:
        for file in self._files:
            file.close()

    def _read(self, row: bytes) -> list[object]:
        pairs = zip(self._kinds, _values(row), strict=True)
        return [None if value is None else read(value) for (_, read), value in pairs]

    def _write(self) -> None:
        series = []
        for at, (column, (kind, _)) in enumerate(zip(self._columns, self._kinds, strict=True)):
            values = [row[at] for row in self._rows]
            series.append(polars.Series(column.name, values, kind, strict=True))
        file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (lives until it is on S3)
        polars.DataFrame(series).write_parquet(file, compression="snappy")
        file.seek(0)
        self._files.append(file)
        self._rows = []


def _values(row: bytes) -> list[str | None]:
    fields = row.decode().removesuffix("\n").split("\t")
    return [None if field == "\\N" else _unescaped(field) for field in fields]


def _unescaped(field: str) -> str:
    if "\\" not in field:
        return field
    return _ESCAPE.sub(lambda match: _UNESCAPED.get(match[1], match[1]), field)


def _json(column: Column, value: str | None) -> str:
    if value is None:
        return "null"
    if column.type == _BOOL:
        return "true" if value == "t" else "false"
    if column.type in _SUPERS or (column.type in _NUMBERS and value.lstrip("-")[:1].isdigit()):
        return value
    return orjson.dumps(value).decode()


def _parquet(column: Column) -> tuple[Any, Callable[[str], object]]:
    if column.type == _NUMERIC:
        if column.modifier < 4:
            raise not_supported(f"column {column.name}: a number without precision in Parquet", "Cast it.")
        precision, scale = (column.modifier - 4) >> 16, (column.modifier - 4) & 0xFFFF
        return polars.Decimal(precision, scale), Decimal
    kind = _PARQUET.get(column.type)
    if kind is None:
        raise not_supported(f"column {column.name}: its type in Parquet")
    return kind


_PARQUET: Mapping[int, tuple[Any, Callable[[str], object]]] = MappingProxyType(
    {
        _BOOL: (polars.Boolean(), lambda value: value == "t"),
        _INT2: (polars.Int16(), int),
        _INT4: (polars.Int32(), int),
        _INT8: (polars.Int64(), int),
        _FLOAT4: (polars.Float32(), float),
        _FLOAT8: (polars.Float64(), float),
        _DATE: (polars.Date(), date.fromisoformat),
        _TIMESTAMP: (polars.Datetime("us"), datetime.fromisoformat),
        _TIMESTAMPTZ: (polars.Datetime("us", "UTC"), datetime.fromisoformat),
        **dict.fromkeys((*_TEXTS, *_SUPERS), (polars.String(), str)),
    }
)
