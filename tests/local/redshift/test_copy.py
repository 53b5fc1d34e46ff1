"""Tests COPY as a client sees it: what is loaded, what is refused, what is recorded."""

import datetime
import json
import re
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal

import pytest
from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError

from tests.local.redshift.conftest import Ask
from tests.local.redshift.warehouse import ROLE, Warehouse, json_lines, zipped

Put = Callable[[str, bytes], str]


def copy(table: str, url: str, options: str = "format as json 'auto'") -> str:
    return f"copy {table} from '{url}' iam_role '{ROLE}' {options}"


def manifest(*urls: str, **meta: int) -> bytes:
    entries = [{"url": url, "mandatory": True, **({"meta": meta} if meta else {})} for url in urls]
    return json.dumps({"entries": entries}).encode()


@pytest.fixture
def target(connection: Connection, ask: Ask) -> str:
    """A table that is there for this test's transaction only."""
    ask("create table target (id int not null, name varchar(5), tags jsonb)")
    return "target"


def rows(ask: Ask) -> list[object]:
    return ask("select * from target order by id")


def test_every_type_of_column_is_loaded_from_a_gzipped_manifest(ask: Ask, put: Put) -> None:
    ask(
        "create temp table every (i2 int2, i4 int4, i8 int8, n numeric(8,2), f4 float4, f8 float8, b bool,"
        " v varchar(20), c char(3), d date, ts timestamp, tz timestamptz, s jsonb)"
    )
    record = {
        "i2": 1, "i4": "2", "i8": 3, "n": 4.56, "f4": 1.5, "f8": 2.25, "b": True, "v": "tab\tnew\nline\\é", "c": "abc",
        "d": "2006-03-24", "ts": "2006-03-24T22:30:00.000Z", "tz": "2006-03-25T10:30:00+12:00",
        "s": {"a": ["\n", None]},
    }  # fmt: skip
    first = put("a.jsonl.gz", zipped(json_lines(record)))
    second = put("b.jsonl.gz", zipped(json_lines({}, {"undeclared": 1})))
    ask(copy("every", put("m", manifest(first, second)), "json 'auto' gzip manifest timeformat 'auto'"))
    instant = datetime.datetime(2006, 3, 24, 22, 30, tzinfo=datetime.UTC)
    assert ask("select * from every order by i2")[0] == [
        1, 2, 3, Decimal("4.56"), 1.5, 2.25, True, "tab\tnew\nline\\é", "abc",
        instant.date(), instant.replace(tzinfo=None), instant, '{"a": ["\\n", null]}',
    ]  # fmt: skip
    assert ask("select count(*), count(s) from every") == [[3, 1]]


def test_jsonpaths_reach_into_the_envelope(ask: Ask, put: Put, target: str) -> None:
    envelope = {"_airbyte_data": {"id": 7, "cores": [{"core": "x"}]}, "_airbyte_raw_id": "r-1"}
    paths = {"jsonpaths": ["$['_airbyte_data']['id']", "$._airbyte_raw_id", "$._airbyte_data.cores[0]"]}
    url = put("a.jsonl", json_lines(envelope))
    ask(copy(target, url, f"json '{put('paths', json.dumps(paths).encode())}'"))
    assert rows(ask) == [[7, "r-1", '{"core": "x"}']]


def test_a_column_list_chooses_and_orders(ask: Ask, put: Put, target: str) -> None:
    ask(copy("target (name, id)", put("a", json_lines({"id": 1, "name": "n", "tags": [1]}))))
    assert rows(ask) == [[1, "n", None]]
    paths = put("paths", b'{"jsonpaths": ["$.name", "$.id"]}')
    ask(copy("target (name, id)", put("b", json_lines({"id": 2, "name": "m"})), f"json '{paths}'"))
    assert rows(ask) == [[1, "n", None], [2, "m", None]]


