"""Records are found in files and buckets, whatever they are wrapped in."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import UsageError
from loader.records import Records, by_dataset, in_bucket, in_files
from tests.loader.landing import compressed, envelope, land
from tests.loader.memory_store import MemoryStore

ONE, TWO = {"id": "1", "n": 1}, {"id": "2", "n": 2}


def write(folder: Path, name: str, body: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body.encode() if isinstance(body, str) else body)


def records_of(found: Records) -> list[Any]:
    return list(found)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("ships.json", json.dumps([ONE, TWO])),
        ("ships.json.gz", gzip.compress(json.dumps([ONE, TWO]).encode(), mtime=0)),
        ("ships.jsonl", f"{json.dumps(ONE)}\n\n{json.dumps(TWO)}"),
        ("ships.jsonl.gz", compressed([json.dumps(ONE).encode(), json.dumps(TWO).encode()])),
        ("ships.jsonl", envelope(ONE) + b"\r\n" + envelope(TWO)),
        ("ships/2026_03_21_1774122247000_0.jsonl.gz", compressed([envelope(ONE), envelope(TWO)])),
    ],
)
def test_each_form_of_file_gives_the_same_records(name: str, body: str | bytes, tmp_path: Path) -> None:
    write(tmp_path, name, body)
    datasets = by_dataset(in_files(tmp_path))
    assert list(datasets) == ["ships"]
    assert records_of(datasets["ships"]) == [ONE, TWO]
    assert records_of(datasets["ships"]) == [ONE, TWO]  # as often as they are asked for


def test_a_single_object_is_one_record(tmp_path: Path) -> None:
    write(tmp_path, "company.json", json.dumps(ONE))
    assert records_of(by_dataset(in_files(tmp_path))["company"]) == [ONE]


def test_of_what_landed_only_the_newest_sync_is_read() -> None:
    store = MemoryStore()
    land(store, "ships", [envelope(ONE, 1)], sync_id=1)
    land(store, "ships", [envelope(ONE, 2)], sync_id=2)
    land(store, "ships", [envelope(TWO, 2)], sync_id=2, part=1)
    land(store, "crew", [envelope(TWO, 1)], sync_id=1)
    datasets = by_dataset(in_bucket(store, "landing/"))
    assert list(datasets) == ["crew", "ships"]
    assert records_of(datasets["ships"]) == [ONE, TWO]


def test_what_holds_no_record_is_passed_over_and_told(tmp_path: Path) -> None:
    write(tmp_path, "ships.jsonl", f'{json.dumps(ONE)}\nnonsense\n[1]\n{{"_airbyte_raw_id": 1}}\n')
    found = by_dataset(in_files(tmp_path))["ships"]
    assert records_of(found) == [ONE]
    assert found.unread.startswith(f"{tmp_path}/ships.jsonl: a line that is not JSON")


def test_a_single_file_may_be_called_anything_when_its_dataset_is_told(tmp_path: Path) -> None:
    write(tmp_path, "Answer 1.json", json.dumps([ONE]))
    assert records_of(by_dataset(in_files(tmp_path / "Answer 1.json"), "ships")["ships"]) == [ONE]
    with pytest.raises(UsageError, match="does not tell its dataset"):
        by_dataset(in_files(tmp_path / "Answer 1.json"))


@pytest.mark.parametrize(("name", "body"), [("a.json", "{"), ("a.json.gz", b"no gzip"), ("a.jsonl.gz", b"no gzip")])
def test_a_file_that_is_not_what_its_name_says_is_refused(name: str, body: str | bytes, tmp_path: Path) -> None:
    write(tmp_path, name, body)
    with pytest.raises(UsageError, match="cannot be read"):
        records_of(by_dataset(in_files(tmp_path))["a"])


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no records"):
        in_files(tmp_path)
    with pytest.raises(UsageError, match="holds no records"):
        in_bucket(MemoryStore(), "landing/")
