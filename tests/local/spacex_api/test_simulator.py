"""Holds the simulated history to the shapes of the real API and to what a history of launches must be."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import orjson
import pytest

from contracts.read import read_contracts
from local.spacex_api import catalogue
from local.spacex_api.simulator import Collections, simulate
from tests.extraction.recordings import COLLECTIONS, recorded
from tests.validation.hand_made import ListSink, line
from validation.raw_gate import RawGate, judge_batch
from validation.results import Verdict

# The snapshot of 2021 has no pictures of pads yet; the later one has.
SNAPSHOT = {"launchpads": "api-2022-05-03"}
NEWER_FIELDS = {"landpads": {"images", "images.large", "images.large[]"}}
# What is wrong with the real API's records as well.
TRUE_FAULTS = {"ships": {"status-min-length"}}
CONTRACTS = read_contracts()
WORDS = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
    list: "array",
    dict: "object",
}


@pytest.fixture(scope="module")
def sample() -> Collections:
    return simulate(205, seed=42)


@pytest.fixture(scope="module")
def launches(sample: Collections) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sample["launches"]
    return found


def records_of(sample: Collections, dataset: str) -> list[dict[str, Any]]:
    found = sample[dataset]
    return found if isinstance(found, list) else [found]


def types(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every path with the JSON type there: `cores[].flight` is an integer in one record and null in another."""
    if path:
        yield path, WORDS[type(value)]
    if isinstance(value, dict):
        for name, below in value.items():
            yield from types(below, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for below in value:
            yield from types(below, f"{path}[]")


def shape(records: list[dict[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for record in records:
        for path, kind in types(record):
            found.setdefault(path, set()).add(kind)
    return found


@pytest.mark.parametrize("dataset", COLLECTIONS)
def test_a_simulated_record_has_exactly_the_fields_of_a_real_one(sample: Collections, dataset: str) -> None:
    real = shape(recorded(dataset, SNAPSHOT.get(dataset, "api-2021-04-22")))
    assert set(shape(records_of(sample, dataset))) - NEWER_FIELDS.get(dataset, set()) == set(real)
    keys = {tuple(sorted(record)) for record in records_of(sample, dataset)}
    assert len(keys) == 1


@pytest.mark.parametrize("dataset", COLLECTIONS)
def test_a_simulated_field_is_of_no_type_the_real_one_never_is(sample: Collections, dataset: str) -> None:
    real = shape(recorded(dataset, SNAPSHOT.get(dataset, "api-2021-04-22")))
    simulated = shape(records_of(sample, dataset))
    assert simulated
    odd = {path: kinds - real[path] for path, kinds in simulated.items() if path in real and kinds - real[path]}
    assert odd == {}


@pytest.mark.parametrize("dataset", CONTRACTS)
@pytest.mark.parametrize("count", [1, 40, 205])
def test_a_simulated_collection_is_what_its_contract_says(dataset: str, count: int) -> None:
    records = records_of(simulate(count, seed=42), dataset)
    shard = RawGate(CONTRACTS[dataset]).check_shard("b", "0", [("a", [line(record) for record in records])], ListSink())
    result = judge_batch(CONTRACTS[dataset], "b", [shard], len(records), [])
    assert (shard.accepted_count, shard.first_rejection) == (len(records), None)
    assert set(shard.warnings_by_rule) <= TRUE_FAULTS.get(dataset, set())
    assert result.verdict is Verdict.GO


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_what_is_null_now_and_then_in_the_real_api_is_so_here(sample: Collections, dataset: str) -> None:
    real = shape(recorded(dataset, SNAPSHOT.get(dataset, "api-2021-04-22")))
    simulated = shape(records_of(sample, dataset))
    never_null = {path for path, kinds in real.items() if "null" in kinds and "null" not in simulated[path]}
    assert never_null == set()


def test_the_same_size_and_seed_give_the_same_bytes_and_another_seed_does_not() -> None:
    assert orjson.dumps(simulate(60, seed=1)) == orjson.dumps(simulate(60, seed=1))
    assert orjson.dumps(simulate(60, seed=1)) != orjson.dumps(simulate(60, seed=2))


@pytest.mark.parametrize("count", [0, 1, 2, 9, 10, 29, 30, 205, 2_000])
def test_a_history_has_as_many_launches_as_asked_for_each_with_its_own_id_and_name(count: int) -> None:
    found = simulate(count, seed=3)
    assert [launch["flight_number"] for launch in found["launches"]] == list(range(1, count + 1))
    for dataset in ("launches", "payloads", "cores"):
        ids = [record["id"] for record in found[dataset]]
        assert len(ids) == len(set(ids))
        assert all(re.fullmatch("[0-9a-f]{24}", each) for each in ids)
    names = [launch["name"] for launch in found["launches"]]
    assert len(names) == len(set(names))


def test_a_negative_number_of_launches_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 launches"):
        simulate(-1, seed=1)


def test_the_three_dates_of_a_launch_are_one_instant_and_rise(launches: list[dict[str, Any]]) -> None:
    for launch in launches:
        assert datetime.fromisoformat(launch["date_utc"]).timestamp() == launch["date_unix"]
        assert datetime.fromisoformat(launch["date_local"]).timestamp() == launch["date_unix"]
    assert all(earlier["date_unix"] < later["date_unix"] for earlier, later in pairwise(launches))


def test_local_dates_carry_the_offset_of_the_pad_on_that_day(launches: list[dict[str, Any]]) -> None:
    offsets = {(launch["launchpad"], launch["date_local"][-6:]) for launch in launches}
    assert {offset for pad, offset in offsets if pad == catalogue.KWAJALEIN} == {"+12:00"}
    assert {offset for pad, offset in offsets if pad == catalogue.SLC_40} == {"-04:00", "-05:00"}


def test_nobody_knows_yet_how_an_upcoming_launch_ends(launches: list[dict[str, Any]]) -> None:
    upcoming = [launch for launch in launches if launch["upcoming"]]
    assert len(upcoming) == 20
    assert {launch["success"] for launch in upcoming} == {None}
    assert None in {core["core"] for launch in upcoming for core in launch["cores"]}
    assert {launch["success"] for launch in launches if not launch["upcoming"]} == {True, False}
    assert not any(launch["upcoming"] for launch in launches[: -len(upcoming)])


def test_a_falcon_heavy_has_three_cores_and_everything_else_one(launches: list[dict[str, Any]]) -> None:
    heavy = {len(launch["cores"]) for launch in launches if launch["rocket"] == catalogue.FALCON_HEAVY}
    others = {len(launch["cores"]) for launch in launches if launch["rocket"] != catalogue.FALCON_HEAVY}
    assert (heavy, others) == ({3}, {1})


def test_a_core_counts_its_flights_and_flies_again(sample: Collections, launches: list[dict[str, Any]]) -> None:
    flights: dict[str, list[int]] = {}
    flown: dict[str, list[str]] = {}
    for launch in launches:
        for core in launch["cores"]:
            if core["core"]:
                flights.setdefault(core["core"], []).append(core["flight"])
                assert core["reused"] is (core["flight"] > 1)
                if not launch["upcoming"]:
                    flown.setdefault(core["core"], []).append(launch["id"])
    assert max(len(numbers) for numbers in flights.values()) > 3
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in flights.values())
    for core in sample["cores"]:
        assert core["launches"] == flown.get(core["id"], [])
        assert core["reuse_count"] == max(len(core["launches"]) - 1, 0)
        assert core["rtls_landings"] <= core["rtls_attempts"]
        assert core["asds_landings"] <= core["asds_attempts"]


def test_references_lead_somewhere(sample: Collections, launches: list[dict[str, Any]]) -> None:
    ids = {name: {record["id"] for record in records_of(sample, name)} for name in COLLECTIONS}
    for launch in launches:
        assert launch["rocket"] in ids["rockets"]
        assert launch["launchpad"] in ids["launchpads"]
        for name in ("payloads", "capsules", "crew", "ships"):
            assert set(launch[name]) <= ids[name]
        assert {core["core"] for core in launch["cores"]} - {None} <= ids["cores"]
        assert {core["landpad"] for core in launch["cores"]} - {None} <= ids["landpads"]
    carried = {payload: launch["id"] for launch in launches for payload in launch["payloads"]}
    assert carried == {payload["id"]: payload["launch"] for payload in sample["payloads"] if payload["launch"]}


def test_pads_and_rockets_count_what_the_launches_say(sample: Collections, launches: list[dict[str, Any]]) -> None:
    past = [launch for launch in launches if not launch["upcoming"]]
    for pad in sample["launchpads"]:
        mine = [launch for launch in past if launch["launchpad"] == pad["id"]]
        assert pad["launch_attempts"] == len(mine)
        assert pad["launch_successes"] == len([launch for launch in mine if launch["success"]])
        assert pad["launches"] == [launch["id"] for launch in mine]
    for rocket in sample["rockets"]:
        outcomes = [launch["success"] for launch in past if launch["rocket"] == rocket["id"]]
        assert rocket["success_rate_pct"] == (100 * sum(outcomes) // len(outcomes) if outcomes else 0)


def test_failures_say_when_and_one_came_before_the_launch(launches: list[dict[str, Any]]) -> None:
    times = [failure["time"] for launch in launches for failure in launch["failures"]]
    assert len(times) > 3
    assert min(times) < 0 < max(times)
    assert {launch["success"] for launch in launches if launch["failures"]} == {False}


def test_names_and_details_are_not_all_ascii(sample: Collections, launches: list[dict[str, Any]]) -> None:
    assert any(not launch["name"].isascii() for launch in launches)
    assert any(not (launch["details"] or "").isascii() for launch in launches)
    assert b"\\u" not in orjson.dumps(sample["launches"])
