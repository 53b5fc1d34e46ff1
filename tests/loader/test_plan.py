from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ServiceUnavailable, UsageError
from contracts.read import FOLDER, read_contracts
from loader.batch import MOST_IN_A_PACK, Plan, pack
from loader.plan import Request, make_plan
from tests.loader.landing import EPOCH_MS, compressed, envelope, land, sync_job
from tests.loader.memory_store import MemoryStore

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
CONTRACTS = read_contracts(FOLDER)


def plan(store: MemoryStore, sync_id: int = 1, shard_bytes: int = 1 << 20, **counts: int) -> Plan:
    job = sync_job(sync_id, counts)
    return make_plan(store, Request("run-1", "test", job, tuple(counts), CONTRACTS, NOW, shard_bytes))


def lines(count: int, sync_id: int = 1) -> list[bytes]:
    return [envelope({"id": f"{number:024x}"}, sync_id) for number in range(count)]


def test_a_plan_holds_the_objects_of_its_sync_and_no_others() -> None:
    store = MemoryStore()
    land(store, "launches", lines(3, sync_id=1), sync_id=1)
    newer = [land(store, "launches", lines(2, sync_id=2), sync_id=2, part=part) for part in range(2)]

    batch = plan(store, sync_id=2, launches=4).batch("launches")

    assert [landed.key for landed in batch.objects] == newer
    assert (batch.line_count, batch.expected_count) == (4, 4)


def test_a_past_sync_can_be_planned_again() -> None:
    store = MemoryStore()
    older = land(store, "launches", lines(3, sync_id=1), sync_id=1)
    land(store, "launches", lines(2, sync_id=2), sync_id=2)

    assert [landed.key for landed in plan(store, sync_id=1, launches=3).batch("launches").objects] == [older]


def test_a_dataset_of_a_similar_name_is_another_dataset() -> None:
    store = MemoryStore()
    land(store, "launches_v5", lines(3))

    assert plan(store, launches=0).batch("launches").objects == ()


def test_a_stream_that_was_not_asked_for_is_left_alone() -> None:
    store = MemoryStore()
    land(store, "launches", lines(1))
    land(store, "ships", lines(1))
    request = Request("run-1", "test", sync_job(1, {"launches": 1, "ships": 1}), ("launches",), CONTRACTS, NOW)

    assert [batch.dataset for batch in make_plan(store, request).batches] == ["launches"]


def test_a_requested_stream_that_airbyte_has_no_count_for_is_planned_as_empty() -> None:
    request = Request("run-1", "test", sync_job(1, {}), ("launches",), CONTRACTS, NOW)

    (batch,) = make_plan(MemoryStore(), request).batches

    assert (batch.objects, batch.expected_count) == ((), 0)


@pytest.mark.parametrize("status", ["running", "queued", "failed", "cancelled"])
def test_a_sync_that_did_not_succeed_is_not_planned(status: str) -> None:
    store = MemoryStore()
    land(store, "launches", lines(3))
    request = Request("run-1", "test", sync_job(1, {"launches": 3}, status), ("launches",), CONTRACTS, NOW)

    with pytest.raises(ServiceUnavailable, match=status):
        make_plan(store, request)


def test_a_sync_without_a_dataset_that_has_a_contract_is_refused() -> None:
    with pytest.raises(UsageError, match="no dataset"):
        make_plan(MemoryStore(), Request("run-1", "test", sync_job(1, {"ships": 1}), (), CONTRACTS, NOW))


def test_an_unreadable_object_is_held_against_its_own_sync_and_not_against_the_next() -> None:
    store = MemoryStore()
    cut = land(store, "launches", lines(3, sync_id=1), sync_id=1)
    store.put(cut, store.get(cut)[:15], "application/gzip")
    land(store, "launches", lines(3, sync_id=2), sync_id=2)

    assert [landed.key for landed in plan(store, sync_id=1, launches=3).batch("launches").objects] == [cut]
    assert [landed.damage for landed in plan(store, sync_id=2, launches=3).batch("launches").objects] == [None]


