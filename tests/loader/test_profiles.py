"""The profile of a batch is kept beside what the gate said of it, whatever its shards."""

from dataclasses import replace
from datetime import UTC, datetime

from contracts.model import Contract
from contracts.read import FOLDER, read_contracts
from contracts.sample import good_record
from loader.batch import Plan, split_into_shards
from loader.documents import to_json
from loader.gate import gate_shard
from loader.plan import Request, make_plan
from loader.run_folder import RunFolder, profile_name
from tests.loader.landing import envelope, land, sync_job
from tests.loader.memory_store import MemoryStore
from validation.profile import BatchProfile

CONTRACTS = read_contracts(FOLDER)
CORES = CONTRACTS["cores"]


def core(number: int, **changes: object) -> bytes:
    record = dict(good_record(CORES)) | {"id": f"{number:024x}", "serial": f"B{number:04d}"}
    return envelope(record | changes)


def landed(store: MemoryStore, *objects: list[bytes]) -> Plan:
    for part, lines in enumerate(objects):
        land(store, "cores", lines, part=part)
    job = sync_job(1, {"cores": sum(map(len, objects))})
    return make_plan(store, Request("run-1", "test", job, ("cores",), CONTRACTS, datetime(2026, 1, 1, tzinfo=UTC)))


def gated(store: MemoryStore, plan: Plan, contract: Contract = CORES) -> BatchProfile:
    """Takes every shard through the gate and keeps its profile, as the step does."""
    folder = RunFolder(store, plan.run_id)
    for shard in plan.shards_of("cores"):
        name = profile_name(shard.shard_id)
        gate_shard(store, contract, plan.batch("cores"), shard, lambda profile, name=name: folder.write(name, profile))  # type: ignore[misc]
    found = folder.profile(plan, "cores")
    assert found is not None
    return found


def test_every_record_of_small_objects_is_profiled_good_and_bad() -> None:
    store = MemoryStore()
    plan = landed(store, [core(1), core(2, reuse_count="many"), b"nonsense"], [core(3, reuse_count=12)])
    found = gated(store, plan)
    assert (found.dataset, found.batch_id) == ("cores", plan.batch("cores").batch_id)
    assert (found.profile.record_count, found.line_count) == (3, 4)
    assert found.profile.at("reuse_count").by_type == {"integer": 2, "string": 1}


def test_of_a_large_object_some_records_are_and_the_profile_says_of_how_many() -> None:
    store = MemoryStore()
    found = gated(store, landed(store, [core(number) for number in range(2_100)]))
    assert (found.profile.record_count, found.line_count) == (502, 2_100)


def test_the_profile_of_a_batch_is_the_same_however_its_objects_are_spread_over_shards() -> None:
    store = MemoryStore()
    plan = landed(store, [core(1), core(2)], [core(3)], [core(4, status="lost")])
    apart = replace(plan, shards=split_into_shards(plan.batch("cores"), 1))
    assert len(apart.shards) == 3
    assert to_json(gated(store, apart)) == to_json(gated(store, plan))


def test_a_batch_has_no_profile_while_a_shard_has_none() -> None:
    store = MemoryStore()
    plan = landed(store, [core(1)], [core(2)])
    apart = replace(plan, shards=split_into_shards(plan.batch("cores"), 1))
    gated(store, replace(apart, shards=apart.shards[:1]))
    assert RunFolder(store, plan.run_id).profile(apart, "cores") is None


def test_no_value_that_the_contract_withholds_or_does_not_know_gets_into_a_profile() -> None:
    hidden = replace(
        CORES,
        properties=tuple(
            replace(prop, classification="restricted") if prop.name == "serial" else prop for prop in CORES.properties
        ),
    )
    store = MemoryStore()
    found = gated(store, landed(store, [core(1, serial="B-secret", nickname="Old Faithful")]), hidden)
    body = to_json(found)
    assert b"secret" not in body
    assert b"Faithful" not in body
    assert found.profile.at("serial").characters == (8, 8)
    assert found.profile.at("nickname").by_type == {"string": 1}
