"""Whatever is wrong: one message, the right exit code, and nothing half-done."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import boto3
import pytest

from contracts.errors import GateClosed, ServiceUnavailable, UsageError
from loader.airbyte import wait_for
from loader.gate import gate_shard
from loader.publish import refuse_no_go
from loader.steps import plan_step
from loader.store import ObjectMissing
from local.stack import StackState
from observability.run_record import RunRecord
from spacex_elt.secrets import read_warehouse_address
from spacex_elt.settings import read_settings
from spacex_elt.wiring import open_pipeline
from tests.e2e.harness import MARTS, published_rows, request, rows, run_here
from validation.results import Verdict

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
PROGRAM = Path(sys.executable).with_name("spacex-elt")
# No bytecode: written under a file size limit it would be cut, and every later import of it would fail.
BARE = {"PATH": "/usr/bin:/bin", "COLUMNS": "300", "PYTHONDONTWRITEBYTECODE": "1"}
NOBODY = "http://127.0.0.1:1"

Spacex = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def spacex(stack: StackState, tmp_path: Path) -> Spacex:
    """Runs the program with the stack's settings, some of them changed."""

    def start(*words: str, file_limit: int | None = None, **changed: str) -> subprocess.CompletedProcess[str]:
        env_file = tmp_path / "changed.env"
        variables = {**stack.env, **changed, "SPACEX_ELT_WORK_DIR": str(tmp_path / "work")}
        env_file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))) if file_limit else None
        done = subprocess.run(
            [str(PROGRAM), *words],
            env={**BARE, "SPACEX_ELT_ENV_FILE": str(env_file)},
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=limit,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return start


@pytest.fixture(scope="module")
def good(fresh: None) -> RunRecord:
    """A good run before everything that goes wrong."""
    return run_here("good", request(datasets=MARTS))


def test_an_unknown_dataset_is_named_with_those_there_are(spacex: Spacex) -> None:
    done = spacex("run", "--dataset", "moons")
    assert done.returncode == 2
    assert "moons" in done.stderr
    assert "launches" in done.stderr


def test_a_source_that_is_no_folder_is_named(spacex: Spacex) -> None:
    done = spacex("run", "--source", "/no/such/folder")
    assert done.returncode == 2
    assert "/no/such/folder" in done.stderr


def test_an_unknown_fault_is_answered_with_those_there_are(spacex: Spacex) -> None:
    done = spacex("run", "--fault", "gremlins:1%")
    assert done.returncode == 2
    assert "gremlins" in done.stderr
    assert "wrong-type" in done.stderr


def test_a_missing_contract_is_named(spacex: Spacex, tmp_path: Path) -> None:
    done = spacex("contracts", "lint", str(tmp_path / "moons.odcs.yaml"))
    assert done.returncode == 10
    assert "moons.odcs.yaml" in done.stderr


def test_an_invalid_contract_is_told_with_its_line(spacex: Spacex, tmp_path: Path) -> None:
    broken = tmp_path / "broken.odcs.yaml"
    broken.write_text("kind: DataContract\nversion: [\n")
    done = spacex("contracts", "lint", str(broken))
    assert done.returncode == 10
    assert "broken.odcs.yaml" in done.stderr


def test_an_absent_lake_is_worth_a_retry(spacex: Spacex) -> None:
    done = spacex("quarantine", "show", "launches", AWS_ENDPOINT_URL_S3=NOBODY)
    assert done.returncode == 12
    assert "s3://spacex-lake/" in done.stderr


def test_refused_lake_credentials_are_not(spacex: Spacex) -> None:
    done = spacex("quarantine", "show", "launches", AWS_SECRET_ACCESS_KEY="wrong")
    assert done.returncode == 2
    assert "credentials" in done.stderr


def test_an_absent_secrets_service_is_worth_a_retry(spacex: Spacex) -> None:
    assert spacex("warehouse", "query", "select 1", AWS_ENDPOINT_URL=NOBODY).returncode == 12


def test_an_absent_airbyte_is_worth_a_retry(spacex: Spacex) -> None:
    done = spacex("run", SPACEX_ELT_AIRBYTE_URL=NOBODY)
    assert done.returncode == 12
    assert "--run-id" in done.stderr


def test_missing_settings_are_named_with_the_way_out() -> None:
    variables = {"PATH": "/usr/bin:/bin", "SPACEX_ELT_STATE_DIR": "/no/such/state"}
    done = subprocess.run([PROGRAM, "run"], env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "SPACEX_ELT_LAKE_BUCKET" in done.stderr
    assert "spacex-elt local up" in done.stderr


def other_secret(name: str, **changed: object) -> str:
    """A secret like the warehouse's, with something wrong in it."""
    address = asdict(read_warehouse_address(read_settings().warehouse_secret_id))
    address["username"] = address.pop("user")
    boto3.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(address | changed))
    return name


def test_an_absent_warehouse_is_worth_a_retry(good: RunRecord, spacex: Spacex) -> None:
    done = spacex("warehouse", "query", "select 1", SPACEX_ELT_WAREHOUSE_SECRET_ID=other_secret("absent", port=1))
    assert done.returncode == 12
    assert "127.0.0.1:1/" in done.stderr


def test_a_refused_login_is_not_and_the_password_stays_unsaid(good: RunRecord, spacex: Spacex) -> None:
    secret = other_secret("refused", password="hunter2-not-it")
    done = spacex("warehouse", "query", "select 1", SPACEX_ELT_WAREHOUSE_SECRET_ID=secret)
    assert done.returncode == 2
    assert "login" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


def test_a_query_that_writes_is_refused(good: RunRecord, spacex: Spacex) -> None:
    done = spacex("warehouse", "query", "delete from raw_spacex.rockets")
    assert done.returncode == 2
    assert rows("select count(*) from raw_spacex.rockets") == [(4,)]


def test_a_query_that_is_no_sql_is_answered(good: RunRecord, spacex: Spacex) -> None:
    done = spacex("warehouse", "query", "selekt 1")
    assert done.returncode == 2
    assert "selekt" in done.stderr.lower()


def test_an_api_that_does_not_answer_leaves_everything_as_it_was(good: RunRecord) -> None:
    before = published_rows("launches")
    with open_pipeline("unreachable") as pipeline:
        pipeline.sync_server.point_source_at(f"{NOBODY}/v4", "nobody")
        pipeline.sync_server.select_streams(("rockets",))
        with pytest.raises(ServiceUnavailable, match="rockets"):
            wait_for(pipeline.sync_server, pipeline.sync_server.start_sync(), 120)
    assert published_rows("launches") == before


@pytest.mark.parametrize("fault", ["empty-collection", "truncated-gzip"])
def test_a_collection_that_is_empty_or_cut_off_is_held_and_the_others_go_on(good: RunRecord, fault: str) -> None:
    before = published_rows("launches")
    record = run_here(f"held-{fault}", request("sample", fault, launches=60, datasets=MARTS))

    verdicts = {dataset.dataset: dataset.verdict for dataset in record.datasets}
    assert verdicts.pop("launches") is Verdict.NO_GO
    assert set(verdicts.values()) == {Verdict.GO}
    assert published_rows("launches") == before
    with pytest.raises(GateClosed, match="launches held"):
        refuse_no_go(record)


def test_an_object_that_vanishes_between_plan_and_gate_is_service_trouble(good: RunRecord) -> None:
    with open_pipeline("vanish") as pipeline:
        pipeline.sync_server.point_source_at(f"{NOBODY}/v4", "nobody")
        job_id = pipeline.run_folder("good").plan().job_id
        plan = plan_step(pipeline, "vanish", job_id, "again", ("rockets",))
        shard = plan.shards_of("rockets")[0]
        key = shard.objects[0].key
        body = pipeline.lake.get(key)
        pipeline.lake.delete(key)
        try:
            with pytest.raises(ObjectMissing, match=key):
                gate_shard(pipeline.lake, pipeline.contract("rockets"), plan.batch("rockets"), shard)
        finally:
            pipeline.lake.put(key, body, "application/gzip")


def test_a_step_before_its_time_is_told_what_to_run_first(good: RunRecord) -> None:
    with open_pipeline("early") as pipeline, pytest.raises(UsageError, match="spacex-elt plan"):
        pipeline.run_folder("early").plan()


def test_a_full_disk_is_told_as_one_and_nothing_is_published(good: RunRecord, spacex: Spacex) -> None:
    # No file may grow beyond 2 kB: what the system says then is what it says of a full disk, but for the number.
    before = rows("select count(*) from pipeline.load_ledger")
    done = spacex("run", "--launches", "50", file_limit=2000)
    assert done.returncode == 12
    assert "disk" in done.stderr
    assert rows("select count(*) from pipeline.load_ledger") == before
