"""A published table is rebuilt from the lake: equal after any history, and honest when it cannot be."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from contracts.errors import RowsDoNotReconcile, UsageError
from contracts.model import Contract
from contracts.read import FOLDER, read_contracts
from loader import layout
from loader.plan import Request, make_plan
from loader.rebuild import Difference, rebuild, refuse_different
from spacex_elt.wiring import open_pipeline
from tests.extraction.recordings import recorded
from tests.loader.landing import sync_job
from tests.loader.rig import Rig, thing, things
from tests.loader.test_recorded_snapshots import SNAPSHOTS
from tests.loader.test_replay import ENOUGH, SMALL, Story
from validation.results import Verdict

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def forced(story: Story, day: int, run_id: str, count: int) -> None:
    """Loads a day's snapshot once more, over what was published since."""
    request = Request(
        run_id,
        "a test",
        sync_job(day, {story.dataset: count}),
        (story.dataset,),
        {story.dataset: story.rig.contract},
        story.pipeline.now(),
        is_forced=True,
    )
    story.pipeline.run_folder(run_id).write("plan.json", make_plan(story.pipeline.lake, request))
    story.steps(run_id)


def stamps(story: Story) -> list[tuple[Any, ...]]:
    return story.rig.rows("select id, _batch_id, _run_id, _row_hash from {raw} order by id")


@contextmanager
def telling(new_rig: Callable[[Contract], Rig]) -> Iterator[Story]:
    """Snapshots in which rows come, change, go and come back; one in quarantine, replayed; and a forced one."""
    contract = things(f"rebuilt_{uuid4().hex[:8]}")
    contract = replace(contract, rules=(*contract.rules, SMALL, ENOUGH))
    with open_pipeline("rebuilding") as pipeline:
        told = Story(replace(pipeline, contracts={contract.dataset: contract}), new_rig(contract))
        told.snapshot(1, [thing("a", text="one", nested={"x": [1]}), thing("b", text="one"), thing("c", text="one")])
        told.snapshot(2, [thing("a", text="two"), thing("b", text="NO")], [thing("d", text="two")])
        told.mended(SMALL).replay("mended")
        told.snapshot(3, [thing("c", text="three"), thing("d", text="two")])
        forced(told, 1, f"{told.dataset}-forced", 3)
        yield told


@pytest.fixture(scope="module")
def story(new_rig: Callable[[Contract], Rig]) -> Iterator[Story]:
    """A history for the tests that change nothing of it."""
    with telling(new_rig) as told:
        yield told


def test_after_snapshots_a_replay_and_a_forced_batch_the_rebuilt_table_is_equal(story: Story) -> None:
    before = story.rig.everything()

    done = rebuild(story.pipeline, story.dataset)

    assert done.is_equal
    assert (done.batches, done.is_newest, done.rebuilt.row_count) == (5, True, 4)
    assert done.difference == Difference(0, 0, 0)
    assert done.ledger_disagrees == ()
    refuse_different(done)
    assert story.rig.everything() == before
    assert rebuild(story.pipeline, story.dataset).rebuilt == done.rebuilt


def test_up_to_a_run_the_table_is_what_it_was_then(story: Story) -> None:
    done = rebuild(story.pipeline, story.dataset, f"{story.dataset}-day-2")

    assert (done.batches, done.is_newest, done.is_equal) == (2, False, False)
    refuse_different(done)
    rows = story.rig.rows("select id, text, _deleted_at is null from {raw}__rebuilt order by id")
    assert rows == [("a", "two", True), ("b", "one", True), ("c", "one", False), ("d", "two", True)]


DAMAGES = {
    "update {raw} set text = 'forged' where id = 'a'": Difference(0, 0, 1),
    "delete from {raw} where id = 'b'": Difference(0, 1, 0),
    "update {raw} set id = 'z' where id = 'c'": Difference(1, 1, 0),
    "update {raw} set _deleted_at = null where _deleted_at is not null": Difference(0, 0, 1),
}


def test_what_somebody_did_to_the_table_is_found_and_a_swap_undoes_it(new_rig: Callable[[Contract], Rig]) -> None:
    with telling(new_rig) as story:
        good = stamps(story)
        for damage, difference in DAMAGES.items():
            with story.rig.session() as session:
                assert session.run(damage.format(raw=f"raw_spacex.{story.dataset}")) == 1
                session.commit()

            done = rebuild(story.pipeline, story.dataset)
            assert done.difference == difference, damage
            with pytest.raises(RowsDoNotReconcile, match=r"is not what its batches make of it.*--swap"):
                refuse_different(done)

            refuse_different(rebuild(story.pipeline, story.dataset, swap=True))
            assert stamps(story) == good
        story.snapshot(4, [thing("a", text="four")], [thing("d", text="two")])
        assert rebuild(story.pipeline, story.dataset).is_equal


@pytest.mark.parametrize("dataset", ["launches", "payloads"])
def test_recorded_snapshots_are_rebuilt_by_hash_up_to_each_run(
    new_rig: Callable[[Contract], Rig], dataset: str
) -> None:
    contract = replace(read_contracts(FOLDER)[dataset], dataset=f"rebuilt_{dataset}_{uuid4().hex[:8]}")
    with open_pipeline("rebuilding") as pipeline:
        story = Story(replace(pipeline, contracts={contract.dataset: contract}), new_rig(contract))
        then = {}
        for day, name in enumerate(SNAPSHOTS, start=1):
            records = recorded(dataset, name)
            shown = story.snapshot(day, records)
            run_id = f"{contract.dataset}-day-{day}"
            if day == 3:  # fewer than the contract lets go unseen
                assert shown.verdict is Verdict.NO_GO
                run_id = f"{contract.dataset}-forced"
                forced(story, day, run_id, len(records))
            then[run_id] = stamps(story)
        assert len({str(rows) for rows in then.values()}) == len(SNAPSHOTS)

        for run_id, rows in then.items():
            refuse_different(rebuild(story.pipeline, story.dataset, run_id))
            assert story.rig.rows("select id, _batch_id, _run_id, _row_hash from {raw}__rebuilt order by id") == rows
        assert rebuild(story.pipeline, story.dataset).is_equal


def test_a_swap_to_an_older_run_is_refused(story: Story) -> None:
    with pytest.raises(UsageError, match=r"more was published since.*plan --force"):
        rebuild(story.pipeline, story.dataset, f"{story.dataset}-day-2", swap=True)


def test_a_run_that_published_nothing_of_it_is_told(story: Story) -> None:
    with pytest.raises(UsageError, match=rf"run nobody published nothing .*{story.dataset}-forced"):
        rebuild(story.pipeline, story.dataset, "nobody")


@pytest.mark.parametrize("part", ["landing", "manifests", "plan", "load"])
def test_what_retention_took_is_told_by_name(story: Story, part: str) -> None:
    run_id = f"{story.dataset}-day-1"
    lake, first = story.pipeline.lake, story.pipeline.run_folder(run_id).plan().batches[0]
    key = {
        "landing": first.objects[0].key,
        "manifests": layout.manifest_key(story.dataset, first.batch_id),
        "plan": f"runs/{run_id}/plan.json",
        "load": f"runs/{run_id}/load/{story.dataset}.json",
    }[part]
    body = lake.get(key)
    lake.delete(key)
    try:
        with pytest.raises(UsageError, match=rf"needs s3://.*/{key}, which is no longer in the lake"):
            rebuild(story.pipeline, story.dataset)
    finally:
        lake.put(key, body, "application/octet-stream")
