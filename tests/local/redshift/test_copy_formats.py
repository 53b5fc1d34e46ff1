"""Tests COPY of CSV and Parquet: what is loaded, and which lines and files are refused."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars
import pytest
from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError

from tests.local.redshift.conftest import Ask
from tests.local.redshift.warehouse import ROLE, zipped

Put = Callable[[str, bytes], str]


def copy(url: str, options: str) -> str:
    return f"copy target from '{url}' iam_role '{ROLE}' {options}"


@pytest.fixture
def target(connection: Connection, ask: Ask) -> None:
    """A table that is there for this test's transaction only."""
    ask("create table target (id int not null, name varchar(9), price numeric(8,2), day date, nested jsonb)")


@pytest.mark.usefixtures("target")
def test_csv_is_loaded_with_quotes_line_ends_and_nulls(ask: Ask, put: Put) -> None:
    content = (
        b"id,name,price,day,nested\r\n"
        b'1,"a ""b"", c",2.50,2006-03-24,"{""k"": [1]}"\r\n'
        b'2,"two\nlines",,,\n'
        b"3,,\\N,\\N,null\n"
        b"4,\\N,-1,2021-01-01,[]"
    )
    ask(copy(put("a.csv.gz", zipped(content)), "csv gzip ignoreheader 1"))
    assert ask("select * from target order by id") == [
        [1, 'a "b", c', Decimal("2.50"), date(2006, 3, 24), '{"k": [1]}'],
        [2, "two\nlines", None, None, None],
        [3, "", None, None, None],
        [4, None, Decimal("-1.00"), date(2021, 1, 1), "[]"],
    ]
    assert ask("select file_format, loaded_rows from sys_load_history where query_id = pg_last_copy_id()") == [
        ["CSV", 4]
    ]


@pytest.mark.usefixtures("target")
def test_other_signs_and_meanings_of_csv(ask: Ask, put: Put) -> None:
    content = b"1|%a|b%|||\n\n2|  |||\n3|none|||\n4||||\n"
    options = "csv quote '%' delimiter '|' null 'none' emptyasnull blanksasnull ignoreblanklines"
    ask(copy(put("a.csv", content), options))
    assert ask("select id, name from target order by id") == [[1, "a|b"], [2, None], [3, None], [4, None]]


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        (b"1,a,1,2006-03-24", 1203, ""),
        (b"1,a,1,2006-03-24,{},6", 1202, ""),
        (b"", 1203, ""),
        (b"x,a,,,", 1207, "id"),
        (b",a,,,", 1213, "id"),
        (b"1,much too long,,,", 1204, "name"),
        (b"1,a,1e2,,", 1209, "price"),
        (b"1,a,,24.03.2006,", 1205, "day"),
        (b"1,a,,,{", 1216, "nested"),
        (b'1,"a"b,,,', 1216, ""),
        (b"1,\xff,,,", 1220, ""),
        (b'1,"never closed,,,', 1216, ""),
    ],
    ids=range(12),
)
def test_a_line_of_csv_that_cannot_be_loaded_is_recorded(
    ask: Ask, put: Put, line: bytes, code: int, column: str
) -> None:
    url = put("a.csv", b'5,"on\ntwo lines",,,\n' + line + b"\n")
    ask(copy(url, "csv maxerror 3 truncatecolumns" if b"long" not in line else "csv maxerror 3"))
    found = f"select line_number, err_code, colname from stl_load_errors where filename = '{url}' and line_number > 1"
    assert ask(found) == [[3, code, column]]


@pytest.mark.usefixtures("target")
def test_an_open_quote_does_not_reach_into_the_next_object(ask: Ask, put: Put) -> None:
    url = put("part-1", b'1,"open,,,\n')
    put("part-2", b'2,"b",,,\n')
    ask(copy(url.removesuffix("1"), "csv maxerror 2"))
    assert ask("select id, name from target") == [[2, "b"]]


def parquet(frame: polars.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def test_parquet_is_loaded_by_the_place_of_its_columns(ask: Ask, put: Put) -> None:
    ask(
        "create temp table target (i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, b bool, n numeric(8,2), "
        "v varchar(9), d date, ts timestamp, tz timestamptz)"
    )
    moment = datetime(2006, 3, 24, 22, 30, 0, 5)  # noqa: DTZ001 (naive on purpose)
    row = (1, 2, 3, 1.5, 2.25, True, Decimal("4.50"), "tab\té", moment.date(), moment, moment.replace(tzinfo=UTC))
    kinds: list[Any] = [
        polars.Int16, polars.Int32, polars.Int64, polars.Float32, polars.Float64, polars.Boolean, polars.Decimal(8, 2),
        polars.String, polars.Date, polars.Datetime("us"), polars.Datetime("us", "UTC"),
    ]  # fmt: skip
    schema = {f"other_name_{number}": kind for number, kind in enumerate(kinds)}
    url = put("a.parquet", parquet(polars.DataFrame([row, (None,) * 11], schema=schema, orient="row")))
    ask(copy(url, "format as parquet"))
    assert ask("select * from target order by i2") == [list(row), [None] * 11]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (polars.DataFrame({"id": [1]}), "XX000.*incompatible Parquet schema for column 'id'.*Int64"),
        (polars.DataFrame({"id": ["1"]}), "XX000.*incompatible Parquet schema for column 'id'.*String"),
        (polars.DataFrame({"id": [[1]]}), "XX000.*incompatible Parquet schema for column 'id'.*List"),
        (polars.DataFrame({"id": [1], "b": [2]}), "XX000.*Unmatched number of columns.*Data columns: 2"),
        (polars.DataFrame({"id": [None]}, schema={"id": polars.Int32}), "XX000.*Load into table 'target' failed"),
    ],
    ids=range(5),
)
def test_parquet_that_is_not_the_tables_is_refused(ask: Ask, put: Put, frame: polars.DataFrame, message: str) -> None:
    ask("create temp table target (id int not null)")
    with pytest.raises(ProgrammingError, match=message):
        ask(copy(put("a.parquet", parquet(frame)), "parquet"))


def test_what_is_no_parquet_is_refused(ask: Ask, put: Put) -> None:
    ask("create temp table target (id int not null)")
    with pytest.raises(ProgrammingError, match=r"XX000.*Invalid Parquet file"):
        ask(copy(put("a.parquet", b"no parquet"), "parquet"))


def test_a_manifest_of_parquet_must_say_how_long_its_objects_are(ask: Ask, put: Put) -> None:
    ask("create temp table target (id int not null)")
    content = parquet(polars.DataFrame({"id": [1]}, schema={"id": polars.Int32}))
    url = put("a.parquet", content)
    with pytest.raises(ProgrammingError, match=r"meta\.content_length"):
        ask(copy(put("m", b'{"entries": [{"url": "%s"}]}' % url.encode()), "parquet manifest"))
    ask("rollback")
    ask("create temp table target (id int not null)")
    entry = b'{"entries": [{"url": "%s", "meta": {"content_length": %d}}]}' % (url.encode(), len(content))
    ask(copy(put("m", entry), "parquet manifest"))
    assert ask("select id from target") == [[1]]
