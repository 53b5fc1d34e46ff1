"""Bringing the warehouse in line with contracts: every kind of change, cut off anywhere, and what is refused."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.derive.redshift import raw_table_ddl
from contracts.errors import ContractInvalid, UsageError
from contracts.evolution.lattice import is_lossless
from contracts.model import Contract, LogicalType, Property, Role, Rule, RuleKind, Scope, Severity
from loader.catalog import FoundTable, read_tables
from loader.migrate import look, migrate, refuse_behind, refuse_refused
from loader.migration import TABLE_SCHEMAS, MigrationPlan
from loader.warehouse import Session
from tests.loader.rig import Rig, thing, things

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

ROLES = (Role("loader", "write", ""), Role("transformer", "read", ""), Role("reader", "read", ""))


def having(contract: Contract, *without: str, required: Sequence[str] = (), **types: str) -> Contract:
    """The contract with columns of those types (new ones last), some of them required, and without some columns."""
    properties = [prop for prop in contract.properties if prop.name not in {*without, *types}]
    properties += [
        Property(name, name, LogicalType.STRING, kind, False, False, "public", f"{name}: 5 % isn't much.", None, None)
        for name, kind in types.items()
    ]
    rules = [
        Rule(f"{name}-required", name, RuleKind.REQUIRED, None, Scope.ROW, Severity.ERROR, "completeness", "")
        for name in required
    ]
    kept = [rule for rule in contract.rules if rule.path in {prop.path for prop in properties}]
    return replace(contract, version="2.0.0", properties=tuple(properties), rules=(*kept, *rules))


def small(**types: str) -> Contract:
    return replace(having(things(columns=("id",)), required=(), **types), roles=ROLES)


def apply(rig: Rig, contract: Contract) -> MigrationPlan:
    """Applies; then there is nothing left to do but what is refused."""
    with rig.session() as session:
        plan = migrate(session, {contract.dataset: contract})
        again = look(session, {contract.dataset: contract})
    assert again.steps == ()
    assert again.refusals == plan.refusals
    return plan


def table(rig: Rig) -> FoundTable:
    with rig.session() as session:
        return read_tables(session, TABLE_SCHEMAS)[f"raw_spacex.{rig.contract.dataset}"]


def shape(found: FoundTable) -> dict[str, tuple[str, bool]]:
    return {column.name: (column.type, column.is_required) for column in found.columns}


def types(rig: Rig) -> dict[str, str]:
    return {name: kind for name, (kind, _) in shape(table(rig)).items() if not name.startswith("_")}


def fill(rig: Rig, key: str, **values: Any) -> None:
    """Puts in a row as a load would."""
    ours = {"id": key, **values, "_airbyte_raw_id": "r", "_airbyte_extracted_at_ms": 1, "_airbyte_generation_id": 1}
    ours |= {"_row_hash": "h", "_batch_id": "b", "_run_id": "r", "_loaded_at": "2026-01-01 00:00:00+00"}
    names, marks = ", ".join(f'"{name}"' for name in ours), ", ".join(["%s"] * len(ours))
    with rig.session() as session:
        session.run(f"insert into raw_spacex.{rig.contract.dataset} ({names}) values ({marks})", list(ours.values()))
        session.commit()


def run(rig: Rig, sql: str) -> None:
    with rig.session() as session:
        session.run(sql.format(raw=f"raw_spacex.{rig.contract.dataset}"))
        session.commit()


@pytest.fixture
def made(new_rig: Callable[[Contract], Rig]) -> Rig:
    """A table with one row, made and described by a contract."""
    rig = new_rig(small(note="VARCHAR(8)", count="SMALLINT"))
    apply(rig, rig.contract)
    fill(rig, "a", note="ä", count=7)
    return rig


def test_a_first_plan_makes_what_is_not_there_and_a_second_is_empty(new_rig: Callable[[Contract], Rig]) -> None:
    rig = new_rig(small(note="VARCHAR(8)"))
    run(rig, "drop table {raw}")

    plan = apply(rig, rig.contract)

    assert any(step.why.endswith("is not there") for step in plan.steps)
    assert all(step.is_safe for step in plan.steps)
    found = table(rig)
    assert (found.diststyle, found.sort_key) == ("auto", ("id",))
    assert {column.name: column.description for column in found.columns}["note"] == "note: 5 % isn't much."
    encodings = {column.name: column.encoding for column in found.columns}
    assert (encodings["id"], encodings["note"], encodings["_loaded_at"]) == ("none", "zstd", "az64")


def test_roles_may_do_what_the_contract_gives_them(made: Rig) -> None:
    grants = {(grant.privilege, grant.to) for grant in table(made).grants}
    assert grants == {
        *((privilege, 'role "spacex_loader"') for privilege in ("select", "insert", "update", "delete")),
        ("select", 'role "spacex_transformer"'),
        ("select", 'role "spacex_reader"'),
    }


def test_a_new_column_is_awaited_by_the_load_and_added(made: Rig) -> None:
    after = having(made.contract, fresh="VARCHAR(16)")
    with made.session() as session, pytest.raises(UsageError, match=r'column "fresh" is not there.*warehouse apply'):
        refuse_behind(session, after)

    plan = apply(made, after)

    assert types(made)["fresh"] == "VARCHAR(16)"
    assert [step for step in plan.steps if not step.is_safe] == []
    with made.session() as session:
        refuse_behind(session, after)


def test_a_wider_varchar_is_altered_outside_a_transaction(made: Rig) -> None:
    plan = apply(made, having(made.contract, note="VARCHAR(64)"))

    assert types(made)["note"] == "VARCHAR(64)"
    (step,) = [step for step in plan.steps if step.is_alone]
    assert (step.is_safe, step.holds_load) == (True, True)
    fill(made, "b", note="ä" * 32, count=1)


def test_a_larger_integer_takes_a_new_table_in_the_olds_place(made: Rig) -> None:
    run(made, "grant select on {raw} to public")
    plan = apply(made, having(made.contract, count="BIGINT", extra="DATE"))

    assert types(made) == {"id": "VARCHAR(24)", "note": "VARCHAR(8)", "count": "BIGINT", "extra": "DATE"}
    assert made.rows('select id, note, "count", extra from {raw}') == [("a", "ä", 7, None)]
    assert [step.notice for step in plan.steps if not step.is_safe] == ["its readers wait while its rows are copied"]
    assert ("select", "public") in {(grant.privilege, grant.to) for grant in table(made).grants}
    assert f"{made.contract.dataset}__old" not in str(made.rows("select tablename from pg_tables"))


def test_a_column_may_become_null(made: Rig) -> None:
    strict = having(made.contract, note="VARCHAR(8)", required=("note",))
    apply(made, strict)
    assert shape(table(made))["note"] == ("VARCHAR(8)", True)
    loose = having(strict, note="VARCHAR(8)")
    loose = replace(loose, rules=tuple(rule for rule in loose.rules if rule.path != "note"))
    apply(made, loose)
    assert shape(table(made))["note"] == ("VARCHAR(8)", False)


def test_a_column_with_nulls_does_not_become_required_and_the_load_goes_on(made: Rig) -> None:
    fill(made, "b", note=None, count=1)
    strict = having(made.contract, note="VARCHAR(8)", required=("note",))

    (refusal,) = apply(made, strict).refusals

    assert "must not be null, and is in 1 rows" in refusal.what
    with made.session() as session:
        refuse_behind(session, strict)


def test_a_required_column_is_not_added_to_rows(made: Rig) -> None:
    plan = apply(made, having(made.contract, new="DATE", required=("new",)))
    with pytest.raises(ContractInvalid, match=r"the table has 1 rows that would be.*required: false.*Nothing of this"):
        refuse_refused(plan)
    run(made, "delete from {raw}")
    apply(made, having(made.contract, new="DATE", required=("new",)))
    assert shape(table(made))["new"] == ("DATE", True)


def test_a_removed_column_is_kept_may_be_null_and_is_told(made: Rig) -> None:
    strict = having(made.contract, note="VARCHAR(8)", required=("note",))
    apply(made, strict)
    without = having(strict, "note")

    apply(made, without)

    assert shape(table(made))["note"] == ("VARCHAR(8)", False)
    assert made.rows("select note from {raw}") == [("ä",)]
    with made.session() as session:
        (note,) = look(session, {without.dataset: without}).notes
    assert 'column "note" is in no contract any more' in note


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"note": "VARCHAR(4)"}, r"VARCHAR\(4\) would hold less. Keep VARCHAR\(8\)"),
        ({"count": "VARCHAR(8)"}, "does not become .* without loss. Put a new property beside the old one"),
        ({"note": "BOOLEAN", "extra": "DATE"}, "without loss"),
    ],
)
def test_what_would_lose_something_is_refused_and_nothing_of_its_table_is_changed(
    made: Rig, change: dict[str, str], told: str
) -> None:
    before = shape(table(made))
    plan = apply(made, having(made.contract, required=(), **change))
    assert shape(table(made)) == before
    with pytest.raises(ContractInvalid, match=told):
        refuse_refused(plan)


def test_dbts_views_make_way_and_those_of_others_stop_it(made: Rig) -> None:
    run(made, "create view analytics_staging.ours as select note from {raw}")
    wider = having(made.contract, note="VARCHAR(20)")
    assert "dbt's views" in "".join(step.notice for step in apply(made, wider).steps)
    assert types(made)["note"] == "VARCHAR(20)"

    run(made, "create view pipeline.theirs as select note from {raw}")
    (refusal,) = apply(made, having(made.contract, note="VARCHAR(20)", count="BIGINT")).refusals
    assert "pipeline.theirs" in refusal.what
    assert types(made)["count"] == "SMALLINT"
    run(made, "drop view pipeline.theirs")


def test_a_ledger_of_an_older_release_grows(made: Rig) -> None:
    run(made, "alter table pipeline.load_ledger drop column restored_count")
    with made.session() as session, pytest.raises(UsageError, match='load_ledger: column "restored_count" is not'):
        refuse_behind(session, made.contract)
    apply(made, made.contract)
    with made.session() as session:
        refuse_behind(session, made.contract)


def test_the_layout_of_an_older_release_is_told_and_stays(made: Rig) -> None:
    run(made, "drop table {raw}")
    ddl = raw_table_ddl(made.contract).replace('sortkey ("id")\n', "").replace("diststyle auto\n", "diststyle all")
    run(made, ddl.replace("{", "{{").replace('"id" varchar(24) encode raw', '"id" varchar(24) encode lzo'))
    with made.session() as session:
        notes = look(session, {made.contract.dataset: made.contract}).notes
    assert any("is laid out diststyle all, and would be auto" in note for note in notes)
    assert any('is sorted by nothing, and would be by "id"' in note for note in notes)
    assert any('"id" lzo instead of raw' in note for note in notes)


class Cut(Exception):
    """Stands for a process that is killed."""


class CutSession(Session):
    """A session whose connection is gone at one of its statements."""

    left = 10**9

    def run(self, sql: str, parameters: Any = ()) -> int:
        type(self).left -= 1
        if type(self).left < 0:
            self.close()
            raise Cut
        return super().run(sql, parameters)


def test_cut_off_before_any_statement_and_applied_again_it_ends_the_same(
    made: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = having(made.contract, "note", required=("count",), count="BIGINT", more="VARCHAR(9)")
    run(made, "create view analytics_staging.ours as select note from {raw}")
    cuts = 0
    while True:
        with made.session() as session:
            session.__class__ = CutSession
            CutSession.left = cuts
            try:
                migrate(session, {after.dataset: after})
            except Cut:
                cuts += 1
                assert made.rows('select id, "count" from {raw}') == [("a", 7)]
                continue
        break
    assert cuts > 10
    apply(made, after)
    assert types(made) == {"id": "VARCHAR(24)", "count": "BIGINT", "more": "VARCHAR(9)", "note": "VARCHAR(8)"}


LADDERS = ["SMALLINT", "INTEGER", "BIGINT"], ["VARCHAR(4)", "VARCHAR(8)", "VARCHAR(65535)"]
DECIMALS = ["DECIMAL(4,2)", "DECIMAL(6,2)", "DECIMAL(8,3)"]
KINDS = st.sampled_from([*LADDERS[0], *LADDERS[1], *DECIMALS, "BOOLEAN", "DATE", "TIMESTAMPTZ", "DOUBLE PRECISION"])
COLUMNS = st.dictionaries(st.sampled_from(["x", "y"]), st.tuples(KINDS, st.booleans()), max_size=2)
LADDER = st.sampled_from([*LADDERS, DECIMALS]).flatmap(
    lambda kinds: st.lists(st.sampled_from(kinds), min_size=2, max_size=2)
)
VALUES = {"S": 1, "I": 1, "B": 1, "V": "v", "D": "1.5", "T": "2026-01-01 00:00:00+00"}


def value_of(kind: str) -> Any:
    if kind in ("DATE", "BOOLEAN"):
        return {"DATE": "2026-01-01", "BOOLEAN": True}[kind]
    return VALUES[kind[0]]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=COLUMNS, after=COLUMNS, ladder=LADDER, is_filled=st.booleans(), has_null=st.booleans())
def test_applied_a_table_is_as_if_made_new_or_it_was_refused(
    new_rig: Callable[[Contract], Rig],
    before: dict[str, tuple[str, bool]],
    after: dict[str, tuple[str, bool]],
    ladder: list[str],
    is_filled: bool,
    has_null: bool,
) -> None:
    before, after = {**before, "z": (ladder[0], False)}, {**after, "z": (ladder[1], True)}
    old, new = (_contract(columns) for columns in (before, after))
    old = replace(old, dataset=new.dataset)
    rig = new_rig(old)
    apply(rig, old)
    if is_filled:
        nullable = {name for name, (_, is_required) in before.items() if not is_required}
        row = {name: None if has_null and name in nullable else value_of(kind) for name, (kind, _) in before.items()}
        fill(rig, "a", **row)
    found_before = shape(table(rig))

    plan = apply(rig, new)

    found = shape(table(rig))
    if plan.refusals:
        assert found == found_before
        assert has_null or is_filled or not all(is_lossless(before[n][0], after[n][0]) for n in before if n in after)
        return
    fresh = new_rig(replace(new, dataset=f"{new.dataset}_fresh"))
    kept = {name: (kind, False) for name, (kind, _) in before.items() if name not in after}
    assert found == shape(table(fresh)) | kept
    assert len(rig.everything()) == is_filled


def _contract(columns: dict[str, tuple[str, bool]]) -> Contract:
    required = tuple(name for name, (_, is_required) in columns.items() if is_required)
    base = replace(things(f"grown_{uuid4().hex[:8]}", columns=("id",)), roles=ROLES)
    return having(base, required=required, **{name: kind for name, (kind, _) in columns.items()})


def test_a_load_into_a_migrated_table_publishes(new_rig: Callable[[Contract], Rig]) -> None:
    rig = new_rig(things(columns=("id", "text")))
    rig.publish({"id": "a", "text": "x"})
    wide = replace(rig, contract=things(rig.contract.dataset))
    apply(wide, wide.contract)
    assert wide.publish(thing("a", text="x"), thing("b", text="y"), run_id="run-2")[:2] == (1, 1)
