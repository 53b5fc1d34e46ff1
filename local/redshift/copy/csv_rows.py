"""Owns turning lines of CSV into rows for PostgreSQL: a record may go over several lines. Pure.

What becomes of a record's values is rows.py's business, as with JSON.
"""

import csv
from collections.abc import Sequence

import orjson

from local.redshift.copy import convert
from local.redshift.copy.grammar import Options
from local.redshift.copy.lines import LONGEST_LINE
from local.redshift.copy.rows import BadLine, Field, RowMaker, replace_invalid

EXTRA_COLUMNS = 1202
TOO_FEW_COLUMNS = 1203
_TEXTS = frozenset(("varchar", "bpchar", "text"))


class CsvRowMaker(RowMaker):
    """Makes rows of one COPY of CSV. `finish` is due after each object."""

    def __init__(self, fields: Sequence[Field], options: Options) -> None:
        super().__init__(fields, None, options.max_error_count, options.invalid_replacement)
        self._options = options
        self._quote = options.quote.encode()
        self._begun = b""  # a record whose quotes are still open
        self._begun_at = 0

    def rows(self, lines: Sequence[bytes], first_number: int, file_name: str) -> list[str]:
        """The rows of a block of lines; what is unfinished at its end comes with the next block."""
        rows = []
        for number, line in enumerate(lines, start=first_number):
            if number <= self._options.ignored_header_lines:
                continue
            if not self._begun and not line.rstrip(b"\r") and self._options.ignores_blank_lines:
                continue
            record, at = (self._begun + b"\n" + line, self._begun_at) if self._begun else (line, number)
            if record.count(self._quote) % 2 and len(record) <= LONGEST_LINE:
                self._begun, self._begun_at = record, at
                continue
            self._begun = b""
            rows += self.record(record, at, file_name)
        self.row_count += len(rows)
        return rows

    def finish(self, file_name: str) -> list[str]:
        """What is left at an object's end: a record whose quotes were never closed."""
        if not self._begun:
            return []
        record, self._begun = self._begun, b""
        rows = self.record(record, self._begun_at, file_name)
        self.row_count += len(rows)
        return rows

    def parsed(self, line: bytes) -> object:
        """The values of a record, in the order of the columns."""
        if len(line) > LONGEST_LINE:
            raise BadLine(convert.BAD_LINE, "The record is larger than the maximum of 4 MB")
        values = self._split(self._decoded(line.removesuffix(b"\r")))
        if len(values) > len(self.fields):
            raise BadLine(EXTRA_COLUMNS, "Extra column(s) found")
        if len(values) < len(self.fields):
            raise BadLine(TOO_FEW_COLUMNS, "Input data had fewer columns than were defined in the DDL")
        return [self._value(field, value) for field, value in zip(self.fields, values, strict=True)]

    def _decoded(self, line: bytes) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError as exc:
            if self.replacement is not None:
                return replace_invalid(line, self.replacement)
            wrong = line[exc.start : exc.end].hex(" ")
            reason = f"String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: {wrong}"
            raise BadLine(convert.BAD_CHARACTER, reason) from exc

    def _split(self, text: str) -> list[str]:
        options = self._options
        try:
            read = csv.reader([text], delimiter=options.delimiter, quotechar=options.quote, strict=True)
            return next(read, [])
        except csv.Error as exc:
            raise BadLine(convert.BAD_LINE, f"Invalid quote formatting for CSV: {exc}") from exc

    def _value(self, field: Field, text: str) -> object:
        is_text = field.column.type in _TEXTS
        if text == self._options.null_text or (not text and (self._options.empty_is_null or not is_text)):
            return None
        if self._options.blanks_are_null and is_text and not text.strip(" "):
            return None
        if field.column.type not in ("super", "jsonb"):
            return text
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as exc:
            raise BadLine(convert.BAD_LINE, f"Invalid JSON: {exc.msg}", field.column, text[:1024]) from exc