def test_members_match_columns_without_regard_to_case_if_asked_to(ask: Ask, put: Put, target: str) -> None:
    url = put("a", json_lines({"ID": 1, "Name": "n", "name": None}))
    with pytest.raises(ProgrammingError, match="stl_load_errors"):
        ask(copy(target, url))
    ask("rollback")
    ask("create table target (id int not null, name varchar(5), tags jsonb)")
    ask(copy(target, url, "json 'auto ignorecase'"))
    assert rows(ask) == [[1, None, None]]


def test_without_a_manifest_every_key_with_the_prefix_is_loaded(ask: Ask, put: Put, target: str) -> None:
    url = put("part-1", json_lines({"id": 1}))
    put("part-2", json_lines({"id": 2}))
    put("other", json_lines({"id": 3}))
    ask(copy(target, url.removesuffix("1")))
    assert [row[0] for row in ask("select id from target order by id")] == [1, 2]


def test_the_client_is_told_how_many_rows_were_loaded(connection: Connection, ask: Ask, put: Put, target: str) -> None:
    ask(copy(target, put("a", json_lines({"id": 1}, {"id": 2}))))
    assert ask("select pg_last_copy_count()") == [[2]]
    told = [notice[b"M"].decode() for notice in connection.notices]
    assert "Load into table 'target' completed, 2 record(s) loaded successfully." in told


def test_the_count_of_the_last_copy_is_the_sessions_own(warehouse: Warehouse, ask: Ask, put: Put, target: str) -> None:
    ask(copy(target, put("a", json_lines({"id": 1}))))
    with closing(warehouse.connect()) as other:
        assert other.cursor().execute("select pg_last_copy_count()").fetchone() == [0]


def test_what_was_copied_is_rolled_back_with_its_transaction(connection: Connection, ask: Ask, put: Put) -> None:
    ask("create table undone (id int)")
    connection.commit()
    ask(copy("undone", put("a", json_lines({"id": 1}))))
    assert ask("select count(*) from undone") == [[1]]
    connection.rollback()
    assert ask("select count(*) from undone") == [[0]]


def test_psycopg2_copies_too_also_among_other_statements(warehouse: Warehouse, put: Put) -> None:
    url = put("a", json_lines({"id": 1}))
    with closing(warehouse.psycopg()) as connection, connection.cursor() as cursor:
        cursor.execute(f"create temp table t (id int); {copy('t', url)}")
        assert cursor.statusmessage == "COPY"
        cursor.execute("select id from t")
        assert cursor.fetchall() == [(1,)]


def test_a_bad_row_fails_the_load_and_is_recorded_though_all_is_rolled_back(
    connection: Connection, ask: Ask, put: Put
) -> None:
    ask("create table strict (id int, name varchar(5))")
    connection.commit()
    url = put("a.gz", zipped(json_lines({"id": 1}, {"id": 2, "name": "sechs!"}, {"id": "drei"})))
    with pytest.raises(ProgrammingError, match=r"XX000.*Load into table 'strict' failed.  Check 'stl_load_errors'"):
        ask(copy("strict", url, "json gzip"))
    with pytest.raises(ProgrammingError, match="25P02"):
        ask("select 1")
    connection.rollback()
    assert ask("select count(*) from strict") == [[0]]
    assert ask(
        "select line_number, colname, type, col_length, raw_field_value, err_code, err_reason, raw_line, session ="
        f" pg_backend_pid() from stl_load_errors where filename = '{url}'"
    ) == [
        [2, "name", "varchar", "5", "sechs!", 1204, "String length exceeds DDL length", '{"id": 2, "name": "sechs!"}',
         True]
    ]  # fmt: skip
    detail = f"select column_name, error_code, error_message from sys_load_error_detail where file_name = '{url}'"
    assert ask(detail) == [["name", 1204, "String length exceeds DDL length"]]
    assert ask("select status, loaded_rows, error_count from sys_load_history where table_name = 'strict'") == [
        ["failed", 0, 1]
    ]


