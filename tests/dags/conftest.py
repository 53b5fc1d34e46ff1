"""Keeps the tests that import Airflow out of the pipeline's environment. test_under_airflow.py runs them."""

collect_ignore = ["under_airflow"]
