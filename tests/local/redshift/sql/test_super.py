"""SUPER: navigation, unnesting, casts and comparisons as Redshift's guide describes them."""

from typing import Any

import psycopg2
import pytest

from tests.local.redshift.sql.conftest import Run

LAUNCHES = """
create table launches (id varchar(8) not null, links super, cores super);
insert into launches
select 'one', json_parse('{"patch": {"small": "s.png", "n": 1.5}, "flags": [true, null, 3], "webcast": null}'),
    json_parse('[{"core": "c1", "flight": 1, "reused": false}, {"core": null, "flight": null}]');
insert into launches values ('two', null, json_parse('[]')), ('three', json_parse('{"patch": null}'), null);
"""


@pytest.fixture
def launches(run: Run) -> Run:
    run(LAUNCHES)
    return run


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("l.links.patch.small::varchar", "s.png"),
        ("links.patch.small::varchar", "s.png"),
        ("cast(l.links.patch.small as varchar(2))", "s."),
        ("l.links.patch.n::float8", 1.5),
        ("l.links.patch.n::decimal(4, 2)::varchar", "1.50"),
        ("l.links.flags[0]::boolean", True),
        ("l.links.flags[2]::int", 3),
        ("l.cores[0].core::varchar", "c1"),
        ("l.cores[0].flight::bigint", 1),
        ("l.links.webcast is null", True),
        ("l.links.patch.nope.deeper is null", True),
        ("l.links.flags[17] is null", True),
        ("l.links[0] is null", True),
        ("l.links.patch.small::int", None),
        ("l.links.patch::varchar", None),
        ("l.links.patch.small = 's.png'", True),
        ("l.links.patch.small <> 's.png'", False),
        ("l.links.patch.small = 5", False),
        ("l.links.patch.small < 5", None),
        ("l.links.patch.n > 1", True),
        ("l.links.patch.n = '1.5'", False),
        ("l.links.patch.small in ('x', 's.png')", True),
        ("l.links.patch.small between 'a' and 't'", True),
        ("case l.links.patch.small when 's.png' then 1 else 2 end", 1),
        ("json_typeof(l.links.flags)", "array"),
        ("get_array_length(l.cores)", 2),
        ("is_array(l.cores) and not is_object(l.cores) and is_object(l.links)", True),
        ("is_varchar(l.links.patch.small)", True),
        ("is_array(l.links.nope)", False),
        ("json_serialize(l.links.flags)", "[true,null,3]"),
    ],
)
def test_a_path_into_super_gives(launches: Run, expression: str, expected: Any) -> None:
    assert launches(f"select {expression} from launches as l where id = 'one'") == [(expected,)]


def test_an_array_is_unnested_with_its_index_and_empty_ones_vanish(launches: Run) -> None:
    rows = launches("select l.id, c.core::varchar, i from launches as l, l.cores as c at i order by 1, 3")
    assert rows == [("one", "c1", 0), ("one", None, 1)]


def test_elements_can_be_used_whole(launches: Run) -> None:
    assert launches("select flag from launches as l, l.links.flags as flag where flag = 3") == [("3",)]


def test_arrays_in_arrays_are_unnested_one_after_the_other(run: Run) -> None:
    run("create table foo as select json_parse('[[1.1, 1.2], [2.1]]') as multi_level_array")
    rows = run("select array, element from foo as f, f.multi_level_array as array, array as element order by 2")
    assert rows == [("[1.1, 1.2]", "1.1"), ("[1.1, 1.2]", "1.2"), ("[2.1]", "2.1")]


def test_super_stays_navigable_through_a_cte_a_view_and_a_subquery(launches: Run) -> None:
    launches("create view patches as select id, links.patch as patch, cores from launches")
    rows = launches("""
        with seen as (select id, patch, cores from patches)
        select s.id, s.patch.small::varchar, core.core::varchar
        from (select * from seen) as s, s.cores as core
        where core.flight = 1
    """)
    assert rows == [("one", "s.png", "c1")]


def test_a_subquery_can_unnest_its_outer_row(launches: Run) -> None:
    rows = launches("select id, (select count(*) from l.cores as c) from launches as l order by id")
    assert rows == [("one", 2), ("three", 0), ("two", 0)]


def test_an_unnested_array_joins_tables(launches: Run) -> None:
    launches(
        "create table serials (core_id varchar(8), serial varchar(8)); insert into serials values ('c1', 'Merlin1A')"
    )
    rows = launches("""
        select entries.id, serials.serial
        from (select l.id, c.core::varchar(8) as core_id from launches as l, l.cores as c) as entries
        left join serials on serials.core_id = entries.core_id
        order by 2
    """)
    assert rows == [("one", "Merlin1A"), ("one", None)]


def test_paths_name_their_columns_and_group_and_sort(launches: Run, cursor: Any) -> None:
    launches("select l.links.patch.small, l.cores[0].core::varchar, count(*) from launches as l group by 1, 2")
    assert [column[0] for column in cursor.description] == ["small", "core", "count"]
    rows = launches("select c.flight, count(*) from launches as l, l.cores as c group by c.flight order by c.flight")
    assert rows == [("1", 1), (None, 1)]


def test_kinds_sort_as_on_redshift(run: Run) -> None:
    run("create table kinds as select json_parse('[\"Amazon\", -2.5, {}, 1, [1], true]') as kinds")
    rows = run("select kind from kinds as k, k.kinds as kind order by kind")
    assert [row[0] for row in rows] == ["true", "-2.5", "1", '"Amazon"', "[1]", "{}"]


