"""Tests how a JSON value becomes a column's value, and which values Redshift's COPY would not take."""

import json
from dataclasses import replace
from decimal import Decimal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.redshift.copy.blocks import BlockField, BlockMaker, NotPlain
from local.redshift.copy.convert import (
    BAD_BOOLEAN,
    BAD_CHARACTER,
    BAD_DATE,
    BAD_DECIMAL,
    BAD_DIGIT,
    BAD_FLOAT,
    BAD_LINE,
    BAD_TIMESTAMP,
    MISSING,
    OUT_OF_RANGE,
    Column,
    converter,
)
from local.redshift.copy.grammar import DateFormat, Match, Options, TimeFormat
from local.redshift.copy.jsonpaths import compile_path
from local.redshift.copy.rows import Field, RowError, RowMaker, TooManyErrors

AUTO = Options(time_format=TimeFormat.AUTO)
MILLISECONDS = Options(time_format=TimeFormat.EPOCH_MILLISECONDS)
SECONDS = Options(time_format=TimeFormat.EPOCH_SECONDS)
STANDARD = Options()


def column(kind: str, *size: int, is_nullable: bool = True) -> Column:
    size_bits = size[0] << 16 | size[1] if kind == "numeric" else sum(size)
    return Column("c", kind, size_bits + 4 if size else -1, is_nullable)


def load(line: bytes, to: Column, options: Options = STANDARD) -> tuple[list[str], list[RowError]]:
    """What becomes of a line. The quick way must say the same as going row by row, also among other lines."""
    plain = row_maker(to, options, is_quick=False)
    told = plain.rows([line], 1, "s3://lake/object"), plain.errors
    quick = row_maker(to, options, is_quick=True)
    assert (quick.rows([line], 1, "s3://lake/object"), quick.errors) == told
    among = [line, b'{"c": null}', line] if to.is_nullable else [line, line]
    assert quick_rows(among, to, options) in (None, row_maker(to, options, is_quick=False).rows(among, 1, "o"))
    return told


def row_maker(to: Column, options: Options, *, is_quick: bool) -> RowMaker:
    convert = converter(to, options)
    assert convert is not None
    extract = compile_path(("c",))
    blocks = BlockMaker([BlockField(to, ("c",), extract, convert)], replace(options, json=Match.AUTO))
    field = Field(to, extract, convert)
    return RowMaker([field], Match.AUTO, 1000, options.invalid_replacement, blocks if is_quick else None)


def quick_rows(lines: list[bytes], to: Column, options: Options) -> list[str] | None:
    """What the quick way alone makes of lines; None when it leaves them to the other."""
    convert = converter(to, options)
    assert convert is not None
    try:
        return BlockMaker(
            [BlockField(to, ("c",), compile_path(("c",)), convert)], replace(options, json=Match.AUTO)
        ).rows(lines)
    except NotPlain:
        return None


