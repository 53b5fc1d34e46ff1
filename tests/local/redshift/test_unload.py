"""Tests UNLOAD as a client sees it: what lies on S3 afterwards, and what is refused."""

import gzip
import io
import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars
import pytest
from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError

from tests.local.redshift.conftest import Ask
from tests.local.redshift.warehouse import ROLE, Warehouse

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Found = dict[str, bytes]

_ROWS = (
    "select 1::int2 as id, 2.50::numeric(8,2) as price, true as good, 'a \"b\", c'::varchar(20) as name, "
    "date '2006-03-24' as day, timestamptz '2006-03-24 22:30:00+00' as at, '{\"k\": [1, null]}'::jsonb as nested "
    "union all select 2, null::numeric(8,2), false, '', null, null, null order by 1"
)


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    return f"unloaded/{request.node.name}/"


@pytest.fixture
def found(s3: "S3Client", prefix: str) -> Callable[[], Found]:
    """What lies under the prefix of this test's own, by the rest of its key."""

    def look() -> Found:
        listed = s3.list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])
        keys = [one["Key"] for one in listed]
        return {key[len(prefix) :]: s3.get_object(Bucket="lake", Key=key)["Body"].read() for key in keys}

    return look


def unload(query: str, prefix: str, options: str) -> str:
    return f"unload ('{query.replace(chr(39), chr(39) * 2)}') to 's3://lake/{prefix}' iam_role '{ROLE}' {options}"


def test_csv_has_a_header_and_quotes_what_needs_it(ask: Ask, prefix: str, found: Callable[[], Found]) -> None:
    ask(unload(_ROWS, prefix, "csv header parallel off"))
    assert found() == {
        "000": b"id,price,good,name,day,at,nested\n"
        b'1,2.50,t,"a ""b"", c",2006-03-24,2006-03-24 22:30:00+00,"{""k"": [1, null]}"\n'
        b'2,,f,"",,,\n'
    }


def test_another_delimiter_and_null_text(ask: Ask, prefix: str, found: Callable[[], Found]) -> None:
    ask(unload("select 1 as a, null::int as b", prefix, "format as csv delimiter '|' null as 'none' parallel off"))
    assert found() == {"000": b"1|none\n"}


def test_json_has_one_object_a_line(ask: Ask, prefix: str, found: Callable[[], Found]) -> None:
    ask(unload(_ROWS, prefix, "format json gzip parallel false"))
    assert [json.loads(line) for line in gzip.decompress(found()["000.gz"]).splitlines()] == [
        {"id": 1, "price": 2.5, "good": True, "name": 'a "b", c', "day": "2006-03-24", "at": "2006-03-24 22:30:00+00",
         "nested": {"k": [1, None]}},
        {"id": 2, "price": None, "good": False, "name": "", "day": None, "at": None, "nested": None},
    ]  # fmt: skip


def test_parquet_keeps_the_types(ask: Ask, prefix: str, found: Callable[[], Found]) -> None:
    ask(unload(_ROWS, prefix, "format as parquet parallel off"))
    frame = polars.read_parquet(io.BytesIO(found()["000.parquet"]))
    assert frame.rows() == [
        (1, Decimal("2.50"), True, 'a "b", c', date(2006, 3, 24), datetime(2006, 3, 24, 22, 30, tzinfo=UTC),
         '{"k": [1, null]}'),
        (2, None, False, "", None, None, None),
    ]  # fmt: skip
    assert frame.schema["price"] == polars.Decimal(8, 2)


def test_rows_are_dealt_to_slices_and_named_in_the_manifest(
    connection: Connection, ask: Ask, prefix: str, found: Callable[[], Found]
) -> None:
    ask(unload("select n from generate_series(1, 1000) as n", prefix, "csv gzip manifest"))
    there = found()
    manifest = json.loads(there.pop("manifest"))
    assert sorted(there) == ["0000_part_00.gz", "0001_part_00.gz"]
    assert manifest == {"entries": [{"url": f"s3://lake/{prefix}{name}"} for name in sorted(there)]}
    rows = [int(line) for content in there.values() for line in gzip.decompress(content).splitlines()]
    assert sorted(rows) == list(range(1, 1001))
    told = [notice[b"M"].decode() for notice in connection.notices]
    assert "UNLOAD completed, 1000 record(s) unloaded successfully." in told


def test_what_is_unloaded_can_be_copied(ask: Ask, prefix: str) -> None:
    ask("create temp table launched as select 1 as id, 'a\tb\\c'::varchar(9) as name")
    ask(unload("select * from launched", prefix, "json gzip manifest"))
    ask(f"copy launched from 's3://lake/{prefix}manifest' iam_role '{ROLE}' json gzip manifest")
    assert ask("select * from launched") == [[1, "a\tb\\c"]] * 2


