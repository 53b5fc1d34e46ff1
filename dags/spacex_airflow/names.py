"""Owns the names of what a deployment consists of, as startup.sh exports them: the one reader of the environment here.

Names only: nothing is asked of AWS or Airbyte while a DAG file is read.
"""

import os
from dataclasses import dataclass

#: Fixed by the task definition (terraform/task_definition.json.tftpl).
CONTAINER = "pipeline"
LOG_STREAM_PREFIX = "pipeline"


@dataclass(frozen=True)
class Deployment:
    """Where this deployment's steps run, and where its alerts go."""

    environment: str
    ecs_cluster: str
    # Task definitions with their revisions: DAGs and image move together. Each family of steps has a role of its own.
    loader_task: str
    transformer_task: str
    publisher_task: str
    maintainer_task: str
    log_group: str
    subnet_ids: str  # comma-separated
    security_group_ids: str  # comma-separated
    lake_bucket: str
    alert_topic_arn: str
    airbyte_connection_id: str
    deadline_hours: str  # a daily run that takes longer is announced; 0: none is

    def task_of(self, step: str) -> str:
        """The task definition that a step runs by."""
        families = {
            "transform": self.transformer_task,
            "publish": self.publisher_task,
            "maintain": self.maintainer_task,
        }
        return families.get(step, self.loader_task)


def read_deployment() -> Deployment:
    """The deployment this Airflow belongs to. Raises LookupError naming the variables that are not set."""
    fields = Deployment.__dataclass_fields__
    values = {name: os.environ.get(f"SPACEX_ELT_{name.upper()}", "").replace(" ", "") for name in fields}
    absent = [f"SPACEX_ELT_{name.upper()}" for name, value in values.items() if not value]
    if absent:
        raise LookupError(
            f"{', '.join(absent)} not set in Airflow's environment. Expected them from MWAA's startup script, which "
            "`make dist` renders, or from the local stack."
        )
    return Deployment(**values)
