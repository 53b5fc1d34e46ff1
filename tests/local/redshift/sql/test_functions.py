"""Functions give what the Redshift developer guide says, also where PostgreSQL would say something else."""

from decimal import Decimal
from typing import Any

import psycopg2
import pytest

from tests.local.redshift.sql.conftest import Run

SCALARS = [
    # strings
    ("len('äö')", 2),
    ("length('abc')", 3),
    ("octet_length('äö')", 4),
    ("charindex('b', 'abc')", 2),
    ("strpos('abc', 'c')", 3),
    ("position('b' in 'abc')", 2),
    ("left('abc', 2) || right('abc', 1)", "abc"),
    ("concat('a', null)", None),
    ("concat('a', 1::varchar)", "a1"),
    ("lpad('a', 3, '0') || rpad('a', 3, '0')", "00aa00"),
    ("btrim('xax', 'x') || ltrim(' a') || rtrim('a ')", "aaa"),
    ("trim(both 'x' from 'xax')", "a"),
    ("trim('  a ')", "a"),
    ("substring('caterpillar', 0, 4)", "cat"),
    ("substring('caterpillar', 6, 4)", "pill"),
    ("initcap('one two')", "One Two"),
    ("reverse('abc')", "cba"),
    ("replace('aXb', 'X', '-')", "a-b"),
    ("translate('mint tea', 'inea', 'osin')", "most tin"),
    ("repeat('ab', 2)", "abab"),
    ("split_part('a,b,c', ',', 2)", "b"),
    ("split_part('a,b,c', ',', 9)", ""),
    ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
    ("sha2('a', 256)", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ("sha2('a', 0) = sha2('a', 256)", True),
    ("sha2(null, 256)", None),
    ("strtol('ff', 16)", 255),
    ("strtol('0xff', 16)", 255),
    ("strtol('-101', 2)", -5),
    ("to_hex(255)", "ff"),
    ("'abc'::varchar(2)", "ab"),
    ("'äöü'::varchar(5)", "äö"),
    ("'äöü'::char(2)", "äö"),
    ("chr(65) || ascii('A')::varchar", "A65"),
    # patterns: every occurrence is replaced, and a backslash is written twice
    ("regexp_substr('the fox', '[a-z]{3}', 5)", "fox"),
    ("regexp_substr('the fox', 'x+y')", ""),
    ("regexp_substr('the fox', 'FOX', 1, 1, 'i')", "fox"),
    ("regexp_replace('a1b22', '[0-9]+', '#')", "a#b#"),
    ("regexp_replace('a.b.c', '\\\\.')", "abc"),
    ("regexp_replace('the fox', 'FOX', 'cat', 1, 'i')", "the cat"),
    ("regexp_count('abcabc', 'b')", 2),
    ("regexp_instr('abc', 'c')", 3),
    ("'a1' ~ '\\\\d'", True),
    ("'a1' ~ '\\d'", False),
    ("'a_b' like 'a\\\\_b' and not 'axb' like 'a\\\\_b'", True),
    ("'abc' similar to '%(b|d)%'", True),
    ("'ABC' ilike 'a%' and 'ABC' not like 'a%'", True),
    # choices
    ("nvl(null, 'x')", "x"),
    ("nvl2(null, 1, 2)", 2),
    ("nvl2(0, 1, 2)", 1),
    ("decode(null, null, 'none', 'some')", "none"),
    ("decode(2, 1, 'one', 2, 'two')", "two"),
    ("decode(3, 1, 'one', 2, 'two')", None),
    ("coalesce(null, nullif(1, 1), 3)", 3),
    ("greatest(1, null, 3) + least(2, null)", 5),
    # numbers
    ("7 / 2", 3),
    ("mod(7, 3) + 7 % 4", 4),
    ("round(2.5) + round(-2.5)", 0),
    ("round(2.5::float8)", 3.0),
    ("round(1.2345, 2)", Decimal("1.23")),
    ("trunc(1.999, 1)", Decimal("1.9")),
    ("power(2, 3) + sqrt(9) + abs(-1)", 12.0),
    ("ceil(1.2) + floor(1.8)", 3),
    ("cast('12.345' as decimal)", 12),
    ("cast(1.005 as decimal(5, 2))", Decimal("1.01")),
    # dates: boundaries are counted, and m is a minute
    ("datediff(year, '2008-12-31', '2009-01-01')", 1),
    ("datediff(month, '2020-01-31', '2020-02-01')", 1),
    ("datediff(qtr, '2008-03-31', '2008-04-01')", 1),
    ("datediff(day, '2020-01-01 23:59:59', '2020-01-02 00:00:00')", 1),
    ("datediff(hour, '2020-01-01 00:59', '2020-01-01 01:00')", 1),
    ("datediff(h, '2009-01-01 08:30', '2009-01-01 10:00')", 2),
    ("datediff('second', '2020-01-01 00:00:00.9', '2020-01-01 00:00:01')", 1),
    ("datediff(ms, '2020-01-01 00:00:00', '2020-01-01 00:00:01')", 1000),
    ("datediff(minute, time '20:00:00', time '21:00:00')", 60),
    ("datediff(day, '2020-01-02', '2020-01-01')", -1),
    ("dateadd(month, 18, '2008-02-28')::varchar", "2009-08-28 00:00:00"),
    ("dateadd(m, 30, '2008-02-28')::varchar", "2008-02-28 00:30:00"),
    ("dateadd(month, 1, '2008-04-30')::varchar", "2008-05-30 00:00:00"),
    ("dateadd(month, 12, '2016-02-29')::varchar", "2017-02-28 00:00:00"),
    ("dateadd(year, 1, '2016-02-29')::varchar", "2017-03-01 00:00:00"),
    ("dateadd(hour, 12, time '13:24:55')::varchar", "01:24:55"),
    ("dateadd(day, -1, '2020-03-01'::date)::varchar", "2020-02-29 00:00:00"),
    ("add_months('2008-04-30', 1)::varchar", "2008-05-31 00:00:00"),
    ("last_day('2020-02-03')::varchar", "2020-02-29"),
    ("date_part(w, '2008-06-17 09:44:54')", 25.0),
    ("date_part(dow, '2022-05-02')", 1.0),
    ("extract(second from timestamp '2009-09-09 12:08:43.9')", 43),
    ("extract(ms from timestamp '2009-09-09 12:08:43.101')", 101),
    ("extract(epoch from timestamp '1970-01-02')", 86400),
    ("datediff(week, '2009-01-01', '2009-12-31')", 52),
    ("datediff(week, '2020-01-06 02:00:00', '1999-12-31 23:59:59')", -1045),
    ("date_trunc('week', '2020-01-05')::varchar", "2019-12-30 00:00:00"),
    ("date_trunc('month', date '2020-02-03')::varchar", "2020-02-01 00:00:00"),
    ("trunc(timestamp '2020-02-03 04:05')::varchar", "2020-02-03"),
    ("convert_timezone('America/New_York', '2013-02-01 08:00:00')::varchar", "2013-02-01 03:00:00"),
    ("convert_timezone('EST', 'PST', '2013-02-01 08:00:00')::varchar", "2013-02-01 05:00:00"),
    ("to_char(timestamp '2009-12-31 23:15:59', 'MONTH-DY-DD-YYYY HH24:MI')", "DECEMBER -THU-31-2009 23:15"),
    ("to_date('02 Oct 2001', 'DD Mon YYYY')::varchar", "2001-10-02"),
    ("to_timestamp('2011-12-18 04:38:15', 'YYYY-MM-DD HH24:MI:SS')::varchar", "2011-12-18 04:38:15+00"),
    ("(date '2020-01-31' + interval '1 day')::varchar", "2020-02-01 00:00:00"),
    ("(timestamptz '2020-01-01 00:00:00+00' at time zone 'EST')::varchar", "2019-12-31 19:00:00"),
    ("getdate() <= sysdate + interval '1 minute' and trunc(getdate()) = current_date", True),
    # the session
    ("current_user", "loader"),
    ("current_database()", "translated"),
    ("strpos(version(), 'PostgreSQL 8.0.2')", 1),
]


@pytest.mark.parametrize(("expression", "expected"), SCALARS, ids=[row[0] for row in SCALARS])
def test_a_function_gives_what_redshift_says(run: Run, expression: str, expected: Any) -> None:
    value = run(f"select {expression}")[0][0]
    assert value == expected
    assert type(value) is type(expected) or isinstance(value, Decimal)


@pytest.fixture
def numbers(run: Run) -> Run:
    run("create table numbers (grp varchar(1), n int, x decimal(6, 2), f float8, r real, name varchar(8))")
    run("""insert into numbers values
        ('a', 1, 1.00, 0.5, 0.5, 'ten'), ('a', 2, 2.50, 1.5, 1.5, 'two'), ('a', 10, null, null, null, ''),
        ('b', 9, 3.25, 9.0, 9.0, null)""")
    return run


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("avg(n)", 5),
        ("avg(-n)", -5),
        ("avg(n::bigint)", 5),
        ("avg(f)", 11.0 / 3),
        ("sum(n)", 22),
        ("sum(n::bigint)", 22),
        ("sum(x)", Decimal("6.75")),
        ("sum(r)", 11.0),
        ("min(n) + max(n)", 11),
        ("count(*) + count(name) + count(distinct grp)", 9),
        ("approximate count(distinct grp)", 2),
        ("listagg(name, ', ') within group (order by n desc)", "two, ten"),
        ("listagg(distinct n, '|') within group (order by n)", "1|2|9|10"),
        ("listagg(n) within group (order by n)", "12910"),
        ("median(n)", 5.5),
        ("round(stddev(n), 3)", 4.655),
        ("bool_and(n > 0) and bool_or(n > 9)", True),
        ("any_value(grp) is not null", True),
        ("sum(n) over () = 22", None),
    ],
)
def test_an_aggregate_gives_what_redshift_says(numbers: Run, expression: str, expected: Any) -> None:
    if "over" in expression:
        assert numbers(f"select distinct {expression} from numbers") == [(True,)]
    else:
        assert numbers(f"select {expression} from numbers") == [(expected,)]


