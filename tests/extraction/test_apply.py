"""Makes the Airbyte stand-in match the files, from nothing and after every kind of drift, over HTTP with tokens."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import ServiceUnavailable, UsageError
from extraction.differences import Difference, compare
from extraction.files import Wanted, read_wanted
from extraction.server import AirbyteWorkspace, Ids, find_workspace
from loader.airbyte_http import PUBLIC, AirbyteHttp, ClientCredentials
from local.airbyte import WORKSPACE_ID
from tests.extraction.recordings import COLLECTIONS
from tests.local.airbyte.stand_in import Lake, Server

VALUES = {"SPACEX_ELT_LAKE_BUCKET": "lake", "AWS_REGION": "us-east-1"}
KEYS = {"access_key_id": "AKIAHUNTER", "secret_access_key": "hunter2"}
KNOWN = ClientCredentials("us", "the-secret")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("empty")
    clients = folder / "clients.json"
    clients.write_text(json.dumps({KNOWN.client_id: KNOWN.client_secret}))
    server = Server(folder / "state", Lake("http://127.0.0.1:1"), "--empty", "--credentials", str(clients))
    yield server
    assert server.end() == 0


@pytest.fixture
def http(server: Server) -> AirbyteHttp:
    return AirbyteHttp(server.url, lambda: KNOWN)


@pytest.fixture
def workspace(http: AirbyteHttp) -> Iterator[AirbyteWorkspace]:
    """The empty workspace; what a test leaves in it is removed."""
    yield AirbyteWorkspace(http, WORKSPACE_ID)
    for kind, key in (("connection", "connectionId"), ("source", "sourceId"), ("destination", "destinationId")):
        for record in http.call("GET", f"{PUBLIC}/{kind}s", None, lambda answer: answer["data"]):
            remove(http, f"/{kind}s/{record[key]}")
    definitions = f"/workspaces/{WORKSPACE_ID}/definitions/declarative_sources"
    for record in http.call("GET", PUBLIC + definitions, None, lambda answer: answer["data"]):
        http.call("DELETE", f"{PUBLIC}{definitions}/{record['id']}", None, lambda answer: None)


def remove(http: AirbyteHttp, path: str) -> None:
    """Deletes what answers with nothing."""
    with pytest.raises(ServiceUnavailable, match="is not one of Airbyte's: ''"):
        http.call("DELETE", PUBLIC + path, None, lambda answer: answer)


@pytest.fixture
def wanted() -> Wanted:
    return read_wanted(VALUES, KEYS)


def differences(workspace: AirbyteWorkspace, wanted: Wanted) -> tuple[Difference, ...]:
    return compare(wanted, workspace.find(wanted))


def apply(workspace: AirbyteWorkspace, wanted: Wanted) -> Ids:
    found = workspace.find(wanted)
    return workspace.apply(wanted, found, compare(wanted, found))


def changed(found: tuple[Difference, ...]) -> dict[str, tuple[str, str]]:
    """Every changed setting of things that were there, with what it was and what it is to be."""
    assert not any(difference.is_new for difference in found)
    return {f"{d.kind} {c.key}": (c.old, c.new) for d in found for c in d.changes}


def patch(http: AirbyteHttp, path: str, body: dict[str, Any]) -> None:
    http.call("PATCH", PUBLIC + path, body, lambda answer: None)


def test_from_nothing_everything_is_made_and_then_nothing_is_left_to_do(
    workspace: AirbyteWorkspace, wanted: Wanted, http: AirbyteHttp
) -> None:
    first = differences(workspace, wanted)
    assert [(d.kind, d.is_new) for d in first] == [
        ("definition", True),
        ("source", True),
        ("destination", True),
        ("connection", True),
    ]
    ids = apply(workspace, wanted)
    assert differences(workspace, wanted) == ()
    assert apply(workspace, wanted) == ids

    made = http.call("GET", f"{PUBLIC}/connections/{ids.connection}", None, lambda answer: answer)
    assert (made["sourceId"], made["destinationId"]) == (ids.source, ids.destination)
    assert made["schedule"] == {"scheduleType": "manual"}
    assert {stream["name"]: stream["syncMode"] for stream in made["configurations"]["streams"]} == dict.fromkeys(
        COLLECTIONS, "full_refresh_append"
    )
    written = http.call("GET", f"{PUBLIC}/destinations/{ids.destination}", None, lambda answer: answer["configuration"])
    assert (written["s3_bucket_name"], written["s3_bucket_region"]) == ("lake", "us-east-1")
    assert written["s3_path_format"] == "${STREAM_NAME}/${YEAR}_${MONTH}_${DAY}_${EPOCH}_"


def test_looking_makes_nothing(workspace: AirbyteWorkspace, wanted: Wanted) -> None:
    assert len(differences(workspace, wanted)) == len(differences(workspace, wanted)) == 4


def test_what_an_apply_that_was_cut_off_has_made_is_gone_on_with(
    workspace: AirbyteWorkspace, wanted: Wanted, http: AirbyteHttp
) -> None:
    ids = apply(workspace, wanted)
    remove(http, f"/connections/{ids.connection}")
    assert [(d.kind, d.is_new) for d in differences(workspace, wanted)] == [("connection", True)]
    again = apply(workspace, wanted)
    assert (again.source, again.destination) == (ids.source, ids.destination)
    assert differences(workspace, wanted) == ()


def test_a_source_that_was_pointed_elsewhere_and_renamed_is_still_the_connections(
    workspace: AirbyteWorkspace, wanted: Wanted, http: AirbyteHttp
) -> None:
    ids = apply(workspace, wanted)
    patch(http, f"/sources/{ids.source}", {"name": "sample", "configuration": {"base_url": "http://127.0.0.1:9/v4"}})
    assert changed(differences(workspace, wanted)) == {
        "source name": ("sample", "SpaceX API"),
        "source configuration.base_url": ("http://127.0.0.1:9/v4", "https://api.spacexdata.com/v4"),
    }
    assert apply(workspace, wanted) == ids
    assert differences(workspace, wanted) == ()


def test_a_setting_that_the_files_do_not_have_is_taken_away(
    workspace: AirbyteWorkspace, wanted: Wanted, http: AirbyteHttp
) -> None:
    ids = apply(workspace, wanted)
    patch(http, f"/destinations/{ids.destination}", {"configuration": {"s3_endpoint": "http://127.0.0.1:1"}})
    patch(http, f"/destinations/{ids.destination}", {"configuration": {"format": {"format_type": "CSV"}}})
    told = changed(differences(workspace, wanted))
    assert told["destination configuration.s3_endpoint"] == ("http://127.0.0.1:1", "(none)")
    assert told["destination configuration.format.format_type"] == ("CSV", "JSONL")
    apply(workspace, wanted)
    assert differences(workspace, wanted) == ()


def with_streams(wanted: Wanted, *names: str) -> Wanted:
    """The same connection, of some streams only."""
    streams = [stream for stream in wanted.connection["configurations"]["streams"] if stream["name"] in names]
    return replace(wanted, connection={**wanted.connection, "configurations": {"streams": streams}})


def test_drift_of_a_connection_is_told_setting_by_setting_and_mended(
    workspace: AirbyteWorkspace, wanted: Wanted, http: AirbyteHttp
) -> None:
    wanted = with_streams(wanted, "launches", "cores", "launchpads", "rockets")
    ids = apply(workspace, wanted)
    streams = [
        {"name": "launches", "syncMode": "full_refresh_overwrite"},
        {"name": "cores", "syncMode": "full_refresh_append", "mappers": [{"type": "hashing"}]},
        {"name": "ships", "syncMode": "full_refresh_append"},
        {"name": "rockets", "syncMode": "full_refresh_append"},
    ]
    schedule = {"scheduleType": "cron", "cronExpression": "0 0 * * * ?"}
    drift = {"configurations": {"streams": streams}, "schedule": schedule, "status": "inactive", "prefix": "x_"}
    patch(http, f"/connections/{ids.connection}", drift)
    assert changed(differences(workspace, wanted)) == {
        "connection streams[launches].syncMode": ("full_refresh_overwrite", "full_refresh_append"),
        "connection streams[cores].mappers": ("[{'type': 'hashing'}]", "(none)"),
        "connection streams[ships].syncMode": ("full_refresh_append", "(none)"),
        "connection streams[launchpads].syncMode": ("(none)", "full_refresh_append"),
        "connection schedule.scheduleType": ("cron", "manual"),
        "connection schedule.cronExpression": ("0 0 * * * ?", "(none)"),
        "connection status": ("inactive", "active"),
        "connection prefix": ("x_", "(empty)"),
    }
    apply(workspace, wanted)
    assert differences(workspace, wanted) == ()


def test_the_order_of_streams_says_nothing(workspace: AirbyteWorkspace, wanted: Wanted, http: AirbyteHttp) -> None:
    ids = apply(workspace, wanted)
    streams = list(reversed(wanted.connection["configurations"]["streams"]))
    patch(http, f"/connections/{ids.connection}", {"configurations": {"streams": streams}})
    assert differences(workspace, wanted) == ()


def test_another_manifest_becomes_the_definitions_next_version(
    workspace: AirbyteWorkspace, wanted: Wanted, http: AirbyteHttp
) -> None:
    apply(workspace, wanted)
    other = replace(wanted, manifest={**wanted.manifest, "description": "Another text."})
    (difference,) = differences(workspace, other)
    assert [(c.key, c.new) for c in difference.changes] == [("manifest.description", "Another text.")]
    apply(workspace, other)
    assert differences(workspace, other) == ()
    path = f"{PUBLIC}/workspaces/{WORKSPACE_ID}/definitions/declarative_sources"
    assert [d["version"] for d in http.call("GET", path, None, lambda answer: answer["data"])] == [2]


def test_keys_are_sent_and_never_shown(workspace: AirbyteWorkspace, wanted: Wanted) -> None:
    made = differences(workspace, wanted)
    assert ("configuration.secret_access_key", "(set)") in [(c.key, c.new) for d in made for c in d.changes]
    apply(workspace, wanted)
    again = compare(wanted, workspace.find(wanted), send_keys=True)
    assert changed(again) == {
        "destination configuration.access_key_id": ("(unknown)", "(set)"),
        "destination configuration.secret_access_key": ("(unknown)", "(set)"),
    }
    without = replace(wanted, destination=read_wanted(VALUES, {}).destination)
    assert changed(differences(workspace, without))["destination configuration.access_key_id"] == ("(set)", "(none)")
    assert not any(secret in f"{made}{again}{wanted}" for secret in KEYS.values())


def test_two_of_a_name_are_for_people_to_tell_apart(
    workspace: AirbyteWorkspace, wanted: Wanted, http: AirbyteHttp
) -> None:
    ids = apply(workspace, wanted)
    ends = {"sourceId": ids.source, "destinationId": ids.destination}
    http.call("POST", f"{PUBLIC}/connections", {**ends, **wanted.connection}, lambda answer: None)
    with pytest.raises(UsageError, match="has 2 connections named 'SpaceX API to the lake'"):
        workspace.find(wanted)


def test_a_source_of_another_definition_is_refused_before_anything_is_changed(
    workspace: AirbyteWorkspace, wanted: Wanted
) -> None:
    apply(workspace, wanted)
    other = replace(wanted, definition_name="Another")
    with pytest.raises(UsageError, match="not made from the custom source 'Another'"):
        differences(workspace, other)


def test_more_than_a_page_of_sources_is_read_to_its_end(
    workspace: AirbyteWorkspace, wanted: Wanted, http: AirbyteHttp
) -> None:
    ids = apply(workspace, wanted)
    remove(http, f"/connections/{ids.connection}")
    renamed = replace(wanted, source_name="the last one")
    definition = workspace.find(wanted).definition
    assert definition
    body = {"workspaceId": WORKSPACE_ID, "definitionId": definition["id"], "configuration": wanted.source}
    names = [f"source {number}" for number in range(100)] + ["the last one"]
    made = [
        http.call("POST", f"{PUBLIC}/sources", {"name": name, **body}, lambda answer: str(answer["sourceId"]))
        for name in names
    ]
    found = workspace.find(renamed).source
    for source_id in made:
        remove(http, f"/sources/{source_id}")
    assert found
    assert found["sourceId"] == made[-1]


def test_the_only_workspace_is_taken_and_a_wrong_one_is_told_with_those_there_are(http: AirbyteHttp) -> None:
    assert find_workspace(http, "") == find_workspace(http, WORKSPACE_ID) == WORKSPACE_ID
    with pytest.raises(UsageError, match=f"no workspace another. The server has: {WORKSPACE_ID} "):
        find_workspace(http, "another")


def test_refused_credentials_and_a_server_that_is_away_are_told_apart(server: Server, wanted: Wanted) -> None:
    wrong = AirbyteHttp(server.url, lambda: ClientCredentials("us", "wrong"))
    with pytest.raises(UsageError, match="SPACEX_ELT_AIRBYTE_SECRET_ID"):
        AirbyteWorkspace(wrong, WORKSPACE_ID).find(wanted)
    with pytest.raises(ServiceUnavailable, match="did not answer"):
        AirbyteWorkspace(AirbyteHttp("http://127.0.0.1:1"), WORKSPACE_ID).find(wanted)


def test_a_value_that_the_files_need_and_nobody_set_is_named() -> None:
    with pytest.raises(UsageError, match="AWS_REGION is not set"):
        read_wanted({**VALUES, "AWS_REGION": ""}, {})


@pytest.mark.parametrize("text", ["", "[]", "source: {}", "source: 5\ndestination: 5", "a: [b"])
def test_files_that_cannot_be_read_are_a_wrong_setting(tmp_path: Path, text: str) -> None:
    (tmp_path / "connection.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"connection\.yaml"):
        read_wanted(VALUES, {}, tmp_path)
