"""Snapshots into the published table, one after the other: what becomes of each row, and what never happens."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.errors import RowsDoNotReconcile, ServiceUnavailable, UsageError
from contracts.model import Contract, Property
from contracts.read import FOLDER, read_contracts
from contracts.sample import good_record
from loader.batch import Batch
from loader.load import load_batch, load_or_tell, new_staging, prepare_warehouse
from tests.loader.landing import envelope
from tests.loader.rig import Record, Rig, fates, go, no_go, thing, things
from validation.load_gate import check_staging
from validation.results import LoadGateResult, Verdict

pytestmark = pytest.mark.stack

CONTRACTS = read_contracts(FOLDER)
A, B, C = (thing(name, text="first") for name in "abc")
B_CHANGED = thing("b", text="second")
BAD_B = thing("b", big="many")


def test_a_first_snapshot_is_all_new(rig: Rig) -> None:
    assert rig.publish(A, B) == (2, 0, 0, 0, 0, 2)
    assert rig.live() == [("a", "first"), ("b", "first")]


def test_rows_come_change_go_and_come_back(rig: Rig) -> None:
    #                                                 ins upd same del kept live
    assert rig.publish(A, B) == (2, 0, 0, 0, 0, 2)
    assert rig.publish(A, B_CHANGED, C) == (1, 1, 1, 0, 0, 3)
    assert rig.publish(A) == (0, 0, 1, 2, 0, 1)
    output = rig.load(rig.land(A, B))
    assert fates(output) == (0, 0, 1, 0, 0, 2)
    assert output.published is not None
    assert output.published.restored == 1
    assert rig.live() == [("a", "first"), ("b", "first")]


def test_each_row_says_which_batch_and_run_touched_it_last(rig: Rig) -> None:
    first, second = rig.land(A, B, C), rig.land(A, B_CHANGED)
    rig.load(first, "run-1")
    rig.load(second, "run-2")

    assert rig.rows("select id, _batch_id, _run_id, _deleted_at is null from {raw} order by id") == [
        ("a", first.batch.batch_id, "run-1", True),
        ("b", second.batch.batch_id, "run-2", True),
        ("c", second.batch.batch_id, "run-2", False),
    ]


def test_an_unchanged_row_is_not_touched_and_a_deleted_one_only_once(rig: Rig) -> None:
    rig.publish(A, B)
    rig.publish(A, run_id="run-2")
    before = rig.everything()

    assert rig.publish(A, run_id="run-3") == (0, 0, 1, 0, 0, 1)
    assert rig.everything() == before


@pytest.mark.parametrize("came_back", [B, B_CHANGED], ids=["as it was", "changed"])
def test_a_row_that_came_back_is_one_row_and_counts_as_restored(rig: Rig, came_back: Record) -> None:
    rig.publish(A, B)
    rig.publish(A)
    output = rig.load(rig.land(A, came_back, C))
    assert fates(output) == (1, 0, 1, 0, 0, 3)
    assert output.published is not None
    assert output.published.restored == 1
    assert rig.rows("select count(*) from {raw}") == [(3,)]


def test_a_row_whose_new_version_is_rejected_keeps_its_last_good_version(rig: Rig) -> None:
    rig.publish(A, B, C)
    assert rig.publish(A, BAD_B) == (0, 0, 1, 1, 1, 2)
    assert rig.live() == [("a", "first"), ("b", "first")]


def test_a_deleted_row_whose_new_version_is_rejected_stays_deleted(rig: Rig) -> None:
    rig.publish(A, B)
    rig.publish(A)
    assert rig.publish(A, BAD_B) == (0, 0, 1, 0, 0, 1)


UNKEYED = {"cut": b'{"cut": ', "no key": envelope({"text": "x"}), "null": envelope({"id": None}), "empty": envelope({})}


@pytest.mark.parametrize("line", UNKEYED.values(), ids=UNKEYED)
def test_a_reject_without_a_key_could_be_any_row_so_none_is_deleted(rig: Rig, line: bytes) -> None:
    rig.publish(A, B, C)
    assert rig.publish(A, lines=[line]) == (0, 0, 1, 0, 2, 3)


DAMAGED_KEYS = {"case": "B", "space": "b ", "empty": "", "nul": "b\0", "long": "ä" * 40_000, "number": 7, "list": ["b"]}


@pytest.mark.parametrize("key", DAMAGED_KEYS.values(), ids=DAMAGED_KEYS)
def test_a_reject_with_a_damaged_key_could_be_any_row_too(rig: Rig, key: object) -> None:
    rig.publish(A, B)
    assert rig.publish(A, lines=[envelope(thing("b") | {"id": key})]) == (0, 0, 1, 0, 1, 2)


def test_an_empty_snapshot_deletes_nothing(rig: Rig) -> None:
    rig.publish(A, B)
    output = rig.load(rig.land())
    assert (output.verdict, output.published) == (Verdict.NO_GO, None)
    assert len(rig.live()) == 2


def test_a_snapshot_of_rejects_only_deletes_nothing(rig: Rig) -> None:
    rig.publish(A, B)
    assert rig.publish(thing("a", big="x"), BAD_B) == (0, 0, 0, 0, 2, 2)


def test_the_same_batch_by_the_same_run_tells_the_same(rig: Rig) -> None:
    rig.publish(A, B)
    snapshot = rig.land(A, B_CHANGED)
    first = rig.load(snapshot, "run-2")
    before = rig.everything()

    assert rig.load(snapshot, "run-2") == first
    assert rig.everything() == before


def test_the_same_batch_by_another_run_changes_nothing_and_says_so(rig: Rig) -> None:
    snapshot = rig.land(A, B)
    rig.load(snapshot, "run-1")
    before = rig.everything()

    again = rig.load(snapshot, "run-2")

    assert again.was_already_published
    assert fates(again) == (0, 0, 2, 0, 0, 2)
    assert rig.everything() == before
    assert [run_id for _, run_id in rig.ledger()] == ["run-1"]


def test_an_older_snapshot_is_not_published_over_a_newer(rig: Rig) -> None:
    older, newer = rig.land(A), rig.land(A, B)
    rig.load(newer, "run-2")
    with pytest.raises(UsageError, match="older than what run run-2 published"):
        rig.load(older, "run-1")
    assert len(rig.live()) == 2


def test_a_load_gate_that_says_no_leaves_everything_as_it_was(rig: Rig) -> None:
    rig.publish(A, B)
    before = rig.everything()

    output = rig.load(rig.land(B_CHANGED, C), "run-2", no_go)

    assert (output.verdict, output.published) == (Verdict.NO_GO, None)
    assert (output.manifest_count, output.copied_count) == (2, 2)
    assert rig.everything() == before
    assert len(rig.ledger()) == 1


def test_a_batch_that_was_held_can_be_published_later(rig: Rig) -> None:
    snapshot = rig.land(A)
    rig.load(snapshot, "run-1", no_go)
    assert fates(rig.load(snapshot, "run-2")) == (1, 0, 0, 0, 0, 1)


def test_a_raw_gate_that_says_no_stops_before_anything_is_written(rig: Rig) -> None:
    snapshot = rig.land(A, B, thing("b", text="other content, same key"))
    output = rig.load(snapshot)
    assert (output.verdict, output.published, output.manifest_count) == (Verdict.NO_GO, None, None)
    assert rig.staging_tables() == []


def test_what_the_load_gate_said_is_remembered_before_anything_is_published(rig: Rig) -> None:
    snapshot = rig.land(A)

    class Full(Exception):
        pass

    def refuse(result: LoadGateResult) -> None:
        raise Full

    with rig.session() as session, pytest.raises(Full):
        load_batch(rig.store, session, replace(rig.loading(snapshot), remember=refuse))
    assert rig.ledger() == []


def test_a_count_that_is_not_the_manifests_publishes_nothing(rig: Rig) -> None:
    rig.publish(A)
    snapshot = rig.land(A, B)
    (gated,) = snapshot.gated
    (entry,) = gated.entries
    told_wrong = replace(gated, entries=(replace(entry, record_count=3),))

    with pytest.raises(RowsDoNotReconcile, match="the manifest holds 3 records and COPY loaded 2"):
        rig.load(replace(snapshot, gated=(told_wrong,)))
    assert rig.live() == [("a", "first")]
    assert len(rig.ledger()) == 1


def test_a_value_that_copy_refuses_publishes_nothing(rig: Rig) -> None:
    rig.publish(A)
    snapshot = rig.land(A, thing("b" * 25))  # the gate has no rule for the column's width

    with pytest.raises(RowsDoNotReconcile, match="COPY refused what the raw gate accepted"):
        rig.load(snapshot)
    assert rig.live() == [("a", "first")]


def test_rows_that_do_not_reconcile_are_an_outcome_for_those_who_go_on(rig: Rig) -> None:
    snapshot = rig.land(A, thing("b" * 25))
    with rig.session() as session:
        output = load_or_tell(rig.store, session, rig.loading(snapshot))
        assert session.rows("select 1") == [(1,)], "the session can go on"

    assert (output.verdict, output.published, output.manifest_count) == (Verdict.NO_GO, None, 2)
    assert output.trouble is not None
    assert "COPY refused" in output.trouble


def test_a_later_snapshot_is_an_outcome_for_those_who_go_on(rig: Rig) -> None:
    older, newer = rig.land(A), rig.land(A, B)
    rig.load(newer, "run-2")
    with rig.session() as session:
        output = load_or_tell(rig.store, session, rig.loading(older, "run-1"))
    assert (output.verdict, output.published, output.superseded_by) == (Verdict.GO, None, "run-2")


def test_a_later_snapshot_published_while_this_one_was_judged_wins(rig: Rig) -> None:
    older, newer = rig.land(A), rig.land(B)

    def overtake(contract: Contract, batch: Batch, staged_count: int) -> LoadGateResult:
        rig.load(newer, "run-2")
        return go(contract, batch, staged_count)

    with rig.session() as session:
        output = load_or_tell(rig.store, session, rig.loading(older, "run-1", overtake))
    assert output.superseded_by == "run-2"
    assert rig.live() == [("b", "first")]


def test_an_object_that_vanished_before_copy_is_service_trouble_and_no_fault_of_the_data(rig: Rig) -> None:
    snapshot = rig.land(A)
    rig.store.delete(snapshot.batch.objects[0].key)
    with pytest.raises(ServiceUnavailable, match="is not there"):
        rig.load(snapshot)


def test_a_role_that_may_not_read_the_lake_is_a_wrong_setting(rig: Rig) -> None:
    nobody = replace(rig, role_arn="arn:aws:iam::123456789012:role/nobody")
    with pytest.raises(UsageError, match="SPACEX_ELT_COPY_ROLE_ARN"):
        nobody.load(rig.land(A))


def test_a_load_killed_after_staging_is_done_again_from_the_start(rig: Rig) -> None:
    snapshot = rig.land(A, B)

    class Killed(BaseException):
        pass

    def die(contract: Contract, batch: Batch, staged_count: int) -> LoadGateResult:
        raise Killed

    with pytest.raises(Killed):
        rig.load(snapshot, check=die)
    assert len(rig.staging_tables()) == 1

    assert fates(rig.load(snapshot)) == (2, 0, 0, 0, 0, 2)
    assert rig.staging_tables() == []


def test_a_load_killed_between_its_commit_and_its_last_words_leaves_no_staging_table(rig: Rig) -> None:
    snapshot = rig.land(A)
    rig.load(snapshot)
    with rig.session() as session:  # what such a load leaves behind
        session.run(f"create table staging_spacex.{new_staging(snapshot.batch)} (id varchar(24))")
        session.commit()

    rig.load(snapshot)

    assert rig.staging_tables() == []


def test_a_published_table_of_another_shape_is_told_with_the_contracts_version(
    new_rig: Callable[[Contract], Rig],
) -> None:
    narrow = new_rig(things(columns=("id", "text")))
    wide = replace(narrow, contract=things(narrow.contract.dataset))
    with pytest.raises(UsageError, match=r"is not what contract version 1\.0\.0 says"):
        wide.load(wide.land(A))
    assert narrow.live() == []


def test_preparing_twice_changes_nothing(rig: Rig) -> None:
    rig.publish(A)
    before = rig.everything()
    rig.prepare()
    assert rig.everything() == before


def test_a_warehouse_that_refuses_our_tables_is_told(rig: Rig) -> None:
    impossible = replace(rig.contract, dataset="impossible", properties=(_of_no_known_type(rig.contract.key),))
    with rig.session() as session, pytest.raises(UsageError, match="refused to make our schemas and tables"):
        prepare_warehouse(session, {"impossible": impossible})


def _of_no_known_type(prop: Property) -> Property:
    return replace(prop, physical_type="BLOB")


@pytest.mark.parametrize("dataset", ["launches", "rockets"])
def test_a_real_contracts_record_passes_the_real_load_gate(new_rig: Callable[[Contract], Rig], dataset: str) -> None:
    own = new_rig(replace(things(dataset), properties=CONTRACTS[dataset].properties)).start_empty()
    own.contract = replace(
        CONTRACTS[dataset], rules=tuple(r for r in CONTRACTS[dataset].rules if r.kind != "row-count")
    )
    snapshot = own.land(good_record(own.contract))

    output = own.load(
        snapshot,
        check=lambda contract, batch, n: check_staging(
            own.address, contract, batch.batch_id, own.staging_tables()[0], n
        ),
    )

    assert output.load_gate is not None
    assert [check for check in output.load_gate.checks if not check.passed] == []
    assert fates(output) == (1, 0, 0, 0, 0, 1)
    assert own.remembered == [output.load_gate]


KEYS = st.sampled_from("abcd")
TEXTS = st.sampled_from(["x", "y", "rejected"])
SNAPSHOTS = st.lists(st.dictionaries(KEYS, TEXTS, min_size=1), min_size=1, max_size=5)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(snapshots=SNAPSHOTS)
def test_the_live_rows_are_the_last_snapshot_and_what_it_had_to_keep(
    new_rig: Callable[[Contract], Rig], snapshots: list[dict[str, str]]
) -> None:
    rig, expected, seen = new_rig(things(columns=("id", "text", "big"))), dict[str, str](), set[str]()
    for number, snapshot in enumerate(snapshots):
        before = dict(expected)
        kept = {key for key, text in snapshot.items() if text == "rejected"} & before.keys()
        good = {key: text for key, text in snapshot.items() if text != "rejected"}
        expected = {**{key: before[key] for key in kept}, **good}
        seen, seen_before = seen | good.keys(), seen

        found = rig.publish(*(_record(key, text) for key, text in snapshot.items()), run_id=f"run-{number}")

        assert dict(rig.live()) == expected
        assert found == (
            len(good.keys() - seen_before),
            sum(key in before and before[key] != text for key, text in good.items()),
            sum(before.get(key) == text for key, text in good.items()),
            len(before.keys() - good.keys() - kept),
            len(kept),
            len(expected),
        )


def _record(key: str, text: str) -> Record:
    return {"id": key, "text": text, "big": "no number" if text == "rejected" else 1}