def test_aggregates_of_nothing_are_null(numbers: Run) -> None:
    rows = numbers("select sum(n), avg(n), sum(r), listagg(name, ','), median(n) from numbers where false")
    assert rows == [(None, None, None, None, None)]


def test_window_functions_number_rank_and_look_around(numbers: Run) -> None:
    rows = numbers("""
        select n, row_number() over (partition by grp order by n) as place, lag(n) over (order by n) as before,
            lead(n, 2) over (order by n) as after, ntile(2) over (order by n) as half,
            sum(n) over (partition by grp order by n rows unbounded preceding) as running,
            first_value(n) over (order by n rows between unbounded preceding and unbounded following) as lowest
        from numbers order by n
    """)
    assert rows == [
        (1, 1, None, 9, 1, 1, 1),
        (2, 2, 1, 10, 1, 3, 1),
        (9, 1, 2, None, 2, 9, 1),
        (10, 3, 9, None, 2, 13, 1),
    ]


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("avg(x) from numbers", psycopg2.errors.FeatureNotSupported),
        ("true::varchar", psycopg2.errors.CannotCoerce),
        ("datediff(week, '2020-01-04', '2020-01-05')", psycopg2.errors.FeatureNotSupported),
        ("split_part('a', ',', 0)", psycopg2.errors.InvalidParameterValue),
        ("regexp_replace('a', 'a', '\\\\1')", psycopg2.errors.FeatureNotSupported),
        ("regexp_substr('a', 'a', 1, 1, 'p')", psycopg2.errors.FeatureNotSupported),
        ("strtol('9', 8)", psycopg2.errors.InvalidTextRepresentation),
        ("n = name from numbers", psycopg2.errors.UndefinedFunction),
        ("5.0::decimal(2, 1)::boolean", psycopg2.errors.CannotCoerce),
    ],
)
def test_what_redshift_does_not_do_or_does_not_say_is_an_error(
    numbers: Run, expression: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        numbers(f"select {expression}")
