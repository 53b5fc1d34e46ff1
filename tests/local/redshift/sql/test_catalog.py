"""The catalog says what dbt, SQLAlchemy and people ask it, in Redshift's words."""

from typing import Any

import psycopg2
import pytest
from sqlalchemy_redshift.dialect import REFLECTION_SQL  # type: ignore[import-untyped]

from local.redshift.sql import catalog
from tests.local.redshift.sql.conftest import Run


@pytest.fixture
def tables(run: Run) -> Run:
    run("create schema lake")
    run("""create table lake.launches (
            id varchar(24) not null, n int, cost decimal(10, 2), at timestamp, links super, label text, primary key (id)
        ) diststyle key distkey (id) compound sortkey (at, id)""")
    run("create table lake.copied diststyle even as select id, upper(label) as label from lake.launches")
    run("create view lake.seen as select id from lake.launches; comment on table lake.launches is 'Every launch'")
    return run


def test_every_view_has_the_columns_its_head_names(run: Run, cursor: Any) -> None:
    assert len(catalog.relations()) > 25
    for (schema, name), columns in catalog.relations().items():
        run(f'select * from {schema}."{name}" where 1 = 2')
        assert [column[0] for column in cursor.description] == list(columns), name


def test_columns_have_redshifts_types(tables: Run) -> None:
    rows = tables("""select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale
        from information_schema."columns" where table_schema = 'lake' and table_name = 'launches'
        order by ordinal_position""")
    assert rows == [
        ("id", "character varying", 24, None, None),
        ("n", "integer", None, 32, 0),
        ("cost", "numeric", None, 10, 2),
        ("at", "timestamp without time zone", None, None, None),
        ("links", "super", None, None, None),
        ("label", "character varying", 256, None, None),
    ]


def test_a_tables_layout_is_kept_until_it_is_dropped(tables: Run) -> None:
    question = """select "table", diststyle, sortkey1, sortkey_num from svv_table_info where "schema" = 'lake'
        order by 1"""
    assert tables(question) == [("copied", "EVEN", None, 0), ("launches", "KEY(id)", "at", 2)]
    tables("alter table lake.launches rename to flights; drop table lake.copied")
    assert tables(question) == [("flights", "KEY(id)", "at", 2)]
    rows = tables("""select a.attname, a.attisdistkey, a.attsortkeyord from pg_attribute a
        join pg_class c on a.attrelid = c.oid where c.relname = 'flights' and a.attsortkeyord <> 0 order by 3""")
    assert rows == [("at", False, 1), ("id", True, 2)]


def test_dbts_questions_are_answered(tables: Run) -> None:
    listed = tables("""
        select table_catalog as database, table_name as name, table_schema as schema, 'table' as type
        from information_schema.tables where table_schema ilike 'lake' and table_type = 'BASE TABLE'
        union all
        select table_catalog as database, table_name as name, table_schema as schema,
            case when view_definition ilike '%create materialized view%' then 'mv' else 'view' end as type
        from information_schema.views where table_schema ilike 'lake'
        union all
        select distinct 'spacex' as database, proname as name, ns.nspname as schema, 'function' as type
        from pg_proc join pg_namespace as ns on pronamespace = ns.oid where ns.nspname ilike 'lake'
    """)
    assert sorted((row[1], row[3]) for row in listed) == [("copied", "table"), ("launches", "table"), ("seen", "view")]
    assert tables("select has_table_privilege(current_user, 'svv_table_info', 'SELECT') as can_select") == [(True,)]
    assert tables("select count(*) from pg_namespace where nspname = 'lake'") == [(1,)]
    dependencies = tables("""
        with relation as (
            select pg_class.oid as relation_id, pg_class.relname as relation_name, pg_class.relnamespace as schema_id,
                pg_namespace.nspname as schema_name, pg_class.relkind as relation_type
            from pg_class join pg_namespace on pg_class.relnamespace = pg_namespace.oid
            where pg_namespace.nspname != 'information_schema' and pg_namespace.nspname not like 'pg\\_%'
        ),
        dependency as (
            select distinct coalesce(pg_rewrite.ev_class, pg_depend.objid) as dep_relation_id,
                pg_depend.refobjid as ref_relation_id, pg_depend.refclassid as ref_class_id
            from pg_depend left join pg_rewrite on pg_depend.objid = pg_rewrite.oid
            where coalesce(pg_rewrite.ev_class, pg_depend.objid) != pg_depend.refobjid
        )
        select distinct dep.schema_name as dependent_schema, dep.relation_name as dependent_name,
            ref.schema_name as referenced_schema, ref.relation_name as referenced_name
        from dependency
        join relation ref on dependency.ref_relation_id = ref.relation_id
        join relation dep on dependency.dep_relation_id = dep.relation_id
    """)
    assert ("lake", "seen", "lake", "launches") in dependencies
    columns = tables("""
        with late_binding as (
            select table_schema, table_name, 'LATE BINDING VIEW'::varchar as table_type, null::text as table_comment,
                column_name, column_index, column_type, null::text as column_comment
            from pg_get_late_binding_view_cols() cols(
                table_schema name, table_name name, column_name name, column_type varchar, column_index int)
        ),
        early_binding as (
            select sch.nspname as table_schema, tbl.relname as table_name,
                case when tbl.relkind = 'v' then 'VIEW' else 'BASE TABLE' end as table_type,
                tbl_desc.description as table_comment, col.attname as column_name, col.attnum as column_index,
                pg_catalog.format_type(col.atttypid, col.atttypmod) as column_type, null::text as column_comment
            from pg_catalog.pg_namespace sch
            join pg_catalog.pg_class tbl on tbl.relnamespace = sch.oid
            join pg_catalog.pg_attribute col on col.attrelid = tbl.oid
            left outer join pg_catalog.pg_description tbl_desc
                on tbl_desc.objoid = tbl.oid and tbl_desc.objsubid = 0
            where tbl.relkind in ('r', 'v', 'f', 'p') and col.attnum > 0 and not col.attisdropped
                and (upper(sch.nspname) = upper('lake'))
        ),
        unioned as (select * from early_binding union all select * from late_binding),
        table_owners as (
            select schemaname as table_schema, tablename as table_name, tableowner as table_owner from pg_tables
            union all
            select schemaname as table_schema, viewname as table_name, viewowner as table_owner from pg_views
        )
        select 'spacex' as table_database, * from unioned join table_owners using (table_schema, table_name)
        order by "column_index"
    """)
    types = {row[5]: row[7] for row in columns if row[2] == "launches"}
    assert types == {
        "id": "character varying(24)",
        "n": "integer",
        "cost": "numeric(10,2)",
        "at": "timestamp without time zone",
        "links": "super",
        "label": "character varying(256)",
    }
    assert {row[4] for row in columns if row[2] == "launches"} == {"Every launch"}


