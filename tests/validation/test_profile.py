"""What a profile tells of records, and that how they are split and ordered changes nothing of it."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.classification import public_paths
from contracts.model import LogicalType, RuleKind
from loader.documents import from_json, to_json
from tests.validation.hand_made import PROPERTIES, contract, line, prop, rule
from tests.validation.recordings import recorded
from validation import profile as profiles
from validation.distinct import KEPT, Distinct, distinct
from validation.field_profile import FieldProfile, Range
from validation.forms import Form, form_of
from validation.profile import BatchProfile, Profile, Profiler, whole_batch
from validation.profile import profiled as read
from validation.row_rules import holds


def profiled(*records: Any, hidden: Sequence[str] = ()) -> Profile:
    profiler = Profiler(lambda path: path not in hidden)
    for record in records:
        profiler.add(record)
    return profiler.profile()


def test_missing_null_and_each_type_are_counted_apart() -> None:
    found = profiled({"a": 1}, {"a": 1.5}, {"a": "1"}, {"a": True}, {"a": None}, {}, {"a": []}, {"a": {}})
    assert found.at("a").by_type == {
        "array": 1,
        "boolean": 1,
        "float": 1,
        "integer": 1,
        "null": 1,
        "object": 1,
        "string": 1,
    }
    assert found.missing_count("a") == 1
    assert found.record_count == 8


def test_what_is_in_an_object_is_missing_only_where_the_object_is() -> None:
    found = profiled({"links": {"wiki": "w"}}, {"links": {}}, {"links": None}, {})
    assert found.missing_count("links.wiki") == 1
    assert found.missing_count("links") == 1


def test_items_of_arrays_have_a_path_of_their_own_at_any_depth() -> None:
    found = profiled({"cores": [{"flights": [1, 2]}, {"flights": []}]}, {"cores": [None]}, {"cores": []})
    assert found.at("cores").items == (0, 2)
    assert found.at("cores[]").by_type == {"null": 1, "object": 2}
    assert found.at("cores[].flights").items == (0, 2)
    assert found.at("cores[].flights[]").ranges == {"number": Range(1, 2)}
    assert found.missing_count("cores[].flights[]") == 0


def test_true_is_no_number_and_a_number_is_one_value_however_it_is_written() -> None:
    found = profiled({"a": True}, {"a": 1}, {"a": 1.0}, {"a": "1"}).at("a")
    assert Counter(dict(map(_told_apart, found.values or ()))) == {"bool True": 1, "int 1": 2, "str 1": 1}
    assert found.whole_floats == 1
    assert found.distinct.count == 3


def _told_apart(pair: tuple[Any, int]) -> tuple[str, int]:
    return f"{type(pair[0]).__name__} {pair[0]}", pair[1]


def test_texts_are_measured_in_characters_and_in_bytes() -> None:
    found = profiled({"name": "Türksat 5B"}, {"name": ""}).at("name")
    assert (found.characters, found.utf8_bytes) == ((0, 10), (0, 11))


def test_instants_are_compared_as_instants_and_not_as_text() -> None:
    found = profiled({"at": "2020-01-01T00:00:00+10:00"}, {"at": "2019-12-31T20:00:00Z"}).at("at")
    assert found.ranges == {"instant": Range("2020-01-01T00:00:00+10:00", "2019-12-31T20:00:00Z")}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("5eb87cd9ffd86e000604b32a", Form.HEX_ID),
        ("dfd4f0e0-0ab4-494d-bd88-1b93b934b269", Form.UUID),
        ("2006-03-24T22:30:00.000Z", Form.INSTANT),
        ("2006-03-25T10:30:00+12:00", Form.LOCAL_INSTANT),
        ("2006-02-30T10:30:00Z", Form.TEXT),
        ("2006-03-25", Form.DAY),
        ("2006-13-25", Form.TEXT),
        ("https://example.org/a", Form.URL),
        ("crew@example.org", Form.EMAIL),
        ("ends so \n", Form.PADDED),
        ("", Form.EMPTY),
        ("FalconSat", Form.TEXT),
    ],
)
def test_the_form_of_a_text_is_told(text: str, form: Form) -> None:
    assert form_of(text) is form
    assert profiled({"a": text}).at("a").forms == {form.value: 1}


_DIGITS = st.from_regex(
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,7})?(Z|[+-][0-9]{2}:[0-9]{2}))?\Z"
)
_TIMES = st.datetimes().map(lambda at: at.isoformat() + "Z") | st.dates().map(str) | _DIGITS


@settings(deadline=None)
@given(_TIMES)
def test_what_counts_as_an_instant_or_a_day_is_what_the_gate_takes_for_one(text: str) -> None:
    judged = pl.DataFrame({"a": [text]})
    instant = rule("a", RuleKind.FORMAT, LogicalType.TIMESTAMP)
    day = rule("a", RuleKind.FORMAT, LogicalType.DATE)
    is_instant, is_day = judged.select(holds(instant, pl.col("a")).alias("i"), holds(day, pl.col("a")).alias("d")).row(
        0
    )
    assert (form_of(text) in {Form.INSTANT, Form.LOCAL_INSTANT}) == is_instant
    assert (form_of(text) is Form.DAY) == is_day


def test_frequencies_are_told_while_values_are_few_and_short() -> None:
    assert profiled({"s": "go"}, {"s": "no-go"}, {"s": "go"}).at("s").values == (("go", 2), ("no-go", 1))
    assert profiled(*({"s": number} for number in range(33))).at("s").values is None
    assert profiled({"s": "x" * 65}).at("s").values is None


def test_of_a_path_that_is_not_shown_there_are_counts_and_lengths_and_no_value() -> None:
    secret = profiled({"name": "Bob", "born": "1970-07-30", "shoe": 44}, hidden=("name", "born", "shoe"))
    for path, value in {"name": "Bob", "born": "1970-07-30", "shoe": 44}.items():
        found = secret.at(path)
        assert (found.values, found.ranges, found.distinct) == (None, {}, Distinct())
        assert str(value) not in to_json(found).decode().replace('"count"', "")
    assert secret.at("name").characters == (3, 3)
    assert secret.at("born").forms == {"day": 1}


def test_different_values_are_counted_exactly_while_they_are_few() -> None:
    found = distinct(map(str, range(KEPT - 1)))
    assert (found.count, found.is_exact) == (KEPT - 1, True)
    assert not distinct(map(str, range(KEPT))).is_exact


@pytest.mark.parametrize("count", [1_000, 30_000])
def test_many_different_values_are_estimated_within_three_standard_errors(count: int) -> None:
    found = distinct(map(str, range(count)))
    assert abs(found.count - count) <= 3 * 0.063 * count


def test_the_share_of_values_that_another_set_holds_is_told_from_the_sketches() -> None:
    keys = distinct(map(str, range(2_000)))
    assert distinct(map(str, range(10))).share_within(distinct(map(str, range(5)))) == 0.5
    assert distinct(map(str, range(1_000))).share_within(keys) == 1.0
    assert distinct(map(str, range(1_000, 3_000))).share_within(keys) == pytest.approx(0.5, abs=0.15)
    assert distinct(map(str, range(5_000, 6_000))).share_within(keys) == 0.0


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([0.5, 1.0, -2.0])
    | st.sampled_from(["", "a", "ü", " b", "2020-01-01", "2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00"])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc.["), inner, max_size=3),
    max_leaves=8,
)
_RECORDS = st.lists(st.dictionaries(st.sampled_from("abcd"), _VALUES, max_size=4), max_size=12)


@settings(deadline=None)
@given(_RECORDS, st.integers(0, 12), st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_split_of_records_changes_a_profile(records: Any, cut: int, random: Any) -> None:
    whole = profiled(*records)
    shuffled = list(records)
    random.shuffle(shuffled)
    parts = profiled(*shuffled[:cut]).merge(profiled(*shuffled[cut:]))
    assert parts == whole
    assert to_json(parts) == to_json(whole)


@settings(deadline=None)
@given(_RECORDS)
def test_a_profile_is_read_back_as_it_was_written(records: Any) -> None:
    whole = profiled(*records)
    assert from_json(Profile, to_json(whole), "here") == whole


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=9), max_size=20), st.integers(0, 20))
def test_of_too_many_paths_the_same_are_kept_in_whatever_order_they_come(records: Any, cut: int) -> None:
    with pytest.MonkeyPatch.context() as limits:
        limits.setattr(profiles, "MOST_PATHS", 5)
        limits.setattr(profiles, "WAITING_RECORDS", 3)
        whole = profiled(*records)
        parts = profiled(*records[cut:]).merge(profiled(*records[:cut]))
    assert parts == whole
    assert len(whole.fields) <= 5


def test_a_record_of_ever_new_fields_takes_no_more_memory_than_others() -> None:
    profiler = Profiler()
    for number in range(3_000):
        profiler.add({"id": number, **{f"field_{number}_{index}": index for index in range(20)}})
    found = profiler.profile()
    assert len(found.fields) == profiles.MOST_PATHS
    assert found.cut_at is not None
    assert len(profiler.paths()) <= profiles.MOST_PATHS


def test_names_with_dots_and_brackets_are_no_paths() -> None:
    found = profiled({"a.b": 1, "a": {"b": "x"}, "c[]": 2, "c": [None], "": 3})
    assert {each.path for each in found.fields} == {"", "a", "a.b", "a%2e;b", "c", "c[]", "c%5b;%5d;", "%;"}


def test_an_object_is_profiled_whole_when_small_and_in_part_when_large() -> None:
    lines = [line({"id": number}).removesuffix(b"\n") for number in range(1, 2_501)]
    profiler = Profiler()
    assert list(read(lines, profiler)) == lines
    found = profiler.profile()
    assert found.record_count == 502
    assert found.at("id").ranges == {"number": Range(1, 2_000)}
    small = Profiler()
    assert list(read(lines[:499], small)) == lines[:499]
    assert small.profile().record_count == 499


def test_what_holds_no_record_is_passed_on_and_not_profiled() -> None:
    lines: list[Any] = [b"nonsense", line({"id": 1}), b"", "not bytes"]
    profiler = Profiler()
    assert list(read(lines, profiler)) == lines
    assert profiler.profile().record_count == 1


def test_values_are_told_of_what_the_contract_calls_public_like_all_around() -> None:
    hidden = prop("links", LogicalType.OBJECT, prop("links.wiki", LogicalType.STRING), classification="internal")
    paths = public_paths(contract(properties=(*PROPERTIES[:2], hidden, PROPERTIES[-1])))
    assert paths == {"id", "cores", "cores[]", "cores[].core", "cores[].flight", "cores[].landings",
                     "cores[].landings[]"}  # fmt: skip


def test_a_batch_profile_says_how_many_lines_it_saw_of_how_many() -> None:
    parts = [BatchProfile("crafts", "b", "1.0.0", 10, profiled({"a": number})) for number in range(3)]
    whole = whole_batch(parts)
    assert (whole.line_count, whole.profile.record_count) == (30, 3)
    assert from_json(BatchProfile, to_json(whole), "here") == whole


def test_the_recorded_launches_are_told_as_a_plain_count_tells_them() -> None:
    records = recorded("api-2021-04-22", "launches")
    found = profiled(*records)
    assert found.record_count == len(records) == 142
    by_hand = Counter(json.dumps(core["landing_type"]) for record in records for core in record["cores"])
    told = {json.dumps(value): count for value, count in found.at("cores[].landing_type").values or ()}
    assert {**told, "null": found.at("cores[].landing_type").null_count} == by_hand
    assert found.at("id").distinct.count == 142
    assert found.at("name").utf8_bytes == (
        min(len(record["name"].encode()) for record in records),
        max(len(record["name"].encode()) for record in records),
    )


def test_a_field_profile_counts_what_is_there() -> None:
    found: FieldProfile = profiled({"a": None}, {"a": 1}, {"a": [1]}).at("a")
    assert (found.count, found.null_count, found.scalar_count) == (3, 1, 1)
