"""Tests the wire protocol with the real drivers (types, transactions, parameters, errors) and message by message."""

import asyncio
import datetime
import math
import ssl
import threading
from contextlib import closing
from decimal import Decimal

import psycopg2
import pytest
from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError

from local.redshift import messages
from local.redshift.stream import MessageStream
from tests.local.redshift.conftest import Ask
from tests.local.redshift.warehouse import PASSWORD, Warehouse

UTC = datetime.UTC


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("7::int2", 7),
        ("(-2147483648)::int4", -2147483648),
        ("9223372036854775807::int8", 9223372036854775807),
        ("12.340::numeric(8,3)", Decimal("12.340")),
        ("1.5::float4", 1.5),
        ("1e300::float8", 1e300),
        ("true", True),
        ("'Falcon 9 – Ø'::varchar(20)", "Falcon 9 – Ø"),
        ("'ab'::char(4)", "ab  "),
        ("date '2006-03-24'", datetime.date(2006, 3, 24)),
        ("timestamp '2006-03-24 22:30:00.5'", datetime.datetime(2006, 3, 24, 22, 30, 0, 500000)),  # noqa: DTZ001
        ("timestamptz '2006-03-24 22:30:00+02'", datetime.datetime(2006, 3, 24, 20, 30, tzinfo=UTC)),
        ("""'{"a": [1, null]}'::jsonb""", '{"a": [1, null]}'),
        ("null::int", None),
    ],
)
def test_a_value_comes_back_as_it_went_in(warehouse: Warehouse, ask: Ask, expression: str, expected: object) -> None:
    assert ask(f"select {expression}") == [[expected]]
    if "float" not in expression:
        with closing(warehouse.psycopg()) as connection, connection.cursor() as cursor:
            cursor.execute(f"select {expression}")
            assert cursor.fetchone() == (expected,)


def test_a_semi_structured_value_has_supers_number(connection: Connection) -> None:
    cursor = connection.cursor()
    cursor.execute("select 1 as before, '[]'::jsonb as nested, 'x'::varchar as after")
    assert cursor.description is not None
    assert [column[1] for column in cursor.description] == [23, 4000, 1043]


def test_the_server_calls_itself_what_redshift_does(warehouse: Warehouse) -> None:
    with closing(warehouse.psycopg()) as connection:
        assert connection.server_version == 80002
        assert connection.encoding == "UTF8"


def test_what_is_rolled_back_is_gone(connection: Connection, ask: Ask) -> None:
    ask("create table gone (id int)")
    connection.commit()
    ask("insert into gone values (1)")
    connection.rollback()
    assert ask("select count(*) from gone") == [[0]]


def test_many_rows_go_in_with_parameters_of_every_type(ask: Ask, connection: Connection) -> None:
    ask("create temp table many (i int, n numeric(10,2), f float8, b bool, t varchar(20), d date, s timestamptz)")
    when = datetime.datetime(2020, 5, 30, 19, 22, tzinfo=UTC)
    rows = [[n, Decimal("1.25") * n, n / 3, n % 2 == 0, f"it's {n}", when.date(), when] for n in range(50)]
    rows.append([None] * 7)
    cursor = connection.cursor()
    cursor.executemany("insert into many values (%s, %s, %s, %s, %s, %s, %s)", rows)
    assert ask("select * from many order by i") == rows


def test_an_error_carries_its_code_and_fails_the_transaction(connection: Connection, ask: Ask) -> None:
    with pytest.raises(ProgrammingError, match="22012"):
        ask("select 1/0")
    with pytest.raises(ProgrammingError, match="25P02"):
        ask("select 1")
    connection.rollback()
    assert ask("select 1") == [[1]]


def test_a_null_where_none_may_be_is_refused_in_redshifts_words(ask: Ask) -> None:
    ask("create temp table named (id int not null, name varchar)")
    with pytest.raises(ProgrammingError) as refused:
        ask("insert into named values (null, 'Starlink')")
    assert refused.value.args[0] == {
        "S": "ERROR", "C": "23502", "M": "Cannot insert a NULL value into column id"
    }  # fmt: skip


def test_a_refused_statement_fails_the_transaction_as_any_error_does(connection: Connection, ask: Ask) -> None:
    ask("create temp table kept (id int)")
    with pytest.raises(ProgrammingError, match=r"0A000.*REFUSE is not supported.*Say something"):
        ask("refuse this")
    with pytest.raises(ProgrammingError, match="25P02"):
        ask("select 1")
    connection.rollback()
    with pytest.raises(ProgrammingError, match="42P01"):
        ask("select * from kept")


def test_a_statement_without_effect_is_answered_with_its_own_name(
    connection: Connection, warehouse: Warehouse, ask: Ask
) -> None:
    ask("vacuum")
    ask("analyze t")
    with pytest.raises(ProgrammingError, match="22012"):
        ask("select 1/0")
    with pytest.raises(ProgrammingError, match="25P02"):
        ask("vacuum")
    with closing(warehouse.psycopg()) as other, other.cursor() as cursor:
        for statement, tag in (("vacuum", "VACUUM"), ("analyze t", "ANALYZE"), ("begin", "BEGIN")):
            cursor.execute(statement)
            assert cursor.statusmessage == tag


