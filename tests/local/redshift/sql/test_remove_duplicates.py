"""MERGE … REMOVE DUPLICATES, run on PostgreSQL: what matches is replaced by the source's rows, each once."""

import pytest

from local.redshift.sql import Refused, translate
from tests.local.redshift.sql.conftest import Run


@pytest.fixture
def tables(run: Run) -> Run:
    run("create table target (id int, name varchar(8))")
    run("create table source (id int, name varchar(8))")
    run("insert into target values (1, 'old'), (1, 'older'), (2, 'stays'), (3, 'same')")
    run("insert into source values (1, 'new'), (1, 'new'), (3, 'same'), (4, 'first')")
    return run


@pytest.mark.parametrize(
    "statement",
    [
        "merge into target using source on target.id = source.id remove duplicates",
        "MERGE INTO target USING source AS s ON (target.id = s.id) REMOVE DUPLICATES;",
    ],
)
def test_matching_rows_are_replaced_and_none_is_there_twice(tables: Run, statement: str) -> None:
    tables(statement)
    assert tables("select id, name from target order by id") == [(1, "new"), (2, "stays"), (3, "same"), (4, "first")]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("merge into target t using source on t.id = source.id remove duplicates", "alias for the target"),
        ("merge into target using (select 1) s on true remove duplicates", "source of MERGE is a table"),
        (
            "merge into target using source on target.id = source.id when matched then delete remove duplicates",
            "not both",
        ),
        ("merge into target using source on target.id ? source.id remove duplicates", "at or near|not supported"),
    ],
)
def test_other_forms_are_refused(statement: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        translate(statement)
