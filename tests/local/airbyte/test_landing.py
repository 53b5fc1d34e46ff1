"""Holds the writer to the names, envelopes and parts of Airbyte's S3 destination."""

import gzip
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loader.layout import parse_landed
from local.airbyte.damage import LandingDamage, check_damage, split_faults
from local.airbyte.landing import Destination, Generation, StreamWriter, envelope
from local.spacex_api.rates import FaultRefused

AT = datetime(2026, 3, 5, 7, 8, 9, 123_000, tzinfo=UTC)
GENERATION = Generation(sync_id=10_111, generation_id=11, written_at=AT)
PATH_FORMAT = "${STREAM_NAME}/${YEAR}_${MONTH}_${DAY}_${EPOCH}_"
LANDING = Destination("landing", PATH_FORMAT)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@dataclass
class MemoryBucket:
    """Keeps what is put into it."""

    objects: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def put(self, key: str, body: bytes, metadata: Mapping[str, str]) -> None:
        self.objects[key] = body
        self.metadata[key] = metadata

    def lines(self, key: str) -> list[bytes]:
        return gzip.decompress(self.objects[key]).splitlines()


def landed(*records: dict[str, Any], part_bytes: int = 1 << 20) -> tuple[MemoryBucket, StreamWriter]:
    bucket = MemoryBucket()
    writer = StreamWriter("launches", Destination("landing", PATH_FORMAT, part_bytes), GENERATION, bucket)
    for record in records:
        writer.write(record, 1_622_135_805_000)
    writer.finish()
    return bucket, writer


def test_a_line_is_the_version_2_envelope_to_the_byte() -> None:
    line = envelope({"user_id": 123, "name": {"first": "Jürgen"}, "x": 7.12e-05}, 1_622_135_805_000, GENERATION)
    raw_id = json.loads(line)["_airbyte_raw_id"]
    assert uuid.UUID(raw_id).version == 4
    assert line.decode() == (
        f'{{"_airbyte_raw_id":"{raw_id}","_airbyte_extracted_at":1622135805000,"_airbyte_generation_id":11,'
        '"_airbyte_meta":{"changes":[],"sync_id":10111},'
        '"_airbyte_data":{"user_id":123,"name":{"first":"Jürgen"},"x":0.0000712}}'
    )


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_a_record_comes_out_of_its_envelope_as_it_went_in(record: dict[str, Any]) -> None:
    line = envelope(record, 1, GENERATION)
    assert b"\n" not in line
    assert json.loads(line)["_airbyte_data"] == record


def test_a_key_is_named_by_stream_day_epoch_and_part() -> None:
    bucket, _ = landed({"id": "a"})
    assert list(bucket.objects) == ["landing/launches/2026_03_05_1772694489123_0.jsonl.gz"]
    name = parse_landed(next(iter(bucket.objects)))
    assert name is not None
    assert (name.dataset, name.epoch_ms, name.part) == ("launches", 1_772_694_489_123, "0")


def test_repeated_slashes_collapse_when_a_stream_has_no_namespace() -> None:
    destination = Destination("airbyte", "${NAMESPACE}/${STREAM_NAME}/${EPOCH}_")
    assert destination.prefix("cores", AT) == "airbyte/cores/1772694489123_"


def test_an_object_carries_its_generation() -> None:
    bucket, _ = landed({"id": "a"})
    assert list(bucket.metadata.values()) == [{"ab-generation-id": "11"}]


def test_a_stream_without_records_leaves_no_object() -> None:
    bucket, writer = landed()
    assert bucket.objects == {}
    assert writer.counts.records_committed == 0


def test_parts_are_numbered_and_together_hold_every_record_once_and_in_order() -> None:
    records = [{"id": "".join(uuid.uuid4().hex for _ in range(20))} for _ in range(600)]
    bucket, writer = landed(*records, part_bytes=2_000)
    assert len(bucket.objects) > 3
    assert [parse_landed(key).part for key in bucket.objects] == [  # type: ignore[union-attr]
        str(number) for number in range(len(bucket.objects))
    ]
    lines = [json.loads(line)["_airbyte_data"] for key in bucket.objects for line in bucket.lines(key)]
    assert lines == records
    assert writer.counts.records_emitted == writer.counts.records_committed == 600


