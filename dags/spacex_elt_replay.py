"""Owns sending quarantined records through the gates again, on demand: when a contract was wrong and is mended."""

import pendulum
from airflow.sdk import DAG, Param

from spacex_airflow.chain import ARGUMENTS, gate_load_transform_publish
from spacex_airflow.step import StepOperator

with DAG(
    dag_id="spacex_elt_replay",
    description="Quarantined records once more, under today's contract.",
    schedule=None,  # somebody has mended a contract and knows which records it was wrong about
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=ARGUMENTS,
    tags=["spacex", "quarantine"],
    params={
        "dataset": Param("launches", type="string", pattern="^[a-z0-9_]+$", description="Whose quarantine."),
        "batch": Param(
            "", type="string", pattern="^[0-9a-f]*$", description="Of this batch; empty: the newest with any."
        ),
        "rules": Param(
            [],
            type="array",
            maxItems=50,
            items={"type": "string", "pattern": "^[A-Za-z0-9_.-]+$"},
            description="Only records that broke one of these rules; empty: all.",
        ),
        "record_keys": Param(  # not "keys": a template's params.keys is a method
            [],
            type="array",
            maxItems=200,  # ECS takes 8,192 characters of overrides
            items={"type": "string", "pattern": "^[A-Za-z0-9_.-]+$"},
            description="Only records with these keys; empty: all.",
        ),
        "again": Param(
            False,
            type="boolean",
            description="Also records that three replays did not publish, and those that a run took and never ended.",
        ),
    },
    doc_md="""
    Takes the selected records through the same gates, load and dbt as a daily run, under the contracts of the image
    that is deployed now. What is still wrong stays in quarantine; after three replays in vain a record
    is left alone. Nothing is deleted, and nothing is loaded twice. Where each record stands, and who decided it:
    `spacex-elt quarantine list`.
    """,
):
    replay = StepOperator(
        task_id="replay",
        hands_on="containers",
        arguments="--dataset {{ params.dataset }}"
        "{% if params.batch %} --batch {{ params.batch }}{% endif %}"
        "{% for rule in params.rules %} --rule {{ rule }}{% endfor %}"
        "{% for key in params.record_keys %} --key {{ key }}{% endfor %}"
        "{% if params.again %} --again{% endif %}",
    )
    gate_load_transform_publish(replay)
