"""A materialized view holds what its query gave when it was last refreshed; the catalog shows it as Redshift's does."""

import psycopg2
import pytest

from local.redshift.sql import Refused, translate
from tests.local.redshift.sql.conftest import Run


@pytest.fixture
def view(run: Run) -> Run:
    run("create schema lake; create table lake.launches as select 1 as id, 'Starlink'::varchar(20) as name")
    run("""create materialized view lake.seen backup no diststyle key distkey (id) sortkey (name) auto refresh no
        as (select id, name from lake.launches)""")
    return run


def test_it_shows_new_rows_when_it_is_refreshed_and_not_before(view: Run) -> None:
    view("insert into lake.launches values (2, 'Transporter')")
    assert view("select count(*) from lake.seen") == [(1,)]
    view("refresh materialized view lake.seen")
    assert view("select count(*) from lake.seen") == [(2,)]


def test_it_holds_its_table(view: Run) -> None:
    with pytest.raises(psycopg2.Error, match="depend on it"):
        view("drop table lake.launches")


def test_it_goes_with_its_table(view: Run) -> None:
    view("drop table lake.launches cascade; drop materialized view if exists lake.seen cascade")
    assert view("select * from svv_mv_info") == []


@pytest.mark.parametrize(
    "change",
    [
        "insert into lake.seen values (3, 'Crew-2')",
        "delete from lake.seen",
        "drop view lake.seen",
        "alter table lake.seen rename to other",
        "alter table lake.seen rename column id to number",
        "create materialized view lake.seen as select 1 as id",
    ],
)
def test_what_redshift_does_not_do_to_one_fails(view: Run, change: str) -> None:
    with pytest.raises(psycopg2.Error):
        view(change)


def test_the_catalog_shows_a_view_and_the_table_of_its_rows(view: Run) -> None:
    assert view("select table_type from information_schema.tables where table_name = 'seen'") == [("VIEW",)]
    assert view(
        "select table_name from information_schema.views where view_definition ilike '%create materialized%'"
    ) == [("seen",)]
    assert view(
        "select definition ilike 'create materialized view lake.seen as (%' from pg_views where viewname = 'seen'"
    ) == [(True,)]
    assert view("""select a.attname, a.attisdistkey, a.attsortkeyord from pg_class c
        join pg_attribute a on a.attrelid = c.oid where c.relname like 'mv_tbl__seen__%' and a.attnum > 0""") == [
        ("id", True, 0),
        ("name", False, 1),
    ]
    assert view("""select column_name, data_type, character_maximum_length from information_schema.columns
        where table_name = 'seen' order by ordinal_position""") == [
        ("id", "integer", None),
        ("name", "character varying", 20),
    ]
    assert view("select diststyle, sortkey1 from svv_table_info where \"table\" = 'seen'") == [("KEY(id)", "name")]
    shown = {(row[2], row[3], row[7]) for row in view("show tables from schema translated.lake")}
    assert shown == {("launches", "TABLE", "REGULAR TABLE"), ("seen", "VIEW", "MATERIALIZED VIEW")}


def test_auto_refresh_is_shown_as_it_was_set(view: Run) -> None:
    view("create materialized view lake.fresh auto refresh yes as select id from lake.launches")
    assert view("select name, autorefresh from svv_mv_info order by name") == [("fresh", "t"), ("seen", "f")]
    view("alter materialized view lake.seen auto refresh yes; alter materialized view lake.fresh auto refresh no")
    assert view("select name, autorefresh from stv_mv_info order by name") == [("fresh", "f"), ("seen", "t")]


def test_it_is_commented_on_as_a_view(view: Run) -> None:
    view("comment on view lake.seen is 'It''s seen'; create view lake.plain as select 1 as one")
    view("comment on view lake.plain is 'Plain'; comment on view lake.plain is null")
    assert view("select table_name, remarks from svv_tables where remarks is not null") == [("seen", "It's seen")]
    with pytest.raises(psycopg2.Error, match="is not a view"):
        view("comment on view lake.launches is 'No view'")


def test_only_a_materialized_view_is_refreshed_by_itself(view: Run) -> None:
    with pytest.raises(psycopg2.Error, match='"launches" is not a materialized view'):
        view("alter materialized view lake.launches auto refresh yes")


@pytest.mark.parametrize(
    "statement",
    [
        "create or replace materialized view v as select 1 as a",
        "create materialized view v with no data as select 1 as a",
        "refresh materialized view concurrently v",
        "refresh materialized view v cascade",
        "alter materialized view v rename to w",
    ],
)
def test_what_only_postgresql_says_of_one_is_refused(statement: str) -> None:
    with pytest.raises(Refused):
        translate(statement)
