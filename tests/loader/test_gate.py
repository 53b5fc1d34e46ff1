import base64
import gzip
from datetime import UTC, datetime

import pytest

from contracts.read import FOLDER, read_contracts
from contracts.sample import good_record
from loader.batch import Plan
from loader.gate import GateOutput, gate_shard
from loader.plan import Request, make_plan
from loader.quarantine import read_quarantine
from loader.store import ObjectChanged, ObjectMissing
from tests.loader.landing import envelope, land, sync_job
from tests.loader.memory_store import MemoryStore

CONTRACTS = read_contracts(FOLDER)


def core(number: int, **changes: object) -> bytes:
    record = dict(good_record(CONTRACTS["cores"])) | {"id": f"{number:024x}", "serial": f"B{number:04d}"}
    return envelope(record | changes)


def planned(store: MemoryStore, count: int) -> Plan:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return make_plan(store, Request("run-1", "test", sync_job(1, {"cores": count}), ("cores",), CONTRACTS, now))


def gate(store: MemoryStore, plan: Plan) -> GateOutput:
    return gate_shard(store, CONTRACTS["cores"], plan.batch("cores"), plan.shard("cores-0"))


def test_a_clean_object_is_referred_to_as_it_lies_and_nothing_is_written() -> None:
    store = MemoryStore()
    key = land(store, "cores", [core(number) for number in range(3)])
    plan = planned(store, 3)
    store.writes.clear()

    output = gate(store, plan)

    assert [(entry.key, entry.record_count) for entry in output.entries] == [(key, 3)]
    assert store.writes == []


def test_an_object_with_a_reject_is_written_without_it_byte_for_byte() -> None:
    store = MemoryStore()
    good = [core(number) for number in range(3)]
    land(store, "cores", [good[0], core(7, reuse_count="many"), *good[1:]])
    plan = planned(store, 4)

    output = gate(store, plan)

    (entry,) = output.entries
    assert entry.key == f"accepted/cores/{plan.batch('cores').batch_id}/2026_03_21_1774208647000_0.jsonl.gz"
    assert gzip.decompress(store.get(entry.key)).splitlines() == good
    assert entry.size_bytes == len(store.get(entry.key))


def test_a_reject_lies_in_quarantine_with_its_bytes_its_place_and_every_rule() -> None:
    store = MemoryStore()
    bad = core(7, reuse_count="many", status="melted")
    key = land(store, "cores", [core(1), bad])

    gate(store, planned(store, 2))

    (record,) = read_quarantine(store, "cores")
    assert (record.object_key, record.line_number, record.key) == (key, 2, f"{7:024x}")
    assert base64.b64decode(record.raw_base64) == bad
    assert {violation.rule_id for violation in record.violations} == {"reuse_count-type", "status-enum"}


def test_gating_again_writes_the_same_bytes_under_the_same_names() -> None:
    store = MemoryStore()
    land(store, "cores", [core(1), b'{"cut": ', core(2)])
    plan = planned(store, 3)
    store.writes.clear()
    first = gate(store, plan)
    once = {key: store.get(key) for key in store.writes}

    assert gate(store, plan) == first
    assert {key: store.get(key) for key in store.writes} == once
    assert len(once) == 2


def test_an_object_of_rejects_only_is_not_loaded_at_all() -> None:
    store = MemoryStore()
    land(store, "cores", [b"not json", b"[]"])

    output = gate(store, planned(store, 2))

    assert output.entries == ()
    assert output.result.unparseable_count == 2


def test_an_object_that_vanished_since_the_plan_is_no_fault_of_the_data() -> None:
    store = MemoryStore()
    key = land(store, "cores", [core(1)])
    plan = planned(store, 1)
    store.delete(key)

    with pytest.raises(ObjectMissing):
        gate(store, plan)


def test_an_object_written_over_since_the_plan_is_not_judged() -> None:
    store = MemoryStore()
    key = land(store, "cores", [core(1)])
    plan = planned(store, 1)
    store.put(key, b"something else", "application/gzip")

    with pytest.raises(ObjectChanged):
        gate(store, plan)


def test_the_line_count_of_the_gate_is_the_plans_even_for_a_damaged_object() -> None:
    store = MemoryStore()
    key = land(store, "cores", [core(number) for number in range(500)])
    store.put(key, store.get(key)[:-2000], "application/gzip")
    plan = planned(store, 500)

    output = gate(store, plan)

    assert output.result.line_count == plan.batch("cores").line_count
    assert output.result.unparseable_count == 1
    assert output.result.found.damaged == (key,)
