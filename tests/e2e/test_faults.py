"""Every fault that can be injected is found: the right rule, in the right row, with the right consequence."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from contracts.errors import ServiceUnavailable
from contracts.model import ACROSS_FIELDS
from contracts.read import FOLDER, read_contracts
from loader.airbyte import AirbyteServer
from loader.batch import Plan
from loader.pipeline import Pipeline
from loader.quarantine import read_quarantine
from loader.steps import gate_step, plan_step
from local.airbyte.damage import DAMAGE_FAULTS
from local.spacex_api.faults import DATA_FAULTS, RECORD_FAULTS, datasets_with
from local.spacex_api.rates import DEFAULT_DATASET
from local.spacex_api.simulator import simulate
from local.spacex_api.source import SERVICE_FAULTS, Sample, spoil
from spacex_elt.run import new_run_id, start_sync
from spacex_elt.sources import SourceRequest
from spacex_elt.wiring import open_pipeline
from tests.contracts.reference_judge import broken_rules
from validation.raw_gate import judge_batch
from validation.results import RawGateResult, Verdict

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
SEED, LAUNCHES = 42, 120
CONTRACTS = read_contracts(FOLDER)

WHOLE = ("duplicate-record", "conflicting-duplicate", "empty-collection")
#: The faults that strike records, with each dataset they can strike.
STRIKING = {fault: datasets_with(fault) for fault in DATA_FAULTS if fault not in WHOLE}
BREAKING = ("server-error", "not-json", "truncated-answer")
HARMLESS = ("unavailable-once", "slow")


@dataclass(frozen=True)
class Found:
    """What the raw gate made of one dataset with a fault."""

    result: RawGateResult
    rules_by_key: Mapping[str, set[str]]  # broken rules of each rejected or warned record
    lines: set[tuple[str, int]]  # where rejected lines lay


@pytest.fixture(scope="module")
def pipeline(fresh: None) -> Iterator[Pipeline]:
    with open_pipeline("faults") as opened:
        yield opened


def gate(pipeline: Pipeline, dataset: str, *faults: str) -> Found:
    """Extracts one dataset with faults and takes it through the raw gate."""
    return gate_all(pipeline, (dataset,), *faults)[dataset]


def gate_all(pipeline: Pipeline, datasets: tuple[str, ...], *faults: str) -> dict[str, Found]:
    """Extracts datasets with faults, in one sync, and takes them through the raw gate."""
    run_id = new_run_id(pipeline.now())
    request = SourceRequest("sample", LAUNCHES, SEED, faults, datasets)
    synced = start_sync(pipeline, pipeline.run_folder(run_id), request)
    plan = plan_step(pipeline, run_id, synced.job_id, synced.source, synced.datasets)
    return {dataset: gated(pipeline, plan, dataset) for dataset in datasets}


def gated(pipeline: Pipeline, plan: Plan, dataset: str) -> Found:
    batch = plan.batch(dataset)
    shards = [gate_step(pipeline, plan.run_id, shard.shard_id).result for shard in plan.shards_of(dataset)]
    damaged = [landed.key for landed in batch.objects if landed.damage]
    result = judge_batch(CONTRACTS[dataset], batch.batch_id, shards, batch.expected_count, damaged)
    records = list(read_quarantine(pipeline.lake, dataset, batch.batch_id))
    rules: dict[str, set[str]] = {}
    for record in records:
        rules.setdefault(str(record.key), set()).update(violation.rule_id for violation in record.violations)
    for shard in shards:
        for rule_id, keys in shard.warned_keys.items():
            for key in keys:
                rules.setdefault(key, set()).add(rule_id)
    return Found(result, rules, {(record.object_key, record.line_number) for record in records})


def told_besides(dataset: str, served: bytes) -> dict[str, set[str]]:
    """By record, the rules that it breaks besides the struck one: as the real API does, and across its fields."""
    contract = CONTRACTS[dataset]
    besides = {rule_id for record in simulate(LAUNCHES, SEED)[dataset] for rule_id in broken_rules(contract, record)}
    besides |= {rule.rule_id for rule in contract.rules if rule.kind in ACROSS_FIELDS}
    told = {str(record["id"]): besides.intersection(broken_rules(contract, record)) for record in json.loads(served)}
    return {key: rules for key, rules in told.items() if rules}


def test_every_fault_there_is_belongs_to_a_test_here() -> None:
    assert set(RECORD_FAULTS) < set(STRIKING)
    assert set(STRIKING) | set(WHOLE) == set(DATA_FAULTS)
    assert {*BREAKING, *HARMLESS} == set(SERVICE_FAULTS)
    assert set(DAMAGE_FAULTS) == {"truncated-line", "bad-utf8", "truncated-gzip"}


@pytest.mark.parametrize("fault", sorted(STRIKING))
def test_each_struck_record_is_found_with_the_rule_it_breaks(pipeline: Pipeline, fault: str) -> None:
    assert STRIKING[fault]
    asked = tuple(f"{dataset}/{fault}:3%" for dataset in STRIKING[fault])
    spoiled = spoil(Sample(LAUNCHES, SEED), asked, SEED)

    found = gate_all(pipeline, STRIKING[fault], *asked)

    for dataset in STRIKING[fault]:
        expected = told_besides(dataset, spoiled.bodies[dataset])
        blows = [blow for blow in spoiled.struck if blow.dataset == dataset]
        assert blows, dataset
        for blow in blows:
            expected.setdefault(str(blow.record_id), set()).add(str(blow.rule_id))
        assert found[dataset].rules_by_key == expected, dataset


def test_a_record_that_came_twice_is_dropped_and_counted(pipeline: Pipeline) -> None:
    struck = spoil(Sample(LAUNCHES, SEED), ("duplicate-record:3%",), SEED).struck
    assert struck
    found = gate(pipeline, "launches", "duplicate-record:3%")
    assert sum(shard.duplicate_count for shard in found.result.shards) == len(struck)
    assert found.result.verdict is Verdict.GO


def test_two_records_of_one_key_that_disagree_hold_the_batch(pipeline: Pipeline) -> None:
    struck = spoil(Sample(LAUNCHES, SEED), ("conflicting-duplicate:1%",), SEED).struck
    found = gate(pipeline, "launches", "conflicting-duplicate:1%")
    assert set(found.rules_by_key) == {str(blow.record_id) for blow in struck}
    assert [check.rule_id for check in found.result.set_checks if check.holds_the_batch] == ["id-unique"]
    assert found.result.verdict is Verdict.NO_GO


def test_an_empty_collection_holds_the_batch(pipeline: Pipeline) -> None:
    found = gate(pipeline, "launches", "empty-collection")
    assert found.result.verdict is Verdict.NO_GO
    assert "row-count" in {check.rule_id for check in found.result.set_checks if not check.passed}
    assert "empty" in found.result.reason


@pytest.mark.parametrize("fault", DAMAGE_FAULTS)
def test_each_damaged_line_is_found_where_it_lies(pipeline: Pipeline, fault: str) -> None:
    found = gate(pipeline, DEFAULT_DATASET, f"{fault}:2%")
    assert isinstance(pipeline.sync_server, AirbyteServer)
    told = pipeline.sync_server.http.call("GET", "/_faults", None, lambda answer: answer["faults"])
    keys = {object_key for object_key, _ in found.lines}
    expected = {(entry["key"], entry["line"]) for entry in told if entry["key"] in keys}
    assert expected
    if fault == "truncated-gzip":
        assert {key for key, _ in found.lines} == {key for key, _ in expected}
        assert found.result.verdict is Verdict.NO_GO
    else:
        assert found.lines == expected


@pytest.mark.parametrize("fault", BREAKING)
def test_an_api_that_fails_is_service_trouble_and_never_bad_data(pipeline: Pipeline, fault: str) -> None:
    with pytest.raises(ServiceUnavailable, match="launches"):
        gate(pipeline, "launches", fault)


@pytest.mark.parametrize("fault", HARMLESS)
def test_an_api_that_recovers_does_no_harm(pipeline: Pipeline, fault: str) -> None:
    found = gate(pipeline, "launches", fault)
    assert (found.rules_by_key, found.result.verdict) == ({}, Verdict.GO)