def test_a_job_number_that_begins_anew_does_not_bring_old_objects_back() -> None:
    store = MemoryStore()
    key = f"landing/launches/2020_01_01_{EPOCH_MS - 10**10}_0.jsonl.gz"
    store.put(key, compressed(lines(9, sync_id=1)), "application/gzip")
    land(store, "launches", lines(3, sync_id=1), sync_id=1)

    assert plan(store, sync_id=1, launches=3).batch("launches").line_count == 3


def test_the_same_bytes_make_the_same_batch_and_other_bytes_another() -> None:
    first, second, other = MemoryStore(), MemoryStore(), MemoryStore()
    land(first, "launches", lines(3))
    land(second, "launches", lines(3))
    land(other, "launches", lines(4))
    ids = [plan(store, launches=3).batch("launches").batch_id for store in (first, second, other)]

    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("damage", ["half", "nothing"])
def test_a_damaged_object_is_planned_with_what_is_wrong_with_it(damage: str) -> None:
    store = MemoryStore()
    key = land(store, "launches", lines(2000))
    body = store.get(key)
    store.put(key, body[: len(body) // 2] if damage == "half" else body[:4], "application/gzip")

    landed = plan(store, launches=2000).batch("launches").objects[0]

    assert landed.damage is not None
    assert landed.damage.startswith("the gzip stream is damaged")
    assert landed.line_count < 2000


def test_shards_hold_every_object_once_and_about_as_many_bytes_as_asked() -> None:
    store = MemoryStore()
    keys = [land(store, "launches", lines(50), part=part) for part in range(5)]
    size = len(compressed(lines(50)))

    shards = plan(store, shard_bytes=2 * size, launches=250).shards_of("launches")

    assert [len(shard.objects) for shard in shards] == [2, 2, 1]
    assert [landed.key for shard in shards for landed in shard.objects] == keys


def test_an_empty_sync_still_makes_a_shard_so_that_the_gate_can_say_so() -> None:
    assert len(plan(MemoryStore(), launches=0).shards_of("launches")) == 1


@given(st.lists(st.integers(0, 120), max_size=30), st.integers(1, 100), st.integers(1, 6))
def test_packs_hold_each_item_once_in_order_and_no_more_than_fits(sizes: list[int], most_bytes: int, most: int) -> None:
    items = list(enumerate(sizes))
    packs = pack(items, lambda item: item[1], most_bytes, most)

    assert [item for group in packs for item in group] == items
    assert all(len(group) == 1 or sum(size for _, size in group) <= most_bytes for group in packs)
    assert all(1 <= len(group) <= most for group in packs)
    for group, following in pairwise(packs):  # a new pack is begun only where the next item has no room
        assert len(group) == most or sum(size for _, size in (*group, following[0])) > most_bytes


def test_small_data_is_one_container_and_big_data_as_many_as_its_bytes_need() -> None:
    store = MemoryStore()
    for dataset in ("cores", "launches"):
        for part in range(2):
            land(store, dataset, lines(50), part=part)
    size = len(compressed(lines(50)))
    made = plan(store, shard_bytes=size, cores=100, launches=100)

    assert containers(made, 4 * size) == ["cores-0 cores-1 launches-0 launches-1 : cores launches"]
    assert containers(made, 3 * size) == ["cores-0 cores-1 : cores", "launches-0 launches-1 : launches"]
    assert containers(made, 1) == ["cores-0 : cores", "cores-1 :", "launches-0 : launches", "launches-1 :"]


def test_a_container_is_given_no_more_than_a_command_line_takes() -> None:
    store = MemoryStore()
    for part in range(MOST_IN_A_PACK + 1):
        land(store, "launches", lines(1), part=part)
    made = plan(store, shard_bytes=1, launches=MOST_IN_A_PACK + 1)

    assert [len(each.shards) for each in made.containers(1 << 30)] == [MOST_IN_A_PACK, 1]


def containers(made: Plan, most_bytes: int) -> list[str]:
    """Each container as `shards : datasets`."""
    return [f"{' '.join(each.shards)} : {' '.join(each.datasets)}".strip() for each in made.containers(most_bytes)]
