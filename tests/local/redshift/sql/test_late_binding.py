"""A view WITH NO SCHEMA BINDING reads whatever its names lead to when it is queried, and holds nothing back."""

import psycopg2
import pytest

from local.redshift.sql import Refused
from tests.local.redshift.sql.conftest import Run


@pytest.fixture
def view(run: Run) -> Run:
    run("create schema lake; create table lake.launches as select 1 as id, 'Starlink'::varchar(20) as name")
    run("create view lake.seen as select * from lake.launches with no schema binding")
    return run


def test_it_reads_what_its_names_lead_to(view: Run) -> None:
    view("create table lake.newer as select 2 as id, 'Transporter'::varchar(20) as name")
    view("alter table lake.launches rename to older; alter table lake.newer rename to launches")
    view("drop table lake.older cascade")
    assert view("select id, name from lake.seen") == [(2, "Transporter")]


def test_without_its_table_it_fails_when_it_is_queried(view: Run) -> None:
    view("drop table lake.launches")
    with pytest.raises(psycopg2.Error, match=r'relation "lake\.launches" does not exist'):
        view("select id from lake.seen")


def test_the_columns_of_a_new_table_are_its_own_and_its_grants_stay(view: Run) -> None:
    view("grant select on lake.seen to public; drop table lake.launches")
    view("create table lake.launches as select 'Crew-2'::varchar(20) as mission")
    assert view("select * from lake.seen") == [("Crew-2",)]
    assert view("select has_table_privilege('pg_monitor', 'lake.seen', 'select')") == [(True,)]


def test_it_may_be_there_before_its_table(run: Run) -> None:
    run("create schema lake; create view lake.seen (a) as select id from lake.launches with no schema binding")
    run("create table lake.launches as select 7 as id")
    assert run("select a from lake.seen") == [(7,)]


def test_one_may_read_another(view: Run) -> None:
    view("create view lake.again as select name from lake.seen with no schema binding")
    view("drop table lake.launches cascade")
    view("create table lake.launches as select 'Crew-2'::varchar(20) as name, 3 as id")
    assert view("select * from lake.again") == [("Crew-2",)]


def test_a_column_under_it_may_change(view: Run) -> None:
    view("alter table lake.launches alter column name type varchar(40)")
    view("alter table lake.launches drop column id")
    assert view("select name from lake.seen") == [("Starlink",)]


def test_a_view_with_schema_binding_still_holds_its_table(view: Run) -> None:
    view("create view lake.bound as select id from lake.launches")
    with pytest.raises(psycopg2.Error, match=r"cannot drop table lake\.launches because other objects depend on it"):
        view("drop table lake.launches")


def test_its_columns_are_listed_apart(view: Run) -> None:
    columns = """select view_schema, view_name, col_name, col_type, col_num from pg_get_late_binding_view_cols()
        cols(view_schema name, view_name name, col_name name, col_type varchar, col_num int) order by col_num"""
    assert view(columns) == [
        ("lake", "seen", "id", "integer", 1),
        ("lake", "seen", "name", "character varying(20)", 2),
    ]
    assert view("select column_name from information_schema.columns where table_name = 'seen'") == []
    assert view("select column_name from svv_columns where table_name = 'seen' order by ordinal_position") == [
        ("id",),
        ("name",),
    ]


def test_replaced_by_a_view_with_schema_binding_it_is_one(view: Run) -> None:
    view("create or replace view lake.seen as select id, name from lake.launches")
    with pytest.raises(psycopg2.Error, match="depend on it"):
        view("drop table lake.launches")


def test_it_may_be_replaced_and_dropped(view: Run) -> None:
    view("create or replace view lake.seen as select id, name from lake.launches where id > 1 with no schema binding")
    assert view("select * from lake.seen") == []
    view("drop view lake.seen; create view lake.seen as select 1 as id")


def test_relations_in_it_need_their_schema(run: Run) -> None:
    with pytest.raises(Refused, match="relation names inside should be qualified"):
        run("create view lake.seen as select * from launches with no schema binding")
    run("create view seen as with l as (select 1 as id) select * from l with no schema binding")
    assert run("select * from seen") == [(1,)]
