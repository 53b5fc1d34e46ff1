"""The real DAGs on the stand-ins: told what to run, run again, by a second worker, by an older Airflow."""

import json
import subprocess

import pytest

from contracts.read import read_contracts
from loader.airbyte import wait_for
from local import airflow
from local.airflow import INSTALLED, Installation
from local.airflow import prepare as prepare_airflow
from local.stack import StackState
from spacex_elt.run import point_at
from spacex_elt.sources import open_source
from spacex_elt.wiring import open_pipeline
from tests.dags.driving import (
    GOOD,
    ROOT,
    SMALL,
    Door,
    record_of,
    run_dag,
    s3_port,
    states,
    task_definition,
    wait_for_containers,
)
from tests.e2e.harness import RECORDINGS, published_rows, request, rows
from tests.validation.recordings import COUNTS
from validation.results import Verdict

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("fresh_lake"), pytest.mark.timeout(600)]

OLDER = Installation(ROOT / ".venv-airflow-3.2.1", ROOT / "requirements" / "airflow-3.2.1.txt")


def test_what_the_api_really_answered_is_loaded_whole(stack: StackState) -> None:
    recordings = RECORDINGS / "api-2021-04-22"
    if not recordings.is_dir():
        pytest.skip(f"no recorded answers in {RECORDINGS}")
    outcome = run_dag(stack, request(str(recordings)))

    assert states(outcome) == GOOD
    accepted = {each.dataset: each.accepted for each in record_of(outcome.run_id).datasets}
    assert accepted == {dataset: COUNTS["api-2021-04-22", dataset] for dataset in read_contracts()}


def test_parameters_choose_datasets_and_a_past_sync_and_force_it(stack: StackState) -> None:
    first = run_dag(stack, SMALL, {"datasets": ["rockets", "cores"]})
    assert states(first) == GOOD
    assert {each.dataset for each in record_of(first.run_id).datasets} == {"rockets", "cores"}

    with open_pipeline("look") as pipeline:
        plan = pipeline.run_folder(first.run_id).plan()
    again = run_dag(stack, SMALL, {"datasets": ["rockets"], "sync_job_id": plan.job_id, "force": True})
    assert states(again) == GOOD
    (rockets,) = record_of(again.run_id).datasets
    assert (rockets.inserted, rockets.unchanged, rockets.was_already_published) == (0, 4, False)
    assert rows("select count(*) from pipeline.load_ledger where dataset = 'rockets'") == [(2,)]


def test_quarantine_is_replayed_and_the_lake_maintained_by_dags_of_their_own(stack: StackState) -> None:
    source = request("sample", "cores/wrong-type:1%", launches=40, datasets=("cores", "rockets"))
    first = run_dag(stack, source)
    assert states(first) == GOOD
    assert record_of(first.run_id).verdict is Verdict.QUARANTINE
    before = published_rows("cores")

    replay = airflow.run_dag(stack.state_dir, "spacex_elt_replay", {"dataset": "cores"})

    assert states(replay) == [("replay", "success"), *GOOD[2:]]
    (cores,) = record_of(replay.run_id).datasets
    assert (cores.is_partial, cores.extracted, cores.quarantined, cores.deleted) == (True, 1, 1, 0)
    assert published_rows("cores") == before

    maintenance = airflow.run_dag(stack.state_dir, "spacex_elt_maintenance", {"dry_run": True})
    assert states(maintenance) == [("maintain", "success")]
    assert maintenance.is_success


_ONE_RUN = """
import sys, json, pathlib, pendulum
from airflow.dag_processing.dagbag import BundleDagBag
folder, instant, conf = sys.argv[1:]
bag = BundleDagBag(dag_folder=folder, bundle_path=pathlib.Path(folder), bundle_name="dags-folder")
at = pendulum.parse(instant)
run = bag.dags["spacex_elt"].test(run_after=at, logical_date=at, run_conf=json.loads(conf))
sys.exit(run.state != "success")
"""


def test_a_worker_that_is_killed_is_followed_by_one_that_finds_its_container_running(stack: StackState) -> None:
    with open_pipeline("driver") as pipeline, open_source(SMALL, tuple(pipeline.contracts)) as source:
        point_at(pipeline.sync_server, source)
        job_id = pipeline.sync_server.start_sync()
        wait_for(pipeline.sync_server, job_id, 60)
    conf = json.dumps({"sync_job_id": job_id, "datasets": ["rockets"]})
    python, instant = str(INSTALLED.binaries / "python"), "2026-01-02T03:04:05+00:00"
    run_id = f"manual__{instant}"
    command = [python, "-c", _ONE_RUN, str(ROOT / "dags"), instant, conf]
    with Door(s3_port(stack)) as door, task_definition({"AWS_ENDPOINT_URL_S3": door.url}) as behind_the_door:
        told = {**behind_the_door, "SPACEX_ELT_DEADLINE_HOURS": "0"}
        variables = prepare_airflow(stack.state_dir, told)
        door.let_in.clear()  # the container waits for the lake while its worker dies
        first = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (container,) = wait_for_containers(run_id, "plan", "RUNNING")
        first.kill()
        first.wait()

        second = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert second.stdout is not None
        said = []
        for line in second.stdout:
            said.append(line)
            if "Reattaching previously launched task" in line:
                assert container in line
                door.let_in.set()
        second.stdout.close()

    assert second.wait() == 0, "".join(said[-30:])
    assert wait_for_containers(run_id, "plan", "STOPPED") == [container]
    assert record_of(run_id).verdict is Verdict.GO


def test_the_older_airflow_runs_the_same_files(stack: StackState) -> None:
    if not OLDER.binaries.exists():
        pytest.skip("Airflow 3.2.1 is not installed in .venv-airflow-3.2.1: make airflow-3.2.1")
    outcome = run_dag(stack, SMALL, {"datasets": ["rockets"]}, installation=OLDER)
    assert states(outcome) == GOOD
    assert record_of(outcome.run_id).verdict is Verdict.GO