def test_maxerror_leaves_out_bad_rows_and_says_so(connection: Connection, ask: Ask, put: Put, target: str) -> None:
    url = put("a", json_lines({"id": 1}, {"id": None}, {"id": "x"}, {"id": 4}))
    ask(copy(target, url, "json maxerror 3"))
    assert [row[0] for row in ask("select id from target order by id")] == [1, 4]
    assert ask("select pg_last_copy_count()") == [[2]]
    told = [notice[b"M"].decode() for notice in connection.notices]
    assert any("2 record(s) could not be loaded.  Check 'stl_load_errors'" in message for message in told)
    recorded = f"select line_number, err_code from stl_load_errors where filename = '{url}' order by 1"
    assert ask(recorded) == [[2, 1213], [3, 1207]]
    assert ask(f"select status, loaded_rows, error_count from sys_load_history where data_source = '{url}'") == [
        ["completed", 2, 2]
    ]


def test_as_many_errors_as_maxerror_fail_the_load(ask: Ask, put: Put, target: str) -> None:
    url = put("a", json_lines({"id": 1}, {"id": None}, {"id": "x"}, {"id": 4}))
    with pytest.raises(ProgrammingError, match="Load into table 'target' failed"):
        ask(copy(target, url, "json maxerror 2"))


def test_a_missing_mandatory_object_loads_nothing(connection: Connection, ask: Ask, put: Put) -> None:
    ask("create table whole (id int)")
    connection.commit()
    there = put("a", json_lines({"id": 1}))
    with pytest.raises(ProgrammingError, match=r"XX000.*Mandatory url.*/gone"):
        ask(copy("whole", put("m", manifest(there, there.removesuffix("a") + "gone")), "json manifest"))
    connection.rollback()
    assert ask("select count(*) from whole") == [[0]]
    optional = json.dumps({"entries": [{"url": there}, {"url": there + "-gone"}]}).encode()
    ask(copy("whole", put("m2", optional), "json manifest"))
    assert ask("select count(*) from whole") == [[1]]


def test_an_object_of_another_size_than_the_manifest_says_loads_nothing(ask: Ask, put: Put, target: str) -> None:
    content = json_lines({"id": 1})
    url = put("a", content)
    ask(copy(target, put("m", manifest(url, content_length=len(content))), "json manifest"))
    with pytest.raises(ProgrammingError, match=f"has {len(content) + 1} bytes, it has {len(content)}"):
        ask(copy(target, put("m", manifest(url, content_length=len(content) + 1)), "json manifest"))


def test_a_cut_off_gzip_object_loads_nothing_whatever_maxerror(connection: Connection, ask: Ask, put: Put) -> None:
    ask("create table cut (id int)")
    connection.commit()
    url = put("a.gz", zipped(json_lines(*[{"id": n} for n in range(5000)]))[:-200])
    with pytest.raises(ProgrammingError, match=r"XX000.*failed to inflate.*a.gz"):
        ask(copy("cut", url, "json gzip maxerror 1000"))
    connection.rollback()
    assert ask("select count(*) from cut") == [[0]]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (copy("target", "s3://lake/nowhere/"), "XX000.*The specified S3 prefix 'nowhere/' does not exist"),
        (copy("target", "s3://no-such-bucket/k"), "XX000.*NoSuchBucket"),
        (copy("target", "s3://lake/nowhere.manifest", "json manifest"), "XX000.*Problem reading manifest.*NoSuchKey"),
        (copy("target", "s3://lake/nowhere/", "json manifest"), "XX000.*full path"),
        (copy("nothing", "s3://lake/k"), "42P01.*Cannot COPY into nonexistent table nothing"),
        (copy("target (id, colour)", "s3://lake/k"), '42703.*column "colour"'),
        (copy("target (name)", "s3://lake/k"), "23502.*NOT NULL column id"),
        (copy("target", "s3://lake/k", "json 's3://lake/nowhere.paths'"), "XX000.*JSONPaths.*NoSuchKey"),
        (copy("target", "s3://lake/k", "json region 'eu-west-1'"), "XX000.*eu-west-1"),
        (copy("target", "s3://lake/k", "avro"), "0A000.*AVRO"),
        (
            copy("target", "s3://lake/k").replace("-copy'", "-other'"),
            "XX000.*Not authorized to get credentials of role",
        ),
        (copy("pg_catalog.pg_class (oid)", "s3://lake/"), "42501|XX000|23502"),
    ],
)
def test_a_copy_that_cannot_be_says_why(ask: Ask, target: str, statement: str, message: str) -> None:
    with pytest.raises(ProgrammingError) as failed:
        ask(statement)
    assert re.search(message, str(failed.value))
    with pytest.raises(ProgrammingError, match="25P02"):
        ask("select 1")


