"""Runs the tests of tests/dags/under_airflow in Airflow's environments: the same DAG files under both versions."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = {"3.3.1": ".venv-airflow", "3.2.1": ".venv-airflow-3.2.1"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", ENVIRONMENTS)
def test_the_dags_pass_under_airflow(version: str, tmp_path: Path) -> None:
    python = ROOT / ENVIRONMENTS[version] / "bin" / "python"
    if not python.exists():
        pytest.skip(f"Airflow {version} is not installed in {ENVIRONMENTS[version]}: make setup airflow-3.2.1")
    environment = {"AIRFLOW_HOME": str(tmp_path), "EXPECTED_VERSION": version, "HOME": str(tmp_path)}
    done = subprocess.run(
        [python, "-m", "pytest", "--noconftest", "-c", "under_airflow/pytest.ini", "under_airflow", "-q"],
        cwd=Path(__file__).parent,
        env={**environment, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
