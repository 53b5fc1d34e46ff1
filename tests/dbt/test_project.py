"""Tests what must be true of every part of the dbt project, without a warehouse."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "dbt"
MARTS = ("dim_rockets", "fct_core_flights", "fct_launches")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The project as dbt parses it, with no warehouse to ask."""
    folder = tmp_path_factory.mktemp("parse")
    dummies = {
        "DBT_WAREHOUSE_HOST": "127.0.0.1",
        "DBT_WAREHOUSE_PORT": "1",
        "DBT_WAREHOUSE_DATABASE": "spacex",
        "DBT_WAREHOUSE_USER": "nobody",
        "DBT_ENV_SECRET_WAREHOUSE_PASSWORD": "not-a-real-password",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    parsed = subprocess.run(
        [
            *(sys.executable, "-P", "-c", "from dbt.cli.main import cli; cli()"),
            *(
                "--no-version-check",
                "--warn-error",
                "parse",
                "--project-dir",
                str(PROJECT),
                "--profiles-dir",
                str(PROJECT),
            ),
            *("--target-path", str(folder), "--log-path", str(folder)),
        ],
        env=dummies,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert parsed.returncode == 0, parsed.stdout + parsed.stderr
    loaded: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return loaded


@pytest.fixture(scope="module")
def marts(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    nodes = manifest["nodes"].values()
    found = [node for node in nodes if node["resource_type"] == "model" and node["schema"] == "analytics"]
    assert sorted(node["name"] for node in found) == sorted(MARTS)
    return found


def attached_tests(manifest: dict[str, Any], unique_id: str) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node.get("attached_node") == unique_id]


def test_there_is_no_python_under_dbt() -> None:
    files = [path for path in PROJECT.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if path.suffix in {".py", ".pyi", ".pyc"}] == []


def test_the_project_parses_without_a_warehouse_or_a_warning(manifest: dict[str, Any]) -> None:
    assert manifest["metadata"]["adapter_type"] == "redshift"
    assert manifest["metadata"]["send_anonymous_usage_stats"] is False


def test_every_mart_keeps_an_enforced_contract_with_a_type_and_a_description_per_column(
    marts: list[dict[str, Any]],
) -> None:
    for mart in marts:
        assert mart["config"]["contract"]["enforced"], mart["name"]
        assert mart["columns"], mart["name"]
        for column in mart["columns"].values():
            assert column["data_type"] and column["description"], (mart["name"], column["name"])


def test_every_mart_states_its_grain_and_its_owner(marts: list[dict[str, Any]]) -> None:
    for mart in marts:
        assert mart["config"]["meta"]["owner"], mart["name"]
        assert mart["config"]["meta"]["grain"].startswith("one row per "), mart["name"]
        assert mart["description"].lower().startswith(mart["config"]["meta"]["grain"].split(" and ")[0]), mart["name"]


def test_every_mart_tests_its_grain_and_has_a_unit_test(manifest: dict[str, Any], marts: list[dict[str, Any]]) -> None:
    unit_tested = {test["model"] for test in manifest["unit_tests"].values()}
    for mart in marts:
        tests = attached_tests(manifest, mart["unique_id"])
        kinds = {test["test_metadata"]["name"] for test in tests if test["config"]["severity"].lower() == "error"}
        assert kinds & {"unique", "unique_grain"}, mart["name"]
        assert "same_total" in kinds, mart["name"]
        assert mart["name"] in unit_tested


def test_no_key_of_a_mart_can_be_null(marts: list[dict[str, Any]]) -> None:
    keys = {"dim_rockets": ["rocket_id"], "fct_launches": ["launch_id"], "fct_core_flights": ["launch_id", "core_id"]}
    for mart in marts:
        for key in keys[mart["name"]]:
            assert [one["type"] for one in mart["columns"][key]["constraints"]] == ["not_null"], (mart["name"], key)


def test_every_staging_model_reads_one_source_whose_key_is_tested(manifest: dict[str, Any]) -> None:
    staging = [node for node in manifest["nodes"].values() if node["name"].startswith("stg_spacex__")]
    assert {model["name"].removeprefix("stg_spacex__") for model in staging} == {
        *("launches", "payloads", "cores", "rockets", "launchpads")
    }
    for model in staging:
        assert model["schema"] == "analytics_staging"
        assert model["config"]["materialized"] == "view"
        source = f"source.spacex_elt.spacex.{model['name'].removeprefix('stg_spacex__')}"
        assert model["depends_on"]["nodes"] == [source]
        tests = [node for node in manifest["nodes"].values() if node["depends_on"]["nodes"] == [source]]
        kinds = {
            test["test_metadata"]["name"]
            for test in tests
            if test["resource_type"] == "test"
            and test["column_name"] == "id"
            and test["config"]["severity"].lower() == "error"
        }
        assert {"not_null", "unique"} <= kinds, model["name"]


def test_references_between_datasets_warn_and_those_within_the_marts_stop(manifest: dict[str, Any]) -> None:
    found = {
        node["name"]: node["config"]["severity"].lower()
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and node["test_metadata"]["name"] == "relationships"
    }
    assert found == {
        "fct_launches_rocket_is_known": "warn",
        "fct_launches_launchpad_is_known": "warn",
        "fct_core_flights_core_is_known": "warn",
        "fct_core_flights_launch_is_known": "error",
    }


def test_the_swap_of_a_table_stays_in_a_transaction() -> None:
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    assert project["flags"]["redshift_skip_autocommit_transaction_statements"] is False


def test_no_password_is_written_in_the_project() -> None:
    output = yaml.safe_load((PROJECT / "profiles.yml").read_text())["spacex_elt"]["outputs"]["warehouse"]
    assert output["password"] == "{{ env_var('DBT_ENV_SECRET_WAREHOUSE_PASSWORD') }}"
    assert output["sslmode"] == "verify-full"
