"""Tests that what the pipeline asks for by name is made, and that what is made is asked for: in both directions."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from contracts.read import FOLDER, read_contracts
from loader import layout
from local.stack_env import CONTAINER
from observability.catalogue import CATALOGUE, ENVIRONMENT
from release.metrics import METRICS, current_metrics
from release.startup import NAMES
from spacex_elt.exit_codes import ExitCode
from spacex_elt.settings import Settings
from tests.terraform.conftest import Made, listed, of_type, policy
from validation.results import Verdict

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "SPACEX_ELT_"
FAMILIES = {"loader", "transformer", "publisher", "maintainer"}
#: Settings that a container leaves at their default: a laptop's, or those of a command that people run.
OF_A_LAPTOP = {
    "COLLECTOR_URL",  # by the name that OpenTelemetry gives it
    "ALERT_QUEUE_URL",
    "AIRBYTE_WORKSPACE_ID",
    "AIRBYTE_S3_SECRET_ID",
    "DBT_PROJECT_DIR",
    "WORK_DIR",
    "AWS_REGION",
}
#: Not Terraform's but a choice of whoever deploys.
OF_THE_DEPLOYER = {"SPACEX_ELT_DEADLINE_HOURS"}
#: The other ways to log in to the warehouse: the steps do by their secret.
NOT_CHOSEN = {PREFIX + name for name in ("WAREHOUSE_CLUSTER", "WAREHOUSE_WORKGROUP", "WAREHOUSE_DATABASE")}


def test_the_metrics_that_terraform_knows_are_those_of_the_catalogue_and_the_contracts() -> None:
    assert METRICS.read_text() == current_metrics(), "run `python -m release.metrics`"


def test_every_metric_is_by_dimensions_that_it_has() -> None:
    for metric in CATALOGUE.values():
        every, *fewer = metric.dimension_sets
        assert all(set(dimensions) < set(every) for dimensions in fewer), metric.name


def test_the_lakes_lifecycle_knows_every_folder_and_no_other() -> None:
    text = (ROOT / "terraform/modules/lake/main.tf").read_text()
    told = set(re.findall(r"^    ([a-z]+) += \{ ", text, re.MULTILINE))
    assert told == folders_of_the_lake()


def environments(resources: dict[str, dict[str, Any]]) -> dict[str, dict[str, str]]:
    """By family: what its container is told."""
    return {
        definition["family"]: {
            pair["name"]: pair["value"]
            for container in json.loads(definition["container_definitions"])
            if container["name"] == CONTAINER
            for pair in container["environment"]
        }
        for definition in of_type(resources, "aws_ecs_task_definition")
    }


def words_of(module: str) -> set[str]:
    """The strings of a file of the loader's."""
    tree = ast.parse((ROOT / "loader" / module).read_text())
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def folders_of_the_lake() -> set[str]:
    """The top folders that loader/layout.py names."""
    keys = (
        layout.landing_prefix("launches"),
        layout.accepted_key("launches", "1", "a.jsonl.gz"),
        layout.digests_key("launches", "1", "a.jsonl.gz"),
        layout.quarantine_prefix("launches"),
        layout.replay_prefix("launches", "1"),
        layout.decisions_prefix("launches"),
        layout.manifest_key("launches", "1"),
        layout.RUNS,
        layout.RECORDS,
        layout.INCIDENTS,
    )
    return {key.split("/")[0] for key in keys}


