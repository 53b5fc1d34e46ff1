"""An empty lake for each run; and keeps the tests that import Airflow out of here (test_under_airflow.py runs them)."""

from collections.abc import Iterator

import pytest

from spacex_elt.wiring import open_pipeline
from tests.dags.driving import ROOT
from tests.e2e.conftest import stack_environment
from tests.e2e.harness import wipe

__all__ = ["stack_environment"]

collect_ignore = ["under_airflow"]


@pytest.fixture
def fresh_lake(stack_environment: dict[str, str]) -> Iterator[None]:
    """An empty lake and warehouse."""
    if not (ROOT / ".venv-airflow" / "bin" / "airflow").exists():
        pytest.skip("Airflow is not installed in .venv-airflow: make setup")
    with open_pipeline("wipe") as pipeline:
        wipe(pipeline)
    yield
