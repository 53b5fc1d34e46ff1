"""Owns running one step of the pipeline, `spacex-elt <step>`, in its image on ECS. What it does is the image's job."""

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.exceptions import EcsTaskFailToStart
from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from spacex_airflow.names import CONTAINER, LOG_STREAM_PREFIX, read_deployment

#: What the step's exit code says, for those after which running it again changes nothing. The others are worth a retry:
#: 12 (a source or service was away), and codes that are not the program's (killed by ECS: 137, 143).
FINAL = {
    1: "a bug",
    2: "a wrong argument, setting or credential",
    10: "a contract is wrong",
    11: "a gate said no-go",
    13: "rows do not reconcile",
    14: "dbt failed",
}

_LOOK_EVERY_S = 2  # DescribeTasks bears 20 calls a second; a step takes seconds on small data
_TIME_LIMIT_S = 6 * 3600
_LINES_TOLD = 12
_LINE_LENGTH_TOLD = 1000  # an alert takes 256 KB, and so may a line
_CONFIGURATION_IS_WRONG = {
    "AccessDeniedException", "ClientException", "InvalidParameterException", "ClusterNotFoundException",
}  # fmt: skip
_LOG_PATIENCE_S = 60  # CloudWatch shows a line some seconds after it was written


class StepFailed(AirflowException):
    """The step ended with an exit code that is worth a retry."""

    def __init__(self, message: str, exit_code: int | None) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class StepRefused(AirflowFailException):
    """The step ended with an exit code of FINAL: Airflow does not retry."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class StepOperator(EcsRunTaskOperator):
    """Runs `spacex-elt <task id> --run-id <run> <arguments>` and hands on the JSON object that it prints last.

    `arguments` is a template, split as a shell would. `hands_on` names the part of the result that goes on, for Airflow
    maps tasks over whole results only. A mapped step is given one container's `work`, and `option` once for each of
    what it `takes` of it; when that is nothing, it is done without one. A worker that comes back finds its container
    still running (`reattach`). The container joins Airflow's trace when there is one, else the run's own.
    """

    template_fields = (*EcsRunTaskOperator.template_fields, "arguments")

    def __init__(
        self,
        *,
        arguments: str = "",
        hands_on: str = "",
        work: Mapping[str, Sequence[str]] | None = None,
        takes: str = "",
        option: str = "",
        **kwargs: Any,
    ) -> None:
        deployment = read_deployment()
        self.arguments = arguments
        self.hands_on = hands_on
        self.work = work
        self.takes = takes
        self.option = option
        super().__init__(
            cluster=deployment.ecs_cluster,
            task_definition=deployment.task_of(kwargs["task_id"]),
            launch_type="FARGATE",
            overrides={},  # made of the rendered arguments
            network_configuration={
                "awsvpcConfiguration": {
                    "subnets": deployment.subnet_ids.split(","),
                    "securityGroups": deployment.security_group_ids.split(","),
                    "assignPublicIp": "DISABLED",
                }
            },
            container_name=CONTAINER,  # without it every task sleeps ten seconds while the name is looked up
            awslogs_group=deployment.log_group,
            awslogs_stream_prefix=LOG_STREAM_PREFIX,
            propagate_tags="TASK_DEFINITION",
            reattach=True,
            deferrable=True,
            stop_task_on_failure=True,
            waiter_delay=_LOOK_EVERY_S,
            waiter_max_attempts=_TIME_LIMIT_S // _LOOK_EVERY_S,
            do_xcom_push=True,
            **kwargs,
        )

    def execute(self, context: Any) -> Any:
        """Starts the container and waits in the triggerer."""
        carrier = context["ti"].context_carrier or {}
        values = self.work[self.takes] if self.work is not None else []
        if self.work is not None and not values:  # not skipped: what comes after would be skipped with it
            self.log.info("there are no %s to %s here", self.takes, self.task_id)
            return {"run_id": context["run_id"], self.takes: []}
        each = [word for value in values for word in (self.option, value)]
        container = {
            "name": CONTAINER,
            "command": [self.task_id, "--run-id", context["run_id"], *shlex.split(self.arguments), *each],
            "environment": [{"name": "TRACEPARENT", "value": carrier.get("traceparent", "")}],
        }
        self.overrides = {"containerOverrides": [container]}
        try:
            return super().execute(context)
        except ClientError as exc:
            if exc.response["Error"]["Code"] in _CONFIGURATION_IS_WRONG:
                raise StepRefused(f"ECS refused to run {self.task_id}: {exc}. Check the deployment.", 2) from exc
            raise

    def execute_complete(self, context: Any, event: dict[str, Any] | None = None) -> Any:
        """Takes the container's outcome. Raises StepRefused or StepFailed with the end of what it said."""
        try:
            super().execute_complete(context, event)
        except EcsTaskFailToStart as exc:
            raise StepFailed(f"{self.task_id} did not start: {exc}", None) from exc
        except AirflowException as exc:
            raise self._failure(exc) from exc
        result = self._result()
        return result[self.hands_on] if self.hands_on else result

    def _failure(self, cause: AirflowException) -> AirflowException:
        if self.arn is None:
            return StepFailed(f"{self.task_id}: {cause}", None)
        exit_code = self._exit_code()
        said = "\n".join(
            line[:_LINE_LENGTH_TOLD] for line in self._last_lines(_LINES_TOLD) if not line.startswith("{")
        )  # not its result
        if exit_code in FINAL:
            return StepRefused(f"{self.task_id} ended with {exit_code} ({FINAL[exit_code]}):\n{said}", exit_code)
        return StepFailed(f"{self.task_id} ended with {exit_code}, which is worth a retry:\n{said}", exit_code)

    def _exit_code(self) -> int | None:
        (task,) = self.client.describe_tasks(cluster=self.cluster, tasks=[self.arn])["tasks"]
        codes = [each.get("exitCode") for each in task["containers"] if each["name"] == CONTAINER]
        return codes[0] if codes else None

    def _result(self) -> dict[str, Any]:
        """The JSON object on the container's last line, as soon as CloudWatch shows it."""
        deadline = time.monotonic() + _LOG_PATIENCE_S
        while True:
            last = "".join(self._last_lines(1))
            try:
                return dict(json.loads(last))
            except (ValueError, TypeError):
                if time.monotonic() > deadline:
                    raise StepFailed(
                        f"{self.task_id} ended well, but its last line is no JSON object: {last[:300]!r}. Expected the "
                        f"step's result in log group {self.awslogs_group}. Run the task again: it does nothing twice.",
                        0,
                    ) from None
            time.sleep(_LOOK_EVERY_S)

    def _last_lines(self, count: int) -> list[str]:
        logs = AwsLogsHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name).conn
        try:
            events = logs.get_log_events(
                logGroupName=self.awslogs_group,
                logStreamName=self._get_logs_stream_name(),
                startFromHead=False,
                limit=count,
            )["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in events]