def test_an_empty_manifest_names_no_object(ask: Ask, put: Put, target: str) -> None:
    with pytest.raises(ProgrammingError, match=r"XX000.*names no object"):
        ask(copy(target, put("m", manifest()), "json manifest"))


def test_the_wrong_number_of_jsonpaths_is_told(ask: Ask, put: Put, target: str) -> None:
    paths = put("paths", b'{"jsonpaths": ["$.id"]}')
    with pytest.raises(ProgrammingError, match=r"JSONPath size: 1.*column list: 3"):
        ask(copy(target, put("a", json_lines({"id": 1})), f"json '{paths}'"))


def test_a_column_of_a_type_that_copy_cannot_fill_is_named(ask: Ask, put: Put) -> None:
    ask("create temp table odd (id int, at time)")
    with pytest.raises(ProgrammingError, match=r"0A000.*column at of type time"):
        ask(copy("odd", put("a", json_lines({"id": 1}))))
    ask("rollback")
    ask("create temp table odd (id int, at time)")
    ask(copy("odd (id)", put("a", json_lines({"id": 1}))))


def test_a_table_of_somebody_else_is_not_filled(warehouse: Warehouse, ask: Ask, put: Put) -> None:
    import psycopg2

    with closing(psycopg2.connect(warehouse.postgres.dsn("spacex"))) as owner:
        owner.cursor().execute("create table if not exists private (id int)")
        owner.commit()
    with pytest.raises(ProgrammingError, match=r"42501.*permission denied"):
        ask(copy("private", put("a", json_lines({"id": 1}))))


def test_more_rows_than_fit_in_one_chunk_are_loaded_with_their_line_numbers(ask: Ask, put: Put, target: str) -> None:
    records = [{"id": n, "name": "x" * (n % 5)} for n in range(30_000)]
    records[29_999] = {"id": 1, "name": "too long"}
    url = put("a.gz", zipped(json_lines(*records)))
    ask(copy(target, url, "json gzip maxerror 2"))
    assert ask("select count(*), sum(id) from target") == [[29_999, sum(range(29_999))]]
    assert ask(f"select line_number from stl_load_errors where filename = '{url}'") == [[30_000]]


def test_thousands_of_bad_rows_are_all_recorded(ask: Ask, put: Put, target: str) -> None:
    url = put("a", json_lines(*[{"id": "bad"}] * 3500))
    ask(copy(target, url, "json maxerror 100000"))
    assert ask(f"select count(*) from stl_load_errors where filename = '{url}'") == [[3500]]


def test_a_copy_does_not_hold_up_other_connections(warehouse: Warehouse, ask: Ask, put: Put, target: str) -> None:
    url = put("a.gz", zipped(json_lines(*[{"id": n, "name": "x"} for n in range(100_000)])))
    with closing(warehouse.psycopg()) as quick, closing(warehouse.psycopg(async_=1)) as slow:
        from psycopg2.extras import wait_select

        wait_select(slow)
        cursor = slow.cursor()
        cursor.execute("begin; create table busy (id int, name varchar(5))")
        wait_select(slow)
        cursor.execute(copy("busy", url, "json gzip"))
        answers = 0
        while slow.isexecuting():
            with quick.cursor() as other:
                other.execute("select 1")
                answers += 1
            slow.poll()
        assert answers > 2
        cursor.execute("select count(*) from busy")
        wait_select(slow)
        assert cursor.fetchone() == (100_000,)
