"""Owns the daily run: SpaceX API, lake, gates, warehouse, marts, data docs. The steps are the image's commands."""

import pendulum
from airflow.sdk import DAG, Param

from spacex_airflow.chain import ARGUMENTS, deadline, gate_load_transform_publish
from spacex_airflow.names import read_deployment
from spacex_airflow.step import StepOperator
from spacex_airflow.sync import SyncOperator

with DAG(
    dag_id="spacex_elt",
    description="SpaceX launch data, from the API to tables you can trust.",
    # Daily: the contracts promise a change of the API within 24 hours, and a snapshot is cheap. At six: launches of the
    # American evening are in the API by then, and Europe's working day has not begun.
    schedule="0 6 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,  # a sync brings today's snapshot, whichever day it is run for
    max_active_runs=1,
    default_args=ARGUMENTS,
    tags=["spacex", "elt", "contract-gated"],
    deadline=deadline(),
    params={
        "datasets": Param(
            [],
            type="array",
            items={"type": "string", "pattern": "^[a-z0-9_]+$"},
            description="Only these datasets; empty: all that the connection extracts.",
        ),
        "sync_job_id": Param(
            "",
            type="string",
            pattern="^[0-9]*$",
            description="A past Airbyte job to load again instead of a new sync: a backfill.",
        ),
        "force": Param(
            False,
            type="boolean",
            description="Load what was already published, or an older snapshot than the published one.",
        ),
    },
    doc_md="""
    Every stage is gated by the datasets' contracts: a record that breaks one is set aside, a batch that breaks one is
    held, and the last good version is served meanwhile.

    | task | runs | fails with |
    |---|---|---|
    | sync | the Airbyte connection | the server's reason; a retry follows a sync that is under way |
    | plan | finds what landed, splits it | |
    | gate | the raw contract, one container for each 64 MiB | |
    | load | COPY, load gate, publish; one container for each 64 MiB | 11: a dataset is held, the others go on |
    | transform | dbt build | 14: a model or test failed |
    | publish | the run's record, incidents, data docs | the worst of the run: the DAG run fails with it |

    Only exit code 12 (a source or service was away) and containers that did not come to their end are tried again.
    Clearing a task and those after it is safe from plan on. A new sync is a new run: trigger one.
    """,
):
    sync = SyncOperator(
        task_id="sync",
        connection_id=read_deployment().airbyte_connection_id,
        past_job_id="{{ params.sync_job_id }}",
    )
    plan = StepOperator(
        task_id="plan",
        hands_on="containers",
        arguments="--job-id {{ ti.xcom_pull('sync') }}"
        "{% for dataset in params.datasets %} --dataset {{ dataset }}{% endfor %}"
        "{% if params.force %} --force{% endif %}",
    )
    sync >> plan
    gate_load_transform_publish(plan)
