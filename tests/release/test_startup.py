"""The startup script as MWAA would source it, rendered for a deployment. Run by bash in an empty environment."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from release.startup import NAMES, DeploymentRefused, read_deployment, render_startup

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "release" / "example.env").read_text()
COMMITTED = (ROOT / "dags" / "startup.sh").read_text()
_PRINT = f'. "$1" && exec {sys.executable} -c "import json, os; print(json.dumps(dict(os.environ)))"'


def _source(script: str, tmp_path: Path, region: str = "eu-central-1") -> subprocess.CompletedProcess[str]:
    """Sources the script and prints what it exported, as MWAA does."""
    path = tmp_path / "startup.sh"
    path.write_text(script)
    return subprocess.run(
        ["bash", "-c", _PRINT, "bash", str(path)],
        env={"AWS_REGION": region} if region else {},
        capture_output=True,
        text=True,
        check=False,
    )


def _exported(values: dict[str, str], tmp_path: Path) -> dict[str, str]:
    answer = _source(render_startup(values, COMMITTED), tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    exported: dict[str, str] = json.loads(answer.stdout)
    return exported


def test_it_exports_the_deployments_variables_and_the_telemetry_that_mwaa_can_send(tmp_path: Path) -> None:
    values = read_deployment(EXAMPLE, "example.env")
    exported = _exported(values, tmp_path)
    assert {name: exported[name] for name in NAMES} == values
    assert {name: value for name, value in exported.items() if "OTEL" in name} == {
        "AIRFLOW__TRACES__OTEL_ON": "True",
        "OTEL_SERVICE_NAME": "spacex-elt-airflow",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod",
        "OTEL_TRACES_EXPORTER": "otlp_proto_http",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://xray.eu-central-1.amazonaws.com/v1/traces",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    assert "name" not in exported


def test_a_value_means_itself_whatever_the_shell_would_make_of_it(tmp_path: Path) -> None:
    values = read_deployment(EXAMPLE, "example.env") | {"SPACEX_ELT_LOG_GROUP": "/a $(touch b) 'c' \"d\" `e` \\ $HOME"}
    assert _exported(values, tmp_path)["SPACEX_ELT_LOG_GROUP"] == values["SPACEX_ELT_LOG_GROUP"]


def test_a_deployment_may_send_spans_elsewhere(tmp_path: Path) -> None:
    collector = "https://collector.example.com/v1/traces"
    values = read_deployment(f"{EXAMPLE}\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT={collector}", "example.env")
    assert _exported(values, tmp_path)["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] == collector


@pytest.mark.parametrize("name", NAMES)
def test_the_script_stops_a_component_that_lacks_a_variable(name: str, tmp_path: Path) -> None:
    values = read_deployment(EXAMPLE, "example.env")
    del values[name]
    answer = _source(render_startup(values, COMMITTED), tmp_path)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert f"{name} is not set" in answer.stderr


def test_the_script_as_committed_starts_nothing(tmp_path: Path) -> None:
    assert _source(COMMITTED, tmp_path).returncode == 1


def test_the_script_stops_where_mwaa_names_no_region(tmp_path: Path) -> None:
    answer = _source(render_startup(read_deployment(EXAMPLE, "example.env"), COMMITTED), tmp_path, region="")
    assert answer.returncode == 1
    assert "AWS_REGION is not set" in answer.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("SPACEX_ELT_ENVIRONMENT=prod", ""), "does not set SPACEX_ELT_ENVIRONMENT"),
        (("SPACEX_ELT_ENVIRONMENT=prod", "SPACEX_ELT_ENVIRONMENT="), "line 2: expected KEY=VALUE"),
        (("SPACEX_ELT_ENVIRONMENT=prod", "prod"), "line 2: expected KEY=VALUE"),
        (("SPACEX_ELT_ENVIRONMENT=prod", "SPACEX_ELT_ENVIRONMENT=prod\nSPACEX_ELT_STAGE=x"), "sets SPACEX_ELT_STAGE"),
        (("SPACEX_ELT_ENVIRONMENT=prod", "SPACEX_ELT_ENVIRONMENT=a\nSPACEX_ELT_ENVIRONMENT=b"), "there twice"),
        (("spacex-elt-prod-loader:42", "spacex-elt-prod-loader"), "Expected family:revision"),
        (("spacex-elt-prod-publisher:42", "spacex-elt-prod-publisher:latest"), "Expected family:revision"),
    ],
)
def test_a_wrong_deployment_file_is_refused(change: tuple[str, str], words: str) -> None:
    with pytest.raises(DeploymentRefused, match=words):
        read_deployment(EXAMPLE.replace(*change), "example.env")