@pytest.mark.parametrize(
    ("written", "to", "options", "loaded"),
    [
        ("12", column("int4"), STANDARD, "12"),
        ('"12"', column("int4"), STANDARD, "12"),
        ('"+012"', column("int2"), STANDARD, "12"),
        ('""', column("int4"), STANDARD, r"\N"),
        ("null", column("int4"), STANDARD, r"\N"),
        ("9223372036854775807", column("int8"), STANDARD, "9223372036854775807"),
        ("1.10", column("numeric", 5, 2), STANDARD, "1.10"),
        ("20.259", column("numeric", 8, 2), STANDARD, "20.25"),
        ("20.259", column("numeric", 8, 2), Options(rounds_decimals=True), "20.26"),
        ("-20.259", column("numeric", 8, 2), STANDARD, "-20.25"),
        ('"7"', column("numeric", 8, 2), STANDARD, "7.00"),
        ("12345678901234567890.123456789", column("numeric", 38, 9), STANDARD, "12345678901234567890.123456789"),
        ("0.0999999999999999999999", column("numeric", 8, 2), STANDARD, "0.09"),
        ("1.5", column("float8"), STANDARD, "1.5"),
        ("3", column("float4"), STANDARD, "3.0"),
        ('"1e3"', column("float8"), STANDARD, "1000.0"),
        ("true", column("bool"), STANDARD, "t"),
        ('"No"', column("bool"), STANDARD, "f"),
        ("1", column("bool"), STANDARD, "t"),
        ('"Falcon"', column("varchar", 6), STANDARD, "Falcon"),
        ('"\\u00e9\\u00e9"', column("varchar", 4), STANDARD, "éé"),
        ('"éééé"', column("varchar", 5), Options(truncates_columns=True), "éé"),
        ('""', column("varchar", 6), STANDARD, ""),
        ("12.50", column("varchar", 6), STANDARD, "12.50"),
        ("12345678901234567890123", column("varchar", 30), STANDARD, "12345678901234567890123"),
        ("false", column("varchar", 6), STANDARD, "false"),
        ('{"a": [1, 2]}', column("varchar", 30), STANDARD, '{"a":[1,2]}'),
        ('"a\\tb\\nc\\\\d"', column("varchar", 30), STANDARD, "a\\tb\\nc\\\\d"),
        ('"\\\\N"', column("varchar", 30), STANDARD, r"\\N"),
        ('"ab"', column("bpchar", 4), STANDARD, "ab"),
        ('"2006-03-24"', column("date"), STANDARD, "2006-03-24"),
        ('"20060324"', column("date"), Options(date_format=DateFormat.AUTO), "2006-03-24"),
        ('"2006-03-24 22:30:00"', column("timestamp"), STANDARD, "2006-03-24 22:30:00"),
        ('"2006-03-24 22:30:00.25"', column("timestamptz"), STANDARD, "2006-03-24 22:30:00.25+00"),
        ('"2006-03-24T22:30:00.000Z"', column("timestamp"), AUTO, "2006-03-24T22:30:00.000"),
        ('"2006-03-24T22:30:00.000Z"', column("timestamptz"), AUTO, "2006-03-24T22:30:00.000+00"),
        ('"2006-03-25T10:30:00+12:00"', column("timestamptz"), AUTO, "2006-03-25T10:30:00+12:00"),
        ('"2006-03-25T10:30:00-00:00"', column("timestamp"), AUTO, "2006-03-25T10:30:00"),
        ('"2006-03-25 10:30 UTC"', column("timestamp"), AUTO, "2006-03-25 10:30"),
        ("1622135805123", column("timestamp"), MILLISECONDS, "2021-05-27 17:16:45.123000"),
        ('"1622135805123"', column("timestamptz"), MILLISECONDS, "2021-05-27 17:16:45.123000+00"),
        ("-1", column("timestamp"), SECONDS, "1969-12-31 23:59:59"),
        ('{"b": [1, {"c": null}]}', column("super"), STANDARD, '{"b":[1,{"c":null}]}'),
        ('"text"', column("super"), STANDARD, '"text"'),
        ('"a\\nb"', column("super"), STANDARD, '"a\\\\nb"'),
        ('"\\\\u0000"', column("super"), STANDARD, '"\\\\\\\\u0000"'),
    ],
)  # fmt: skip
def test_a_value_is_loaded_as_redshift_loads_it(written: str, to: Column, options: Options, loaded: str) -> None:
    assert load(b'{"c": %s}' % written.encode(), to, options) == ([loaded], [])


