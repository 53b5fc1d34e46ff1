"""Queries as dbt, drivers and people write them, run on PostgreSQL: the rows are those Redshift would give."""

from typing import Any

import psycopg2
import pytest

from tests.local.redshift.sql.conftest import Run


@pytest.fixture
def people(run: Run) -> Run:
    run("create table people (id int, name varchar(8), team varchar(8), born date)")
    run("""insert into people values
        (1, 'Ann', 'red', '2000-01-01'), (2, 'Bob', 'red', '2000-01-01'), (3, 'Cid', 'blue', null)""")
    return run


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select 1 as x, x + 1 as y, y * 2 as z", [(1, 2, 4)]),
        ("select id * 10 as tenfold, tenfold + 1 as more from people where tenfold > 20", [(30, 31)]),
        ("with p as (select id from people) select id + 1 as n, n + 1 as m from p where n = 2", [(2, 3)]),
        ("select team, count(*) as n from people group by team having n > 1", [("red", 2)]),
        # a column of the table wins over an alias of its name
        ("select upper(name) as name, name || '!' as loud from people where name = 'Ann'", [("ANN", "Ann!")]),
        ("with p as (select id, name from people) select id + 5 as name, name as n from p where id = 1", [(6, "Ann")]),
    ],
)
def test_an_alias_can_be_used_further_on(people: Run, query: str, rows: list[Any]) -> None:
    assert people(query) == rows


def test_an_alias_that_may_be_a_column_too_is_refused_by_the_database(people: Run) -> None:
    with pytest.raises(psycopg2.errors.AmbiguousColumn):
        people("select id + 1 as team, team || 'x' from people")


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (
            "select id, team from people p qualify row_number() over (partition by team order by id) = 1 order by id",
            [(1, "red"), (3, "blue")],
        ),
        (
            "select p.id, row_number() over (partition by team order by id desc) as place from people as p"
            " where true qualify place = 1 order by p.name",
            [(2, 1), (3, 1)],
        ),
        (
            "select name as n from people where id < 3 qualify rank() over (order by born) = 1 order by n desc limit 1",
            [("Bob",)],
        ),
        (
            "select team, count(*) from people p group by team qualify rank() over (order by count(*) desc) = 1",
            [("red", 2)],
        ),
    ],
)
def test_qualify_filters_by_a_window_function(people: Run, query: str, rows: list[Any]) -> None:
    assert people(query) == rows


def test_qualify_keeps_a_stars_columns(people: Run, cursor: Any) -> None:
    rows = people("select * from people as p qualify row_number() over (order by id) = 2")
    assert [column[0] for column in cursor.description] == ["id", "name", "team", "born"]
    assert rows[0][:3] == (2, "Bob", "red")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (
            "select id::varchar, upper(name), date_part(year, born), nvl(name, 'x') from people",
            "id upper pgdate_part coalesce",
        ),
        (
            "select dateadd(day, 1, born), datediff(day, born, born), decode(id, 1, 2) from people",
            "date_add date_diff case",
        ),
        ("select count(*), sum(id) from people", "count sum"),
    ],
)
def test_columns_without_an_alias_have_redshifts_names(people: Run, cursor: Any, query: str, names: str) -> None:
    people(query)
    assert [column[0] for column in cursor.description] == names.split()


def test_rows_are_compared_updated_and_deleted_as_the_loader_does(people: Run) -> None:
    people("create table staged (id int, name varchar(8), _row_hash varchar(64))")
    people("insert into staged select id, name, sha2(coalesce(name::varchar, '') || '|', 256) from people where id < 3")
    people("update people set name = s.name || '2' from staged s where people.id = s.id and s.id = 1")
    people("delete from people using staged where people.id = staged.id and staged.id = 2")
    people(
        "insert into people (id, name) select s.id, s.name from staged as s left join people as p on p.id = s.id"
        " where p.id is null"
    )
    assert people("select id, name from people order by id") == [(1, "Ann2"), (2, "Bob"), (3, "Cid")]


def test_a_string_beside_a_date_in_a_union_is_one(people: Run) -> None:
    people("create table days as select '2020-02-29' as day union all select born from people where id = 1")
    assert people("select max(day) - min(day) from days") == [(7364,)]


def test_a_number_orders_nothing_in_a_window(people: Run) -> None:
    assert sorted(people("select row_number() over (order by 1) from people")) == [(1,), (2,), (3,)]


@pytest.mark.parametrize(
    "query",
    [
        "select id from (select id, name from people) where name = 'Ann'",
        "select a.id from (select id from people where id < 2) a, (select 5 as five)",
        "select * from (select id from people) where exists (select 1 from (select 2 as two) where two > id)",
        "select id from (select id, name from people) qualify row_number() over (order by name) = 1",
    ],
)
def test_a_subquery_needs_no_alias(people: Run, query: str) -> None:
    assert people(query) == [(1,)]


def test_merge_updates_and_inserts(people: Run) -> None:
    people("create temp table renamed as select 1 as id, 'Zoe' as name union all select 9, 'New'")
    people("""
        merge into people using renamed as s
        on s.id = people.id
        when matched then update set name = s.name
        when not matched then insert (id, name) values (s.id, s.name)
    """)
    assert people("select id, name from people where id in (1, 9) order by id") == [(1, "Zoe"), (9, "New")]


def test_keys_are_not_enforced_but_null_is(run: Run) -> None:
    run("create table keyed (id int primary key, other int unique, third int references keyed (id))")
    run("insert into keyed values (1, 1, 7), (1, 1, 8)")
    assert run("select count(*) from keyed") == [(2,)]
    with pytest.raises(psycopg2.errors.NotNullViolation):
        run("insert into keyed values (null, 1, 1)")


def test_varchar_counts_bytes(run: Run) -> None:
    run("create table bytes (a varchar(5))")
    run("insert into bytes values ('abcde'), ('äö'), (null)")
    with pytest.raises(psycopg2.errors.StringDataRightTruncation, match='"a" takes 5 bytes, the value has 6'):
        run("insert into bytes values ('äöü')")


def test_a_varchar_column_can_be_resized(run: Run) -> None:
    run("create table bytes (a varchar(2)); alter table bytes alter column a type varchar(6)")
    run("insert into bytes values ('äöü')")
    with pytest.raises(psycopg2.errors.StringDataRightTruncation):
        run("insert into bytes values ('äöüa')")


def test_a_default_and_an_identity_fill_in(run: Run) -> None:
    run("create table filled (id bigint identity(5, 2), at timestamp default getdate(), n int)")
    run("insert into filled (n) values (1), (2)")
    assert run("select id, at is not null from filled order by id") == [(5, True), (7, True)]


def test_a_star_over_an_unnested_array_has_the_element_and_no_index(run: Run, cursor: Any) -> None:
    run("create table nested as select 1 as id, json_parse('[7]') as numbers")
    assert run("select * from nested as n, n.numbers as number") == [(1, "[7]", "7")]
    assert [column[0] for column in cursor.description] == ["id", "numbers", "number"]


def test_a_user_may_write_but_not_reach_the_stand_ins_own_schemas(run: Run, cursor: Any) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute("delete from redshift.table_layout")
