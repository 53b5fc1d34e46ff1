"""Owns what every run of data shares: gate, load, transform, publish, and what happens when one of them fails."""

from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
from airflow.sdk import Asset, TriggerRule
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from spacex_airflow.incident import raise_incident
from spacex_airflow.names import read_deployment
from spacex_airflow.step import StepOperator

#: What people query: another DAG may be scheduled on them. One for each file in dbt/models/marts.
MARTS = {
    name: Asset(name=f"spacex_{name}", uri=f"spacex-elt://analytics/{name}", group="spacex_marts")
    for name in ("dim_rockets", "fct_launches", "fct_core_flights")
}

#: Of every DAG here. How long to wait before a retry is Airflow's own setting (core.default_task_retry_delay).
ARGUMENTS: dict[str, Any] = {"owner": "launch-data", "retries": 2, "on_failure_callback": raise_incident}


def gate_load_transform_publish(planned: StepOperator) -> None:
    """Everything after a plan, in order.

    A held dataset fails its load task and stops nobody: transform goes on as soon as something went through the gate,
    publish as soon as there is a plan. Publish tells everyone, then ends as the run does, so that the DAG run fails.
    """
    gate = StepOperator.partial(task_id="gate", takes="shards", option="--shard").expand(work=planned.output)
    load = StepOperator.partial(task_id="load", takes="datasets", option="--dataset").expand(work=planned.output)
    transform = StepOperator(
        task_id="transform",
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
        outlets=list(MARTS.values()),
    )
    publish = StepOperator(task_id="publish", trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
    planned >> gate >> load >> transform >> publish
    gate >> transform
    planned >> publish


def deadline() -> DeadlineAlert | None:
    """Tells people of a run that takes too long. Airflow itself may be what is down: an alarm on freshness backs it."""
    deployment = read_deployment()
    hours = int(deployment.deadline_hours)
    if not hours:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=hours),
        callback=AsyncCallback(
            SnsNotifier,
            kwargs={
                "target_arn": deployment.alert_topic_arn,
                "subject": f"[{deployment.environment}] a SpaceX run is late",
                "message": f"A run did not end within {hours} hours. Expected minutes; look at its tasks in Airflow. "
                "The warehouse serves the last good data meanwhile.",
                "message_attributes": {"severity": "warning", "environment": deployment.environment},
            },
        ),
    )