def test_statements_sent_together_are_one_transaction(warehouse: Warehouse) -> None:
    for statements in (
        "create table together (id int); select 1/0",
        "create table together (id int); vacuum; select 1/0",
        "create table together (id int); vacuum; refuse it",
    ):
        with closing(warehouse.psycopg()) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                with pytest.raises(psycopg2.Error):
                    cursor.execute(statements)
                with pytest.raises(psycopg2.errors.UndefinedTable):
                    cursor.execute("select * from together")
                cursor.execute("create temp table together (id int); vacuum; insert into together values (1); select 7")
                assert cursor.fetchall() == [(7,)]


def test_several_statements_cannot_be_prepared_as_one(ask: Ask) -> None:
    with pytest.raises(ProgrammingError, match="42601"):
        ask("select 1; select 2")


def test_an_empty_statement_leaves_the_connection_usable(warehouse: Warehouse) -> None:
    with closing(warehouse.psycopg()) as connection, connection.cursor() as cursor:
        for nothing in ("", ";"):
            with pytest.raises(psycopg2.ProgrammingError, match="can't execute an empty query"):
                cursor.execute(nothing)
        cursor.execute("select 1")
        assert cursor.fetchone() == (1,)


def test_a_large_result_arrives_whole(ask: Ask) -> None:
    rows = ask("select n, repeat('x', 20) from generate_series(1, 50000) as n")
    assert len(rows) == 50000
    assert rows[-1] == [50000, "x" * 20]


def test_a_value_of_many_megabytes_passes_both_ways(ask: Ask) -> None:
    text = "é" * 3_000_000
    assert ask("select %s::text", (text,)) == [[text]]


def test_a_cancelled_statement_ends_and_the_connection_lives_on(warehouse: Warehouse) -> None:
    with closing(warehouse.psycopg()) as connection, connection.cursor() as cursor:
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        with pytest.raises(psycopg2.errors.QueryCanceled):
            cursor.execute("select pg_sleep(60)")
        timer.join()
        connection.rollback()
        cursor.execute("select 1")
        assert cursor.fetchone() == (1,)


def test_connections_do_not_wait_for_each_other(warehouse: Warehouse) -> None:
    with closing(warehouse.psycopg()) as slow, closing(warehouse.psycopg()) as quick:
        timer = threading.Thread(target=lambda: slow.cursor().execute("select pg_sleep(2)"))
        timer.start()
        with quick.cursor() as cursor:
            cursor.execute("select 1")
            assert cursor.fetchone() == (1,)
        assert timer.is_alive()
        slow.cancel()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(threading, "excepthook", lambda _: None)
            timer.join()


def test_infinities_and_not_a_number_are_floats(ask: Ask) -> None:
    ((high, low, neither),) = ask("select 'inf'::float8, '-inf'::float8, 'nan'::float8")
    assert (high, low) == (math.inf, -math.inf)
    assert math.isnan(neither)


def _step(message: bytes) -> bytes:
    """As redshift_connector sends each: with a Flush behind it."""
    return message + messages.FLUSH


_STEPS = [
    _step(messages.parse("asked", "select 7")),
    _step(messages.bind("", "asked")),
    _step(messages.execute("")),
    messages.SYNC,
]


@pytest.mark.parametrize("sent_together", [1, 2, 4])
def test_a_flush_is_answered_though_no_message_follows(warehouse: Warehouse, sent_together: int) -> None:
    kinds = asyncio.run(_kinds_of_answers(warehouse, sent_together))
    assert kinds == [b"1", b"2", b"D", b"C", b"Z"]


async def _kinds_of_answers(warehouse: Warehouse, sent_together: int) -> list[bytes]:
    """What comes back when so many of the messages go out at once, and the next only when those are answered."""
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", warehouse.port)
        writer.write((8).to_bytes(4, "big") + messages.SSL_REQUEST.to_bytes(4, "big"))
        assert await reader.readexactly(1) == b"S"
        authority = ssl.create_default_context(cafile=str(warehouse.certificates.authority))
        await writer.start_tls(authority, server_hostname="127.0.0.1")
        stream = MessageStream(reader)
        writer.write(messages.startup({"user": "loader", "database": "spacex"}))
        await stream.next()
        writer.write(messages.message(b"p", messages.text(PASSWORD)))
        await _until(stream, b"Z")
        kinds: list[bytes] = []
        lasts = [b"1", b"2", b"C", b"Z"]
        for start in range(0, len(_STEPS), sent_together):
            end = start + sent_together
            writer.write(b"".join(_STEPS[start:end]))
            kinds += await _until(stream, lasts[end - 1])
        writer.write(messages.message(b"X"))
        writer.close()
        await writer.wait_closed()
        return kinds


async def _until(stream: MessageStream, last: bytes) -> list[bytes]:
    kinds: list[bytes] = []
    while not kinds or kinds[-1] != last:
        kinds.append((await stream.next())[:1])
    return kinds
