"""Owns the weekly clean-up: what the lake need not keep, and the warehouse's own hygiene."""

import pendulum
from airflow.sdk import DAG, Param

from spacex_airflow.chain import ARGUMENTS
from spacex_airflow.step import StepOperator

with DAG(
    dag_id="spacex_elt_maintenance",
    description="Lake retention, expired quarantine, VACUUM and ANALYZE.",
    # Weekly: retention is counted in months. On Sunday at nine, when the daily run is over and few people query.
    schedule="0 9 * * 0",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=ARGUMENTS,
    tags=["spacex", "maintenance"],
    params={"dry_run": Param(False, type="boolean", description="Only say what would go.")},
    doc_md="Removes what is past its retention and nothing that the newest published batches refer to.",
):
    StepOperator(task_id="maintain", arguments="{% if params.dry_run %}--dry-run{% endif %}")