@pytest.mark.parametrize(
    ("written", "to", "options", "code"),
    [
        ('"abc"', column("int4"), STANDARD, BAD_DIGIT),
        ("12.0", column("int4"), STANDARD, BAD_DIGIT),
        ("true", column("int4"), STANDARD, BAD_DIGIT),
        ('"١٢"', column("int4"), STANDARD, BAD_DIGIT),
        ("2147483648", column("int4"), STANDARD, OUT_OF_RANGE),
        ("-32769", column("int2"), STANDARD, OUT_OF_RANGE),
        ('"9223372036854775808"', column("int8"), STANDARD, OUT_OF_RANGE),
        ("{}", column("int4"), STANDARD, BAD_LINE),
        ("null", column("int4", is_nullable=False), STANDARD, MISSING),
        ('""', column("int4", is_nullable=False), STANDARD, MISSING),
        ("1000", column("numeric", 5, 2), STANDARD, OUT_OF_RANGE),
        ("999.999", column("numeric", 5, 2), Options(rounds_decimals=True), OUT_OF_RANGE),
        ("1e2", column("numeric", 5, 2), STANDARD, BAD_DECIMAL),
        ('"x"', column("numeric", 5, 2), STANDARD, BAD_DECIMAL),
        ('"x"', column("float8"), STANDARD, BAD_FLOAT),
        ('"nan"', column("float8"), STANDARD, BAD_FLOAT),
        ('"1e999"', column("float8"), STANDARD, OUT_OF_RANGE),
        ("1e39", column("float4"), STANDARD, OUT_OF_RANGE),
        ('"maybe"', column("bool"), STANDARD, BAD_BOOLEAN),
        ("2", column("bool"), STANDARD, BAD_BOOLEAN),
        ('"Falcon9"', column("varchar", 6), STANDARD, OUT_OF_RANGE),
        ('"ééé"', column("varchar", 5), STANDARD, OUT_OF_RANGE),
        ('"a\\u0000"', column("varchar", 6), STANDARD, BAD_CHARACTER),
        ('"é"', column("bpchar", 4), STANDARD, BAD_CHARACTER),
        ('"abcde"', column("bpchar", 4), STANDARD, OUT_OF_RANGE),
        ('"24.03.2006"', column("date"), STANDARD, BAD_DATE),
        ('"2006-02-30"', column("date"), STANDARD, BAD_DATE),
        ('"20060324"', column("date"), STANDARD, BAD_DATE),
        ('"2006-03-24T22:30:00Z"', column("timestamp"), STANDARD, BAD_TIMESTAMP),
        ('"2006-03-24 25:30:00"', column("timestamp"), STANDARD, BAD_TIMESTAMP),
        ('"yesterday"', column("timestamp"), AUTO, BAD_TIMESTAMP),
        ("1622135805", column("timestamp"), AUTO, BAD_TIMESTAMP),
        ('"2006-03-25T10:30:00+12:00"', column("timestamp"), AUTO, BAD_TIMESTAMP),
        ('"2006-03-25T10:30:00+99:00"', column("timestamptz"), AUTO, BAD_TIMESTAMP),
        ('"2006-03-24T22:30:00Z"', column("timestamp"), MILLISECONDS, BAD_TIMESTAMP),
        ("1622135805.5", column("timestamp"), SECONDS, BAD_TIMESTAMP),
        ("99999999999999999", column("timestamp"), SECONDS, OUT_OF_RANGE),
        ('"a\\u0000"', column("super"), STANDARD, BAD_CHARACTER),
    ],
)
def test_a_value_redshift_would_not_take_is_an_error(written: str, to: Column, options: Options, code: int) -> None:
    rows, errors = load(b'{"c": %s}' % written.encode(), to, options)
    assert rows == []
    assert [error.code for error in errors] == [code]
    assert errors[0].column == to


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"c": 1', BAD_LINE),
        (b"[1]", BAD_LINE),
        (b"7", BAD_LINE),
        (b'{"c": NaN}', BAD_LINE),
        (b'{"c": 1e999}', BAD_LINE),
        (b'{"c": 1} {"c": 2}', BAD_LINE),
        (b'{"c": "\\ud800"}', BAD_LINE),
        (b'{"c": "\xe9"}', BAD_CHARACTER),
        (b'{"x": "' + b"x" * (4 * 1024 * 1024) + b'"}', BAD_LINE),
    ],
    ids=range(9),
)
def test_a_line_that_is_no_json_object_is_an_error(line: bytes, code: int) -> None:
    rows, errors = load(line, column("varchar", 10))
    assert (rows, [error.code for error in errors]) == ([], [code])
    assert 0 < len(errors[0].raw_line) <= 1024


def test_an_empty_line_is_neither_a_row_nor_an_error() -> None:
    for line in (b"", b"  ", b"\r"):
        assert load(line, column("int4")) == ([], [])
    assert load(b'{"c": 1}\r', column("int4")) == (["1"], [])


