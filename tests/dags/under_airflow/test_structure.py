"""The DAGs as Airflow reads them: order, retries, schedule, parameters; and that reading them asks nobody anything."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import airflow
import pytest
from airflow.sdk.definitions.callback import AsyncCallback

ROOT = Path(__file__).resolve().parents[3]
DAGS = ROOT / "dags"
FILES = sorted(DAGS.glob("*.py"))
DEPLOYMENT = {
    "SPACEX_ELT_ENVIRONMENT": "prod",
    "SPACEX_ELT_ECS_CLUSTER": "steps",
    "SPACEX_ELT_LOADER_TASK": "spacex-elt-loader:42",
    "SPACEX_ELT_TRANSFORMER_TASK": "spacex-elt-transformer:42",
    "SPACEX_ELT_PUBLISHER_TASK": "spacex-elt-publisher:42",
    "SPACEX_ELT_MAINTAINER_TASK": "spacex-elt-maintainer:42",
    "SPACEX_ELT_LOG_GROUP": "/ecs/steps",
    "SPACEX_ELT_SUBNET_IDS": "subnet-1,subnet-2",
    "SPACEX_ELT_SECURITY_GROUP_IDS": "sg-1",
    "SPACEX_ELT_LAKE_BUCKET": "lake",
    "SPACEX_ELT_ALERT_TOPIC_ARN": "arn:aws:sns:eu-central-1:111122223333:alerts",
    "SPACEX_ELT_AIRBYTE_CONNECTION_ID": "3f2c8c1e-6d0b-4f6e-9a51-0c2f3f1f7c11",
    "SPACEX_ELT_DEADLINE_HOURS": "3",
}
#: How a run goes on: what runs after what. The last two make sure that there is something to go on with.
DAILY = """
    sync >> plan >> gate >> load >> transform >> publish
    gate >> transform
    plan >> publish
"""
REPLAY = """
    replay >> gate >> load >> transform >> publish
    gate >> transform
    replay >> publish
