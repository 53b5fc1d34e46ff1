"""Holds the stand-in's answers to the shapes of Airbyte's public API.

The schemas are written down from the models of `airbyte-api` 1.x, which is generated from the API's OpenAPI document:
each is named after its model, and demands what the model requires, of the model's types and enumerations.
"""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from local.airbyte import CONNECTION_ID, DEFINITION_ID, DESTINATION_ID, S3_DEFINITION_ID, SOURCE_ID, WORKSPACE_ID
from local.spacex_api.server import SpacexApi
from local.spacex_api.source import Sample, spoil
from tests.local.airbyte.stand_in import APPEND, Server, running_lake

TEXT, NUMBER, OBJECT = {"type": "string"}, {"type": "integer"}, {"type": "object"}


def model(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """A schema that lets nothing through that the model does not know."""
    properties = required | (optional or {})
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


def one_of(*words: str) -> dict[str, Any]:
    return {"enum": list(words)}


def listed(item: dict[str, Any]) -> dict[str, Any]:
    """`JobsResponse`, `SourcesResponse` and so on: data, and where the pages beside it are."""
    return model({"data": {"type": "array", "items": item, "minItems": 1}}, {"next": TEXT, "previous": TEXT})


# PublicAccessTokenResponse of the OpenAPI document; the SDK reads it without a model (ClientCredentialsHook).
TOKEN = model({"access_token": TEXT, "token_type": one_of("Bearer"), "expires_in": NUMBER})
JOB_RESPONSE = model(
    {
        "connectionId": TEXT,
        "jobId": NUMBER,
        "jobType": one_of("sync", "reset", "refresh", "clear"),  # JobTypeEnum
        "startTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        # JobStatusEnum
        "status": one_of("pending", "queued", "running", "incomplete", "failed", "succeeded", "cancelled"),
    },
    {
        "bytesSynced": NUMBER,
        "duration": {"type": "string", "pattern": r"^PT(\d+H)?(\d+M)?(\d+S)?$"},
        "lastUpdatedAt": TEXT,
        "rowsSynced": NUMBER,
    },
)
SOURCE_RESPONSE = model(
    {
        "configuration": OBJECT,
        "createdAt": NUMBER,
        "definitionId": TEXT,
        "name": TEXT,
        "sourceId": TEXT,
        "sourceType": TEXT,
        "workspaceId": TEXT,
    },
    {"resourceAllocation": OBJECT},
)
# DestinationS3 with DestinationS3JSONLinesNewlineDelimitedJSON; `destinationType` tells the configurations apart.
DESTINATION_S3 = model(
    {"destinationType": one_of("s3"), "format": OBJECT, "s3_bucket_name": TEXT, "s3_bucket_path": TEXT},
    {
        "access_key_id": TEXT,
        "secret_access_key": TEXT,
        "file_name_pattern": TEXT,
        "role_arn": TEXT,
        "s3_bucket_region": TEXT,
        "s3_endpoint": TEXT,
        "s3_path_format": TEXT,
    },
)
DESTINATION_RESPONSE = model(
    {
        "configuration": DESTINATION_S3,
        "createdAt": NUMBER,
        "definitionId": TEXT,
        "destinationId": TEXT,
        "destinationType": TEXT,
        "name": TEXT,
        "workspaceId": TEXT,
    },
    {"resourceAllocation": OBJECT},
)
STREAM_CONFIGURATION = model(
    {"name": TEXT},
    {
        "cursorField": {"type": "array", "items": TEXT},
        "destinationObjectName": TEXT,
        "includeFiles": {"type": "boolean"},
        "mappers": {"type": "array"},
        "namespace": TEXT,
        "primaryKey": {"type": "array", "items": {"type": "array", "items": TEXT}},
        "selectedFields": {"type": "array"},
        "syncMode": one_of(APPEND, "full_refresh_overwrite", "incremental_append", "incremental_deduped_history"),
    },
)
CONNECTION_RESPONSE = model(
    {
        "configurations": model({}, {"streams": {"type": "array", "items": STREAM_CONFIGURATION}}),
        "connectionId": TEXT,
        "createdAt": NUMBER,
        "destinationId": TEXT,
        "name": TEXT,
        # ConnectionScheduleResponse
        "schedule": model(
            {"scheduleType": one_of("manual", "cron", "basic")}, {"basicTiming": TEXT, "cronExpression": TEXT}
        ),
        "sourceId": TEXT,
        "status": one_of("active", "inactive", "deprecated", "locked"),
        "tags": {"type": "array"},
        "workspaceId": TEXT,
    },
    {
        "namespaceDefinition": one_of("source", "destination", "custom_format"),
        "namespaceFormat": TEXT,
        "nonBreakingSchemaUpdatesBehavior": one_of(
            "ignore", "disable_connection", "propagate_columns", "propagate_fully"
        ),
        "prefix": TEXT,
        "statusReason": TEXT,
    },
)
DEFINITION_RESPONSE = model({"id": TEXT, "manifest": OBJECT, "name": TEXT, "version": NUMBER})  # Declarative…
WORKSPACE_RESPONSE = model({"dataResidency": TEXT, "name": TEXT, "notifications": OBJECT, "workspaceId": TEXT})
PROBLEM = model({"type": TEXT, "title": TEXT, "status": NUMBER, "detail": TEXT})

PUBLIC = "/api/public/v1"
DEFINITIONS = f"{PUBLIC}/workspaces/{WORKSPACE_ID}/definitions/declarative_sources"
S3 = {"s3_bucket_name": "b", "s3_bucket_path": "p", "s3_bucket_region": "us-east-1", "format": {"format_type": "JSONL"}}
ROCKETS = {"configurations": {"streams": [{"name": "rockets", "syncMode": APPEND}]}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_lake() as lake:
        server = Server(tmp_path_factory.mktemp("airbyte"), lake)
        yield server
        assert server.end() == 0


def conforms(answer: Any, schema: dict[str, Any], status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    jsonschema.validate(answer.json(), schema)
    return answer.json()


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/workspaces", listed(WORKSPACE_RESPONSE)),
        ("/sources", listed(SOURCE_RESPONSE)),
        (f"/sources/{SOURCE_ID}", SOURCE_RESPONSE),
        ("/destinations", listed(DESTINATION_RESPONSE)),
        (f"/destinations/{DESTINATION_ID}", DESTINATION_RESPONSE),
        ("/connections", listed(CONNECTION_RESPONSE)),
        (f"/connections/{CONNECTION_ID}", CONNECTION_RESPONSE),
        (DEFINITIONS.removeprefix(PUBLIC), listed(DEFINITION_RESPONSE)),
        (f"{DEFINITIONS.removeprefix(PUBLIC)}/{DEFINITION_ID}", DEFINITION_RESPONSE),
    ],
)
def test_what_a_fresh_server_holds_is_shown_as_airbyte_shows_it(
    server: Server, path: str, schema: dict[str, Any]
) -> None:
    conforms(server.call("GET", PUBLIC + path), schema)


def test_a_token_is_airbytes(server: Server) -> None:
    conforms(server.call("POST", f"{PUBLIC}/applications/token", {"client_id": "a", "client_secret": "b"}), TOKEN)


def test_a_job_is_airbytes_from_its_start_to_its_end(server: Server) -> None:
    with SpacexApi(spoil(Sample(5, 1), (), seed=1)) as api:
        server.configure(api.url, "rockets")
        asked = {"connectionId": CONNECTION_ID, "jobType": "sync"}
        job_id = conforms(server.call("POST", f"{PUBLIC}/jobs", asked), JOB_RESPONSE)["jobId"]
        assert server.follow(job_id) == "succeeded"
    conforms(server.call("GET", f"{PUBLIC}/jobs/{job_id}"), JOB_RESPONSE)
    conforms(server.call("GET", f"{PUBLIC}/jobs"), listed(JOB_RESPONSE))
    conforms(server.call("DELETE", f"{PUBLIC}/jobs/{job_id}"), JOB_RESPONSE)


def test_everything_that_can_be_made_and_changed_is_airbytes_and_is_gone_when_deleted(server: Server) -> None:
    manifest = server.call("GET", f"{DEFINITIONS}/{DEFINITION_ID}").json()["manifest"]
    made = conforms(server.call("POST", DEFINITIONS, {"name": "n", "manifest": manifest}), DEFINITION_RESPONSE)
    definition = f"{DEFINITIONS}/{made['id']}"
    assert conforms(server.call("PUT", definition, {"manifest": manifest}), DEFINITION_RESPONSE)["version"] == 2

    ours = {"name": "n", "workspaceId": WORKSPACE_ID}
    body = {**ours, "definitionId": made["id"], "configuration": {"base_url": "http://127.0.0.1:9/v4"}}
    source_id = conforms(server.call("POST", f"{PUBLIC}/sources", body), SOURCE_RESPONSE)["sourceId"]
    source = f"{PUBLIC}/sources/{source_id}"
    changed = {"name": "m", "configuration": {"base_url": "http://127.0.0.1:8/v4"}}
    for method in ("PUT", "PATCH"):
        told = conforms(server.call(method, source, changed), SOURCE_RESPONSE)
        assert (told["name"], told["configuration"]) == ("m", changed["configuration"])

    keys = {"access_key_id": "a", "secret_access_key": "hunter2"}
    body = {**ours, "definitionId": S3_DEFINITION_ID, "configuration": {**S3, **keys}}
    destination_id = conforms(server.call("POST", f"{PUBLIC}/destinations", body), DESTINATION_RESPONSE)[
        "destinationId"
    ]
    destination = f"{PUBLIC}/destinations/{destination_id}"
    for method in ("PUT", "PATCH"):
        told = conforms(server.call(method, destination, {"name": "m", "configuration": S3}), DESTINATION_RESPONSE)
        assert told["configuration"].get("secret_access_key") in {None, "**********"}

    body = {"sourceId": source_id, "destinationId": destination_id, **ROCKETS}
    connection_id = conforms(server.call("POST", f"{PUBLIC}/connections", body), CONNECTION_RESPONSE)["connectionId"]
    connection = f"{PUBLIC}/connections/{connection_id}"
    assert conforms(server.call("PATCH", connection, {"name": "m"}), CONNECTION_RESPONSE)["name"] == "m"

    conforms(server.call("DELETE", definition), PROBLEM, 409)
    assert server.call("DELETE", source).status_code == 204
    conforms(server.call("GET", connection), PROBLEM, 404)  # it needs its source
    assert server.call("DELETE", destination).status_code == 204
    conforms(server.call("DELETE", definition), DEFINITION_RESPONSE)
    for path in (source, destination, definition):
        conforms(server.call("GET", path), PROBLEM, 404)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/sources", {"name": "n", "workspaceId": "another", "configuration": {}}, 404),
        ("POST", "/sources", {"name": "n", "workspaceId": WORKSPACE_ID, "configuration": {}}, 422),
        ("PUT", f"/sources/{SOURCE_ID}", {"name": "n", "configuration": {}}, 422),
        ("PUT", f"/sources/{SOURCE_ID}", {"name": "n"}, 422),
        ("PATCH", f"/sources/{SOURCE_ID}", {"configuration": {"base_url": "nowhere"}}, 422),
        ("POST", "/destinations", {"name": "n", "workspaceId": WORKSPACE_ID, "configuration": S3}, 422),
        ("PUT", f"/destinations/{DESTINATION_ID}", {"name": "n", "configuration": {"s3_bucket_name": "b"}}, 422),
        ("POST", "/connections", {"sourceId": SOURCE_ID, "destinationId": "another"}, 404),
        ("POST", "/connections", {"sourceId": None, "destinationId": DESTINATION_ID}, 404),
        ("PATCH", f"/connections/{CONNECTION_ID}", {"colour": "red"}, 400),
        ("PATCH", f"/connections/{CONNECTION_ID}", {"schedule": {"scheduleType": "basic"}}, 400),
        ("PATCH", f"/connections/{CONNECTION_ID}", {"schedule": "manual"}, 400),
        ("PATCH", f"/connections/{CONNECTION_ID}", {"configurations": {"streams": ["rockets"]}}, 400),
        ("PATCH", f"/connections/{CONNECTION_ID}", {"configurations": {"streams": []}}, 400),
        ("POST", DEFINITIONS.removeprefix(PUBLIC), {"name": "n", "manifest": {}}, 422),
        ("GET", "/workspaces/another/definitions/declarative_sources", None, 404),
    ],
)
def test_a_refusal_is_a_problem_in_json(server: Server, method: str, path: str, body: Any, status: int) -> None:
    conforms(server.call(method, PUBLIC + path, body), PROBLEM, status)