def test_sqlalchemys_reflection_is_answered(tables: Run) -> None:
    rows = tables(
        REFLECTION_SQL.format(schema_clause="AND schema = 'lake'", table_clause="AND table_name = 'launches'")
    )
    assert [(row[2], row[4], row[5], row[6], row[7]) for row in rows] == [
        ("id", "character varying(24)", True, 2, True),
        ("n", "integer", False, 0, False),
        ("cost", "numeric(10,2)", False, 0, False),
        ("at", "timestamp without time zone", False, 1, False),
        ("links", "super", False, 0, False),
        ("label", "character varying(256)", False, 0, False),
    ]
    assert tables("""select '"lake"."launches"'::regclass::oid""") == tables(
        "select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'lake' and c.relname = 'launches'"
    )


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("show schemas from database translated like 'lak%'", ["lake"]),
        ("show tables from schema translated.lake", ["copied", "launches", "seen"]),
        ("show tables from schema translated.lake like 'l%'", ["launches"]),
        ("show columns from table translated.lake.launches limit 2", ["id", "n"]),
    ],
)
def test_show_lists(tables: Run, cursor: Any, statement: str, expected: list[str]) -> None:
    rows = tables(statement)
    names = [column[0] for column in cursor.description]
    listed = {"schemas": "schema_name", "tables": "table_name", "columns": "column_name"}[statement.split()[1]]
    assert [row[names.index(listed)] for row in rows] == expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("show server_version", "8.0.2"),
        ("show transaction isolation level", "serializable"),
        ("show standard_conforming_strings", "off"),
        ("show timezone", "UTC"),
    ],
)
def test_show_tells_a_parameter(run: Run, statement: str, expected: str) -> None:
    assert run(statement) == [(expected,)]


def test_what_is_the_stand_ins_own_is_not_listed(run: Run) -> None:
    schemas = {row[0] for row in run("select nspname from pg_namespace")}
    assert "public" in schemas
    assert not {name for name in schemas if name.startswith(("redshift", "stand_in"))}
    assert run("select count(*) from information_schema.tables where table_schema like 'redshift%'") == [(0,)]


def test_a_query_group_is_shown_as_it_was_set(run: Run) -> None:
    assert run("show query_group") == [("default",)]
    assert run("set query_group to 'nightly'; show query_group") == [("nightly",)]
    assert run("select current_setting('query_group')") == [("nightly",)]
    assert run("reset query_group; show query_group") == [("default",)]
    with pytest.raises(psycopg2.Error, match='the parameter "shared_buffers" is not known'):
        run("select current_setting('shared_buffers')")


def test_a_database_is_not_made_in_a_transaction(run: Run) -> None:
    with pytest.raises(psycopg2.Error, match="CREATE DATABASE cannot run inside a transaction block"):
        run("create database elsewhere")


def test_roles_and_what_they_may_do_are_told_as_redshift_tells_them(tables: Run) -> None:
    tables("create role catalog_reader; grant usage on schema lake to role catalog_reader")
    tables("grant select on lake.launches to role catalog_reader; grant select on lake.launches to public")
    tables("alter default privileges in schema lake grant select on tables to role catalog_reader")

    assert ("catalog_reader",) in tables("select role_name from svv_roles")
    assert ("lake", "USAGE", "catalog_reader", "role") in tables(
        "select namespace_name, privilege_type, identity_name, identity_type from svv_schema_privileges"
    )
    granted = tables("""select privilege_type, identity_type, identity_name from svv_relation_privileges
        where relation_name = 'launches' and identity_type <> 'user' order by 2""")
    assert granted == [("SELECT", "public", "public"), ("SELECT", "role", "catalog_reader")]
    assert tables("""select schema_name, object_type, privilege_type, grantee_name, grantee_type
        from svv_default_privileges where owner_name = current_user and schema_name = 'lake'""") == [
        ("lake", "RELATION", "SELECT", "catalog_reader", "role")
    ]
    tables("create table lake.later (id int)")
    assert tables("select has_table_privilege('catalog_reader', 'lake.later', 'select')") == [(True,)]


def test_default_privileges_are_of_tables_in_a_schema(run: Run) -> None:
    for statement in (
        "alter default privileges grant select on tables to public",
        "alter default privileges in schema lake grant execute on functions to public",
        "alter default privileges for user somebody in schema lake grant select on tables to public",
    ):
        with pytest.raises(Exception, match=r"expected|not supported"):
            run(statement)


def test_numbers_of_the_catalog_are_divided_as_dbt_docs_does(tables: Run) -> None:
    assert tables("select pct_used / 100.0 from svv_table_info where \"table\" = 'launches'") in ([(0,)], [(None,)])