"""


@pytest.fixture(scope="session")
def bag() -> Iterator[Any]:
    """The DAGs, read as the DAG processor reads them, where nothing can be connected to."""
    from airflow.dag_processing.dagbag import BundleDagBag

    def refuse(*_: object) -> None:
        raise AssertionError("a DAG file opened a connection while it was read")

    with pytest.MonkeyPatch.context() as patch:
        for name, value in DEPLOYMENT.items():
            patch.setenv(name, value)
        patch.setattr(socket.socket, "connect", refuse)
        found = BundleDagBag(dag_folder=str(DAGS), bundle_path=DAGS, bundle_name="dags-folder")
    assert found.import_errors == {}
    yield found


@pytest.fixture(params=["spacex_elt", "spacex_elt_replay", "spacex_elt_maintenance"])
def dag(request: pytest.FixtureRequest, bag: Any) -> Any:
    return bag.dags[request.param]


def drawn(text: str) -> set[tuple[str, str]]:
    """The edges of a drawing such as `a >> b >> c`."""
    chains = [line.split(" >> ") for line in text.strip().splitlines()]
    return {(before.strip(), after.strip()) for chain in chains for before, after in pairwise(chain)}


def edges(dag: Any) -> set[tuple[str, str]]:
    # plan >> load is not drawn: it is the mapping, which every mapped task has to what it is mapped over
    found = {(task.task_id, after) for task in dag.tasks for after in task.downstream_task_ids}
    return {(before, after) for before, after in found if (before, after) not in {("plan", "load"), ("replay", "load")}}


def test_this_is_the_airflow_that_is_meant() -> None:
    assert airflow.__version__ == os.environ["EXPECTED_VERSION"]


def test_there_are_three_dags_one_a_file(bag: Any) -> None:
    assert sorted(bag.dags) == [path.stem for path in FILES]
    assert len(FILES) == 3


def test_the_edges_are_the_order_of_the_steps(bag: Any) -> None:
    assert edges(bag.dags["spacex_elt"]) == drawn(DAILY)
    assert edges(bag.dags["spacex_elt_replay"]) == drawn(REPLAY)
    assert edges(bag.dags["spacex_elt_maintenance"]) == set()


def test_every_task_but_the_sync_runs_a_step_of_its_name_in_a_container(dag: Any) -> None:
    from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator

    from spacex_airflow.step import StepOperator
    from spacex_airflow.sync import SyncOperator

    kinds = {task.task_id: getattr(task, "operator_class", type(task)) for task in dag.tasks}
    assert issubclass(StepOperator, EcsRunTaskOperator)
    assert {task_id for task_id, kind in kinds.items() if kind is SyncOperator} == ({"sync"} & kinds.keys())
    assert {kind for task_id, kind in kinds.items() if task_id != "sync"} == {StepOperator}


def test_gate_and_load_are_mapped_over_what_was_planned(bag: Any) -> None:
    for dag, planned in (("spacex_elt", "plan"), ("spacex_elt_replay", "replay")):
        mapped = {task.task_id: task for task in bag.dags[dag].tasks if task.is_mapped}
        assert mapped.keys() == {"gate", "load"}
        for task in mapped.values():
            over = task.expand_input.value["work"]
            assert (over.operator.task_id, over.key) == (planned, "return_value")


def test_steps_wait_deferred_reattach_and_stop_what_they_started(bag: Any) -> None:
    plan = bag.dags["spacex_elt"].get_task("plan")
    assert (plan.deferrable, plan.reattach, plan.stop_task_on_failure, plan.do_xcom_push) == (True, True, True, True)
    assert (plan.cluster, plan.task_definition, plan.launch_type) == ("steps", "spacex-elt-loader:42", "FARGATE")
    network = plan.network_configuration["awsvpcConfiguration"]
    assert (network["subnets"], network["assignPublicIp"]) == (["subnet-1", "subnet-2"], "DISABLED")
    assert bag.dags["spacex_elt"].get_task("sync").deferrable


def test_each_family_of_steps_runs_by_the_task_definition_of_its_role(bag: Any) -> None:
    from spacex_airflow.names import Deployment

    deployment = Deployment(**{name.removeprefix("SPACEX_ELT_").lower(): value for name, value in DEPLOYMENT.items()})
    steps = {task.task_id: task for dag in bag.dags.values() for task in dag.tasks if task.task_id != "sync"}
    others = {"transform": "transformer", "publish": "publisher", "maintain": "maintainer"}
    expected = {step: f"spacex-elt-{others.get(step, 'loader')}:42" for step in steps}
    assert {"plan", "gate", "load", "replay", *others} == set(steps)
    assert {step: deployment.task_of(step) for step in steps} == expected
    plain = {step: task.task_definition for step, task in steps.items() if step not in {"gate", "load"}}  # not mapped
    assert plain == {step: expected[step] for step in plain}


def test_a_held_dataset_stops_neither_transform_nor_publish(bag: Any) -> None:
    rules = {task.task_id: task.trigger_rule.value for task in bag.dags["spacex_elt"].tasks}
    goes_on = "all_done_min_one_success"
    assert rules == {
        "sync": "all_success", "plan": "all_success", "gate": "all_success", "load": "all_success",
        "transform": goes_on, "publish": goes_on,
    }  # fmt: skip


def test_every_dag_says_who_when_and_why(dag: Any) -> None:
    from spacex_airflow.incident import raise_incident

    assert dag.doc_md
    assert dag.description
    assert dag.tags
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    for task in dag.tasks:
        kwargs = getattr(task, "partial_kwargs", None) or vars(task)
        assert kwargs["owner"] == "launch-data"
        assert kwargs["retries"] == 2
        assert raise_incident in kwargs["on_failure_callback"] or kwargs["on_failure_callback"] is raise_incident


def test_the_marts_that_dbt_builds_are_the_assets_of_the_transform(bag: Any) -> None:
    marts = {path.stem for path in (ROOT / "dbt" / "models" / "marts").glob("*.sql")}
    assert marts
    for dag in ("spacex_elt", "spacex_elt_replay"):
        outlets = bag.dags[dag].get_task("transform").outlets
        assert {asset.name.removeprefix("spacex_") for asset in outlets} == marts


def test_a_late_daily_run_is_announced_by_the_triggerer_which_has_no_dag_files(bag: Any) -> None:
    deadline = bag.dags["spacex_elt"].deadline
    (alert,) = deadline if isinstance(deadline, list) else [deadline]
    assert alert.interval == timedelta(hours=3)
    assert isinstance(alert.callback, AsyncCallback)
    assert alert.callback.path == "airflow.providers.amazon.aws.notifications.sns.SnsNotifier"
    assert alert.callback.kwargs["target_arn"] == DEPLOYMENT["SPACEX_ELT_ALERT_TOPIC_ARN"]


@pytest.mark.parametrize(
    ("param", "wrong"),
    [("datasets", ["launches --force"]), ("datasets", "launches"), ("sync_job_id", "7; rm"), ("force", "maybe")],
)
def test_a_parameter_that_could_be_something_else_is_refused(bag: Any, param: str, wrong: object) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        bag.dags["spacex_elt"].params.get_param(param).resolve(wrong)


def test_a_load_without_datasets_is_done_and_not_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan with several containers has such loads. Skipped, they would skip transform and publish: a green run."""
    from spacex_airflow.step import StepOperator

    for name, value in DEPLOYMENT.items():
        monkeypatch.setenv(name, value)
    work: dict[str, list[str]] = {"shards": ["launches-1"], "datasets": []}
    load = StepOperator(task_id="load", work=work, takes="datasets", option="--dataset")
    ti = type("Ti", (), {"context_carrier": None})()
    assert load.execute({"run_id": "r", "ti": ti}) == {"run_id": "r", "datasets": []}


