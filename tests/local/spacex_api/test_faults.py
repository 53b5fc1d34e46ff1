"""Holds every fault to its record: what is said to be struck is struck, by the rule that is named, and nothing else."""

import copy
from collections import Counter
from datetime import datetime
from typing import Any

import orjson
import pytest

from contracts.read import read_contracts
from local.spacex_api.faults import COLLECTION_FAULTS, DATA_FAULTS, Struck, check, datasets_with, strike
from local.spacex_api.paths import NotThere, remove_at, rule_id, set_at, value_at
from local.spacex_api.rates import FaultRefused, FaultSpec
from local.spacex_api.simulator import Collections, simulate

CASES = [(fault, dataset) for fault in DATA_FAULTS for dataset in datasets_with(fault)]


@pytest.fixture(scope="module")
def sample() -> Collections:
    return simulate(205, seed=42)


def struck(sample: Collections, *texts: str) -> tuple[list[dict[str, Any]], list[Struck]]:
    specs = [FaultSpec.parse(text, DATA_FAULTS) for text in texts]
    return strike(sample[specs[0].dataset], specs, seed=42)


def test_every_list_that_has_a_contract_can_be_struck_by_most_faults(sample: Collections) -> None:
    able = Counter(dataset for _, dataset in CASES)
    assert set(able) == {dataset for dataset in read_contracts() if isinstance(sample[dataset], list)}
    assert min(able.values()) > len(DATA_FAULTS) / 2


@pytest.mark.parametrize(("fault", "dataset"), CASES)
def test_every_fault_names_a_rule_that_the_contract_has(sample: Collections, fault: str, dataset: str) -> None:
    _, done = struck(sample, f"{dataset}/{fault}:3%")
    contract = read_contracts()[dataset]
    assert done
    for entry in done:
        if fault == "duplicate-record":
            assert entry.rule_id is None
        else:
            assert entry.rule_id is not None
            assert contract.rule(entry.rule_id).path == entry.path


@pytest.mark.parametrize(("fault", "dataset"), CASES)
def test_a_fault_changes_the_recorded_records_and_no_other(sample: Collections, fault: str, dataset: str) -> None:
    before = copy.deepcopy(sample[dataset])
    after, done = struck(sample, f"{dataset}/{fault}:3%")
    assert sample[dataset] == before, "the source itself was changed"
    changed = [new for old, new in zip(before, after, strict=False) if orjson.dumps(old) != orjson.dumps(new)]
    if fault in ("duplicate-record", "conflicting-duplicate"):
        assert changed == []
        assert [record["id"] for record in after[len(before) :]] == [entry.record_id for entry in done]
    elif fault == "empty-collection":
        assert after == []
    else:
        assert len(after) == len(before)
        assert Counter(record.get("id") for record in changed) == Counter(entry.record_id for entry in done)


def places(sample: Collections, fault: str, dataset: str = "launches") -> set[str]:
    return {entry.path for entry in struck(sample, f"{dataset}/{fault}:20%")[1]}


def test_a_fault_takes_turns_among_the_places_it_can_strike(sample: Collections) -> None:
    assert places(sample, "wrong-type") == {"flight_number", "date_unix", "upcoming", "cores[].flight"}
    assert places(sample, "bad-id") == {"id", "rocket", "launchpad", "payloads[]"}


def test_a_wrong_type_is_a_text_where_a_number_was(sample: Collections) -> None:
    after, done = struck(sample, "cores/wrong-type:10%")
    by_id = {record["id"]: record for record in after}
    assert {type(value_at(by_id[entry.record_id], entry.path)) for entry in done} == {str}


def test_a_bad_date_is_no_date(sample: Collections) -> None:
    after, done = struck(sample, "bad-date:5%")
    by_id = {record["id"]: record for record in after}
    dates = [value_at(by_id[entry.record_id], entry.path) for entry in done if entry.path != "date_local"]
    assert dates
    for date in dates:
        with pytest.raises(ValueError, match="day"):
            datetime.fromisoformat(date)


def test_an_oversized_text_is_wider_than_the_widest_column(sample: Collections) -> None:
    after, done = struck(sample, "oversized-text:1%")
    by_id = {record["id"]: record for record in after}
    assert all(len(value_at(by_id[entry.record_id], entry.path).encode()) > 65_535 for entry in done)


def test_a_conflicting_duplicate_is_the_same_id_with_another_content(sample: Collections) -> None:
    after, done = struck(sample, "conflicting-duplicate:1%")
    for entry in done:
        first, second = [record for record in after if record["id"] == entry.record_id]
        assert {name for name in first if first[name] != second[name]} == {"details"}


def test_no_record_is_struck_twice_however_many_faults_there_are(sample: Collections) -> None:
    _, done = struck(sample, "wrong-type:30%", "missing-field:30%", "unknown-field:30%", "duplicate-record:5%")
    ids = [entry.record_id for entry in done]
    assert len(ids) == len(set(ids)) > 150


def test_the_smallest_rate_strikes_one_record_and_zero_none(sample: Collections) -> None:
    assert len(struck(sample, "rockets/missing-field:0.01%")[1]) == 1
    assert struck(sample, "wrong-type:0") == (sample["launches"], [])
    assert struck(sample, "empty-collection:0") == (sample["launches"], [])


def test_a_fault_that_a_dataset_cannot_have_is_refused_with_those_that_can() -> None:
    with pytest.raises(FaultRefused, match=r"payloads cannot have the fault bad-enum.*capsules, cores, crew"):
        check(FaultSpec("payloads", "bad-enum", 0.01))
    for fault in COLLECTION_FAULTS:
        with pytest.raises(FaultRefused, match="roadster cannot have"):
            check(FaultSpec("roadster", fault, 0.01))


def test_a_rule_is_named_as_contracts_name_it() -> None:
    assert rule_id("cores[].core", "required") == "cores-core-required"
    assert rule_id("cores[]", "required") == "cores-item-required"
    assert rule_id("links.patch", "required") == "links-patch-required"
    assert rule_id("", "row-count") == "row-count"


def test_a_place_that_a_record_does_not_have_is_told() -> None:
    record: dict[str, Any] = {"fairings": None, "cores": [], "links": {"patch": 1}}
    for path in ("fairings.ships", "cores[].core", "cores[]", "links.flickr", "name"):
        with pytest.raises(NotThere):
            value_at(record, path)
    set_at(record, "links.patch", lambda old: old + 1)
    assert record["links"] == {"patch": 2}
    remove_at(record, "links.patch")
    assert record["links"] == {}
