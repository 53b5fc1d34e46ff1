"""What Airflow's environments hold, here and on MWAA. They are made of files; nothing of Airflow is imported here."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from release.requirements import REQUIREMENTS, current_requirements
from tests.packages import package_index

ROOT = Path(__file__).resolve().parents[2]
MWAA = ROOT.parent / "shared" / "mwaa"
LOCKS = ("airflow", "airflow-3.2.1")
CONSTRAINTS = {"airflow": ROOT / "dags" / "constraints.txt", "airflow-3.2.1": ROOT / "requirements" / "mwaa-3.2.1.txt"}
#: Not redshift-connector: Amazon's provider brings it along.
THE_PIPELINES = {"pandas", "polars", "pandera", "great-expectations", "dbt-core", "dbt-redshift"}


def _pins(path: Path) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", path.read_text(), re.MULTILINE)
    assert found
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def _lock(name: str) -> dict[str, str]:
    return _pins(ROOT / "requirements" / f"{name}.txt")


def _resolve(constraints: Path, python: str = "3.12") -> dict[str, str]:
    """What MWAA's pip would have to install. Its constraint line names a path on MWAA: another file stands for it."""
    package_index()
    asked = [line for line in REQUIREMENTS.read_text().splitlines() if not line.startswith("--constraint")]
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    answer = subprocess.run(
        [*command, "--python-version", python, "--constraint", str(constraints), "-"],
        input="\n".join(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return dict(line.split("==", 1) for line in answer.stdout.split() if "==" in line)


@pytest.mark.parametrize("lock", LOCKS)
def test_airflow_has_nothing_of_the_pipelines(lock: str) -> None:
    assert THE_PIPELINES & set(_lock(lock)) == set()
    assert set(_lock("pipeline")) >= THE_PIPELINES


@pytest.mark.parametrize("lock", LOCKS)
def test_every_version_is_mwaas_where_mwaa_has_one(lock: str) -> None:
    pinned, constraints = _lock(lock), _pins(CONSTRAINTS[lock])
    both = pinned.keys() & constraints.keys()
    assert {"apache-airflow", "apache-airflow-providers-amazon", "aiobotocore"} <= both
    assert {name: pinned[name] for name in both} == {name: constraints[name] for name in both}


@pytest.mark.parametrize(("lock", "version"), [("airflow", "3.3.1"), ("airflow-3.2.1", "3.2.1")])
def test_the_pins_are_those_that_mwaa_publishes(lock: str, version: str) -> None:
    published = MWAA / f"mwaa-constraints-{version}.txt"
    if not published.is_file():
        pytest.skip("MWAA's own file is not beside this checkout (../shared/mwaa)")
    assert _pins(CONSTRAINTS[lock]) == _pins(published) | {"apache-airflow": version}


def test_mwaas_requirements_are_current() -> None:
    assert REQUIREMENTS.read_text() == current_requirements(), "run `make lock`"


def test_mwaas_requirements_begin_with_our_constraints_so_that_mwaa_does_not_take_others() -> None:
    assert REQUIREMENTS.read_text().startswith('--constraint "/usr/local/airflow/dags/constraints.txt"\n')
    assert (ROOT / "dags" / "constraints.txt").is_file()


def test_mwaas_requirements_resolve_to_the_lock_that_is_tested() -> None:
    resolved, lock = _resolve(CONSTRAINTS["airflow"]), _lock("airflow")
    assert resolved["apache-airflow"] == "3.3.1"
    assert {name: lock.get(name) for name in resolved if name in _pins(CONSTRAINTS["airflow"])} == {
        name: version for name, version in resolved.items() if name in _pins(CONSTRAINTS["airflow"])
    }


def test_mwaas_requirements_resolve_under_the_pins_that_nobody_can_override() -> None:
    essential = MWAA / "mwaa-essential-constraints-3.3.1.txt"
    if not essential.is_file():
        pytest.skip("MWAA's essential constraints are not beside this checkout (../shared/mwaa)")
    resolved, pins = _resolve(essential), _pins(essential)
    assert resolved["sqlalchemy"] == pins["sqlalchemy"]