def test_every_parameter_is_rendered_into_the_steps_arguments(bag: Any) -> None:
    given: dict[str, dict[str, object]] = {
        "spacex_elt": {"datasets": ["cores", "rockets"], "sync_job_id": "7", "force": True},
        "spacex_elt_replay": {
            "dataset": "cores",
            "batch": "0a",
            "rules": ["a-b", "c"],
            "record_keys": ["k1", "k2"],
            "again": True,
        },
        "spacex_elt_maintenance": {"dry_run": True},
    }
    told = {
        ("spacex_elt", "plan"): "--job-id 9 --dataset cores --dataset rockets --force",
        ("spacex_elt_replay", "replay"): "--dataset cores --batch 0a --rule a-b --rule c --key k1 --key k2 --again",
        ("spacex_elt_maintenance", "maintain"): "--dry-run",
    }
    for (dag_id, task_id), expected in told.items():
        dag = bag.dags[dag_id]
        assert given[dag_id].keys() == dag.params.keys()
        ti = type("Ti", (), {"xcom_pull": staticmethod(lambda task: 9)})()
        task = dag.get_task(task_id)
        rendered = task.render_template(task.arguments, {"params": given[dag_id], "ti": ti}, dag.get_template_env())
        assert " ".join(rendered.split()) == expected


def test_a_deployment_that_says_nothing_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from spacex_airflow.names import read_deployment

    for name in DEPLOYMENT:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(LookupError, match=r"SPACEX_ELT_ECS_CLUSTER, SPACEX_ELT_LOADER_TASK.* not set"):
        read_deployment()


def test_reading_a_dag_file_takes_less_than_a_second_and_none_of_the_pipelines_packages() -> None:
    """What the DAG processor's children pay, who have imported Airflow. On 3.2.1 Airbyte's provider alone is slower."""
    provider = ", airflow.providers.airbyte.operators.airbyte" if airflow.__version__ == "3.2.1" else ""
    script = (
        f"import sys, time, runpy, airflow.sdk, airflow.dag_processing.dagbag{provider}\n"
        "began = time.process_time(); runpy.run_path(sys.argv[1]); print(time.process_time() - began)\n"
        "heavy = {'pandas', 'polars', 'pandera', 'great_expectations', 'dbt', 'loader', 'validation', 'contracts'}\n"
        "assert not heavy & {name.split('.')[0] for name in sys.modules}, heavy & set(sys.modules)\n"
    )
    for path in FILES:
        tries = (_seconds(script, path) for _ in range(3))  # a busy machine may spoil one
        assert any(seconds < 1 for seconds in tries), path.name


def _seconds(script: str, path: Path) -> float:
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        env={**os.environ, **DEPLOYMENT, "PYTHONPATH": str(DAGS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout.splitlines()[-1])


def test_only_airflow_and_its_providers_are_imported() -> None:
    allowed = {"airflow", "airbyte_api", "botocore", "pendulum", "spacex_airflow", *sys.stdlib_module_names}
    found = set()
    files = sorted(DAGS.rglob("*.py"))
    assert len(files) > 5
    for path in files:
        found |= set(re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.MULTILINE))
    assert found - allowed == set()
