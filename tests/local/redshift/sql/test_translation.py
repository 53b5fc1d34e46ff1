"""What each kind of statement becomes, text in, text out; and what clients may write that PostgreSQL may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.redshift.sql import Refused, Translated, translate
from local.redshift.sql.lexing import Kind, statements

STATEMENTS = [
    # transactions
    ("begin", "BEGIN"),
    ("begin transaction", "BEGIN"),
    ("BEGIN READ ONLY;", "BEGIN READ ONLY"),
    ("begin isolation level serializable read write", "BEGIN READ WRITE"),
    ("start transaction", "BEGIN"),
    ("end transaction", "COMMIT"),
    ("commit work", "COMMIT"),
    ("abort", "ROLLBACK"),
    # names are folded, quoted or not, and quoted again
    ('select "A", b from "S"."T"', 'SELECT "a", "b" FROM "s"."t"'),
    ('select * from "spacex"."S"."T" as x', 'SELECT * FROM "spacex"."s"."t" AS "x"'),
    ('select "spacex".s.t.a from "spacex".s.t', 'SELECT "t"."a" AS "a" FROM "spacex"."s"."t"'),
    # parameters, also beside dollar signs that are text
    ("select $1, '$2', $3::int", "SELECT $1, '$2', CAST($3 AS integer)"),
    ("insert into t values ($1, default)", 'INSERT INTO "t" VALUES ($1, DEFAULT)'),
    ("select 1 limit $1", "SELECT 1 LIMIT $1"),
    # comments vanish, strings are decoded
    ("/* a /* b */ c */ select 1 -- ;\n + 1", "SELECT 1 + 1"),
    (
        r"select 'it''s', 'a\'b', E'c\\d', $$e'f$$, '--g', '/*h*/'",
        r"SELECT 'it''s', 'a''b', 'c\d', 'e''f', '--g', '/*h*/'",
    ),
    # a number ends where a reserved word begins
    ("select case when true then -4when false then .5end", "SELECT CASE WHEN TRUE THEN -4 WHEN FALSE THEN 0.5 END"),
    # what the leader node knows of its catalog
    (
        "select current_database as db from current_database()",
        'SELECT "current_database" AS "db" FROM pg_catalog.current_database()',
    ),
    # SUPER
    (
        "select l.a.b[0].c from t as l",
        'SELECT redshift.navigate(redshift.navigate(redshift.navigate("l"."a", \'b\'), 0), \'c\') AS "c" '
        'FROM "t" AS "l"',
    ),
    # DML
    (
        "update t set a = s.a from s where t.id = s.id",
        'UPDATE "t" SET "a" = "s"."a" FROM "s" WHERE "t"."id" = "s"."id"',
    ),
    ("delete from t using s where t.id = s.id", 'DELETE FROM "t" USING "s" WHERE "t"."id" = "s"."id"'),
    ("insert into t (a) (select 1)", 'INSERT INTO "t" ("a") (SELECT 1)'),
    ("select top 5 a from t", 'SELECT "a" FROM "t" LIMIT 5'),
    ("select a from t minus select b from u", 'SELECT "a" FROM "t" EXCEPT SELECT "b" FROM "u"'),
    ("select 1 where 1 and not 0", "SELECT 1 WHERE TRUE AND (NOT FALSE)"),
    ("select a = b is null from t", 'SELECT "a" = ("b" IS NULL) FROM "t"'),
    # schemas, tables, views
    ('create schema if not exists "spacex"."S"', 'CREATE SCHEMA IF NOT EXISTS "s"'),
    ("drop schema if exists db.s cascade", 'DROP SCHEMA IF EXISTS "s" CASCADE'),
    ("create temp table t as select 1 as a", 'CREATE TEMPORARY TABLE "t" AS SELECT 1 AS "a"'),
    (
        "create table t (a int primary key, b text default 'x', c decimal, d varchar(max), unique (a))",
        '/*redshift:{"table": "t", "diststyle": null, "distkey": null, "sortkey": [], "interleaved": false, '
        '"encodings": {}, "keys": ["a", "a"]}*/ CREATE TABLE "t" ("a" integer NOT NULL, '
        '"b" character varying(256) DEFAULT \'x\' CONSTRAINT "b_bytes" CHECK '
        '(CASE WHEN octet_length("b") > 256 THEN redshift.too_long(\'b\', 256, octet_length("b")) END), '
        '"c" numeric(18,0), "d" character varying(65535))',
    ),
    (
        "create table t (a int identity(1, 2))",
        'CREATE TABLE "t" ("a" integer GENERATED ALWAYS AS IDENTITY (START WITH 1 INCREMENT BY 2))',
    ),
    ("create or replace view v (a) as select 1", 'CREATE OR REPLACE VIEW "v" ("a") AS SELECT 1'),
    ("drop table if exists a.b, c cascade", 'DROP TABLE IF EXISTS "a"."b", "c" CASCADE'),
    ("alter table s.t rename to u", 'ALTER TABLE "s"."t" RENAME TO "u"'),
    ("alter table t rename column a to b", 'ALTER TABLE "t" RENAME COLUMN "a" TO "b"'),
    ("alter table t add column a super", 'ALTER TABLE "t" ADD COLUMN "a" super'),
    ("alter table t drop column a cascade", 'ALTER TABLE "t" DROP COLUMN "a" CASCADE'),
    ("alter table t owner to loader", 'ALTER TABLE "t" OWNER TO "loader"'),
    ("truncate table t", 'TRUNCATE TABLE "t"'),
    ("lock a, s.b", 'LOCK TABLE "a", "s"."b" IN ACCESS EXCLUSIVE MODE'),
    # access and comments
    ("grant select, insert on t to group readers, u", 'GRANT SELECT, INSERT ON TABLE "t" TO "readers", "u"'),
    ("grant usage on schema s to public", 'GRANT USAGE ON SCHEMA "s" TO PUBLIC'),
    ("revoke all on all tables in schema s from u", 'REVOKE ALL ON ALL TABLES IN SCHEMA "s" FROM "u"'),
    ("comment on column s.t.a is $x$it's$x$", 'COMMENT ON COLUMN "s"."t"."a" IS \'it\'\'s\''),
    ("comment on table t is null", 'COMMENT ON TABLE "t" IS NULL'),
    # the session
    ("set search_path to '$user', public", "SET SESSION search_path TO '$user', \"public\""),
    ("set statement_timeout = 1000", "SET SESSION statement_timeout TO 1000"),
    ("set time zone 'UTC'", "SET SESSION timezone TO 'UTC'"),
    ("show search_path", "SHOW search_path"),
    ("explain select 1", "EXPLAIN SELECT 1"),
    # upkeep
    ("vacuum", "VACUUM"),
    ("vacuum s.t", 'VACUUM "s"."t"'),
    ("vacuum full t to 99 percent", 'VACUUM "t"'),
    ("vacuum sort only t", 'VACUUM "t"'),
    ("vacuum delete only t to 75 percent", 'VACUUM "t"'),
    ("vacuum reindex t", 'VACUUM "t"'),
    ("analyze s.t", 'ANALYZE "s"."t"'),
    ("analyze t (a, b)", 'ANALYZE "t" ("a", "b")'),
    ("analyze verbose", "ANALYZE"),
    ("alter table t add column a int default null", 'ALTER TABLE "t" ADD COLUMN "a" integer DEFAULT NULL'),
    ("create database elsewhere", 'CREATE DATABASE "elsewhere"'),
    ("set query_group to 'nightly'", "SET SESSION stand_in.query_group TO 'nightly'"),
    ("set local query_group to default", "SET LOCAL stand_in.query_group TO DEFAULT"),
    ("reset query_group", "RESET stand_in.query_group"),
]


@pytest.mark.parametrize(("redshift", "postgres"), STATEMENTS, ids=[row[0] for row in STATEMENTS])
def test_a_statement_becomes(redshift: str, postgres: str) -> None:
    assert [statement.sql for statement in translate(redshift)] == [postgres]


@pytest.mark.parametrize(
    ("redshift", "tag"),
    [
        ("set enable_result_cache_for_session to off", "SET"),
        ("alter table t alter diststyle even", "ALTER TABLE"),
        ("alter table t alter column a encode zstd", "ALTER TABLE"),
    ],
)
def test_what_means_nothing_to_postgresql_is_answered_and_not_run(redshift: str, tag: str) -> None:
    assert translate(redshift) == [Translated("", tag=tag)]


def test_a_key_is_kept_and_not_enforced() -> None:
    (statement,) = translate("alter table t add constraint pk primary key (a)")
    assert statement == Translated(
        """DO 'begin perform redshift.add_keys(''"t"'', array[''a''], true); end'""", tag="ALTER TABLE"
    )


def test_what_ends_its_transaction_or_may_stand_in_none_says_so() -> None:
    (truncate,) = translate("truncate t")
    (resize,) = translate("alter table t alter column a type varchar(9)")
    assert (truncate.commits, truncate.stands_alone) == (True, False)
    assert (resize.commits, resize.stands_alone) == (False, True)


def test_copy_is_handed_over_as_it_was_written() -> None:
    written = "copy s.t from 's3://b/k;1' -- comment\n iam_role 'x'"
    assert translate(f" {written} ; select 1") == [Translated("", copy=written), Translated("SELECT 1")]


def test_a_script_is_cut_at_its_semicolons_only() -> None:
    assert len(translate("select ';'; /* ; */ select $$;$$ ;; select \"a;b\" from t;")) == 3
    assert translate(" ; -- nothing\n") == []


def test_the_layout_goes_with_the_table() -> None:
    (statement,) = translate(
        "create table t (a int, b int) diststyle key distkey(a) interleaved sortkey(a, b) backup no"
    )
    assert statement.sql.startswith(
        '/*redshift:{"table": "t", "diststyle": "key", "distkey": "a", "sortkey": ["a", "b"]'
    )


def test_an_unnested_array_needs_the_comma_redshift_knows() -> None:
    (statement,) = translate("select c.x from t as l, l.cores as c")
    assert 'FROM "t" AS "l", LATERAL redshift.elements_of("l"."cores") AS "c"("c")' in statement.sql


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


@given(TEXT)
def test_any_string_survives_in_redshifts_spelling(text: str) -> None:
    written = "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    (statement,) = statements(f"select {written}")
    assert [token.text for token in statement.tokens if token.kind is Kind.STRING] == [text]


@given(TEXT)
def test_any_text_is_translated_or_refused_and_never_a_crash(text: str) -> None:
    for sql in (text, f"select {text}", f"select * from t where {text}", f"create table t ({text})"):
        try:
            translate(sql)
        except Refused as refusal:
            assert refusal.message
