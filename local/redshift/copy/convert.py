"""Owns how a JSON value becomes a value of a column, as strictly as Redshift's COPY. Which columns is rows.py's.

Error codes: https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from types import MappingProxyType

import orjson

from local.redshift.copy.grammar import DateFormat, Options, TimeFormat

OUT_OF_RANGE = 1204
BAD_DATE = 1205
BAD_TIMESTAMP = 1206
BAD_DIGIT = 1207
BAD_FLOAT = 1208
BAD_DECIMAL = 1209
BAD_BOOLEAN = 1210
MISSING = 1213
BAD_CHAR = 1215
BAD_LINE = 1216
BAD_CHARACTER = 1220

Convert = Callable[[object], str]

SPECIAL = re.compile(r"[\\\n\r\t\x00]")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_INTEGER = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_COMPACT_DAY = re.compile(r"\d{8}", re.ASCII)
_STANDARD_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?", re.ASCII)
_ISO_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?)"
    r"(?: ?(Z|UTC|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?))?",
    re.ASCII | re.IGNORECASE,
)
_NUL_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (naive on purpose: written out with its own offset below)
LARGEST = MappingProxyType({"float4": 3.4028234663852886e38, "float8": sys.float_info.max})
_BOOLEANS = dict.fromkeys(("t", "true", "y", "yes", "1"), "t") | dict.fromkeys(("f", "false", "n", "no", "0"), "f")
INTEGERS = {"int2": (15, "Short"), "int4": (31, "Integer"), "int8": (63, "Long")}
_UNBOUNDED_VARCHAR = 65535
_WIDE = Context(prec=100)


class BadValue(Exception):
    """A value that its column does not take."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(reason)


class InexactNumber(Exception):
    """The number was read as binary floating point, but its column keeps every digit: read it as ExactNumber."""


class ExactNumber(str):
    """A JSON number as it was written."""

    __slots__ = ()


class EmptyField(Exception):
    """An empty text for a column that is no text: Redshift loads null."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the target table in PostgreSQL's terms."""

    name: str
    type: str
    modifier: int
    is_nullable: bool

    @property
    def length(self) -> str:
        """What stl_load_errors shows as the length."""
        return str(self.modifier - 4) if self.type in ("varchar", "bpchar") and self.modifier > 4 else "0"


def varchar_limit(column: Column) -> int:
    """How many bytes a column of text takes."""
    return column.modifier - 4 if column.modifier > 4 else _UNBOUNDED_VARCHAR


def converter(column: Column, options: Options) -> Convert | None:
    """A function from a JSON value other than null to COPY's text format; None for a type COPY cannot load here.

    The function raises BadValue, InexactNumber or EmptyField.
    """
    make = _CONVERTERS.get(column.type)
    return make(column, options) if make else None


def _integer(column: Column, options: Options) -> Convert:
    bits, kind = INTEGERS[column.type]
    low, high = -(1 << bits), (1 << bits) - 1

    def convert(value: object) -> str:
        if type(value) is int:
            number = value
        else:
            text = _scalar(value)
            if not _INTEGER.fullmatch(text):
                raise _invalid_digit(text, kind)
            number = int(text)
        if not low <= number <= high:
            raise BadValue(OUT_OF_RANGE, f"Overflow, Value '{number}', Type: {kind}")
        return str(number)

    return convert


def _numeric(column: Column, options: Options) -> Convert:
    precision, scale = (column.modifier - 4) >> 16, (column.modifier - 4) & 0xFFFF
    if column.modifier < 4:
        precision, scale = 18, 0
    unit = Decimal(1).scaleb(-scale)
    rounding = ROUND_HALF_UP if options.rounds_decimals else ROUND_DOWN  # Redshift cuts digits off by default
    limit = Decimal(10) ** (precision - scale)

    def convert(value: object) -> str:
        if type(value) is float:
            raise InexactNumber
        text = _scalar(value)
        if not _DECIMAL.fullmatch(text):
            raise BadValue(BAD_DECIMAL, f"Invalid digit, Value '{text[:20]}', Type: Decimal")
        number = Decimal(text)
        if abs(number) < limit:
            number = number.quantize(unit, rounding=rounding, context=_WIDE)
        if abs(number) >= limit:
            raise BadValue(OUT_OF_RANGE, f"Overflow for NUMERIC({precision},{scale})")
        return f"{number:f}"

    return convert


def _float(column: Column, options: Options) -> Convert:
    largest = LARGEST[column.type]

    def convert(value: object) -> str:
        if type(value) is float or type(value) is int:
            number = float(value)
        else:
            text = _scalar(value)
            if not _FLOAT.fullmatch(text):
                raise BadValue(BAD_FLOAT, f"Invalid digit, Value '{text[:20]}', Type: Double")
            number = float(text)
        if abs(number) > largest:
            raise BadValue(OUT_OF_RANGE, f"Overflow, Value '{value!s:.40}', Type: {column.type}")
        return repr(number)

    return convert


def _boolean(column: Column, options: Options) -> Convert:
    def convert(value: object) -> str:
        if type(value) is bool:
            return "t" if value else "f"
        found = _BOOLEANS.get(_scalar(value).lower())
        if found is None:
            raise BadValue(BAD_BOOLEAN, "Unknown boolean format")
        return found

    return convert


def _varchar(column: Column, options: Options) -> Convert:
    limit = varchar_limit(column)
    truncates = options.truncates_columns

    def convert(value: object) -> str:
        text = value if type(value) is str else _text(value)
        if len(text) > limit or (not text.isascii() and len(text.encode()) > limit):  # Redshift counts bytes
            if not truncates:
                raise BadValue(OUT_OF_RANGE, "String length exceeds DDL length")
            text = text.encode()[:limit].decode(errors="ignore")
        return escape(text) if SPECIAL.search(text) else text

    return convert


