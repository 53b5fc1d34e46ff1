"""The real DAG with the real operators, run by `airflow dags test` on the stand-ins: good runs, bad data, outages."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.read import read_contracts
from loader.airbyte import wait_for
from loader.run_folder import read_incidents
from local import airflow
from local.airflow import INSTALLED, Installation, TaskTry
from local.airflow import prepare as prepare_airflow
from local.stack import StackState
from observability.incidents import IncidentState
from observability.run_record import RunRecord
from spacex_elt.dag import find_record, why_it_failed
from spacex_elt.exit_codes import ExitCode, exit_code_of
from spacex_elt.run import point_at
from spacex_elt.sources import open_source
from spacex_elt.wiring import open_pipeline, read_alerts
from tests.dags.driving import Door, order_ecs_faults, run_dag, s3_port, states, task_definition, wait_for_containers
from tests.e2e.harness import MARTS, RECORDINGS, published_rows, request, rows, wipe
from tests.validation.recordings import COUNTS
from validation.results import Verdict

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
OLDER = Installation(ROOT / ".venv-airflow-3.2.1", ROOT / "requirements" / "airflow-3.2.1.txt")
SMALL = request("sample", launches=30, datasets=MARTS)
GOOD = [(name, "success") for name in ("sync", "plan", "gate", "load", "transform", "publish")]


@pytest.fixture(autouse=True)
def fresh_lake(stack_environment: dict[str, str]) -> Iterator[None]:
    """An empty lake and warehouse for each test, and no order for faults left."""
    if not (ROOT / ".venv-airflow" / "bin" / "airflow").exists():
        pytest.skip("Airflow is not installed in .venv-airflow: make setup")
    with open_pipeline("wipe") as pipeline:
        wipe(pipeline)
    yield


def record_of(run_id: str) -> RunRecord:
    with open_pipeline("look") as pipeline:
        record = find_record(pipeline, run_id)
    assert record is not None
    return record


def open_incidents() -> dict[str, int]:
    """Where incidents are open, and how many runs met each."""
    with open_pipeline("look") as pipeline:
        known = read_incidents(pipeline.lake)
    return {f"{each.dataset}/{each.gate}": each.occurrences for each in known if each.state is IncidentState.OPEN}


def subjects() -> list[str]:
    return [alert.subject for alert in read_alerts()]


def test_outages_are_tried_again_and_the_run_is_good(stack: StackState) -> None:
    """Airbyte queues the job, a container does not start, S3 hangs up on a gate: one retry each, nothing twice."""
    shut_from = {("gate", "running"): True, ("gate", "up_for_retry"): False}

    def watch(task: TaskTry) -> None:
        if (task.task_id, task.state) not in seen:
            door.is_shut = shut_from.get((task.task_id, task.state), door.is_shut)
        seen.append((task.task_id, task.state))
        if (task.task_id, task.state) == ("plan", "running") and seen.count(("plan", "running")) == 1:
            order_ecs_faults(stack, fail_to_start=1)

    seen: list[tuple[str, str]] = []
    with (
        Door(s3_port(stack)) as door,
        task_definition({"AWS_ENDPOINT_URL_S3": door.url}) as proxied,
    ):
        outcome = run_dag(stack, SMALL, on_change=watch, job_faults=("queued:3",), told=proxied)

    assert states(outcome) == [
        ("sync", "up_for_retry"), ("sync", "success"),
        ("plan", "up_for_retry"), ("plan", "success"),
        ("gate", "up_for_retry"), ("gate", "success"),
        ("load", "success"), ("transform", "success"), ("publish", "success"),
    ]  # fmt: skip
    assert outcome.is_success
    assert "ended with 12" in outcome.tries[4].message
    assert record_of(outcome.run_id).verdict is Verdict.GO
    assert len(published_rows("launches")) == 30
    assert rows("select count(*) from pipeline.load_ledger") == [(len(MARTS),)]
    with open_pipeline("look") as pipeline:
        synced = {name.rsplit("_", 2)[1] for name in (each.key for each in pipeline.lake.list("landing/cores/"))}
    assert len(synced) == 1, "the queued sync was followed, not started again"
    assert open_incidents() == {}


def test_a_gates_no_go_fails_the_run_after_everyone_was_told_and_the_others_are_loaded(stack: StackState) -> None:
    before = len(subjects())
    outcome = run_dag(stack, request("sample", "wrong-type:20%", launches=30, datasets=MARTS))

    assert states(outcome) == [
        ("sync", "success"), ("plan", "success"), ("gate", "success"),
        ("load", "failed"), ("transform", "success"), ("publish", "failed"),
    ]  # fmt: skip
    assert not outcome.is_success
    failure = why_it_failed(outcome)
    assert failure is not None
    assert exit_code_of(failure) is ExitCode.GATE_NO_GO
    verdicts = {each.dataset: each.verdict for each in record_of(outcome.run_id).datasets}
    assert verdicts.pop("launches") is Verdict.NO_GO
    assert set(verdicts.values()) == {Verdict.GO}
    assert published_rows("cores")
    assert published_rows("launches") == []
    assert open_incidents() == {"launches/raw": 1}, "the failed tasks add no incident of their own"
    assert len(subjects()) == before + 1


def test_a_step_that_never_starts_raises_one_incident_which_the_next_good_run_resolves(stack: StackState) -> None:
    before = len(subjects())
    for runs in (1, 2):
        order_ecs_faults(stack, fail_to_start=3)
        outcome = run_dag(stack, SMALL)
        assert states(outcome) == [("sync", "success"), *[("plan", "up_for_retry")] * 2, ("plan", "failed")]
        assert not outcome.is_success
        assert open_incidents() == {"run/plan": runs}
    assert [each.split("] ")[1] for each in subjects()[before:]] == ["spacex_elt: the plan step failed"]

    recordings = RECORDINGS / "api-2021-04-22"
    source = request(str(recordings)) if recordings.is_dir() else SMALL
    outcome = run_dag(stack, source)

    assert states(outcome) == GOOD
    assert open_incidents() == {}
    assert "Resolved: the plan step of the run" in subjects()[-1]
    if recordings.is_dir():
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