def test_records_count_as_committed_only_once_they_are_in_the_bucket() -> None:
    bucket = MemoryBucket()
    writer = StreamWriter("launches", LANDING, GENERATION, bucket)
    writer.write({"id": "a"}, 1)
    assert (writer.counts.records_emitted, writer.counts.records_committed) == (1, 0)
    writer.finish()
    assert (writer.counts.records_emitted, writer.counts.records_committed) == (1, 1)


def spoiled(*specs: str, count: int = 200) -> tuple[MemoryBucket, LandingDamage]:
    bucket = MemoryBucket()
    damage = LandingDamage(check_damage(specs), "launches")
    writer = StreamWriter("launches", LANDING, GENERATION, bucket, damage)
    for number in range(count):
        writer.write({"id": f"{number:024x}", "name": "Türkuaz"}, 1)
    writer.finish()
    return bucket, damage


def unreadable(line: bytes) -> bool:
    try:
        json.loads(line.decode("utf-8"))
    except ValueError:  # also what invalid UTF-8 raises
        return True
    return False


@pytest.mark.parametrize("fault", ["truncated-line", "bad-utf8"])
def test_spoiled_lines_are_exactly_the_recorded_ones(fault: str) -> None:
    bucket, damage = spoiled(f"{fault}:2%")
    (key,) = bucket.objects
    lines = bucket.lines(key)
    assert len(lines) == 200
    assert [number for number, line in enumerate(lines, start=1) if unreadable(line)] == [
        entry["line"] for entry in damage.record
    ]
    assert [entry["fault"] for entry in damage.record] == [fault] * 4
    assert {entry["key"] for entry in damage.record} == {key}


def test_the_same_data_loses_the_same_lines_in_every_sync() -> None:
    struck = []
    for epoch in ("1772694489123", "1772780889123"):
        damage = LandingDamage(check_damage(["truncated-line:5%"]), "launches")
        damage.lines_of(f"landing/launches/2026_03_05_{epoch}_0.jsonl.gz", [b'{"_airbyte_data":{"id":1}}'] * 100)
        struck.append([entry["line"] for entry in damage.record])
    assert struck[0] == struck[1]
    assert len(struck[0]) == 5


def test_a_cut_line_is_still_whole_characters() -> None:
    damage = LandingDamage(check_damage(["truncated-line:100%"]), "launches")
    lines = [b'{"_airbyte_data":{"name":"' + "ü".encode() * count + b'"}}' for count in range(1, 9)]
    for line in damage.lines_of("landing/launches/2026_03_05_1772694489123_0.jsonl.gz", lines):
        assert unreadable(line)
        line.decode("utf-8")


def test_two_kinds_of_damage_never_strike_the_same_line() -> None:
    _, damage = spoiled("truncated-line:40%", "bad-utf8:40%", count=50)
    lines = [entry["line"] for entry in damage.record]
    assert len(lines) == len(set(lines)) == 40


def test_a_truncated_object_cannot_be_read_to_its_end() -> None:
    bucket, damage = spoiled("truncated-gzip")
    (key,) = bucket.objects
    with pytest.raises(EOFError):
        gzip.decompress(bucket.objects[key])
    assert damage.record == [{"fault": "truncated-gzip", "dataset": "launches", "key": key, "line": None}]


def test_damage_of_another_stream_leaves_this_one_alone() -> None:
    bucket, damage = spoiled("payloads/truncated-line:50%")
    assert damage.record == []
    assert not any(unreadable(line) for key in bucket.objects for line in bucket.lines(key))


def test_faults_are_told_apart_by_where_they_are_done() -> None:
    assert split_faults(["bad-utf8:1%", "wrong-type:1%", "cores/truncated-gzip"]) == (
        ["wrong-type:1%"],
        ["bad-utf8:1%", "cores/truncated-gzip"],
    )


def test_an_unknown_fault_is_refused_with_the_names_of_all_there_are() -> None:
    with pytest.raises(FaultRefused, match=r"no fault 'bad-luck'.*bad-utf8.*truncated-gzip.*wrong-type"):
        split_faults(["bad-luck:1%"])