def _char(column: Column, options: Options) -> Convert:
    limit = max(column.modifier - 4, 1)
    truncates = options.truncates_columns

    def convert(value: object) -> str:
        text = value if type(value) is str else _text(value)
        if not text.isascii():
            wrong = next(character for character in text if not character.isascii()).encode().hex(" ")
            hint = "Hint: Try using VARCHAR"
            raise BadValue(BAD_CHARACTER, f"Multibyte character not supported for CHAR ({hint}). Invalid char: {wrong}")
        if len(text) > limit:
            if not truncates:
                raise BadValue(OUT_OF_RANGE, "Char length exceeds DDL length")
            text = text[:limit]
        return escape(text) if SPECIAL.search(text) else text

    return convert


def _date(column: Column, options: Options) -> Convert:
    takes_compact = options.date_format is DateFormat.AUTO

    def convert(value: object) -> str:
        text = _scalar(value)
        if _DAY.fullmatch(text) or (takes_compact and _COMPACT_DAY.fullmatch(text)):
            try:
                return date.fromisoformat(text).isoformat()
            except ValueError:
                pass
        raise BadValue(BAD_DATE, f"Invalid Date Format - {'no known format' if takes_compact else 'YYYY-MM-DD'}")

    return convert


def _timestamp(column: Column, options: Options) -> Convert:
    has_zone = column.type == "timestamptz"
    if options.time_format in (TimeFormat.EPOCH_SECONDS, TimeFormat.EPOCH_MILLISECONDS):
        return _epoch(options.time_format, has_zone)
    if options.time_format is TimeFormat.AUTO:
        return _iso_instant(has_zone)

    def convert(value: object) -> str:
        text = _scalar(value)
        if not _STANDARD_INSTANT.fullmatch(text) or not _is_instant(text):
            raise BadValue(BAD_TIMESTAMP, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]")
        return text + "+00" if has_zone else text

    return convert


def _iso_instant(has_zone: bool) -> Convert:
    def convert(value: object) -> str:
        match = _ISO_INSTANT.fullmatch(_scalar(value))
        if match is None or not _is_instant(match[1]):
            raise BadValue(BAD_TIMESTAMP, "Invalid timestamp format or value [auto]")
        instant, zone = match[1], (match[2] or "Z").upper()
        is_utc = zone in ("Z", "UTC") or not zone.strip("+-0:")
        if has_zone:
            return instant + ("+00" if is_utc else zone)
        if not is_utc:
            raise BadValue(
                BAD_TIMESTAMP, "Invalid timestamp format or value: an offset other than UTC needs TIMESTAMPTZ"
            )
        return instant

    return convert


def _epoch(time_format: TimeFormat, has_zone: bool) -> Convert:
    unit = timedelta(milliseconds=1) if time_format is TimeFormat.EPOCH_MILLISECONDS else timedelta(seconds=1)
    suffix = "+00" if has_zone else ""

    def convert(value: object) -> str:
        text = _scalar(value)
        if not _INTEGER.fullmatch(text):
            raise BadValue(BAD_TIMESTAMP, f"Invalid timestamp format or value [{time_format.value}]")
        try:
            return (_EPOCH + int(text) * unit).isoformat(" ") + suffix
        except OverflowError as exc:
            raise BadValue(OUT_OF_RANGE, f"Overflow, Value '{text}', Type: Timestamp") from exc

    return convert


def _super(column: Column, options: Options) -> Convert:
    def convert(value: object) -> str:
        text = orjson.dumps(value).decode()
        if "\\" not in text:
            return text
        if _NUL_IN_JSON.search(text):
            raise _nul()
        return text.replace("\\", "\\\\")

    return convert


def escape(text: str) -> str:
    """A text as COPY's text format writes it."""
    if "\0" in text:
        raise _nul()
    return SPECIAL.sub(lambda match: _ESCAPES[match.group()], text)


def _text(value: object) -> str:
    """A value other than a text, for a column of text: nested values come as JSON."""
    if type(value) is float:
        raise InexactNumber
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else _scalar(value, empty_is_null=False)


def _scalar(value: object, *, empty_is_null: bool = True) -> str:
    if isinstance(value, str):
        if not value and empty_is_null:
            raise EmptyField
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    raise BadValue(BAD_LINE, "Invalid JSON: a nested value for a column that takes none")


def _is_instant(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _invalid_digit(text: str, kind: str) -> BadValue:
    position = next(
        (at for at, character in enumerate(text) if not (character.isdigit() or (at == 0 and character in "+-"))), 0
    )
    return BadValue(BAD_DIGIT, f"Invalid digit, Value '{text[position : position + 1]}', Pos {position}, Type: {kind}")


def _nul() -> BadValue:
    return BadValue(BAD_CHARACTER, "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: 00")


_CONVERTERS: Mapping[str, Callable[[Column, Options], Convert]] = MappingProxyType(
    {
        "int2": _integer,
        "int4": _integer,
        "int8": _integer,
        "numeric": _numeric,
        "float4": _float,
        "float8": _float,
        "bool": _boolean,
        "varchar": _varchar,
        "text": _varchar,
        "bpchar": _char,
        "date": _date,
        "timestamp": _timestamp,
        "timestamptz": _timestamp,
        "super": _super,
        "jsonb": _super,
    }
)
