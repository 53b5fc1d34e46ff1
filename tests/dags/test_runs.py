"""The real DAG with the real operators, run by `airflow dags test` on the stand-ins: good runs, bad data, outages."""

import pytest

from loader.run_folder import read_incidents
from local.airflow import TaskTry
from local.stack import StackState
from observability.incidents import IncidentState
from spacex_elt.dag import why_it_failed
from spacex_elt.exit_codes import ExitCode, exit_code_of
from spacex_elt.wiring import open_pipeline, read_alerts
from tests.dags.driving import (
    GOOD,
    SMALL,
    Door,
    order_ecs_faults,
    record_of,
    run_dag,
    s3_port,
    states,
    task_definition,
)
from tests.e2e.harness import MARTS, published_rows, request, rows
from validation.results import Verdict

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("fresh_lake"), pytest.mark.timeout(600)]


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

    outcome = run_dag(stack, SMALL)

    assert states(outcome) == GOOD
    assert open_incidents() == {}
    assert "Resolved: the plan step of the run" in subjects()[-1]
