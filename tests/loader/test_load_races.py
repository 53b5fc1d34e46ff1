"""Several loads at once, and loads that meet each other's traces: each row is published once, and nobody hangs."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event

import pytest

from contracts import rules
from contracts.comparisons import Shrinkage
from contracts.errors import PipelineError, RowsDoNotReconcile, ServiceUnavailable
from contracts.model import Contract, RuleKind
from contracts.rules import Note
from loader.batch import Batch
from loader.load import LoadOutput, load_batch, prepare_warehouse
from loader.warehouse import Session
from tests.loader.rig import Rig, Snapshot, fates, go, thing, things
from validation.results import LoadGateResult, Verdict

pytestmark = pytest.mark.stack

A, B, C = (thing(name, text="first") for name in "abc")


def outcome_of(call: Callable[[], LoadOutput]) -> LoadOutput | PipelineError:
    """What a load came to: its output, or why it gave way to another."""
    try:
        return call()
    except PipelineError as exc:
        return exc


def at_once(calls: Sequence[Callable[[], LoadOutput]]) -> list[LoadOutput | PipelineError]:
    with ThreadPoolExecutor(max_workers=len(calls)) as pool:
        return list(pool.map(outcome_of, calls))


def meet(barrier: Barrier) -> Callable[[Contract, Batch, int], LoadGateResult]:
    """A load gate at which loads wait for each other, so that they publish at the same moment."""

    def check(contract: Contract, batch: Batch, staged_count: int) -> LoadGateResult:
        barrier.wait(timeout=120)
        return go(contract, batch, staged_count)

    return check


def told(outcome: LoadOutput | PipelineError) -> tuple[bool, int, int]:
    """Whether another published it, and what that did: rows inserted and unchanged."""
    assert isinstance(outcome, LoadOutput)
    assert outcome.published is not None
    return outcome.was_already_published, outcome.published.inserted, outcome.published.unchanged


def test_two_loads_of_one_batch_that_publish_at_the_same_moment_both_end_well(rig: Rig) -> None:
    snapshot, barrier = rig.land(A, B), Barrier(2)

    outcomes = at_once([lambda run=run: rig.load(snapshot, run, meet(barrier)) for run in ("run-2", "run-3")])  # type: ignore[misc]

    assert sorted(told(outcome) for outcome in outcomes) == [(False, 2, 0), (True, 0, 2)]
    assert len(rig.ledger()) == 1
    assert rig.staging_tables() == []


@pytest.mark.parametrize("attempt", range(3))
def test_two_loads_of_one_batch_at_once_publish_it_once(rig: Rig, attempt: int) -> None:
    rig.publish(A, B)
    snapshot = rig.land(B, C)

    outcomes = at_once([lambda: rig.load(snapshot, "run-2"), lambda: rig.load(snapshot, "run-3")])

    assert all(isinstance(outcome, LoadOutput) for outcome in outcomes), outcomes
    assert sorted(told(outcome) for outcome in outcomes) == [(False, 1, 1), (True, 0, 2)]
    assert len(rig.ledger()) == 2
    assert rig.live() == [("b", "first"), ("c", "first")]
    assert rig.rows("select count(*) from {raw}") == [(3,)]
    assert fates(rig.load(snapshot, "run-4")) == (0, 0, 2, 0, 0, 2)
    assert rig.staging_tables() == []


def test_a_load_whose_batch_was_published_meanwhile_says_so(rig: Rig) -> None:
    snapshot = rig.land(A, B)

    def publish_elsewhere(contract: Contract, batch: Batch, staged_count: int) -> LoadGateResult:
        with rig.session() as session:  # the other's row, and its staging table left for us
            session.run(
                "insert into pipeline.load_ledger "
                "select %s, %s, 'run-2', '1.0.0', %s, 2, 2, 0, 0, 0, 0, 2, getdate(), 0",
                (batch.batch_id, contract.dataset, batch.landed_at_ms),
            )
            session.commit()
        return go(contract, batch, staged_count)

    output = rig.load(snapshot, "run-1", publish_elsewhere)

    assert output.was_already_published
    assert fates(output) == (0, 0, 2, 0, 0, 2)


def test_a_staging_table_that_somebody_emptied_deletes_no_row(rig: Rig) -> None:
    rig.publish(A, B)
    snapshot = rig.land(A, B, C)

    def begin_again_elsewhere(contract: Contract, batch: Batch, staged_count: int) -> LoadGateResult:
        with rig.session() as session:
            session.run(f"delete from staging_spacex.{rig.staging_tables()[0]}")
            session.commit()
        return go(contract, batch, staged_count)

    with pytest.raises(RowsDoNotReconcile, match="3 rows staged against 0"):
        rig.load(snapshot, check=begin_again_elsewhere)
    assert len(rig.live()) == 2


def test_a_staging_table_that_the_batchs_publisher_took_away_is_no_trouble(rig: Rig) -> None:
    snapshot = rig.land(A, B)

    def overtake(contract: Contract, batch: Batch, staged_count: int) -> LoadGateResult:
        rig.load(snapshot, "run-2")
        return go(contract, batch, staged_count)

    assert told(rig.load(snapshot, "run-1", overtake)) == (True, 0, 2)
    assert rig.staging_tables() == []


def test_a_key_that_is_published_twice_is_no_snapshots_to_build_on(rig: Rig) -> None:
    rig.publish(A, B)
    with rig.session() as session:  # keys are not enforced
        session.run(f"insert into raw_spacex.{rig.contract.dataset} select * from raw_spacex.{rig.contract.dataset}")
        session.commit()
    before, ledger = rig.everything(), rig.ledger()

    with pytest.raises(RowsDoNotReconcile, match="3 rows staged against 5"):
        rig.load(rig.land(A, B, C))
    assert (rig.everything(), rig.ledger()) == (before, ledger)


def test_rows_that_a_statement_did_not_change_as_counted_undo_the_whole_publication(rig: Rig) -> None:
    rig.publish(A, B)
    snapshot = rig.land(A, C)
    before, ledger = rig.everything(), rig.ledger()

    class Deaf(Session):
        """Loses the statement that marks rows deleted."""

        def run(self, sql: str, parameters: Sequence[object] = ()) -> int:
            return 0 if sql.startswith("update raw_spacex") else super().run(sql, parameters)

    with rig.session() as session:
        session.__class__ = Deaf
        with pytest.raises(RowsDoNotReconcile, match="1 rows deleted against 0; 0 rows kept against 1; 2 rows live"):
            load_batch(rig.store, session, rig.loading(snapshot))
    assert (rig.everything(), rig.ledger()) == (before, ledger)


def test_a_snapshot_published_meanwhile_is_what_losing_rows_is_measured_by(
    new_rig: Callable[[Contract], Rig],
) -> None:
    limit = rules.set_rule(
        "", RuleKind.SHRINKAGE, Shrinkage(max_ratio=0.25, floor_count=1), Note(reason="Things stay."), name="few-lost"
    )
    plain = things()
    rig = new_rig(replace(plain, rules=(*plain.rules, limit)))
    rig.publish(A)
    larger, smaller = rig.land(*(thing(name) for name in "abcdefgh")), rig.land(A, B)

    def overtake(contract: Contract, batch: Batch, staged_count: int) -> LoadGateResult:
        rig.load(larger, "run-2")
        return go(contract, batch, staged_count)

    with pytest.raises(ServiceUnavailable, match="another snapshot was published meanwhile"):
        rig.load(smaller, "run-3", overtake)
    assert len(rig.live()) == 8
    assert rig.load(smaller, "run-3").verdict is Verdict.NO_GO


def test_a_staging_table_that_somebody_took_away_is_worth_a_retry(rig: Rig) -> None:
    rig.publish(A, B)
    snapshot = rig.land(A, B, C)

    def finish_elsewhere(contract: Contract, batch: Batch, staged_count: int) -> LoadGateResult:
        with rig.session() as session:
            session.run(f"drop table staging_spacex.{rig.staging_tables()[0]}")
            session.commit()
        return go(contract, batch, staged_count)

    with pytest.raises(ServiceUnavailable, match="Run the step again"):
        rig.load(snapshot, check=finish_elsewhere)
    assert fates(rig.load(snapshot)) == (1, 0, 2, 0, 0, 3)


def test_two_snapshots_of_one_dataset_at_once_go_one_after_the_other(rig: Rig) -> None:
    rig.publish(A)
    barrier = Barrier(2)
    snapshots = [rig.land(A, B), rig.land(A, C)]

    outcomes = at_once([lambda s=s: rig.load(s, "run-2", meet(barrier)) for s in snapshots])  # type: ignore[misc]

    newest = outcomes[1]
    assert isinstance(newest, LoadOutput)
    assert newest.published is not None
    assert rig.live() == [("a", "first"), ("c", "first")]


def test_many_datasets_published_at_once_do_not_wait_for_each_other_forever(
    new_rig: Callable[[Contract], Rig],
) -> None:
    rigs = [new_rig(things(columns=("id", "text"))) for _ in range(4)]
    barrier = Barrier(len(rigs))
    snapshots: list[tuple[Rig, Snapshot]] = [(rig, rig.land(A, B)) for rig in rigs]

    outcomes = at_once([lambda r=r, s=s: r.load(s, "run-1", meet(barrier)) for r, s in snapshots])  # type: ignore[misc]

    assert [fates(outcome) for outcome in outcomes if isinstance(outcome, LoadOutput)] == [(2, 0, 0, 0, 0, 2)] * 4


def test_a_warehouse_is_prepared_by_many_at_once(rig: Rig) -> None:
    with rig.session() as session:
        for schema in ("raw_spacex", "staging_spacex", "pipeline"):
            session.run(f"drop schema if exists {schema} cascade")
        session.commit()
    barrier = Barrier(4)
    contracts = {name: things(name) for name in ("first", "second")}

    def prepare(_: int) -> None:
        with rig.session() as session:
            session.rows("select 1")
            session.rollback()
            barrier.wait(timeout=120)
            prepare_warehouse(session, contracts)

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(prepare, range(4)))

    assert rig.rows("select count(*) from raw_spacex.first union all select count(*) from raw_spacex.second") == [
        (0,),
        (0,),
    ]


def test_readers_see_the_old_rows_or_the_new_ones_and_nothing_between(rig: Rig) -> None:
    rig.publish(A, B)
    seen: list[list[tuple[str, str]]] = []
    stop = Event()

    def read() -> None:
        while not stop.wait(0.005):
            seen.append(rig.live())

    with ThreadPoolExecutor(max_workers=1) as pool:
        reading = pool.submit(read)
        try:
            rig.publish(replace_text(A, "second"), C)
        finally:
            stop.set()
        reading.result()

    allowed = ([("a", "first"), ("b", "first")], [("a", "second"), ("c", "first")])
    assert seen
    assert [rows for rows in seen if rows not in allowed] == []


def replace_text(record: dict[str, object], text: str) -> dict[str, object]:
    return record | {"text": text}