@pytest.mark.terraform
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("made")
class TestThePlan:
    def test_every_setting_of_the_pipeline_is_set_and_no_other(self, resources: dict[str, dict[str, Any]]) -> None:
        known = {PREFIX + name.upper() for name in Settings.model_fields if name.upper() not in OF_A_LAPTOP}
        for told in environments(resources).values():
            assert set(told) - {"OTEL_EXPORTER_OTLP_ENDPOINT"} == known
            assert {name for name, value in told.items() if not value} == NOT_CHOSEN

    def test_the_pipeline_takes_its_settings(
        self, resources: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        families = environments(resources)
        parameters = {each["name"].rsplit("/", 1)[1]: each["value"] for each in of_type(resources, "aws_ssm_parameter")}
        for environment in (*families.values(), parameters):
            with monkeypatch.context() as patched:
                for name, value in environment.items():
                    patched.setenv(name, value)
                settings = Settings()
            assert settings.lake_bucket == "spacex-elt-test-lake-123456789012"
            assert settings.quarantine_retention_days == 90

    def test_parameters_are_named_as_the_settings_and_hold_the_same(self, resources: dict[str, dict[str, Any]]) -> None:
        told = environments(resources)["spacex-elt-test-loader"]
        expected = {
            f"/spacex-elt-test/settings/{name}": value
            for name, value in told.items()
            if name not in {*NOT_CHOSEN, "OTEL_EXPORTER_OTLP_ENDPOINT"}
        }
        assert {each["name"]: each["value"] for each in of_type(resources, "aws_ssm_parameter")} == expected

    def test_a_step_goes_on_without_its_collector(self, resources: dict[str, dict[str, Any]]) -> None:
        for definition in of_type(resources, "aws_ecs_task_definition"):
            essential = {each["name"]: each["essential"] for each in json.loads(definition["container_definitions"])}
            assert essential == {CONTAINER: True, "collector": False}

    def test_the_dags_deployment_file_has_what_make_dist_needs(self, made: Made) -> None:
        deployment = made.plan["planned_values"]["outputs"]["deployment"]["value"]
        assert set(deployment) == set(NAMES) - OF_THE_DEPLOYER
        assert all(deployment.values())

    def test_every_secret_that_is_named_is_made_and_no_other(self, resources: dict[str, dict[str, Any]]) -> None:
        named = {"spacex-elt-test/airflow/connections/airbyte_default"}
        for told in environments(resources).values():
            named |= {value for name, value in told.items() if name.endswith("_SECRET_ID") and value != "none"}
        assert {each["name"] for each in of_type(resources, "aws_secretsmanager_secret")} == named

    def test_every_family_has_a_definition_a_role_and_no_other(self, resources: dict[str, dict[str, Any]]) -> None:
        definitions = {each["family"]: each["task_role_arn"] for each in of_type(resources, "aws_ecs_task_definition")}
        assert definitions == {
            f"spacex-elt-test-{family}": f"arn:aws:iam::123456789012:role/spacex-elt-test-{family}"
            for family in FAMILIES
        }

    def test_every_log_that_is_written_has_a_group_with_a_retention_and_a_key(
        self, resources: dict[str, dict[str, Any]]
    ) -> None:
        groups = {each["name"]: each for each in of_type(resources, "aws_cloudwatch_log_group")}
        written = {
            container["logConfiguration"]["options"]["awslogs-group"]
            for definition in of_type(resources, "aws_ecs_task_definition")
            for container in json.loads(definition["container_definitions"])
        }
        (logging,) = of_type(resources, "aws_redshift_logging")
        written |= {
            f"/aws/redshift/cluster/{logging['cluster_identifier']}/{export}" for export in logging["log_exports"]
        }
        assert written | {"/spacex-elt-test/flow-logs"} == set(groups)
        assert all(group["retention_in_days"] and group["kms_key_id"] for group in groups.values())

    def test_every_alarm_watches_a_metric_by_a_set_of_dimensions_that_is_kept(
        self, resources: dict[str, dict[str, Any]]
    ) -> None:
        kept = {
            (metric.name, frozenset({ENVIRONMENT, *dimensions}))
            for metric in CATALOGUE.values()
            for dimensions in metric.dimension_sets
        }
        watched = [
            (each["metric_name"], frozenset(each["dimensions"]))
            for alarm in of_type(resources, "aws_cloudwatch_metric_alarm")
            for each in (alarm, *(query["metric"][0] for query in alarm["metric_query"] if query["metric"]))
            if each["namespace"] == "SpacexElt"
        ]
        assert len(watched) > len(read_contracts(FOLDER))
        assert set(watched) - kept == set()

    def test_alarms_ask_for_stages_fates_verdicts_and_steps_as_the_pipeline_writes_them(
        self, resources: dict[str, dict[str, Any]]
    ) -> None:
        asked: dict[str, set[str]] = {}
        for alarm in of_type(resources, "aws_cloudwatch_metric_alarm"):
            for each in (alarm, *(query["metric"][0] for query in alarm["metric_query"] if query["metric"])):
                if each["namespace"] == "SpacexElt":
                    for name, value in each["dimensions"].items():
                        asked.setdefault(name, set()).add(value)
        assert asked.pop("environment") == {"test"}
        assert asked.pop("dataset") == set(read_contracts(FOLDER))
        assert asked.pop("verdict") == {Verdict.NO_GO.value}
        assert set(asked) == {"stage", "fate", "step"}
        assert set[str]().union(*asked.values()) - words_of("steps.py") - words_of("publish.py") == set()

    def test_no_way_a_step_ends_is_told_as_a_failed_container(self, resources: dict[str, dict[str, Any]]) -> None:
        (rule,) = of_type(resources, "aws_cloudwatch_event_rule")
        pattern = json.loads(rule["event_pattern"])["detail"]["$or"]
        (codes,) = [each["containers"]["exitCode"] for each in pattern if "containers" in each]
        assert {code for code in codes if code in iter(ExitCode)} == {ExitCode.BUG}

    def test_steps_may_touch_folders_that_the_lake_has_and_no_other(self, resources: dict[str, dict[str, Any]]) -> None:
        touched = {
            resource.split("/")[1]
            for each in of_type(resources, "aws_iam_role_policy")
            if each["role"].removeprefix("spacex-elt-test-") in FAMILIES
            for statement in policy(each["policy"])["Statement"]
            for resource in listed(statement["Resource"])
            if "-lake-" in resource and "/" in resource
        }
        assert touched == folders_of_the_lake()

    def test_airflow_looks_for_the_connection_that_is_made(self, resources: dict[str, dict[str, Any]]) -> None:
        (airflow,) = of_type(resources, "aws_mwaa_environment")
        told = json.loads(airflow["airflow_configuration_options"]["secrets.backend_kwargs"])
        connection = f"{told['connections_prefix']}/airbyte_default"
        assert connection in {each["name"] for each in of_type(resources, "aws_secretsmanager_secret")}
        assert "airbyte_default" in (ROOT / "dags/spacex_airflow/sync.py").read_text()
        assert re.match(told["connections_lookup_pattern"], "airbyte_default")
        assert not re.match(told["connections_lookup_pattern"], "aws_default")

    def test_every_dataset_has_an_alarm_at_its_own_promise(self, resources: dict[str, dict[str, Any]]) -> None:
        promised = {
            f"spacex-elt-test-freshness-{dataset}": contract.freshness_h
            for dataset, contract in read_contracts(FOLDER).items()
            if contract.freshness_h is not None
        }
        alarms = of_type(resources, "aws_cloudwatch_metric_alarm")
        told = {
            alarm["alarm_name"]: alarm["evaluation_periods"] * alarm["period"] / 3600
            for alarm in alarms
            if "-freshness-" in alarm["alarm_name"]
        }
        assert promised
        assert told == promised
        late = [
            alarm for alarm in alarms if "-freshness-" in alarm["alarm_name"] or "run-missing" in alarm["alarm_name"]
        ]
        assert {alarm["treat_missing_data"] for alarm in late} == {"breaching"}

    def test_the_composite_alarm_knows_every_alarm_of_the_data_product(
        self, resources: dict[str, dict[str, Any]]
    ) -> None:
        (composite,) = of_type(resources, "aws_cloudwatch_composite_alarm")
        alarms = of_type(resources, "aws_cloudwatch_metric_alarm")
        silent = {alarm["alarm_name"] for alarm in alarms if not alarm["alarm_actions"]}
        assert set(re.findall(r'ALARM\("([^"]+)"\)', composite["alarm_rule"])) == silent
        assert composite["alarm_actions"]

    def test_the_dashboard_shows_every_metric(self, resources: dict[str, dict[str, Any]]) -> None:
        (dashboard,) = of_type(resources, "aws_cloudwatch_dashboard")
        shown = dashboard["dashboard_body"]
        for metric in CATALOGUE.values():
            assert f'MetricName=\\"{metric.name}\\"' in shown
        placed = [(each["x"], each["y"]) for each in json.loads(shown)["widgets"]]
        assert len(placed) == len(set(placed))

    def test_copy_reads_the_folders_that_manifests_can_name(self, resources: dict[str, dict[str, Any]]) -> None:
        text = resources["module.warehouse.aws_iam_role_policy.copy"]["values"]["policy"]
        read = {
            resource.split("/", 1)[1].removesuffix("/*")
            for statement in policy(text)["Statement"]
            if statement["Sid"] == "ReadBatches"
            for resource in statement["Resource"]
        }
        assert read == {"landing", "accepted", "replays", "manifests"}
