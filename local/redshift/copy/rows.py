"""Owns turning lines of JSON into rows for PostgreSQL, and telling which lines cannot be. Pure.

What a value must look like is convert.py's business, where lines come from load.py's.
"""

import codecs
import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from local.redshift.copy import convert
from local.redshift.copy.blocks import LINES_AT_ONCE, BlockMaker, NotPlain
from local.redshift.copy.convert import BadValue, Column, Convert, EmptyField, ExactNumber, InexactNumber
from local.redshift.copy.grammar import Match
from local.redshift.copy.jsonpaths import Extract, NotAnObject
from local.redshift.copy.lines import LONGEST_LINE

_NULL = "\\N"
_SHOWN = 1024  # characters of a bad line that are kept


@dataclass(frozen=True, slots=True)
class RowError:
    """A line that could not be loaded, and why."""

    file_name: str
    line_number: int
    column: Column | None
    code: int
    reason: str
    raw_line: str
    raw_value: str


class TooManyErrors(Exception):
    """As many lines are bad as MAXERROR says end the load."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where a column's value comes from and how it becomes text."""

    column: Column
    extract: Extract
    convert: Convert


class RowMaker:
    """Makes rows of one COPY; keeps count of them and what was wrong with the others."""

    def __init__(
        self,
        fields: Sequence[Field],
        match: Match | None,
        max_error_count: int,
        replacement: str | None,
        blocks: BlockMaker | None = None,
    ) -> None:
        self.row_count = 0
        self.error_count = 0
        self.errors: list[RowError] = []
        self.fields = fields
        self._match = match
        self._error_limit = max(max_error_count, 1)
        self.replacement = replacement
        self._blocks = blocks

    def rows(self, lines: Sequence[bytes], first_number: int, file_name: str) -> list[str]:
        """The rows of a block of lines. Raises TooManyErrors."""
        rows = []
        for start in range(0, len(lines), LINES_AT_ONCE):
            rows += self._block(lines[start : start + LINES_AT_ONCE], first_number + start, file_name)
        self.row_count += len(rows)
        return rows

    def _block(self, lines: Sequence[bytes], first_number: int, file_name: str) -> list[str]:
        if self._blocks is not None:
            with contextlib.suppress(NotPlain):
                return self._blocks.rows(lines)
        return self._one_by_one(lines, first_number, file_name)

    def _one_by_one(self, lines: Sequence[bytes], first_number: int, file_name: str) -> list[str]:
        rows = []
        for number, line in enumerate(lines, start=first_number):
            if line and not line.isspace():
                rows += self.record(line, number, file_name)
        return rows

    def finish(self, file_name: str) -> list[str]:
        """What is left at an object's end."""
        return []

    def take_errors(self) -> list[RowError]:
        """The errors since the last time."""
        taken, self.errors = self.errors, []
        return taken

    def values(self, records: Sequence[object], first_number: int, file_name: str) -> list[str]:
        """The rows of records that came as values. Raises TooManyErrors."""
        rows = []
        for number, record in enumerate(records, start=first_number):
            rows += self._made(partial(self._row, record, b""), b"", number, file_name)
        self.row_count += len(rows)
        return rows

    def record(self, line: bytes, number: int, file_name: str) -> list[str]:
        """The row of a line; none where the line is refused. Raises TooManyErrors."""
        return self._made(lambda: self._row(self.parsed(line), line), line, number, file_name)

    def _made(self, make: Callable[[], str], line: bytes, number: int, file_name: str) -> list[str]:
        try:
            return [make()]
        except BadLine as exc:
            self._refuse(RowError(file_name, number, exc.column, exc.code, exc.reason, _shown(line), exc.raw_value))
            return []

    def parsed(self, line: bytes) -> object:
        """What a line says. Raises BadLine."""
        if len(line) > LONGEST_LINE:
            raise BadLine(convert.BAD_LINE, "JSON object is larger than the maximum of 4 MB")
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as exc:
            value = self._repaired(line, exc)
        if self._match is None:
            return value
        if type(value) is not dict:
            raise BadLine(convert.BAD_LINE, "Invalid JSON: the line is not an object")
        if self._match is Match.AUTO_IGNORECASE:
            return {name.lower(): member for name, member in value.items()}
        return value

    def _repaired(self, line: bytes, error: orjson.JSONDecodeError) -> object:
        try:
            line.decode()
        except UnicodeDecodeError as exc:
            if self.replacement is not None:
                return self._parsed_text(replace_invalid(line, self.replacement))
            wrong = line[exc.start : exc.end].hex(" ")
            reason = f"String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: {wrong}"
            raise BadLine(convert.BAD_CHARACTER, reason) from exc
        raise BadLine(convert.BAD_LINE, f"Invalid JSON: {error.msg} at position {error.pos}") from error

    @staticmethod
    def _parsed_text(text: str) -> object:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as exc:
            raise BadLine(convert.BAD_LINE, f"Invalid JSON: {exc.msg} at position {exc.pos}") from exc

    def _row(self, parsed: object, line: bytes) -> str:
        texts = []
        for field in self.fields:
            try:
                value = field.extract(parsed)
                texts.append(_null(field.column) if value is None else field.convert(value))
            except InexactNumber:
                texts.append(self._exact(field, line))
            except EmptyField:
                texts.append(_null(field.column))
            except NotAnObject as exc:
                reason = "Invalid JSONPath format: Member is not an object."
                raise BadLine(convert.BAD_LINE, reason, field.column) from exc
            except BadValue as exc:
                raise BadLine(exc.code, exc.reason, field.column, _shown_value(value)) from exc
        return "\t".join(texts)

    def _exact(self, field: Field, line: bytes) -> str:
        """The number of a column that keeps every digit, read again as it is written."""
        parsed: Any = json.loads(line.decode(errors="replace"), parse_float=ExactNumber, parse_int=ExactNumber)
        if self._match is Match.AUTO_IGNORECASE:
            parsed = {name.lower(): member for name, member in parsed.items()}
        value = field.extract(parsed)
        try:
            return field.convert(value)
        except BadValue as exc:
            raise BadLine(exc.code, exc.reason, field.column, _shown_value(value)) from exc

    def _refuse(self, error: RowError) -> None:
        self.errors.append(error)
        self.error_count += 1
        if self.error_count >= self._error_limit:
            raise TooManyErrors


class BadLine(Exception):
    """A line that cannot be a row."""

    def __init__(self, code: int, reason: str, column: Column | None = None, raw_value: str = "") -> None:
        self.code = code
        self.reason = reason
        self.column = column
        self.raw_value = raw_value
        super().__init__(reason)


def _null(column: Column) -> str:
    if not column.is_nullable:
        raise BadLine(convert.MISSING, "Missing data for not-null field", column)
    return _NULL


def _shown(line: bytes) -> str:
    return line[: 4 * _SHOWN].decode(errors="replace").replace("\0", "\ufffd").rstrip("\r")[:_SHOWN]


def _shown_value(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text.replace("\0", "\ufffd")[:_SHOWN]


def replace_invalid(line: bytes, replacement: str) -> str:
    """The line with each byte that is not UTF-8 replaced, so that it keeps its length, as ACCEPTINVCHARS says."""

    def replace(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        return replacement * (error.end - error.start), error.end

    name = f"redshift-acceptinvchars-{ord(replacement)}"
    codecs.register_error(name, replace)
    return line.decode(errors=name)
