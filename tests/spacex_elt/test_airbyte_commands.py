"""`spacex-elt airbyte apply` and `check` as people meet them: words, JSON, exit codes."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from contracts.read import read_contracts
from extraction.files import read_wanted
from local.airbyte import CONNECTION_ID, SOURCE_ID, WORKSPACE_ID
from local.spacex_api.server import SpacexApi
from local.spacex_api.source import Sample, spoil
from tests.local.airbyte.stand_in import Server, running_lake
from tests.spacex_elt.program import start

ALL = read_wanted({}, {}).streams
LIVE = "https://api.spacexdata.com/v4"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_lake() as lake:
        server = Server(tmp_path_factory.mktemp("airbyte"), lake)
        yield server
        assert server.end() == 0


def airbyte(url: str, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """The command with the settings it takes, and no others."""
    needed = {"SPACEX_ELT_AIRBYTE_URL": url, "SPACEX_ELT_LAKE_BUCKET": "lake", "AWS_REGION": "us-east-1"}
    return start("airbyte", *words, env={**needed, **settings})


def sync(server: Server, *faults: str) -> int:
    """One sync of a sample; the source is then as the files say again."""
    with SpacexApi(spoil(Sample(5, 1), list(faults), seed=1)) as api:
        server.configure(api.url, *ALL)
        job_id = server.sync()
    done = airbyte(server.url, "apply")
    assert done.returncode == 0, done.stderr
    return job_id


def point_elsewhere(server: Server) -> None:
    body = {"configuration": {"base_url": "http://127.0.0.1:9/v4"}}
    assert server.call("PATCH", f"/api/public/v1/sources/{SOURCE_ID}", body).status_code == 200


def test_apply_shows_what_it_changes_and_ends_with_the_ids_for_the_settings(server: Server) -> None:
    airbyte(server.url, "apply")
    point_elsewhere(server)
    done = airbyte(server.url, "apply")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "source SpaceX API is changed",
        f"    configuration.base_url: http://127.0.0.1:9/v4 → {LIVE}",
        f"SPACEX_ELT_AIRBYTE_WORKSPACE_ID={WORKSPACE_ID}",
        f"SPACEX_ELT_AIRBYTE_SOURCE_ID={SOURCE_ID}",
        f"SPACEX_ELT_AIRBYTE_CONNECTION_ID={CONNECTION_ID}",
    ]
    again = airbyte(server.url, "apply", "--json")
    ids = {"WORKSPACE": WORKSPACE_ID, "SOURCE": SOURCE_ID, "CONNECTION": CONNECTION_ID}
    settings = {f"SPACEX_ELT_AIRBYTE_{name}_ID": value for name, value in ids.items()}
    assert json.loads(again.stdout) == {"dry_run": False, "differences": [], "settings": settings}


def test_a_dry_run_changes_nothing(server: Server) -> None:
    airbyte(server.url, "apply")
    point_elsewhere(server)
    for _ in range(2):
        done = airbyte(server.url, "apply", "--dry-run", "--json")
        assert done.returncode == 0
        told = json.loads(done.stdout)
        change = {"key": "configuration.base_url", "old": "http://127.0.0.1:9/v4", "new": LIVE}
        assert told["differences"] == [{"kind": "source", "name": "SpaceX API", "is_new": False, "changes": [change]}]
        assert (told["dry_run"], told["settings"]) == (True, {})


def test_check_is_content_when_the_last_sync_brought_enough(server: Server) -> None:
    job_id = sync(server)
    done = airbyte(server.url, "check", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["job_id"] == job_id
    assert {stream["stream"]: stream["is_enough"] for stream in told["streams"]} == dict.fromkeys(
        read_contracts(), True
    )
    assert next(s for s in told["streams"] if s["stream"] == "launches") == {
        "stream": "launches",
        "least": 1,
        "committed": 5,
        "is_enough": True,
    }


def test_check_ends_with_11_when_the_last_sync_brought_fewer_rows_than_a_contract_needs(server: Server) -> None:
    job_id = sync(server, "launches/empty-collection:1")
    done = airbyte(server.url, "check")
    assert done.returncode == 11
    assert f"job {job_id} brought too few rows: 0 launches of 1" in done.stderr
    assert "launches             0  at least 1  too few" in done.stdout


def test_a_sync_that_failed_is_not_what_the_rows_are_counted_of(server: Server) -> None:
    good = sync(server)
    with SpacexApi(spoil(Sample(5, 1), (), seed=1)) as api:
        server.configure(api.url, *ALL, job_faults=("failed",))
        assert server.follow(server.start()) == "failed"
    airbyte(server.url, "apply")
    told = json.loads(airbyte(server.url, "check", "--json").stdout)
    assert told["job_id"] == good


def test_check_ends_with_2_when_the_server_is_configured_differently(server: Server) -> None:
    sync(server)
    server.configure(LIVE, "launches")
    done = airbyte(server.url, "check")
    assert done.returncode == 2
    others = ", ".join(name for name in read_contracts() if name != "launches")
    assert f"not selected: {others}" in done.stderr
    assert "streams[cores].syncMode: (none) → full_refresh_append" in done.stdout
    airbyte(server.url, "apply")


def test_check_tells_settings_that_lead_to_another_connection(server: Server) -> None:
    airbyte(server.url, "apply")
    done = airbyte(server.url, "check", SPACEX_ELT_AIRBYTE_CONNECTION_ID="another")
    assert done.returncode == 2
    assert f"SPACEX_ELT_AIRBYTE_CONNECTION_ID is another, not {CONNECTION_ID}" in done.stderr


@pytest.mark.parametrize("command", ["apply", "check"])
def test_a_server_that_is_away_is_worth_a_retry_and_a_wrong_address_is_not(command: str) -> None:
    assert airbyte("http://127.0.0.1:1", command).returncode == 12
    assert airbyte("nowhere", command).returncode == 2


@pytest.mark.parametrize("command", ["apply", "check"])
def test_a_setting_that_is_missing_is_named(command: str) -> None:
    done = start("airbyte", command)
    assert done.returncode == 2
    assert "SPACEX_ELT_AIRBYTE_URL (field required), SPACEX_ELT_LAKE_BUCKET (field required)" in done.stderr


@pytest.mark.parametrize(("command", "codes"), [("apply", ("0", "2", "12")), ("check", ("0", "2", "11", "12"))])
def test_every_exit_code_is_told_in_the_help(command: str, codes: tuple[str, ...]) -> None:
    told = " ".join(start("airbyte", command, "--help").stdout.replace("│", " ").split())
    assert [code for code in codes if f"{code} " not in told.split("Ends with", 1)[1].split("Example")[0]] == []
