"""Holds the connection as code to the manifest and to the lake's layout."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.read import read_contracts

EXTRACTION = Path(__file__).parents[2] / "extraction"


@pytest.fixture(scope="module")
def code() -> Any:
    return yaml.safe_load((EXTRACTION / "connection.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def manifest() -> Any:
    return yaml.safe_load((EXTRACTION / "spacex_api.yaml").read_text("utf-8"))


def test_the_connection_syncs_exactly_the_datasets_that_have_a_contract(code: Any) -> None:
    synced = [stream["name"] for stream in code["connection"]["configurations"]["streams"]]
    assert sorted(synced) == sorted(read_contracts())


def test_the_connection_syncs_streams_that_the_source_has(code: Any, manifest: Any) -> None:
    synced = {stream["name"] for stream in code["connection"]["configurations"]["streams"]}
    assert synced <= {stream["name"] for stream in manifest["streams"]}


def test_every_stream_is_appended_whole_so_that_landing_is_never_rewritten(code: Any) -> None:
    modes = {stream["syncMode"] for stream in code["connection"]["configurations"]["streams"]}
    assert modes == {"full_refresh_append"}


def test_a_sync_starts_only_when_asked_for(code: Any) -> None:
    assert code["connection"]["schedule"] == {"scheduleType": "manual"}


def test_objects_are_compressed_lines_that_keep_the_record_whole(code: Any) -> None:
    written = code["destination"]["configuration"]["format"]
    assert written == {
        "format_type": "JSONL",
        "flattening": "No flattening",
        "compression": {"compression_type": "GZIP"},
    }


def test_the_source_is_configured_as_its_specification_demands(code: Any, manifest: Any) -> None:
    asked = manifest["spec"]["connection_specification"]
    given = code["source"]["configuration"]
    assert set(asked["required"]) <= set(given) <= set(asked["properties"])
    assert given["base_url"] == asked["properties"]["base_url"]["default"]
