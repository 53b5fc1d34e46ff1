"""Runs the source manifest with airbyte-cdk against the API stand-in: what is served arrives, or the stream fails."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.spacex_api.server import SpacexApi
from local.spacex_api.source import Replay, Sample, Source, spoil
from tests.extraction.recordings import COLLECTIONS, recorded, snapshot

MANIFEST = Path(__file__).parents[2] / "extraction" / "spacex_api.yaml"
log = logging.getLogger("airbyte")

# The CDK warns of its own experimental classes when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:This class is experimental")


@dataclass
class Pulled:
    """What one read brought."""

    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def source_for(config: dict[str, Any], catalog: Any = None) -> Any:
    from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

    manifest = yaml.safe_load(MANIFEST.read_text("utf-8"))
    return ConcurrentDeclarativeSource(catalog=catalog, config=config, source_config=manifest)


def pull(base_url: str, *streams: str, max_retries: int = 0) -> Pulled:
    from airbyte_cdk.models.airbyte_protocol import AirbyteMessage
    from airbyte_cdk.utils.traced_exception import AirbyteTracedException
    from airbyte_protocol_dataclasses.models import (  # type: ignore[import-untyped]
        ConfiguredAirbyteCatalog,
        ConfiguredAirbyteStream,
        DestinationSyncMode,
        SyncMode,
    )

    config = {"base_url": base_url, "max_retries": max_retries}
    catalog = ConfiguredAirbyteCatalog(
        streams=[
            ConfiguredAirbyteStream(
                stream=stream, sync_mode=SyncMode.full_refresh, destination_sync_mode=DestinationSyncMode.append
            )
            for stream in source_for(config).discover(log, config).streams
            if stream.name in streams
        ]
    )
    assert len(catalog.streams) == len(streams)
    pulled = Pulled()
    try:
        message: AirbyteMessage
        for message in source_for(config, catalog).read(log, config, catalog, []):
            if message.record:
                pulled.records.setdefault(message.record.stream, []).append(message.record.data)
            elif message.trace and message.trace.error and message.trace.error.stream_descriptor:
                pulled.errors[message.trace.error.stream_descriptor.name] = message.trace.error.message
    except AirbyteTracedException:
        assert pulled.errors, "the read failed, but no stream said why"
    return pulled


@pytest.fixture(scope="module")
def replay() -> Iterator[str]:
    with SpacexApi(spoil(Replay(snapshot()), (), seed=0)) as api:
        yield api.url


def served(source: Source, *faults: str) -> SpacexApi:
    return SpacexApi(spoil(source, faults, seed=42))


def test_the_source_has_a_stream_for_every_collection_of_the_api() -> None:
    from airbyte_protocol_dataclasses.models import SyncMode

    config = {"base_url": "http://127.0.0.1:1/v4"}
    streams = source_for(config).discover(log, config).streams
    assert sorted(stream.name for stream in streams) == sorted(COLLECTIONS)
    assert {tuple(stream.source_defined_primary_key[0]) for stream in streams} == {("id",)}
    assert {tuple(stream.supported_sync_modes) for stream in streams} == {(SyncMode.full_refresh,)}


@pytest.mark.parametrize("dataset", COLLECTIONS)
def test_every_recorded_field_is_declared_so_that_no_writer_of_declared_columns_drops_it(dataset: str) -> None:
    manifest = yaml.safe_load(MANIFEST.read_text("utf-8"))
    schema = next(item for item in manifest["streams"] if item["name"] == dataset)["schema_loader"]["schema"]
    fields = {name for record in recorded(dataset) for name in record}
    assert fields <= set(schema["properties"])
    assert schema["additionalProperties"] is True


def test_every_recorded_record_of_every_collection_arrives_unchanged_and_in_order(replay: str) -> None:
    pulled = pull(replay, *COLLECTIONS)
    assert pulled.errors == {}
    for dataset in COLLECTIONS:
        # Compared as text: 70 and 70.0 are equal in Python, and one record in two orders is too.
        assert json.dumps(pulled.records[dataset]) == json.dumps(recorded(dataset)), dataset


def test_all_launches_arrive_not_the_latest_alone(replay: str) -> None:
    assert len(pull(replay, "launches").records["launches"]) == len(recorded("launches")) == 142


def test_a_field_nobody_declared_passes_through() -> None:
    with served(Sample(30, 1), "unknown-field:100%") as api:
        launches = pull(api.url, "launches").records["launches"]
    assert [launch["propellant_margin"] for launch in launches] == [0.07] * 30


def test_an_empty_collection_brings_no_records_and_no_error() -> None:
    with served(Sample(30, 1), "empty-collection:1") as api:
        assert pull(api.url, "launches") == Pulled()


def test_an_answer_that_is_no_json_fails_the_stream_instead_of_bringing_nothing() -> None:
    with served(Sample(30, 1), "not-json:1", "payloads/truncated-answer:1") as api:
        pulled = pull(api.url, "launches", "payloads", "rockets")
    assert set(pulled.records) == {"rockets"}
    assert set(pulled.errors) == {"launches", "payloads"}
    assert all("JSON" in message for message in pulled.errors.values())


def test_a_collection_that_is_not_there_fails_at_once_and_says_where() -> None:
    with served(Sample(5, 1)) as api:
        elsewhere = api.url.replace("/v4", "/v9")
        pulled = pull(elsewhere, "cores", max_retries=3)
    assert pulled.records == {}
    assert "/v9/cores answered 404" in pulled.errors["cores"]
    assert "base_url" in pulled.errors["cores"]


def test_an_api_that_is_out_of_order_fails_its_stream_and_no_other() -> None:
    with served(Sample(5, 1), "cores/server-error:1") as api:
        pulled = pull(api.url, "cores", "rockets")
    assert len(pulled.records["rockets"]) == 4
    assert "/v4/cores is out of order" in pulled.errors["cores"]


def test_an_api_that_is_out_of_order_for_a_moment_is_asked_again() -> None:
    with served(Sample(5, 1), "cores/unavailable-once:1") as api:
        pulled = pull(api.url, "cores", max_retries=1)
    assert pulled.errors == {}
    assert len(pulled.records["cores"]) > 0


def test_the_check_asks_for_one_small_collection(replay: str) -> None:
    config = {"base_url": replay}
    source = source_for(config)
    assert source.check(log, config).status.value == "SUCCEEDED"
