"""Keeps the tests that import Airflow out of the pipeline's environment. test_under_airflow.py runs them."""

from tests.e2e.conftest import stack_environment

__all__ = ["stack_environment"]

collect_ignore = ["under_airflow"]