def test_an_unload_sees_its_own_transaction(connection: Connection, ask: Ask, prefix: str, found: Any) -> None:
    ask("create table uncommitted as select 7 as n")
    ask(unload("select n from uncommitted", prefix, "csv parallel off"))
    connection.rollback()
    assert found() == {"000": b"7\n"}


def test_a_place_that_is_not_empty_is_left_alone_unless_the_statement_says_otherwise(
    ask: Ask, connection: Connection, prefix: str, found: Callable[[], Found]
) -> None:
    ask(unload("select 1", prefix, "csv"))
    before = found()
    with pytest.raises(ProgrammingError, match=r"XX000.*destination on S3 is not empty.*ALLOWOVERWRITE"):
        ask(unload("select 2", prefix, "csv parallel off"))
    connection.rollback()
    assert found() == before
    ask(unload("select 3", prefix, "csv parallel off allowoverwrite"))
    assert found() == {**before, "000": b"3\n"}
    ask(unload("select 4", prefix, "csv parallel off cleanpath"))
    assert found() == {"000": b"4\n"}


def test_a_query_that_fails_leaves_nothing(
    ask: Ask, connection: Connection, prefix: str, found: Callable[[], Found]
) -> None:
    with pytest.raises(ProgrammingError, match="22012"):
        ask(unload("select 1 / (n - 500) from generate_series(1, 1000) as n", prefix, "csv"))
    with pytest.raises(ProgrammingError, match="25P02"):
        ask("select 1")
    connection.rollback()
    assert found() == {}
    assert ask("select 1") == [[1]]


def test_a_value_that_parquet_cannot_hold_leaves_nothing(
    ask: Ask, connection: Connection, prefix: str, found: Callable[[], Found]
) -> None:
    with pytest.raises(ProgrammingError, match=r"0A000.*no place in the format"):
        ask(unload("select date 'infinity' as day", prefix, "parquet"))
    connection.rollback()
    assert (found(), ask("select 1")) == ({}, [[1]])


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("unload ('select 1') to 's3://lake/x' csv", "42601.*IAM_ROLE"),
        (unload("select 1", "x", ""), "0A000.*delimited text"),
        (unload("select 1", "x", "csv zstd"), "0A000.*ZSTD"),
        (unload("select 1", "x", "csv partition by (a)"), "0A000.*PARTITION"),
        (unload("select 1", "x", "csv maxfilesize 5 mb"), "0A000.*MAXFILESIZE"),
        (unload("select 1", "x", "csv manifest verbose"), "0A000.*MANIFEST VERBOSE"),
        (unload("select 1", "x", "csv sorted"), "42601.*sorted"),
        (unload("select 1", "x", "csv json"), "42601.*FORMAT is given twice"),
        (unload("select 1", "x", "parquet gzip"), "0A000.*GZIP is not supported for UNLOAD to PARQUET"),
        (unload("select 1", "x", "json header"), "0A000.*HEADER is not supported for UNLOAD to JSON"),
        (unload("select 1", "x", "csv allowoverwrite cleanpath"), "42601.*CLEANPATH and ALLOWOVERWRITE"),
        (unload("select 1", "x", "csv region 'eu-west-1'"), "XX000.*eu-west-1"),
        (unload("select 1", "x", "csv").replace("-copy'", "-other'"), "XX000.*Not authorized"),
        (unload("refuse it", "x", "csv"), "0A000.*REFUSE"),
        (unload("delete from pg_class", "x", "csv"), "42601.*one SELECT"),
        (unload("select nothing", "x", "csv"), "42703.*nothing"),
        (unload("select 1::numeric as n", "x", "parquet"), "0A000.*column n"),
        ("unload (select 1) to 's3://lake/x'", "42601.*takes its query as a string"),
    ],
    ids=range(18),
)
def test_an_unload_that_cannot_be_says_why(ask: Ask, found: Any, statement: str, message: str) -> None:
    with pytest.raises(ProgrammingError, match=message):
        ask(statement)
    assert found() == {}


def test_psycopg2_is_told_what_was_done(warehouse: Warehouse, prefix: str) -> None:
    with closing(warehouse.psycopg()) as connection, connection.cursor() as cursor:
        cursor.execute(unload("select 1", prefix, "csv").replace("('select 1')", "($$select 1$$)"))
        assert cursor.statusmessage == "UNLOAD"