def test_super_values_can_be_distinct_and_in_a_union(run: Run) -> None:
    run("create table t as select json_parse('[1, 1.0, \"1\", null]') as a")
    assert len(run("select distinct x from t, t.a as x")) == 3
    assert len(run("select x from t, t.a as x union select x from t, t.a as x")) == 3


def test_unnesting_what_is_no_array_is_refused_when_it_happens(launches: Run) -> None:
    with pytest.raises(psycopg2.errors.FeatureNotSupported, match="no array: object"):
        launches("select p from launches as l, l.links.patch as p")


def test_a_super_boolean_is_not_cast_to_varchar(launches: Run) -> None:
    with pytest.raises(psycopg2.errors.FeatureNotSupported, match="SUPER boolean"):
        launches("select c.reused::varchar from launches as l, l.cores as c")


def test_a_column_of_another_type_cannot_be_navigated(launches: Run) -> None:
    with pytest.raises(psycopg2.errors.UndefinedFunction):
        launches("select l.id.nothing from launches as l")


def test_a_string_put_into_super_stays_a_string(run: Run) -> None:
    run("create table t (n int, a super)")
    run("insert into t values (1, '{\"a\": 1}'), (2, json_parse('{\"a\": 1}'))")
    run("insert into t select 3, 'AWS'::varchar")
    assert run("select json_typeof(a) from t order by n") == [("string",), ("object",), ("string",)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("array(1, 'abc', null)", '[1, "abc", null]'),
        ("array()", "[]"),
        ("object('a', 1, 'b', array(true))", '{"a": 1, "b": [true]}'),
        ("array_concat(array(1), array(2))", "[1, 2]"),
        ("json_parse('null') is null", True),
        (
            'json_serialize(json_parse(\'{"a": [1, ":"], "b": "2020-01-01T00:00:00Z,"}\'))',
            '{"a":[1,":"],"b":"2020-01-01T00:00:00Z,"}',
        ),
        (r"""json_serialize(json_parse('{"a": ["\\\\", 1, "\\", "]}'))""", r"""{"a":["\\",1,"\", "]}"""),
        ('json_serialize(json_parse(\'{"a": [1, "b: , c"]}\'))', '{"a":[1,"b: , c"]}'),
        # As AWS's pages have it: r_json_size, JSON_SERIALIZE_TO_VARBYTE.
        ("json_size(json_parse('[10001,10002,\"⬤\"]'))", 19),
        (
            "from_varbyte(json_serialize_to_varbyte(json_parse('[10001,10002,\"abc\"]')), 'hex')",
            "5b31303030312c31303030322c22616263225d",
        ),
        ("from_varbyte(substring(json_serialize_to_varbyte(json_parse('[1,\"é\"]')), 5, 2), 'utf8')", "é"),
        ("can_json_parse('[1,')", False),
        ("is_valid_json('{\"a\": 1}')", True),
        ("json_extract_path_text('{\"a\": {\"b\": \"c\"}}', 'a', 'b')", "c"),
        ("json_extract_path_text('{\"a\": 1}', 'x')", None),
        ("json_extract_path_text('{', 'x', true)", None),
        ("json_extract_array_element_text('[1, \"b\"]', 1)", "b"),
        ("json_array_length('[1, 2, 3]')", 3),
        ("5::super::bool", True),
        ("5.0::super::bool", None),
        ("'12'::varchar::super::int", 12),
        ("'2001-09-08'::varchar::super::date::varchar", "2001-09-08"),
        ("'2001-09-08T10:00:00.000Z'::varchar::super::timestamptz::varchar", "2001-09-08 10:00:00+00"),
        ("'no date'::varchar::super::date", None),
        ("json_parse('99999999999')::int", None),
        ("json_parse('\"x\"') = 'x'", True),
    ],
)
def test_a_super_value_made_from_other_values_is(run: Run, expression: str, expected: Any) -> None:
    assert run(f"select {expression}") == [(expected,)]


def test_invalid_json_is_an_error(run: Run) -> None:
    with pytest.raises(psycopg2.errors.InvalidTextRepresentation):
        run("select json_parse('{')")


def test_super_has_redshifts_type_number(run: Run, cursor: Any) -> None:
    run("select json_parse('[1]')")
    assert cursor.description[0].type_code == 4000


def test_json_serialize_fails_above_varchars_limit_instead_of_giving_more(run: Run) -> None:
    fits = "json_serialize(json_parse('\"' || repeat('a', 65533) || '\"'))"
    assert run(f"select len({fits})") == [(65535,)]
    with pytest.raises(psycopg2.DataError, match="65535"):
        run(f"select len({fits.replace('65533', '65534')})")


LARGE = "array_concat(array(repeat('a', 65000)), array(repeat('b', 65000)))"


def test_what_is_above_varchars_limit_is_measured_and_cut_as_bytes(run: Run) -> None:
    assert run(f"select json_size({LARGE})") == [(130007,)]
    end = f"from_varbyte(substring(json_serialize_to_varbyte({LARGE}), 130004, 32000), 'utf8')"
    assert run(f"select {end}") == [('bb"]',)]


@pytest.mark.parametrize(
    "expression",
    [f"json_serialize({LARGE})", f"from_varbyte(substring(json_serialize_to_varbyte({LARGE}), 1, 40000), 'hex')"],
)
def test_no_text_gets_above_varchars_limit(run: Run, expression: str) -> None:
    with pytest.raises(psycopg2.DataError, match="65535"):
        run(f"select {expression}")
