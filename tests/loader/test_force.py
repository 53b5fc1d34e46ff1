"""Forced runs: a batch is loaded again, an older snapshot comes back on purpose, and each is still done once."""

import pytest

from loader.load import Superseded
from tests.loader.rig import Rig, fates, thing

pytestmark = pytest.mark.stack

A, B, C = (thing(name, text="first") for name in "abc")
B_CHANGED = thing("b", text="second")


def test_a_published_batch_is_loaded_again_by_a_forced_run_and_by_no_other(rig: Rig) -> None:
    first = rig.land(A, B)
    rig.load(first, "run-1")
    with rig.session() as session:  # what somebody changed by hand is why a reload is forced
        session.run(f"delete from raw_spacex.{rig.contract.dataset} where id = 'b'")
        session.commit()

    assert rig.load(rig.gate(1, 2), "run-2").was_already_published
    assert rig.live() == [("a", "first")]

    output = rig.load(rig.gate(1, 2, forced_by="run-3"), "run-3")
    assert not output.was_already_published
    assert fates(output) == (1, 0, 1, 0, 0, 2)
    assert rig.live() == [("a", "first"), ("b", "first")]


def test_a_retry_of_a_forced_run_tells_the_same_and_changes_nothing(rig: Rig) -> None:
    rig.publish(A, B)
    rig.publish(A, B_CHANGED, run_id="run-2")
    first = rig.load(rig.gate(1, 2, forced_by="run-3"), "run-3")
    before = rig.everything()

    assert rig.load(rig.gate(1, 2, forced_by="run-3"), "run-3") == first
    assert rig.everything() == before
    assert [run_id for _, run_id in rig.ledger()].count("run-3") == 1


def test_an_older_snapshot_comes_back_when_forced_and_the_next_sync_goes_forward_again(rig: Rig) -> None:
    #                                                              ins upd same del kept live
    assert rig.publish(A, B) == (2, 0, 0, 0, 0, 2)
    assert rig.publish(B_CHANGED, C, run_id="run-2") == (1, 1, 0, 1, 0, 2)

    backfill = rig.gate(1, 2, forced_by="run-3")
    output = rig.load(backfill, "run-3")
    assert fates(output) == (0, 1, 0, 1, 0, 2)
    assert output.published is not None
    assert output.published.restored == 1, "a was marked deleted, and is back"
    assert rig.live() == [("a", "first"), ("b", "first")]

    assert rig.publish(B_CHANGED, C, run_id="run-4") == (0, 1, 0, 1, 0, 2)
    assert rig.live() == [("b", "second"), ("c", "first")]


def test_an_older_snapshot_that_is_not_forced_is_superseded(rig: Rig) -> None:
    rig.land(A, B)
    rig.publish(B_CHANGED, C, run_id="run-2")
    with pytest.raises(Superseded, match="run-2"):
        rig.load(rig.gate(1, 2), "run-3")


def test_a_forced_runs_batch_is_its_own_and_without_force_its_id_is_the_bytes(rig: Rig) -> None:
    plain = rig.land(A)
    forced = [rig.gate(1, 1, forced_by=run_id) for run_id in ("run-1", "run-2", "run-1")]
    assert rig.gate(1, 1).batch == plain.batch
    assert forced[0].batch == forced[2].batch
    assert len({plain.batch.batch_id, *(each.batch.batch_id for each in forced)}) == 3