def test_invalid_bytes_are_replaced_where_the_statement_says_so() -> None:
    accepting = Options(invalid_replacement="?")
    assert load(b'{"c": "a\xe9\xffb"}', column("varchar", 10), accepting) == (["a??b"], [])


def test_the_load_ends_with_the_error_that_reaches_maxerror() -> None:
    convert = converter(column("int4"), STANDARD)
    assert convert is not None
    maker = RowMaker([Field(column("int4"), compile_path(("c",)), convert)], Match.AUTO, 2, None)
    with pytest.raises(TooManyErrors):
        maker.rows([b'{"c": "x"}', b'{"c": 1}', b'{"c": "y"}', b'{"c": "z"}'], 10, "s3://lake/o")
    assert [(error.line_number, error.raw_value) for error in maker.take_errors()] == [(10, "x"), (12, "y")]


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**13), max_value=10**13))
def test_no_digit_of_a_decimal_is_lost(number: Decimal) -> None:
    ((row,), errors) = load(b'{"c": %s}' % f"{number:f}".encode(), column("numeric", 18, 4))
    assert (Decimal(row), errors) == (number, [])


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_a_text_survives_postgresqls_copy_format(text: str) -> None:
    ((row,), _) = load(json.dumps({"c": text}).encode(), column("varchar", 65535))
    assert not set(row) & set("\n\r\t")
    assert (
        row.replace("\\\\", "\0").replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t").replace("\0", "\\")
        == text
    )


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner),
    max_leaves=8,
)  # fmt: skip


@settings(deadline=None)
@given(_JSON)
def test_a_nested_value_keeps_its_meaning(value: object) -> None:
    ((row,), _) = load(json.dumps({"c": value}).encode(), column("super"))
    assert (None if row == r"\N" else orjson.loads(row.replace("\\\\", "\\"))) == value


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_row_or_an_error_and_never_a_crash(line: bytes) -> None:
    rows, errors = load(line, column("varchar", 20))
    assert len(rows) + len(errors) == (0 if not line or line.isspace() else 1)


_KINDS = [
    column("int2"), column("int4"), column("int8"), column("numeric", 18, 4), column("float4"), column("float8"),
    column("bool"), column("varchar", 5), column("bpchar", 3), column("date"), column("timestamp"),
    column("timestamptz"), column("super"),
]  # fmt: skip
_DATED = st.datetimes().map(lambda at: at.isoformat() + "Z") | st.dates().map(str)
_WRITTEN = st.one_of(
    _JSON.map(json.dumps), _DATED.map(json.dumps), st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.from_regex(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?([eE]-?[0-9]{1,3})?", fullmatch=True),
    st.from_regex(r'"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,7})?Z"', fullmatch=True),
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(_KINDS), st.lists(_WRITTEN, min_size=1, max_size=4), st.sampled_from([STANDARD, AUTO]))
def test_the_quick_way_makes_the_rows_of_the_slow_one(to: Column, written: list[str], options: Options) -> None:
    lines = [b'{"c": %s}' % value.encode() for value in written]
    slow = row_maker(to, options, is_quick=False)
    rows = slow.rows(lines, 1, "o")
    quick = quick_rows(lines, to, options)
    assert quick is None or (quick, []) == (rows, slow.errors)


@pytest.mark.parametrize(
    ("written", "to"),
    [
        ("7", column("int4")), ("1.25", column("numeric", 8, 2)), ("2.5", column("float8")), ("true", column("bool")),
        ('"a\\tb"', column("varchar", 9)), ('"2006-03-24"', column("date")), ('{"a": [1]}', column("super")),
        ('"2006-03-24T22:30:00.000Z"', column("timestamptz")),
    ],
)  # fmt: skip
def test_plain_values_take_the_quick_way(written: str, to: Column) -> None:
    lines = [b'{"c": %s}' % written.encode(), b"{}"]
    assert quick_rows(lines, to, AUTO) == row_maker(to, AUTO, is_quick=False).rows(lines, 1, "o")
